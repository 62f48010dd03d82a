"""DOCX: paragraphs by style, tables, single-cell tables and text boxes as boxes, notes."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from kg.errors import DataError
from kg.ingest.blocks import Block, BlockKind, Composer, Found

PARSER = "python-docx"

_MOST_BYTES = 256 * 1024 * 1024
_MOST_MEMBERS = 5_000
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING_STYLE = re.compile(r"heading (\d)", re.IGNORECASE)


def refuse_bomb(content: bytes) -> None:
    """Refuses an archive that unpacks to more than can be held.

    Raises:
        DataError: it would, or it is no archive, or it is encrypted.
    """
    try:
        members = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DataError(f"is a damaged archive: {error}.") from error
    size = sum(member.file_size for member in members)
    if size > _MOST_BYTES or len(members) > _MOST_MEMBERS:
        raise DataError(
            f"unpacks to {size} bytes in {len(members)} parts; at most {_MOST_BYTES} in {_MOST_MEMBERS} are read."
        )
    if any(member.flag_bits & 1 for member in members):
        raise DataError("is encrypted; save it without a password.")
    if any(
        member.file_size > 1_000_000 and member.file_size > 200 * max(1, member.compress_size) for member in members
    ):
        raise DataError("is packed over 200 to 1, as an attack is; save it again from a word processor.")


def version() -> str:
    """Returns the version of the library that reads DOCX."""
    import docx

    return str(docx.__version__)


def read_docx(content: bytes) -> tuple[str, list[Block], dict[str, Found]]:
    """Returns the frozen text, the blocks and the properties of a DOCX file.

    Raises:
        DataError: it is damaged, encrypted, too large when unpacked, or no DOCX.
    """
    import docx

    refuse_bomb(content)
    try:
        document = docx.Document(io.BytesIO(content))
    except Exception as error:  # the library raises whatever its parts raise on damaged files
        raise DataError(f"cannot be read as DOCX: {error}.") from error
    walker = _Walker()
    for section in document.sections[:1]:
        walker.furniture(section.header.paragraphs)
    for part in document.iter_inner_content():
        walker.add(part)
    walker.notes(document)
    for section in document.sections[:1]:
        walker.furniture(section.footer.paragraphs)
    return walker.composer.text, walker.composer.blocks, _properties(document)


class _Walker:
    def __init__(self) -> None:
        self.composer = Composer()
        self._tables = 0
        self._counters: dict[tuple[str, int], int] = {}

    def add(self, part: Any, boxed: bool = False) -> None:
        """Adds a paragraph or a table."""
        if hasattr(part, "rows"):
            self._table(part)
        else:
            self._paragraph(part, boxed)

    def furniture(self, paragraphs: list[Any]) -> None:
        for paragraph in paragraphs:
            self.composer.add(paragraph.text, Block(BlockKind.FURNITURE, 0, 0))

    def notes(self, document: Any) -> None:
        """Adds the footnotes, which the library does not show."""
        from lxml import etree

        for relation in document.part.rels.values():
            if relation.reltype.endswith("/footnotes") and not relation.is_external:
                parser = etree.XMLParser(resolve_entities=False, no_network=True)
                for note in etree.fromstring(relation.target_part.blob, parser).iter(_W + "footnote"):
                    words = "".join(run.text or "" for run in note.iter(_W + "t"))
                    self.composer.add(words, Block(BlockKind.FOOTNOTE, 0, 0))

    def _paragraph(self, paragraph: Any, boxed: bool) -> None:
        from docx.text.paragraph import Paragraph

        for box in paragraph._p.iter(_W + "txbxContent"):
            for inner in box.iter(_W + "p"):
                self._paragraph(Paragraph(inner, paragraph._parent), boxed=True)
        if boxed or not any(True for _ in paragraph._p.iterancestors(_W + "txbxContent")):
            self.composer.add(paragraph.text, self._block(paragraph, boxed))

    def _block(self, paragraph: Any, boxed: bool) -> Block:
        style = (paragraph.style.name or "") if paragraph.style is not None else ""
        heading = _HEADING_STYLE.match(style)
        if heading or style.lower() in ("title", "subtitle"):
            return Block(BlockKind.HEADING, 0, 0, level=int(heading[1]) if heading else 1, boxed=boxed)
        lead = _lead(paragraph)
        numbering = paragraph._p.find(f"{_W}pPr/{_W}numPr")
        if numbering is not None or style.lower().startswith("list"):
            level = int(_value(numbering, "ilvl") or 0)
            number = self._number(style, _value(numbering, "numId"), level)
            return Block(BlockKind.LIST_ITEM, 0, 0, level=level + 1, number=number, lead=lead, boxed=boxed)
        if "quote" in style.lower():
            return Block(BlockKind.QUOTE, 0, 0, lead=lead, boxed=boxed)
        if (
            lead >= len(paragraph.text.strip()) > 0
            and len(paragraph.text.split()) < 12
            and not paragraph.text.rstrip().endswith(".")
        ):
            return Block(BlockKind.HEADING, 0, 0, level=5, boxed=boxed)
        return Block(BlockKind.PARAGRAPH, 0, 0, lead=lead, boxed=boxed)

    def _number(self, style: str, numbering: str | None, level: int) -> str | None:
        if "bullet" in style.lower() or ("number" not in style.lower() and numbering is None):
            return None
        key = (numbering or style, level)
        self._counters[key] = self._counters.get(key, 0) + 1
        return str(self._counters[key])

    def _table(self, table: Any) -> None:
        rows = [list(row.cells) for row in table.rows]
        if len(rows) == 1 and len({id(cell._tc) for cell in rows[0]}) == 1:
            for part in rows[0][0].iter_inner_content():
                self.add(part, boxed=True)
            return
        headers = [" ".join(cell.text.split()) for cell in rows[0]] if rows else []
        for number, row in enumerate(rows):
            seen: set[Any] = set()
            for column, cell in enumerate(row):
                # A merged cell is listed once for each cell that it covers.
                if cell._tc not in seen:
                    header = headers[column] if column < len(headers) else None
                    self.composer.add(
                        cell.text, Block(BlockKind.TABLE_CELL, 0, 0, column=header, table=self._tables, row=number)
                    )
                seen.add(cell._tc)
        self._tables += 1


def _value(numbering: Any, name: str) -> str | None:
    child = None if numbering is None else numbering.find(_W + name)
    return None if child is None else str(child.get(_W + "val"))


def _lead(paragraph: Any) -> int:
    length = 0
    for run in paragraph.runs:
        if run.text.strip() and not run.bold:
            break
        length += len(run.text)
    return len(paragraph.text[:length].strip())


def _properties(document: Any) -> dict[str, Found]:
    core = document.core_properties
    found = {}
    for name, value in (("title", core.title), ("authors", core.author), ("language", core.language)):
        if value and value.strip() and value != "python-docx":
            found[name] = Found(value.strip(), f"DOCX property {name}")
    return found
