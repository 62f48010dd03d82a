"""A service on an engine: the same answers as over the embedded store, and never a mixture of two releases."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from fastapi.testclient import TestClient

from conftest import ROOT, application
from engines import KINDS, Server, oxigraph, shared
from kg.answers import Answers
from kg.connections.values import Paths
from kg.engines.remote.capabilities import KINDS as KNOWN_KINDS
from kg.engines.remote.catalogue import CATALOGUE, read_digests
from kg.engines.remote.claims import PUBLISHING, Claim, remove_claims, write_claim
from kg.engines.remote.engine import open_engine
from kg.engines.remote.lanes import PublishedSource
from kg.engines.remote.preparing import Dataset, prepared
from kg.engines.remote.source import RemoteSource
from kg.engines.source import Request
from kg.errors import Forbidden, KgError, Publishing, SourceError
from kg.evidence import read_texts
from kg.library import Question
from kg.names import MERGED_GRAPH
from kg.release.companion import companion, dataset_of, standing
from kg.release.directory import ReleaseDirectory
from kg.release.opened import Release, open_on
from kg.release.publish import publish
from kg.web.app import create_app
from kg.web.remote import EngineServing
from kg.workspace import Settings
from services import started

JSON = "application/sparql-results+json"

# Questions whose rows an engine gives otherwise, each with the reason; docs/engines.md lists them.
_TOO_DEEP = "refused by name: SELECT more than two deep; sent all the same, its compiler fails (SP031)"
DIFFERENT: Mapping[str, Mapping[str, str]] = {
    "oxigraph": {},
    "virtuoso": {"compare-documents-on-theme": _TOO_DEEP},
}


@dataclass(frozen=True)
class Standing:
    """An engine in which this repository's release stands, and where a service keeps what it makes of it."""

    server: Server
    releases: Path


@pytest.fixture(scope="module", params=KINDS)
def standing_in(
    request: pytest.FixtureRequest, release_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standing]:
    server = shared(request.param)
    with closing(server.open()) as engine:
        publish(ReleaseDirectory(release_folder), engine)
        # An empty folder of releases: all that is not asked of the engine is made from it.
        yield Standing(server, tmp_path_factory.mktemp("beside"))
        for graph in (*read_digests(engine), CATALOGUE, PUBLISHING):
            engine.clear(graph)


@contextmanager
def served(there: Standing, **changed: object) -> Iterator[TestClient]:
    settings = replace(there.server.settings(), **changed)  # type: ignore[arg-type]  # a test names fields
    with TestClient(create_app(EngineServing(there.server.address, there.releases, settings))) as client:
        yield client


@pytest.fixture(scope="module")
def client(standing_in: Standing) -> Iterator[TestClient]:
    with served(standing_in) as opened:
        yield opened


@pytest.fixture(scope="module")
def embedded(release: Release, settings: Settings) -> Iterator[TestClient]:
    with TestClient(application(release, settings)) as opened:
        yield opened


@pytest.mark.slow
def test_every_question_gives_the_same_rows(
    client: TestClient, embedded: TestClient, standing_in: Standing, answers: Answers
) -> None:
    differing = {}
    for question in answers.questions():
        for given in _ways_to_ask(question):
            path = f"/api/queries/{question.name}?{given}"
            here, there = embedded.get(path), client.get(path)
            assert here.status_code == 200
            if there.status_code != 200:
                differing[question.name] = there.text
            elif _rows(there.json()) != _rows(here.json()):
                differing[question.name] = (
                    f"{given}: {len(there.json()['results'])} rows for {len(here.json()['results'])}"
                )

    known = DIFFERENT[standing_in.server.kind]
    assert set(differing) == set(known), differing
    assert all("is refused" in words for words in differing.values())
    documented = (ROOT / "docs/engines.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in documented for name in known)


def _ways_to_ask(question: Question) -> set[str]:
    """Returns the parameters of its example, with those that are optional and without."""
    return {
        urlencode([(p.name, value) for p in question.parameters if p.mode in modes for value in p.example])
        for modes in (("required", "many"), ("required", "many", "optional"))
    }


def test_a_question_nests_no_deeper_than_the_engines_take_but_for_those_that_are_listed(answers: Answers) -> None:
    for kind, known in DIFFERENT.items():
        for question in answers.questions():
            expected = pytest.raises(Forbidden, match="deep") if question.name in known else nullcontext()
            with expected:
                prepared(Request(question.text), {}, Dataset(), KNOWN_KINDS[kind])


def _rows(answer: dict[str, list[dict[str, object]]]) -> list[str]:
    """Returns rows in an order of their own: where two are equal in what a question orders by, engines choose."""
    return sorted(str(sorted(row.items())) for row in answer["results"])


PATHS = [
    "/api/release",
    "/api/search?q=leadership",
    "/api/search?q=finnance&limit=3",
    "/api/describe?entity=COSLA",
    "/api/describe?entity=barrier:as2018-data-sharing",
    "/api/neighbours?entity=Finance&limit=5",
    "/api/evidence?item=barrier:as2018-data-sharing",
    "/api/connections?from=COSLA&to=Distrust%20between%20professions",
    "/api/connections?from=COSLA&to=Finance&basis=said&max_hops=4",
    "/api/blockers?entity=Finance",
    "/api/gaps",
    "/api/queries",
    "/api/describe?entity=Kettle",
]


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_the_api_answers_as_over_the_embedded_store(client: TestClient, embedded: TestClient, path: str) -> None:
    here, there = embedded.get(path), client.get(path)

    assert there.status_code == here.status_code
    assert there.json() == here.json()


REFUSED = [
    ({"query": "SELECT * { ?s ?p }"}, 400, "line 1, column 18"),
    ({"query": "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"}, 403, "an engine answers here"),
    ({"query": "INSERT DATA { <http://a> <http://b> 1 }"}, 403, "read-only"),
    ({"query": "SELECT * {" + "{" * 200 + "}" * 200 + "}"}, 413, "KG_MAX_NESTING"),
    ({"query": "ASK {}", "default-graph-uri": "kettle"}, 400, "IRI"),
    ({"query": "ASK {}", "release": "0123456789"}, 404, "not kept here"),
    ({"query": "ASK {}", "release": "latest"}, 400, "'latest' is no release"),
]


@pytest.mark.parametrize(("fields", "status", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_what_is_refused_over_the_embedded_store_is_refused_here(
    client: TestClient, fields: dict[str, str], status: int, words: str
) -> None:
    answer = client.post("/sparql", data=fields)

    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_release_is_named_by_eight_digits_or_more(client: TestClient, embedded: TestClient) -> None:
    release = client.get("/api/release").json()["release"]
    for text, status in {release[:8]: 200, release: 200, release[:7]: 400, "": 400, "g" * 8: 400}.items():
        here, there = (c.get("/api/gaps", params={"release": text}) for c in (embedded, client))
        assert (there.status_code, there.json()) == (here.status_code, here.json())
        assert there.status_code == status, text


@pytest.mark.parametrize(
    "media_type",
    [JSON, "application/sparql-results+xml", "text/csv", "text/tab-separated-values"],
)
def test_sparql_answers_in_every_format_of_tables(client: TestClient, embedded: TestClient, media_type: str) -> None:
    query = "SELECT ?theme ?label { ?theme a pev:Theme ; skos:prefLabel ?label } ORDER BY ?theme ?label LIMIT 20"
    here, there = (
        c.get("/sparql", params={"query": query}, headers={"accept": media_type}) for c in (embedded, client)
    )

    assert there.status_code == 200
    assert (there.headers["content-type"], there.text) == (here.headers["content-type"], here.text)
    assert there.headers["x-release"] == here.headers["x-release"]


@pytest.mark.parametrize("media_type", ["text/turtle", "application/n-triples", "application/ld+json"])
def test_sparql_answers_in_formats_of_graphs(client: TestClient, media_type: str) -> None:
    query = "CONSTRUCT WHERE { ?barrier pev:blocks ?theme }"
    answer = client.get("/sparql", params={"query": query}, headers={"accept": media_type})

    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, media_type)
    assert "blocks" in answer.text


def test_an_answer_over_a_limit_is_refused_whole(standing_in: Standing) -> None:
    with served(standing_in, max_answer_rows=1000) as client:
        answer = client.get("/sparql", params={"query": "SELECT ?s { ?s ?p ?o }"})

    assert answer.status_code == 413
    assert "KG_MAX_ANSWER_ROWS" in answer.text


def test_a_graph_is_read_through_the_graph_store(client: TestClient, embedded: TestClient) -> None:
    path = "/graphs?graph=https://w3id.org/policy-evidence/graph/inferred"
    here, there = (c.get(path, headers={"accept": "application/n-triples"}) for c in (embedded, client))

    assert there.status_code == 200
    assert sorted(there.text.splitlines()) == sorted(here.text.splitlines())


PRIVATE = "http://example.org/private"


@pytest.mark.parametrize("graph", [PRIVATE, CATALOGUE, MERGED_GRAPH])
def test_what_else_the_engine_holds_is_as_if_it_were_not_there(
    client: TestClient, standing_in: Standing, graph: str
) -> None:
    plain, within = "?s ?p ?o", f"GRAPH <{graph}> {{ ?s ?p ?o }}"
    asked = [
        {"query": f"SELECT ?o FROM <{graph}> {{ {plain} }}"},
        {"query": f"SELECT ?o FROM NAMED <{graph}> {{ {within} }}"},
        {"query": f"SELECT ?o FROM NAMED <{graph}> {{ GRAPH ?g {{ {plain} }} }}"},
        {"query": f"SELECT ?o {{ {within} }}"},
        {"query": f"SELECT ?o {{ {plain} }}", "default-graph-uri": graph},
        {"query": f"SELECT ?o {{ GRAPH ?g {{ {plain} }} }}", "named-graph-uri": graph},
        {"query": f"SELECT ?o FROM <{graph}> {{ {within} }}", "named-graph-uri": graph},
    ]
    with closing(standing_in.server.open()) as engine:
        engine.add(PRIVATE, b'<http://example.org/a> <http://example.org/b> "a secret" .\n')
        try:
            for fields in asked:
                answer = client.get("/sparql", params=fields)
                assert (answer.status_code, answer.json()["results"]["bindings"]) == (200, []), fields
            described = client.get("/sparql", params={"query": "DESCRIBE <http://example.org/a>"})
            assert "secret" not in described.text
        finally:
            engine.clear(PRIVATE)


# Connections


@contextmanager
def opened_from(there: Standing) -> Iterator[Answers]:
    """Yields the front door of the release in an engine, its link arrays made from the engine too."""
    with closing(there.server.open()) as engine:
        stamp = standing(engine)
        directory = companion(engine, stamp, there.releases)
        source = PublishedSource(RemoteSource(engine, directory.prefixes, dataset_of(directory)), engine, stamp)
        opened = Answers(open_on(directory, source), read_texts(None), there.server.settings())
        yield opened
        opened.close()


@pytest.mark.slow
def test_a_hundred_random_pairs_have_the_same_ranked_connections(standing_in: Standing, answers: Answers) -> None:
    links, chance = answers.opened.links, random.Random(7)
    pairs = [chance.sample(range(links.node_count), 2) for _ in range(100)]
    found = 0
    with opened_from(standing_in) as there:
        for start, end in pairs:
            ends = links.iri(start), links.iri(end)
            here = _paths(answers, *ends)
            found += isinstance(here, Paths) and bool(here.paths)
            assert _paths(there, *ends) == here

    assert found > 50


def _paths(asked: Answers, start: str, end: str) -> object:
    try:
        return asked.connect(start, end, limit=5)
    except KgError as error:
        return type(error), str(error)


# Never a mixture


def test_while_a_release_is_published_the_service_says_so_and_then_goes_on(standing_in: Standing) -> None:
    with served(standing_in) as client, closing(standing_in.server.open()) as engine:
        assert client.get("/api/release").status_code == 200
        write_claim(engine, claim := Claim("p", "f" * 64))
        try:
            # Who starts a service then is told how one is finished that broke off.
            with pytest.raises(Publishing, match=r"Release ffffffffffff is being written .* `kg publish --engine http"):
                standing(engine)
            # At once, by what is looked at behind every answer; and soon without asking the engine at all.
            refused = client.get("/sparql", params={"query": "SELECT * { ?s ?p ?o } LIMIT 1 # while it is written"})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert "being written" in refused.text
            assert _becomes(client, "/api/release", 503)
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").status_code == 200
            # A model is told the same, by each way in which it asks.
            listing = _to_models(client, "tools/list", {})["error"]
            assert (listing["code"], listing["data"]["status"]) == (-32603, 503)
            searching = _to_models(client, "tools/call", {"name": "search", "arguments": {"words": "data"}})
            assert searching["result"]["isError"] and searching["result"]["structuredContent"]["status"] == 503
            reading = _to_models(client, "resources/read", {"uri": "kg://schema"})["error"]
            assert (reading["code"], "being written" in reading["message"]) == (-32603, True)
        finally:
            remove_claims(engine, [claim])
        assert _becomes(client, "/api/release", 200)
        assert _becomes(client, "/readyz", 200)


def _to_models(client: TestClient, method: str, params: dict[str, object]) -> Any:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return client.post("/mcp", json=message, headers={"accept": "application/json, text/event-stream"}).json()


def _becomes(client: TestClient | httpx2.Client, path: str, status: int, patience_s: float = 30) -> bool:
    given_up = time.monotonic() + patience_s
    while client.get(path).status_code != status:
        if time.monotonic() > given_up:
            return False
        time.sleep(0.1)
    return True


def test_an_answer_that_was_found_while_another_release_came_is_not_given(standing_in: Standing) -> None:
    with closing(standing_in.server.open()) as engine:
        stamp = standing(engine)
        directory = companion(engine, stamp, standing_in.releases)
        before = replace(stamp, publication="an earlier one")
        source = PublishedSource(RemoteSource(engine, directory.prefixes, dataset_of(directory)), engine, before)

        for ask in (lambda: source.ask("ASK {}"), lambda: source.select("SELECT * { ?s a pev:Theme }")):
            with pytest.raises(Publishing):
                ask()


def test_an_engine_that_holds_nothing_is_not_served(tmp_path: Path) -> None:
    # One of its own, since in the shared one a release may stand.
    server = oxigraph()
    try:
        with (
            pytest.raises(SourceError, match="kg publish"),
            TestClient(create_app(EngineServing(server.address, tmp_path, server.settings()))),
        ):
            pass
    finally:
        server.stop()


@pytest.mark.slow
def test_kg_serve_answers_from_an_engine_that_goes_away_and_comes_back(release_folder: Path, tmp_path: Path) -> None:
    server = oxigraph()
    try:
        with closing(open_engine(server.address, server.settings())) as engine:
            publish(ReleaseDirectory(release_folder), engine)
        variables = {"KG_RELEASES": str(tmp_path), **server.environment()}
        with (
            started("--engine", server.address, **variables) as service,
            httpx2.Client(base_url=service.address, timeout=60) as client,
        ):
            numbers = itertools.count()

            def ask() -> httpx2.Response:
                return client.get("/sparql", params={"query": f"ASK {{ ?s ?p ?o }} # {next(numbers)}"})

            assert ask().json()["boolean"] is True
            server.kill()
            away = ask()
            assert (away.status_code, away.json()["title"]) == (503, "The engine does not answer")
            assert server.address in away.json()["detail"]
            server.start()
            assert ask().json()["boolean"] is True
    finally:
        server.stop()
