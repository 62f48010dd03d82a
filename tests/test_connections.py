"""How two things hang together: every path there is, in one order, each hop with who says it."""

from __future__ import annotations

import itertools
import math
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.answers import Answers
from kg.connections.paths import BASIS_COST, HUB_COST, Chain, Found, PathSearch
from kg.engines.source import Request
from kg.evidence import read_texts
from kg.model import Basis, Hop, Link, Paths
from kg.names import BASE, PEV, SKOS
from kg.release.build import build
from kg.release.links import Links
from kg.release.opened import Release, open_release
from kg.workspace import Settings
from workspaces import BARRIER, RECOMMENDATION, REPORT, WORKFORCE, write_links, write_workspace

ALL = frozenset(Basis)
NODES = [f"{BASE}n{number}" for number in range(7)]
TYPES = [PEV + "blocks", SKOS + "broader"]
DOCUMENTS = [BASE + "doc1", BASE + "doc2"]
PLENTY = 1_000_000

# The paths of small random networks against brute force


@dataclass(frozen=True)
class Case:
    """A network and two of its nodes."""

    network: tuple[Link, ...]
    start: str
    goal: str


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ends = draw(st.lists(st.permutations(range(len(NODES))).map(lambda p: p[:2]), min_size=1, max_size=14))
    network = []
    for subject, object_ in ends:
        basis = draw(st.sampled_from(list(Basis)))
        origins = () if basis is Basis.REFERENCE else (draw(st.sampled_from(DOCUMENTS)),)
        network.append(Link(NODES[subject], draw(st.sampled_from(TYPES)), NODES[object_], basis, origins))
    linked = sorted({iri for link in network for iri in (link.subject, link.object)})
    start, goal = draw(st.permutations(linked).map(lambda p: p[:2]))
    return Case(tuple(network), start, goal)


Route = tuple[tuple[str, ...], tuple[Link, ...]]


def search(
    links: Links,
    case: Case,
    max_hops: int = 6,
    limit: int = 10_000,
    basis: frozenset[Basis] = ALL,
    max_expansions: int = PLENTY,
) -> Found:
    start, goal = links.node(case.start), links.node(case.goal)
    assert start is not None and goal is not None
    return PathSearch(links, start, goal, max_hops, limit, basis, max_expansions).run()


def routes(links: Links, chains: Sequence[Chain]) -> list[Route]:
    """Returns chains of numbers as chains of names."""
    return [
        (tuple(links.iri(node) for node in chain.nodes), tuple(links.link(step.link) for step in chain.steps))
        for chain in chains
    ]


def every_link(links: Links) -> list[Link]:
    return [links.link(number) for number in range(links.link_count)]


def network_of(links: Links, basis: frozenset[Basis]) -> nx.Graph[str]:
    """Returns the network with one edge for each pair of nodes that a link of an allowed basis joins."""
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(links.iri(node) for node in range(links.node_count))
    graph.add_edges_from((link.subject, link.object) for link in every_link(links) if link.basis in basis)
    return graph


def brute_force(links: Links, case: Case, max_hops: int, basis: frozenset[Basis]) -> list[Route]:
    """Returns every simple path of at most `max_hops`, in the order in which they should come."""
    every = every_link(links)
    degree = {iri: sum(iri in (k.subject, k.object) for k in every) for iri in NODES}

    def best(one: str, other: str) -> Link:
        between = [k for k in every if {k.subject, k.object} == {one, other} and k.basis in basis]
        return min(between, key=lambda k: (BASIS_COST[k.basis.rank], k.subject, k.predicate, k.object))

    def key(route: Route) -> tuple[object, ...]:
        nodes, hops = route
        cost = sum(BASIS_COST[k.basis.rank] for k in hops)
        cost += sum(HUB_COST * math.log2(degree[node]) for node in nodes[1:-1])
        return len(hops), round(cost, 9), nodes, [(k.subject, k.predicate, k.object) for k in hops]

    found = nx.all_simple_paths(network_of(links, basis), case.start, case.goal, cutoff=max_hops)
    return sorted(
        ((tuple(nodes), tuple(best(*pair) for pair in itertools.pairwise(nodes))) for nodes in found), key=key
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


# Each example writes into a folder of its own below the one of its test.
over_networks = partial(
    settings, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
bases = st.sets(st.sampled_from(list(Basis)), min_size=1).map(frozenset)


def written(case: Case, folder: Path) -> Links:
    return write_links(Path(tempfile.mkdtemp(dir=folder)) / "links", case.network)


@over_networks()
@given(cases(), st.integers(1, 6), bases)
def test_the_paths_are_those_of_brute_force_in_the_same_order(
    folder: Path, case: Case, max_hops: int, basis: frozenset[Basis]
) -> None:
    links = written(case, folder)
    found = search(links, case, max_hops, basis=basis)
    assert routes(links, found.chains) == brute_force(links, case, max_hops, basis)
    assert found.complete and not found.truncated


@over_networks()
@given(cases())
def test_every_hop_is_a_link_walked_between_its_ends_and_no_node_comes_twice(folder: Path, case: Case) -> None:
    links = written(case, folder)
    for chain in search(links, case).chains:
        assert links.iri(chain.nodes[0]) == case.start and links.iri(chain.nodes[-1]) == case.goal
        assert len(set(chain.nodes)) == len(chain.nodes) == len(chain.steps) + 1
        for step in chain.steps:
            link = links.link(step.link)
            assert {links.iri(step.start), links.iri(step.end)} == {link.subject, link.object}
        for one, next_ in itertools.pairwise(chain.steps):
            assert one.end == next_.start


@over_networks()
@given(cases(), bases)
def test_the_first_path_is_as_short_as_networkx_finds_it(folder: Path, case: Case, basis: frozenset[Basis]) -> None:
    links = written(case, folder)
    network = network_of(links, basis)
    found = search(links, case, max_hops=len(NODES), basis=basis)
    if nx.has_path(network, case.start, case.goal):
        assert len(found.chains[0].steps) == nx.shortest_path_length(network, case.start, case.goal)
    else:
        assert found.chains == ()


@over_networks()
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_in_which_links_came_changes_nothing(folder: Path, case: Case, chance: random.Random) -> None:
    shuffled = replace(case, network=tuple(chance.sample(case.network, len(case.network))))
    assert search(written(case, folder), case) == search(written(shuffled, folder), shuffled)


@over_networks()
@given(cases(), st.integers(1, 6), st.integers(1, 4))
def test_a_limit_keeps_the_best_and_says_whether_any_was_left_out(
    folder: Path, case: Case, max_hops: int, limit: int
) -> None:
    links = written(case, folder)
    every, some = search(links, case, max_hops), search(links, case, max_hops, limit)
    assert some.chains == every.chains[:limit]
    assert some.truncated == (len(every.chains) > limit)
    assert some.complete


@over_networks()
@given(cases(), st.integers(1, 40))
def test_a_search_that_its_budget_cuts_says_so_and_invents_nothing(
    folder: Path, case: Case, max_expansions: int
) -> None:
    links = written(case, folder)
    whole, cut = search(links, case), search(links, case, max_expansions=max_expansions)
    if cut.complete:
        assert cut == whole
    else:
        assert cut.truncated or not cut.chains
        assert set(cut.chains) <= set(whole.chains)


@over_networks()
@given(cases(), st.integers(1, 6), bases)
def test_reached_counts_what_lies_within_the_hops(
    folder: Path, case: Case, max_hops: int, basis: frozenset[Basis]
) -> None:
    links = written(case, folder)
    near = nx.single_source_shortest_path_length(network_of(links, basis), case.goal, cutoff=max_hops)
    found = search(links, case, max_hops, basis=basis)
    assert found.reached == len(dict(near))
    for node in found.nearest:
        assert dict(near)[links.iri(node)] > 0


def line(*nodes: str) -> tuple[Link, ...]:
    return tuple(Link(a, TYPES[0], b, Basis.SAID, (DOCUMENTS[0],)) for a, b in itertools.pairwise(nodes))


def test_a_tiny_budget_is_cut(tmp_path: Path) -> None:
    case = Case(line(*NODES), NODES[0], NODES[-1])
    links = write_links(tmp_path / "links", case.network)
    cut = search(links, case, max_expansions=3)
    assert (cut.chains, cut.complete) == ((), False)
    assert search(links, case).complete


def test_what_cannot_arrive_in_time_is_not_walked(tmp_path: Path) -> None:
    start, goal, way = NODES[:3]
    dead_ends = [link for n in range(100) for link in line(start, f"{BASE}side{n}", f"{BASE}end{n}")]
    case = Case((*line(start, way, goal), *dead_ends), start, goal)
    links = write_links(tmp_path / "links", case.network)
    found = search(links, case, max_hops=3, max_expansions=2 * len(case.network))
    assert found.complete and len(found.chains) == 1


def test_a_single_hop_costs_its_basis_and_nothing_for_its_ends(tmp_path: Path) -> None:
    for basis, score in zip(Basis, (0.8, 0.7273, 0.6667, 0.6154), strict=True):
        case = Case((Link(NODES[0], TYPES[0], NODES[1], basis, ()), *line(*NODES[1:])), NODES[0], NODES[1])
        found = search(write_links(tmp_path / basis, case.network), case)
        assert [chain.score for chain in found.chains] == [score]


def test_a_thing_with_many_links_is_a_poorer_way_than_one_with_few(tmp_path: Path) -> None:
    start, goal, hub, byway, *others = NODES
    spokes = tuple(Link(hub, TYPES[1], other, Basis.SAID, (DOCUMENTS[0],)) for other in others)
    case = Case((*line(start, hub, goal), *line(start, byway, goal), *spokes), start, goal)
    links = write_links(tmp_path / "links", case.network)
    first, second, *_ = search(links, case, max_hops=2).chains
    assert [links.iri(chain.nodes[1]) for chain in (first, second)] == [byway, hub]
    assert 1 > first.score > second.score > 0


def test_what_is_said_comes_before_what_was_stitched(tmp_path: Path) -> None:
    start, goal, *ways = NODES[:6]
    network = [
        Link(one, TYPES[0], other, basis, ())
        for way, basis in zip(reversed(ways), Basis, strict=True)
        for one, other in ((start, way), (way, goal))
    ]
    case = Case(tuple(network), start, goal)
    found = search(write_links(tmp_path / "links", case.network), case)
    links = write_links(tmp_path / "again", case.network)
    assert [links.link(chain.steps[0].link).basis for chain in found.chains] == list(Basis)


# The explanations, on an invented text


@pytest.fixture(scope="module")
def invented_release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    from kg.workspace import read_settings

    workspace = write_workspace(tmp_path_factory.mktemp("connections") / "workspace")
    built = build(workspace, read_settings(), check="none")
    with closing(open_release(built.directory.root)) as release:
        yield release


@pytest.fixture(scope="module")
def invented(invented_release: Release) -> Answers:
    from kg.workspace import read_settings

    return Answers(invented_release, read_texts(None), read_settings())


def hops_between(answers: Answers, start: str, goal: str, **options: object) -> tuple[Hop, ...]:
    """Returns the hops of the best path."""
    return answers.connect(start, goal, **options).paths[0].hops  # type: ignore[arg-type]  # passed on as they are


def test_a_hop_reads_as_a_sentence_of_who_says_it(invented: Answers) -> None:
    (hop,) = hops_between(invented, BARRIER, WORKFORCE, basis=frozenset({Basis.SAID}))
    assert hop.sentence == "Elsewhere Audit Office says that empty posts in Elsewhere blocks workforce."
    assert (hop.label, hop.direction, hop.basis, hop.origins) == ("blocks", "forward", Basis.SAID, (REPORT,))


def test_a_hop_walked_backwards_reads_the_same_and_says_its_direction(invented: Answers) -> None:
    (forth,) = hops_between(invented, BARRIER, WORKFORCE)
    (back,) = hops_between(invented, WORKFORCE, BARRIER)
    assert (back.start, back.end, back.direction) == (forth.end, forth.start, "backward")
    assert back == replace(forth, start=forth.end, end=forth.start, direction="backward")


def test_what_is_judged_and_what_follows_say_so_first(invented: Answers) -> None:
    (judged,) = hops_between(invented, BARRIER, "theme:finance", basis=frozenset({Basis.JUDGED}))
    assert judged.sentence == "By this project's judgement, empty posts in Elsewhere affects finance."
    (derived,) = hops_between(invented, REPORT, "theme:workforce", basis=frozenset({Basis.INFERRED}))
    assert derived.sentence.startswith("By rule, Report on reform in Elsewhere ")


def test_a_hop_of_reference_has_no_voice_and_no_origin(invented: Answers) -> None:
    (hop,) = hops_between(invented, "agent:elsewhere-council", "place:elsewhere")
    assert hop.basis is Basis.REFERENCE and hop.origins == ()
    assert hop.sentence.startswith("Council of Élsewhere ") and "says that" not in hop.sentence


def test_a_hop_carries_the_passages_of_its_item(invented: Answers) -> None:
    (hop,) = hops_between(invented, BARRIER, WORKFORCE)
    assert hop.evidence == invented.evidence(BARRIER).results
    assert [(passage.document, passage.start, passage.end) for passage in hop.evidence] == [(REPORT, 0, 40)]


def test_a_chain_that_one_origin_says_is_single(invented: Answers) -> None:
    path = invented.connect(RECOMMENDATION, WORKFORCE, basis=frozenset({Basis.SAID})).paths[0]
    assert [hop.link for hop in path.hops] == [PEV + "addresses", PEV + "blocks"]
    assert (path.thread, path.origins, path.length) == ("single", (REPORT,), 2)


def test_a_chain_with_a_hop_of_reference_is_stitched(invented: Answers) -> None:
    path = invented.connect(RECOMMENDATION, "place:elsewhere").paths[0]
    assert [hop.basis for hop in path.hops] == [Basis.SAID, Basis.REFERENCE]
    assert (path.thread, path.origins) == ("stitched", ())


def test_a_thing_without_links_is_why_there_is_none(invented: Answers) -> None:
    for ends in (("code:own-text", BARRIER), (BARRIER, "code:own-text")):
        found = invented.connect(*ends)
        assert found.paths == () and found.sparql == ""
        assert found.why_none is not None
        assert found.why_none.reason == f"{invented.entity('code:own-text').label} has no links in this release."


def test_too_few_hops_are_why_there_is_none(invented: Answers) -> None:
    found = invented.connect(RECOMMENDATION, "place:elsewhere", max_hops=1)
    assert found.paths == () and found.searched.complete
    assert found.why_none is not None
    assert found.why_none.reason.startswith("No path of at most 1 hops of the allowed basis joins ")
    assert [entity.curie for entity in found.why_none.nearest] == ["agent:elsewhere-council"]


def test_a_basis_that_is_not_allowed_is_why_there_is_none(invented: Answers) -> None:
    found = invented.connect(BARRIER, "place:elsewhere", basis=frozenset({Basis.SAID}))
    assert found.why_none is not None
    assert found.why_none.reason == "Elsewhere has no link of the allowed basis."


def test_a_budget_that_ran_out_is_why_there_is_none(invented_release: Release, settings: Settings) -> None:
    poor = Answers(invented_release, read_texts(None), replace(settings, max_expansions=1))
    found = poor.connect(RECOMMENDATION, "place:elsewhere")
    assert not found.searched.complete
    assert found.why_none is not None and "KG_MAX_EXPANSIONS" in found.why_none.reason


# The explanations, on the real graph

PAIRS = [
    ("COSLA", "Distrust between professions"),
    ("Audit Scotland", "theme:finance"),
    ("theme:workforce", "place:england"),
    ("barrier:as2018-leadership-turnover", "initiative:scotland-integration"),
]


def connected(answers: Answers, pair: tuple[str, str]) -> Paths:
    found = answers.connect(*pair, max_hops=5, limit=25)
    assert found.paths and found.why_none is None
    return found


def test_cosla_and_distrust_between_professions_hang_together(answers: Answers) -> None:
    found = connected(answers, PAIRS[0])
    path = found.paths[0]
    assert (path.nodes[0].label, path.nodes[-1].label) == PAIRS[0]
    assert path.thread in {"single", "stitched"}
    for hop in path.hops:
        assert isinstance(hop.basis, Basis)
        assert hop.sentence.endswith(".") and not hop.sentence[0].islower()


def test_the_sentence_of_the_docstring_is_a_real_one(answers: Answers) -> None:
    (hop,) = hops_between(answers, "barrier:as2018-leadership-turnover", "theme:strategic-planning")
    assert hop.sentence == "Audit Scotland says that high turnover in leadership teams blocks strategic planning."


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_a_path_is_single_exactly_when_one_origin_stands_behind_every_hop(
    answers: Answers, release: Release, pair: tuple[str, str]
) -> None:
    known = {(k.subject, k.predicate, k.object): set(k.origins) for k in every_link(release.links)}
    for path in connected(answers, pair).paths:
        shared = set.intersection(*(known[triple(hop)] for hop in path.hops))
        assert set(path.origins) == shared
        assert path.thread == ("single" if shared else "stitched")
        if any(hop.basis is Basis.REFERENCE for hop in path.hops):
            assert path.thread == "stitched"


def triple(hop: Hop) -> tuple[str, str, str]:
    ends = (hop.start.iri, hop.end.iri)
    subject, object_ = ends if hop.direction == "forward" else reversed(ends)
    return subject, hop.link, object_


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_the_query_of_an_answer_returns_exactly_its_hops(
    answers: Answers, release: Release, pair: tuple[str, str]
) -> None:
    found = connected(answers, pair)
    strongest: dict[tuple[str, ...], Basis] = {}
    for row in release.source.select(found.sparql).rows:
        *ends, basis = (str(getattr(term, "value", "")) for term in row)
        known = strongest.setdefault(tuple(ends), Basis(basis))
        strongest[tuple(ends)] = min(known, Basis(basis), key=lambda b: b.rank)
    assert strongest == {triple(hop): hop.basis for path in found.paths for hop in path.hops}
    assert answers.sparql(Request(found.sparql), "text/csv").startswith(b"from,link,to,basis")


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_a_path_is_a_chain_shortest_first_and_the_same_each_time(answers: Answers, pair: tuple[str, str]) -> None:
    found = connected(answers, pair)
    assert found == connected(answers, pair)
    assert [path.length for path in found.paths] == sorted(path.length for path in found.paths)
    for path in found.paths:
        assert path.nodes == (path.hops[0].start, *(hop.end for hop in path.hops))
        assert len({node.iri for node in path.nodes}) == path.length + 1
        assert 0 < path.score < 1


def test_a_path_of_said_links_only_is_told_by_who_says_them(answers: Answers) -> None:
    found = answers.connect("agent:audit-scotland", "theme:strategic-planning", basis=frozenset({Basis.SAID}))
    assert found.paths
    for hop in (hop for path in found.paths for hop in path.hops):
        assert hop.basis is Basis.SAID and hop.origins


def test_every_link_of_the_graph_reads_as_a_sentence(answers: Answers, release: Release) -> None:
    from kg.connections.explain import Explainer

    explainer = Explainer(release, read_texts(None))
    for link in every_link(release.links):
        sentence = explainer.sentence(link)
        assert sentence[0].isupper() or not sentence[0].isalpha()
        assert sentence.endswith(".") and "  " not in sentence
        assert PEV not in sentence
