"""Blocks become candidates: first by what the structure says, then sentence by sentence by cues.

A heading, a list's lead-in, a table's header or a mark such as "Recommendation 3:" says what its
contents are, and is believed. Elsewhere the cues decide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from kg.evidence import sha256
from kg.ingest.attribution import Speakers, Type, in_list
from kg.ingest.blocks import Block, BlockKind, Document
from kg.ingest.candidates import Attribution, Candidate, Mode
from kg.ingest.choices import Label, beginning_of, chosen, distinct, hit_of, members_of, standfirst
from kg.ingest.cues import Hit, hits_in
from kg.ingest.labels import Kind, is_silent, label_of, lead_in_of, mark_of, role_of
from kg.ingest.normal import view
from kg.ingest.phrases import ACTOR, CONNECTIVE, FIRST_PERSON, IMPERATIVE, POINTS_BACK, REFERENCE
from kg.ingest.place import Place
from kg.ingest.sentences import Sentence, sentences_of

_FEWEST_WORDS = 4
_LONGEST_ITEM = 40
_LISTED = {Kind.BARRIER, Kind.ENABLER, Kind.RECOMMENDATION, Kind.KEY_MESSAGE, Kind.FINDING, Kind.THEME}


class _Reader:
    def __init__(self, document: Document, kind: Type) -> None:
        self.document = document
        self.kind = kind
        self.speakers = Speakers(document, kind)
        self.state = Place()
        self.found: list[Candidate] = []
        self.blocks = list(document.content())
        self._standfirst = standfirst(document, self.blocks, kind)

    def read(self) -> list[Candidate]:
        """Reads all blocks in order."""
        at = 0
        while at < len(self.blocks):
            block = self.blocks[at]
            if block.kind is BlockKind.TABLE_CELL:
                end = next(
                    (n for n in range(at, len(self.blocks)) if self.blocks[n].table != block.table), len(self.blocks)
                )
                if self.state.silent_level is None:
                    self._table(self.blocks[at:end])
                at = end
                continue
            following = self.blocks[at + 1] if at + 1 < len(self.blocks) else None
            self._block(block, following)
            at += 1
        return self.found

    def _words(self, block: Block) -> str:
        return view(self.document.text, block.start, block.end).text

    def _block(self, block: Block, following: Block | None) -> None:
        self.speakers.enter(block)
        words = self._words(block)
        unmarked = self._is_unmarked_item(block, words)
        of_list = self.state.running or self.state.explained
        told = self.state.lead_in is not None and self.state.lead_in.kind is Kind.KEY_MESSAGE
        self.state.explained = told and of_list and not unmarked and block.kind is BlockKind.PARAGRAPH
        # After an item that has its mark, a line without one is no longer of the list.
        self.state.running = False
        if self.state.marked is not None and REFERENCE.fullmatch(words):
            return
        if unmarked and self.state.silent_level is None:
            self._item(block, words)
            self.state.running = True
        elif self._is_heading(block, words, following):
            self._heading(block, words, following)
        elif block.kind is BlockKind.FOOTNOTE or self.state.silent_level is not None:
            return
        elif block.kind is BlockKind.LIST_ITEM:
            self._item(block, words)
        else:
            self._paragraph(block, words)

    def _is_unmarked_item(self, block: Block, words: str) -> bool:
        """Tells whether a short line goes on a list whose marks were lost, as they are in text copied from a page."""
        if self.state.lead_in is None or not (self.state.running or self.state.explained):
            return False
        deeper = self.document.parser == "plain" or (block.level or 9) > max(
            (n for n, _, _ in self.state.headings), default=0
        )
        heading = block.kind is BlockKind.HEADING and deeper
        # After an explanation only a line that is set apart goes on the list.
        if not heading and not (self.state.running and block.kind is BlockKind.PARAGRAPH):
            return False
        prose = CONNECTIVE.match(words) or words.endswith(":") or label_of(words) is not None or is_silent(words)
        return (
            not prose and 2 <= len(words.split()) <= _LONGEST_ITEM and len(sentences_of(self.document.text, block)) == 1
        )

    def _is_heading(self, block: Block, words: str, following: Block | None) -> bool:
        if block.kind is BlockKind.HEADING:
            return True
        # A line that is nothing but a label is one, however it is set.
        short = len(words.split()) <= 5 and not re.search(r"[.;,:]$", words) and following is not None
        return block.kind is not BlockKind.FOOTNOTE and short and (label_of(words) is not None or is_silent(words))

    def _heading(self, block: Block, words: str, following: Block | None) -> None:
        mark = mark_of(words)
        level = block.level or (self.state.headings[-1][0] + 1 if block.boxed and self.state.headings else 2)
        outer = self.state.section
        kind = label_of(words)
        label = Label(kind, "box" if block.boxed else "heading", words) if kind and not (mark and mark[2]) else None
        self.state.enter(level, words, label)
        if mark and mark[2] is not None:
            rest = words[mark[1] :]
            self.state.marked = (Label(mark[0], "heading", words), mark[2])
            if len(rest.split()) >= _FEWEST_WORDS:
                start, end = view(self.document.text, block.start, block.end).range(mark[1], len(words))
                self._add(mark[0], start, end, "heading", "marked heading", 0.85, block, Attribution())
                self.state.marked = None
        elif label is None and outer is not None and self.state.section is outer and self.state.silent_level is None:
            self._nested_heading(block, words, outer, following)

    def _nested_heading(self, block: Block, words: str, outer: Label, following: Block | None) -> None:
        """Takes a heading under a labelled heading for what it says, if it says something."""
        says = len(words.split()) >= 5 or (outer.kind in (Kind.BARRIER, Kind.ENABLER) and len(words.split()) >= 2)
        if (
            says
            and outer.kind in _LISTED - {Kind.THEME}
            and following is not None
            and following.kind is not BlockKind.HEADING
        ):
            if outer.kind is Kind.RECOMMENDATION and not (
                IMPERATIVE.match(words) or hit_of(words, Kind.RECOMMENDATION)
            ):
                return
            self._add(
                outer.kind, block.start, block.end, "heading", f"heading under: {outer.kind}", 0.7, block, Attribution()
            )

    def _item(self, block: Block, words: str) -> None:
        sentences = sentences_of(self.document.text, block)
        by = in_list(self._by(sentences), self.state.lead_by)
        label = self.state.lead_in or self.state.section
        mark = mark_of(words, short_forms=True)
        if mark and mark[1] < len(words):
            label, start = Label(mark[0], "list", words[: mark[1]]), mark[1]
        else:
            start = 0
        if words.endswith(":") and label is not None:
            self._lead(words, sentences, by)
            if self.state.lead_in is not None or label.kind is not Kind.RECOMMENDATION:
                return
        listed = label is not None and label.kind in _LISTED and len(words.split()) >= 2
        if listed and label is not None and self._labelled_item(block, words, start, label, by):
            return
        self._sentences(block, sentences, label)

    def _labelled_item(self, block: Block, words: str, start: int, label: Label, by: Attribution) -> bool:
        """Adds a list item as what its list holds; tells whether nothing more is to be looked for in it."""
        if label.basis == "heading" and label.kind is Kind.FINDING and hit_of(words, Kind.RECOMMENDATION):
            return False
        first, last = view(self.document.text, block.start, block.end).range(start, len(words))
        hint = {"number": block.number} if block.number else None
        basis = "list" if self.state.lead_in else label.basis
        self._add(label.kind, first, last, basis, f"list under: {label.kind}", 0.9, block, by, hints=hint)
        if label.kind is Kind.KEY_MESSAGE:
            self._inside_message(block)
        return True

    def _inside_message(self, block: Block) -> None:
        """Adds what a message contains: the factors it names, and calls on somebody."""
        for sentence in sentences_of(self.document.text, block):
            by = in_list(self.speakers.of(sentence), self.state.lead_by)
            if self._inline_list(block, sentence, by):
                continue
            hit = next(
                (h for h in hits_in(sentence.text) if h.cue.kind in (Kind.BARRIER, Kind.ENABLER, Kind.RECOMMENDATION)),
                None,
            )
            if hit is None or hit.confidence < 0.7:
                continue
            subject = sentence.text[: hit.start]
            if hit.cue.kind is not Kind.RECOMMENDATION or (ACTOR.search(subject) and len(subject.split()) < 14):
                self._fromhit(block, sentence, hit, by)

    def _paragraph(self, block: Block, words: str) -> None:
        sentences = sentences_of(self.document.text, block)
        label = self.state.section
        mark = mark_of(words)
        if mark is not None and mark[1] >= len(words):
            self.state.marked = (Label(mark[0], "box" if block.boxed else "rule", words), mark[2])
        elif mark is not None:
            start, end = view(self.document.text, block.start, block.end).range(mark[1], len(words))
            self._add(
                mark[0],
                start,
                end,
                "box" if block.boxed else "rule",
                "marked paragraph",
                0.9,
                block,
                self._by(sentences),
            )
        elif self.state.marked is not None:
            marked, _ = self.state.marked
            self.state.marked = None
            self._add(
                marked.kind,
                block.start,
                block.end,
                marked.basis,
                "paragraph after a mark",
                0.85,
                block,
                self._by(sentences),
            )
        elif words.endswith(":"):
            *before, last = sentences
            self._sentences(block, before, label)
            self._lead(last.text, [last], self._by([last]), before[-1].text if before else "")
        else:
            if not self.state.explained:
                self.state.lead_in = self.state.lead_by = None
            self._running(block, words, sentences, label)

    def _lead(self, words: str, sentences: Sequence[Sentence], by: Attribution, before: str = "") -> None:
        kind = lead_in_of(words) or (lead_in_of(before) if before and POINTS_BACK.match(words) else None)
        self.state.running = kind is not None
        self.state.lead_in = Label(kind, "list", words) if kind else None
        self.state.lead_by = by if by.mode is not Mode.OWN else self._by(sentences)

    def _running(self, block: Block, words: str, sentences: list[Sentence], label: Label | None) -> None:
        if block is self._standfirst:
            self._add(Kind.KEY_MESSAGE, block.start, block.end, "rule", "standfirst", 0.6, block, self._by(sentences))
            return
        count = len(words.split())
        lead = self._bold_lead(block, sentences)
        if label is not None and label.kind is Kind.KEY_MESSAGE and count >= 8:
            self._add(
                Kind.KEY_MESSAGE,
                block.start,
                block.end,
                label.basis,
                "paragraph under: KeyMessage",
                0.8,
                block,
                self._by(sentences),
            )
            self._inside_message(block)
        elif label is not None and label.kind in (Kind.BARRIER, Kind.ENABLER, Kind.FINDING) and lead is not None:
            self._add(
                label.kind, *lead, label.basis, f"bold lead under: {label.kind}", 0.85, block, self._by(sentences)
            )
        elif (
            label is not None
            and label.kind is Kind.RECOMMENDATION
            and (lead or IMPERATIVE.match(words) or (block.boxed and count >= 6))
        ):
            self._add(
                label.kind,
                block.start,
                block.end,
                label.basis,
                "paragraph under: Recommendation",
                0.85,
                block,
                self._by(sentences),
            )
        else:
            self._sentences(block, sentences, label, lead)

    def _bold_lead(self, block: Block, sentences: list[Sentence]) -> tuple[int, int] | None:
        """Returns the range that a bold lead-in covers: of its sentence, or of itself."""
        if block.lead < 8 or not sentences:
            return None
        end = block.start + block.lead
        whole = max((s.end for s in sentences if s.start < end), default=end)
        words = len(view(self.document.text, block.start, end).text.split())
        return (block.start, end) if words >= 5 else (block.start, whole)

    def _sentences(
        self, block: Block, sentences: Sequence[Sentence], label: Label | None, lead: tuple[int, int] | None = None
    ) -> None:
        before = len(self.found)
        for sentence in sentences:
            by = self.speakers.of(sentence)
            if not self._inline_list(block, sentence, by):
                hit = chosen(hits_in(sentence.text), by, label)
                if hit is not None:
                    self._fromhit(block, sentence, hit, by)
        if len(self.found) == before and sentences:
            self._fallback(block, sentences[0], label, lead)

    def _fallback(self, block: Block, first: Sentence, label: Label | None, lead: tuple[int, int] | None) -> None:
        """Takes the first sentence of a paragraph in a labelled section, or a bold one, when nothing else shows."""
        if (
            label is not None
            and label.kind in (Kind.BARRIER, Kind.ENABLER, Kind.FINDING)
            and len(first.text.split()) >= 6
        ):
            self._add(
                label.kind,
                first.start,
                first.end,
                label.basis,
                f"first sentence under: {label.kind}",
                0.5,
                block,
                self.speakers.of(first),
            )
        elif lead is not None and len(view(self.document.text, *lead).text.split()) >= 6:
            self._add(Kind.FINDING, *lead, "rule", "bold lead", 0.5, block, self.speakers.of(first))

    def _inline_list(self, block: Block, sentence: Sentence, by: Attribution) -> bool:
        """Adds the members of a list within a sentence: what stands after the colon, between semicolons."""
        head, colon, rest = sentence.text.partition(":")
        parts = list(members_of(rest, len(head) + 1))
        kind = lead_in_of(head) if colon and len(parts) >= 2 else None
        if (
            kind is None
            and colon
            and len(parts) >= 2
            and re.match(r"\W*(these|they|those) (include|are)$", head.strip(), re.IGNORECASE)
        ):
            kind = self._last_named(block, sentence)
        if kind is None or kind not in _LISTED:
            return False
        for start, end in parts:
            first, last = sentence.range(start, end)
            self._add(kind, first, last, "list", f"list in a sentence: {kind}", 0.85, block, by)
        return True

    def _last_named(self, block: Block, sentence: Sentence) -> Kind | None:
        before = [s for s in sentences_of(self.document.text, block) if s.end <= sentence.start]
        return lead_in_of(before[-1].text) if before else None

    def _fromhit(self, block: Block, sentence: Sentence, hit: Hit, by: Attribution) -> None:
        start, end = (sentence.start, sentence.end) if hit.clause is None else sentence.range(*hit.clause)
        start, end = self.speakers.quoted(start, end, sentence.range(hit.start, hit.end))
        kind = hit.cue.kind
        first = FIRST_PERSON.match(view(self.document.text, start, end).text)
        if kind is Kind.RECOMMENDATION and by.mode is Mode.QUOTED and by.who and first:
            kind = Kind.POSITION
        self._add(kind, start, end, "rule", hit.cue.name, hit.confidence, block, by, hedged=hit.hedged)

    def _by(self, sentences: Sequence[Sentence]) -> Attribution:
        return self.speakers.of(sentences[0]) if sentences else Attribution()

    def _table(self, cells: Sequence[Block]) -> None:
        """Adds the cells of columns whose header says what they hold; other cells of the row are hints."""
        rows: dict[int, list[Block]] = {}
        for cell in cells:
            self.speakers.enter(cell)
            rows.setdefault(cell.row or 0, []).append(cell)
        headers = {cell.column for cell in cells if cell.column}
        # Where every row begins with a label, the rows are labelled and not the columns.
        by_row = all(label_of(self._words(row[0])) for row in rows.values())
        known = not by_row and any(label_of(h) or role_of(h) for h in headers)
        for number, row in sorted(rows.items()):
            if number > 0 or not known:
                self._row(row, known)

    def _row(self, row: Sequence[Block], known: bool) -> None:
        hints = {str(role): self._words(c) for c in row if c.column and (role := role_of(c.column)) is not None}
        label_cell = None if known else label_of(self._words(row[0]))
        for cell in row:
            kind = label_of(cell.column or "") if known else label_cell if cell is not row[0] else None
            if kind is None and not known and self.state.section is not None and len(self._words(cell).split()) > 6:
                kind = self.state.section.kind
            if kind in _LISTED and role_of(cell.column or "") is None:
                self._cell(cell, kind, hints)

    def _cell(self, cell: Block, kind: Kind, hints: dict[str, str]) -> None:
        words = self._words(cell)
        start = beginning_of(words)
        if len(words[start:].split()) < 2 or re.fullmatch(r"[\d\W]+", words[start:]):
            return
        first, last = view(self.document.text, cell.start, cell.end).range(start, len(words))
        self._add(kind, first, last, "table", f"table column: {kind}", 0.9, cell, Attribution(), hints=hints or None)

    def _add(
        self, kind: Kind, start: int, end: int, basis: str, rule: str, confidence: float, block: Block, by: Attribution,
        hedged: bool = False, hints: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        words = self.document.text[start:end]
        context = tuple(c for c in self.state.context if c)
        self.found.append(
            Candidate("", kind, start, end, sha256(words), basis, rule, round(confidence, 3), by,
                      page=block.page, hedged=hedged, context=context, hints=hints)
        )  # fmt: skip


def extract(document: Document, kind: Type) -> list[Candidate]:
    """Returns the candidates of a document in reading order, each with an id.

    Where two of one kind overlap, the surer one stays.
    """
    kept = sorted(distinct(_Reader(document, kind).read()), key=lambda c: (c.start, -c.end, c.kind))
    return [replace(candidate, id=f"c{number}") for number, candidate in enumerate(kept, start=1)]
