"""Which barriers hold most themes, and what would change if one went.

A theme (or initiative, or outcome) is *freed* when a barrier goes and no blocking chain to it is left.
A *keystone* is a barrier that frees things by itself. Where several barriers hold a thing, each has an
equal part in it: `share` adds up one over the number of barriers of each theme, which is the Shapley
value of the game in which a theme is won when all its barriers are gone.

Source: L. S. Shapley, A value for n-person games (1953), for unanimity games.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kg.analysis.chains import Chains
from kg.analysis.independence import Independence
from kg.analysis.reading import MOST_WITHIN, Grounds, Reader
from kg.model import Basis, Entity, Passage


@dataclass(frozen=True)
class Freed:
    """A thing that a barrier alone holds, and how well founded the barrier's own link on the chain is."""

    entity: Entity
    basis: Basis


@dataclass(frozen=True)
class Keystone:
    """A barrier, what it alone holds, and how many themes it has a part in.

    `independent` counts the independent origins of the barrier and of barriers recorded as similar.
    """

    barrier: Entity
    frees: tuple[Freed, ...]
    frees_goals: tuple[Freed, ...]
    themes: int
    share: float
    origins: int
    independent: int
    origin: Entity | None
    evidence: tuple[Passage, ...]


@dataclass(frozen=True)
class Keystones:
    """Barriers, those first whose going frees most themes."""

    release: str
    results: tuple[Keystone, ...]
    truncated: bool


@dataclass(frozen=True)
class Effect:
    """What becomes of a thing when a barrier goes.

    `before` and `after` count the barriers with a chain to it, with and without; `left` names the first
    of those that stay. `cut` is a least set of things that would have to go as well, barriers or what lies
    between them and the thing, for no chain to be left (`cut_size` of them; `cut` names the first).
    """

    entity: Entity
    basis: Basis
    freed: bool
    before: int
    after: int
    left: tuple[Entity, ...]
    cut_size: int
    cut: tuple[Entity, ...]


@dataclass(frozen=True)
class WhatIf:
    """What changes if a barrier goes: what is freed comes first, then what is held by fewest others."""

    release: str
    barrier: Entity
    evidence: tuple[Passage, ...]
    freed: int
    results: tuple[Effect, ...]
    truncated: bool


@dataclass(frozen=True)
class _Hold:
    """What one barrier holds: alone, as nodes with the rank of its own link, and together with others."""

    themes: Sequence[tuple[int, int]]
    goals: Sequence[tuple[int, int]]
    reach: int
    share: float


def keystones(reader: Reader, chains: Chains, independence: Independence, limit: int) -> Keystones:
    """Returns the barriers by how many themes they free, then initiatives and outcomes, then by share."""
    links = reader.release.links
    holds = _holds(chains, _nodes(reader, "Theme"))
    # Nodes are numbered in the order of their IRIs.
    ranked = sorted(holds, key=lambda b: (-len(holds[b].themes), -len(holds[b].goals), -holds[b].share, b))
    kept = ranked[:limit]
    freed = [node for b in kept for node, _ in (*holds[b].themes, *holds[b].goals)]
    grounds = reader.grounds(links.iri(node) for node in (*kept, *freed))
    results = tuple(_keystone(reader, b, holds[b], independence, grounds) for b in kept)
    return Keystones(reader.release.id, results, len(ranked) > limit)


def _nodes(reader: Reader, kind: str) -> set[int]:
    return {node for iri in reader.members(kind) if (node := reader.release.links.node(iri)) is not None}


def _holds(chains: Chains, themes: Collection[int]) -> dict[int, _Hold]:
    alone: dict[int, list[tuple[int, int]]] = {}
    parts: dict[int, list[int]] = {}
    for goal, holding in chains.blockers.items():
        for barrier, rank in holding.items():
            parts.setdefault(barrier, [])
            if len(holding) == 1:
                alone.setdefault(barrier, []).append((goal, rank))
            if goal in themes:
                parts[barrier].append(len(holding))
    return {
        barrier: _Hold(
            [held for held in alone.get(barrier, ()) if held[0] in themes],
            [held for held in alone.get(barrier, ()) if held[0] not in themes],
            len(sizes),
            round(sum(1 / size for size in sizes), 3),
        )
        for barrier, sizes in parts.items()
    }


def _keystone(reader: Reader, barrier: int, hold: _Hold, independence: Independence, grounds: Grounds) -> Keystone:
    links = reader.release.links
    iri = links.iri(barrier)
    sources = independence.of_nodes(independence.alike(barrier))

    def freed(held: Sequence[tuple[int, int]]) -> tuple[Freed, ...]:
        found = [Freed(grounds.entity(links.iri(node)), list(Basis)[rank]) for node, rank in held]
        return tuple(sorted(found, key=lambda f: (f.entity.label, f.entity.iri)))

    return Keystone(
        grounds.entity(iri),
        freed(hold.themes),
        freed(hold.goals),
        hold.reach,
        hold.share,
        sources.origins,
        sources.independent,
        grounds.stated_in(iri),
        grounds.evidence(iri),
    )


def what_if(reader: Reader, chains: Chains, barrier: Entity, limit: int) -> WhatIf:
    """Returns what becomes of everything that a barrier stands in the way of, if it goes."""
    links = reader.release.links
    node = links.node(barrier.iri)
    held = sorted((g, holding) for g, holding in chains.blockers.items() if node in holding)
    kept = sorted(held, key=lambda one: (len(one[1]), one[0]))[:limit]
    left = {goal: [b for b in holding if b != node] for goal, holding in kept}
    cuts = {goal: _least_cut(chains, goal, node) if others else [] for goal, others in left.items()}
    shown = {n for group in (*left.values(), *cuts.values()) for n in sorted(group)[:MOST_WITHIN]}
    grounds = reader.grounds({barrier.iri, *(links.iri(n) for n in (*left, *shown))})

    def named(nodes: Sequence[int]) -> tuple[Entity, ...]:
        return tuple(grounds.entity(links.iri(n)) for n in sorted(nodes)[:MOST_WITHIN])

    results = tuple(
        Effect(
            grounds.entity(links.iri(goal)),
            list(Basis)[holding[node or 0]],
            not left[goal],
            len(holding),
            len(left[goal]),
            named(left[goal]),
            len(cuts[goal]),
            named(cuts[goal]),
        )
        for goal, holding in kept
    )
    freed = sum(len(holding) == 1 for _, holding in held)
    return WhatIf(reader.release.id, barrier, grounds.evidence(barrier.iri), freed, results, len(held) > limit)


def _least_cut(chains: Chains, goal: int, gone: int | None) -> list[int]:
    """Returns a least set of nodes that every chain to the goal passes through, one barrier left out.

    A barrier against the goal itself is in every such set, so the flow is asked only of the rest.
    """
    # A service that only opens the release should not pay for loading it.
    import networkx as nx

    edges = chains.edges_to(goal, gone)
    direct = {start for start, end in edges if end == goal and start in chains.barriers}
    graph = nx.DiGraph((start, end) for start, end in edges if start not in direct)
    graph.add_edges_from((-1, start) for start in list(graph) if start in chains.barriers)
    if goal not in graph or -1 not in graph:
        return sorted(direct)
    return sorted(direct | set(nx.minimum_node_cut(graph, -1, goal)))
