"""The sentences of a block, each with its range in the frozen text."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from kg.ingest.blocks import Block
from kg.ingest.normal import View, view

# The splitter is a chain of patterns; on one long run of text they would take too long.
_LONGEST = 20_000
_PLAIN_END = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[\"'(]*[A-Z0-9])")

# Within quotation marks; a short word before the stop may be an abbreviation.
_QUOTED_END = re.compile(r"(?<=[a-z]{3})[.!?]\"?\s+(?=[\"\[]?[A-Z])")


@dataclass(frozen=True)
class Sentence:
    """A sentence: its range in the frozen text, and its words in one form."""

    start: int
    end: int
    text: str
    view: View

    def range(self, start: int, end: int) -> tuple[int, int]:
        """Returns the range in the frozen text of a range of the sentence's words, without white space at its ends."""
        words = self.text[start:end]
        start += len(words) - len(words.lstrip())
        end -= len(words) - len(words.rstrip())
        return self.view.range(start, end) if end > start else (self.start, self.end)


@cache
def _splitter() -> Any:
    import pysbd

    return pysbd.Segmenter(language="en", clean=False, char_span=True)


def sentences_of(text: str, block: Block) -> list[Sentence]:
    """Returns the sentences of a block of a frozen text."""
    whole = view(text, block.start, block.end)
    found = []
    for start, end in _spans(whole.text):
        words = whole.text[start:end]
        start += len(words) - len(words.lstrip())
        end = start + len(words.strip())
        if end > start:
            part = View(whole.text[start:end], whole.places[start:end], whole.ends[start:end])
            first, last = part.range(0, end - start)
            found.append(Sentence(first, last, part.text, part))
    return found


def _spans(text: str) -> list[tuple[int, int]]:
    if len(text) > _LONGEST or len(text) < 40:
        edges = [0, *(match.end() for match in _PLAIN_END.finditer(text)), len(text)]
        return list(itertools.pairwise(edges))
    spans = [(part.start, part.end) for part in _splitter().segment(text)]
    # What the splitter leaves out between two sentences belongs to the one before.
    edges = [0, *(start for start, _ in spans[1:]), len(text)]
    return [part for a, b in itertools.pairwise(edges) if a < b for part in _parts(text, a, b)]


def _parts(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Returns the sentences of what the splitter took for one because it stands in quotation marks."""
    if '"' not in text[start:end]:
        return [(start, end)]
    inner = [match.end() for match in _QUOTED_END.finditer(text, start, end) if end - match.end() > 20]
    return list(itertools.pairwise([start, *inner, end]))
