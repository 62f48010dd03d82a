"""The sentences that tell how a thing is described otherwise than before.

"Recommendation X is now directed to Y." "Barrier B no longer blocks T." Links read with the phrases
of the ontology; what has no phrase is a property that has a value, or changed from one to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyoxigraph import NamedNode

from kg.engines.source import Term
from kg.evidence import read_passages
from kg.model import Basis, Cell, Change, Entity, Passage, StatementChange
from kg.names import DCTERMS, PEV, RDF_TYPE, RDFS, SKOS
from kg.release.opened import Release
from kg.release.wording import Wordings, called, capitalised, cell_of, entity_of, listed

# What is said of a thing: (link, value), with the strongest basis it has; None in a vocabulary.
Statements = Mapping[tuple[str, Term], Basis | None]
_Valued = Sequence[tuple[Term, Basis | None]]

_EVIDENCE = PEV + "evidence"
# A thing that is shown whole is named and classed already.
_NAMED = frozenset({RDF_TYPE, RDFS + "label", SKOS + "prefLabel", DCTERMS + "title"})
_RANKS: Mapping[Basis | None, int] = {**{basis: basis.rank for basis in Basis}, None: len(Basis)}
# Phrases that tell what once happened; "now" does not go with them.
_PAST = ("was ", "took ")


@dataclass(frozen=True)
class Described:
    """What two releases say of one thing; nothing where it is not described."""

    iri: str
    before: Statements
    after: Statements

    @property
    def change(self) -> Change:
        """Tells whether it came, went, or is described otherwise."""
        return "changed" if self.before and self.after else "added" if self.after else "removed"

    def came(self) -> Iterator[tuple[str, Term]]:
        """Yields what only the later release says."""
        return (statement for statement in self.after if statement not in self.before)

    def went(self) -> Iterator[tuple[str, Term]]:
        """Yields what only the earlier release says."""
        return (statement for statement in self.before if statement not in self.after)

    def shifted(self) -> Iterator[tuple[str, Term]]:
        """Yields what both say, on another basis."""
        both = (statement for statement in self.after if statement in self.before)
        return (statement for statement in both if self.before[statement] != self.after[statement])


class Narrator:
    """Tells what changed in some things, having looked up once what all the sentences name."""

    def __init__(self, before: Release, after: Release, things: Sequence[Described]) -> None:
        self._before = before
        self._after = after
        self._things = things
        self._wordings = (Wordings(after), Wordings(before))

    def tell(self, thing: Described) -> tuple[StatementChange, ...]:
        """Returns what changed in one of the things, the best founded first."""
        found = [*self._came_and_went(thing), *self._shifts(thing)]
        return tuple(sorted(found, key=lambda s: (rank_of(s.basis), s.label, s.sentence)))

    def _came_and_went(self, thing: Described) -> Iterator[StatementChange]:
        came, went = list(thing.came()), list(thing.went())
        shown_whole = thing.change != "changed"
        for link in sorted({link for link, _ in (*came, *went)}):
            gained = [(term, thing.after[link, term]) for name, term in came if name == link]
            lost = [(term, thing.before[link, term]) for name, term in went if name == link]
            if shown_whole and link in _NAMED:
                continue
            if link == _EVIDENCE:
                yield from self._passages(thing, gained, lost)
            elif self._phrase(link) is not None:
                yield from (self._link(thing, link, "added", *valued) for valued in gained)
                yield from (self._link(thing, link, "removed", *valued) for valued in lost)
            else:
                yield self._property(thing, link, gained, lost)

    # One sentence each

    def _link(self, thing: Described, link: str, change: Change, value: Term, basis: Basis | None) -> StatementChange:
        subject, phrase, other = self._called(thing.iri), self._phrase(link) or "", self._written(value)
        if thing.change == "added":
            sentence = f"{subject} {phrase} {other}"
        else:
            sentence = _timed("now" if change == "added" else "no longer", subject, phrase, other)
        return self._change(
            link, sentence, [(value, basis)] * (change == "added"), [(value, basis)] * (change == "removed")
        )

    def _property(self, thing: Described, link: str, gained: _Valued, lost: _Valued) -> StatementChange:
        subject, label = self._called(thing.iri), self._label(link)
        old, new = self._all_written(lost), self._all_written(gained)
        if old == new:
            # The same words in another language or of another datatype.
            old, new = (listed(sorted(str(term) for term, _ in valued)) for valued in (lost, gained))
        if gained and lost:
            sentence = f"the {label} of {subject} changed from {old} to {new}"
        elif lost:
            sentence = f"{subject} no longer has as {label} {old}"
        else:
            sentence = f"{subject} {'now has' if thing.change == 'changed' else 'has'} as {label} {new}"
        return self._change(link, sentence, gained, lost)

    def _passages(self, thing: Described, gained: _Valued, lost: _Valued) -> Iterator[StatementChange]:
        """Yields a sentence for each document of whose text passages were cut otherwise."""
        subject = self._called(thing.iri)
        new, old = self._by_document(thing, gained, 1), self._by_document(thing, lost, 0)
        for document in sorted({*new, *old}):
            now, then = new.get(document, []), old.get(document, [])
            place = f" of {self._called(document)}" if document else ""
            if now and then:
                sentence = f"the evidence of {subject} is cut anew: {_ranges(now)}{place}, before {_ranges(then)}"
                sentence += " of another copy of the text" if _texts(now) != _texts(then) else ""
            elif then:
                sentence = f"{subject} no longer rests on {_ranges(then)}{place}"
            else:
                sentence = f"{subject} {'now ' if thing.change == 'changed' else ''}rests on {_ranges(now)}{place}"
            cut = {passage.iri for passage in (*now, *then)}
            yield self._change(
                _EVIDENCE, sentence, *([v for v in side if _iri(v[0]) in cut] for side in (gained, lost))
            )
        told = {passage.iri for side in (new, old) for group in side.values() for passage in group}
        rest = [[v for v in side if _iri(v[0]) not in told] for side in (gained, lost)]
        if any(rest):
            # Passages that the release points at and does not describe have but their names.
            yield self._property(thing, _EVIDENCE, *rest)

    def _shifts(self, thing: Described) -> Iterator[StatementChange]:
        for link, value in thing.shifted():
            was, is_ = thing.before[link, value], thing.after[link, value]
            phrase = self._phrase(link) or f"has as {self._label(link)}"
            said = f"{self._called(thing.iri)} {phrase} {self._written(value)}"
            sentence = f"that {said} was {_basis(was)} and is now {_basis(is_)}"
            yield self._change(link, sentence, [(value, is_)], [(value, was)])

    def _change(self, link: str, sentence: str, gained: _Valued, lost: _Valued) -> StatementChange:
        change: Change = "changed" if gained and lost else "added" if gained else "removed"
        after, before = _strongest(gained), _strongest(lost)
        return StatementChange(
            change,
            link,
            self._label(link),
            after if gained else before,
            before if change == "changed" else None,
            self._cells(lost),
            self._cells(gained),
            capitalised(sentence) + ("" if sentence.endswith((".”", "?”", "!”")) else "."),
        )

    # What things are called

    def _phrase(self, link: str) -> str | None:
        return next((p for p in (w.phrase(link) for w in self._wordings) if p is not None), None)

    def _label(self, link: str) -> str:
        known = next((w for w in self._wordings if w.phrase(link) is not None), self._wordings[0])
        return known.wording(link).label

    def _called(self, iri: str) -> str:
        return called(entity_of(iri, self._entities, self._after.library.prefixes))

    def _written(self, term: Term) -> str:
        return self._called(term.value) if isinstance(term, NamedNode) else f"“{getattr(term, 'value', term)}”"

    def _all_written(self, valued: _Valued) -> str:
        return listed(sorted(self._written(term) for term, _ in valued)) if valued else ""

    def _cells(self, valued: _Valued) -> tuple[Cell, ...]:
        return tuple(cell_of(term, self._entities) for term in sorted((term for term, _ in valued), key=str))

    @cached_property
    def _entities(self) -> dict[str, Entity]:
        differing = (s for t in self._things for part in (t.came(), t.went(), t.shifted()) for s in part)
        iris = {thing.iri for thing in self._things} | {
            term.value for _, term in differing if isinstance(term, NamedNode)
        }
        iris |= {passage.document for side in self._cut for passages in side.values() for passage in passages}
        return self._before.search.entities(iris) | self._after.search.entities(iris)

    # Passages

    @cached_property
    def _cut(self) -> tuple[dict[str, tuple[Passage, ...]], dict[str, tuple[Passage, ...]]]:
        """The passages on which the things rest: before, and after."""
        moved = (t for t in self._things if any(link == _EVIDENCE for link, _ in (*t.came(), *t.went())))
        iris = [thing.iri for thing in moved]
        before, after = (read_passages(r.source, r.library, iris) for r in (self._before, self._after))
        return before, after

    def _by_document(self, thing: Described, valued: _Valued, side: int) -> dict[str, list[Passage]]:
        wanted = {_iri(term) for term, _ in valued}
        found: dict[str, list[Passage]] = {}
        for passage in self._cut[side].get(thing.iri, ()):
            if passage.iri in wanted:
                found.setdefault(passage.document, []).append(passage)
        return found


def _timed(time: str, subject: str, phrase: str, other: str) -> str:
    """Returns the sentence of a link that holds now, or no longer.

    >>> _timed("no longer", "the plan", "is directed to", "COSLA")
    'the plan is no longer directed to COSLA'
    >>> _timed("now", "the meeting", "took place in", "Leeds")
    'it is now recorded that the meeting took place in Leeds'
    """
    if phrase.startswith(_PAST):
        return f"it is {time} recorded that {subject} {phrase} {other}"
    if phrase.startswith("is "):
        return f"{subject} is {time} {phrase[3:]} {other}"
    return f"{subject} {time} {phrase} {other}"


def _ranges(passages: Iterable[Passage]) -> str:
    return "characters " + listed([f"{passage.start} to {passage.end}" for passage in passages])


def _texts(passages: Iterable[Passage]) -> set[str]:
    return {passage.text_sha256 for passage in passages}


def _iri(term: Term) -> str:
    return term.value if isinstance(term, NamedNode) else ""


def rank_of(basis: Basis | None) -> int:
    """Returns the place of a basis in the order of trust; what belongs to a vocabulary comes last."""
    return _RANKS[basis]


def _strongest(valued: _Valued) -> Basis | None:
    return min((basis for _, basis in valued), key=rank_of, default=None)


def _basis(basis: Basis | None) -> str:
    return "part of the vocabulary" if basis is None else basis.value
