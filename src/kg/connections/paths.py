"""How two things hang together: the paths that are worth most, over the link arrays.

The searches from both ends tell how long a shortest path is. Candidates are the paths up to one
hop longer, and while these are fewer than asked for, longer ones. They are ranked by what they
cost (`kg.connections.costs`), those that one origin makes from end to end before those that we
stitched; and a shortest one is always among them. Where links are parallel, a path counts once
for the nodes it passes, with the cheapest link at each hop; a chain that one origin makes, with
the cheapest of that origin's links.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from kg.connections.bounds import Bounds
from kg.connections.costs import Parts, hub_cost, origins_cost, score
from kg.connections.network import Allowed, Budget, Exhausted, Field, Network, Weighted
from kg.connections.ranking import Ranking, Way
from kg.connections.reach import FAR, Meeting
from kg.connections.threads import Strands
from kg.model import Mode
from kg.release.links import Links


@dataclass(frozen=True)
class Step:
    """A link walked from one node to the next."""

    link: int
    start: int
    end: int


@dataclass(frozen=True)
class Chain:
    """A path as numbers: its steps, what they cost, and whether one origin makes them all."""

    steps: tuple[Step, ...]
    parts: Parts
    single: bool

    @property
    def score(self) -> float:
        """The worth of the path, between 0 and 1."""
        return score(self.parts.cost, self.single)

    @property
    def nodes(self) -> tuple[int, ...]:
        return (self.steps[0].start, *(step.end for step in self.steps))


@dataclass(frozen=True)
class Found:
    """What a search came back with.

    Attributes:
        chains: the paths, best first.
        distance: the hops of a shortest path, None when none was found.
        longest: no path with more hops than this was a candidate.
        meeting: how far each side got.
        expanded: how many links were looked at.
        complete: False when the budget ran out before the search was done.
        truncated: a further path within `max_hops` was left out.
    """

    chains: tuple[Chain, ...]
    distance: int | None
    longest: int
    meeting: Meeting
    expanded: int
    complete: bool
    truncated: bool

    @property
    def reached(self) -> int:
        """How many nodes either side reached."""
        return int(((self.meeting.ahead.level < FAR) | (self.meeting.behind.level < FAR)).sum())


@dataclass
class PathSearch:
    """One search for paths between two nodes.

    Args:
        weighted: the links, with their costs.
        start, goal: node numbers, distinct.
        max_hops: the longest path that counts; a path of n nodes has n - 1 hops.
        limit: how many paths are returned at most.
        mode: the best, all shortest ones, or the best of all up to `max_hops`.
        allowed: what may be walked.
        via: nodes that every path passes, in this order.
        max_expansions: how many links may be looked at; a count, not a time, so that the same
            search gives the same answer on any machine.
    """

    weighted: Weighted
    start: int
    goal: int
    max_hops: int
    limit: int
    max_expansions: int
    mode: Mode = Mode.BEST
    allowed: Allowed = field(default_factory=Allowed)
    via: tuple[int, ...] = ()

    def run(self) -> Found:
        """Returns the paths, best first."""
        budget = Budget(self.max_expansions)
        self._network = Network(self.weighted, self.allowed, budget)
        self._meeting = Meeting.between(self._network, self.start, self.goal)
        self._kept: list[Way] | None = None
        self._chosen = _Chosen()
        self._distance: int | None = None
        self._longest = 0
        truncated, complete = False, True
        try:
            self._meeting.search(self.max_hops)
            truncated = self._gather()
        except Exhausted:
            complete, truncated = False, True
        kept = self._chosen.ways[: self.limit] if self._kept is None else self._kept
        chains = tuple(self._chain(way) for way in kept)
        truncated = truncated and bool(chains)
        return Found(chains, self._distance, self._longest, self._meeting, budget.spent, complete, truncated)

    def _gather(self) -> bool:
        """Fills in what is kept, and tells whether a further path was left out."""
        shortest = self._shortest()
        if shortest is None:
            return False
        most = shortest if self.mode is Mode.SHORTEST else self.max_hops
        length = most if self.mode is Mode.ALL else min(shortest + 1, most)
        while True:
            count = self._choose(length, self.limit + 1)
            if self._kept is None and (count >= self.limit or length == most):
                self._keep(shortest, length)
            if count > self.limit or length == most:
                return count > self.limit
            length += 1

    def _shortest(self) -> int | None:
        """Returns the hops of a shortest path; where things must be passed, a shortest walk may be none."""
        least = self._meeting.distance
        if least is None:
            return None
        if self.via:
            lengths = range(least, self.max_hops + 1)
            least = next((length for length in lengths if self._choose(length, 1)), None)
        self._distance = least
        return least

    def _keep(self, shortest: int, length: int) -> None:
        """Keeps the best of those chosen, a shortest one among them."""
        kept = self._chosen.ways[: self.limit]
        self._kept, self._longest = kept, length
        if all(len(way.links) > shortest for way in kept):
            chosen, self._chosen = self._chosen, _Chosen()
            self._choose(shortest, 1)
            kept[-1:] = self._chosen.ways[:1]
            self._chosen = chosen

    def _choose(self, length: int, wanted: int) -> int:
        """Chooses the best paths of at most `length` hops and returns how many there are, up to `wanted`."""
        self._chosen = _Chosen()
        strands = Strands(self._network, (self.start, self.goal), self._meeting, length)
        if not strands.empty:
            stops = tuple(strands.nodes_of(node) for node in self.via)
            self._take(self._ways(strands, strands.start, strands.goal, stops, length), self._chosen.single, wanted)
        left = wanted - len(self._chosen.single)
        if left:
            stops = tuple(np.array([node], dtype=np.int32) for node in self.via)
            self._take(self._ways(self._network, self.start, self.goal, stops, length), self._chosen.stitched, left)
        return len(self._chosen.ways)

    def _ways(self, field_: Field, start: int, goal: int, stops: tuple[object, ...], length: int) -> Iterator[Way]:
        reach = self._meeting.ahead if field_ is self._network else None
        bounds = Bounds(field_, start, goal, stops, length, reach)  # type: ignore[arg-type]
        return Ranking(bounds, self._network.budget).ways()

    def _take(self, ways: Iterator[Way], into: dict[tuple[int, ...], Way], wanted: int) -> None:
        for way in ways:
            if way.nodes not in self._chosen.single:
                into[way.nodes] = way
                if len(into) == wanted:
                    return

    def _chain(self, way: Way) -> Chain:
        a = self.weighted.arrays
        ends = zip(way.links, way.nodes[:-1], way.nodes[1:], strict=True)
        links = list(way.links)
        basis = int(self.weighted.link_cost[links].sum())
        origins = sum(origins_cost(int(a["independent"][s])) for s in a["origins"][links])
        hubs = sum(hub_cost(self.weighted.links.degree(node)) for node in way.nodes[1:-1])
        parts = Parts(basis - origins, origins, hubs)
        return Chain(tuple(Step(*end) for end in ends), parts, _one_origin(self.weighted.links, links))


@dataclass
class _Chosen:
    """The best paths by the nodes they pass, in order."""

    single: dict[tuple[int, ...], Way] = field(default_factory=dict)
    stitched: dict[tuple[int, ...], Way] = field(default_factory=dict)

    @property
    def ways(self) -> list[Way]:
        return [*self.single.values(), *self.stitched.values()]


def _one_origin(links: Links, numbers: list[int]) -> bool:
    """Tells whether one origin stands behind every link."""
    a = links.arrays
    sets = {int(a["origins"][number]) for number in numbers}
    members = (set(a["origin"][a["origin_at"][s] : a["origin_at"][s + 1]].tolist()) for s in sets)
    return bool(set.intersection(*members))
