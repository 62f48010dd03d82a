"""Blocking chains: how barriers stand in the way of themes, initiatives and outcomes.

A blocking chain of a thing is read towards it. Its first link is a barrier's: it *blocks* something
(said), or *affects* it (judged, or inferred because the barrier is filed there). Every further link
says that this something serves the next: it is a narrower theme (`skos:broader`), a theme that is
matched to it exactly or closely, a part of it (`dcterms:isPartOf`), or an initiative that aims at it
(`pev:aimsAt`). Enablers are in no chain: they help, and nothing in the vocabulary blocks an enabler.

Rules conclude that a barrier affects what lies above what it blocks. Such a conclusion is no link of
a chain where the chain that it sums up is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.analysis.reading import Reader
from kg.model import Basis
from kg.names import DCTERMS, PEV, SKOS
from kg.release.arrays import Ints

ACTS = (PEV + "blocks", PEV + "affects")
SERVES = (
    SKOS + "broader",
    SKOS + "exactMatch",
    SKOS + "closeMatch",
    DCTERMS + "isPartOf",
    PEV + "aimsAt",
)


@dataclass(frozen=True)
class Upstream:
    """What stands in the way of a thing, as numbers of nodes and links.

    Attributes:
        depth: for each thing on a chain how many links it is from the goal; for each barrier likewise.
        acts: for each barrier its links, the nearest and best founded first.
        serves: the links between the things on the chains.
        cut: a chain may go on beyond the greatest depth.
    """

    depth: Mapping[int, int]
    acts: Mapping[int, tuple[int, ...]]
    serves: tuple[int, ...]
    cut: bool


class Chains:
    """The blocking chains of one release that are made of links of some basis."""

    def __init__(self, reader: Reader, basis: frozenset[Basis]) -> None:
        self._links = reader.release.links
        walkable = np.isin(self._links.arrays["basis"], [b.rank for b in basis])
        self.barriers = {n for iri in reader.members("Barrier") if (n := self._links.node(iri)) is not None}
        is_barrier = np.zeros(self._links.node_count, dtype=bool)
        is_barrier[sorted(self.barriers)] = True
        self._acts = self._mask(reader.links_of_type(*ACTS)) & walkable & is_barrier[self._links.arrays["subject"]]
        self._serves = self._mask(reader.links_of_type(*SERVES)) & walkable

    def _mask(self, numbers: Ints) -> NDArray[np.bool_]:
        found = np.zeros(self._links.link_count, dtype=bool)
        found[numbers] = True
        return found

    def edges_to(self, goal: int, gone: int | None) -> list[tuple[int, int]]:
        """Returns the chains to a thing, of any length, as pairs of nodes; one barrier is left out of them."""
        a = self._links.arrays
        found = self.upstream(goal, self._links.node_count)
        acts = [number for barrier, numbers in found.acts.items() if barrier != gone for number in numbers]
        return [(int(a["subject"][number]), int(a["object"][number])) for number in (*acts, *found.serves)]

    @cached_property
    def act_links(self) -> list[int]:
        """Every link by which a barrier begins a chain."""
        return np.flatnonzero(self._acts).tolist()

    def above(self, node: int) -> set[int]:
        """Returns what a thing serves, in one step or several; it is among them only within a ring."""
        found: set[int] = set()
        ahead = [node]
        while ahead:
            numbers = self._served_by(ahead.pop())
            new = set(self._links.arrays["object"][numbers].tolist()) - found
            found |= new
            ahead += new
        return found

    def _served_by(self, node: int) -> Ints:
        outward, _ = self._links.links_of(node)
        return outward[self._serves[outward]]

    def _serving(self, node: int) -> Ints:
        _, inward = self._links.links_of(node)
        return inward[self._serves[inward]]

    def _acting(self, node: int) -> Ints:
        _, inward = self._links.links_of(node)
        return inward[self._acts[inward]]

    def upstream(self, goal: int, max_hops: int) -> Upstream:
        """Returns what stands in the way of a thing, level by level, up to `max_hops` links away."""
        a = self._links.arrays
        depth, serves, frontier, cut = {goal: 0}, list[int](), [goal], False
        for level in range(1, max_hops + 1):
            around = [number for node in frontier for number in self._serving(node).tolist()]
            # What is as far away as a chain may reach can have no barrier within reach.
            if level == max_hops:
                cut = any(int(a["subject"][number]) not in depth for number in around)
                break
            serves += around
            frontier = sorted({int(a["subject"][number]) for number in around} - depth.keys())
            depth |= dict.fromkeys(frontier, level)
        return self._pruned(depth, serves, cut)

    def _pruned(self, depth: dict[int, int], serves: list[int], cut: bool) -> Upstream:
        """Returns the things that a barrier acts on, and what lies between them and the goal."""
        a = self._links.arrays
        acts = self._acts_on(depth, serves)
        kept = {int(a["object"][number]) for numbers in acts.values() for number in numbers}
        ahead = list(kept)
        outward: dict[int, list[int]] = {}
        for number in serves:
            outward.setdefault(int(a["subject"][number]), []).append(number)
        while ahead:
            above = {int(a["object"][number]) for number in outward.get(ahead.pop(), ())} - kept
            kept |= above
            ahead += above
        on_chains = tuple(sorted({n for n in serves if int(a["subject"][n]) in kept and int(a["object"][n]) in kept}))
        reached = {node: level for node, level in depth.items() if node in kept}
        barriers = {b: depth[int(a["object"][numbers[0]])] + 1 for b, numbers in acts.items()}
        return Upstream(reached | barriers, acts, on_chains, cut)

    def _acts_on(self, depth: Mapping[int, int], serves: list[int]) -> dict[int, tuple[int, ...]]:
        """Returns the links of each barrier that begin a chain to one of the things."""
        a = self._links.arrays
        best: dict[tuple[int, int], int] = {}
        for thing in depth:
            for number in self._acting(thing).tolist():
                pair = (int(a["subject"][number]), thing)
                if pair not in best or a["basis"][number] < a["basis"][best[pair]]:
                    best[pair] = number
        objects: dict[int, set[int]] = {}
        for barrier, thing in best:
            objects.setdefault(barrier, set()).add(thing)

        def nearest(number: int) -> tuple[int, int, int]:
            return depth[int(a["object"][number])], int(a["basis"][number]), number

        below = self._below_within(depth, serves)
        found: dict[int, list[int]] = {}
        for (barrier, thing), number in best.items():
            inferred = a["basis"][number] == Basis.INFERRED.rank
            if not (inferred and any(thing not in below[m] for m in below[thing] & objects[barrier])):
                found.setdefault(barrier, []).append(number)
        return {barrier: tuple(sorted(numbers, key=nearest)) for barrier, numbers in found.items()}

    def _below_within(self, depth: Mapping[int, int], serves: list[int]) -> dict[int, set[int]]:
        """Returns for each thing what serves it among the others, itself only within a ring."""
        a = self._links.arrays
        inward: dict[int, set[int]] = {}
        for number in serves:
            inward.setdefault(int(a["object"][number]), set()).add(int(a["subject"][number]))
        found: dict[int, set[int]] = {}
        for thing in depth:
            seen: set[int] = set()
            ahead = list(inward.get(thing, ()))
            while ahead:
                node = ahead.pop()
                if node not in seen:
                    seen.add(node)
                    ahead += inward.get(node, ())
            found[thing] = seen
        return found

    @cached_property
    def blockers(self) -> dict[int, dict[int, int]]:
        """For each thing the barriers with a chain to it, and how well founded the barrier's own link is (its rank)."""
        a = self._links.arrays
        above: dict[int, set[int]] = {}
        found: dict[int, dict[int, int]] = {}
        for number in self.act_links:
            barrier, thing, rank = (int(a[name][number]) for name in ("subject", "object", "basis"))
            if thing not in above:
                above[thing] = self.above(thing) | {thing}
            for goal in above[thing]:
                known = found.setdefault(goal, {})
                known[barrier] = min(rank, known.get(barrier, rank))
        return found
