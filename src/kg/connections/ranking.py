"""Paths in the order of what they cost, each as it is asked for, without making the others.

Best first (A*), with the bounds as what is still to come. The steps from a node are sorted once,
and only the first of them is waiting at a time; when it is taken, the next one comes in its place
(as in Eppstein's algorithm). So a hub with ten thousand links costs one sort.

Equal costs are ordered by the nodes along the way, which are numbered in the order of their IRIs.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from kg.connections.bounds import Bounds
from kg.connections.costs import NEVER
from kg.connections.network import Budget, Steps, distinct
from kg.release.arrays import Ints

# So many steps from a node are sorted at first; the rest only when these are used up.
_SORTED_FIRST = 32
# What a path begun counts in the budget of links: it takes as long as to look at so many.
_LINKS_A_PATH = 100


@dataclass(frozen=True)
class Way:
    """A path as numbers: what it costs, its nodes, and the link of each hop."""

    cost: int
    nodes: tuple[int, ...]
    links: tuple[int, ...]


class _Step(NamedTuple):
    """A step that may come next: its cost, what is then at least still to come, and where it leads."""

    cost: int
    least: int
    node: int
    name: int
    link: int


class _Next:
    """The steps from a node, the most promising first, for each neighbour the best link."""

    def __init__(self, steps: Steps, least: Ints, bounds: Bounds) -> None:
        self._steps, self._least, self._bounds = steps, least, bounds
        self._sorted: list[_Step] = []
        self._whole = False

    def step(self, number: int) -> _Step | None:
        """Returns the step of that number, None behind the last."""
        while number >= len(self._sorted) and not self._whole:
            self._sort(_SORTED_FIRST if not self._sorted else None)
        return self._sorted[number] if number < len(self._sorted) else None

    def _sort(self, most: int | None) -> None:
        steps, least = self._steps, self._least
        self._whole = most is None or len(least) <= most
        if most is not None and not self._whole:
            # With all that are equal to the last, so that what is left out comes behind.
            first = np.flatnonzero(least <= np.partition(least, most)[most])
            steps, least = steps.kept(first), least[first]
        order = np.lexsort((steps.link, steps.node, least))
        self._sorted = self._unique(steps.kept(order), least[order])

    def _unique(self, steps: Steps, least: Ints) -> list[_Step]:
        names = self._bounds.field.names(steps.node)
        price = self._bounds.field.link_cost[steps.link].astype(np.int32)
        inner = steps.node != self._bounds.goal
        price += np.where(inner, self._bounds.field.node_cost[steps.node], 0)
        rows = zip(
            price.tolist(), least.tolist(), steps.node.tolist(), names.tolist(), steps.link.tolist(), strict=True
        )
        best: dict[int, _Step] = {}
        for row in rows:
            if row[2] not in best:
                best[row[2]] = _Step._make(row)
        return list(best.values())


@dataclass
class Ranking:
    """The paths of a network, cheapest first.

    A path passes no node twice. Where bounds count walks that do, they are too low, which costs
    time but never the order. A walk of at most one hop more than a shortest one is always a path.

    Args:
        straight: the bounds are for such walks only.
    """

    bounds: Bounds
    budget: Budget
    straight: bool = True
    _known: dict[tuple[int, int, int], _Next] = field(default_factory=dict, init=False)

    def ways(self) -> Iterator[Way]:
        """Yields the paths.

        Raises:
            Exhausted: the budget does not reach.
        """
        start = self.bounds.start
        name = int(self.bounds.field.names(np.array([start]))[0])
        waiting: list[_Waiting] = []
        self._put_next(waiting, _Waiting(0, (name,), start, 0, 0, ()), 0)
        while waiting:
            self.budget.spend(_LINKS_A_PATH)
            taken = heapq.heappop(waiting)
            assert taken.elder is not None
            self._put_next(waiting, taken.elder, taken.number + 1)
            if taken.node == self.bounds.goal:
                yield Way(taken.cost, taken.names, taken.links)
            else:
                self._put_next(waiting, taken, 0)

    def _put_next(self, waiting: list[_Waiting], elder: _Waiting, number: int) -> None:
        """Puts the best step on from a way among those that wait, from a number on and to no node passed before."""
        steps = self._steps(elder)
        step = steps.step(number)
        while step is not None and step.name in elder.names:
            number += 1
            step = steps.step(number)
        if step is not None:
            heapq.heappush(waiting, elder.extended(step, number, self._stage(elder.stage, step.node)))

    def _stage(self, stage: int, node: int) -> int:
        stops = self.bounds.stops
        return stage + 1 if stage < len(stops) and node in stops[stage] else stage

    def _steps(self, way: _Waiting) -> _Next:
        left = self.bounds.hops - len(way.links)
        key = (way.node, left, way.stage)
        if key not in self._known:
            self._known[key] = self._found(way.node, left, way.stage)
        return self._known[key]

    def _found(self, node: int, left: int, stage: int) -> _Next:
        none = np.zeros(0, dtype=np.int32)
        if not left:
            return _Next(Steps(none, none, none), none, self.bounds)
        steps = self.bounds.field.around(np.array([node], dtype=np.int32), back=False)
        entering: Ints = self.bounds.entering[stage][left - 1][steps.node]
        useful = entering < NEVER
        steps, entering = steps.kept(useful), entering[useful].astype(np.int32)
        if not self.straight and left > 1 and not self.bounds.stops:
            entering = self._without_return(node, steps.node, entering, left)
            useful = entering < NEVER
            steps, entering = steps.kept(useful), entering[useful]
        least = self.bounds.field.link_cost[steps.link] + entering
        return _Next(steps, least, self.bounds)

    def _without_return(self, node: int, around: Ints, entering: Ints, left: int) -> Ints:
        """Returns what it costs at least to enter each neighbour of a node and not to come straight back."""
        field_, goal = self.bounds.field, self.bounds.goal
        ahead = field_.around(distinct(around[around != goal]), back=False)
        ahead = ahead.kept(ahead.node != node)
        onward = field_.link_cost[ahead.link] + self.bounds.entering[0][left - 2][ahead.node].astype(np.int32)
        best = np.full(field_.node_count, NEVER, dtype=np.int32)
        np.minimum.at(best, ahead.at, onward)
        dear = np.minimum(best[around] + field_.node_cost[around], NEVER)
        return np.where(around == goal, entering, dear)


@dataclass(slots=True)
class _Waiting:
    """The beginning of a path, and what the whole costs at least."""

    least: int
    names: tuple[int, ...]
    node: int
    cost: int
    stage: int
    links: tuple[int, ...]
    elder: _Waiting | None = None
    number: int = 0

    def __lt__(self, other: _Waiting) -> bool:
        return (self.least, self.names, self.node) < (other.least, other.names, other.node)

    def extended(self, step: _Step, number: int, stage: int) -> _Waiting:
        """Returns the path one step longer."""
        names, links = (*self.names, step.name), (*self.links, step.link)
        return _Waiting(self.cost + step.least, names, step.node, self.cost + step.cost, stage, links, self, number)
