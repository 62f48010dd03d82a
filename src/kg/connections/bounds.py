"""What it costs at least to arrive from each node with so many hops left.

Reckoned from the goal backwards, hop by hop (Bellman and Ford), and only for nodes that can still
be stood at by then: within `hops - left` of the start. Each step is taken from the side that looks
at fewer links: pushed from the nodes that became cheaper, or pulled by those that may be stood at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kg.connections.compact import Compact
from kg.connections.costs import NEVER, Costs
from kg.connections.network import Field
from kg.connections.reach import FAR, Reach
from kg.release.arrays import Ints


@dataclass
class Bounds:
    """The least cost of entering a node and going on to the goal from there.

    Args:
        field: what may be walked.
        start, goal: nodes; a start is not entered, from a goal nothing goes on.
        stops: for each thing that a path must pass, in order, the nodes that are it.
        hops: the longest walk that counts.
        reach: how far nodes are from the start; None where that says nothing new.
    """

    field: Field
    start: int
    goal: int
    stops: tuple[Ints, ...]
    hops: int
    reach: Reach | None = None

    def __post_init__(self) -> None:
        # entering[stage][left]: with `left` hops to go after it, and `stage` stops passed before.
        self.entering: list[list[Costs]] = []
        onward: list[Costs] | None = None
        for stage in range(len(self.stops), -1, -1):
            table, plain = self._stage(stage, onward)
            self.entering.insert(0, table)
            onward = plain

    def _stage(self, stage: int, onward: list[Costs] | None) -> tuple[list[Costs], list[Costs]]:
        """Returns the costs of a stage as they count in it, and as they count for the stop before it."""
        cost = np.full(self.field.node_count, NEVER, dtype=np.int16)
        if onward is None:
            cost[self.goal] = 0
        table, before = [self._masked(cost, stage, onward, 0)], [self._at_stop(cost, stage)]
        changed = np.flatnonzero(table[0] < NEVER).astype(np.int32)
        for left in range(1, self.hops):
            cost = self._relaxed(cost, table[-1], changed, self.hops - left)
            masked = self._masked(cost, stage, onward, left)
            changed = np.flatnonzero(masked < table[-1]).astype(np.int32)
            table.append(masked)
            before.append(self._at_stop(cost, stage))
        return table, before

    def _masked(self, cost: Costs, stage: int, onward: list[Costs] | None, left: int) -> Costs:
        """Returns the costs without what may not be entered in a stage, and with its stop going on to the next."""
        if not self.stops:
            cost[self.start] = NEVER
            return cost
        found = cost.copy()
        found[[self.start] if onward is None else [self.start, self.goal]] = NEVER
        for number, nodes in enumerate(self.stops):
            found[nodes] = onward[left] if number == stage and onward is not None else NEVER
        return found

    def _at_stop(self, cost: Costs, stage: int) -> Costs:
        return cost[self.stops[stage - 1]] if stage else cost[:0]

    def _relaxed(self, cost: Costs, entering: Costs, changed: Ints, room: int) -> Costs:
        """Returns the costs with one hop more to go; nodes matter that are within `room` of the start."""
        if isinstance(self.field, Compact):
            # So few steps that all are taken at once; what did not change makes nothing cheaper.
            return np.minimum(cost, self.field.onward(entering))
        found = cost.copy()
        if not len(changed):
            return found
        near = None if self.reach is None or room > self.reach.depth else self.reach.within(room)
        if near is not None and self.field.work(near) < self.field.work(changed):
            steps = self.field.around(near, back=False)
            there = steps.at
            dear = entering[steps.node]
        else:
            steps = self.field.around(changed, back=True)
            if near is not None:
                assert self.reach is not None
                steps = steps.kept(self.reach.level[steps.node] <= room)
            elif self.reach is not None and self.reach.done:
                steps = steps.kept(self.reach.level[steps.node] < FAR)
            there = steps.node
            dear = entering[steps.at]
        dear = dear + self.field.link_cost[steps.link]
        dear += self.field.node_cost[there]
        np.minimum.at(found, there, dear)
        return found
