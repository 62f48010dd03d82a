"""Where the reader is in a document: the headings above, the lead-in of the list, the mark before."""

from __future__ import annotations

from dataclasses import dataclass, field

from kg.ingest.candidates import Attribution
from kg.ingest.choices import Label
from kg.ingest.labels import is_background, is_silent


@dataclass
class Place:
    """Where the reader is in a document."""

    headings: list[tuple[int, str, Label | None]] = field(default_factory=list)
    lead_in: Label | None = None
    lead_by: Attribution | None = None
    # Whether the block before belongs to the list that a lead-in announced, or only explains a part of it.
    running: bool = False
    explained: bool = False
    # Whether the block before is a heading that is itself an item, and whether this one so explains an item.
    headed: bool = False
    explains: bool = False
    marked: tuple[Label, str | None] | None = None
    silent_level: int | None = None

    @property
    def section(self) -> Label | None:
        return next((label for _, _, label in reversed(self.headings) if label is not None), None)

    @property
    def background(self) -> bool:
        return any(is_background(words) for _, words, _ in self.headings)

    @property
    def context(self) -> tuple[str, ...]:
        lead = (self.lead_in.words,) if self.lead_in else ()
        # The title of the whole says little of a part.
        return tuple(words for level, words, _ in self.headings[-2:] if level > 1) + lead

    def enter(self, level: int, words: str, label: Label | None) -> None:
        """Goes into a section: those of the same or a deeper level end."""
        self.headings = [known for known in self.headings if known[0] < level]
        self.headings.append((level, words, label))
        self.lead_in = self.lead_by = self.marked = None
        if self.silent_level is not None and level <= self.silent_level:
            self.silent_level = None
        if is_silent(words) and self.silent_level is None:
            self.silent_level = level
