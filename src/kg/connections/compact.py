"""A small part of a network, written out step by step and numbered anew."""

from __future__ import annotations

import numpy as np

from kg.connections.costs import NEVER, Costs
from kg.connections.network import Network, Steps, members_of
from kg.release.arrays import Ints


class Compact:
    """A field to search that holds given steps only.

    Args:
        network: what the steps are of.
        steps: the steps, their nodes numbered from 0.
        names: for each node, which node of the network it is; in order.
        start, goal: two nodes.
    """

    def __init__(self, network: Network, steps: Steps, names: Ints, start: int, goal: int) -> None:
        self._names, self._steps = names, steps
        self.start, self.goal, self.node_count = start, goal, len(names)
        self.node_cost, self.link_cost = network.node_cost[names], network.link_cost
        order = _order(steps.at, self.node_count)
        self._by_node = steps.kept(order)
        sizes = np.bincount(steps.at, minlength=self.node_count)
        self._starts = np.concatenate([np.zeros(1, np.int32), np.cumsum(sizes, dtype=np.int32)])
        self._leaving = np.flatnonzero(sizes)
        self._price = self.link_cost[self._by_node.link]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to walk."""
        return not len(self._steps.link)

    def names(self, nodes: Ints) -> Ints:
        """Returns which nodes of the release these are."""
        return self._names[nodes]

    def nodes_of(self, name: int) -> Ints:
        """Returns the nodes of this field that are a node of the release."""
        return np.flatnonzero(self._names == name).astype(np.int32)

    def work(self, nodes: Ints) -> int:
        """Returns how many links `around` looks at."""
        return int((self._starts[nodes + 1] - self._starts[nodes]).sum())

    def onward(self, entering: Costs) -> Costs:
        """Returns what it costs at least to enter each node and take a step on, where that costs so much to enter."""
        dear = entering[self._by_node.node]
        dear += self._price
        found = np.full(self.node_count, NEVER, dtype=np.int16)
        if len(self._leaving):
            found[self._leaving] = np.minimum.reduceat(dear, self._starts[self._leaving])
            found += self.node_cost
        return found

    def around(self, nodes: Ints, *, back: bool) -> Steps:
        """Returns every step from some nodes; with `back`, at least every step that leads to them."""
        if back:
            # Sorting the steps that way too would cost more than to look at all of them.
            return Steps(self._steps.node, self._steps.link, self._steps.at)
        at, place = members_of(self._starts, nodes)
        return Steps(at, self._by_node.link[place], self._by_node.node[place])


def _order(at: Ints, count: int) -> Ints:
    """Returns the order of steps by the node they start from; small numbers are sorted by counting."""
    found: Ints = np.argsort(at.astype(np.uint16) if count <= 1 << 16 else at, kind="stable")
    return found
