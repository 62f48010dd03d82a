"""Chains that one origin makes from end to end.

Only an origin that has a link at both ends can make one, and what it says is a small network of
its own. The networks of all such origins are searched at once, side by side: a node counts once
for each origin, and they share the two ends alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kg.connections.compact import Compact
from kg.connections.network import Network, Steps, distinct, flags_of, members_of
from kg.release.arrays import Ints

# How many hops nodes are away from an end, or at least.
Least = Callable[[Ints], Ints]


def strands(network: Network, ends: tuple[int, int], least: tuple[Least, Least], hops: int) -> Compact:
    """Returns the networks of all origins that may make a chain between two ends of at most so many hops."""
    link, origin = _said(network, ends)
    steps, origin = _useful(network, ends, least, hops, link, origin)
    width = network.node_count

    def keys(node: Ints) -> Ints:
        """Returns one number for a node as it stands in the network of an origin; the ends stand in all."""
        shared = (node == ends[0]) | (node == ends[1])
        found: Ints = node.astype(np.int64) * width + np.where(shared, 0, origin)
        return found

    at, node = keys(steps.at), keys(steps.node)
    both = np.array(ends, dtype=np.int64) * width
    every = distinct(np.concatenate([at, node, both]))
    at, node = (np.searchsorted(every, found).astype(np.int32) for found in (at, node))
    start, goal = np.searchsorted(every, both).tolist()
    return Compact(network, Steps(at, steps.link, node), (every // width).astype(np.int32), start, goal)


def _said(network: Network, ends: tuple[int, int]) -> tuple[Ints, Ints]:
    """Returns the links of every origin that has some at both ends, and of which origin each is."""
    a = network.weighted.arrays
    here, there = _origins_at(network, ends[0], back=False), _origins_at(network, ends[1], back=True)
    common = here[np.isin(here, there, assume_unique=True)]
    network.weighted.links.require_said(common)
    network.budget.spend(int((a["said_at"][common + 1] - a["said_at"][common]).sum()))
    origin, place = members_of(a["said_at"], common)
    return a["said"][place], origin


def _origins_at(network: Network, node: int, *, back: bool) -> Ints:
    a = network.weighted.arrays
    link = network.around(np.array([node], dtype=np.int32), back=back).link
    sets = np.flatnonzero(flags_of(len(a["origin_at"]) - 1, a["origins"][link])).astype(np.int32)
    _, place = members_of(a["origin_at"], sets)
    return distinct(a["origin"][place])


def _useful(
    network: Network, ends: tuple[int, int], least: tuple[Least, Least], hops: int, link: Ints, origin: Ints
) -> tuple[Steps, Ints]:
    """Returns the steps over links that can be part of a path in time, and the origin of each."""
    kept = network.walkable(link)
    if kept is not None:
        link, origin = link[kept], origin[kept]
    steps = network.both_ways(link)
    origins = origin if network.allowed.forward else np.concatenate([origin, origin])
    length = least[0](steps.at) + 1 + least[1](steps.node)
    useful = (length <= hops) & (steps.node != ends[0]) & (steps.at != ends[1])
    nodes = network.allowed.nodes
    if nodes is not None:
        useful &= nodes[steps.node] & nodes[steps.at]
    return steps.kept(useful), origins[useful]
