"""Links that stay in an engine: the same answers from what a question fetches, or a refusal that says what to do."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pyoxigraph import NamedNode, Store

from conftest import ROOT, application
from engines import Server, oxigraph, shared, virtuoso
from kg.answers import Answers
from kg.connections.neighbourhood import Page
from kg.connections.values import Mode, Paths, Restriction
from kg.engines.local import LocalSource
from kg.engines.remote.catalogue import CATALOGUE, read_digests
from kg.engines.remote.claims import PUBLISHING
from kg.engines.remote.lanes import PublishedSource
from kg.engines.remote.source import RemoteSource
from kg.engines.source import Rows
from kg.errors import EngineTimeout, KgError, LimitError, NotAtHand
from kg.evidence import read_texts
from kg.model import Basis
from kg.release.build import build
from kg.release.companion import companion, dataset_of, open_beside, standing
from kg.release.directory import ReleaseDirectory
from kg.release.frontier import Allowance, Frontier
from kg.release.links import HUB_LINKS
from kg.release.opened import Release, open_release
from kg.release.publish import publish
from kg.release.survey import open_survey, read_survey
from kg.web.app import create_app
from kg.web.remote import EngineServing
from kg.workspace import Settings
from workspaces import dumped, generated

# Of everything so little at once that questions are asked in many parts, and things with many links in pages.
NARROW = Allowance(values=7, rows=60, links=1_000_000, time_ms=600_000)


class Recorded(LocalSource):
    """A store that notes what rows it is asked for."""

    def __init__(self, release: Release) -> None:
        super().__init__(Store.read_only(str(release.directory.store)), release.directory.prefixes)
        self.queries: list[str] = []

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        self.queries.append(query)
        return super().select(query, max_rows)

    def of_links_of(self, things: Collection[str]) -> list[str]:
        """Returns the queries for links of some things."""
        blocks = ((query, re.findall(r"VALUES \?(?:from|to) \{([^}]*)\}", query)) for query in self.queries)
        return [query for query, found in blocks if any(f"<{iri}>" in text for text in found for iri in things)]


def from_afar(
    release: Release, settings: Settings, allowance: Allowance = NARROW, source: LocalSource | None = None
) -> Answers:
    """Returns the front door of a release whose links stay in its store, and are fetched as an engine's are."""
    survey = read_survey(release.source, release.library, allowance.values, allowance.rows)
    asked = source or release.source
    frontier = Frontier(asked, asked, release.library, survey, allowance)
    return Answers(replace(release, links=frontier.links, frontier=frontier), read_texts(None), settings)


def pairs_of(answers: Answers, count: int, seed: int = 7) -> list[tuple[str, str]]:
    links, chance = answers.opened.links, random.Random(seed)
    drawn = (chance.sample(range(links.node_count), 2) for _ in range(count))
    return [(links.iri(start), links.iri(end)) for start, end in drawn]


def connections(asked: Answers, start: str, end: str, **options: Any) -> object:
    """Returns the connections of two things, or how they are refused."""
    try:
        return asked.connect(start, end, **{"limit": 5, **options})
    except KgError as error:
        return type(error), str(error)


@pytest.fixture(scope="module")
def afar(release: Release, settings: Settings) -> Answers:
    return from_afar(release, settings)


# The answers are the same

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "the best": {},
    "all shortest ones": {"mode": Mode.SHORTEST, "limit": 20},
    "all up to a length": {"mode": Mode.ALL, "max_hops": 4, "limit": 20},
    "said": {"basis": frozenset({Basis.SAID})},
    "forward only": {"restriction": Restriction(direction="forward")},
    "through themes": {"restriction": Restriction(types=("pev:Theme",))},
    "of some kinds": {"restriction": Restriction(links=("pev:blocks", "pev:hasTheme", "skos:broader"))},
    "by later documents": {"restriction": Restriction(since="2019")},
    "past something": {"restriction": Restriction(via=("theme:finance",))},
    "without something": {"restriction": Restriction(avoid=("theme:finance",))},
    "of one hop": {"max_hops": 1},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_connections_are_those_of_all_links(afar: Answers, answers: Answers, options: Mapping[str, Any]) -> None:
    for start, end in pairs_of(answers, 6):
        assert connections(afar, start, end, **options) == connections(answers, start, end, **options)


def test_among_them_are_ways_found_and_reasons_why_there_is_none(answers: Answers) -> None:
    found = [connections(answers, *pair, **options) for pair in pairs_of(answers, 6) for options in OPTIONS.values()]
    kinds = {bool(paths.paths) for paths in found if isinstance(paths, Paths)}
    missing = [paths.why_none.missing for paths in found if isinstance(paths, Paths) and paths.why_none]

    assert kinds == {True, False}
    assert any(link is not None for link in missing)


def test_what_stands_around_a_thing_is_the_same(afar: Answers, answers: Answers) -> None:
    for name in ("COSLA", "theme:finance", "barrier:as2018-data-sharing"):
        assert afar.neighbours(name) == answers.neighbours(name)
        assert afar.describe(name) == answers.describe(name)
    page = Page(5, offset=2, link="pev:hasTheme", direction="backward")
    assert afar.neighbours("theme:finance", page=page) == answers.neighbours("theme:finance", page=page)


def test_links_between_things_and_one_link_are_the_same(afar: Answers, answers: Answers) -> None:
    links = answers.opened.links
    iris = [links.iri(number) for number in range(0, links.node_count, 2)]
    here, there = answers.subgraph(iris), afar.subgraph(iris)

    assert here.links
    assert there == here
    link = here.links[0]
    assert afar.link(link.subject, link.predicate, link.object) == answers.link(
        link.subject, link.predicate, link.object
    )
    assert afar.links_from(iris[:5]) == answers.links_from(iris[:5])


@pytest.mark.parametrize("name", ["COSLA", "a b", "", "http://[bad", "a>b", "http://example.org/not-there"])
def test_what_is_no_name_of_a_thing_is_unknown_as_among_all_links(afar: Answers, answers: Answers, name: str) -> None:
    links = answers.opened.links
    iris = [links.iri(0), name, links.iri(1)]
    here = answers.subgraph(iris)

    assert here.unknown == (name,)
    assert afar.subgraph(iris) == here


def test_kinds_of_link_origins_and_what_links_join_are_the_same(afar: Answers, answers: Answers) -> None:
    here, there = answers.opened.links, afar.opened.links

    assert (there.types, there.all_origins()) == (here.types, here.all_origins())
    assert afar.vocabulary() == answers.vocabulary()
    for kind in here.types:
        assert afar.ends_of(kind, 10) == answers.ends_of(kind, 10)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Release]:
    """An invented release in which some things are hubs, and some hubs are linked."""
    folder = tmp_path_factory.mktemp("busy")
    built = build(generated(folder / "workspace", 150), settings, folder / "release", check="none")
    with closing(open_release(built.directory.root)) as opened:
        yield opened


@pytest.mark.slow
def test_hubs_are_met_and_not_fetched_and_the_answers_are_the_same(busy: Release, settings: Settings) -> None:
    allowance = replace(NARROW, values=500, rows=5000)
    source = Recorded(busy)
    here, there = Answers(busy, read_texts(None), settings), from_afar(busy, settings, allowance, source)
    hubs = {busy.links.iri(node) for node in range(busy.links.node_count) if busy.links.degree(node) > HUB_LINKS}
    survey = read_survey(busy.source, busy.library, allowance.values, allowance.rows)

    assert set(survey.hubs) == hubs
    assert survey.crossings
    unfetched = 0
    for start, end in pairs_of(here, 4):
        source.queries.clear()
        assert connections(there, start, end) == connections(here, start, end)
        unfetched += not source.of_links_of(hubs)
    assert unfetched


# What is asked of the engine


def test_degrees_count_what_links_are() -> None:
    left_out = [
        re.findall(r"NOT IN \(([^)]*)\)", (ROOT / "queries" / name).read_text()) for name in ("links.rq", "degrees.rq")
    ]
    lists = {tuple(sorted(text.replace("\n", " ").replace(" ", "").split(","))) for found in left_out for text in found}

    assert [len(found) for found in left_out] == [1, 2]
    assert len(lists) == 1


def test_the_degrees_of_things_are_those_in_the_arrays(release: Release) -> None:
    links = release.links
    rows = [[NamedNode(links.iri(node))] for node in range(links.node_count)]
    found = release.source.select(release.library.program("degrees").bound({"node": rows})).rows
    counted = {node.value: int(count.value) for node, count in found}  # type: ignore[union-attr]  # as the file declares

    assert counted == {links.iri(node): n for node in range(links.node_count) if (n := links.degree(node))}


def test_the_things_of_an_origin_have_all_its_links(release: Release) -> None:
    links = release.links
    for iri in links.all_origins():
        query = release.library.program("things-of-origin").bound({"document": [[NamedNode(iri)]]})
        found = {(thing.value, ends.value) for thing, _, ends in release.source.select(query).rows}  # type: ignore[union-attr]
        node, at = links.node(iri), links.arrays["said_at"]
        assert node is not None
        for number in links.arrays["said"][at[node] : at[node + 1]].tolist():
            link = links.link(number)
            outward = link.subject == iri or {(link.subject, "both"), (link.subject, "from")} & found
            assert outward or (link.object, "both") in found


def test_a_question_that_needs_too_many_links_says_so_and_what_to_do(release: Release, settings: Settings) -> None:
    poor = from_afar(release, settings, replace(NARROW, links=5))
    start, end = pairs_of(Answers(release, read_texts(None), settings), 1)[0]

    with pytest.raises(LimitError, match=r"more than 5 links .*KG_MAX_FETCHED_LINKS.*KG_RELEASES") as caught:
        poor.connect(start, end)
    assert caught.value.limit == "KG_MAX_FETCHED_LINKS"


def test_a_question_whose_links_take_too_long_says_so(release: Release, settings: Settings) -> None:
    hurried = from_afar(release, settings, replace(NARROW, time_ms=0))

    with pytest.raises(EngineTimeout, match="KG_QUERY_TIME_LIMIT_MS"):
        hurried.connect("COSLA", "theme:finance")


def test_what_needs_all_links_is_refused_by_name(afar: Answers) -> None:
    for ask in (
        lambda: afar.opened.links.node_count,
        lambda: list(afar.opened.links.plain),
        lambda: afar.analysis.keystones(),
        lambda: afar.analysis.blockers("Finance"),
    ):
        with pytest.raises(NotAtHand, match="KG_RELEASES"):
            ask()


def test_what_was_fetched_is_not_fetched_again(release: Release, settings: Settings) -> None:
    source = Recorded(release)
    there = from_afar(release, settings, replace(NARROW, values=100, rows=10_000), source)
    start, end = pairs_of(Answers(release, read_texts(None), settings), 1)[0]
    first = there.connect(start, end)
    asked = len(source.queries)

    assert there.connect(start, end) == first
    assert len(source.queries) == asked > 5


# On real engines


@dataclass(frozen=True)
class Limited:
    """An engine that holds a release, and how few rows come at once: by a limit of its own, or of the service's."""

    server: Server
    releases: Path
    settings: Settings
    pairs: int


MOST_ROWS = 500


@pytest.fixture(scope="module", params=["oxigraph", "virtuoso"])
def limited(
    request: pytest.FixtureRequest, release_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Limited]:
    beside = tmp_path_factory.mktemp("beside")
    if request.param == "oxigraph":
        server = shared("oxigraph")
        with standing_in(server, ReleaseDirectory(release_folder)):
            yield Limited(server, beside, replace(server.settings(), max_answer_rows=MOST_ROWS), 100)
        return
    server = virtuoso()
    try:
        with standing_in(server, ReleaseDirectory(release_folder)):
            server.allow_rows(MOST_ROWS)
            yield Limited(server, beside, server.settings(), 25)
    finally:
        server.stop()


@contextmanager
def standing_in(server: Server, release: ReleaseDirectory) -> Iterator[None]:
    """Lets a release stand in an engine for a while."""
    with closing(server.open()) as engine:
        publish(release, engine)
        yield
        for graph in (*read_digests(engine), CATALOGUE, PUBLISHING):
            engine.clear(graph)


@contextmanager
def opened_from(there: Limited) -> Iterator[Answers]:
    """Yields the front door of the release in an engine."""
    with closing(replace(there.server.open(), settings=there.settings)) as engine:
        stamp = standing(engine)
        directory = companion(engine, stamp, there.releases)
        source = PublishedSource(RemoteSource(engine, directory.prefixes, dataset_of(directory)), engine, stamp)
        yield Answers(open_beside(directory, source, engine, stamp), read_texts(None), there.settings)


@pytest.mark.slow
def test_an_engine_that_allows_fewer_rows_than_there_are_links_has_the_same_ranked_connections(
    limited: Limited, answers: Answers
) -> None:
    assert answers.opened.links.link_count > MOST_ROWS
    found = 0
    with opened_from(limited) as there:
        assert not there.opened.directory.links.exists()
        assert dumped(there.opened.directory.search) == dumped(answers.opened.directory.search)
        assert open_survey(there.opened.directory.survey).types == list(answers.opened.links.types)
        for start, end in pairs_of(answers, limited.pairs):
            here = connections(answers, start, end)
            found += isinstance(here, Paths) and bool(here.paths)
            assert connections(there, start, end) == here
    assert found > limited.pairs / 2


@pytest.mark.slow
def test_a_service_on_such_an_engine_answers_the_same_or_says_what_it_needs(
    limited: Limited, release: Release, settings: Settings
) -> None:
    serving = EngineServing(limited.server.address, limited.releases, limited.settings)
    with TestClient(create_app(serving)) as there, TestClient(application(release, settings)) as here:
        for path in (
            "/api/search?q=leadership",
            "/api/describe?entity=COSLA",
            "/api/neighbours?entity=Finance&limit=5",
            "/api/connections?from=COSLA&to=Finance&basis=said&max_hops=4",
            "/api/evidence?item=barrier:as2018-data-sharing",
        ):
            assert there.get(path).json() == here.get(path).json(), path
        refused = there.get("/api/blockers?entity=Finance")
    assert (refused.status_code, refused.json()["title"]) == (501, "The links are not at hand")
    assert "KG_RELEASES" in refused.json()["detail"]


@pytest.mark.slow
def test_a_larger_graph_on_such_an_engine_has_the_same_ranked_connections(tmp_path: Path, settings: Settings) -> None:
    built = build(generated(tmp_path / "workspace", 30), settings, tmp_path / "release", check="none")
    server = oxigraph()
    asking = Limited(server, tmp_path / "beside", replace(server.settings(), max_answer_rows=2000), 12)
    try:
        with closing(open_release(built.directory.root)) as release, standing_in(server, built.directory):
            here = Answers(release, read_texts(None), settings)
            assert release.links.link_count > 2000
            with opened_from(asking) as there:
                for start, end in pairs_of(here, asking.pairs):
                    assert connections(there, start, end) == connections(here, start, end)
    finally:
        server.stop()
