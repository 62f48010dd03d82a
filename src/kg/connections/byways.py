"""The surroundings of two things without the crowd behind hubs.

A hub has links by the ten thousand, and passing through it costs so much that the best paths
seldom pass two. So its links are not looked through: a hub is met from both sides, by the links of
the others. What is seen this way holds every path but those that pass two hubs with something
between that neither side has seen (or that begin or end at a hub, and pass another so). What such a
path costs at least is known, and as long as it is more than the paths that were found, nothing is
missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np
from numpy.typing import NDArray

from kg.connections.bounds import Bounds
from kg.connections.compact import Compact
from kg.connections.costs import BASIS_COST, NEVER, Costs, hub_cost
from kg.connections.network import Field, Flags, Network, Steps, distinct
from kg.connections.reach import FAR, Reach
from kg.connections.threads import Least
from kg.release.arrays import Ints

# New nodes that are fewer than this part of all are sorted; else all are read through.
_SORTED_PART = 8


class Unsure(Exception):
    """What is seen does not tell whether the best paths are among it."""


class Side:
    """What is seen from one end when the links of hubs are not looked through."""

    def __init__(self, network: Network, end: int, hubs: Flags, *, back: bool) -> None:
        self._network, self._hubs, self._back = network, hubs, back
        self.level: NDArray[np.int8] = np.full(network.node_count, FAR, dtype=np.int8)
        self.level[end] = 0
        self.steps: list[Steps] = []
        self._frontier: Ints = np.array([end], dtype=np.int32)
        self._reached: list[Ints] = [self._frontier]

    @property
    def reached(self) -> Ints:
        """The nodes seen, each once."""
        return np.concatenate(self._reached)

    @property
    def counts(self) -> list[int]:
        """How many nodes were seen first at each level."""
        return [len(nodes) for nodes in self._reached if len(nodes)]

    def nearest_hub(self) -> int:
        """Returns how many hops the nearest hub is away, FAR when none was seen."""
        reached = self.reached
        return int(self.level[reached[self._hubs[reached]]].min(initial=FAR))

    def least(self, nodes: Ints) -> Ints:
        """Returns how many hops nodes are away at least: more than one level is sure only without hubs."""
        level = self.level[nodes].astype(np.int16)
        return np.where(level <= 1, level, 1 if self._hubs[self._reached[0]][0] else 2)

    def grow(self, most: int) -> None:
        """Looks one level further.

        Raises:
            Unsure: there are more links to look at than `most`.
            Exhausted: the budget does not reach.
        """
        quiet = self._frontier[~self._hubs[self._frontier]]
        if self._network.work(quiet) > most:
            raise Unsure
        steps = self._network.around(quiet, back=self._back)
        # As one walks them, whichever side they were seen from.
        self.steps.append(Steps(steps.node, steps.link, steps.at) if self._back else steps)
        depth = len(self.steps)
        new = steps.node[self.level[steps.node] == FAR]
        self.level[new] = depth
        few = len(new) < len(self.level) // _SORTED_PART
        self._frontier = distinct(new) if few else np.flatnonzero(self.level == depth).astype(np.int32)
        self._reached.append(self._frontier)


@dataclass
class Byways:
    """The part of a network around two nodes in which hubs are only met.

    Args:
        hubs: a flag for each node whose links are not looked through.
        crossings: the steps between two hubs, which neither side would see.
        most: how many links one level may take.
    """

    network: Network
    start: int
    goal: int
    hubs: Flags
    crossings: Steps
    most: int

    def __post_init__(self) -> None:
        self.reach: Reach | None = None
        self._found: list[Steps] = []
        self._beside: list[Ints] = []
        self._uncovered: dict[tuple[int, int], int] = {}
        self.ahead = Side(self.network, self.start, self.hubs, back=False)
        self.behind = Side(self.network, self.goal, self.hubs, back=True)

    def distance(self, max_hops: int) -> int | None:
        """Returns the hops of a shortest path, None when it is not to be told from here.

        Raises:
            Unsure, Exhausted: as `Side.grow`.
        """
        for hops in range(1, max_hops + 1):
            # All that is seen of a path: its hops up to the first hub, and those from the last.
            self._look(hops)
            seen = self._seen_distance()
            if seen <= hops:
                return None if self._hidden_distance() < seen else seen
        return None

    def least(self) -> tuple[Least, Least]:
        """Returns how far nodes are from start and goal at least."""
        return self.ahead.least, self.behind.least

    def field(self, hops: int) -> tuple[Compact, int, int]:
        """Returns what is seen of the paths of at most so many hops, and start and goal in it.

        Raises:
            Unsure, Exhausted: as `Side.grow`.
        """
        self._look(hops)
        parts = [*self.ahead.steps, *self.behind.steps, *self._found, self.crossings]
        steps = Steps(*map(np.concatenate, zip(*parts, strict=True)))
        useful = np.flatnonzero((steps.node != self.start) & (steps.at != self.goal))
        seen = [self.ahead.reached, self.behind.reached, self.crossings.at, self.crossings.node, *self._beside]
        names = distinct(np.concatenate(seen))
        number = np.empty(self.network.node_count, dtype=np.int32)
        number[names] = np.arange(len(names), dtype=np.int32)
        steps = Steps(number[steps.at[useful]], steps.link[useful], number[steps.node[useful]])
        start, goal = int(number[self.start]), int(number[self.goal])
        return Compact(self.network, steps, names, start, goal), start, goal

    def uncover(self, bounds: Bounds, cost: int) -> bool:
        """Adds to what is seen whatever paths of at most that cost may pass, and tells whether there was any.

        Raises:
            Unsure: it would be too much.
            Exhausted: the budget does not reach.
        """
        names = bounds.field.names(np.arange(bounds.field.node_count, dtype=np.int32))
        if self._cheapest_hidden() > cost:
            return False
        hubs = np.flatnonzero(self.hubs[names]).astype(np.int32)
        before = [costs[hubs] for costs in _costs_from_start(bounds.field, bounds.start, bounds.hops - 2)]
        if _least_between(before, bounds, hubs, cost, between=3):
            raise Unsure
        # What lies between may cost as much as is left when all else costs as little as it can.
        left = {
            (int(names[hubs[one]]), int(names[hubs[other]])): cost - least + hub_cost(2)
            for (one, other), least in _least_between(before, bounds, hubs, cost, between=2).items()
        }
        new = {pair: most for pair, most in left.items() if most > self._uncovered.get(pair, -1)}
        self._uncovered.update(new)
        if self.network.work(np.array(sorted({hub for pair in new for hub in pair}), dtype=np.int32)) > self.most:
            raise Unsure
        self._between(new)
        return bool(new)

    def _cheapest_hidden(self) -> int:
        """Returns what a path costs at the very least that passes two hubs and something hidden between them."""
        passed = 2 - int(self.hubs[self.start]) - int(self.hubs[self.goal])
        return (2 + passed) * BASIS_COST[0] + hub_cost(2) + passed * int(self.network.node_cost[self.hubs].min())

    def _between(self, pairs: Mapping[tuple[int, int], int]) -> None:
        """Adds the steps over what lies between two hubs and costs at most so much, for each pair of them."""
        seen = np.zeros(self.network.node_count, dtype=np.bool_)
        for first, group in groupby(sorted(pairs), key=lambda pair: pair[0]):
            out = self.network.around(np.array([first], dtype=np.int32), back=False)
            seen[out.node] = True
            for pair in group:
                into = self.network.around(np.array([pair[1]], dtype=np.int32), back=True)
                common = into.kept(seen[into.node] & (self.network.node_cost[into.node] <= pairs[pair]))
                self._found += [Steps(common.node, common.link, common.at), out.kept(np.isin(out.node, common.node))]
                self._beside.append(common.node)
            seen[out.node] = False

    def _look(self, hops: int) -> None:
        # Whoever stands beside a hub that is an end is seen from the other end alone.
        far = hops - 1 if self.hubs[self.start] or self.hubs[self.goal] else max(hops - 2, 0)
        for side in (self.ahead, self.behind):
            while len(side.steps) <= far:
                side.grow(self.most)

    def _seen_distance(self) -> int:
        met = self.ahead.reached
        met = met[self.behind.level[met] < FAR]
        found = self.ahead.level[met].astype(int) + self.behind.level[met]
        over = self.ahead.level[self.crossings.at].astype(int) + 1 + self.behind.level[self.crossings.node]
        return int(min(found.min(initial=int(FAR)), over.min(initial=int(FAR))))

    def _hidden_distance(self) -> int:
        return self.ahead.nearest_hub() + self.behind.nearest_hub() + 2


def _least_between(
    before: Sequence[Costs], bounds: Bounds, hubs: Ints, cost: int, *, between: int
) -> dict[tuple[int, int], int]:
    """Returns what a path costs at least that passes one hub and then another, with so many hops between.

    Returns:
        The cost by the places of both in `hubs`, where it is not over `cost`.
    """
    found: dict[tuple[int, int], int] = {}
    hidden = between * BASIS_COST[0] + (between - 1) * hub_cost(2)
    for passed in range(bounds.hops - between + 1):
        here = before[passed].astype(np.int32)
        there = bounds.entering[0][bounds.hops - passed - between][hubs].astype(np.int32)
        ones = np.flatnonzero(here + hidden + there.min(initial=NEVER) <= cost)
        others = np.flatnonzero(here.min(initial=NEVER) + hidden + there <= cost)
        for one, other in product(ones.tolist(), others.tolist()):
            least = int(here[one] + hidden + there[other])
            if one != other and least <= cost:
                found[one, other] = min(least, found.get((one, other), least))
    return found


def _costs_from_start(field: Field, start: int, hops: int) -> list[NDArray[np.int16]]:
    """Returns what it costs at least to have come to each node, in at most 0, 1, 2 … hops."""
    cost = np.full(field.node_count, NEVER, dtype=np.int16)
    cost[start] = 0
    # Backwards the other way round: all there are, in whatever order costs least.
    steps = field.around(np.arange(field.node_count, dtype=np.int32), back=True)
    steps = Steps(steps.node, steps.link, steps.at)
    price = field.link_cost[steps.link] + field.node_cost[steps.node]
    found = [cost]
    for _ in range(hops):
        cost = cost.copy()
        np.minimum.at(cost, steps.node, found[-1][steps.at] + price)
        found.append(cost)
    return found
