"""What stands in the way of a thing, upstream, as a graph with depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kg.analysis.chains import Chains, Upstream
from kg.analysis.independence import Independence
from kg.analysis.reading import Grounds, Reader
from kg.model import Basis, Entity, Link, Passage


@dataclass(frozen=True)
class Blocker:
    """A barrier that stands in the way: its nearest link, how far it is, and what it rests on.

    `depth` is how many links lead from the barrier to the goal; 1 is a barrier against the goal itself.
    """

    barrier: Entity
    depth: int
    link: str
    against: Entity
    basis: Basis
    origin: Entity | None
    evidence: tuple[Passage, ...]


@dataclass(frozen=True)
class Node:
    """A thing on a chain and how many links it is from the goal."""

    entity: Entity
    depth: int


@dataclass(frozen=True)
class ChainLink:
    """A link of a chain; `evidence` are the passages of the barrier that it belongs to."""

    from_: str
    link: str
    to: str
    basis: Basis
    origins: tuple[str, ...]
    evidence: tuple[Passage, ...]


@dataclass(frozen=True)
class Blockers:
    """What stands in the way of an entity: barriers, nearest first, and the graph of their chains.

    `total`, `origins` and `independent` count all barriers, also those beyond the limit; `complete` is
    False when chains may go on beyond `max_hops`.
    """

    release: str
    entity: Entity
    max_hops: int
    total: int
    origins: int
    independent: int
    complete: bool
    results: tuple[Blocker, ...]
    nodes: tuple[Node, ...]
    links: tuple[ChainLink, ...]
    truncated: bool


def blockers(
    reader: Reader, chains: Chains, independence: Independence, entity: Entity, max_hops: int, limit: int
) -> Blockers:
    """Returns the barriers upstream of an entity, the nearest first, then the best founded, then by label."""
    goal = reader.release.links.node(entity.iri)
    found = Upstream({}, {}, (), cut=False) if goal is None else chains.upstream(goal, max_hops)
    sources = independence.of_nodes(found.acts.keys())
    first = {b: reader.release.links.link(numbers[0]) for b, numbers in found.acts.items()}
    labels = reader.release.search.entities(link.subject for link in first.values())
    order = sorted(first, key=lambda b: (found.depth[b], first[b].basis.rank, _label(labels, first[b].subject), b))
    kept = order[:limit]
    links = [reader.release.links.link(number) for number in _links_of(found, kept, reader)]
    grounds = reader.grounds({iri for link in links for iri in (link.subject, link.object)})
    return Blockers(
        reader.release.id,
        entity,
        max_hops,
        len(order),
        sources.origins,
        sources.independent,
        not found.cut,
        tuple(_blocker(first[b], found.depth[b], grounds) for b in kept),
        _nodes(found, links, entity, reader, grounds),
        tuple(_chain_link(link, grounds) for link in links),
        len(order) > limit,
    )


def _label(labels: Mapping[str, Entity], iri: str) -> str:
    return labels[iri].label if iri in labels else iri


def _links_of(found: Upstream, barriers: Iterable[int], reader: Reader) -> list[int]:
    """Returns the links on the chains of some barriers, in their order."""
    a = reader.release.links.arrays
    acts = [number for barrier in barriers for number in found.acts[barrier]]
    reached = {int(a["object"][number]) for number in acts}
    ahead, kept = list(reached), set(acts)
    onward: dict[int, list[int]] = {}
    for number in found.serves:
        onward.setdefault(int(a["subject"][number]), []).append(number)
    while ahead:
        numbers = onward.get(ahead.pop(), [])
        kept |= set(numbers)
        new = {int(a["object"][number]) for number in numbers} - reached
        reached |= new
        ahead += new
    return sorted(kept)


def _nodes(found: Upstream, links: Iterable[Link], goal: Entity, reader: Reader, grounds: Grounds) -> tuple[Node, ...]:
    iris = {iri for link in links for iri in (link.subject, link.object)} | {goal.iri}
    numbers = {iri: reader.release.links.node(iri) for iri in iris}
    nodes = (
        Node(goal if iri == goal.iri else grounds.entity(iri), 0 if number is None else found.depth.get(number, 0))
        for iri, number in numbers.items()
    )
    return tuple(sorted(nodes, key=lambda node: (node.depth, node.entity.iri)))


def _blocker(link: Link, depth: int, grounds: Grounds) -> Blocker:
    return Blocker(
        grounds.entity(link.subject),
        depth,
        link.predicate,
        grounds.entity(link.object),
        link.basis,
        grounds.stated_in(link.subject),
        grounds.evidence(link.subject),
    )


def _chain_link(link: Link, grounds: Grounds) -> ChainLink:
    evidence = () if link.basis is Basis.REFERENCE else grounds.evidence(link.subject)
    return ChainLink(link.subject, link.predicate, link.object, link.basis, link.origins, evidence)
