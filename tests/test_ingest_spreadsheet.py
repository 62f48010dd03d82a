"""A table with a row an item comes in as it stands; what is wrong in it is told by sheet, row and column."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from pyoxigraph import Literal

from kg.errors import DataError
from kg.ingest.intake import Intake
from kg.ingest.known import Known, read_known
from kg.ingest.pipeline import ingest_table
from kg.ingest.record import named, quads_of
from kg.ingest.spreadsheet import COLUMNS, EXAMPLE, template_csv, template_xlsx
from kg.names import PEV
from kg.release.opened import Release
from kg.workspace import Workspace

MOST = 10**7
NAMES = [column.name for column in COLUMNS]


@pytest.fixture(scope="module")
def known(release: Release) -> Known:
    return read_known(release.source, release.library)


def table(path: Path, *rows: dict[str, str]) -> Path:
    """Writes a table: the example, changed in each row as told."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, NAMES)
    writer.writeheader()
    for row in rows:
        writer.writerow({**dict(zip(NAMES, EXAMPLE, strict=True)), **row})
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "content"), [("t.csv", template_csv), ("t.xlsx", template_xlsx)])
def test_the_template_is_read_as_it_is_written(tmp_path: Path, known: Known, name: str, content: object) -> None:
    assert callable(content)
    (tmp_path / name).write_bytes(content())

    (ingested,) = ingest_table(tmp_path / name, known, MOST)
    (candidate,) = ingested.candidates

    assert ingested.document.text[candidate.start : candidate.end] == EXAMPLE[4]
    assert (candidate.label, candidate.page, candidate.decision) == (EXAMPLE[6], 4, "accepted")
    assert [(link.type.removeprefix(PEV), link.label) for link in candidate.links] == [
        ("hasTheme", "Finance"),
        ("directedTo", "District councils"),
        ("deadline", "2025-12-31"),
    ]


def test_a_table_becomes_a_sheet_for_each_document_and_keeps_the_names_given(
    tmp_path: Path, known: Known, workspace: Workspace
) -> None:
    path = table(tmp_path / "t.csv", {}, {"document": "Trams", "kind": "barrier", "directed_to": "", "deadline": ""})
    intake = Intake(tmp_path / "out", tmp_path / "library", workspace.prefixes)
    first, second = (intake.take_table(ingested).sheet for ingested in ingest_table(path, known, MOST))

    assert (first.slug, second.slug) == ("buses-for-schools", "trams")
    recorded = named(first)
    intake.take_table(ingest_table(path, known, MOST)[0])
    quads = quads_of(recorded, intake.text(first), {})
    assert Literal(EXAMPLE[7], language="en") in [quad.object for quad in quads]
    assert not any(EXAMPLE[4] in str(quad) for quad in quads)


@pytest.mark.parametrize(
    ("row", "place", "what"),
    [
        ({"kind": "Wish"}, "row 3, column kind", "is none of"),
        ({"quote": ""}, "row 3, column quote", "is empty"),
        ({"quote": "Too short"}, "row 3, column quote", "fewer than 12"),
        ({"theme": "Financ"}, "row 3, column theme", "did you mean 'Finance'?"),
        ({"label": "x" * 81}, "row 3, column label", "at most 80"),
        ({"paraphrase": "x" * 301}, "row 3, column paraphrase", "at most 300"),
        ({"page": "four"}, "row 3, column page", "no page number"),
        ({"date": "soon", "document": "Other"}, "row 3, column date", "no date"),
        ({"deadline": "2025"}, "row 3, column deadline", "no day"),
        ({"kind": "Barrier"}, "row 3, column directed_to", "only for a recommendation"),
    ],
)
def test_what_is_wrong_is_told_by_sheet_row_and_column(
    tmp_path: Path, known: Known, row: dict[str, str], place: str, what: str
) -> None:
    path = table(tmp_path / "t.csv", {}, row)

    with pytest.raises(DataError) as raised:
        ingest_table(path, known, MOST)

    assert f"sheet t, {place}: " in str(raised.value) and what in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("t.csv", b"document,kind\nA,B\n", "the column 'publisher' is missing"),
        ("t.csv", template_csv().replace(b"page", b"colour", 1), "column colour: is none of"),
        ("t.csv", template_csv().split(b"\n")[0], "has no rows"),
        ("t.csv", b"\xff\xfe", "is not UTF-8"),
        ("t.xlsx", b"PK\x03\x04junk", "damaged archive"),
        ("t.csv", b"", "the column 'document' is missing"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, known: Known, name: str, content: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError) as raised:
        ingest_table(tmp_path / name, known, MOST)

    assert what in str(raised.value)


def test_semicolons_and_a_byte_order_mark_are_read_as_spreadsheets_write_them(tmp_path: Path, known: Known) -> None:
    text = template_csv().decode()
    rows = list(csv.reader(io.StringIO(text)))
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=";").writerows(rows)
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + written.getvalue().encode())

    (ingested,) = ingest_table(tmp_path / "t.csv", known, MOST)

    assert ingested.candidates[0].label == EXAMPLE[6]
