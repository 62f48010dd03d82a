"""PDF: letters with their places become lines, columns, tables and blocks.

pdfium gives each letter with its box and font. Everything else is worked out here: what is a
line, in which order columns are read, what a ruled table holds, what recurs on every page.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from kg.errors import DataError
from kg.ingest.blocks import Block, BlockKind, Composer, Found
from kg.ingest.labels import label_of, role_of
from kg.ingest.layout import Box, Rulings, Segment, Table, columns_in_order, lines_of, tables_of
from kg.ingest.plain import LABELLED

PARSER = "pypdfium2"

MOST_PAGES = 2_000
_ITEM = re.compile(
    r"(?P<bullet>[-•·▪●◦‣–■□o*\uf0b7\uf0a7])\s+|(?P<number>\(?(?:\d{1,3}|[a-z])[.)]|\d{1,2}(?:\.\d{1,2}){1,2}\.?)\s+"
)
# Half of a reference that a line end parts, such as "paragraphs 2.3" and "to 2.8".
_GOES_ON = re.compile(r"\d{1,2}(?:\.\d{1,2})+\s+[a-z]")
_NOTE = re.compile(r"(\[?\d{1,3}\]?|[*†‡])[.)]?\s+\S|(\d{1,3})[A-Z]")
_MARGIN = 0.09


def version() -> str:
    """Returns the version of the library that reads PDF."""
    import pypdfium2

    return str(pypdfium2.PYPDFIUM_INFO)


def read_pdf(content: bytes) -> tuple[str, list[Block], dict[str, Found], int]:
    """Returns the frozen text, the blocks, the properties and the number of pages of a PDF.

    Raises:
        DataError: it is damaged, encrypted, too long, or has no text.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise DataError("is encrypted with a password; save a copy without one and ingest that.") from error
        raise DataError(f"is a damaged PDF: {error}.") from error
    try:
        return _read(document)
    finally:
        document.close()


def _read(document: Any) -> tuple[str, list[Block], dict[str, Found], int]:
    count = len(document)
    if count > MOST_PAGES:
        raise DataError(f"has {count} pages; at most {MOST_PAGES} are read. Ingest it in parts.")
    pages = [_page(document[number], number + 1) for number in range(count)]
    letters = sum(len(segment.text) for page in pages for segment in page.segments)
    if letters < 15 * max(1, count):
        raise DataError(
            "holds pictures of pages and no text (a scan). Run text recognition first, "
            "for instance `ocrmypdf IN.pdf OUT.pdf`, and ingest what it writes."
        )
    sizes = _sizes(pages)
    furniture = _recurring(pages)
    composer = Composer()
    tables = 0
    for page in pages:
        tables += _add_page(composer, page, sizes, furniture, tables)
    return composer.text, composer.blocks, _properties(document, pages, sizes.body), count


@dataclass
class _Page:
    number: int
    width: float
    height: float
    segments: list[Segment] = field(default_factory=list)
    rulings: Rulings = field(default_factory=Rulings)

    def in_margin(self, box: Box) -> bool:
        middle = (box.top + box.bottom) / 2
        return middle > self.height * (1 - _MARGIN) or middle < self.height * _MARGIN


def _page(page: Any, number: int) -> _Page:
    width, height = page.get_size()
    textpage = page.get_textpage()
    try:
        return _Page(number, width, height, list(_segments(textpage)), _rulings(page, width, height))
    finally:
        textpage.close()
        page.close()


def _segments(textpage: Any) -> Iterator[Segment]:
    """Yields the runs of letters that stand on one line without a wide gap."""
    held: Segment | None = None
    for letter, box, bold, hyphen in _letters(textpage):
        size = max(1.0, box.top - box.bottom)
        if held is not None and not _goes_on(held, box, size):
            if held.text.strip():
                yield held
            held = None
        if held is None:
            if letter.isspace():
                continue
            held = Segment(Box(box.left, box.bottom, box.right, box.top), size)
        held.append("-" if hyphen else letter, box, bold)
        held.hyphen = hyphen
    if held is not None and held.text.strip():
        yield held


def _goes_on(held: Segment, box: Box, size: float) -> bool:
    same_line = abs(box.bottom - held.last.bottom) < 0.4 * size or (
        held.last.bottom - 1 <= box.bottom and box.top <= held.last.top + 1
    )
    gap = box.left - held.last.right
    return not held.hyphen and same_line and -0.6 * size < gap < 1.1 * size


def _letters(textpage: Any) -> Iterator[tuple[str, Box, bool, bool]]:
    import pypdfium2.raw as raw

    box = raw.FS_RECTF()
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    before, bold = None, False
    for at in range(textpage.count_chars()):
        code = raw.FPDFText_GetUnicode(textpage, at)
        hyphen = code in (2, 0xFFFE) or raw.FPDFText_IsHyphen(textpage, at) == 1
        if not hyphen and (code < 32 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF):
            continue
        if not raw.FPDFText_GetLooseCharBox(textpage, at, box):
            continue
        inside = raw.FPDFText_GetTextObject(textpage, at)
        address = ctypes.cast(inside, ctypes.c_void_p).value
        if address != before:
            raw.FPDFText_GetFontInfo(textpage, at, name, 128, flags)
            bold = (
                b"bold" in name.value.lower()
                or b"black" in name.value.lower()
                or raw.FPDFText_GetFontWeight(textpage, at) >= 600
            )
            before = address
        yield chr(code), Box(box.left, box.bottom, box.right, box.top), bold, hyphen


def _rulings(page: Any, width: float, height: float) -> Rulings:
    import pypdfium2.raw as raw

    rulings = Rulings()
    for count, drawn in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3)):
        if count > 5_000:
            break
        left, bottom, right, top = drawn.get_bounds()
        rulings.add(Box(left, bottom, right, top), width, height)
    return rulings


@dataclass(frozen=True)
class _Sizes:
    """The sizes of type: that of running text, and the larger ones of headings, the largest first."""

    body: float
    headings: tuple[float, ...]

    def level(self, size: float) -> int:
        """Returns the level of a heading: 1 is a title's; what is only bold comes after all that are larger."""
        return 1 if size > 1.6 * self.body else 2 + sum(size < 0.95 * known for known in self.headings)


def _sizes(pages: list[_Page]) -> _Sizes:
    counts: Counter[float] = Counter()
    for page in pages:
        for segment in page.segments:
            counts[round(segment.size * 2) / 2] += len(segment.text)
    body = counts.most_common(1)[0][0] if counts else 12.0
    headings: list[float] = []
    for size in sorted((size for size in counts if 1.12 * body < size <= 1.6 * body), reverse=True):
        if not headings or size < 0.95 * headings[-1]:
            headings.append(size)
    return _Sizes(body, tuple(headings))


def _shape(text: str) -> str:
    return re.sub(r"\d+", "#", " ".join(text.split())).lower()


def _recurring(pages: list[_Page]) -> set[str]:
    """Returns the shapes of what stands in the margin of several pages: running heads, page numbers."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_shape(s.text) for s in page.segments if page.in_margin(s.box)})
    return {shape for shape, count in seen.items() if count >= 3 or (count >= 2 and len(pages) <= 4)} | {
        "#",
        "page #",
        "page # of #",
    }


def _add_page(composer: Composer, page: _Page, sizes: _Sizes, furniture: set[str], first_table: int) -> int:
    """Adds the blocks of a page in reading order, and returns how many tables it has."""
    # A title in large type may be what the running head repeats.
    running = [
        s for s in page.segments if page.in_margin(s.box) and _shape(s.text) in furniture and s.size < 1.4 * sizes.body
    ]
    aside = {id(s) for s in running}
    rest = [s for s in page.segments if id(s) not in aside]
    tables = tables_of(rest, page.rulings, _is_label)
    in_tables = {id(s) for table in tables for s in table.segments}
    flows = columns_in_order([s for s in rest if id(s) not in in_tables], tables)
    number = first_table
    for flow in flows:
        if isinstance(flow, Table):
            _add_table(composer, flow, page.number, number)
            number += 1
        else:
            _add_flow(composer, flow, page, sizes)
    for segment in running:
        composer.add(segment.text, Block(BlockKind.FURNITURE, 0, 0, page=page.number))
    return number - first_table


def _is_label(text: str) -> bool:
    return len(text.split()) <= 4 and (label_of(text) is not None or role_of(text) is not None)


def _add_table(composer: Composer, table: Table, page: int, number: int) -> None:
    headers = [_joined(lines_of(cell)) for cell in table.rows[0]]
    for row, cells in enumerate(table.rows):
        for column, cell in enumerate(cells):
            header = " ".join(headers[column].split()) if column < len(headers) else None
            block = Block(BlockKind.TABLE_CELL, 0, 0, page=page, column=header, table=number, row=row)
            composer.add(_joined(lines_of(cell)), block)


def _joined(lines: list[Segment]) -> str:
    return "\n".join(" ".join(line.text.split()) for line in lines)


def _add_flow(composer: Composer, segments: list[Segment], page: _Page, sizes: _Sizes) -> None:
    lines = lines_of(segments)
    right = max((line.box.right for line in lines), default=0.0)
    held: list[Segment] = []
    for line in lines:
        if held and _starts(held, line, right, page):
            _add_paragraph(composer, held, page, sizes)
            held = []
        held.append(line)
    if held:
        _add_paragraph(composer, held, page, sizes)


def _starts(held: list[Segment], line: Segment, right: float, page: _Page) -> bool:
    """Tells whether a line starts a paragraph of its own."""
    last = held[-1]
    gap = last.box.bottom - line.box.top
    usual = held[-2].box.bottom - last.box.top if len(held) > 1 else 0.25 * line.size
    apart = gap > max(usual, 0.0) + 0.35 * line.size or gap < -1.5 * line.size
    differs = abs(line.size - last.size) > 0.08 * last.size or (
        line.all_bold != last.all_bold and (last.all_bold or line.all_bold) and not _is_lead(held, line)
    )
    short = last.box.right < right - 0.18 * (right - last.box.left) and re.search(r"[.!?:]['”’)]?\s*$", last.text)
    boxes = page.rulings.box_around(last.box) != page.rulings.box_around(line.box)
    full = last.box.right > right - 0.15 * (right - last.box.left)
    marked = line.hanging or (_ITEM.match(line.text) and not (full and _GOES_ON.match(line.text)))
    return bool(LABELLED.match(line.text) or apart or differs or short or boxes or marked)


def _is_lead(held: list[Segment], line: Segment) -> bool:
    """Tells whether bold lines are the start of a paragraph that goes on in plain type."""
    text = " ".join(part.text for part in held)
    return held[-1].all_bold and not line.all_bold and len(text.split()) > 6 and line.text[:1].islower()


def _add_paragraph(composer: Composer, lines: list[Segment], page: _Page, sizes: _Sizes) -> None:
    text, body = _joined(lines), sizes.body
    boxed = page.rulings.box_around(lines[0].box) is not None
    item = _item(text, lines[0].hanging)
    first = _item(lines[0].text, lines[0].hanging)
    lead = _lead(lines, first.end() if first else 0)
    block = Block(BlockKind.PARAGRAPH, 0, 0, page=page.number, lead=lead, boxed=boxed)
    large = lines[0].size > 1.12 * body
    bold = all(line.all_bold for line in lines)
    words = len(text.split())
    if (large or bold) and words <= 25 and not (text.rstrip().endswith(".") and words > 4):
        level = sizes.level(lines[0].size)
        composer.add(text, replace(block, kind=BlockKind.HEADING, level=level, number=_number(item), lead=0))
    elif lines[0].size < 0.9 * body and lines[0].box.top < 0.4 * page.height and _NOTE.match(text):
        composer.add(text, replace(block, kind=BlockKind.FOOTNOTE, lead=0))
    elif item:
        composer.add(text[item.end() :], replace(block, kind=BlockKind.LIST_ITEM, number=_number(item), level=1))
    else:
        composer.add(text, block)


def _item(text: str, hanging: int) -> re.Match[str] | None:
    """Returns the mark or the hanging number at the start of a list item."""
    return _ITEM.match(text) or (re.compile(rf"(?P<number>.{{{hanging}}})\s+").match(text) if hanging else None)


def _number(item: re.Match[str] | None) -> str | None:
    number = item["number"] if item else None
    return number.strip("().") if number else None


def _lead(lines: list[Segment], start: int) -> int:
    """Returns how many characters are bold at the start of a paragraph, after its mark."""
    length, at = 0, start
    for line in lines:
        bold = line.bold_to(at)
        length += bold - at
        if bold < len(line.text.strip()):
            break
        length, at = length + 1, 0
    return length


def _properties(document: Any, pages: list[_Page], body: float) -> dict[str, Found]:
    told = document.get_metadata_dict(skip_empty=True)
    found: dict[str, Found] = {}
    title = told.get("Title", "").strip()
    if title and not re.search(
        r"\.(docx?|indd|pdf|qxd)\b|^(microsoft word|untitled|document\d*$)", title, re.IGNORECASE
    ):
        found["title"] = Found(" ".join(title.split()), "PDF property Title")
    elif pages and (largest := _largest(pages[0], body)):
        found["title"] = Found(largest, "largest type on page 1")
    if told.get("Author", "").strip():
        found["authors"] = Found(told["Author"].strip(), "PDF property Author")
    date = re.match(r"D:(\d{4})(\d{2})(\d{2})", told.get("CreationDate", ""))
    if date:
        found["created"] = Found("-".join(date.groups()), "PDF property CreationDate")
    return found


def _largest(page: _Page, body: float) -> str | None:
    size = max((s.size for s in page.segments), default=0.0)
    if size < 1.15 * body:
        return None
    lines = lines_of([s for s in page.segments if s.size > 0.95 * size])
    title = " ".join(" ".join(line.text.split()) for line in lines)
    return title if 0 < len(title.split()) <= 30 else None
