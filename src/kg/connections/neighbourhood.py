"""What stands around a thing: how many links of which kind, and pages of them, from the link arrays.

A hub with tens of thousands of links is counted and paged without any of them becoming an object.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from kg.connections.explain import Explainer
from kg.connections.paths import Step
from kg.connections.values import Hop
from kg.model import Basis, Entity, Link, Relation, RelationCount
from kg.release.arrays import Ints
from kg.release.opened import Release

Direction = Literal["forward", "backward"]


@dataclass(frozen=True)
class Page:
    """Which links of a thing are asked for.

    Attributes:
        link: the IRI of their kind; None for all.
        direction: `forward` when the thing is the subject; None for both.
    """

    limit: int
    offset: int = 0
    link: str | None = None
    direction: Direction | None = None
    basis: frozenset[Basis] = field(default_factory=lambda: frozenset(Basis))


@dataclass(frozen=True)
class Around:
    """The links of one thing: counts of all, and those of a page."""

    total: int
    matching: int
    counts: tuple[RelationCount, ...]
    relations: tuple[Relation, ...]


class Neighbourhood:
    """The links around the things of one release."""

    def __init__(self, release: Release, explainer: Explainer) -> None:
        self._release = release
        self._explainer = explainer

    def around(self, iri: str, page: Page) -> Around:
        """Returns how many links a thing has of each kind, and a page of them, the best founded first."""
        node = self._release.links.node(iri)
        if node is None:
            return Around(0, 0, (), ())
        self._release.links.require(np.array([node], dtype=np.int32))
        outward, inward = self._release.links.links_of(node)
        forward = np.concatenate([np.ones(len(outward), dtype=bool), np.zeros(len(inward), dtype=bool)])
        numbers = np.concatenate([outward, inward])
        wanted = self._ordered(numbers[self._wanted(numbers, forward, page)])
        kept = [self._release.links.link(int(n)) for n in wanted[page.offset : page.offset + page.limit]]
        return Around(len(numbers), len(wanted), self._counts(numbers, forward), self._relations(iri, kept, page))

    def _wanted(self, numbers: Ints, forward: np.ndarray, page: Page) -> np.ndarray:
        a = self._release.links.arrays
        kept: np.ndarray = np.isin(a["basis"][numbers], [basis.rank for basis in page.basis])
        if page.link is not None:
            types = self._release.links.types
            kept &= a["type"][numbers] == (types.index(page.link) if page.link in types else -1)
        if page.direction is not None:
            kept &= forward == (page.direction == "forward")
        return kept

    def _ordered(self, numbers: Ints) -> Ints:
        # Nodes and kinds are numbered in the order of their IRIs, so this order is that of names.
        a = self._release.links.arrays
        order = np.lexsort([a[name][numbers] for name in ("object", "subject", "type", "basis")])
        ordered: Ints = numbers[order]
        return ordered

    def _counts(self, numbers: Ints, forward: np.ndarray) -> tuple[RelationCount, ...]:
        a, types, bases = self._release.links.arrays, self._release.links.types, list(Basis)
        keys = np.stack([a["type"][numbers].astype(np.int64), ~forward, a["basis"][numbers]], axis=1)
        found: dict[tuple[int, int], dict[Basis, int]] = {}
        for (type_, backward, basis), count in zip(*np.unique(keys, axis=0, return_counts=True), strict=True):
            found.setdefault((int(type_), int(backward)), {})[bases[int(basis)]] = int(count)
        return tuple(
            RelationCount(
                types[type_],
                self._explainer.wording(types[type_]).label,
                "backward" if backward else "forward",
                sum(by_basis.values()),
                by_basis,
            )
            for (type_, backward), by_basis in sorted(
                found.items(), key=lambda item: (min(item[1].items())[0].rank, item[0])
            )
        )

    def _relations(self, iri: str, links: Sequence[Link], page: Page) -> tuple[Relation, ...]:
        known = self._release.search.entities({end for link in links for end in (link.subject, link.object)})
        found = []
        for link in links:
            # A link from a thing to itself is found from both ends; it is shown as asked for.
            forward = link.subject == iri and not (link.object == iri and page.direction == "backward")
            other = link.object if forward else link.subject
            words = self._explainer.wording(link.predicate)
            entity = self._explainer.entity(other, known)
            direction: Direction = "forward" if forward else "backward"
            found.append(
                Relation(link.predicate, words.label, words.phrase, direction, entity, link.basis, link.origins)
            )
        return tuple(found)

    def between(self, iris: Collection[str], limit: int) -> tuple[tuple[Link, ...], bool]:
        """Returns the links between some things, and whether there are more than `limit`."""
        links = self._release.links
        nodes = sorted(links.nodes_of(set(iris)))
        links.require(np.array(nodes, dtype=np.int32), inward=False)
        every = map(links.outward, nodes)
        found = [outward[np.isin(links.arrays["object"][outward], nodes)] for outward in every]
        numbers = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
        return tuple(links.link(int(n)) for n in numbers[:limit]), len(numbers) > limit

    def outward(self, iris: Collection[str]) -> tuple[Link, ...]:
        """Returns the links that begin at some things."""
        links = self._release.links
        nodes = links.nodes_of(iris)
        links.require(np.array(nodes, dtype=np.int32), inward=False)
        return tuple(links.link(int(number)) for node in nodes for number in links.outward(node))

    def hops(self, triples: Collection[tuple[str, str, str]]) -> tuple[Hop, ...]:
        """Returns links with their sentences and passages; what is no link is left out."""
        links = self._release.links
        links.nodes_of({iri for subject, _, object_ in triples for iri in (subject, object_)})
        starts = links.nodes_of({subject for subject, _, _ in triples})
        links.require(np.array(starts, dtype=np.int32), inward=False)
        steps = [step for triple in triples if (step := self._step(*triple)) is not None]
        return self._explainer.hops(steps)

    def _step(self, subject: str, predicate: str, object_: str) -> Step | None:
        links = self._release.links
        start, end = links.node(subject), links.node(object_)
        if start is None or end is None or predicate not in links.types:
            return None
        a, kind, outward = links.arrays, links.types.index(predicate), links.outward(start)
        matching = outward[(a["object"][outward] == end) & (a["type"][outward] == kind)]
        return Step(int(matching[0]), start, end) if len(matching) else None

    def entities(self, iris: Collection[str]) -> tuple[Entity, ...]:
        """Returns what things are called, in the order in which they were named."""
        known = self._release.search.entities(set(iris))
        return tuple(self._explainer.entity(iri, known) for iri in dict.fromkeys(iris))
