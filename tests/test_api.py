"""The JSON API: every shape as it is promised, every error in one form, and the pages that document it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from conftest import application
from kg.answers import Answers
from kg.errors import AskError, DataError, KgError, LimitError, SourceError, UnknownName
from kg.evidence import sha256
from kg.release.opened import Release
from kg.web.problems import status_of
from kg.workspace import Settings

ENTITY = {"iri", "curie", "label", "type"}
PASSAGE = {"passage", "document", "start", "end", "sha256", "quote"}
RELATION = {"link", "label", "phrase", "direction", "entity", "basis", "origins"}
HOP = {"from", "to", "link", "label", "direction", "basis", "sentence", "evidence"}
PATH = {"length", "score", "parts", "thread", "origins", "counts", "stretches", "nodes", "hops", "verdict", "text"}
BASES = ("said", "judged", "inferred", "reference")
BARRIER = "barrier:as2018-data-sharing"


@pytest.fixture(scope="module")
def client(answers: Answers) -> Iterator[TestClient]:
    with TestClient(application(answers.opened, answers.settings), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def client_with_texts(release: Release, settings: Settings, texts_folder: Path) -> Iterator[TestClient]:
    with TestClient(application(release, settings, texts_folder)) as opened:
        yield opened


def _get(client: TestClient, path: str, **parameters: str | int) -> dict[str, object]:
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    found = response.json()
    assert isinstance(found, dict)
    assert re.fullmatch(r"[0-9a-f]{64}", str(found["release"]))
    return found


def _rows(found: Mapping[str, object], name: str = "results") -> list[dict[str, object]]:
    rows = found[name]
    assert isinstance(rows, list)
    return rows


def _part(found: Mapping[str, object], name: str) -> dict[str, object]:
    part = found[name]
    assert isinstance(part, dict)
    return part


def _problem(response: Response, status: int) -> dict[str, object]:
    """Returns an error, after a look at its one shape (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == status
    assert isinstance(found["title"], str) and found["title"]
    assert isinstance(found["detail"], str) and found["detail"]
    assert "Traceback" not in found["detail"]
    assert isinstance(found, dict)
    return found


def _is_entity(value: object) -> None:
    assert isinstance(value, dict)
    assert set(value) - {"scheme"} == ENTITY
    assert all(isinstance(value[key], str) and value[key] for key in ("iri", "curie", "label"))


def _is_passage(value: object) -> None:
    assert isinstance(value, dict)
    assert set(value) >= PASSAGE
    assert 0 <= value["start"] < value["end"]
    assert re.fullmatch(r"[0-9a-f]{64}", value["sha256"])


# The questions


def test_the_questions_are_listed_with_parameters_and_columns(client: TestClient, answers: Answers) -> None:
    found = _get(client, "/api/queries")
    assert found["truncated"] is False
    assert [row["name"] for row in _rows(found)] == [question.name for question in answers.questions()]
    for row in _rows(found):
        assert set(row) == {"name", "summary", "parameters", "columns"}
        assert row["summary"]
        for parameter in _rows(row, "parameters"):
            assert set(parameter) == {"name", "type", "mode", "example"}
            assert parameter["mode"] in {"required", "optional", "many"}
            assert re.fullmatch(r"[\w-]+:[\w-]+", str(parameter["type"]))


def test_the_question_on_barriers_has_the_one_parameter_theme(client: TestClient) -> None:
    listed = {row["name"]: row for row in _rows(_get(client, "/api/queries"))}
    (parameter,) = _rows(listed["barriers-blocking-theme"], "parameters")
    assert (parameter["name"], parameter["type"], parameter["mode"]) == ("theme", "pev:Theme", "required")


def test_an_answer_has_the_promised_shape(client: TestClient) -> None:
    found = _get(client, "/api/queries/barriers-blocking-theme", theme="Strategic planning")
    assert set(found) == {"release", "name", "parameters", "columns", "results", "truncated", "sparql"}
    assert found["name"] == "barriers-blocking-theme"
    assert found["parameters"] == {"theme": "https://w3id.org/policy-evidence/theme/strategic-planning"}
    assert found["truncated"] is False
    columns = found["columns"]
    assert isinstance(columns, list)
    for row in _rows(found):
        assert set(row) <= set(columns)
    barrier, origins = _part(_rows(found)[0], "barrier"), _part(_rows(found)[0], "origins")
    assert barrier["type"] == "uri"
    assert barrier["label"] == _part(_rows(found)[0], "barrierLabel")["value"]
    assert origins["datatype"] == "http://www.w3.org/2001/XMLSchema#integer"
    assert _part(_rows(found)[0], "barrierLabel")["lang"] == "en"


def test_every_question_answers_over_http_with_its_listed_example(client: TestClient) -> None:
    for row in _rows(_get(client, "/api/queries")):
        given = [(str(p["name"]), value) for p in _rows(row, "parameters") for value in _rows(p, "example")]
        response = client.get(f"/api/queries/{row['name']}?{urlencode(given)}")
        assert response.status_code == 200, response.text
        assert response.json()["results"]


def test_the_query_of_an_answer_gives_the_same_rows_at_the_endpoint(client: TestClient) -> None:
    found = _get(client, "/api/queries/barriers-blocking-theme", theme="Workforce")
    raw = client.get("/sparql", params={"query": str(found["sparql"])}).json()
    assert raw["head"]["vars"] == found["columns"]
    assert [{name: cell["value"] for name, cell in row.items()} for row in raw["results"]["bindings"]] == [
        {name: _part(row, name)["value"] for name in row} for row in _rows(found)
    ]


def test_a_parameter_that_takes_many_values_takes_them_by_repetition(client: TestClient) -> None:
    items = ["barrier:as2018-data-sharing", "barrier:as2018-leadership-turnover"]
    response = client.get("/api/queries/evidence-of-item", params={"item": items})
    assert response.status_code == 200, response.text
    assert len(response.json()["parameters"]["item"]) == 2
    assert {row["item"]["value"].rpartition("/")[2] for row in response.json()["results"]} == {
        item.partition(":")[2] for item in items
    }


def test_a_theme_without_barriers_is_200_and_empty(client: TestClient) -> None:
    found = _get(client, "/api/queries/barriers-blocking-theme", theme="theme:charging")
    assert found["results"] == []
    assert found["truncated"] is False


def test_a_theme_not_in_the_graph_is_404_not_empty(client: TestClient) -> None:
    response = client.get("/api/queries/barriers-blocking-theme", params={"theme": "Finanse"})
    found = _problem(response, 404)
    nearest = _rows(found, "nearest")
    assert nearest[0]["curie"] == "theme:finance"
    for entity in nearest:
        _is_entity(entity)


def test_a_wrong_parameter_names_the_parameter_its_type_and_the_value(client: TestClient) -> None:
    wrong_class = _problem(client.get("/api/queries/barriers-blocking-theme", params={"theme": BARRIER}), 400)
    for part in ("theme", "pev:Theme", BARRIER):
        assert part in str(wrong_class["detail"])
    wrong_value = _problem(client.get("/api/queries/items-of-year", params={"year": "soon"}), 400)
    for part in ("year", "xsd:gYear", "soon"):
        assert part in str(wrong_value["detail"])


def test_a_missing_parameter_names_itself_its_type_and_an_example(client: TestClient) -> None:
    found = _problem(client.get("/api/queries/barriers-blocking-theme"), 400)
    for part in ("theme", "pev:Theme", "theme:strategic-planning"):
        assert part in str(found["detail"])


def test_an_unknown_parameter_is_400_and_names_the_known_ones(client: TestClient) -> None:
    found = _problem(client.get("/api/queries/barriers-blocking-theme", params={"topic": "Finance"}), 400)
    assert "topic" in str(found["detail"])
    assert "theme" in str(found["detail"])


@pytest.mark.parametrize("name", ["nonesuch", "links", "..%2Fchecks%2Fsame-as", "Barriers-blocking-theme"])
def test_an_unknown_question_is_404(client: TestClient, name: str) -> None:
    _problem(client.get(f"/api/queries/{name}"), 404)


# Things


def test_search_gives_ranked_entities(client: TestClient) -> None:
    found = _get(client, "/api/search", q="finance", limit=3)
    assert set(found) >= {"results", "truncated"}
    assert found["truncated"] is True
    assert len(_rows(found)) == 3
    assert _rows(found)[0]["curie"] == "theme:finance"
    for entity in _rows(found):
        _is_entity(entity)


def test_search_within_a_class_gives_that_class_only(client: TestClient) -> None:
    found = _get(client, "/api/search", q="planning", type="pev:Theme")
    assert _rows(found)
    assert {row["type"] for row in _rows(found)} == {"pev:Theme"}
    agents = _get(client, "/api/search", q="Audit Scotland", type="foaf:Agent")
    assert _rows(agents)[0]["curie"] == "agent:audit-scotland"


def test_describe_gives_what_it_says_its_links_with_basis_and_its_evidence(client: TestClient) -> None:
    found = _get(client, "/api/describe", entity=BARRIER)
    _is_entity({key: found[key] for key in ENTITY})
    assert (found["curie"], found["type"]) == (BARRIER, "pev:Barrier")
    assert found["says"]
    assert found["truncated"] is False
    for relation in _rows(found):
        assert set(relation) == RELATION
        assert relation["direction"] in {"forward", "backward"}
        assert relation["basis"] in BASES
        _is_entity(relation["entity"])
        assert bool(relation["origins"]) == (relation["basis"] != "reference"), relation
    said = [r for r in _rows(found) if str(r["link"]).endswith("#blocks") and r["direction"] == "forward"]
    assert [_part(relation, "entity")["curie"] for relation in said] == ["theme:strategic-planning"]
    assert _rows(found, "evidence")
    for passage in _rows(found, "evidence"):
        _is_passage(passage)


def test_neighbours_tell_how_many_there_are_and_which_come_first(client: TestClient) -> None:
    everything = _get(client, "/api/neighbours", entity=BARRIER, limit=1000)
    few = _get(client, "/api/neighbours", entity=BARRIER, limit=2)
    _is_entity(few["entity"])
    assert few["total"] == everything["total"] == len(_rows(everything))
    assert (len(_rows(few)), few["truncated"]) == (2, True)
    assert everything["truncated"] is False
    assert _rows(everything)[:2] == _rows(few)
    order = [BASES.index(str(relation["basis"])) for relation in _rows(everything)]
    assert order == sorted(order), "what is said comes first"


def test_a_link_is_seen_from_both_of_its_ends(client: TestClient) -> None:
    def towards(start: str, end: str, direction: str) -> set[tuple[object, object]]:
        relations = _rows(_get(client, "/api/neighbours", entity=start, limit=1000))
        there = [r for r in relations if _part(r, "entity")["curie"] == end and r["direction"] == direction]
        return {(r["link"], r["basis"]) for r in there}

    out = towards(BARRIER, "theme:strategic-planning", "forward")
    assert out
    assert towards("theme:strategic-planning", BARRIER, "backward") == out


@pytest.mark.parametrize("path", ["/api/describe", "/api/neighbours"])
def test_an_entity_is_named_by_iri_curie_or_label(client: TestClient, path: str) -> None:
    names = ["https://w3id.org/policy-evidence/id/agent/cosla", "agent:cosla", "COSLA", "cosla"]
    first, *others = [_get(client, path, entity=name) for name in names]
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [("/api/describe", "entity"), ("/api/neighbours", "entity"), ("/api/evidence", "item")],
)
def test_an_unknown_entity_is_404_with_the_nearest_labels(client: TestClient, path: str, parameter: str) -> None:
    found = _problem(client.get(path, params={parameter: "Audit Skotland"}), 404)
    assert "Audit Skotland" in str(found["detail"])
    assert _rows(found, "nearest")[0]["curie"] == "agent:audit-scotland"


def test_a_label_of_several_things_is_400_with_the_candidates(client: TestClient) -> None:
    label = "Effective strategic planning for improvement"
    found = _problem(client.get("/api/describe", params={"entity": label}), 400)
    nearest = _rows(found, "nearest")
    assert len(nearest) > 1
    for entity in nearest:
        _is_entity(entity)
        assert entity["scheme"]
        assert str(entity["curie"]) in str(found["detail"])


# Connections


def _connect(client: TestClient, end: str, **parameters: str | int) -> dict[str, object]:
    """Returns how COSLA and another thing hang together."""
    return _get(client, "/api/connections", **{"from": "COSLA", "to": end, **parameters})


def test_connections_have_the_promised_shape(client: TestClient) -> None:
    found = _connect(client, "Distrust between professions")
    assert set(found) == {"release", "from", "to", "paths", "searched", "why_none", "truncated", "sparql", "permalink"}
    assert found["why_none"] is None
    searched = {"max_hops", "reached", "complete", "shortest", "candidates", "expanded", "levels"}
    assert set(_part(found, "searched")) == searched
    assert _part(found, "searched")["max_hops"] == 6
    assert _rows(found, "paths")
    for path in _rows(found, "paths"):
        assert set(path) == PATH
        hops, nodes = _rows(path, "hops"), _rows(path, "nodes")
        assert path["length"] == len(hops) == len(nodes) - 1
        assert nodes[0] == found["from"]
        assert nodes[-1] == found["to"]
        assert [hop["from"] for hop in hops] == [node["iri"] for node in nodes[:-1]]
        assert [hop["to"] for hop in hops] == [node["iri"] for node in nodes[1:]]
        for node in nodes:
            _is_entity(node)
        for hop in hops:
            assert set(hop) >= HOP
            assert hop["direction"] in {"forward", "backward"}
            assert hop["basis"] in BASES
            assert str(hop["sentence"]).endswith(".")
            for passage in _rows(hop, "evidence"):
                _is_passage(passage)


def test_a_path_is_single_when_one_origin_stands_behind_every_hop(client: TestClient) -> None:
    found = _connect(client, "Finance", limit=100)
    threads = set()
    for path in _rows(found, "paths"):
        origins = [{str(iri) for iri in _rows(hop, "origins")} for hop in _rows(path, "hops")]
        shared = set.intersection(*origins)
        assert path["origins"] == sorted(shared)
        assert path["thread"] == ("single" if shared else "stitched")
        threads.add(path["thread"])
    assert threads == {"single", "stitched"}


def test_the_query_of_a_connection_returns_the_same_hops(client: TestClient) -> None:
    found = _connect(client, "Finance")
    walked = set()
    for path in _rows(found, "paths"):
        for hop in _rows(path, "hops"):
            ends = (hop["from"], hop["to"]) if hop["direction"] == "forward" else (hop["to"], hop["from"])
            walked.add((ends[0], hop["link"], ends[1], hop["basis"]))
    rows = client.get("/sparql", params={"query": str(found["sparql"])}).json()["results"]["bindings"]
    assert walked <= {tuple(row[name]["value"] for name in ("from", "link", "to", "basis")) for row in rows}


def test_only_links_of_the_basis_asked_for_are_walked(client: TestClient) -> None:
    found = _connect(client, "Finance", basis="said, judged")
    bases = {hop["basis"] for path in _rows(found, "paths") for hop in _rows(path, "hops")}
    assert bases
    assert bases <= {"said", "judged"}


def test_no_path_comes_with_a_reason_and_what_was_nearest(client: TestClient) -> None:
    found = _connect(client, "Finance", max_hops=1)
    assert found["paths"] == []
    assert found["truncated"] is False
    why = _part(found, "why_none")
    assert "1 hop" in str(why["reason"])
    assert _rows(why, "nearest")
    for entity in _rows(why, "nearest"):
        _is_entity(entity)


def test_a_limit_on_paths_says_that_more_were_left_out(client: TestClient) -> None:
    found = _connect(client, "Finance", limit=1)
    assert (len(_rows(found, "paths")), found["truncated"]) == (1, True)


@pytest.mark.parametrize(
    ("parameters", "parts"),
    [
        ({"from": "COSLA"}, ["to", "missing"]),
        ({"to": "COSLA"}, ["from", "missing"]),
        ({"from": "COSLA", "to": "COSLA"}, ["to", "agent:cosla", "same"]),
        ({"from": "COSLA", "to": "Finance", "basis": "said,guessed"}, ["basis", "guessed", "inferred"]),
        ({"from": "COSLA", "to": "Finance", "max_hops": "0"}, ["max_hops", "0", "between"]),
        ({"from": "COSLA", "to": "Finance", "max_hops": "13"}, ["max_hops", "13", "between"]),
        ({"from": "COSLA", "to": "Finance", "max_hops": "many"}, ["max_hops", "many", "integer"]),
        ({"from": "COSLA", "to": "Finance", "limit": "-1"}, ["limit", "-1", "between"]),
    ],
)
def test_a_bad_connection_request_is_400_and_says_what_is_wrong(
    client: TestClient, parameters: dict[str, str], parts: list[str]
) -> None:
    found = _problem(client.get("/api/connections", params=parameters), 400)
    for part in parts:
        assert part in str(found["detail"])


@pytest.mark.parametrize("end", ["from", "to"])
def test_an_unknown_end_of_a_connection_is_404_and_says_which(client: TestClient, end: str) -> None:
    parameters = {"from": "COSLA", "to": "Finance"} | {end: "Finanse"}
    found = _problem(client.get("/api/connections", params=parameters), 404)
    assert str(found["detail"]).startswith(f"{end}: ")
    assert "theme:finance" in {entity["curie"] for entity in _rows(found, "nearest")}


@pytest.mark.parametrize(
    "address",
    [
        "/api/search?q=finance&limit=0",
        "/api/search?q=finance&limit=1001",
        "/api/search?q=finance&limit=ten",
        "/api/search?q=",
        "/api/search",
        "/api/search?q=finance&type=pev:Nonesuch",
        "/api/search?q=finance&type=not a class",
        "/api/describe?entity=COSLA&limit=0",
        "/api/neighbours?entity=COSLA&limit=100000",
        "/api/describe",
        "/api/evidence",
    ],
)
def test_a_number_out_of_range_or_a_missing_value_is_400(client: TestClient, address: str) -> None:
    _problem(client.get(address), 400)


@pytest.mark.parametrize("entity", ["", "  "])
def test_no_name_at_all_is_400_and_says_what_to_give(client: TestClient, entity: str) -> None:
    problem = _problem(client.get("/api/describe", params={"entity": entity}), 400)
    assert "give an IRI, a CURIE or a label" in str(problem["detail"])


@pytest.mark.parametrize("entity", ["\0", "'; DROP TABLE entity; --", '" OR *', "http://x> } #", "é" * 3000])
def test_an_odd_name_is_404_and_no_fault_of_ours(client: TestClient, entity: str) -> None:
    _problem(client.get("/api/describe", params={"entity": entity}), 404)


# Evidence


def test_evidence_is_a_reference_when_the_text_is_not_held(client: TestClient) -> None:
    found = _get(client, "/api/evidence", item=BARRIER)
    assert _rows(found)
    assert found["truncated"] is False
    for passage in _rows(found):
        _is_passage(passage)
        assert passage["quote"] is None


def test_evidence_is_quoted_when_the_text_is_held(client_with_texts: TestClient) -> None:
    found = _get(client_with_texts, "/api/evidence", item=BARRIER)
    assert _rows(found)
    for passage in _rows(found):
        quote = str(passage["quote"])
        assert len(quote) == int(str(passage["end"])) - int(str(passage["start"]))
        assert sha256(quote) == passage["sha256"]


def test_hops_and_descriptions_quote_held_texts_too(client_with_texts: TestClient) -> None:
    described = _get(client_with_texts, "/api/describe", entity=BARRIER)
    assert all(passage["quote"] for passage in _rows(described, "evidence"))
    found = _connect(client_with_texts, "Finance")
    passages = [p for path in _rows(found, "paths") for hop in _rows(path, "hops") for p in _rows(hop, "evidence")]
    assert passages
    assert all(passage["quote"] for passage in passages)


def test_a_thing_that_rests_on_no_passage_has_an_empty_list(client: TestClient) -> None:
    assert _get(client, "/api/evidence", item="theme:charging")["results"] == []


# The release, and whether it answers


def test_the_release_tells_its_counts_and_graphs(client: TestClient, answers: Answers) -> None:
    found = _get(client, "/api/release")
    assert found["release"] == answers.release_id
    assert {"built", "commit"} <= set(found)
    counts = _part(found, "counts")
    query = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    merged = client.get("/sparql", params={"query": query}).json()["results"]["bindings"][0]["n"]["value"]
    assert counts["triples"] == int(merged)
    assert counts["quads"] == sum(int(str(n)) for n in _part(found, "graphs").values())


def test_the_default_graph_counts_each_triple_once(client: TestClient) -> None:
    plain = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    distinct = "SELECT (COUNT(*) AS ?n) { SELECT DISTINCT * { ?s ?p ?o } }"
    one, other = (client.get("/sparql", params={"query": query}).json() for query in (plain, distinct))
    assert one == other


@pytest.mark.parametrize(("path", "text"), [("/healthz", "ok\n"), ("/readyz", "ready\n")])
def test_health_and_readiness_are_plain_text(client: TestClient, path: str, text: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.text) == (200, text)


# Errors


@pytest.mark.parametrize(
    "path", ["/nonesuch", "/api/nonesuch", "/api/queries/a/b", "/static/nonesuch", "/static/../app.py"]
)
def test_an_unknown_path_is_a_problem_too(client: TestClient, path: str) -> None:
    assert "/openapi.json lists the paths" in str(_problem(client.get(path), 404)["detail"])


KEPT_BY_CLIENTS = [
    "/sparql?query=ASK%7B%7D",
    "/graphs?default",
    "/api/export/csv",
    "/api/cite?answer=/api/gaps",
    "/api/queries/barriers-blocking-theme?theme=Finance",
    "/api/gaps",
    "/data/theme/finance.ttl",
    "/page/theme/finance",
    "/ns",
    "/.well-known/void",
]


@pytest.mark.parametrize("path", ["/api/describe?entity=zzzzqqqq", "/theme/zzzzqqqq"])
def test_a_name_that_nothing_is_near_is_told_where_to_search(client: TestClient, path: str) -> None:
    assert "/api/search" in str(_problem(client.get(path), 404)["detail"])


@pytest.mark.parametrize("path", KEPT_BY_CLIENTS)
def test_what_a_client_has_already_is_304_however_its_tag_is_written(client: TestClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"].removeprefix("W/")
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b""), known
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/queries",
        "/api/search",
        "/api/queries/barriers-blocking-theme",
        "/api/queries/%3Fx",
        "/docs",
        "/static/pages.css",
    ],
)
def test_a_wrong_method_is_a_problem_too_and_names_the_right_one(client: TestClient, path: str) -> None:
    response = client.delete(path)
    _problem(response, 405)
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/", "/api/release", "/api/queries", "/healthz", "/docs", "/static/pages.css"])
def test_head_is_answered_wherever_get_is(client: TestClient, path: str) -> None:
    response = client.head(path)
    assert response.status_code == 200
    assert response.content == b""


def test_each_kind_of_error_has_its_status() -> None:
    statuses = {kind: status_of(kind("x")) for kind in (UnknownName, AskError, SourceError, DataError, KgError)}
    assert statuses == {UnknownName: 404, AskError: 400, SourceError: 502, DataError: 500, KgError: 500}
    assert status_of(LimitError("x", limit="KG_MAX_ROWS")) == 413


def test_a_fault_of_our_own_is_a_500_that_tells_nothing_of_the_inside(answers: Answers) -> None:
    app = application(answers.opened, answers.settings)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a detail of the inside")

    with TestClient(app, raise_server_exceptions=False) as client:
        found = _problem(client.get("/broken"), 500)
    assert "inside" not in str(found["detail"])


# The documentation


def test_openapi_lists_each_question_with_its_parameters(client: TestClient, answers: Answers) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for question in answers.questions():
        operation = paths[f"/api/queries/{question.name}"]["get"]
        assert operation["summary"] == question.summary
        documented = {p["name"]: p for p in operation.get("parameters", [])}
        assert set(documented) == {p.name for p in question.parameters} | {"release"}
        for parameter in question.parameters:
            shown = documented[parameter.name]
            assert shown["in"] == "query"
            assert shown["required"] == (parameter.mode == "required")
            assert (shown["schema"]["type"] == "array") == (parameter.mode == "many")
            assert parameter.type in shown["description"]


def test_openapi_lists_every_path_of_the_interface(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    names = ("queries", "search", "describe", "neighbours", "connections", "evidence", "release")
    assert {"/sparql", "/healthz", "/readyz", *(f"/api/{name}" for name in names)} <= set(paths)
    assert set(paths["/sparql"]) == {"get", "post"}


class _Assets(HTMLParser):
    """Gathers every address that a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = "href" if tag == "link" else "src"
        self.found += [value for key, value in attrs if key == name and value]


@pytest.mark.parametrize("path", ["/docs", "/", "/sparql"])
def test_a_page_loads_from_this_service_only(client: TestClient, path: str) -> None:
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assets = _Assets()
    assets.feed(page.text)
    assert assets.found
    for address in assets.found:
        assert not urlsplit(address).scheme and not urlsplit(address).netloc, address
        asset = client.get(urljoin(path, address))
        assert asset.status_code == 200, address
        if asset.headers["content-type"].startswith("text/css"):
            assert not re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", asset.text), address


def test_a_browser_is_told_to_load_from_this_service_only(client: TestClient) -> None:
    headers = client.get("/docs").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
