"""The search for paths against brute force, on small random networks."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kg.connections.costs import Parts, hub_cost, link_cost, origins_cost
from kg.connections.network import Allowed, Weighted
from kg.connections.paths import Chain, Found, PathSearch
from kg.connections.values import Mode
from kg.model import Basis, Link
from kg.names import BASE, PEV, SKOS
from kg.release.links import Links
from workspaces import write_links

ALL = frozenset(Basis)
NODES = [f"{BASE}n{number}" for number in range(7)]
TYPES = [PEV + "blocks", SKOS + "broader"]
DOCUMENTS = [BASE + "doc1", BASE + "doc2", BASE + "doc3"]
PLENTY = 1_000_000


@dataclass(frozen=True)
class Case:
    """A network and two of its nodes."""

    network: tuple[Link, ...]
    start: str
    goal: str


@dataclass(frozen=True)
class Rules:
    """What a search may walk, by name."""

    basis: frozenset[Basis] = ALL
    types: frozenset[str] = frozenset(TYPES)
    documents: frozenset[str] | None = None
    avoid: frozenset[str] = frozenset()
    via: tuple[str, ...] = ()
    forward: bool = False

    def allow(self, link: Link) -> bool:
        said = self.documents is None or bool(self.documents & set(link.origins))
        return said and link.basis in self.basis and link.predicate in self.types

    def join(self, link: Link, one: str, other: str) -> bool:
        ends = (link.subject, link.object)
        return self.allow(link) and (ends == (one, other) or (not self.forward and ends == (other, one)))


FREE = Rules()


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ends = draw(st.lists(st.permutations(range(len(NODES))).map(lambda p: p[:2]), min_size=1, max_size=16))
    network = []
    for subject, object_ in ends:
        basis = draw(st.sampled_from(list(Basis)))
        some = st.lists(st.sampled_from(DOCUMENTS), min_size=1, max_size=2, unique=True)
        origins = () if basis is Basis.REFERENCE else tuple(draw(some))
        network.append(Link(NODES[subject], draw(st.sampled_from(TYPES)), NODES[object_], basis, origins))
    linked = sorted({iri for link in network for iri in (link.subject, link.object)})
    start, goal = draw(st.permutations(linked).map(lambda p: p[:2]))
    return Case(tuple(network), start, goal)


def some_of(values: Sequence[str]) -> st.SearchStrategy[frozenset[str]]:
    return st.sets(st.sampled_from(values), min_size=1).map(frozenset)


rules = st.builds(
    Rules,
    basis=st.sets(st.sampled_from(list(Basis)), min_size=2).map(frozenset),
    types=some_of(TYPES),
    documents=st.none() | some_of(DOCUMENTS),
    avoid=st.sets(st.sampled_from(NODES), max_size=1).map(frozenset),
    via=st.lists(st.sampled_from(NODES), max_size=2, unique=True).map(tuple),
    forward=st.booleans(),
)
# Most with one restriction or none; many at once leave no path.
a_rule = st.just(FREE) | rules.flatmap(
    lambda r: st.sampled_from(
        [
            replace(FREE, **{name: getattr(r, name)})
            for name in ("basis", "types", "documents", "avoid", "via", "forward")
        ]
        + [r]
    )
)


# Which things are hubs makes a difference to time, never to the answer.
some_hubs = st.sampled_from([(), (1,), (2,), (3,), (2, 4)])


def search(
    links: Links,
    case: Case,
    rule: Rules = FREE,
    max_hops: int = 6,
    limit: int = 10_000,
    mode: Mode = Mode.BEST,
    max_expansions: int = PLENTY,
    hubs: tuple[int, ...] = (),
) -> Found:
    start, goal = links.node(case.start), links.node(case.goal)
    assert start is not None and goal is not None
    via = tuple(number for iri in rule.via if (number := links.node(iri)) is not None)
    assert len(via) == len(rule.via)
    return PathSearch(
        Weighted.of(links), start, goal, max_hops, limit, max_expansions, mode, allowed(links, rule, case), via, hubs
    ).run()


def allowed(links: Links, rule: Rules, case: Case) -> Allowed:
    iris = [links.iri(node) for node in range(links.node_count)]
    documents = None if rule.documents is None else np.array([iri in rule.documents for iri in iris])
    kept = np.array([iri not in rule.avoid or iri in (case.start, case.goal) for iri in iris])
    types = np.array([name in rule.types for name in links.types])
    return Allowed(rule.basis, types, documents, kept if rule.avoid else None, rule.forward)


# Brute force: every simple path, priced and put in order


@dataclass(frozen=True)
class Route:
    """A path by names, and what it costs."""

    nodes: tuple[str, ...]
    links: tuple[Link, ...]
    parts: Parts = field(compare=False)
    single: bool

    @property
    def key(self) -> tuple[object, ...]:
        return not self.single, self.parts.cost, self.nodes


def every_link(links: Links) -> list[Link]:
    return [links.link(number) for number in range(links.link_count)]


def every_route(links: Links, case: Case, rule: Rules, max_hops: int) -> list[Route]:
    """Returns every simple path of at most `max_hops`, in the order in which they should come."""
    every = every_link(links)
    found = nx.all_simple_paths(network_of(links, rule, case), case.start, case.goal, cutoff=max_hops)
    routes = [priced(tuple(nodes), every, rule) for nodes in found if in_order(nodes, rule.via)]
    return sorted(routes, key=lambda route: route.key)


def network_of(links: Links, rule: Rules, case: Case) -> nx.DiGraph[str]:
    """Returns the network with an edge from each node to those that a step may lead to."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(links.iri(node) for node in range(links.node_count))
    for link in every_link(links):
        if rule.allow(link):
            graph.add_edge(link.subject, link.object)
            if not rule.forward:
                graph.add_edge(link.object, link.subject)
    graph.remove_nodes_from(rule.avoid - {case.start, case.goal})
    return graph


def in_order(nodes: Sequence[str], via: Sequence[str]) -> bool:
    inner = list(nodes[1:-1])
    return all(iri in inner for iri in via) and [inner.index(iri) for iri in via] == sorted(map(inner.index, via))


def priced(nodes: tuple[str, ...], every: list[Link], rule: Rules) -> Route:
    hops = [[k for k in every if rule.join(k, *pair)] for pair in itertools.pairwise(nodes)]
    plain = cheapest(nodes, hops, every)
    assert plain is not None
    single = [
        (route.parts.cost, document if len(nodes) > 2 else "", [every.index(k) for k in route.links], route)
        for document in DOCUMENTS
        if (route := cheapest(nodes, [[k for k in hop if document in k.origins] for hop in hops], every))
    ]
    return min(single)[3] if single else plain


def cheapest(nodes: tuple[str, ...], hops: list[list[Link]], every: list[Link]) -> Route | None:
    if not all(hops):
        return None
    best = tuple(min(hop, key=lambda k: (cost(k), every.index(k))) for hop in hops)
    degrees = Counter(iri for link in every for iri in (link.subject, link.object))
    origins = sum(origins_cost(len(k.origins)) for k in best)
    hubs = sum(hub_cost(degrees[iri]) for iri in nodes[1:-1])
    parts = Parts(sum(map(cost, best)) - origins, origins, hubs)
    return Route(nodes, best, parts, bool(set.intersection(*(set(k.origins) for k in best))))


def cost(link: Link) -> int:
    return link_cost(link.basis.rank, len(link.origins))


def best_routes(every: list[Route], max_hops: int, limit: int, mode: Mode) -> list[Route]:
    """Returns what a search should answer, by its definition."""
    if not every:
        return []
    shortest = min(len(route.links) for route in every)
    longest = {Mode.SHORTEST: shortest, Mode.ALL: max_hops}.get(mode, shortest + 1)
    while longest < max_hops and mode is Mode.BEST and sum(len(r.links) <= longest for r in every) < limit:
        longest += 1
    kept = [route for route in every if len(route.links) <= longest][:limit]
    if all(len(route.links) > shortest for route in kept):
        kept[-1] = next(route for route in every if len(route.links) == shortest)
    return kept


def routes(links: Links, chains: Sequence[Chain]) -> list[Route]:
    """Returns chains of numbers as chains of names."""
    return [
        Route(
            tuple(links.iri(node) for node in chain.nodes),
            tuple(links.link(step.link) for step in chain.steps),
            chain.parts,
            chain.single,
        )
        for chain in chains
    ]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


# Each example writes into a folder of its own below the one of its test.
over_networks = partial(
    settings,
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def written(case: Case, folder: Path) -> Links:
    return write_links(Path(tempfile.mkdtemp(dir=folder)) / "links", case.network)


def linked(links: Links, case: Case, rule: Rules) -> bool:
    """Tells whether the things to pass are there, and are not what is to be avoided or an end."""
    return all(links.node(iri) is not None and iri not in (case.start, case.goal) for iri in rule.via)


@over_networks(max_examples=150)
@given(cases(), a_rule, st.integers(1, 6), st.integers(1, 8), st.sampled_from(list(Mode)), some_hubs)
def test_the_best_paths_are_those_of_brute_force_in_the_same_order(
    folder: Path, case: Case, rule: Rules, max_hops: int, limit: int, mode: Mode, hubs: tuple[int, ...]
) -> None:
    links = written(case, folder)
    assume(linked(links, case, rule))
    every = every_route(links, case, rule, max_hops)
    found = search(links, case, rule, max_hops, limit, mode, hubs=hubs)
    expected = best_routes(every, max_hops, limit, mode)
    assert routes(links, found.chains) == expected
    assert [chain.parts for chain in found.chains] == [route.parts for route in expected]
    assert found.complete
    counted = [
        r
        for r in every
        if mode is not Mode.SHORTEST or len(r.links) == len(min(every, key=lambda e: len(e.links)).links)
    ]
    assert found.truncated == (len(counted) > len(expected))


@over_networks()
@given(cases(), a_rule)
def test_every_hop_is_a_link_walked_between_its_ends_and_no_node_comes_twice(
    folder: Path, case: Case, rule: Rules
) -> None:
    links = written(case, folder)
    assume(linked(links, case, rule))
    triples = {(k.subject, k.predicate, k.object) for k in case.network}
    for chain in search(links, case, rule).chains:
        assert links.iri(chain.nodes[0]) == case.start and links.iri(chain.nodes[-1]) == case.goal
        assert len(set(chain.nodes)) == len(chain.nodes) == len(chain.steps) + 1
        for step in chain.steps:
            link = links.link(step.link)
            assert (link.subject, link.predicate, link.object) in triples
            assert rule.join(link, links.iri(step.start), links.iri(step.end))
        for one, next_ in itertools.pairwise(chain.steps):
            assert one.end == next_.start


@over_networks()
@given(cases(), a_rule)
def test_a_restricted_path_is_found_without_the_restriction_too(folder: Path, case: Case, rule: Rules) -> None:
    links = written(case, folder)
    assume(linked(links, case, rule))
    free = {chain.nodes for chain in search(links, case).chains}
    assert {chain.nodes for chain in search(links, case, rule).chains} <= free


@over_networks()
@given(cases(), st.sampled_from([FREE, Rules(forward=True), Rules(basis=frozenset({Basis.SAID, Basis.JUDGED}))]))
def test_a_shortest_path_is_as_short_as_networkx_finds_it_and_always_among_the_answers(
    folder: Path, case: Case, rule: Rules
) -> None:
    links = written(case, folder)
    network = network_of(links, rule, case)
    found = search(links, case, rule, max_hops=len(NODES), limit=1)
    if nx.has_path(network, case.start, case.goal):
        shortest = nx.shortest_path_length(network, case.start, case.goal)
        assert found.distance == shortest
        assert [len(chain.steps) for chain in found.chains] == [shortest]
    else:
        assert found.chains == () and found.distance is None


@over_networks()
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_in_which_links_came_changes_nothing(folder: Path, case: Case, chance: random.Random) -> None:
    shuffled = replace(case, network=tuple(chance.sample(case.network, len(case.network))))
    one, two = (search(written(each, folder), each) for each in (case, shuffled))
    assert (one.chains, one.levels, one.expanded) == (two.chains, two.levels, two.expanded)


@over_networks()
@given(cases(), st.integers(1, 400))
def test_a_search_that_its_budget_cuts_says_so_and_invents_nothing(
    folder: Path, case: Case, max_expansions: int
) -> None:
    links = written(case, folder)
    whole, cut = search(links, case), search(links, case, max_expansions=max_expansions)
    if cut.complete:
        assert cut.chains == whole.chains
    else:
        assert cut.truncated or not cut.chains
        assert set(cut.chains) <= set(whole.chains)
    assert cut.expanded <= max_expansions


@over_networks()
@given(cases(), st.integers(1, 6))
def test_what_each_side_reached_is_counted_level_by_level(folder: Path, case: Case, max_hops: int) -> None:
    links = written(case, folder)
    network = network_of(links, FREE, case)
    found = search(links, case, max_hops=max_hops)
    for levels, end in zip(found.levels, (case.start, case.goal), strict=True):
        lengths = nx.single_source_shortest_path_length(network, end)
        counts = Counter(dict(lengths).values())
        assert list(levels) == [counts[level] for level in range(len(levels))]


def line(*nodes: str) -> tuple[Link, ...]:
    return tuple(Link(a, TYPES[0], b, Basis.SAID, (DOCUMENTS[0],)) for a, b in itertools.pairwise(nodes))


def test_a_tiny_budget_is_cut(tmp_path: Path) -> None:
    case = Case(line(*NODES), NODES[0], NODES[-1])
    links = write_links(tmp_path / "links", case.network)
    cut = search(links, case, max_expansions=3)
    assert (cut.chains, cut.complete) == ((), False)
    assert search(links, case).complete


def test_a_hub_beside_the_only_way_is_not_walked_to_and_fro(tmp_path: Path) -> None:
    start, hub, goal = NODES[:3]
    spokes = [link for n in range(300) for link in line(hub, f"{BASE}side{n:03}")]
    case = Case((*line(start, hub, goal), *spokes), start, goal)
    links = write_links(tmp_path / "links", case.network)
    found = search(links, case, max_expansions=30_000)
    assert found.complete and not found.truncated and len(found.chains) == 1


def test_a_single_hop_costs_its_basis_and_its_origins_and_nothing_for_its_ends(tmp_path: Path) -> None:
    for basis, cost in zip(Basis, (150, 200, 250, 300), strict=True):
        origins = () if basis is Basis.REFERENCE else (DOCUMENTS[0],)
        case = Case((Link(NODES[0], TYPES[0], NODES[1], basis, origins), *line(*NODES[1:])), NODES[0], NODES[1])
        (chain,) = search(write_links(tmp_path / basis, case.network), case).chains
        assert chain.parts == Parts(cost - 50, 50, 0)
        assert chain.single == (basis is not Basis.REFERENCE)
        assert (chain.score > 0.5) == chain.single


def test_a_thing_with_many_links_is_a_poorer_way_than_one_with_few(tmp_path: Path) -> None:
    start, goal, hub, byway, *others = NODES
    spokes = tuple(Link(hub, TYPES[1], other, Basis.SAID, (DOCUMENTS[0],)) for other in others)
    case = Case((*line(start, hub, goal), *line(start, byway, goal), *spokes), start, goal)
    links = write_links(tmp_path / "links", case.network)
    first, second, *_ = search(links, case, max_hops=2).chains
    assert [links.iri(chain.nodes[1]) for chain in (first, second)] == [byway, hub]
    assert 1 > first.score > second.score > 0.5


def test_what_is_said_comes_before_what_is_judged_inferred_or_background(tmp_path: Path) -> None:
    start, goal, *ways = NODES[:6]
    network = [
        Link(one, TYPES[0], other, basis, () if basis is Basis.REFERENCE else (f"{BASE}{basis}{hop}",))
        for way, basis in zip(reversed(ways), Basis, strict=True)
        for hop, (one, other) in enumerate(((start, way), (way, goal)))
    ]
    case = Case(tuple(network), start, goal)
    links = write_links(tmp_path / "links", case.network)
    found = search(links, case)
    assert [links.link(chain.steps[0].link).basis for chain in found.chains] == list(Basis)


def test_a_longer_chain_of_one_source_comes_before_a_shorter_one_of_two(tmp_path: Path) -> None:
    start, goal, one, *others = NODES[:5]
    said = [
        Link(start, TYPES[0], one, Basis.SAID, (DOCUMENTS[0],)),
        Link(one, TYPES[0], goal, Basis.SAID, (DOCUMENTS[1],)),
    ]
    case = Case((*said, *line(start, *others, goal)), start, goal)
    found = search(write_links(tmp_path / "links", case.network), case)
    assert [(len(chain.steps), chain.single) for chain in found.chains] == [(3, True), (2, False)]
    (only,) = search(write_links(tmp_path / "again", case.network), case, limit=1).chains
    assert not only.single and len(only.steps) == 2


def test_among_parallel_links_those_of_one_source_make_the_chain(tmp_path: Path) -> None:
    start, middle, goal = NODES[:3]
    cheap = Link(start, TYPES[0], middle, Basis.SAID, (DOCUMENTS[1],))
    dear = Link(start, TYPES[1], middle, Basis.INFERRED, (DOCUMENTS[0],))
    case = Case((cheap, dear, *line(middle, goal)), start, goal)
    links = write_links(tmp_path / "links", case.network)
    (chain,) = search(links, case).chains
    assert chain.single and links.link(chain.steps[0].link) == dear


def test_more_independent_sources_make_a_hop_cheaper_and_coverage_does_not(tmp_path: Path) -> None:
    start, goal = NODES[:2]
    twice = Link(start, TYPES[0], goal, Basis.SAID, (DOCUMENTS[0], DOCUMENTS[1]))
    covers = Link(DOCUMENTS[1], PEV + "reportsOn", DOCUMENTS[0], Basis.SAID, (DOCUMENTS[1],))
    for name, network, origins in (("two", (twice,), 25), ("one", (twice, covers), 50)):
        case = Case(network, start, goal)
        (chain,) = search(write_links(tmp_path / name, network), case).chains
        assert chain.parts == Parts(100, origins, 0)
