"""What every Source owes the program, whichever engine stands behind it.

To put another Source under this contract, write a function that yields it over a store of
`DATASET` and add it to `SOURCES`.
"""

from __future__ import annotations

import csv
import gc
import io
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Store,
    Triple,
    parse,
    parse_query_results,
)

from engines import KINDS, shared
from kg.engines.local import LocalSource, open_local
from kg.engines.pooled import PooledSource
from kg.engines.remote.preparing import Dataset
from kg.engines.remote.source import RemoteSource
from kg.engines.source import BOOLEAN_FORMATS, GRAPH_FORMATS, TABLE_FORMATS, Request, Source, Term
from kg.errors import BadParameter, BadSparql, Forbidden, NotAcceptable, SourceError
from kg.names import MERGED_GRAPH, XSD, Prefixes
from kg.workspace import read_settings
from services import running_pool

EX = "http://example.org/"
PREFIXES = Prefixes({"ex": EX, "xsd": XSD})

JSON, XML, CSV, TSV = TABLE_FORMATS
TURTLE, N_TRIPLES, RDF_XML, JSON_LD = GRAPH_FORMATS


def ex(name: str) -> NamedNode:
    return NamedNode(EX + name)


LITERALS: dict[str, Literal] = {
    "plain": Literal("a kettle"),
    "empty": Literal(""),
    "quotes": Literal("she said \"tea\", 'now' \\ later"),
    "lines": Literal("first\nsecond\r\nthird\ttabbed"),
    "markup": Literal("<b>&amp; ]]> \u00a0</b>"),
    "comma": Literal('a,b;"c"'),
    "unicode": Literal("Élan – 日本 – e\u0301 – 👩\u200d🚒 – \U0001f9ed"),
    "direction": Literal("שלום"),
    "english": Literal("colour", language="en-gb"),
    "german": Literal("Farbe", language="de"),
    "integer": Literal("42", datatype=NamedNode(XSD + "integer")),
    "decimal": Literal("-1.5", datatype=NamedNode(XSD + "decimal")),
    "double": Literal("1000", datatype=NamedNode(XSD + "double")),
    "boolean": Literal("true", datatype=NamedNode(XSD + "boolean")),
    "date": Literal("2021-05-01", datatype=NamedNode(XSD + "date")),
    "year": Literal("2021", datatype=NamedNode(XSD + "gYear")),
    "own-type": Literal("7 spoons", datatype=ex("spoons")),
}
CONTROL = Literal("bell \u0007, escape \u001b, unit \u001f")

STATED = [
    Quad(ex("kettle"), ex("boils"), ex("water"), ex("graph/said")),
    Quad(ex("kettle"), ex("kind"), ex("Vessel"), ex("graph/said")),
    # Said in two graphs; it stands once in the merged copy.
    Quad(ex("kettle"), ex("boils"), ex("water"), ex("graph/judged")),
    Quad(ex("pan"), ex("kind"), ex("Vessel"), ex("graph/judged")),
    Quad(ex("control"), ex("value"), CONTROL, ex("graph/odd")),
    *(Quad(ex(name), ex("value"), literal, ex("graph/literals")) for name, literal in LITERALS.items()),
]
# The default graph is a copy of all graphs, merged, as in a release.
DATASET = [*STATED, *{Quad(*quad.triple) for quad in STATED}]


@dataclass(frozen=True)
class Place:
    """Where a source finds the dataset: a store on disk."""

    store: Path


SourceMaker = Callable[[Place], AbstractContextManager[Source]]


@contextmanager
def local(place: Place) -> Iterator[Source]:
    """The embedded store, in this process."""
    source = open_local(place.store, PREFIXES)
    yield source
    source.close()


@contextmanager
def pooled(place: Place) -> Iterator[Source]:
    """The embedded store, in worker processes."""
    with running_pool(place.store, PREFIXES) as (pool, _):
        yield PooledSource(pool, read_settings())


@contextmanager
def resident(place: Place) -> Iterator[Source]:
    """The embedded store, in worker processes that have its default graph in memory."""
    with running_pool(place.store, PREFIXES, holding=place.store) as (pool, _):
        yield PooledSource(pool, read_settings())


def remote(kind: str) -> SourceMaker:
    """Returns the maker of sources over a real engine of that kind."""

    @contextmanager
    def made(place: Place) -> Iterator[Source]:
        engine = shared(kind).open()
        graphs: dict[str, list[Triple]] = {}
        for quad in Store.read_only(str(place.store)):
            name = quad.graph_name.value if isinstance(quad.graph_name, NamedNode) else MERGED_GRAPH
            graphs.setdefault(name, []).append(quad.triple)
        for name, triples in graphs.items():
            engine.clear(name)
            engine.add(name, "".join(f"{triple} .\n" for triple in triples).encode())
        dataset = Dataset(named=tuple(name for name in graphs if name != MERGED_GRAPH))
        source = RemoteSource(engine, PREFIXES, dataset)
        yield source
        for name in graphs:
            engine.clear(name)
        source.close()

    return made


SOURCES: dict[str, SourceMaker] = {
    "local": local,
    "pooled": pooled,
    "resident": resident,
    **{kind: remote(kind) for kind in KINDS},
}


# What an engine refuses by name; docs/engines.md lists it.
LACKING = {"virtuoso": {"test_a_blank_node_comes_back_as_a_blank_node": "Virtuoso 7 has no BNODE()"}}


@pytest.fixture(autouse=True)
def _what_the_engine_lacks(request: pytest.FixtureRequest) -> None:
    """Expects the refusal where an engine has no such function."""
    call = getattr(request.node, "callspec", None)
    kind = call.params.get("source") if call else None
    reason = LACKING.get(str(kind), {}).get(request.node.originalname)
    if reason:
        request.applymarker(pytest.mark.xfail(reason=reason, raises=Forbidden, strict=True))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("contract") / "store"
    store = Store(str(folder))
    store.bulk_extend(DATASET)
    store.flush()
    del store
    return Place(folder)


@pytest.fixture(scope="module", params=SOURCES)
def source(request: pytest.FixtureRequest, place: Place) -> Iterator[Source]:
    with SOURCES[request.param](place) as opened:
        yield opened


def read_table(content: bytes, media_type: str) -> list[tuple[Term | None, ...]]:
    """Returns the rows of a table in a format that keeps terms (all but CSV)."""
    found = parse_query_results(content, format=TABLE_FORMATS[media_type])
    assert isinstance(found, QuerySolutions)
    return [tuple(solution) for solution in found]


def read_triples(content: bytes, media_type: str) -> set[Triple]:
    return {quad.triple for quad in parse(content, format=GRAPH_FORMATS[media_type])}


# select


def test_select_returns_rows_of_terms_in_the_order_of_the_variables(source: Source) -> None:
    found = source.select("SELECT ?what ?who { ?who ex:kind ?what } ORDER BY ?who")

    assert found.variables == ("what", "who")
    assert found.rows == ((ex("Vessel"), ex("kettle")), (ex("Vessel"), ex("pan")))
    assert not found.truncated


def test_select_star_names_every_variable(source: Source) -> None:
    assert set(source.select("SELECT * { ?s ex:boils ?o }").variables) == {"s", "o"}


def test_an_unbound_variable_is_none(source: Source) -> None:
    found = source.select("SELECT ?s ?w { ?s ex:kind ex:Vessel OPTIONAL { ?s ex:boils ?w } } ORDER BY ?s")

    assert found.rows == ((ex("kettle"), ex("water")), (ex("pan"), None))


def test_a_row_with_nothing_bound_is_a_row(source: Source) -> None:
    assert source.select("SELECT ?nothing { ex:kettle ex:boils ex:water }").rows == ((None,),)


def test_select_keeps_every_kind_of_literal(source: Source) -> None:
    rows = source.select("SELECT ?s ?v { GRAPH ex:graph\\/literals { ?s ex:value ?v } }").rows

    assert set(rows) == {(ex(name), literal) for name, literal in LITERALS.items()}


def test_select_keeps_control_characters(source: Source) -> None:
    assert source.select("SELECT ?v { ex:control ex:value ?v }").rows == ((CONTROL,),)


def test_a_blank_node_comes_back_as_a_blank_node(source: Source) -> None:
    ((cell,),) = source.select("SELECT ?b { BIND(BNODE() AS ?b) }").rows

    assert isinstance(cell, BlankNode)


def test_no_solution_is_no_row_with_the_variables_named(source: Source) -> None:
    found = source.select("SELECT ?s ?p { ?s ?p ex:nothing }")

    assert found.variables == ("s", "p")
    assert found.rows == ()
    assert not found.truncated


@pytest.mark.parametrize(
    ("max_rows", "rows", "truncated"),
    [(None, 2, False), (3, 2, False), (2, 2, False), (1, 1, True), (0, 0, True)],
)
def test_max_rows_cuts_a_longer_answer_and_says_so(
    source: Source, max_rows: int | None, rows: int, truncated: bool
) -> None:
    found = source.select("SELECT ?s { ?s ex:kind ex:Vessel }", max_rows)

    assert (len(found.rows), found.truncated) == (rows, truncated)


def test_an_empty_answer_is_not_truncated_by_a_limit_of_no_rows(source: Source) -> None:
    assert not source.select("SELECT ?s { ?s ex:kind ex:nothing }", 0).truncated


# ask


@pytest.mark.parametrize(("fluid", "answer"), [("water", True), ("sand", False)])
def test_ask_tells_whether_there_is_a_solution(source: Source, fluid: str, answer: bool) -> None:
    assert source.ask(f"ASK {{ ex:kettle ex:boils ex:{fluid} }}") is answer


# construct


def test_construct_returns_distinct_triples_sorted(source: Source) -> None:
    found = source.construct(
        "CONSTRUCT { ?s ex:is ex:Vessel } { { ?s ex:kind ex:Vessel } UNION { ?s ex:kind ex:Vessel } }"
    )

    assert found == [Triple(ex("kettle"), ex("is"), ex("Vessel")), Triple(ex("pan"), ex("is"), ex("Vessel"))]


def test_describe_returns_what_is_stated_of_a_thing(source: Source) -> None:
    assert source.construct("DESCRIBE ex:kettle") == [
        Triple(ex("kettle"), ex("boils"), ex("water")),
        Triple(ex("kettle"), ex("kind"), ex("Vessel")),
    ]


def test_construct_of_nothing_is_no_triple(source: Source) -> None:
    assert source.construct("CONSTRUCT WHERE { ?s ex:kind ex:nothing }") == []


# the dataset


def test_the_default_graph_is_the_merged_copy_and_holds_each_triple_once(source: Source) -> None:
    ((count, distinct),) = source.select(
        "SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT CONCAT(STR(?s), STR(?p), STR(?o))) AS ?d) { ?s ?p ?o }"
    ).rows

    assert count == distinct == Literal(len({quad.triple for quad in STATED}))


def test_graph_tells_in_which_graphs_a_triple_stands(source: Source) -> None:
    rows = source.select("SELECT ?g { GRAPH ?g { ex:kettle ex:boils ex:water } }").rows

    assert set(rows) == {(ex("graph/said"),), (ex("graph/judged"),)}


ALL_KINDS = "SELECT DISTINCT ?s { ?s ex:kind ?k }"
NAMED_KINDS = "SELECT DISTINCT ?s { GRAPH ?g { ?s ex:kind ?k } }"


@pytest.mark.parametrize(
    ("request_", "things"),
    [
        (Request(ALL_KINDS), {"kettle", "pan"}),
        (Request(ALL_KINDS, default_graphs=[EX + "graph/said"]), {"kettle"}),
        (Request(ALL_KINDS, default_graphs=[EX + "graph/said", EX + "graph/judged"]), {"kettle", "pan"}),
        (Request(ALL_KINDS, named_graphs=[EX + "graph/said"]), set()),
        (Request(NAMED_KINDS, named_graphs=[EX + "graph/judged"]), {"pan"}),
        (Request(NAMED_KINDS, default_graphs=[EX + "graph/said"]), set()),
        (Request(ALL_KINDS, default_graphs=[EX + "graph/unknown"]), set()),
    ],
    ids=["whole", "one default", "two defaults", "named only", "one named", "GRAPH without named", "unknown graph"],
)
def test_the_protocol_may_name_the_dataset(source: Source, request_: Request, things: set[str]) -> None:
    rows = read_table(source.reply(request_, JSON), JSON)

    assert set(rows) == {(ex(thing),) for thing in things}
    assert len(rows) == len(things)


ABSENT = [
    "GRAPH <http://example.org/graph/unknown> { ?s ?p ?o }",
    "GRAPH ex:graph\\/unknown { ?s a ex:Nothing . ?s ?p ?o }",
    "ex:kettle ex:kind ?k . GRAPH ex:unknown { ?s ?p ?o }",
]


@pytest.mark.parametrize("pattern", ABSENT)
def test_a_graph_that_is_not_there_is_empty(source: Source, pattern: str) -> None:
    assert not source.ask(f"ASK {{ {pattern} }}")
    assert source.select(f"SELECT (1 AS ?n) {{ {pattern} }}").rows == ()
    assert source.select(f"SELECT (COUNT(*) AS ?n) {{ {pattern} }}").rows == ((Literal(0),),)
    assert source.ask(f"ASK {{ ex:kettle ex:kind ?kind FILTER NOT EXISTS {{ {pattern} }} }}")


# Each asks for the things that have a kind; the request has a base as well.
BASED = [
    "SELECT DISTINCT ?s { ?s <../kind> ?k }",
    "BASE <http://example.org/x/> SELECT DISTINCT ?s { ?s <../kind> ?k }",
    "PREFIX a: <http://a/> BASE <http://example.org/> SELECT DISTINCT ?s { ?s <kind> ?k }",
    "BASE <http://example.org> base <x/> PREFIX a: <../> SELECT DISTINCT ?s { ?s a:kind ?k }",
    "PREFIX a: <..> BASE <http://a/> SELECT DISTINCT ?s { ?s a:kind ?k }",
    "BASE <http://example.org/> SELECT DISTINCT ?s FROM <graph/said> FROM <graph/judged> { ?s <kind> ?k }",
]


@pytest.mark.parametrize("query", BASED)
def test_a_query_may_declare_its_own_base(source: Source, query: str) -> None:
    rows = read_table(source.reply(Request(query, base="http://example.org/x/y"), JSON), JSON)

    assert set(rows) == {(ex("kettle"),), (ex("pan"),)}


@pytest.mark.parametrize("name", ["not an iri", "kettle", ""])
def test_a_graph_name_that_is_no_iri_is_a_bad_parameter(source: Source, name: str) -> None:
    with pytest.raises(BadParameter, match="IRI"):
        source.reply(Request("ASK {}", default_graphs=[name]), JSON)


# reply


@pytest.mark.parametrize("media_type", [JSON, XML, TSV])
def test_a_table_keeps_its_terms_in_every_format_that_can(source: Source, media_type: str) -> None:
    query = "SELECT ?s ?v { GRAPH ex:graph\\/literals { ?s ex:value ?v } }"
    rows = read_table(source.reply(Request(query), media_type), media_type)

    assert set(rows) == {(ex(name), literal) for name, literal in LITERALS.items()}


def test_csv_keeps_the_text_of_every_value(source: Source) -> None:
    query = "SELECT ?s ?v ?unbound { GRAPH ex:graph\\/literals { ?s ex:value ?v } }"
    text = source.reply(Request(query), CSV).decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert rows[0] == ["s", "v", "unbound"]
    assert {tuple(row) for row in rows[1:]} == {(EX + name, value.value, "") for name, value in LITERALS.items()}


@pytest.mark.parametrize("media_type", [JSON, XML, TSV])
def test_an_unbound_cell_is_absent_in_every_format_that_can(source: Source, media_type: str) -> None:
    query = "SELECT ?s ?w { ?s ex:kind ex:Vessel OPTIONAL { ?s ex:boils ?w } } ORDER BY ?s"
    rows = read_table(source.reply(Request(query), media_type), media_type)

    assert rows == [(ex("kettle"), ex("water")), (ex("pan"), None)]


@pytest.mark.parametrize("media_type", TABLE_FORMATS)
def test_an_empty_table_still_names_its_variables(source: Source, media_type: str) -> None:
    content = source.reply(Request("SELECT ?colour { ?s ?p ex:nothing . ex:nothing ?p ?colour }"), media_type)

    assert b"colour" in content
    if media_type != CSV:
        assert read_table(content, media_type) == []
    else:
        assert content.splitlines() == [b"colour"]


@pytest.mark.parametrize("media_type", GRAPH_FORMATS)
def test_a_graph_keeps_its_triples_in_every_format(source: Source, media_type: str) -> None:
    query = "CONSTRUCT { ?s ex:value ?v } { GRAPH ex:graph\\/literals { ?s ex:value ?v } }"

    assert read_triples(source.reply(Request(query), media_type), media_type) == {
        Triple(ex(name), ex("value"), literal) for name, literal in LITERALS.items()
    }


@pytest.mark.parametrize("media_type", GRAPH_FORMATS)
def test_an_empty_graph_can_be_read_in_every_format(source: Source, media_type: str) -> None:
    content = source.reply(Request("CONSTRUCT WHERE { ?s ex:kind ex:nothing }"), media_type)

    assert read_triples(content, media_type) == set()


def test_turtle_is_written_with_the_prefixes_of_the_workspace(source: Source) -> None:
    content = source.reply(Request("CONSTRUCT WHERE { ?s ex:boils ?o }"), TURTLE).decode()

    assert f"@prefix ex: <{EX}> ." in content
    assert "ex:kettle ex:boils ex:water" in content


@pytest.mark.parametrize("media_type", BOOLEAN_FORMATS)
@pytest.mark.parametrize(("query", "answer"), [("ASK {}", True), ("ASK { ex:pan ex:boils ?x }", False)])
def test_a_truth_value_is_read_back_in_the_formats_that_have_one(
    source: Source, media_type: str, query: str, answer: bool
) -> None:
    found = parse_query_results(source.reply(Request(query), media_type), format=TABLE_FORMATS[media_type])

    assert isinstance(found, QueryBoolean)
    assert bool(found) is answer


@pytest.mark.parametrize("media_type", [JSON, TSV])
def test_control_characters_survive_where_the_format_has_them(source: Source, media_type: str) -> None:
    content = source.reply(Request("SELECT ?v { ex:control ex:value ?v }"), media_type)

    assert read_table(content, media_type) == [(CONTROL,)]


@pytest.mark.parametrize("media_type", [TURTLE, N_TRIPLES, JSON_LD])
def test_control_characters_survive_in_graphs_where_the_format_has_them(source: Source, media_type: str) -> None:
    content = source.reply(Request("CONSTRUCT WHERE { ex:control ex:value ?v }"), media_type)

    assert read_triples(content, media_type) == {Triple(ex("control"), ex("value"), CONTROL)}


@pytest.mark.parametrize(
    ("query", "media_type"),
    [("SELECT ?v { ex:control ex:value ?v }", XML), ("CONSTRUCT WHERE { ex:control ex:value ?v }", RDF_XML)],
)
def test_xml_is_refused_for_characters_that_xml_does_not_have(source: Source, query: str, media_type: str) -> None:
    with pytest.raises(NotAcceptable, match="control character"):
        source.reply(Request(query), media_type)


@pytest.mark.parametrize("code", [0x0, 0x8, 0xB, 0xC, 0xE, 0x1F, 0xFFFE, 0xFFFF])
def test_no_character_outside_of_xml_is_ever_written_as_xml(source: Source, code: int) -> None:
    query = f'SELECT ("{"padding " * 20_000}\\u{code:04X}" AS ?v) {{}}'

    with pytest.raises(NotAcceptable):
        source.reply(Request(query), XML)


@pytest.mark.parametrize(
    ("query", "media_type"),
    [("SELECT * { ?s ?p ?o }", XML), ("CONSTRUCT WHERE { ?s ?p ?o }", RDF_XML)],
)
def test_what_is_written_as_xml_is_well_formed(source: Source, query: str, media_type: str) -> None:
    graphs = [EX + "graph/literals", EX + "graph/said"]
    content = source.reply(Request(query, default_graphs=graphs), media_type)

    assert len(ET.fromstring(content)) > 0


@pytest.mark.parametrize("query", ["SELECT * {}", "ASK {}"])
@pytest.mark.parametrize("media_type", [*GRAPH_FORMATS, "image/png"])
def test_a_table_in_a_format_of_graphs_is_not_acceptable(source: Source, query: str, media_type: str) -> None:
    with pytest.raises(NotAcceptable, match=media_type.replace("+", r"\+")):
        source.reply(Request(query), media_type)


@pytest.mark.parametrize("media_type", [*TABLE_FORMATS, "image/png"])
def test_a_graph_in_a_format_of_tables_is_not_acceptable(source: Source, media_type: str) -> None:
    with pytest.raises(NotAcceptable, match=media_type.replace("+", r"\+")):
        source.reply(Request("CONSTRUCT WHERE { ?s ?p ?o }"), media_type)


# prefixes


def test_prefixes_of_the_workspace_are_known_without_being_declared(source: Source) -> None:
    assert source.ask('ASK { FILTER("7"^^xsd:integer = 7) ex:kettle ex:boils ex:water }')


def test_a_prefix_that_the_query_declares_wins(source: Source) -> None:
    assert not source.ask("PREFIX ex: <http://elsewhere.example/> ASK { ex:kettle ex:boils ex:water }")


# what is refused

CALLS: dict[str, Callable[[Source, str], object]] = {
    "select": lambda source, query: source.select(query),
    "ask": lambda source, query: source.ask(query),
    "construct": lambda source, query: source.construct(query),
    "reply": lambda source, query: source.reply(Request(query), JSON),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_syntax_error_has_line_and_column_that_count_from_one(source: Source, call: str) -> None:
    with pytest.raises(BadSparql, match=r"line 2, column 11: .*cannot stand here") as caught:
        CALLS[call](source, "SELECT ?s {\n  ?s ex:a }}")

    assert (caught.value.line, caught.value.column) == (2, 11)


@pytest.mark.parametrize("query", ["", "   # nothing\n", "kettle", "SELECT", "ASK { ?s nowhere:x ?o }"])
@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_query_does_not_parse(source: Source, call: str, query: str) -> None:
    with pytest.raises(BadSparql) as caught:
        CALLS[call](source, query)

    assert caught.value.line is not None


@pytest.mark.parametrize("call", CALLS)
def test_an_update_does_not_parse_as_a_query(source: Source, call: str) -> None:
    with pytest.raises(BadSparql):
        CALLS[call](source, "INSERT DATA { ex:a ex:b ex:c }")


@pytest.mark.parametrize(
    ("call", "query", "wanted"),
    [
        ("select", "ASK {}", "SELECT"),
        ("select", "CONSTRUCT WHERE { ?s ?p ?o }", "SELECT"),
        ("ask", "SELECT * {}", "ASK"),
        ("ask", "DESCRIBE ex:kettle", "ASK"),
        ("construct", "SELECT * {}", "CONSTRUCT"),
        ("construct", "ASK {}", "CONSTRUCT"),
    ],
)
def test_a_query_of_another_form_is_refused_by_name(source: Source, call: str, query: str, wanted: str) -> None:
    with pytest.raises(BadSparql, match=f"{wanted}.* was expected"):
        CALLS[call](source, query)


@pytest.mark.parametrize(
    ("call", "query"),
    [
        ("select", "CONSTRUCT WHERE { ?s ?p ?o }"),
        ("ask", "SELECT * { ?s ?p ?o }"),
        ("construct", "SELECT * { ?s ?p ?o }"),
    ],
)
def test_an_error_that_goes_to_another_thread_takes_no_answer_along(
    source: Source, call: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda about: complaints.append(about.exc_value))
    with ThreadPoolExecutor(1) as elsewhere:
        error = elsewhere.submit(CALLS[call], source, query).exception()
    assert isinstance(error, BadSparql)

    del error
    gc.collect()

    # The engine complains of an answer that is let go of in another thread than its own.
    assert complaints == []


# of one Source alone


@pytest.mark.parametrize("call", CALLS)
def test_a_local_source_that_was_closed_says_so(call: str) -> None:
    source = LocalSource(Store(), PREFIXES)
    source.close()

    with pytest.raises(SourceError, match="closed"):
        CALLS[call](source, "ASK {}")


@pytest.mark.parametrize("call", CALLS)
def test_a_source_whose_pool_was_closed_says_so(place: Place, call: str) -> None:
    with running_pool(place.store, PREFIXES) as (pool, loop):
        loop.call_soon_threadsafe(pool.close)

        with pytest.raises(SourceError, match="closing"):
            CALLS[call](PooledSource(pool, read_settings()), "ASK {}")


def test_a_folder_without_a_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=tmp_path.name):
        open_local(tmp_path / "nothing", PREFIXES)


def test_a_source_over_a_store_in_memory_sees_what_is_added_later() -> None:
    store = Store()
    source = LocalSource(store, PREFIXES)
    assert not source.ask("ASK { ?s ?p ?o }")

    store.add(Quad(ex("a"), ex("b"), ex("c")))

    assert source.ask("ASK { ?s ?p ?o }")


def test_formats_are_those_of_the_engine_one_media_type_each() -> None:
    assert set(TABLE_FORMATS.values()) == {
        QueryResultsFormat.JSON,
        QueryResultsFormat.XML,
        QueryResultsFormat.CSV,
        QueryResultsFormat.TSV,
    }
    assert set(GRAPH_FORMATS.values()) == {
        RdfFormat.TURTLE,
        RdfFormat.N_TRIPLES,
        RdfFormat.RDF_XML,
        RdfFormat.JSON_LD,
    }
