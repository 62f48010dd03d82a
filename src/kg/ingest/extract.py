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
from kg.ingest.choices import LISTED, Label, chosen, distinct, hit_of, is_about, members_of, run_in_label, standfirst
from kg.ingest.cues import Hit, hits_in
from kg.ingest.labels import Kind, is_silent, label_of, lead_in_of, mark_of
from kg.ingest.normal import view
from kg.ingest.phrases import ACTOR, CONNECTIVE, FIRST_PERSON, IMPERATIVE, POINTS_BACK, REFERENCE, SENTENCE
from kg.ingest.place import Place
from kg.ingest.sentences import Sentence, sentences_of
from kg.ingest.tables import items_of_table

_FEWEST_WORDS = 4
_LONGEST_ITEM = 40


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
        self.state.explains, self.state.headed = self.state.headed, False
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
        kind = label_of(words)
        label = Label(kind, "box" if block.boxed else "heading", words) if kind and not (mark and mark[2]) else None
        self.state.enter(level, words, label)
        if mark and mark[2] is not None:
            rest = words[mark[1] :]
            self.state.marked = (Label(mark[0], "heading", words), mark[2])
            if len(rest.split()) >= _FEWEST_WORDS and not self._says_itself(mark[0], following):
                start, end = view(self.document.text, block.start, block.end).range(mark[1], len(words))
                self._add(mark[0], start, end, "heading", "marked heading", 0.85, block, Attribution())
                self.state.marked = None
        elif label is None and self.state.silent_level is None and not self._telling_heading(block, words, level):
            self._nested_heading(block, words, following)

    def _telling_heading(self, block: Block, words: str, level: int) -> bool:
        """Takes a heading that is a sentence for what its cue says, where no label above says what it is."""
        if level < 2 or self.state.section is not None or not SENTENCE.search(words):
            return False
        hit = next((h for h in hits_in(words) if h.cue.kind in (Kind.BARRIER, Kind.ENABLER)), None)
        if hit is not None:
            self._whole(hit.cue.kind, block, "heading", hit.cue.name, hit.confidence, Attribution())
            self.state.headed = True
        return hit is not None

    def _says_itself(self, kind: Kind, following: Block | None) -> bool:
        """Tells whether the block after a marked heading is the recommendation of which that is the title."""
        if kind is not Kind.RECOMMENDATION or following is None or following.kind is not BlockKind.PARAGRAPH:
            return False
        words = self._words(following)
        return lead_in_of(words) is kind if words.endswith(":") else hit_of(words, kind) is not None

    def _nested_heading(self, block: Block, words: str, following: Block | None) -> None:
        """Takes a heading under a labelled heading for what it says, if it says something."""
        outer, count = self.state.section, len(words.split())
        if outer is None or outer.kind not in LISTED - {Kind.THEME} or following is None:
            return
        tells = SENTENCE.search(words) is not None and count >= 4
        short = 2 if outer.kind in (Kind.BARRIER, Kind.ENABLER) else 5
        calls = IMPERATIVE.match(words) or hit_of(words, Kind.RECOMMENDATION)
        says = tells or (count >= short and following.kind is not BlockKind.HEADING)
        if says and (calls or outer.kind is not Kind.RECOMMENDATION):
            self._whole(outer.kind, block, "heading", f"heading under: {outer.kind}", 0.7, Attribution())
            self.state.headed = True

    def _item(self, block: Block, words: str) -> None:
        sentences = sentences_of(self.document.text, block)
        by = in_list(self._by(sentences), self.state.lead_by)
        label = self.state.lead_in or self.state.section
        mark = mark_of(words, short_forms=True)
        if mark and mark[1] < len(words):
            label, start = Label(mark[0], "list", words[: mark[1]]), mark[1]
        else:
            start = 0
        if words.endswith(":") and (label is not None or lead_in_of(words) is not None):
            self._lead(words, sentences, by)
            if self.state.lead_in is not None or (label is not None and label.kind is not Kind.RECOMMENDATION):
                return
        listed = label is not None and label.kind in LISTED and len(words.split()) >= 2
        if listed and label is not None and self._labelled_item(block, words, start, label, by):
            return
        self._sentences(block, sentences, label)

    def _labelled_item(self, block: Block, words: str, start: int, label: Label, by: Attribution) -> bool:
        """Adds a list item as what its list holds; tells whether nothing more is to be looked for in it."""
        if label.basis == "heading" and label.kind is Kind.FINDING and hit_of(words, Kind.RECOMMENDATION):
            return False
        if is_about(words, label.kind):
            return True
        first, last = view(self.document.text, block.start, block.end).range(start, len(words))
        hint = {"number": block.number} if block.number else None
        basis = "list" if self.state.lead_in else label.basis
        self._add(label.kind, first, last, basis, f"list under: {label.kind}", 0.9, block, by, hints=hint)
        if label.kind in (Kind.KEY_MESSAGE, Kind.FINDING):
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

    def _paragraph(self, block: Block, words: str, run_in: Label | None = None) -> None:
        if run_in is None and (headed := run_in_label(self.document, block)) is not None:
            self.state.lead_in = self.state.lead_by = None
            label, rest = headed
            if label is not None:
                self._paragraph(rest, self._words(rest), label)
            return
        sentences = sentences_of(self.document.text, block)
        label = run_in or self.state.section
        mark = mark_of(words)
        basis = "box" if block.boxed else "rule"
        if mark is not None and mark[1] >= len(words):
            self.state.marked = (Label(mark[0], basis, words), mark[2])
        elif mark is not None:
            start, end = view(self.document.text, block.start, block.end).range(mark[1], len(words))
            self._add(mark[0], start, end, basis, "marked paragraph", 0.9, block, self._by(sentences))
        elif self.state.marked is not None and not words.endswith(":"):
            marked, _ = self.state.marked
            self.state.marked = None
            self._whole(marked.kind, block, marked.basis, "paragraph after a mark", 0.85, self._by(sentences))
        elif words.endswith(":"):
            self.state.marked = None
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
            self._whole(Kind.KEY_MESSAGE, block, "rule", "standfirst", 0.6, self._by(sentences))
            return
        count = len(words.split())
        lead = self._bold_lead(block, sentences)
        if label is not None and is_about(words, label.kind):
            return
        if label is not None and label.kind is Kind.KEY_MESSAGE and count >= (_FEWEST_WORDS if block.boxed else 8):
            self._whole(Kind.KEY_MESSAGE, block, label.basis, "paragraph under: KeyMessage", 0.8, self._by(sentences))
            self._inside_message(block)
        elif label is not None and label.kind in (Kind.BARRIER, Kind.ENABLER, Kind.FINDING) and lead is not None:
            # What heads a paragraph is told by the sentence after it.
            end = next((s.end for s in sentences if s.end > lead[1]), lead[1])
            self._add(
                label.kind,
                lead[0],
                end,
                label.basis,
                f"bold lead under: {label.kind}",
                0.85,
                block,
                self._by(sentences),
            )
        elif (
            label is not None
            and label.kind is Kind.RECOMMENDATION
            and (lead or IMPERATIVE.match(words) or (block.boxed and count >= 6))
        ):
            self._whole(label.kind, block, label.basis, "paragraph under: Recommendation", 0.85, self._by(sentences))
        else:
            self._sentences(block, sentences, label, lead)

    def _bold_lead(self, block: Block, sentences: list[Sentence]) -> tuple[int, int] | None:
        """Returns the range that a bold lead-in covers: of its sentence, or of itself."""
        if block.lead < 8 or not sentences:
            return None
        end = block.start + block.lead
        words = view(self.document.text, block.start, end).text.split()
        if len(words) >= 5:
            return block.start, end
        # A few bold words head what comes after them, in their sentence or in the next.
        after = [s.end for s in sentences if s.end > end]
        return block.start, after[0] if after else end

    def _sentences(
        self, block: Block, sentences: Sequence[Sentence], label: Label | None, lead: tuple[int, int] | None = None
    ) -> None:
        before = len(self.found)
        for sentence in sentences:
            by = self.speakers.of(sentence)
            if not self._inline_list(block, sentence, by):
                hit = chosen(hits_in(sentence.text), by, label, self.state.background)
                if hit is not None:
                    self._fromhit(block, sentence, hit, by)
        if label is not None and label.kind in (Kind.BARRIER, Kind.ENABLER) and not self.state.explains:
            # What is only reported there is what hinders or helps.
            self.found[before:] = [c for c in self.found[before:] if c.kind is not Kind.FINDING]
        if len(self.found) == before and sentences:
            self._fallback(block, sentences[0], label, lead)
        elif lead is not None and not any(c.start < lead[1] and lead[0] < c.end for c in self.found[before:]):
            self._bold(block, sentences[0], lead)

    def _fallback(self, block: Block, first: Sentence, label: Label | None, lead: tuple[int, int] | None) -> None:
        """Takes the first sentence of a paragraph in a labelled section, or a bold one, when nothing else shows."""
        if (
            label is not None
            and label.kind in (Kind.BARRIER, Kind.ENABLER, Kind.FINDING)
            and not self.state.explains
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
        elif lead is not None:
            self._bold(block, first, lead)

    def _bold(self, block: Block, first: Sentence, lead: tuple[int, int]) -> None:
        words = view(self.document.text, *lead).text
        if len(words.split()) >= (4 if words.rstrip("* ").endswith(".") else 6):
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
        if kind is None or kind not in LISTED:
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
        for cell in cells:
            self.speakers.enter(cell)
        section = self.state.section
        for item in items_of_table(cells, self._words, section.kind if section else None):
            first, last = view(self.document.text, item.cell.start, item.cell.end).range(
                item.start, len(self._words(item.cell))
            )
            self._add(
                item.kind, first, last, "table", f"table column: {item.kind}", 0.9, item.cell, Attribution(),
                hints=item.hints,
            )  # fmt: skip

    def _whole(self, kind: Kind, block: Block, basis: str, rule: str, confidence: float, by: Attribution) -> None:
        self._add(kind, block.start, block.end, basis, rule, confidence, block, by)

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
