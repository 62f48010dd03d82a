"""How far things are from each other: two searches, from either end, until they meet."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kg.connections.network import Network
from kg.release.arrays import Ints

FAR = np.int8(127)


@dataclass
class Reach:
    """What lies around one end, level by level.

    Attributes:
        level: for each node how many hops it is away; FAR for one that was not reached.
        counts: how many nodes were reached first at each level, the end itself at level 0.
    """

    network: Network
    origin: int
    back: bool
    level: NDArray[np.int8] = field(init=False)
    counts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.level = np.full(self.network.node_count, FAR, dtype=np.int8)
        self.level[self.origin] = 0
        self.counts = [1]
        self._frontier: Ints = np.array([self.origin], dtype=np.int32)

    @property
    def depth(self) -> int:
        """How many levels were looked at."""
        return len(self.counts) - 1

    @property
    def done(self) -> bool:
        """Whether there is nothing left to reach."""
        return not len(self._frontier)

    @property
    def work(self) -> int:
        """How many links the next level takes."""
        return self.network.work(self._frontier)

    def grow(self) -> Ints:
        """Reaches one level further and returns the nodes that are new.

        Raises:
            Exhausted: the budget does not reach.
        """
        node = self.network.around(self._frontier, back=self.back).node
        depth = len(self.counts)
        self.level[node[self.level[node] == FAR]] = depth
        self._frontier = np.flatnonzero(self.level == depth).astype(np.int32)
        if len(self._frontier):
            self.counts.append(len(self._frontier))
        return self._frontier

    def least(self, nodes: Ints) -> Ints:
        """Returns how many hops nodes are away at least."""
        level = self.level[nodes].astype(np.int16)
        return level if self.done else np.where(level == FAR, self.depth + 1, level)

    def within(self, hops: int) -> Ints:
        """Returns the nodes that are at most so many hops away, of those reached."""
        return np.flatnonzero(self.level <= hops).astype(np.int32)


@dataclass
class Meeting:
    """The searches from both ends, and how many hops a shortest walk between them has.

    The side that costs less grows. They first touch when their depths together make the distance.
    """

    ahead: Reach
    behind: Reach
    distance: int | None = None

    @classmethod
    def between(cls, network: Network, start: int, goal: int) -> Meeting:
        """Returns the searches before their first step."""
        return cls(Reach(network, start, back=False), Reach(network, goal, back=True))

    def search(self, max_hops: int) -> None:
        """Grows both until they meet, or until there is no walk of `max_hops`.

        Raises:
            Exhausted: the budget does not reach.
        """
        while self.distance is None and self.hops < max_hops and not (self.ahead.done or self.behind.done):
            side, other = sorted((self.ahead, self.behind), key=lambda reach: reach.work)
            new = side.grow()
            if len(new) and bool((other.level[new] < FAR).any()):
                self.distance = self.hops

    @property
    def hops(self) -> int:
        """How many hops both sides together have looked at."""
        return self.ahead.depth + self.behind.depth
