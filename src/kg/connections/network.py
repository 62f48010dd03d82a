"""The link arrays as a network to walk: only what a question allows, many nodes at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kg.connections.costs import Costs, link_costs, node_costs
from kg.model import Basis
from kg.release.arrays import Ints
from kg.release.links import Links

Flags = NDArray[np.bool_]


class Steps(NamedTuple):
    """Steps of one hop, one an element: the node stood at, the link, and the node at its other end."""

    at: Ints
    link: Ints
    node: Ints

    def kept(self, which: Flags | Ints) -> Steps:
        """Returns the steps for which a flag is set, or those of some numbers."""
        return Steps(self.at[which], self.link[which], self.node[which])


class Field(Protocol):
    """What the searches need to know of a network."""

    node_count: int
    node_cost: Costs
    link_cost: Costs

    def around(self, nodes: Ints, *, back: bool) -> Steps:
        """Returns every step from some nodes; with `back`, every step that leads to them."""

    def work(self, nodes: Ints) -> int:
        """Returns how many links `around` looks at."""

    def names(self, nodes: Ints) -> Ints:
        """Returns which nodes of the release these are."""


class Exhausted(Exception):
    """The budget of a search is used up."""


@dataclass
class Budget:
    """How many links a search may look at: a count and not a time, so that answers repeat exactly."""

    links: int
    spent: int = 0

    def spend(self, links: int) -> None:
        """Counts links that are about to be looked at.

        Raises:
            Exhausted: there would be more than may be.
        """
        if self.spent + links > self.links:
            raise Exhausted
        self.spent += links


@dataclass(frozen=True)
class Allowed:
    """What may be walked.

    Attributes:
        basis: which bases.
        types: a flag for each type of link; None for all.
        documents: a flag for each node that counts as origin; None for all. A link without
            origins then does not count.
        nodes: a flag for each node that may stand between the ends; None for all.
        forward: links are walked in their own direction only.
    """

    basis: frozenset[Basis] = frozenset(Basis)
    types: Flags | None = None
    documents: Flags | None = None
    nodes: Flags | None = None
    forward: bool = False


@dataclass(frozen=True)
class Hubs:
    """The nodes with many links: a flag for each node, and the links that join two of them."""

    flags: Flags
    crossings: Ints
    any: bool


class Both(NamedTuple):
    """All links of each node: those of node n stand from starts[n] to starts[n + 1], with the node at the other end."""

    starts: Ints
    link: Ints
    node: Ints


@dataclass(frozen=True)
class Weighted:
    """The link arrays of a release with what their links and nodes cost, reckoned once for all searches."""

    links: Links
    arrays: dict[str, Ints]
    link_cost: Costs
    node_cost: Costs
    _hubs: dict[int, Hubs] = field(default_factory=dict)

    @classmethod
    def of(cls, links: Links) -> Weighted:
        """Returns them for the links of a release."""
        return cls(links, links.plain, link_costs(links), node_costs(links))

    @cached_property
    def both(self) -> Both:
        """The links of each node whichever way they point, for 16 bytes a link: a walk reads what stands together."""
        a = self.arrays
        count, out = len(a["subject"]), np.diff(a["out_at"])
        starts = a["out_at"] + a["in_at"]
        place_out = np.arange(count) + (starts - a["out_at"])[a["subject"]]
        ends = a["object"][a["in_link"]]
        place_in = np.arange(count) + (starts[:-1] + out - a["in_at"][:-1])[ends]
        link, node = np.empty(2 * count, np.int32), np.empty(2 * count, np.int32)
        link[place_out], node[place_out] = np.arange(count), a["object"]
        link[place_in], node[place_in] = a["in_link"], a["subject"][a["in_link"]]
        return Both(starts.astype(np.int32), link, node)

    def hubs(self, more_than: int) -> Hubs:
        """Returns the nodes with more than so many links."""
        if more_than not in self._hubs:
            a = self.arrays
            flags: Flags = self.links.degrees > more_than
            crossings = np.flatnonzero(flags[a["subject"]] & flags[a["object"]]).astype(np.int32)
            self._hubs[more_than] = Hubs(flags, crossings, bool(flags.any()))
        return self._hubs[more_than]


@dataclass
class Network:
    """What may be walked of the links of a release."""

    weighted: Weighted
    allowed: Allowed
    budget: Budget
    _sets: Flags | None = field(init=False)
    _basis: Flags | None = field(init=False)

    def __post_init__(self) -> None:
        self.node_count = self.weighted.links.node_count
        self.node_cost, self.link_cost = self.weighted.node_cost, self.weighted.link_cost
        every = self.allowed.basis == frozenset(Basis)
        self._basis = None if every else np.array([basis in self.allowed.basis for basis in Basis])
        documents = self.allowed.documents
        self._sets = None if documents is None else self._sets_with(documents)

    def around(self, nodes: Ints, *, back: bool) -> Steps:
        """Returns every step from some nodes; with `back`, every step that leads to them.

        Raises:
            Exhausted: the budget does not reach.
        """
        self.budget.spend(self.work(nodes))
        free = not self.allowed.forward
        self.weighted.links.require(nodes, outward=free or not back, inward=free or back)
        if free:
            starts, links, ends = self.weighted.both
            at, place = members_of(starts, nodes)
            found = Steps(at, links[place], ends[place])
        else:
            found = self._back(nodes) if back else self._on(nodes)
        kept = self._kept(found)
        return found if kept is None else found.kept(kept)

    def _on(self, nodes: Ints) -> Steps:
        a = self.weighted.arrays
        at, link = members_of(a["out_at"], nodes)
        return Steps(at, link, a["object"][link])

    def _back(self, nodes: Ints) -> Steps:
        a = self.weighted.arrays
        at, place = members_of(a["in_at"], nodes)
        link = a["in_link"][place]
        return Steps(at, link, a["subject"][link])

    def both_ways(self, link: Ints) -> Steps:
        """Returns the steps over some links: first all along them, then, where that may be, all against them."""
        a = self.weighted.arrays
        steps = Steps(a["subject"][link], link, a["object"][link])
        if self.allowed.forward:
            return steps
        return Steps(*map(np.concatenate, zip(steps, (steps.node, link, steps.at), strict=True)))

    def over(self, link: Ints) -> Steps:
        """Returns the steps over some links that may be walked."""
        steps = self.both_ways(link)
        kept = self._kept(steps)
        return steps if kept is None else steps.kept(kept)

    def work(self, nodes: Ints) -> int:
        """Returns how many links `around` looks at."""
        return int(self.weighted.links.degrees[nodes].sum())

    def names(self, nodes: Ints) -> Ints:
        """Returns the nodes themselves."""
        return nodes

    def walkable(self, link: Ints) -> Flags | None:
        """Returns which links may be walked, whatever they join; None for all."""
        a, allowed = self.weighted.arrays, self.allowed
        kept: Flags | None = None
        for flags, of_link in ((self._basis, "basis"), (allowed.types, "type"), (self._sets, "origins")):
            if flags is not None:
                found = flags[a[of_link][link]]
                kept = found if kept is None else kept & found
        return kept

    def _kept(self, steps: Steps) -> Flags | None:
        kept = self.walkable(steps.link)
        if self.allowed.nodes is None:
            return kept
        found: Flags = self.allowed.nodes[steps.node]
        return found if kept is None else kept & found

    def _sets_with(self, documents: Flags) -> Flags:
        """Returns which sets of origins have a document among them."""
        a = self.weighted.arrays
        sizes = np.diff(a["origin_at"])
        of_set = np.repeat(np.arange(len(sizes)), sizes)
        found: Flags = np.bincount(of_set[documents[a["origin"]]], minlength=len(sizes)) > 0
        return found


def members_of(starts: Ints, nodes: Ints) -> tuple[Ints, Ints]:
    """Returns for nodes whose members are starts[n] to starts[n + 1]: each node once a member, and the members."""
    if len(nodes) == 1:
        begin, end = int(starts[nodes[0]]), int(starts[nodes[0] + 1])
        return np.full(end - begin, nodes[0], dtype=np.int32), np.arange(begin, end, dtype=np.int32)
    first = starts[nodes]
    sizes = starts[nodes + 1] - first
    before = np.cumsum(sizes, dtype=np.int32) - sizes
    members = np.arange(int(sizes.sum()), dtype=np.int32)
    members += np.repeat(first - before, sizes)
    return np.repeat(nodes.astype(np.int32, copy=False), sizes), members


def distinct(values: Ints) -> Ints:
    """Returns the values in order, each once."""
    found: Ints = np.sort(values)
    first: Flags = np.concatenate([np.ones(min(len(found), 1), np.bool_), found[1:] != found[:-1]])
    return found[first]


def flags_of(count: int, numbers: Ints) -> Flags:
    """Returns a flag for each of `count` things, set for those named."""
    flags = np.zeros(count, dtype=np.bool_)
    flags[numbers] = True
    return flags
