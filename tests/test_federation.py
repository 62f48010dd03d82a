"""SERVICE: endpoints on a list, each within limits of time and size; every other is refused in any disguise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store

from kg.engines.federation import Federation, federation_of
from kg.engines.guards import guard_query
from kg.engines.local import LocalSource
from kg.errors import EngineError, Forbidden
from kg.names import Prefixes
from kg.workspace import read_settings
from services import recorder, started
from test_remote_engine import TABLE, Scripted, drips, never_ends, scripted, sends, sleeps

QUERY = "SELECT ?s ?o {{ ?s <http://b> ?o SERVICE {silent}<{address}> {{ ?x ?y ?s }} }}"


@contextmanager
def asking(server: Scripted, time_limit_ms: int = 30_000, max_bytes: int = 100_000) -> Iterator[LocalSource]:
    """Yields a store that holds one triple and may ask one endpoint."""
    store = Store()
    store.add(Quad(NamedNode("http://a"), NamedNode("http://b"), Literal("c")))
    federation = Federation([server.address], time_limit_ms, max_bytes)
    with closing(LocalSource(store, Prefixes({}), federation)) as source:
        yield source


def test_a_query_joins_what_another_endpoint_says() -> None:
    answer = TABLE.replace(b'"literal","value":"a"', b'"uri","value":"http://a"')
    with scripted(sends(answer)) as server, asking(server) as source:
        rows = source.select(QUERY.format(silent="", address=server.address)).rows

    assert rows == ((NamedNode("http://a"), Literal("c")),)
    assert len(server.received) == 1


def failure(source: LocalSource, query: str) -> str:
    """Returns what is said of a query that fails; nothing keeps the error, whose answer belongs to this thread."""
    try:
        source.select(query)
    except EngineError as error:
        return str(error)
    return "it did not fail"


BAD: dict[str, tuple[Callable[..., None], str]] = {
    "slow": (sleeps, r"within 500 ms \(KG_SERVICE_TIME_LIMIT_MS\)"),
    "in drops": (drips, r"within 500 ms \(KG_SERVICE_TIME_LIMIT_MS\)"),
    "without end": (never_ends, r"over 100000 bytes \(KG_SERVICE_MAX_BYTES\)"),
    "refusing": (sends(b"no tea here", 500), "500: no tea here"),
    "elsewhere": (sends(b"", 307, Location="http://localhost:9/"), "another host"),
    "cut off": (sends(TABLE, length=len(TABLE) + 5), "broke off"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_endpoint_that_fails_is_told_with_its_limit(name: str) -> None:
    answer, words = BAD[name]
    # Little patience only where that is what fails: on a busy machine another error may take as long to come.
    patience_ms = 500 if answer in {sleeps, drips} else 30_000
    with scripted(answer) as server, asking(server, patience_ms) as source:
        said = failure(source, QUERY.format(silent="", address=server.address))

    assert re.search(f"SERVICE: .*{words}", said), said


def test_silent_goes_on_without_what_failed_and_within_the_same_limits() -> None:
    with scripted(never_ends) as server, asking(server) as source:
        rows = source.select(QUERY.format(silent="SILENT ", address=server.address)).rows

        assert rows == ((NamedNode("http://a"), Literal("c")),)
        # What failed silently is not told of the next query.
        assert source.ask("ASK { ?s ?p ?o }")


def test_an_endpoint_that_sends_us_on_is_not_followed_to_where_it_says() -> None:
    with recorder() as elsewhere, scripted(sends(b"", 307, Location=elsewhere.address)) as server:
        with asking(server) as source:
            assert "another host" in failure(source, QUERY.format(silent="", address=server.address))

        assert elsewhere.contacts == []


@pytest.mark.parametrize(
    "service",
    [
        "SERVICE <{other}>",
        "service silent <{other}>",
        "SERVICE ?where",
        "SERVICE ex:x",
        "SERVICE <{allowed}x>",
        "SERVICE <{allowed}#x>",
        "SERVICE <{allowed}?x=y>",
        "trueSERVICE <{other}>",
        "SERVICE<{other}>",
        "SERVICE #<{allowed}>\n <{other}>",
        "SERVICE:x",
        "SERVICE <{allowed}> {{ }} SERVICE <{other}>",
    ],
)
def test_what_is_not_on_the_list_is_refused_in_any_disguise(service: str) -> None:
    settings = replace(read_settings(), service_allowed="http://127.0.0.1:1/sparql")
    named = service.format(other="http://127.0.0.1:2/sparql", allowed="http://127.0.0.1:1/sparql")
    query = (
        f"PREFIX ex: <http://127.0.0.1:2/> PREFIX SERVICE: <http://e/> SELECT * {{ ?s ?p ?o {named} {{ ?a ?b ?c }} }}"
    )

    with pytest.raises(Forbidden, match="SERVICE"):
        guard_query(query, settings)


@pytest.mark.parametrize(
    "query", ["SELECT * { trueSERVICE <URL> { ?s ?p ?o } }", "ASK { SERVICE\n SILENT#x\n<URL> {} }"]
)
def test_what_the_guards_let_through_leads_through_the_door(query: str) -> None:
    settings = replace(read_settings(), service_allowed="http://127.0.0.1:1/sparql, http://127.0.0.1:2/sparql")
    federation = federation_of(settings)
    assert federation is not None
    with closing(federation):
        written = query.replace("URL", "http://127.0.0.1:2/sparql")
        guard_query(written, settings)
        rewritten = federation.rewritten(written)

        assert ":2/sparql" not in rewritten
        door = rewritten.partition("<")[2].partition(">")[0]
        assert httpx2.post(door.replace(door.split("/")[3], "wrong"), trust_env=False).status_code == 404


def test_where_nothing_is_allowed_there_is_no_federation() -> None:
    assert federation_of(read_settings()) is None


@pytest.mark.slow
def test_one_service_asks_another_that_it_is_told_of(release_folder: Path, service: str) -> None:
    endpoint = f"{service}/sparql"
    query = (
        "SELECT ?theme ?label { ?theme a pev:Theme "
        f"SERVICE <{endpoint}> {{ ?theme skos:prefLabel ?label }} }} ORDER BY ?theme LIMIT 5"
    )
    with started("--release", release_folder, KG_SERVICE_ALLOWED=endpoint) as asking_service:
        found = httpx2.get(f"{asking_service.address}/sparql", params={"query": query}, timeout=60)
        elsewhere = httpx2.get(
            f"{asking_service.address}/sparql", params={"query": query.replace("/sparql>", "/other>")}, timeout=60
        )
    alone = httpx2.get(endpoint, params={"query": query.replace(f"SERVICE <{endpoint}>", "")}, timeout=60)

    assert (found.status_code, elsewhere.status_code) == (200, 403)
    assert found.json()["results"] == alone.json()["results"]
    assert len(json.loads(found.text)["results"]["bindings"]) == 5
