"""What stands around a thing: counts that are exact, pages that join without a seam, links with their grounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from conftest import application
from kg.answers import MAX_ENTITIES, Answers
from kg.connections.neighbourhood import Page
from kg.errors import BadParameter
from kg.model import Basis

COSLA = "agent:cosla"
TURNOVER, PLANNING = "barrier:as2018-leadership-turnover", "theme:strategic-planning"


@pytest.fixture(scope="module")
def client(answers: Answers) -> Iterator[TestClient]:
    with TestClient(application(answers.opened, answers.settings)) as opened:
        yield opened


def test_the_counts_of_relations_are_those_of_the_listed_links(answers: Answers) -> None:
    found = answers.neighbours(COSLA, limit=1000)
    assert sum(relation.count for relation in found.relations) == found.total == len(found.results)
    for relation in found.relations:
        listed = [r for r in found.results if (r.link, r.direction) == (relation.link, relation.direction)]
        assert len(listed) == relation.count == sum(relation.by_basis.values())
        assert {r.basis for r in listed} == set(relation.by_basis)


def test_the_counts_are_those_of_the_store(answers: Answers) -> None:
    said = answers.select(f"SELECT (COUNT(*) AS ?n) WHERE {{ ?item pev:assertedBy {COSLA} }}").results[0]["n"].value
    found = answers.neighbours(COSLA).relations
    (counted,) = [r.count for r in found if r.link.endswith("#assertedBy") and r.direction == "backward"]
    assert counted == int(said)


def test_pages_join_without_a_seam(answers: Answers) -> None:
    whole = answers.neighbours(COSLA, limit=1000).results
    pages = [answers.neighbours(COSLA, page=Page(7, offset)) for offset in range(0, len(whole), 7)]
    assert tuple(r for page in pages for r in page.results) == whole
    assert [page.truncated for page in pages] == [True] * (len(pages) - 1) + [False]


def test_a_page_holds_only_what_is_asked_for(answers: Answers) -> None:
    page = Page(1000, link="pev:assertedBy", direction="backward", basis=frozenset({Basis.JUDGED}))
    found = answers.neighbours(COSLA, page=page)
    assert found.results
    assert {(r.label, r.direction, r.basis) for r in found.results} == {("asserted by", "backward", Basis.JUDGED)}
    assert found.total == answers.neighbours(COSLA).total


def test_nothing_the_other_way_is_an_empty_page(answers: Answers) -> None:
    assert answers.neighbours(COSLA, page=Page(10, link="pev:assertedBy", direction="forward")).results == ()


def test_a_thing_without_links_has_counts_of_none(answers: Answers) -> None:
    found = answers.neighbours("pev:Barrier")
    assert (found.total, found.relations, found.results) == (0, (), ())


def test_a_link_that_is_none_is_refused_by_name(answers: Answers) -> None:
    with pytest.raises(BadParameter, match="pev:nonesuch"):
        answers.neighbours(COSLA, page=Page(10, link="pev:nonesuch"))


def test_a_subgraph_has_every_link_between_its_things_and_no_other(answers: Answers) -> None:
    names = [COSLA, "agent:audit-scotland", TURNOVER, PLANNING]
    found = answers.subgraph(names)
    inside = {entity.iri for entity in found.entities}
    assert [entity.curie for entity in found.entities] == names
    assert all({link.subject, link.object} <= inside for link in found.links)
    blocks = [link for link in found.links if link.predicate.endswith("#blocks")]
    assert [found.labels[link.predicate] for link in blocks] == ["blocks"]
    values = " ".join(names)
    query = f"SELECT ?s ?p ?o WHERE {{ VALUES ?s {{ {values} }} VALUES ?o {{ {values} }} ?s ?p ?o }}"
    assert len(found.links) == len(answers.select(query).results)
    again = answers.select(found.sparql).results
    assert {(row["from"].value, row["link"].value, row["to"].value) for row in again} == (
        {(link.subject, link.predicate, link.object) for link in found.links}
    )
    assert answers.subgraph([COSLA]).sparql == "", "nothing links it to itself"


def test_a_search_comes_with_a_query_for_what_it_found(answers: Answers) -> None:
    found = answers.search("strategic planing", limit=5)
    rows = answers.select(found.sparql).results
    assert {row["thing"].value for row in rows} == {entity.iri for entity in found.results}
    assert answers.search("qqqqqq").sparql == ""


def test_a_subgraph_that_is_cut_says_so(answers: Answers) -> None:
    whole = answers.subgraph([TURNOVER, PLANNING, "agent:audit-scotland"])
    cut = answers.subgraph([TURNOVER, PLANNING, "agent:audit-scotland"], limit=1)
    assert (len(cut.links), cut.truncated, whole.truncated) == (1, True, False)


def test_a_subgraph_names_what_is_not_there(answers: Answers) -> None:
    found = answers.subgraph(["barrier:nonesuch", TURNOVER, "https://example.org/<x>"])
    assert [entity.curie for entity in found.entities] == [TURNOVER]
    assert [iri.rpartition("/")[2] for iri in found.unknown] == ["<x>", "nonesuch"]


def test_a_subgraph_of_too_much_is_refused(answers: Answers) -> None:
    with pytest.raises(BadParameter, match=str(MAX_ENTITIES)):
        answers.subgraph([f"barrier:{n}" for n in range(MAX_ENTITIES + 1)])


def test_a_link_tells_who_says_it_and_where(client: TestClient) -> None:
    found = client.get("/api/link", params={"from": TURNOVER, "link": "pev:blocks", "to": PLANNING}).json()
    assert found["sentence"] == "Audit Scotland says that high turnover in leadership teams blocks strategic planning."
    assert (found["basis"], found["direction"]) == ("said", "forward")
    named = {entity["iri"] for entity in found["entities"]}
    assert found["origins"] and set(found["origins"]) <= named
    assert {passage["document"] for passage in found["evidence"]} <= named


def test_a_link_that_does_not_hold_is_404(client: TestClient) -> None:
    found = client.get("/api/link", params={"from": PLANNING, "link": "pev:blocks", "to": TURNOVER})
    assert found.status_code == 404
    assert "pev:blocks" in found.json()["detail"]


def test_the_http_face_returns_counts_pages_and_subgraphs(client: TestClient) -> None:
    around = client.get("/api/neighbours", params={"entity": COSLA, "link": "pev:concerns", "limit": 2}).json()
    assert {r["label"] for r in around["results"]} == {"concerns"}
    assert len(around["results"]) == 2 and around["truncated"]
    assert client.get("/api/neighbours", params={"entity": COSLA, "direction": "up"}).status_code == 400
    posted = client.post("/api/subgraph", json={"entities": [TURNOVER, PLANNING]}).json()
    assert {link["label"] for link in posted["links"]} >= {"blocks"}
    assert client.post("/api/subgraph", json={"entities": "x"}).status_code == 400


def test_the_vocabulary_names_what_queries_are_made_of(client: TestClient) -> None:
    found = client.get("/api/vocabulary").json()
    assert found["prefixes"]["pev"] == "https://w3id.org/policy-evidence/ns#"
    assert "pev:Barrier" in {term["curie"] for term in found["classes"]}
    assert "pev:blocks" in {term["curie"] for term in found["properties"]}
    dates = {document["curie"]: document["date"] for document in found["documents"]}
    assert dates["doc:msg2019-report"] == "2019-02-04"
