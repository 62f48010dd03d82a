"""An engine that cuts what it sends at a limit of its own: a part is never taken for the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from engines import Server, shared, virtuoso
from kg.engines.remote.graphs import rows
from kg.engines.remote.preparing import Dataset
from kg.engines.remote.source import RemoteSource
from kg.engines.source import Request
from kg.errors import EngineCut
from kg.names import GRAPH, Prefixes

EX = "http://example.org/"
MOST = 50
LARGE, SMALL = GRAPH + "large-kettle", GRAPH + "small-kettle"
LINES = [f"<{EX}s{i}> <{EX}p> <{EX}o{i}> .\n" for i in range(4 * MOST)]
# The one thing that many others are linked to.
HUB = [f"<{EX}hub> <{EX}q> <{EX}x{i}> .\n" for i in range(2 * MOST)]
SETTING = rf"at {MOST} .*ResultSetMaxRows"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = virtuoso(MOST)
    try:
        with closing(started.open()) as engine:
            engine.add(LARGE, "".join([*LINES, *HUB]).encode())
            engine.add(SMALL, "".join(LINES[: MOST - 1]).encode())
        yield started
    finally:
        started.stop()


@pytest.fixture
def source(server: Server) -> Iterator[RemoteSource]:
    with closing(RemoteSource(server.open(), Prefixes({"ex": EX}), Dataset(LARGE, (SMALL,)))) as opened:
        yield opened


def in_small(source: RemoteSource, query: str) -> int:
    """Returns how many triples are found in the graph that is below the limit."""
    return source.reply(Request(query, default_graphs=(SMALL,)), "application/n-triples").count(b" .\n")


@pytest.mark.parametrize(
    "query",
    [
        "CONSTRUCT WHERE { ?s ?p ?o }",
        "CONSTRUCT { ?s ?p ?o } WHERE { { SELECT * { ?s ?p ?o } LIMIT 120 } }",
        "CONSTRUCT { ?o ex:x ?s . ?s ex:y ?o } WHERE { ?s ex:p ?o }",
        "DESCRIBE ?s WHERE { ?s ex:p ?o }",
        # Two things to a triple: fewer triples than the limit come of more things than it allows.
        "DESCRIBE ?s ?o WHERE { ?s ex:p ?o }",
    ],
)
def test_a_graph_that_may_have_been_cut_is_an_error_that_names_the_limit(source: RemoteSource, query: str) -> None:
    with pytest.raises(EngineCut, match=SETTING):
        source.construct(query)


def test_a_table_that_was_cut_is_an_error_that_names_the_same_setting(source: RemoteSource) -> None:
    with pytest.raises(EngineCut, match=SETTING):
        source.select("SELECT ?s { ?s ?p ?o }")


def test_a_graph_below_the_limit_comes_whole(source: RemoteSource) -> None:
    assert in_small(source, "CONSTRUCT WHERE { ?s ?p ?o }") == MOST - 1
    assert in_small(source, "DESCRIBE ?s { ?s ?p ?o FILTER(?s IN (ex:s1, ex:s2)) }") == 2


def test_a_thing_that_is_named_comes_whole_however_many_triples_it_has(source: RemoteSource) -> None:
    assert len(source.construct("DESCRIBE ex:hub")) == len(HUB)


@pytest.mark.parametrize(("kind", "most"), [("oxigraph", None), ("virtuoso", 1_000_000)])
def test_the_limit_is_the_one_that_the_engine_is_set_to(kind: str, most: int | None) -> None:
    with closing(shared(kind).open()) as engine:
        assert engine.most_rows == most


def test_what_we_ask_ourselves_of_an_engine_is_not_taken_for_whole_either(server: Server) -> None:
    with closing(server.open()) as engine:
        assert len(rows(engine, "SELECT ?s { ?s ?p ?o }", SMALL)) == MOST - 1
        with pytest.raises(EngineCut, match=SETTING):
            rows(engine, "SELECT ?s { ?s ?p ?o }", LARGE)
