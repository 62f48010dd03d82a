"""How two things hang together: the paths that are worth most, over the link arrays.

What the answer is, `kg.connections.gathering` says; what a path is worth, `kg.connections.costs`.
Where links are parallel, a path counts once for the nodes it passes, with the cheapest link at each
hop; a chain that one origin makes, with the cheapest of that origin's links.

The search first goes without the crowd behind hubs (`kg.connections.byways`). Only where that does
not prove that the paths are the best, all is looked through, from both ends until they meet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kg.connections.byways import Byways, Side, Unsure
from kg.connections.costs import Parts, origins_cost, score
from kg.connections.gathering import Gathering, Ground, Whole
from kg.connections.network import Allowed, Budget, Exhausted, Hubs, Network, Weighted
from kg.connections.ranking import Way
from kg.connections.reach import FAR, Meeting, Reach
from kg.connections.values import Mode
from kg.release.links import HUB_LINKS

# A thing with more links is a hub; when that proves nothing, with more than the next. None is smaller than HUB_LINKS:
# of links that stay in an engine no smaller hubs are known beforehand.
HUBS = (HUB_LINKS,)
# So many links are looked at for one level without hubs; where there are more, hubs are not what is in the way.
_MOST_SEEN = 200_000


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
        levels: how many nodes were first seen after 0, 1, 2 … hops, from the start and from the goal.
        reached: how many nodes were seen from either.
        expanded: how many links were looked at.
        complete: False when the budget ran out before the search was done.
        truncated: a further path within `max_hops` was left out.
        meeting: how far each side got, when there is no path.
    """

    chains: tuple[Chain, ...]
    distance: int | None
    longest: int
    levels: tuple[tuple[int, ...], tuple[int, ...]]
    reached: int
    expanded: int
    complete: bool
    truncated: bool
    meeting: Meeting


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
        hubs: a thing with more links is a hub, at first; then with more than the next, and last none is.
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
    hubs: tuple[int, ...] = HUBS

    def run(self) -> Found:
        """Returns the paths, best first."""
        self._network = Network(self.weighted, self.allowed, Budget(self.max_expansions))
        self._meeting = Meeting.between(self._network, self.start, self.goal)
        self._sides: tuple[Reach | Side, Reach | Side] = (self._meeting.ahead, self._meeting.behind)
        self._gathering: Gathering | None = None
        try:
            truncated, complete = self._gather(), True
        except Exhausted:
            truncated, complete = True, False
        return self._found(complete, truncated)

    def _gather(self) -> bool:
        """Gathers the paths, and tells whether a further one was left out."""
        if self.mode is Mode.BEST and not self.via:
            for more_than in self.hubs:
                truncated = self._gathered_without(self.weighted.hubs(more_than))
                if truncated is not None:
                    return truncated
        self._gathering, self._sides = None, (self._meeting.ahead, self._meeting.behind)
        self._meeting.search(self.max_hops)
        if self._meeting.distance is None:
            return False
        self._gathering = self._gathering_on(Whole(self._network, self._meeting))
        return self._gathering.run(self._meeting.distance)

    def _gathered_without(self, hubs: Hubs) -> bool | None:
        """Gathers paths without looking through the links of hubs; None when these may not be the best."""
        if not hubs.any:
            return None
        crossings = self._network.over(hubs.crossings)
        byways = Byways(self._network, self.start, self.goal, hubs.flags, crossings, _MOST_SEEN)
        try:
            distance = byways.distance(self.max_hops)
            if distance is None:
                return None
            self._gathering, self._sides = self._gathering_on(byways), (byways.ahead, byways.behind)
            return self._gathering.run(distance)
        except Unsure:
            return None

    def _gathering_on(self, ground: Ground) -> Gathering:
        return Gathering(ground, self.limit, self.max_hops, self.mode, self.via)

    def _found(self, complete: bool, truncated: bool) -> Found:
        gathering = self._gathering
        ways = [] if gathering is None else gathering.kept
        if ways is None:
            assert gathering is not None
            ways = gathering.chosen.ways[: self.limit]
        levels = tuple(tuple(side.counts) for side in self._sides)
        seen = (self._sides[0].level < FAR) | (self._sides[1].level < FAR)
        return Found(
            tuple(map(self._chain, ways)),
            gathering.distance if gathering is not None else None,
            gathering.longest if gathering is not None else 0,
            (levels[0], levels[1]),
            int(seen.sum()),
            self._network.budget.spent,
            complete,
            truncated and bool(ways),
            self._meeting,
        )

    def _chain(self, way: Way) -> Chain:
        a = self.weighted.arrays
        links = list(way.links)
        both = int(self.weighted.link_cost[links].sum())
        origins = sum(origins_cost(int(number)) for number in a["independent"][a["origins"][links]])
        hubs = int(self.weighted.node_cost[list(way.nodes[1:-1])].sum())
        parts = Parts(both - origins, origins, hubs)
        ends = zip(way.links, way.nodes[:-1], way.nodes[1:], strict=True)
        return Chain(tuple(Step(*end) for end in ends), parts, _one_origin(self.weighted, links))


def _one_origin(weighted: Weighted, links: list[int]) -> bool:
    """Tells whether one origin stands behind every link."""
    a = weighted.arrays
    sets = set(a["origins"][links].tolist())
    return bool(set.intersection(*(set(a["origin"][a["origin_at"][s] : a["origin_at"][s + 1]].tolist()) for s in sets)))
