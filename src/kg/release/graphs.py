"""The graphs of a store under work, and its default graph, which holds each triple of theirs once.

Whole graphs are compared as N-Triples, a line a triple, as the store writes it: equal triples are
equal lines, and no line has to become an object of Python before it is known to have changed.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse, serialize

from kg.names import INFERRED_GRAPH

INFERRED = NamedNode(INFERRED_GRAPH)
Value = NamedNode | Literal
Lines = Set[bytes]


@dataclass(frozen=True)
class Change:
    """What graphs gained and lost; a graph that is not named is what it was.

    Attributes:
        triples: every triple that some graph gained or lost.
    """

    graphs: frozenset[str]
    triples: frozenset[Triple]

    @cached_property
    def touched(self) -> frozenset[str]:
        """The IRIs of what is now described otherwise."""
        return frozenset(iri_of(triple.subject) for triple in self.triples)


def iri_of(term: object) -> str:
    """Returns the IRI of a subject; there are no blank nodes in a release."""
    assert isinstance(term, NamedNode), term
    return term.value


class Graphs:
    """The graphs of a store. What is derived is never also stated, and stands in `graph:inferred` alone."""

    def __init__(self, store: Store) -> None:
        self.store = store
        # Of each graph that was put: what it gained (True) and lost (False).
        self._changes: dict[str, dict[Triple, bool]] = {}

    def fill(self, files: Iterable[Sequence[Quad]], scratch: Path) -> None:
        """Adds the quads of files to a store that holds nothing yet; this is no change.

        Args:
            scratch: a file to use on the way. The bulk loader reads text, with no Python in between, in
                half the time that it takes over quads.
        """
        with scratch.open("wb") as text:
            for quads in files:
                serialize(quads, text, format=RdfFormat.N_QUADS)
                serialize((quad.triple for quad in quads), text, format=RdfFormat.N_TRIPLES)
        self.store.bulk_load(path=scratch, format=RdfFormat.N_QUADS)
        scratch.unlink()

    def add(self, quads: Sequence[Quad]) -> None:
        """Adds quads to their graphs; this is no change."""
        self.store.extend(quads)
        self.store.extend(Quad(*quad.triple) for quad in quads)

    def names(self) -> set[NamedNode]:
        """Returns the names of the graphs."""
        return {name for name in self.store.named_graphs() if isinstance(name, NamedNode)}

    def subjects(self, graph: NamedNode) -> set[str]:
        """Returns the IRIs of what a graph describes."""
        return {iri_of(quad.subject) for quad in self.store.quads_for_pattern(None, None, None, graph)}

    def lines(self, graph: NamedNode) -> frozenset[bytes]:
        """Returns what stands in a graph."""
        return self._derived if graph == INFERRED else _lines(self.store, graph)

    @cached_property
    def _derived(self) -> frozenset[bytes]:
        """The lines of the largest graph, which is looked at more than once."""
        return _lines(self.store, INFERRED)

    def merged(self) -> frozenset[bytes]:
        """Returns what stands in the default graph."""
        return _lines(self.store, DefaultGraph())

    def stated(
        self, subject: NamedNode | None = None, predicate: NamedNode | None = None, value: Value | None = None
    ) -> Iterator[Triple]:
        """Yields what stands in the default graph and was not derived."""
        for quad in self.store.quads_for_pattern(subject, predicate, value, DefaultGraph()):
            if _quad(quad.triple, INFERRED) not in self.store:
                yield quad.triple

    def put(self, graph: NamedNode, after: Lines) -> None:
        """Lets a graph hold just what these lines say; one that holds nothing is no longer there."""
        before = self.lines(graph)
        if graph == INFERRED:
            self._derived = frozenset(after)
        for triple in triples_of(before - after):
            self._remove(triple, graph)
        gained = triples_of(after - before)
        self.store.extend(_quad(triple, name) for triple in gained for name in (graph, DefaultGraph()))
        for triple in gained:
            self._note(triple, graph, gained=True)
        if graph != INFERRED:
            # What is stated now need not be derived any more.
            self.put(INFERRED, self.lines(INFERRED) - after)
        if not after:
            self.store.remove_graph(graph)

    def _remove(self, triple: Triple, graph: NamedNode) -> None:
        self.store.remove(_quad(triple, graph))
        held = self.store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        if all(isinstance(quad.graph_name, DefaultGraph) for quad in held):
            self.store.remove(_quad(triple, DefaultGraph()))
        self._note(triple, graph, gained=False)

    def _note(self, triple: Triple, graph: NamedNode, gained: bool) -> None:
        known = self._changes.setdefault(graph.value, {})
        if known.pop(triple, gained) == gained:
            known[triple] = gained

    @property
    def change(self) -> Change:
        """What was put, against what had been there."""
        changed = {graph: triples for graph, triples in self._changes.items() if triples}
        return Change(frozenset(changed), frozenset(triple for triples in changed.values() for triple in triples))

    def close(self) -> None:
        """Lets go of the store, which ends writing its files when nobody holds it; a second time does nothing."""
        vars(self).pop("store", None)


def _quad(triple: Triple, graph: NamedNode | DefaultGraph) -> Quad:
    return Quad(triple.subject, triple.predicate, triple.object, graph)


def lines_of(triples: Iterable[Triple]) -> frozenset[bytes]:
    """Returns triples as lines, in the form in which the store keeps them: it rewrites some literals."""
    store = Store()
    store.bulk_extend(Quad(*triple) for triple in triples)
    return _lines(store, DefaultGraph())


def _lines(store: Store, graph: NamedNode | DefaultGraph) -> frozenset[bytes]:
    content = io.BytesIO()
    store.dump(content, RdfFormat.N_TRIPLES, from_graph=graph)
    return frozenset(content.getvalue().splitlines())


def triples_of(lines: Iterable[bytes]) -> list[Triple]:
    """Returns the triples that lines say."""
    return [quad.triple for quad in parse(b"\n".join(lines), format=RdfFormat.N_TRIPLES)]


def digest(lines: Lines) -> str:
    """Returns the SHA-256 of a graph: of its sorted lines of N-Triples."""
    return sha256(b"".join(line + b"\n" for line in sorted(lines))).hexdigest()


def entry(lines: Lines) -> Mapping[str, str | int]:
    """Returns what a manifest tells of a graph."""
    return {"triples": len(lines), "sha256": digest(lines)}
