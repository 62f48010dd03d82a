"""How two things hang together: paths over the link arrays, explained.

The search runs from the goal first, level by level, to learn how far each node is from it; then
it walks from the start and keeps only steps that can still arrive in time. So every path it
touches is one it can return, and the middle of a path is never hidden.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.model import Basis
from kg.release.links import Ints, Links

# What a hop costs by its basis: a chain that is said is worth more than one that we stitched.
BASIS_COST = (1.0, 1.5, 2.0, 2.5)
# Passing through a thing with many links says less: its degree's logarithm, damped by this.
HUB_COST = 0.25
_FAR = np.int16(32_000)


@dataclass(frozen=True)
class Step:
    """A link walked from one node to the next."""

    link: int
    start: int
    end: int


@dataclass(frozen=True)
class Chain:
    """A path as numbers: its steps and what they cost."""

    steps: tuple[Step, ...]
    cost: float

    @property
    def score(self) -> float:
        """The worth of a path between 0 and 1: 1 for a cost of nothing, less the more it costs."""
        return round(1.0 / (1.0 + self.cost / 4.0), 4)

    @property
    def nodes(self) -> tuple[int, ...]:
        return (self.steps[0].start, *(step.end for step in self.steps))


@dataclass(frozen=True)
class Found:
    """What a search came back with.

    Attributes:
        chains: the paths, shortest first, among equals the cheaper first, then in the order of IRIs.
        reached: how many nodes lie within `max_hops` of the goal.
        complete: False when the budget of expansions ran out before the search was done.
        truncated: a further path within `max_hops` was left out.
        nearest: when there is no path, the nodes reached that are best known, the busiest first.
    """

    chains: tuple[Chain, ...]
    reached: int
    complete: bool
    truncated: bool
    nearest: tuple[int, ...] = ()


@dataclass
class PathSearch:
    """One search for paths between two nodes.

    Args:
        links: the link arrays.
        start, goal: node numbers, distinct.
        max_hops: the longest path that counts; a path of n nodes has n - 1 hops.
        limit: how many paths are returned at most.
        basis: which links may be walked.
        max_expansions: how many links may be looked at; a count, not a time, so that the same
            search gives the same answer on any machine.
    """

    links: Links
    start: int
    goal: int
    max_hops: int
    limit: int
    basis: frozenset[Basis]
    max_expansions: int
    _spent: int = field(default=0, init=False)

    def run(self) -> Found:
        """Returns the paths, best first."""
        distance = self._distances()
        reached = int((distance < _FAR).sum())
        shortest = int(distance[self.start])
        if shortest > self.max_hops:
            return Found((), reached, not self._exhausted, truncated=False, nearest=self._nearest(distance))
        chains: list[Chain] = []
        for length in range(shortest, self.max_hops + 1):
            chains += sorted(self._of_length(length, distance), key=self._order)
            if len(chains) > self.limit or self._exhausted:
                break
        kept = tuple(chains[: self.limit])
        truncated = len(chains) > len(kept) or self._exhausted
        return Found(kept, reached, not self._exhausted, truncated)

    @property
    def _exhausted(self) -> bool:
        return self._spent >= self.max_expansions

    def _distances(self) -> NDArray[np.int16]:
        """Returns for each node its distance from the goal, up to `max_hops`, level by level."""
        distance = np.full(self.links.node_count, _FAR, dtype=np.int16)
        distance[self.goal] = 0
        frontier = np.array([self.goal], dtype=np.int64)
        for level in range(1, self.max_hops + 1):
            around = self._around(frontier)
            frontier = np.unique(around[distance[around] == _FAR]).astype(np.int64)
            if not len(frontier) or self._exhausted:
                break
            distance[frontier] = level
        return distance

    def _around(self, nodes: Ints) -> Ints:
        """Returns the neighbours of many nodes at once, doubles included."""
        a = self.links.arrays
        out_links = _ranges(a["out_at"], nodes)
        in_links = a["in_link"][_ranges(a["in_at"], nodes)]
        self._spent += len(out_links) + len(in_links)
        out_kept = out_links[self._walkable[a["basis"][out_links]]]
        in_kept = in_links[self._walkable[a["basis"][in_links]]]
        return np.concatenate([a["object"][out_kept], a["subject"][in_kept]])

    @cached_property
    def _walkable(self) -> NDArray[np.bool_]:
        return np.array([basis in self.basis for basis in Basis])

    def _of_length(self, length: int, distance: NDArray[np.int16]) -> Iterator[Chain]:
        """Yields every chain of exactly that length, no node twice.

        They are ranked among themselves later, so none may be left out here.
        """
        stack: list[tuple[tuple[Step, ...], frozenset[int]]] = [((), frozenset({self.start}))]
        while stack and not self._exhausted:
            steps, seen = stack.pop()
            node, left = (steps[-1].end if steps else self.start), length - len(steps)
            for step in self._steps(node):
                if step.end in seen or int(distance[step.end]) > left - 1:
                    continue
                if step.end == self.goal:
                    if left == 1:
                        yield self._chain((*steps, step))
                elif left > 1:
                    stack.append(((*steps, step), seen | {step.end}))

    def _steps(self, node: int) -> list[Step]:
        """Returns the walkable links of a node, for each neighbour the best one."""
        a = self.links.arrays
        outward, inward = self.links.links_of(node)
        self._spent += len(outward) + len(inward)
        best: dict[int, tuple[float, int]] = {}
        for numbers, ends in ((outward, a["object"]), (inward, a["subject"])):
            for link in numbers.tolist():
                if not self._walkable[a["basis"][link]]:
                    continue
                end, cost = int(ends[link]), (self._link_cost(link), link)
                if end not in best or cost < best[end]:
                    best[end] = cost
        return [Step(link, node, end) for end, (_, link) in sorted(best.items())]

    def _link_cost(self, link: int) -> float:
        return BASIS_COST[int(self.links.arrays["basis"][link])]

    def _chain(self, steps: tuple[Step, ...]) -> Chain:
        inner = (step.end for step in steps[:-1])
        hubs = sum(HUB_COST * math.log2(max(self.links.degree(node), 1)) for node in inner)
        return Chain(steps, sum(self._link_cost(step.link) for step in steps) + hubs)

    @staticmethod
    def _order(chain: Chain) -> tuple[float, tuple[int, ...], tuple[int, ...]]:
        # Nodes and links are numbered in the order of their IRIs, so this order is that of names.
        return round(chain.cost, 9), chain.nodes, tuple(step.link for step in chain.steps)

    def _nearest(self, distance: NDArray[np.int16]) -> tuple[int, ...]:
        close = np.flatnonzero((distance < _FAR) & (distance > 0)).tolist()
        return tuple(sorted(close, key=lambda n: (int(distance[n]), -self.links.degree(n), n))[:5])


def _ranges(at: Ints, nodes: Ints) -> Ints:
    """Returns the numbers at[n] to at[n + 1] of every node n, one after the other."""
    starts = at[nodes].astype(np.int64)
    counts = at[nodes + 1].astype(np.int64) - starts
    offsets = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    numbers: Ints = offsets + np.arange(int(counts.sum()), dtype=np.int64)
    return numbers
