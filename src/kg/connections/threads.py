"""Chains that one origin makes from end to end.

Only an origin that has a link at both ends can make one, and what it says is a small network of
its own. The networks of all such origins are searched at once, side by side: a node counts once
for each origin, and they share the two ends alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kg.connections.network import Budget, Flags, Network, Steps, _ranges, flags_of
from kg.connections.reach import FAR, Meeting, Reach
from kg.release.links import Ints


@dataclass
class Strands:
    """The networks of some origins side by side; a field to search.

    Attributes:
        start, goal: the ends; a node of this field, None when no origin has links at both.
    """

    network: Network
    ends: tuple[int, int]
    meeting: Meeting
    hops: int

    def __post_init__(self) -> None:
        self.budget: Budget = self.network.budget
        self.link_cost = self.network.link_cost
        steps, origin = self._useful(*self._said())
        self._number(steps, origin)

    def names(self, nodes: Ints) -> Ints:
        """Returns which nodes of the release these are."""
        return self._names[nodes]

    def work(self, nodes: Ints) -> int:
        """Returns how many links `around` looks at."""
        at = self._ahead_at
        return int((at[nodes + 1] - at[nodes]).sum())

    def around(self, nodes: Ints, *, back: bool) -> Steps:
        """Returns every step from some nodes; with `back`, every step that leads to them."""
        at, place = _ranges(self._behind_at if back else self._ahead_at, nodes)
        steps = self._behind if back else self._ahead
        return Steps(at, steps.link[place], steps.node[place])

    def nodes_of(self, name: int) -> Ints:
        """Returns the nodes of this field that are a node of the release."""
        return np.flatnonzero(self._names == name).astype(np.int32)

    def _said(self) -> tuple[Ints, Ints]:
        """Returns the links of every origin that has some at both ends, and of which origin each is."""
        origins = self._origins_at(self.ends[0], back=False) & self._origins_at(self.ends[1], back=True)
        a = self.network.weighted.arrays
        common = np.flatnonzero(origins).astype(np.int32)
        self.budget.spend(int((a["said_at"][common + 1] - a["said_at"][common]).sum()))
        origin, place = _ranges(a["said_at"], common)
        link = a["said"][place]
        kept = self.network.walkable(link)
        return (link, origin) if kept is None else (link[kept], origin[kept])

    def _origins_at(self, node: int, *, back: bool) -> Flags:
        a = self.network.weighted.arrays
        link = self.network.around(np.array([node], dtype=np.int32), back=back).link
        sets = np.flatnonzero(flags_of(len(a["origin_at"]) - 1, a["origins"][link])).astype(np.int32)
        _, place = _ranges(a["origin_at"], sets)
        return flags_of(self.network.node_count, a["origin"][place])

    def _useful(self, link: Ints, origin: Ints) -> tuple[Steps, Ints]:
        """Returns the steps over links that can be part of a path in time, and the origin of each."""
        a = self.network.weighted.arrays
        subject, object_ = a["subject"][link], a["object"][link]
        both = not self.network.allowed.forward
        at = np.concatenate([subject, object_]) if both else subject
        node = np.concatenate([object_, subject]) if both else object_
        steps = Steps(at, np.concatenate([link, link]) if both else link, node)
        origin = np.concatenate([origin, origin]) if both else origin
        length = _least(self.meeting.ahead, steps.at) + 1 + _least(self.meeting.behind, steps.node)
        kept = (length <= self.hops) & (steps.node != self.ends[0]) & (steps.at != self.ends[1])
        if self.network.allowed.nodes is not None:
            kept &= self.network.allowed.nodes[steps.node]
            kept &= self.network.allowed.nodes[steps.at]
        return steps.kept(kept), origin[kept]

    def _number(self, steps: Steps, origin: Ints) -> None:
        """Numbers the nodes of this field in the order of node and origin, and indexes the steps both ways."""
        width = self.network.node_count
        at, node = self._keys(steps.at, origin), self._keys(steps.node, origin)
        ends = np.array(self.ends, dtype=np.int64) * width
        keys = np.unique(np.concatenate([at, node, ends]))
        self._names = (keys // width).astype(np.int32)
        self.node_count = len(keys)
        self.node_cost = self.network.node_cost[self._names]
        self.start, self.goal = (int(n) for n in np.searchsorted(keys, ends))
        at, node = (np.searchsorted(keys, found).astype(np.int32) for found in (at, node))
        self._ahead_at, self._ahead = _indexed(at, steps.link, node, self.node_count)
        self._behind_at, self._behind = _indexed(node, steps.link, at, self.node_count)

    def _keys(self, node: Ints, origin: Ints) -> Ints:
        """Returns one number for a node as it stands in the network of an origin; the ends stand in all."""
        shared = (node == self.ends[0]) | (node == self.ends[1])
        found: Ints = node.astype(np.int64) * self.network.node_count + np.where(shared, 0, origin)
        return found

    @cached_property
    def empty(self) -> bool:
        """Whether there is nothing to walk."""
        return not len(self._ahead.link)


def _least(reach: Reach, nodes: Ints) -> Ints:
    """Returns how many hops nodes are away at least."""
    level = reach.level[nodes].astype(np.int16)
    return level if reach.done else np.where(level == FAR, reach.depth + 1, level)


def _indexed(at: Ints, link: Ints, node: Ints, count: int) -> tuple[Ints, Steps]:
    order = np.argsort(at, kind="stable")
    starts = np.concatenate([np.zeros(1, np.int32), np.cumsum(np.bincount(at, minlength=count), dtype=np.int32)])
    return starts, Steps(at[order], link[order], node[order])
