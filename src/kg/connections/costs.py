"""What a path costs, and so how much it is worth: the one definition, which the tests use too.

A path costs the sum of its hops, in hundredths, so that sums are whole and equal means equal:

    basis    100 for a link that is said, 150 judged, 200 inferred, 250 background
    origins   50 for one independent origin or none, 25 for two, 50 / n for n
    hubs      25 for each doubling of the links of a thing in between: passing through a thing
              that has to do with everything says little

A chain that one origin makes is always worth more than one that we stitched; among each, the one
that costs less. So a score above 0.5 is a single chain, one up to 0.5 a stitched one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.release.links import Links

BASIS_COST = (100, 150, 200, 250)
ORIGINS_COST = 50
HUB_COST = 25
# At this cost a path is worth half of what one would be that costs nothing.
_HALF_WORTH = 400

Costs = NDArray[np.int16]

# No path costs this much: twelve hops of the dearest kind are a third of it.
NEVER = np.int16(30_000)


@dataclass(frozen=True)
class Parts:
    """What a path's cost is made of, in hundredths."""

    basis: int
    origins: int
    hubs: int

    @property
    def cost(self) -> int:
        return self.basis + self.origins + self.hubs


def link_cost(basis: int, independent: int) -> int:
    """Returns what a link costs.

    Args:
        basis: its rank.
        independent: how many independent origins stand behind it.

    >>> link_cost(0, 1), link_cost(0, 2), link_cost(3, 0)
    (150, 125, 300)
    """
    return BASIS_COST[basis] + origins_cost(independent)


def origins_cost(independent: int) -> int:
    """Returns the part of a link's cost that more origins make smaller."""
    return ORIGINS_COST // max(independent, 1)


def hub_cost(degree: int) -> int:
    """Returns what passing through a thing costs.

    >>> hub_cost(1), hub_cost(2), hub_cost(1000)
    (0, 25, 249)
    """
    return int(_hub_costs(np.array([degree]))[0])


def score(cost: int, single: bool) -> float:
    """Returns the worth of a path, between 0 and 1: over 0.5 when one origin makes the whole chain.

    >>> score(150, single=True), score(150, single=False)
    (0.8636, 0.3636)
    """
    worth = 1.0 / (1.0 + cost / _HALF_WORTH)
    return round((worth + 1.0 if single else worth) / 2.0, 4)


def link_costs(links: Links) -> Costs:
    """Returns what each link costs, two bytes a link."""
    of_basis = np.array(BASIS_COST, dtype=np.int16)
    independent = np.maximum(np.asarray(links.arrays["independent"]), 1)
    of_origins = (ORIGINS_COST // independent).astype(np.int16)
    found: Costs = of_basis[np.asarray(links.arrays["basis"])]
    if len(of_origins):
        found += of_origins[np.asarray(links.arrays["origins"])]
    return found


def node_costs(links: Links) -> Costs:
    """Returns what passing through each node costs, two bytes a node."""
    return _hub_costs(links.degrees)


def _hub_costs(degrees: NDArray[np.integer]) -> Costs:
    found: Costs = np.rint(HUB_COST * np.log2(np.maximum(degrees, 1))).astype(np.int16)
    return found
