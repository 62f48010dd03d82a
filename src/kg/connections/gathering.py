"""Which paths are the answer: those worth most among the candidates, and how many candidates there are.

Candidates are the paths up to one hop longer than a shortest one, and while these are fewer than
asked for, longer ones. Chains that one origin makes come first, each kind by what it costs, and a
shortest path is always among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from kg.connections.bounds import Bounds
from kg.connections.compact import Compact
from kg.connections.costs import NEVER
from kg.connections.network import Field, Network
from kg.connections.ranking import Ranking, Way
from kg.connections.reach import Meeting, Reach
from kg.connections.threads import Least, strands
from kg.connections.values import Mode
from kg.release.arrays import Ints


class Ground(Protocol):
    """What is searched for paths: all of a network, or what is seen of it."""

    network: Network
    start: int
    goal: int
    reach: Reach | None

    def least(self) -> tuple[Least, Least]:
        """Returns how far nodes are from start and goal at least."""

    def field(self, hops: int) -> tuple[Field, int, int]:
        """Returns what holds the paths of at most so many hops, and start and goal in it."""

    def uncover(self, bounds: Bounds, cost: int) -> bool:
        """Adds to what is seen whatever paths of at most that cost may pass, and tells whether there was any."""


@dataclass
class Whole:
    """All of a network, and how far each side has got in it."""

    network: Network
    meeting: Meeting

    def __post_init__(self) -> None:
        self.start, self.goal = self.meeting.ahead.origin, self.meeting.behind.origin
        self.reach: Reach | None = self.meeting.ahead

    def least(self) -> tuple[Least, Least]:
        """Returns how far nodes are from start and goal at least."""
        return self.meeting.ahead.least, self.meeting.behind.least

    def field(self, hops: int) -> tuple[Field, int, int]:
        """Returns the network."""
        del hops
        return self.network, self.start, self.goal

    def uncover(self, bounds: Bounds, cost: int) -> bool:
        """Returns that nothing is hidden."""
        del bounds, cost
        return False


@dataclass
class Gathering:
    """The paths that are the answer, gathered from a ground.

    Attributes:
        chosen: the best paths found so far.
        kept: the answer, None until it is known.
        distance: the hops of a shortest path.
        longest: no path with more hops was a candidate.
    """

    ground: Ground
    limit: int
    max_hops: int
    mode: Mode
    via: tuple[int, ...] = ()
    chosen: Chosen = field(default_factory=lambda: Chosen())
    kept: list[Way] | None = None
    distance: int | None = None
    longest: int = 0

    def run(self, least: int) -> bool:
        """Gathers the answer and tells whether a further path was left out.

        Args:
            least: the hops of a shortest walk; where things must be passed, a path may need more.

        Raises:
            Unsure: the ground does not tell.
            Exhausted: the budget does not reach.
        """
        lengths = range(least, self.max_hops + 1) if self.via else (least,)
        self.distance = next((n for n in lengths if not self.via or self._choose(n, 1, 1)), None)
        if self.distance is None:
            return False
        most = self.distance if self.mode is Mode.SHORTEST else self.max_hops
        length = most if self.mode is Mode.ALL else min(self.distance + 1, most)
        while True:
            count = self._choose(length, self.limit + 1, self.limit)
            if self.kept is None and (count >= self.limit or length == most):
                self._keep(self.distance, length)
            if count > self.limit or length == most:
                return count > self.limit
            length += 1

    def _keep(self, shortest: int, length: int) -> None:
        """Keeps the best of those chosen, a shortest one among them."""
        kept = self.chosen.ways[: self.limit]
        if all(len(way.links) > shortest for way in kept):
            chosen = self.chosen
            self._choose(shortest, 1, 1)
            kept[-1:] = self.chosen.ways[:1]
            self.chosen = chosen
        self.kept, self.longest = kept, length

    def _choose(self, length: int, wanted: int, count: int) -> int:
        """Chooses paths of at most `length` hops, of which the first `count` are the best; returns how many there are.

        Args:
            wanted: how many at most.
        """
        ground = self.ground
        self.chosen = Chosen()
        threads = strands(ground.network, (ground.start, ground.goal), ground.least(), length)
        if not threads.empty:
            bounds = self._bounds(threads, threads.start, threads.goal, length)
            self._take(bounds, self.chosen.single, wanted)
        left = wanted - len(self.chosen.single)
        while left:
            bounds = self._bounds(*ground.field(length), length)
            self.chosen.stitched.clear()
            self._take(bounds, self.chosen.stitched, left)
            if not ground.uncover(bounds, self._dearest(left, count - len(self.chosen.single))):
                break
        return len(self.chosen.ways)

    def _dearest(self, wanted: int, count: int) -> int:
        """Returns what a path may cost at most to be one of the best `count`; anything while there are too few."""
        costs = [way.cost for way in self.chosen.stitched.values()]
        return int(NEVER) - 1 if len(costs) < wanted else max(costs[: max(count, 0)], default=-1)

    def _bounds(self, searched: Field, start: int, goal: int, length: int) -> Bounds:
        reach = self.ground.reach if searched is self.ground.network else None
        return Bounds(searched, start, goal, tuple(self._nodes(searched, node) for node in self.via), length, reach)

    def _nodes(self, searched: Field, node: int) -> Ints:
        return searched.nodes_of(node) if isinstance(searched, Compact) else np.array([node], dtype=np.int32)

    def _take(self, bounds: Bounds, into: dict[tuple[int, ...], Way], wanted: int) -> None:
        straight = self.distance is not None and bounds.hops <= self.distance + 1 and not self.via
        ways: Iterator[Way] = Ranking(bounds, self.ground.network.budget, straight).ways()
        for way in ways:
            if way.nodes not in self.chosen.single:
                into[way.nodes] = way
                if len(into) == wanted:
                    return


@dataclass
class Chosen:
    """The best paths by the nodes they pass, in order."""

    single: dict[tuple[int, ...], Way] = field(default_factory=dict)
    stitched: dict[tuple[int, ...], Way] = field(default_factory=dict)

    @property
    def ways(self) -> list[Way]:
        return [*self.single.values(), *self.stitched.values()]
