"""What is known about a document: title, publisher, authors, date, language, series; each with where it was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

from kg.ingest.blocks import Block, BlockKind, Document, Found
from kg.ingest.normal import view

_MONTHS = {name: number for number, names in enumerate((
    "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
    "september sep sept", "october oct", "november nov", "december dec"), start=1) for name in names.split()}  # fmt: skip
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_DATES = (
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<month>{_MONTH})\s+(?P<year>(?:19|20)\d\d)\b", re.IGNORECASE
    ),
    re.compile(
        rf"\b(?P<month>{_MONTH})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>(?:19|20)\d\d)\b", re.IGNORECASE
    ),
    re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(r"\b(?P<day>\d{1,2})[/.](?P<month>\d{1,2})[/.](?P<year>(?:19|20)\d\d)\b"),
    re.compile(rf"\b(?P<month>{_MONTH})\s+(?P<year>(?:19|20)\d\d)\b", re.IGNORECASE),
)
_DATE_LABEL = re.compile(
    r"^(?:date(?: of publication| published)?|published(?: on)?|publication date|issued|posted(?: on)?|updated)\s*:?\s",
    re.IGNORECASE,
)
_AUTHOR = re.compile(
    r"^(?:(?:written|authored|prepared) by|authors?|by)\s*:?\s+(?P<value>[^\n]{3,160})$", re.IGNORECASE
)
_PUBLISHER = re.compile(
    r"^(?:published|issued|produced) by\s*:?\s+(?P<value>[^\n]{3,120})$|^publisher\s*:\s*(?P<other>[^\n]{3,120})$",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(
    r"(?:©|\([cC]\)|[Cc]opyright)(?:\s*(?:©|\([cC]\)))?\s*(?P<before>(?:19|20)\d\d)?[,\s]*(?P<who>[A-Z][^,\d\n]{2,80}?(?=,|\s*(?:19|20)\d\d|\.\s|\.?$))?[,.\s]*(?P<after>(?:19|20)\d\d)?"
)
_SERIES = re.compile(
    r"^(?:(?P<label>series)\s*:\s*(?P<value>.{3,100})|(?P<whole>.{0,60}\b(?:working|discussion|briefing|research|policy|occasional) papers?\s+(?:no\.?\s*)?\d+.{0,40}))$",
    re.IGNORECASE,
)
_COMMON = {
    "en": "the of and to in that is for it as with are be this by",
    "de": "der die und das ist nicht mit den auf für von ein eine zu",
    "fr": "le la les des et est une dans pour que qui sur par pas",
    "es": "el la los las que del una por con para como más este",
    "it": "il di che la per una del con sono della gli alla nel",
    "nl": "de het een van en niet met voor zijn dat op aan",
    "sv": "och att det som en på är av för med den till",
}  # fmt: skip


def properties_of(document: Document) -> dict[str, Found]:
    """Returns the properties of a document: those its file declares, and where it is silent those its text shows."""
    found = dict(document.properties)
    created = found.pop("created", None)
    head, tail = _ends(document)
    for name, look in _LOOKS.items():
        if name not in found and (value := look(document, head, tail)) is not None:
            found[name] = value
    if "date" in found:
        found["date"] = Found(_iso(found["date"].value) or found["date"].value, found["date"].where)
    elif created is not None:
        found["date"] = created
    return {name: found[name] for name in sorted(found)}


# A line under a title may name body, series and date, one after the other.
_PARTS = re.compile(r"\s[-–—|·•]\s|[.;]\s|,\s(?=[A-Z\d])")


def _ends(document: Document) -> tuple[list[Block], list[Block]]:
    blocks = [b for b in document.blocks if b.kind not in (BlockKind.TABLE_CELL, BlockKind.FOOTNOTE)]
    return blocks[:12], blocks[-8:]


def _words(document: Document, block: Block) -> str:
    return view(document.text, block.start, block.end).text


def _at(value: str, block: Block) -> Found:
    page = f"page {block.page}, " if block.page else ""
    return Found(value, f"{page}text {block.start} to {block.end}")


def _lines(document: Document, blocks: list[Block]) -> Iterator[tuple[Block, str]]:
    for block in blocks:
        for line in document.text[block.start : block.end].split("\n"):
            yield block, view(line).text


def _title(document: Document, head: list[Block], tail: list[Block]) -> Found | None:
    del tail
    for block in head:
        words = _words(document, block)
        if block.kind is BlockKind.HEADING and 2 <= len(words.split()) <= 30 and not _day_of(words):
            return _at(words, block)
        if block.kind is BlockKind.PARAGRAPH and len(words.split()) > 25:
            return None
    return None


def _authors(document: Document, head: list[Block], tail: list[Block]) -> Found | None:
    del tail
    for block, line in _lines(document, head):
        match = _AUTHOR.match(line)
        if match and match["value"][0].isupper() and len(match["value"].split()) < 22:
            return _at(match["value"].strip(" ."), block)
    return None


def _publisher(document: Document, head: list[Block], tail: list[Block]) -> Found | None:
    for block, line in _lines(document, [*head, *tail]):
        if match := _PUBLISHER.match(line):
            return _at((match["value"] or match["other"]).strip(), block)
        match = _COPYRIGHT.search(line)
        if match and match["who"] and match["who"][0].isupper() and len(match["who"].split()) < 9:
            return _at(re.sub(r"\s+(?:all )?rights reserved.*", "", match["who"].strip(), flags=re.IGNORECASE), block)
    return None


def _date(document: Document, head: list[Block], tail: list[Block]) -> Found | None:
    for block, line in _lines(document, [*head, *tail]):
        if _DATE_LABEL.match(line) and (day := _day_of(line)):
            return _at(day, block)
    for block, line in _lines(document, head):
        # A line of its own, or a reference; a date within a sentence is that of an event.
        parts = _PARTS.split(line) if len(line.split()) <= 20 else []
        short = next((part for part in [line, *parts] if len(part.split()) <= 8 and _day_of(part)), None)
        if short is not None and (day := _day_of(short)):
            return _at(day, block)
    for block, line in _lines(document, tail):
        match = _COPYRIGHT.search(line)
        if match and (match["before"] or match["after"]):
            return _at(match["before"] or match["after"], block)
    return None


def _language(document: Document, head: list[Block], tail: list[Block]) -> Found | None:
    del head, tail
    words = re.findall(r"[^\W\d_]+", document.text[:20_000].lower())
    scores = {
        code: sum(word in common for word in words)
        for code, common in ((c, set(w.split())) for c, w in _COMMON.items())
    }
    best = max(scores, key=lambda code: (scores[code], code == "en"))
    return Found(best, "most common words") if scores[best] * 20 >= len(words) > 0 else None


def _series(document: Document, head: list[Block], tail: list[Block]) -> Found | None:
    for block, line in _lines(document, [*head, *tail]):
        if match := _SERIES.match(line):
            return _at((match["value"] or match["whole"]).strip(), block)
    return None


_LOOKS: dict[str, Callable[[Document, list[Block], list[Block]], Found | None]] = {
    "title": _title,
    "authors": _authors,
    "publisher": _publisher,
    "date": _date,
    "language": _language,
    "series": _series,
}


def _iso(text: str) -> str | None:
    match = re.match(r"(?:19|20)\d\d(-\d\d(-\d\d)?)?$", text)
    return text if match else _day_of(text) or (text[:10] if re.match(r"\d{4}-\d\d-\d\dT", text) else None)


def _day_of(text: str) -> str | None:
    """Returns the first date in a text, as YYYY-MM-DD or YYYY-MM.

    >>> _day_of("Published: 17/06/2018"), _day_of("in May 2020"), _day_of("31.31.2020")
    ('2018-06-17', '2020-05', None)
    """
    for pattern in _DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            month = _MONTHS.get(parts["month"].lower().rstrip("."), 0) or (
                int(parts["month"]) if parts["month"].isdigit() else 0
            )
            try:
                day = date(int(parts["year"]), month, int(parts.get("day") or 1))
            except ValueError:
                continue
            return day.isoformat() if parts.get("day") else day.isoformat()[:7]
    return None


def iso_date(text: str) -> str | None:
    """Returns a date as YYYY-MM-DD, YYYY-MM or YYYY, None when there is none in the text."""
    return _iso(text.strip())
