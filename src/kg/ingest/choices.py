"""Small decisions of the reader: which cue decides, what a list or a standfirst is, which of two stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kg.ingest.attribution import Type
from kg.ingest.blocks import Block, BlockKind, Document
from kg.ingest.candidates import Attribution, Candidate, Mode
from kg.ingest.cues import Hit, hits_in
from kg.ingest.labels import Kind, is_background, mark_of, run_in_of
from kg.ingest.normal import view
from kg.ingest.phrases import ABOUT_CALLS, INTRODUCES
from kg.ingest.sentences import sentences_of

LISTED = {Kind.BARRIER, Kind.ENABLER, Kind.RECOMMENDATION, Kind.KEY_MESSAGE, Kind.FINDING, Kind.THEME}
_STRETCH = 1_000


@dataclass(frozen=True)
class Label:
    """What something above or before a block says of it."""

    kind: Kind
    basis: str
    words: str


def standfirst(document: Document, blocks: Sequence[Block], kind: Type) -> Block | None:
    """Returns the one sentence set before an article that says what it is about."""
    if kind is not Type.OPINION:
        return None
    body = [b for b in blocks if b.kind is BlockKind.PARAGRAPH and len(document.text[b.start : b.end].split()) >= 12]
    body = [
        b
        for b in body
        if not re.match(r"(author|by|written by|published)\b", document.text[b.start : b.end], re.IGNORECASE)
    ]
    if len(body) < 3 or len(sentences_of(document.text, body[0])) != 1:
        return None
    return body[0] if (body[0].end - body[0].start) * 1.3 < body[1].end - body[1].start else None


def run_in_label(document: Document, block: Block) -> tuple[Label | None, Block] | None:
    """Returns what a bold label says that heads a paragraph, such as "Cause.", and the paragraph without it.

    The label is None where it heads what is no item, such as the criteria of an audit.
    """
    end = block.start + block.lead
    words = view(document.text, block.start, end).text.strip("* .:-")
    after = document.text[end : block.end].lstrip("* \n.:–-")
    if not block.lead or len(words.split()) > 3 or len(after) < 10:
        return None
    kind = run_in_of(words)
    if kind is None and not is_background(words):
        return None
    return (Label(kind, "heading", words) if kind else None), replace(block, start=block.end - len(after), lead=0)


def hit_of(words: str, kind: Kind) -> Hit | None:
    """Returns the surest cue of one kind in some words, None when there is none."""
    return next((hit for hit in hits_in(words) if hit.cue.kind is kind), None)


def chosen(hits: Sequence[Hit], by: Attribution, label: Label | None, background: bool = False) -> Hit | None:
    """Returns the cue that decides: a labelled section's own kind first, then the surest.

    Args:
        hits: the cues of a sentence, the surest first.
        by: who says it.
        label: of the section.
        background: the section tells of law and of what was before, where only a plain recommendation is one.
    """
    if background:
        hits = [hit for hit in hits if hit.cue.kind is not Kind.RECOMMENDATION or hit.confidence > 0.8]
    # Among findings, what hinders, helps or is called for is told as such.
    if label is not None and label.kind is not Kind.FINDING:
        own = next((h for h in hits if h.cue.kind is label.kind), None)
        if own is not None:
            return own
    if by.mode is Mode.QUOTED and by.who:
        return next(iter(hits), None)
    plain = [hit for hit in hits if hit.cue.kind is not Kind.POSITION or by.mode is Mode.OWN]
    return next(iter(plain), None)


def is_about(words: str, kind: Kind) -> bool:
    """Tells whether some words in a labelled section only tell of its items: lead to them, or count them."""
    if kind is Kind.RECOMMENDATION and ABOUT_CALLS.search(words):
        return True
    return len(words.split()) <= 40 and INTRODUCES.search(words) is not None


def members_of(text: str, offset: int) -> Iterator[tuple[int, int]]:
    """Yields the ranges of the members of a list with semicolons, or with commas and an "and", without that "and".

    >>> [text[a:b] for text in ["long waits, a lack of crews, and rising prices."] for a, b in members_of(text, 0)]
    ['long waits', 'a lack of crews', 'rising prices']
    """
    parts = text.split(";") if ";" in text else _by_commas(text)
    at = offset
    for part in parts:
        lead = re.match(r"\s*(?:and|or)?\s+", part)
        start = at + (lead.end() if lead else 0)
        end = at + len(part.rstrip(" ."))
        if end - start > 3:
            yield start, end
        at += len(part) + 1


def _by_commas(text: str) -> list[str]:
    """Returns the members of a plain list with commas: three or more, each of a few words, and the last with "and"."""
    parts = text.split(",")
    plain = all(2 <= len(part.split()) <= 12 for part in parts) and not re.search(r"[.!?]\s", text)
    return parts if len(parts) >= 3 and plain and re.match(r"\s*(?:and|or)\b", parts[-1]) else []


def beginning_of(words: str) -> int:
    """Returns where the words of a cell begin: after its mark or its number."""
    mark = mark_of(words, short_forms=True)
    if mark and mark[1] < len(words):
        return mark[1]
    number = re.match(r"\(?\d{1,3}[.)]\s+", words)
    return number.end() if number else 0


def distinct(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Returns candidates of which no two of one kind overlap by half: the surer one stays."""
    kept: list[Candidate] = []
    # Which of those kept lie in a stretch of the text: a long report has thousands.
    stretches: dict[tuple[Kind, int], list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: (-c.confidence, c.start, c.end)):
        places = [(candidate.kind, at) for at in range(candidate.start // _STRETCH, candidate.end // _STRETCH + 1)]
        if not any(_is_same(candidate, known) for place in places for known in stretches.get(place, ())):
            kept.append(candidate)
            for place in places:
                stretches.setdefault(place, []).append(candidate)
    return kept


def _is_same(one: Candidate, other: Candidate) -> bool:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return one.kind is other.kind and shared * 2 >= min(one.end - one.start, other.end - other.start)
