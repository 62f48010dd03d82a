"""A spreadsheet with a row an item, for those who already have a table: its template, and reading one.

An item of a table has the table's words for its text: they are frozen like any document, a line a
row, so that every item has its passage; the paraphrase is the curator's.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.errors import DataError
from kg.evidence import sha256
from kg.ingest.blocks import Block, BlockKind, Composer, Document, Found
from kg.ingest.candidates import Candidate, CandidateLink, Decision
from kg.ingest.docx import refuse_bomb
from kg.ingest.known import Known, Thing
from kg.ingest.labels import Kind
from kg.ingest.limits import LONGEST_LABEL, LONGEST_PARAPHRASE
from kg.ingest.metadata import iso_date
from kg.names import BASE, PEV, folded, slug

ENDINGS = (".csv", ".xlsx")
_MOST_ROWS = 20_000
_SHEET = "items"


@dataclass(frozen=True)
class Column:
    """A column of the template: its header, whether every row needs it, and what it holds."""

    name: str
    required: bool
    help: str


COLUMNS = (
    Column("document", True, "Title of the document that says it; a row for each of its items."),
    Column("publisher", True, "Body that published it."),
    Column("date", False, "Date of the document: 2024, 2024-03 or 2024-03-12."),
    Column("kind", True, "One of " + ", ".join(k.value for k in Kind if k is not Kind.THEME) + "."),
    Column(
        "quote", True, "The words of the document, at least 12 characters. They stay in your library, not in the graph."
    ),
    Column("page", False, "Page of the document, a whole number."),
    Column("label", True, f"A short name of the item in your words, at most {LONGEST_LABEL} characters."),
    Column("paraphrase", True, f"What it says, in your words, at most {LONGEST_PARAPHRASE} characters."),
    Column("theme", True, "A theme of the graph, by its label or its name (theme:finance)."),
    Column("directed_to", False, "Of a recommendation: whom it asks, by name; several with semicolons."),
    Column("deadline", False, "Of a recommendation: a day, 2025-12-31."),
)
EXAMPLE = (
    "Buses for schools", "Northmoor Audit Office", "2024-03-14", "Recommendation",
    "District councils should agree one budget by the end of 2025.", "4", "One budget for school buses",
    "The districts are asked to pool what they spend on school buses.", "Finance", "District councils", "2025-12-31",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A row of a table, by the names of the columns, and where it stands."""

    cells: Mapping[str, str]
    sheet: str
    number: int

    def wrong(self, column: str, what: str, path: Path) -> DataError:
        """Returns the error that names sheet, row and column."""
        return DataError(f"sheet {self.sheet}, row {self.number}, column {column}: {what}", path)


def template_csv() -> bytes:
    """Returns the template as CSV: the header and one example."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([[column.name for column in COLUMNS], EXAMPLE])
    return text.getvalue().encode()


def template_xlsx() -> bytes:
    """Returns the template as XLSX: a sheet for the items, one that explains the columns."""
    from openpyxl import Workbook

    book = Workbook()
    items = book.active
    assert items is not None
    items.title = _SHEET
    items.append([column.name for column in COLUMNS])
    items.append(list(EXAMPLE))
    items.freeze_panes = "A2"
    explained = book.create_sheet("columns")
    explained.append(["column", "needed", "what it holds"])
    for column in COLUMNS:
        explained.append([column.name, "yes" if column.required else "", column.help])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def read_rows(path: Path, most_bytes: int) -> list[Row]:
    """Returns the rows of a table that are not empty.

    Raises:
        DataError: it cannot be read, or a column is missing or unknown.
    """
    try:
        content = path.read_bytes() if path.stat().st_size <= most_bytes else None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}.", path) from error
    if content is None:
        raise DataError(f"has more than {most_bytes} bytes (KG_MAX_DOCUMENT_BYTES).", path)
    lines = _xlsx_lines(content, path) if path.suffix.lower() == ".xlsx" else _csv_lines(content, path)
    name, table = lines
    header = [folded(cell).replace(" ", "_") for cell in table[0]] if table else []
    _check_header(header, name, path)
    if len(table) > _MOST_ROWS:
        raise DataError(f"has {len(table)} rows; at most {_MOST_ROWS} are read.", path)
    rows = [
        Row(dict(zip(header, cells, strict=False)), name, at)
        for at, cells in enumerate(table[1:], start=2)
        if any(cells)
    ]
    if not rows:
        raise DataError(f"sheet {name}: has no rows below its header.", path)
    return rows


def _check_header(header: Sequence[str], sheet: str, path: Path) -> None:
    known = {column.name for column in COLUMNS}
    for column in COLUMNS:
        if column.required and column.name not in header:
            raise DataError(
                f"sheet {sheet}, row 1: the column {column.name!r} is missing; `kg template` shows all.", path
            )
    for name in header:
        if name and name not in known:
            raise DataError(
                f"sheet {sheet}, row 1, column {name}: is none of {', '.join(c.name for c in COLUMNS)}.", path
            )
        if name and header.count(name) > 1:
            raise DataError(f"sheet {sheet}, row 1, column {name}: stands there twice.", path)


def _csv_lines(content: bytes, path: Path) -> tuple[str, list[list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 (byte {error.start}); save it as CSV UTF-8.", path) from error
    semicolons = text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if semicolons else ",", strict=True))
    except csv.Error as error:
        raise DataError(f"is no CSV: {error}.", path) from error
    return path.stem, [[cell.strip() for cell in row] for row in rows]


def _xlsx_lines(content: bytes, path: Path) -> tuple[str, list[list[str]]]:
    from openpyxl import load_workbook

    try:
        refuse_bomb(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except DataError as error:
        raise DataError(str(error), path) from error
    except Exception as error:  # the library raises whatever its parts raise on damaged files
        raise DataError(f"cannot be read as XLSX: {error}.", path) from error
    sheet = book[_SHEET] if _SHEET in book.sheetnames else book.worksheets[0]
    rows = [
        [_cell(value) for value in row] for row in sheet.iter_rows(values_only=True, max_row=_MOST_ROWS + 2, max_col=40)
    ]
    book.close()
    return sheet.title, rows


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "date") and callable(value.date):
        return str(value.date().isoformat())
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


@dataclass(frozen=True)
class Table:
    """The items of one document of a table: its frozen text, its candidates, what is known of it."""

    document: Document
    candidates: tuple[Candidate, ...]
    publisher: str | None


def read_table(path: Path, known: Known, most_bytes: int) -> list[Table]:
    """Returns the documents of a table, each with its items, accepted as they are.

    Raises:
        DataError: a row is wrong; sheet, row and column are named.
    """
    by_document: dict[str, list[Row]] = {}
    for row in read_rows(path, most_bytes):
        for column in COLUMNS:
            if column.required and not row.cells.get(column.name):
                raise row.wrong(column.name, "is empty.", path)
        by_document.setdefault(row.cells["document"], []).append(row)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return [_table(path, digest, title, rows, known) for title, rows in by_document.items()]


def _table(path: Path, digest: str, title: str, rows: Sequence[Row], known: Known) -> Table:
    composer = Composer()
    placed: list[tuple[Row, Block]] = []
    for row in rows:
        before = len(composer.blocks)
        composer.add(row.cells["quote"], Block(BlockKind.PARAGRAPH, 0, 0, page=_page(row, path)))
        if len(composer.blocks) == before or len(row.cells["quote"]) < 12:
            raise row.wrong("quote", "has fewer than 12 characters.", path)
        placed.append((row, composer.blocks[-1]))
    first = rows[0]
    date = _date(first, "date", path)
    where = f"sheet {first.sheet}, row {first.number}"
    facts = {"title": title, "publisher": first.cells["publisher"], "date": date}
    properties = {name: Found(value, where) for name, value in facts.items() if value}
    document = Document(
        f"{slug(title)[:60]}{path.suffix.lower()}",
        digest,
        composer.text,
        "table",
        "1",
        tuple(composer.blocks),
        properties,
    )
    candidates = tuple(
        _candidate(row, block, document.text, known, number, path)
        for number, (row, block) in enumerate(placed, start=1)
    )
    body = known.body(first.cells["publisher"])
    return Table(document, candidates, body.iri if body else None)


def _candidate(row: Row, block: Block, text: str, known: Known, number: int, path: Path) -> Candidate:
    kinds = {k.value.lower(): k for k in Kind if k is not Kind.THEME}
    kind = kinds.get(row.cells["kind"].lower().replace(" ", ""))
    if kind is None:
        raise row.wrong("kind", f"{row.cells['kind']!r} is none of {', '.join(k.value for k in kinds.values())}.", path)
    for name, most in (("label", LONGEST_LABEL), ("paraphrase", LONGEST_PARAPHRASE)):
        if len(row.cells[name]) > most:
            raise row.wrong(name, f"has {len(row.cells[name])} characters; at most {most}.", path)
    links = tuple(_links(row, kind, known, path))
    return Candidate(
        f"c{number}", kind, block.start, block.end, sha256(text[block.start : block.end]), "table",
        f"row {row.number}", 1.0,
        links=links, label=row.cells["label"], paraphrase=row.cells["paraphrase"], page=block.page, drafted=False,
        decision=Decision.ACCEPTED,
    )  # fmt: skip


def _links(row: Row, kind: Kind, known: Known, path: Path) -> Iterator[CandidateLink]:
    theme = _theme(row, known, path)
    yield CandidateLink(PEV + "hasTheme", theme.iri, theme.label, "judged")
    if kind in (Kind.BARRIER, Kind.ENABLER):
        yield CandidateLink(PEV + "affects", theme.iri, theme.label, "judged")
    if kind is Kind.POSITION:
        yield CandidateLink(PEV + "stance", f"{BASE}code/supportive", "supportive", "said")
        yield CandidateLink(PEV + "stanceTowards", theme.iri, theme.label, "said")
    asked = [name.strip() for name in row.cells.get("directed_to", "").split(";") if name.strip()]
    deadline = _date(row, "deadline", path)
    for column, given in (("directed_to", asked), ("deadline", deadline)):
        if given and kind is not Kind.RECOMMENDATION:
            raise row.wrong(column, f"is only for a recommendation, and the kind is {kind}.", path)
    for name in asked:
        body = known.body(name)
        yield CandidateLink(
            PEV + "directedTo",
            body.iri if body else f"{BASE}id/agent/{slug(name)[:60]}",
            body.label if body else name,
            "said",
        )
    if deadline:
        if len(deadline) != 10:
            raise row.wrong("deadline", f"{deadline!r} is no day such as 2025-12-31.", path)
        yield CandidateLink(PEV + "deadline", deadline, deadline, "said")


def _theme(row: Row, known: Known, path: Path) -> Thing:
    told = row.cells["theme"]
    wanted = folded(told.removeprefix("theme:").replace("-", " ") if told.startswith("theme:") else told)
    for theme in known.themes:
        if wanted in map(folded, theme.names) or theme.iri == f"{BASE}theme/{told.removeprefix('theme:')}":
            return theme
    from rapidfuzz import process

    near = process.extractOne(told, [theme.label for theme in known.themes])
    raise row.wrong(
        "theme", f"{told!r} is no theme of the graph{f'; did you mean {near[0]!r}?' if near else '.'}", path
    )


def _date(row: Row, column: str, path: Path) -> str | None:
    told = row.cells.get(column, "")
    found = iso_date(told) if told else None
    if told and found is None:
        raise row.wrong(column, f"{told!r} is no date such as 2024-03-12.", path)
    return found


def _page(row: Row, path: Path) -> int | None:
    told = row.cells.get("page", "")
    if told and not re.fullmatch(r"[1-9]\d{0,5}", told):
        raise row.wrong("page", f"{told!r} is no page number.", path)
    return int(told) if told else None
