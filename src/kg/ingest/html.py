"""HTML, also as a browser saves it: blocks by element, furniture by element, name and links."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from lxml import etree, html

from kg.errors import DataError
from kg.ingest.blocks import Block, BlockKind, Composer, Found

PARSER = "lxml"
VERSION = etree.__version__

_SILENT = {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "select", "button",
           "input", "textarea", "head", "audio", "video"}  # fmt: skip
_FURNITURE = {"nav", "header", "footer", "form", "dialog", "menu"}
_FURNITURE_NAMES = re.compile(
    r"(^|[-_ ])(nav|navbar|menu|breadcrumbs?|cookies?|consent|banner|share|sharing|social|related|sidebar|footer|"
    r"header|masthead|skip|pagination|subscribe|newsletter-signup|comments?|promo|advert|ads?|toolbar)([-_ ]|$)"
)
_BOX_NAMES = re.compile(
    r"(^|[-_ ])(box|panel|callout|boxout|pull-?out|highlight|inset|card|alert|infobox|well|recommendations?)([-_ ]|$)"
)
_BLOCKS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "dt", "dd", "blockquote", "td", "th", "pre", "figcaption",
           "caption", "summary", "address", "legend"}  # fmt: skip
_BREAKING = _BLOCKS | {"div", "section", "article", "main", "aside", "ul", "ol", "dl", "table", "tbody", "thead",
                       "tfoot", "tr", "figure", "details", "fieldset", "hr", "body", "header", "footer", "nav",
                       "form"}  # fmt: skip
_FOOTNOTE_NAMES = re.compile(r"(foot|end)-?notes?", re.IGNORECASE)


def decoded(content: bytes) -> str:
    """Returns the text of an HTML file: in the encoding it declares, else UTF-8, else Windows-1252."""
    declared = re.search(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", content[:4096], re.IGNORECASE)
    names = ["utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"]
    names += [declared[1].decode("ascii")] if declared else []
    for name in [*names, "cp1252"]:
        try:
            return content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("latin-1")


def read_html(content: bytes) -> tuple[str, list[Block], dict[str, Found]]:
    """Returns the frozen text, the blocks and the properties of an HTML page.

    Raises:
        DataError: nothing in it can be read as HTML.
    """
    # A declaration of an encoding is no longer true of text that is decoded.
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", decoded(content))
    try:
        page = html.document_fromstring(text.replace("\x00", ""), parser=html.HTMLParser(remove_comments=True))
    except (etree.LxmlError, ValueError) as error:
        raise DataError(f"cannot be read as HTML: {error}.") from error
    walker = _Walker()
    body = page.find(".//body")
    walker.walk(page if body is None else body, _Place())
    return walker.composer.text, walker.composer.blocks, _properties(page, text)


class _Place:
    """What the elements above say of the text below."""

    def __init__(
        self,
        furniture: bool = False,
        boxed: bool = False,
        quote: bool = False,
        note: bool = False,
        depth: int = 0,
        ordered: list[int] | None = None,
        in_article: bool = False,
    ) -> None:
        self.furniture, self.boxed, self.quote, self.note = furniture, boxed, quote, note
        self.depth, self.ordered, self.in_article = depth, ordered, in_article

    def under(self, element: Any) -> _Place:
        tag = element.tag
        names = f"{element.get('class') or ''} {element.get('id') or ''}".lower()
        role = (element.get("role") or "").lower()
        own_header = tag == "header" and self.in_article
        furniture = (tag in _FURNITURE and not own_header) or role in {
            "navigation",
            "banner",
            "contentinfo",
            "search",
            "dialog",
        }
        named = tag not in {"body", "main", "article", "html"} and not own_header and _FURNITURE_NAMES.search(names)
        counter = [int(element.get("start") or 1)] if tag == "ol" and (element.get("start") or "1").isdigit() else None
        hidden = element.get("aria-hidden") == "true" or "hidden" in element.attrib
        return _Place(
            furniture=self.furniture or bool(furniture or named) or hidden,
            boxed=self.boxed or tag == "aside" or bool(_BOX_NAMES.search(names)),
            quote=self.quote or tag == "blockquote",
            note=self.note or bool(_FOOTNOTE_NAMES.search(names)) or role in {"doc-endnotes", "doc-footnote"},
            depth=self.depth + (tag in {"ul", "ol"}),
            ordered=counter if tag in {"ul", "ol"} else self.ordered,
            in_article=self.in_article or tag in {"main", "article"},
        )  # fmt: skip


class _Walker:
    def __init__(self) -> None:
        self.composer = Composer()
        self._tables = 0

    def walk(self, element: Any, place: _Place) -> None:
        """Adds the blocks of an element: its own running text, and the blocks inside, in order."""
        if not isinstance(element.tag, str) or element.tag in _SILENT:
            return
        inside = place.under(element)
        if element.tag == "table" and _is_data_table(element):
            self._add_table(element, inside)
            return
        if element.tag in _BLOCKS and not _has_blocks(element):
            self._add(element, inside, _words(element), _lead(element), _is_links(element))
            return
        self._mixed(element, inside)

    def _mixed(self, element: Any, place: _Place) -> None:
        """Adds an element that holds running text and blocks side by side."""
        running = [element.text or ""]
        links = 0
        for child in element:
            if isinstance(child.tag, str) and (child.tag in _BREAKING or _has_blocks(child)):
                self._add(element, place, "".join(running), 0, links > 2)
                running, links = [], 0
                self.walk(child, place)
            elif isinstance(child.tag, str) and child.tag not in _SILENT:
                running.append("\n\n" if child.tag == "br" else _words(child))
                links += child.tag == "a"
            running.append(child.tail or "")
        self._add(element, place, "".join(running), 0, links > 2)

    def _add(self, element: Any, place: _Place, text: str, lead: int, links: bool) -> None:
        for part in re.split(r"\n\s*\n", text):
            words = " ".join(part.split())
            block = _block(element.tag, place, words)
            kind = BlockKind.FURNITURE if place.furniture or links else block.kind
            if block.kind is BlockKind.LIST_ITEM and place.ordered and element.tag == "li" and words:
                block = replace(block, number=str(place.ordered[0]))
                place.ordered[0] += 1
            self.composer.add(words, replace(block, kind=kind, lead=lead, boxed=place.boxed))
            lead = 0

    def _add_table(self, table: Any, place: _Place) -> None:
        rows = list(table.iter("tr"))
        headers = [" ".join(_words(cell).split()) for cell in rows[0] if cell.tag in ("td", "th")] if rows else []
        for caption in table.iter("caption"):
            self.walk(caption, place)
        kind = BlockKind.FURNITURE if place.furniture else BlockKind.TABLE_CELL
        for number, row in enumerate(rows):
            cells = [cell for cell in row if cell.tag in ("td", "th")]
            for column, cell in enumerate(cells):
                header = headers[column] if column < len(headers) else None
                block = Block(kind, 0, 0, column=header, table=self._tables, row=number)
                self.composer.add(" ".join(_words(cell).split()), block)
        self._tables += 1


def _block(tag: str, place: _Place, words: str) -> Block:
    if place.note:
        return Block(BlockKind.FOOTNOTE, 0, 0)
    if re.fullmatch(r"h[1-6]", tag):
        return Block(BlockKind.HEADING, 0, 0, level=int(tag[1]), number=_number(words))
    if tag in ("dt", "summary", "legend", "caption"):
        return Block(BlockKind.HEADING, 0, 0, level=6)
    if tag == "li":
        return Block(BlockKind.LIST_ITEM, 0, 0, level=max(1, place.depth))
    return Block(BlockKind.QUOTE if place.quote else BlockKind.PARAGRAPH, 0, 0)


def _number(words: str) -> str | None:
    match = re.match(r"(\d+(?:\.\d+)*)[.)]?\s", words)
    return match[1] if match else None


def _has_blocks(element: Any) -> bool:
    return any(isinstance(inner.tag, str) and inner.tag in _BREAKING for inner in element.iterdescendants())


def _is_data_table(table: Any) -> bool:
    """Tells a table of facts from one that only lays out a page."""
    rows = list(table.iter("tr"))
    nested = any(inner is not table for inner in table.iter("table"))
    return not nested and len(rows) > 1 and max((len(row) for row in rows), default=0) > 1


def _words(element: Any) -> str:
    """Returns the text in an element, with a space or a line for what breaks it."""
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _SILENT:
            gap = (
                "\n\n"
                if child.tag == "br" and element.tag not in ("td", "th", "li")
                else " "
                if child.tag in _BREAKING | {"br"}
                else ""
            )
            note = child.tag == "sup" and re.fullmatch(r"\s*\[?\d{1,3}\]?\s*", _words(child))
            parts += [gap, "" if note else _words(child), gap if gap == " " else ""]
        parts.append(child.tail or "")
    return "".join(parts)


def _lead(element: Any) -> int:
    """Returns how many characters at the start of an element are bold."""
    first = next(iter(element), None)
    if first is None or (element.text or "").strip() or first.tag not in ("strong", "b"):
        return 0
    return len(" ".join(_words(first).split()))


def _is_links(element: Any) -> bool:
    """Tells whether an element is little else than links, as in a menu."""
    linked = sum(len(_words(link)) for link in element.iter("a"))
    count = sum(1 for _ in element.iter("a"))
    return (
        linked > 0
        and linked >= 0.9 * len(_words(element).strip())
        and (count > 1 or linked < 40)
        and element.tag != "td"
    )


_META = {
    "title": ("citation_title", "dc.title", "dcterms.title", "og:title", "twitter:title"),
    "authors": ("citation_author", "dc.creator", "dcterms.creator", "author", "article:author"),
    "publisher": ("citation_publisher", "dc.publisher", "dcterms.publisher", "og:site_name"),
    "date": (
        "citation_publication_date",
        "dc.date",
        "dcterms.issued",
        "dcterms.date",
        "article:published_time",
        "date",
    ),
    "series": ("citation_journal_title", "citation_series_title", "dcterms.ispartof"),
}


def _properties(page: Any, text: str) -> dict[str, Found]:
    found: dict[str, Found] = {}
    metas: dict[str, str] = {}
    for meta in page.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").lower()
        if name and (meta.get("content") or "").strip():
            metas.setdefault(name, " ".join(meta.get("content").split()))
    for name, keys in _META.items():
        key = next((key for key in keys if key in metas), None)
        if key:
            found[name] = Found(metas[key], f"meta {key}")
    language = page.get("lang") or page.get("xml:lang")
    if language:
        found["language"] = Found(language.split("-")[0].lower(), "attribute lang")
    title = page.findtext(".//title")
    if "title" not in found and title and title.strip():
        found["title"] = Found(re.split(r"\s+[|–—-]\s+(?=[^|–—-]*$)", " ".join(title.split()))[0], "element title")
    return {**_from_trafilatura(text, found), **found}


def _from_trafilatura(text: str, known: dict[str, Found]) -> dict[str, Found]:
    """Returns what trafilatura finds of date, author and publisher beyond the page's own declarations."""
    if {"date", "authors", "publisher"} <= set(known):
        return {}
    from trafilatura.metadata import extract_metadata

    document = extract_metadata(text)
    if document is None:
        return {}
    # Its date may be any that stands in the text: one that a line under the title tells comes first.
    names = {"created": document.date, "authors": document.author, "publisher": document.sitename}
    return {name: Found(value, "trafilatura") for name, value in names.items() if value and name not in known}
