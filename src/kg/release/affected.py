"""What a change of graphs reaches: whose links and words are to be read anew, and what is to be checked again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyoxigraph import DefaultGraph, Literal, NamedNode

from kg.release.graphs import Change, Graphs, iri_of


@dataclass(frozen=True)
class Affected:
    """The things, by IRI, that a change may concern.

    Attributes:
        described: those that are described otherwise than before.
        linked: those whose links may come from elsewhere now: also those that point at them, and all
            that stands in a graph that is described otherwise.
        near: those whose shape may be broken now: also those that point at them.
        far: those that a check may concern: also what is two steps up, one step down, shares a name,
            or is used as a term or graph.
    """

    described: frozenset[str]
    linked: frozenset[str]
    near: frozenset[str]
    far: frozenset[str]


def affected_by(change: Change, graphs: Graphs) -> Affected:
    """Returns what a change, made already, reaches."""
    described = change.touched
    near = described | _pointing_at(graphs, described)
    in_graphs = {iri for name in graphs.names() if name.value in near for iri in graphs.subjects(name)}
    named = {term.value for triple in change.triples for term in triple if isinstance(term, NamedNode)}
    far = near | _pointing_at(graphs, near) | named | change.graphs | _sharing_words(graphs, change)
    return Affected(described, near | in_graphs, near, far)


def _pointing_at(graphs: Graphs, iris: Iterable[str]) -> frozenset[str]:
    found = (graphs.store.quads_for_pattern(None, None, NamedNode(iri), DefaultGraph()) for iri in iris)
    return frozenset(iri_of(quad.subject) for quads in found for quad in quads)


def _sharing_words(graphs: Graphs, change: Change) -> frozenset[str]:
    """Returns what has the same words in the same property: two things may now have one name."""
    words = {(t.predicate, t.object) for t in change.triples if isinstance(t.object, Literal) and t.object.language}
    found = (graphs.store.quads_for_pattern(None, property_, text, DefaultGraph()) for property_, text in words)
    return frozenset(iri_of(quad.subject) for quads in found for quad in quads)
