"""Two releases compared in domain words: which things came, went or are described otherwise.

The digests in the manifests tell which graphs differ. Only these are read, as text, and only to
learn which things they describe otherwise; of these things everything is then read from both
releases, so that what merely stands in another graph with the same basis is no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from pyoxigraph import NamedNode

from kg.engines.source import Request, Term
from kg.library import Question
from kg.model import Basis, Change, Diff, Entity, KindChange, ThingChange
from kg.names import GRAPH, INFERRED_GRAPH, OA, PEV, PROV, RDF_TYPE, RDFS, folded
from kg.release.arrays import BASIS_OF_KIND
from kg.release.opened import Release
from kg.release.search import kind_of
from kg.release.sentences import Described, Narrator, Statements, rank_of
from kg.release.wording import capitalised, counted, entity_of, lowered, words_of_name

# How many things are asked about at once.
_BATCH = 500
# A passage that came or went is told by what rests on it.
_TOLD_BY_OTHERS = frozenset({PEV + "Passage", OA + "TextPositionSelector"})
_NOUNS = {PROV + "Bundle": "named graph", RDFS + "Resource": "thing"}
_CHANGES: tuple[Change, ...] = ("added", "removed", "changed")


def compare(before: Release, after: Release, limit: int, most: int) -> Diff:
    """Returns what tells a release from an earlier one (or any from any other).

    Args:
        limit: how many things are shown with their statements.
        most: how many things are looked at; of what differs beyond, only the graphs are named.

    Raises:
        LimitError: a graph that differs is larger than an answer may be.
        SourceError: a store failed.
    """
    graphs = _differing(before, after, "graphs")
    touched, complete = _touched(before, after, graphs, most)
    things = list(_things(before, after, touched))
    known = _entities(before, after, [thing.iri for thing in things])
    kinds = _kinds(before, after, things)
    things.sort(key=lambda thing: _order(thing, known[thing.iri]))
    narrator = Narrator(before, after, things[:limit])
    questions = _differing(before, after, "queries")
    context_changed = before.directory.manifest.get("context") != after.directory.manifest.get("context")
    return Diff(
        before.id,
        after.id,
        _summary(before.id == after.id, kinds, graphs, questions, context_changed, complete),
        kinds,
        graphs,
        {name.removesuffix(".rq"): change for name, change in questions.items()},
        context_changed,
        tuple(ThingChange(thing.change, _shown(thing, known, after), narrator.tell(thing)) for thing in things[:limit]),
        len(things),
        complete,
    )


def _differing(before: Release, after: Release, part: str) -> dict[str, Change]:
    """Returns the entries of a part of the manifests that differ, by name, the derived graph last."""
    then, now = _entries(before, part), _entries(after, part)
    names = sorted({*then, *now}, key=lambda name: (name == INFERRED_GRAPH, name))
    return {name: _change(name in then, name in now) for name in names if then.get(name) != now.get(name)}


def _entries(release: Release, part: str) -> Mapping[str, object]:
    """Returns what a manifest tells of each graph or query."""
    return cast(Mapping[str, object], release.directory.manifest.get(part, {}))


def _change(before: bool, after: bool) -> Change:
    return "changed" if before and after else "added" if after else "removed"


def _touched(before: Release, after: Release, graphs: Iterable[str], most: int) -> tuple[list[str], bool]:
    """Returns the things that the graphs describe otherwise, and whether these are all."""
    found: set[str] = set()
    for graph in graphs:
        if len(found) >= most:
            return sorted(found)[:most], False
        # A statement is a line, and its subject the first of its three columns.
        lines = _lines(before, graph) ^ _lines(after, graph)
        found |= {line.partition(b"\t")[0].decode()[1:-1] for line in lines}
    return sorted(found)[:most], len(found) <= most


def _lines(release: Release, graph: str) -> set[bytes]:
    if graph not in _entries(release, "graphs"):
        return set()
    query = release.library.program("graph-triples").bound({"graph": [[NamedNode(graph)]]})
    return set(release.source.reply(Request(query), "text/tab-separated-values").splitlines()[1:])


def _things(before: Release, after: Release, touched: Sequence[str]) -> Iterator[Described]:
    """Yields those of the things that differ."""
    then, now = _Reader(before, other=after), _Reader(after, other=before)
    for at in range(0, len(touched), _BATCH):
        some = touched[at : at + _BATCH]
        earlier, later = then.statements(some), now.statements(some)
        for iri in some:
            thing = Described(iri, earlier.get(iri, {}), later.get(iri, {}))
            told_by_others = thing.change != "changed" and _kind(thing) in _TOLD_BY_OTHERS
            if thing.before != thing.after and not told_by_others:
                yield thing


class _Reader:
    """Reads what a release says of things.

    Args:
        other: holds the queries where the release, of an earlier version, does not.
    """

    def __init__(self, release: Release, other: Release) -> None:
        self._source = release.source
        self._held = release.library, other.library
        rows = self._source.select(self._program("graph-kinds").text).rows
        ranks = {_value(graph): BASIS_OF_KIND[_value(kind)] for graph, kind in rows}
        self._bases = {graph: list(Basis)[rank] for graph, rank in ranks.items()}

    def _program(self, name: str) -> Question:
        first, second = self._held
        return (first if name in first.questions else second).program(name)

    def statements(self, iris: Iterable[str]) -> Mapping[str, Statements]:
        """Returns what is said of things, by IRI: each statement with the strongest basis it has."""
        query = self._program("statements-about").bound({"thing": [[NamedNode(iri)] for iri in iris]})
        found: dict[str, dict[tuple[str, Term], Basis | None]] = {}
        for thing, link, value, graph in self._source.select(query).rows:
            assert value is not None
            statements, statement = found.setdefault(_value(thing), {}), (_value(link), value)
            bases = statements.get(statement), self._bases.get(_value(graph))
            statements[statement] = min(bases, key=rank_of)
        return found


def _value(term: Term | None) -> str:
    assert isinstance(term, NamedNode)
    return term.value


def _kind(thing: Described) -> str | None:
    """Returns the class of a thing, with which it is shown."""
    statements = thing.after or thing.before
    types = [term.value for link, term in statements if link == RDF_TYPE and isinstance(term, NamedNode)]
    return kind_of(types) if types else None


def _entities(before: Release, after: Release, iris: Collection[str]) -> dict[str, Entity]:
    """Returns what things are called, in the later release where it knows them."""
    known = before.search.entities(iris) | after.search.entities(iris)
    return {iri: entity_of(iri, known, after.library.prefixes) for iri in iris}


def _shown(thing: Described, known: Mapping[str, Entity], release: Release) -> Entity:
    """Returns a thing as it is listed; the class of one without a label is told by what is said of it."""
    entity, kind = known[thing.iri], _kind(thing)
    return entity if entity.type or kind is None else replace(entity, type=release.library.prefixes.curie(kind))


def _order(thing: Described, entity: Entity) -> tuple[object, ...]:
    """Sorts things of our own classes first, then by class, change and label."""
    kind = _kind(thing) or ""
    return not kind.startswith(PEV), kind, _CHANGES.index(thing.change), folded(entity.label), thing.iri


def _kinds(before: Release, after: Release, things: Iterable[Described]) -> tuple[KindChange, ...]:
    counts = Counter((_counted_as(thing), thing.change) for thing in things)
    kinds = sorted({kind for kind, _ in counts}, key=lambda kind: (not kind.startswith(PEV), kind))
    known = _entities(before, after, kinds)
    return tuple(
        KindChange(known[kind].curie, _noun(known[kind]), *(counts[kind, change] for change in _CHANGES))
        for kind in kinds
    )


def _counted_as(thing: Described) -> str:
    """Returns the class as which a thing is counted; a named graph is one whatever else it is."""
    return PROV + "Bundle" if thing.iri.startswith(GRAPH) else _kind(thing) or RDFS + "Resource"


def _noun(kind: Entity) -> str:
    return lowered(kind.label) if kind.label != kind.curie else _NOUNS.get(kind.iri) or words_of_name(kind.iri)


def _summary(
    same: bool,
    kinds: Sequence[KindChange],
    graphs: Mapping[str, Change],
    questions: Mapping[str, Change],
    context_changed: bool,
    complete: bool,
) -> str:
    if same:
        return "The two are the same release."
    parts = [
        _counts(kind.label, {"added": kind.added, "removed": kind.removed, "changed": kind.changed}) for kind in kinds
    ]
    if not kinds and complete:
        parts.append("the graphs say the same" if not graphs else "every statement is the same, in other graphs")
    if questions:
        parts.append(_counts("question", Counter(questions.values())))
    if context_changed:
        parts.append("the prefixes and terms of JSON-LD changed")
    if not complete:
        parts.append(f"and more: {counted(len(graphs), 'graph')} differ, and not all were looked at")
    return capitalised("; ".join(parts)) + "."


def _counts(noun: str, counts: Mapping[Change, int]) -> str:
    """Returns such as `2 barriers added, 1 changed`."""
    present = [(counts.get(change, 0), change) for change in _CHANGES if counts.get(change, 0)]
    (number, change), *others = present
    return ", ".join([f"{counted(number, noun)} {change}", *(f"{number} {change}" for number, change in others)])
