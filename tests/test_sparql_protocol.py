"""/sparql speaks the SPARQL 1.1 Protocol: what is sent, what comes back, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from conftest import application
from kg.answers import Answers
from kg.names import GRAPH, PEV
from kg.release.opened import Release
from kg.web.negotiation import best_type
from kg.workspace import Settings

SELECT = "SELECT ?barrier WHERE { ?barrier a pev:Barrier } ORDER BY ?barrier LIMIT 3"
ASK = "ASK { ?barrier a pev:Barrier }"
CONSTRUCT = "CONSTRUCT { ?barrier a pev:Barrier } WHERE { ?barrier a pev:Barrier }"
DESCRIBE = "DESCRIBE theme:finance"
FORM = "application/x-www-form-urlencoded"

TABLES = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
    "application/json": ox.QueryResultsFormat.JSON,
    "application/xml": ox.QueryResultsFormat.XML,
}
GRAPHS = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "text/plain": ox.RdfFormat.N_TRIPLES,
    "application/xml": ox.RdfFormat.RDF_XML,
    "application/json": ox.RdfFormat.JSON_LD,
}


@pytest.fixture(scope="module")
def client(answers: Answers) -> Iterator[TestClient]:
    with TestClient(application(answers.opened, answers.settings), raise_server_exceptions=False) as opened:
        yield opened


def _ask(client: TestClient, query: str, accept: str | None = None, **fields: str) -> Response:
    headers = {} if accept is None else {"Accept": accept}
    return client.get("/sparql", params={"query": query, **fields}, headers=headers)


def _post(client: TestClient, body: str | bytes, content_type: str, accept: str | None = None) -> Response:
    headers = {"Content-Type": content_type} | ({} if accept is None else {"Accept": accept})
    return client.post("/sparql", content=body, headers=headers)


def _media_type(response: Response) -> str:
    return str(response.headers["content-type"]).partition(";")[0]


def _refused(response: Response, status: int) -> str:
    """Returns the detail of an error, after a look at its shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"] and problem["detail"]
    return str(problem["detail"])


def _barriers(response: Response) -> list[str]:
    assert response.status_code == 200, response.text
    found = json.loads(response.content)
    assert found["head"]["vars"] == ["barrier"]
    return [row["barrier"]["value"] for row in found["results"]["bindings"]]


# The three ways to send a query


def test_get_post_form_and_post_direct_give_the_same_answer(client: TestClient) -> None:
    by_get = _ask(client, SELECT)
    by_form = _post(client, urlencode({"query": SELECT}), FORM)
    by_body = _post(client, SELECT, "application/sparql-query")
    assert len(_barriers(by_get)) == 3
    assert by_get.content == by_form.content == by_body.content


def test_a_charset_after_the_content_type_is_no_obstacle(client: TestClient) -> None:
    assert len(_barriers(_post(client, SELECT, "application/sparql-query; charset=utf-8"))) == 3
    assert len(_barriers(_post(client, urlencode({"query": SELECT}), f"{FORM}; charset=UTF-8"))) == 3


def test_a_query_keeps_its_letters_in_every_way_of_sending(client: TestClient) -> None:
    query = 'SELECT ("Café – ☕" AS ?x) {}'
    answers = [
        _ask(client, query),
        _post(client, urlencode({"query": query}), FORM),
        _post(client, query.encode(), "application/sparql-query"),
    ]
    assert [r.json()["results"]["bindings"][0]["x"]["value"] for r in answers] == ["Café – ☕"] * 3


def test_the_graphs_own_prefixes_are_known_and_a_declared_one_wins(client: TestClient) -> None:
    own = "PREFIX pev: <http://example.org/> ASK { ?barrier a pev:Barrier }"
    assert _ask(client, ASK).json()["boolean"] is True
    assert _ask(client, own).json()["boolean"] is False


def test_every_answer_names_its_release(client: TestClient, answers: Answers) -> None:
    assert _ask(client, SELECT).headers["x-release"] == answers.release_id


def test_head_tells_what_get_would_and_leaves_the_body_out(client: TestClient) -> None:
    head = client.head("/sparql", params={"query": SELECT})
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == "application/sparql-results+json"
    assert head.headers["content-length"] == str(len(_ask(client, SELECT).content))


# Which format comes back


@pytest.mark.parametrize("media_type", TABLES)
def test_a_table_comes_in_the_format_asked_for(client: TestClient, media_type: str) -> None:
    response = _ask(client, SELECT, media_type)
    assert response.status_code == 200
    assert _media_type(response) == media_type
    solutions = ox.parse_query_results(response.content, format=TABLES[media_type])
    assert isinstance(solutions, ox.QuerySolutions)
    assert [str(getattr(row["barrier"], "value", "")) for row in solutions] == _barriers(_ask(client, SELECT))


def test_a_table_comes_as_csv_too(client: TestClient) -> None:
    response = _ask(client, SELECT, "text/csv")
    assert _media_type(response) == "text/csv"
    rows = list(csv.reader(io.StringIO(response.text)))
    assert rows[0] == ["barrier"]
    assert [row[0] for row in rows[1:]] == _barriers(_ask(client, SELECT))


@pytest.mark.parametrize("media_type", GRAPHS)
@pytest.mark.parametrize("query", [CONSTRUCT, DESCRIBE])
def test_triples_come_in_the_format_asked_for(client: TestClient, query: str, media_type: str) -> None:
    response = _ask(client, query, media_type)
    assert response.status_code == 200
    assert _media_type(response) == media_type
    expected = {str(t) for t in ox.parse(_ask(client, query, "application/n-triples").content, ox.RdfFormat.N_TRIPLES)}
    assert expected
    assert {str(t) for t in ox.parse(response.content, GRAPHS[media_type])} == expected


@pytest.mark.parametrize("media_type", ["application/sparql-results+json", "application/sparql-results+xml"])
def test_a_truth_value_comes_as_json_and_xml(client: TestClient, media_type: str) -> None:
    response = _ask(client, ASK, media_type)
    assert _media_type(response) == media_type
    found = ox.parse_query_results(response.content, format=TABLES[media_type])
    assert isinstance(found, ox.QueryBoolean)
    assert bool(found) is True


@pytest.mark.parametrize("media_type", ["text/csv", "text/tab-separated-values"])
def test_a_truth_value_has_no_csv_or_tsv_form(client: TestClient, media_type: str) -> None:
    detail = _refused(_ask(client, ASK, media_type), 406)
    assert "application/sparql-results+json" in detail


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "application/sparql-results+json"),
        ("", "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"),
        ("application/*", "application/sparql-results+json"),
        ("text/*", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("text/csv; header=present", "text/csv"),
        ("text/csv, application/sparql-results+xml", "application/sparql-results+xml"),
        ("application/sparql-results+xml;q=0.5, text/csv;q=0.9", "text/csv"),
        ("text/csv;q=0.1, text/turtle", "text/csv"),
        ("*/*, text/csv;q=0", "application/sparql-results+json"),
        ("*/*;q=0.1, application/sparql-results+json;q=0", "application/sparql-results+xml"),
        ("text/*;q=0.9, text/csv;q=0.1", "text/tab-separated-values"),
        ("*/*;q=0.9, text/csv", "text/csv"),
    ],
)
def test_the_format_follows_quality_and_the_more_specific_range(
    client: TestClient, accept: str | None, expected: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    assert _media_type(client.get("/sparql", params={"query": SELECT}, headers=headers)) == expected


def test_no_accept_header_at_all_means_that_anything_will_do() -> None:
    assert best_type(None, ["text/turtle", "text/csv"]) == "text/turtle"


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        (SELECT, "text/turtle"),
        (SELECT, "text/html"),
        (CONSTRUCT, "text/csv"),
        (CONSTRUCT, "application/sparql-results+json"),
        (SELECT, "text/csv;q=0"),
        (SELECT, "*/*;q=0"),
    ],
)
def test_a_format_that_cannot_be_made_is_406_and_names_those_that_can(
    client: TestClient, query: str, accept: str
) -> None:
    detail = _refused(_ask(client, query, accept), 406)
    assert accept in detail
    assert ("text/turtle" if query == CONSTRUCT else "application/sparql-results+xml") in detail


@pytest.mark.parametrize("accept", ["nonsense", "text/", "a/b/c", ",,,"])
def test_a_malformed_accept_header_is_406_and_quotes_it(client: TestClient, accept: str) -> None:
    assert accept in _refused(_ask(client, SELECT, accept), 406)


def test_post_negotiates_as_get_does(client: TestClient) -> None:
    assert _media_type(_post(client, SELECT, "application/sparql-query", "text/csv")) == "text/csv"
    _refused(_post(client, ASK, "application/sparql-query", "text/csv"), 406)


def test_caches_are_told_that_the_answer_depends_on_accept(client: TestClient) -> None:
    assert "Accept" in _ask(client, SELECT).headers["vary"]


# Which graphs are asked


def test_the_default_graph_can_be_replaced_by_named_ones(client: TestClient) -> None:
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    graphs = _ask(client, "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY DESC(?n) LIMIT 2")
    rows = [(r["g"]["value"], int(r["n"]["value"])) for r in graphs.json()["results"]["bindings"]]
    (first, first_count), (second, second_count) = rows
    one = _ask(client, count, **{"default-graph-uri": first})
    assert int(one.json()["results"]["bindings"][0]["n"]["value"]) == first_count
    both = client.get("/sparql", params=[("query", count), ("default-graph-uri", first), ("default-graph-uri", second)])
    merged = int(both.json()["results"]["bindings"][0]["n"]["value"])
    assert first_count < merged <= first_count + second_count


def test_named_graphs_are_those_of_the_request_and_the_default_graph_is_then_empty(client: TestClient) -> None:
    graph = f"{GRAPH}entities"
    names = _ask(client, "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }", **{"named-graph-uri": graph})
    assert [row["g"]["value"] for row in names.json()["results"]["bindings"]] == [graph]
    assert _ask(client, ASK, **{"named-graph-uri": graph}).json()["boolean"] is False


def test_the_graphs_of_a_direct_post_stand_in_the_address(client: TestClient) -> None:
    address = "/sparql?" + urlencode({"default-graph-uri": "http://example.org/none"})
    response = client.post(address, content=ASK, headers={"Content-Type": "application/sparql-query"})
    assert response.json()["boolean"] is False


def test_a_graph_that_is_not_in_the_release_is_empty(client: TestClient) -> None:
    response = _ask(client, SELECT, **{"default-graph-uri": "http://example.org/none"})
    assert _barriers(response) == []


@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri"])
@pytest.mark.parametrize("value", ["no iri", "relative", "", "<http://example.org/>", "http://x> } #"])
def test_a_graph_name_that_is_no_iri_is_400(client: TestClient, name: str, value: str) -> None:
    assert "graph-uri" in _refused(_ask(client, ASK, **{name: value}), 400)
    assert "graph-uri" in _refused(_post(client, urlencode({"query": ASK, name: value}), FORM), 400)


# The service description


@pytest.mark.parametrize(
    "media_type", ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"]
)
def test_a_get_without_a_query_describes_the_service(client: TestClient, media_type: str) -> None:
    response = client.get("/sparql", headers={"Accept": media_type})
    assert response.status_code == 200
    assert _media_type(response) == media_type
    sd = "http://www.w3.org/ns/sparql-service-description#"
    triples = list(ox.parse(response.content, GRAPHS[media_type]))
    facts = {(quad.predicate.value, getattr(quad.object, "value", "")) for quad in triples}
    assert (f"{sd}endpoint", "http://testserver/sparql") in facts
    assert (f"{sd}supportedLanguage", f"{sd}SPARQL11Query") in facts
    assert sum(predicate == f"{sd}resultFormat" for predicate, _ in facts) == 8


def test_a_client_that_takes_anything_gets_the_description_in_turtle(client: TestClient) -> None:
    assert _media_type(client.get("/sparql")) == "text/turtle"
    assert _media_type(client.get("/sparql", headers={"Accept": "*/*"})) == "text/turtle"


def test_a_browser_gets_a_form_instead_of_the_description(client: TestClient) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    response = client.get("/sparql", headers={"Accept": browser})
    assert _media_type(response) == "text/html"
    assert '<textarea id="query" name="query"' in response.text


def test_a_description_cannot_be_had_as_a_table(client: TestClient) -> None:
    _refused(client.get("/sparql", headers={"Accept": "text/csv"}), 406)


# What is refused


@pytest.mark.parametrize(
    ("fields", "times"),
    [([("default-graph-uri", "http://example.org/")], 0), ([("query", ASK), ("query", SELECT)], 2)],
)
def test_there_is_exactly_one_query(client: TestClient, fields: list[tuple[str, str]], times: int) -> None:
    for response in (client.get("/sparql?" + urlencode(fields)), _post(client, urlencode(fields), FORM)):
        assert f"{times} times" in _refused(response, 400)


def test_a_direct_post_with_a_query_in_the_address_too_is_400(client: TestClient) -> None:
    address = "/sparql?" + urlencode({"query": ASK})
    response = client.post(address, content=ASK, headers={"Content-Type": "application/sparql-query"})
    assert "2 times" in _refused(response, 400)


UPDATE = "INSERT DATA { <http://x/s> <http://x/p> <http://x/o> }"


def test_an_update_is_403_however_it_is_sent(client: TestClient) -> None:
    sent = [
        client.get("/sparql", params={"update": UPDATE}),
        client.get("/sparql", params={"query": UPDATE}),
        _post(client, urlencode({"update": UPDATE}), FORM),
        _post(client, urlencode({"query": UPDATE}), FORM),
        _post(client, UPDATE, "application/sparql-update"),
        _post(client, UPDATE, "application/sparql-query"),
    ]
    for response in sent:
        assert "read-only" in _refused(response, 403)


def test_a_query_and_an_update_in_one_request_are_refused(client: TestClient) -> None:
    _refused(_post(client, urlencode({"query": ASK, "update": UPDATE}), FORM), 400)


@pytest.mark.parametrize(
    "update",
    [
        "PREFIX select: <http://x/> DELETE WHERE { ?s ?p ?o }",
        "BASE <http://x/> # SELECT\nclear all",
        "LOAD <http://127.0.0.1:1/x.ttl>",
        "DROP SILENT GRAPH <http://x/>",
        "WITH <http://x/> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
    ],
)
def test_an_update_behind_a_prologue_is_403_and_changes_nothing(client: TestClient, update: str) -> None:
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    before = _ask(client, count).content
    assert "read-only" in _refused(_ask(client, update), 403)
    assert _ask(client, count).content == before


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * { service silent <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * { BIND(<http://127.0.0.1:1/> AS ?where) SERVICE ?where { ?s ?p ?o } }",
        "SELECT * { ?s ?p ?o OPTIONAL { { SERVICE<http://127.0.0.1:1/>{ ?s ?p ?o } } } }",
        "ASK { FILTER EXISTS { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } } }",
    ],
)
def test_service_is_403_and_the_error_names_the_setting(client: TestClient, query: str) -> None:
    assert "KG_SERVICE_ALLOWED" in _refused(_ask(client, query), 403)


def test_an_escaped_service_keyword_is_a_syntax_error(client: TestClient) -> None:
    _refused(_ask(client, r"SELECT * { \u0053ERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }"), 400)


def test_the_word_service_in_a_string_comment_or_name_is_no_service(client: TestClient) -> None:
    query = 'SELECT ?service { VALUES ?service { "SERVICE <http://x/>" } } # SERVICE'
    assert _ask(client, query).status_code == 200


def test_a_syntax_error_is_400_with_line_and_column(client: TestClient) -> None:
    response = _ask(client, "SELECT ?s WHERE {\n  ?s ?p ;;; }\n}")
    detail = _refused(response, 400)
    problem = response.json()
    assert problem["title"] == "SPARQL syntax error"
    assert problem["line"] in {2, 3}
    assert problem["column"] >= 1
    assert detail.startswith(f"line {problem['line']}, column {problem['column']}: ")


@pytest.mark.parametrize("query", ["", "   ", "# only a comment", "SELEC * {}", "ASK {}\0"])
def test_a_text_that_is_no_query_is_400(client: TestClient, query: str) -> None:
    _refused(_ask(client, query), 400)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data; boundary=x", ""])
def test_a_body_of_another_media_type_is_415_and_names_those_that_are_read(
    client: TestClient, content_type: str
) -> None:
    detail = _refused(_post(client, ASK, content_type), 415)
    assert "application/sparql-query" in detail
    assert FORM in detail


def test_bytes_that_are_not_utf8_are_400_and_never_replaced(client: TestClient) -> None:
    broken = quote('SELECT ("') + "%FF" + quote('" AS ?x) {}')
    sent = [
        client.get(f"/sparql?query={broken}"),
        _post(client, f"query={broken}", FORM),
        _post(client, b"query=\xff", FORM),
        _post(client, b'SELECT ("\xff" AS ?x) {}', "application/sparql-query"),
    ]
    for response in sent:
        assert "UTF-8" in _refused(response, 400)


@pytest.fixture(scope="module")
def small(release: Release, settings: Settings) -> Iterator[TestClient]:
    """A service that reads queries of at most 200 bytes."""
    narrow = replace(settings, max_query_bytes=200, max_nesting=5, max_tokens=60)
    with TestClient(application(release, narrow), raise_server_exceptions=False) as opened:
        yield opened


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (ASK + " " * 200, "application/sparql-query"),
        (urlencode({"query": ASK + " " * 200}), FORM),
    ],
)
def test_a_body_that_is_too_large_is_413_and_names_the_setting(small: TestClient, body: str, content_type: str) -> None:
    response = _post(small, body, content_type)
    assert "KG_MAX_QUERY_BYTES" in _refused(response, 413)
    assert response.json()["limit"] == "KG_MAX_QUERY_BYTES"


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ("ASK " + "{" * 6 + "}" * 6, "KG_MAX_NESTING"),
        ("ASK { " + "?s ?p ?o . " * 15 + "}", "KG_MAX_TOKENS"),
        ("ASK {} #" + "x" * 200, "KG_MAX_QUERY_BYTES"),
    ],
)
def test_a_query_over_a_limit_is_413_and_names_the_setting(small: TestClient, query: str, limit: str) -> None:
    response = _ask(small, query)
    assert limit in _refused(response, 413)
    assert response.json()["limit"] == limit


@pytest.mark.parametrize(
    ("limit", "query", "status"),
    [
        ({"max_answer_rows": 3}, "SELECT * { ?s a pev:Barrier }", 413),
        ({"max_answer_bytes": 300}, "SELECT * { ?s a pev:Barrier }", 413),
        ({"query_time_limit_ms": 300}, "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", 503),
    ],
)
def test_an_answer_over_a_limit_is_refused_and_told_what_to_do(
    release: Release, settings: Settings, limit: dict[str, Any], query: str, status: int
) -> None:
    with TestClient(application(release, replace(settings, **limit))) as limited:
        detail = _refused(_ask(limited, query), status)
    assert f"KG_{next(iter(limit)).upper()}" in detail and "Ask for less" in detail


def test_a_query_as_large_as_the_limit_is_answered(small: TestClient) -> None:
    assert _post(small, ASK.ljust(200), "application/sparql-query").json()["boolean"] is True


def test_headers_of_several_lines_are_one_list(client: TestClient) -> None:
    asked = partial(client.get, "/sparql", params={"query": ASK})
    answer = asked(headers=[("Accept", "text/csv"), ("Accept", "application/sparql-results+xml")])
    assert answer.headers["content-type"] == "application/sparql-results+xml"
    tag = asked(headers={"Accept": "*/*"}).headers["etag"]
    assert asked(headers=[("If-None-Match", '"other"'), ("If-None-Match", tag)]).status_code == 304


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_is_405_and_says_what_is_allowed(client: TestClient, method: str) -> None:
    response = client.request(method, "/sparql")
    assert "Send GET, HEAD, OPTIONS or POST." in _refused(response, 405)
    assert response.headers["allow"] == client.options("/sparql").headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_an_unbound_variable_is_absent_and_not_empty(client: TestClient) -> None:
    response = _ask(client, f"SELECT ?x ?y {{ VALUES (?x ?y) {{ (<{PEV}Barrier> UNDEF) }} }}")
    assert response.json()["results"]["bindings"] == [{"x": {"type": "uri", "value": f"{PEV}Barrier"}}]
