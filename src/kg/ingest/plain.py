"""Plain text and Markdown: the file itself is the frozen text, and the blocks are ranges of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kg.ingest.blocks import Block, BlockKind

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*$")
_ITEM = re.compile(
    r"(?P<indent>[ \t]*)(?:(?P<bullet>[-*+•·▪●◦‣–—o])|(?P<number>\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)]|\d{1,2}(?:\.\d{1,2}){1,2}\.?))[^\S\n]+(?=\S)"
)
_QUOTE = re.compile(r"[ \t]*>[ \t]?")
_RULE = re.compile(r"[ \t]*([-*_=][ \t]*){3,}$")
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(\|[ \t]*:?-{2,}:?[ \t]*)*\|?[ \t]*$")
_SENTENCE_END = re.compile(r"[.!?:;,”\"’')\]]\s*$")
LABELLED = re.compile(
    r"(author|by|written by|published|publisher|date|issued|updated|posted|contact|tel|email|source)\b[^:]{0,20}:",
    re.IGNORECASE,
)
_FURNITURE = re.compile(
    r"(share( this| on)?|you (might|may) also like|we thought you might|related (articles|content|posts)|read more|"
    r"click (here|to)|highlight any text|skip to|print this|download( the)? (pdf|report)|follow us|sign up|subscribe|"
    r"cookies?|all rights reserved|page \d+( of \d+)?|take part in our latest)\b.{0,60}",
    re.IGNORECASE,
)
_MOST_HEADING_WORDS = 14


@dataclass(frozen=True)
class _Line:
    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def blank(self) -> bool:
        return not self.text.strip()


def blocks_of_plain(text: str, markdown: bool) -> list[Block]:
    """Returns the blocks of a text whose structure is in its lines."""
    found: list[Block] = []
    for paragraph in _paragraphs(list(_lines(text)), markdown):
        found += _blocks_of(paragraph, found, markdown)
    return found


def _lines(text: str) -> Iterator[_Line]:
    at = 0
    for line in text.split("\n"):
        yield _Line(at, line)
        at += len(line) + 1


def _paragraphs(lines: list[_Line], markdown: bool) -> Iterator[list[_Line]]:
    """Yields the lines that belong together: up to a blank line, an item, a heading."""
    held: list[_Line] = []
    # Where lines are not wrapped, each is a paragraph of its own.
    wrapped = markdown or _is_wrapped(lines)
    for line in lines:
        starts = line.blank or _ITEM.match(line.text) or _HEADING.match(line.text) or not wrapped
        if held and starts and not _is_table(held, line):
            yield held
            held = []
        if not line.blank:
            held.append(line)
        if held and markdown and _HEADING.match(held[0].text):
            yield held
            held = []
    if held:
        yield held


def _is_table(held: list[_Line], line: _Line) -> bool:
    return not line.blank and "|" in line.text and "|" in held[-1].text and held[-1].text.lstrip().startswith("|")


def _is_wrapped(lines: list[_Line]) -> bool:
    """Tells whether a text is broken into short lines, as mail and old reports are.

    Lines of one length, most of which go on in lower case or do not end a sentence, are wrapped.
    """
    pairs = [(a, b) for a, b in itertools.pairwise(lines) if not a.blank and not b.blank]
    if not pairs:
        return False
    going_on = sum(not _SENTENCE_END.search(a.text) and len(a.text) > 40 for a, b in pairs)
    return going_on * 2 > len(pairs) and max(len(line.text) for line in lines) < 160


def _blocks_of(lines: list[_Line], before: list[Block], markdown: bool) -> list[Block]:
    first = lines[0]
    if markdown and (match := _HEADING.match(first.text)):
        return [
            _block(BlockKind.HEADING, first.start + match.start(2), first.start + match.end(2), level=len(match[1]))
        ]
    if markdown and _RULE.match(first.text) and len(lines) == 1:
        return []
    if markdown and len(lines) > 1 and _TABLE_RULE.match(lines[1].text) and "|" in first.text:
        return _table(lines, len({b.table for b in before if b.table is not None}))
    if match := _ITEM.match(first.text):
        return _item(lines, match, markdown)
    if markdown and _QUOTE.match(first.text):
        return [_marked(lines, _QUOTE, BlockKind.QUOTE, markdown)]
    if len(lines) == 1 and _FURNITURE.fullmatch(first.text.strip()):
        return [_stripped(BlockKind.FURNITURE, first.start, first)]
    if len(lines) == 1 and not markdown and _is_heading(first, before):
        return [_stripped(BlockKind.HEADING, first.start, first, level=2)]
    return [_marked(lines, None, BlockKind.PARAGRAPH, markdown)]


def _item(lines: list[_Line], match: re.Match[str], markdown: bool) -> list[Block]:
    number = match["number"]
    level = 1 + len(match["indent"].expandtabs(4)) // 2
    block = _with_lead(lines[0].start + match.end(), lines[-1], markdown, lines)
    return [replace(block, kind=BlockKind.LIST_ITEM, number=(number and number.strip("().")) or None, level=level)]


def _marked(lines: list[_Line], mark: re.Pattern[str] | None, kind: BlockKind, markdown: bool) -> Block:
    match = mark.match(lines[0].text) if mark else None
    return replace(_with_lead(lines[0].start + (match.end() if match else 0), lines[-1], markdown, lines), kind=kind)


def _with_lead(start: int, last: _Line, markdown: bool, lines: list[_Line]) -> Block:
    block = _stripped(BlockKind.PARAGRAPH, start, last)
    if not markdown:
        return block
    text = "\n".join(line.text for line in lines)
    bold = _BOLD.match(text, block.start - lines[0].start)
    return replace(block, lead=bold.end() - bold.start()) if bold else block


def _stripped(kind: BlockKind, start: int, last: _Line, level: int | None = None) -> Block:
    return _block(kind, start, last.start + len(last.text.rstrip()), level)


def _block(kind: BlockKind, start: int, end: int, level: int | None = None) -> Block:
    return Block(kind, start, max(start, end), level=level)


def _is_heading(line: _Line, before: list[Block]) -> bool:
    """Tells whether a line that stands alone is a heading: short, capitalised, no sentence."""
    text = line.text.strip()
    words = text.split()
    if len(words) > _MOST_HEADING_WORDS or _SENTENCE_END.search(text) or not text[:1].isupper():
        return False
    if LABELLED.match(text):
        return False
    return not before or len(text) < 90


def _table(lines: list[_Line], table: int) -> list[Block]:
    headers = [line_text for _, _, line_text in _cells(lines[0])]
    found = [replace(_cell(s, e, 0, table), column=t) for s, e, t in _cells(lines[0])]
    for row, line in enumerate(lines[2:], start=1):
        for (start, end, _), column in zip(_cells(line), headers, strict=False):
            found.append(replace(_cell(start, end, row, table), column=column))
    return [block for block in found if block.end > block.start]


def _cell(start: int, end: int, row: int, table: int) -> Block:
    return Block(BlockKind.TABLE_CELL, start, end, table=table, row=row)


def _cells(line: _Line) -> list[tuple[int, int, str]]:
    found = []
    at = 0
    parts = line.text.split("|")
    for place, part in enumerate(parts):
        inner = part.strip()
        edge = place in (0, len(parts) - 1) and not inner
        if not edge:
            start = line.start + at + (len(part) - len(part.lstrip()) if inner else 0)
            found.append((start, start + len(inner), inner))
        at += len(part) + 1
    return found
