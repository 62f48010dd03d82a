"""Which bodies are asked most, and which barriers matter most.

Bodies are ranked by how many recommendations are directed to them, raw and by independent origins; barriers
by their PageRank. Both carry both measures:

- *PageRank* over the links of content (all but who states, asserts or carries what), followed as they are
  written, from what speaks to what is spoken of: a thing has weight when things of weight lead to it. Links from
  a place without links onward are shared by all.
- *betweenness*: the share of the shortest ways between common themes and bodies that are asked, whichever way
  the links point, that lead through a thing; 1 would be all.

Source: S. Brin, L. Page, The anatomy of a large-scale hypertextual web search engine (1998); U. Brandes, On
variants of shortest-path betweenness centrality (2008), section on subsets of sources and targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.analysis.independence import Independence
from kg.analysis.reading import Claim, Grounds, Reader
from kg.model import Entity, Passage
from kg.names import DCTERMS, PEV, SKOS
from kg.release.arrays import Ints

DIRECTED_TO = PEV + "directedTo"
_PEV_CONTENT = (
    "addresses",
    "affects",
    "aimsAt",
    "blocks",
    "concerns",
    "contradicts",
    "directedTo",
    "enables",
    "hasTheme",
    "identifies",
    "reiterates",
    "reviews",
    "similarTo",
    "stanceTowards",
    "supports",
)
CONTENT = (
    *(PEV + name for name in _PEV_CONTENT),
    SKOS + "broader",
    SKOS + "closeMatch",
    SKOS + "exactMatch",
    DCTERMS + "isPartOf",
)
DAMPING = 0.85
MOST_CLAIMS = 5
_MOST_STEPS, _STEADY = 500, 1e-12

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Central:
    """A body or barrier with what makes it central.

    `asked` counts the recommendations directed to a body, `addressed` those that address a barrier; the other is 0.
    `origins` and `independent` count who makes them, for a barrier who states it or one like it.
    `claims` shows the first of the recommendations.
    """

    entity: Entity
    kind: str
    asked: int
    addressed: int
    origins: int
    independent: int
    pagerank: float
    betweenness: float
    evidence: tuple[Passage, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Centrality:
    """Bodies, the most asked first, then barriers, those of most weight first; `limit` counts each."""

    release: str
    bodies: int
    barriers: int
    results: tuple[Central, ...]
    truncated: bool


class Network:
    """The links of content of one release, for measures of the whole."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        arrays = reader.release.links.arrays
        numbers = reader.links_of_type(*CONTENT)
        self._count = reader.release.links.node_count
        pairs = np.unique(np.stack([arrays["subject"][numbers], arrays["object"][numbers]]).astype(np.int64), axis=1)
        self._start, self._end = pairs[0], pairs[1]

    @cached_property
    def pagerank(self) -> Floats:
        """The PageRank of each node; they add up to 1."""
        count = self._count
        onward = np.bincount(self._start, minlength=count)
        # What no link of content touches (a document, a role) is no part of the network.
        home: Floats = ((onward + np.bincount(self._end, minlength=count)) > 0).astype(np.float64)
        home /= max(home.sum(), 1)
        rank: Floats = home
        for _ in range(_MOST_STEPS):
            sent = (rank / np.maximum(onward, 1))[self._start]
            moved = np.bincount(self._end, weights=sent, minlength=count)
            new: Floats = (1 - DAMPING) * home + DAMPING * (moved + rank[onward == 0].sum() * home)
            if np.abs(new - rank).sum() < _STEADY:
                return new
            rank = new
        return rank

    @cached_property
    def betweenness(self) -> Floats:
        """For each node the share of shortest ways between common themes and bodies asked that lead through it."""
        links = self._reader.release.links
        themes = [node for row in self._reader.rows("common-themes") if (node := links.node(row["theme"])) is not None]
        asked = np.unique(links.arrays["object"][self._reader.links_of_type(DIRECTED_TO)]).astype(np.int64)
        total = np.zeros(self._count)
        ways = 0
        for theme in themes:
            through, reached = self._dependencies(theme, asked)
            total += through
            ways += reached
        return total / max(ways, 1)

    @cached_property
    def _around(self) -> tuple[Ints, Ints]:
        """The neighbours of each node, whichever way the links point: where each begins, and all of them."""
        both = np.unique(
            np.stack([np.concatenate([self._start, self._end]), np.concatenate([self._end, self._start])]), axis=1
        )
        starts = np.concatenate([[0], np.cumsum(np.bincount(both[0], minlength=self._count))])
        return starts, both[1]

    def _dependencies(self, source: int, targets: Ints) -> tuple[Floats, int]:
        """Returns for each node the share of shortest ways from a source to the targets, and how many are reached."""
        levels, ways, depth = self._levels(source)
        is_target = np.zeros(self._count)
        is_target[targets[(depth[targets] > 0)]] = 1
        through = np.zeros(self._count)
        for near, far in reversed(levels):
            share = (ways[near] / ways[far]) * (is_target[far] + through[far])
            through += np.bincount(near, weights=share, minlength=self._count)
        through[source] = 0
        return through, int(is_target.sum())

    def _levels(self, source: int) -> tuple[list[tuple[Ints, Ints]], Floats, Ints]:
        """Returns the steps of each level of a breadth-first search, the number of shortest ways, and the depths."""
        starts, neighbours = self._around
        depth = np.full(self._count, -1, dtype=np.int64)
        ways = np.zeros(self._count)
        depth[source], ways[source] = 0, 1
        frontier, levels = np.array([source]), []
        while len(frontier):
            counts = starts[frontier + 1] - starts[frontier]
            near = np.repeat(frontier, counts)
            first = np.repeat(starts[frontier] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
            far = neighbours[first + np.arange(len(near))]
            ahead = depth[far] < 0
            near, far = near[ahead], far[ahead]
            if not len(far):
                break
            ways += np.bincount(far, weights=ways[near], minlength=self._count)
            levels.append((near, far))
            frontier = np.unique(far)
            depth[frontier] = depth[near[0]] + 1
        return levels, ways, depth


def central(reader: Reader, network: Network, independence: Independence, limit: int) -> Centrality:
    """Returns the bodies asked most and the barriers that matter most."""
    links = reader.release.links
    bodies = reader.rows("bodies-asked-most")
    found = [node for iri in reader.members("Barrier") if (node := links.node(iri)) is not None]
    barriers = sorted(found, key=lambda node: (-round(float(network.pagerank[node]), 12), node))
    kept = barriers[:limit]
    asking = {row["body"]: reader.starts(row["body"], DIRECTED_TO) for row in bodies[:limit]}
    addressing = {links.iri(node): reader.starts(links.iri(node), PEV + "addresses") for node in kept}
    shown = {item for found in (*asking.values(), *addressing.values()) for item in found[:MOST_CLAIMS]}
    grounds = reader.grounds({*asking, *addressing, *shown})
    ranked = _Ranked(reader, network, grounds)
    results = [
        ranked.central(row["body"], "body", asking[row["body"]], (int(row["origins"]), int(row["independent"])))
        for row in bodies[:limit]
    ]
    for node in kept:
        iri, sources = links.iri(node), independence.of_nodes(independence.alike(node))
        results.append(ranked.central(iri, "barrier", addressing[iri], (sources.origins, sources.independent)))
    cut = len(bodies) > limit or len(barriers) > limit
    return Centrality(reader.release.id, len(bodies), len(barriers), tuple(results), cut)


@dataclass(frozen=True)
class _Ranked:
    reader: Reader
    network: Network
    grounds: Grounds

    def central(self, iri: str, kind: str, items: Sequence[str], sources: tuple[int, int]) -> Central:
        node = self.reader.release.links.node(iri)
        assert node is not None
        link = DIRECTED_TO if kind == "body" else PEV + "addresses"
        return Central(
            self.grounds.entity(iri),
            kind,
            len(items) if kind == "body" else 0,
            len(items) if kind == "barrier" else 0,
            *sources,
            round(float(self.network.pagerank[node]), 6),
            round(float(self.network.betweenness[node]), 6),
            self.grounds.evidence(iri),
            tuple(self.grounds.claim(item, [iri], [link]) for item in items[:MOST_CLAIMS]),
        )
