"""A review: the decisions of a person on a sheet, each written down at once, each to be undone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kg.errors import BadParameter
from kg.ingest.blocks import Document
from kg.ingest.candidates import Candidate, CandidateLink, Decision
from kg.ingest.intake import Intake, nearest_lines
from kg.ingest.labels import Kind
from kg.ingest.limits import faults
from kg.ingest.normal import view
from kg.ingest.sheet import ENDING, Sheet, candidate_of, candidate_table, write_sheet
from kg.names import PEV, Prefixes

_HISTORY = ".history.jsonl"
_AROUND = 300
# What a review may change of the document itself.
FACTS = ("title", "publisher", "date", "type", "reviews")


class Review:
    """The review of one document. Every step is on disk before it is told to be done."""

    def __init__(self, intake: Intake, path: Path) -> None:
        self._intake = intake
        self.sheet = intake.read(path)
        self.document: Document = intake.document(self.sheet)

    @property
    def text(self) -> str:
        return self.document.text

    @property
    def prefixes(self) -> Prefixes:
        return self._intake.prefixes

    @property
    def open(self) -> list[Candidate]:
        """The candidates on which nothing is decided, in the order of the text."""
        return [c for c in self.sheet.candidates if c.decision is Decision.OPEN]

    def counts(self) -> dict[str, int]:
        """Returns how many candidates stand at each decision."""
        return {d.value: sum(c.decision is d for c in self.sheet.candidates) for d in Decision}

    def context(self, candidate: Candidate) -> tuple[str, str, str]:
        """Returns the words before a passage, the passage, and the words after it, in one form."""
        before = view(self.text, max(0, candidate.start - _AROUND), candidate.start).text
        after = view(self.text, candidate.end, min(len(self.text), candidate.end + _AROUND)).text
        return before, view(self.text, candidate.start, candidate.end).text, after

    def accept(self, identifier: str, label: str | None = None, paraphrase: str | None = None) -> Candidate:
        """Accepts a candidate, with label and paraphrase where they are given.

        Raises:
            BadParameter: it cannot be accepted, and why.
        """
        candidate = self._edited(self.sheet.candidate(identifier), label, paraphrase)
        wrong = faults(candidate, self.text, self.sheet)
        if wrong:
            raise BadParameter("; ".join(wrong))
        return self._put("accept", replace(candidate, decision=Decision.ACCEPTED, drafted=False))

    def reject(self, identifier: str) -> Candidate:
        """Rejects a candidate."""
        return self._put("reject", replace(self.sheet.candidate(identifier), decision=Decision.REJECTED))

    def reopen(self, identifier: str) -> Candidate:
        """Takes a decision back, without undoing what came after it."""
        return self._put("reopen", replace(self.sheet.candidate(identifier), decision=Decision.OPEN))

    def edit(self, identifier: str, label: str | None, paraphrase: str | None) -> Candidate:
        """Gives a candidate another label or paraphrase; a decision stays only while it may."""
        candidate = self._edited(self.sheet.candidate(identifier), label, paraphrase)
        return self._put("edit", self._still_fit(replace(candidate, drafted=False)))

    def change_kind(self, identifier: str, kind: str) -> Candidate:
        """Makes a candidate one of another kind; the links that only the old kind has are dropped.

        Raises:
            BadParameter: there is no such kind.
        """
        known = {k.value.lower(): k for k in Kind}
        if kind.lower() not in known:
            raise BadParameter(f"{kind!r} is none of {', '.join(k.value for k in Kind)}.")
        candidate = self.sheet.candidate(identifier)
        changed = replace(
            candidate, kind=known[kind.lower()], links=_links_for(known[kind.lower()], candidate.links), iri=None
        )
        return self._put("kind", self._still_fit(changed))

    def move(self, identifier: str, start: int, end: int) -> Candidate:
        """Gives a candidate another passage, without white space at its ends.

        Raises:
            BadParameter: the range is empty or outside of the text.
        """
        start, end = self._trimmed(start, end)
        moved = self.sheet.candidate(identifier).moved(self.text, start, end)
        return self._put("passage", self._still_fit(moved))

    def move_to_words(self, identifier: str, words: str) -> Candidate:
        """Gives a candidate the passage in which some words stand, white space aside.

        Raises:
            BadParameter: they do not stand in the text, or more than once.
        """
        from kg.evidence import passage_of_words

        passage = passage_of_words(self.text, words)
        return self.move(identifier, passage.start, passage.end)

    def split(self, identifier: str, words: str) -> tuple[Candidate, Candidate]:
        """Parts a candidate in two, where some words of its passage begin; both are open.

        Raises:
            BadParameter: the words do not stand once within the passage, or at its start.
        """
        candidate = self.sheet.candidate(identifier)
        shown = view(self.text, candidate.start, candidate.end)
        wanted = view(words).text
        at = shown.text.find(wanted)
        if not wanted or at <= 0 or shown.text.find(wanted, at + 1) >= 0:
            raise BadParameter("the words must stand once within the passage, and not at its start.")
        middle = shown.places[at]
        first = candidate.moved(self.text, *self._trimmed(candidate.start, middle))
        second = candidate.moved(self.text, *self._trimmed(middle, candidate.end))
        first, second = (replace(c, decision=Decision.OPEN, drafted=True) for c in (first, second))
        second = replace(second, id=self._free_id(), iri=None)
        self._step("split", [first, second], [])
        return first, second

    def merge(self, identifier: str, other: str) -> Candidate:
        """Makes one candidate of two: the first, with the passage from the start of one to the end of the other.

        Raises:
            BadParameter: both are one.
        """
        one, two = self.sheet.candidate(identifier), self.sheet.candidate(other)
        if one.id == two.id:
            raise BadParameter("a candidate is not merged with itself.")
        merged = one.moved(self.text, min(one.start, two.start), max(one.end, two.end)).linked(*two.links)
        merged = replace(merged, decision=Decision.OPEN)
        self._step("merge", [merged], [two.id])
        return merged

    def choose(self, identifier: str, link: int, alternative: int) -> Candidate:
        """Gives a link (counted from 0) one of its other targets; the target it had becomes an alternative.

        Raises:
            BadParameter: there is no such link or alternative.
        """
        candidate = self.sheet.candidate(identifier)
        try:
            held = candidate.links[link]
            chosen = held.alternatives[alternative]
        except IndexError as error:
            raise BadParameter("there is no such link or alternative.") from error
        from kg.ingest.candidates import Alternative

        others = tuple(a for a in held.alternatives if a is not chosen)
        swapped = replace(
            held, target=chosen.target, label=chosen.label, alternatives=(Alternative(held.target, held.label), *others)
        )
        return self._put(
            "link", replace(candidate, links=(*candidate.links[:link], swapped, *candidate.links[link + 1 :]))
        )

    def unlink(self, identifier: str, link: int) -> Candidate:
        """Drops a link, counted from 0.

        Raises:
            BadParameter: there is no such link.
        """
        candidate = self.sheet.candidate(identifier)
        if not 0 <= link < len(candidate.links):
            raise BadParameter("there is no such link.")
        return self._put(
            "unlink", self._still_fit(replace(candidate, links=(*candidate.links[:link], *candidate.links[link + 1 :])))
        )

    def add_link(self, identifier: str, type_: str, target: str) -> Candidate:
        """Adds a link. `type_` is a property of the ontology, `target` a CURIE, an IRI or another candidate's id.

        Raises:
            BadParameter: either is no name.
        """
        link = self.prefixes.iri(type_ if ":" in type_ else f"pev:{type_}")
        iri = (
            target
            if target.startswith("#") or not link or link in (PEV + "deadline", PEV + "timeframe")
            else self.prefixes.iri(target)
        )
        if link is None or iri is None:
            raise BadParameter(f"{target if link else type_!r} is no name; write it as in theme:finance, or #c4.")
        basis = (
            "said"
            if link in (PEV + "blocks", PEV + "enables", PEV + "directedTo", PEV + "deadline", PEV + "timeframe")
            else "judged"
        )
        label = target.rsplit(":", 1)[-1].replace("-", " ")
        return self._put("link", self.sheet.candidate(identifier).linked(CandidateLink(link, iri, label, basis)))

    def set_fact(self, name: str, value: str) -> None:
        """Corrects what is known of the document.

        Raises:
            BadParameter: it has no such property.
        """
        if name not in FACTS:
            raise BadParameter(f"{name!r} is none of {', '.join(FACTS)}.")
        about = dict(self.sheet.about)
        plain = name in ("type", "reviews")
        about[name] = value if plain else {"value": value, "where": "by hand"}
        if name == "publisher":
            known = next((b for b in self.sheet.bodies if b["label"] == value), None)
            about.pop("publisher_iri", None)
            about |= {"publisher_iri": known["iri"]} if known else {}
        self._write(replace(self.sheet, about=about))

    def orphan_places(self, orphan: Mapping[str, Any]) -> list[str]:
        """Returns the lines of the text that look most like an orphan's old passage, to compare and not to trust."""
        from kg.ingest.held import held

        old = held(str(orphan["text_sha256"]), self._intake.library).text
        lines = nearest_lines(old, int(orphan["start"]), int(orphan["end"]), self.text)
        return [
            view(old, int(orphan["start"]), int(orphan["end"])).text,
            *(view(self.text, a, b).text for _, a, b in lines),
        ]

    def undo(self) -> str | None:
        """Takes back the last step; returns its name, None when there is none."""
        history = self._history()
        if not history:
            return None
        last = history.pop()
        put = [candidate_of(table, self.text, self.prefixes, self.sheet.path) for table in last["before"]]
        self._write(self.sheet.without(*last["new"]).with_(*put))
        self._rewrite_history(history)
        return str(last["step"])

    def replace_sheet(self, sheet: Sheet) -> None:
        """Puts a changed sheet in place, as recording does to keep the names given."""
        self._write(sheet)

    def _edited(self, candidate: Candidate, label: str | None, paraphrase: str | None) -> Candidate:
        return replace(
            candidate,
            label=candidate.label if label is None else " ".join(label.split()),
            paraphrase=candidate.paraphrase if paraphrase is None else " ".join(paraphrase.split()),
        )

    def _still_fit(self, candidate: Candidate) -> Candidate:
        """Returns the candidate; open again where it could no longer be accepted as it now is."""
        accepted = candidate.decision is Decision.ACCEPTED
        return (
            replace(candidate, decision=Decision.OPEN)
            if accepted and faults(candidate, self.text, self.sheet)
            else candidate
        )

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        words = self.text[max(0, start) : end]
        if not (0 <= start < end <= len(self.text)) or not words.strip():
            raise BadParameter(f"{start} to {end} is no range of the text (0 to {len(self.text)}) with words in it.")
        return start + len(words) - len(words.lstrip()), end - (len(words) - len(words.rstrip()))

    def _free_id(self) -> str:
        taken = {c.id for c in self.sheet.candidates}
        return next(name for number in range(1, len(taken) + 2) if (name := f"c{number}") not in taken)

    def _put(self, step: str, candidate: Candidate) -> Candidate:
        self._step(step, [candidate], [])
        return candidate

    def _step(self, step: str, put: Sequence[Candidate], drop: Sequence[str]) -> None:
        """Writes a step down, what was before it first; a step that was not finished is undone to the same."""
        known = {c.id: c for c in self.sheet.candidates}
        touched = [known[name] for name in [*(c.id for c in put), *drop] if name in known]
        entry = {
            "step": step,
            "before": [candidate_table(c, self.prefixes) for c in touched],
            "new": [c.id for c in put if c.id not in known],
        }
        with self._history_path.open("ab") as file:
            file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._write(self.sheet.without(*drop).with_(*put))

    def _write(self, sheet: Sheet) -> None:
        write_sheet(sheet, self.text, self.prefixes)
        self.sheet = sheet

    @property
    def _history_path(self) -> Path:
        return self.sheet.path.with_name(self.sheet.path.name.removesuffix(ENDING) + _HISTORY)

    def _history(self) -> list[dict[str, Any]]:
        try:
            lines = self._history_path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                # A power cut left it half-written; its step was not done.
                continue
        return found

    def _rewrite_history(self, history: Sequence[Mapping[str, Any]]) -> None:
        from kg.ingest.held import write_whole

        write_whole(
            self._history_path, b"".join(json.dumps(entry, ensure_ascii=False).encode() + b"\n" for entry in history)
        )


_ONLY = {
    "blocks": {Kind.BARRIER}, "enables": {Kind.ENABLER}, "affects": {Kind.BARRIER, Kind.ENABLER},
    "directedTo": {Kind.RECOMMENDATION}, "addresses": {Kind.RECOMMENDATION, Kind.COMMITMENT},
    "stance": {Kind.POSITION}, "stanceTowards": {Kind.POSITION}, "identifies": {Kind.KEY_MESSAGE, Kind.FINDING},
}  # fmt: skip


def _links_for(kind: Kind, links: Sequence[CandidateLink]) -> tuple[CandidateLink, ...]:
    """Returns the links that an item of a kind may have; what it needs is taken from its theme."""
    kept = [link for link in links if kind in _ONLY.get(link.type.removeprefix(PEV), {kind})]
    theme = next((link for link in kept if link.type == PEV + "hasTheme"), None)
    needs = {Kind.BARRIER: "affects", Kind.ENABLER: "affects", Kind.POSITION: "stanceTowards"}.get(kind)
    if needs and theme and not any(link.type.removeprefix(PEV) in (needs, "blocks", "enables") for link in kept):
        kept.append(replace(theme, type=PEV + needs))
    if kind is Kind.POSITION and not any(link.type == PEV + "stance" for link in kept):
        from kg.names import CODE

        kept.append(CandidateLink(PEV + "stance", CODE + "supportive", "supportive", "said"))
    return tuple(kept)
