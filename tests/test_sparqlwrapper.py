"""Clients that others have written, against the running service: SPARQLWrapper and rdflib's SPARQLStore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.dom.minidom import Document

import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, GET, JSON, JSONLD, N3, POST, POSTDIRECTLY, RDFXML, TSV, TURTLE, URLENCODED, XML
from SPARQLWrapper import SPARQLWrapper as Wrapper
from SPARQLWrapper.SPARQLExceptions import EndPointNotFound, QueryBadFormed

from kg.answers import Answers
from kg.names import PEV
from kg.release.opened import Release

HEADER = f"PREFIX pev: <{PEV}>\nPREFIX theme: <https://w3id.org/policy-evidence/theme/>\n"
SELECT = HEADER + "SELECT ?barrier WHERE { ?barrier a pev:Barrier ; pev:blocks ?theme } ORDER BY ?barrier"
ASK = HEADER + "ASK { ?barrier pev:blocks theme:strategic-planning }"
NOT = HEADER + "ASK { theme:strategic-planning pev:blocks ?anything }"
CONSTRUCT = HEADER + "CONSTRUCT { ?barrier pev:blocks ?theme } WHERE { ?barrier pev:blocks ?theme }"
DESCRIBE = HEADER + "DESCRIBE theme:finance"

pytestmark = [
    # It still uses the class by which rdflib called a Dataset before.
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
]

Asked = Callable[[str, str], Any]


@pytest.fixture(params=["GET", "POST form", "POST direct"])
def ask(request: pytest.FixtureRequest, service: str) -> Asked:
    """Asks a query in a format, in each of the three ways of the protocol."""

    def asked(query: str, shape: str) -> Any:
        wrapper = Wrapper(f"{service}/sparql")
        wrapper.setMethod(GET if request.param == "GET" else POST)
        wrapper.setRequestMethod(POSTDIRECTLY if request.param == "POST direct" else URLENCODED)
        wrapper.setQuery(query)
        wrapper.setReturnFormat(shape)
        return wrapper.query().convert()

    return asked


def _barriers(answers: Answers) -> list[str]:
    return [row["barrier"].value for row in answers.select(SELECT).results]


def _texts(found: Any, tag: str) -> list[str]:
    assert isinstance(found, Document)
    return [str(getattr(node.firstChild, "nodeValue", None)) for node in found.getElementsByTagName(tag)]


def _triples(release: Release, query: str) -> set[tuple[str, ...]]:
    """Returns the triples that the store itself gives; no blank nodes are among them."""
    return {(t.subject.value, t.predicate.value, t.object.value) for t in release.source.construct(query)}  # type: ignore[union-attr]  # no quoted triples either


def _of_rdflib(graph: rdflib.Graph) -> set[tuple[str, ...]]:
    return {tuple(map(str, triple)) for triple in graph}


# SPARQLWrapper


def test_select_as_json(ask: Asked, answers: Answers) -> None:
    found = ask(SELECT, JSON)
    assert found["head"]["vars"] == ["barrier"]
    assert [row["barrier"]["value"] for row in found["results"]["bindings"]] == _barriers(answers)


def test_select_as_xml(ask: Asked, answers: Answers) -> None:
    found = ask(SELECT, XML)
    assert _texts(found, "uri") == _barriers(answers)


@pytest.mark.parametrize(("shape", "first", "quoted"), [(CSV, "barrier", "{}"), (TSV, "?barrier", "<{}>")])
def test_select_as_lines(ask: Asked, answers: Answers, shape: str, first: str, quoted: str) -> None:
    lines = ask(SELECT, shape).decode().splitlines()
    assert lines == [first, *(quoted.format(iri) for iri in _barriers(answers))]


@pytest.mark.parametrize(("query", "truth"), [(ASK, True), (NOT, False)])
def test_ask_as_json_and_xml(ask: Asked, query: str, truth: bool) -> None:
    assert ask(query, JSON)["boolean"] is truth
    assert _texts(ask(query, XML), "boolean") == [str(truth).lower()]


@pytest.mark.parametrize("query", [CONSTRUCT, DESCRIBE])
def test_triples_as_rdf_xml_and_json_ld_become_graphs(ask: Asked, release: Release, query: str) -> None:
    expected = _triples(release, query)
    assert expected
    assert _of_rdflib(ask(query, RDFXML)) == expected
    assert _of_rdflib(ask(query, JSONLD)) == expected


@pytest.mark.parametrize("shape", [TURTLE, N3])
def test_triples_as_turtle_are_read_by_rdflib(ask: Asked, release: Release, shape: str) -> None:
    content = ask(CONSTRUCT, shape)
    assert _of_rdflib(rdflib.Graph().parse(data=content, format="turtle")) == _triples(release, CONSTRUCT)


def test_a_syntax_error_is_what_the_client_expects_of_one(ask: Asked) -> None:
    with pytest.raises(QueryBadFormed, match="line 1, column"):
        ask("SELECT ?s WHERE { ?s ?p }", JSON)


def test_an_unknown_path_is_what_the_client_expects_of_one(service: str) -> None:
    wrapper = Wrapper(f"{service}/nonesuch")
    wrapper.setQuery(ASK)
    with pytest.raises(EndPointNotFound):
        wrapper.query()


def test_the_default_graph_can_be_chosen(service: str) -> None:
    wrapper = Wrapper(f"{service}/sparql")
    wrapper.addDefaultGraph("https://w3id.org/policy-evidence/graph/themes")
    wrapper.setReturnFormat(JSON)
    for query, truth in (("ASK { ?barrier a pev:Barrier }", False), ("ASK { theme:finance a pev:Theme }", True)):
        wrapper.setQuery(HEADER + query)
        found = wrapper.queryAndConvert()
        assert isinstance(found, dict)
        assert found["boolean"] is truth


# rdflib's SPARQLStore


@pytest.fixture(params=["GET", "POST", "POST_FORM"])
def remote(request: pytest.FixtureRequest, service: str) -> rdflib.Graph:
    return rdflib.Graph(SPARQLStore(f"{service}/sparql", method=request.param))


def test_a_remote_graph_answers_queries(remote: rdflib.Graph, answers: Answers, release: Release) -> None:
    assert [str(row[rdflib.Variable("barrier")]) for row in remote.query(SELECT).bindings] == _barriers(answers)
    assert remote.query(ASK).askAnswer is True
    constructed = remote.query(CONSTRUCT).graph
    assert constructed is not None
    assert _of_rdflib(constructed) == _triples(release, CONSTRUCT)


def test_a_remote_graph_is_walked_like_a_local_one(remote: rdflib.Graph, release: Release) -> None:
    blocks = rdflib.URIRef(PEV + "blocks")
    walked = {(str(s), str(blocks), str(o)) for s, o in remote.subject_objects(blocks)}
    assert walked == _triples(release, CONSTRUCT)
    label = remote.value(rdflib.URIRef("https://w3id.org/policy-evidence/theme/finance"), rdflib.SKOS.prefLabel)
    assert label == rdflib.Literal("Finance", lang="en")


def test_a_remote_graph_knows_its_size(remote: rdflib.Graph, answers: Answers) -> None:
    assert len(remote) == answers.release().counts["triples"]
