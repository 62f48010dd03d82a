"""Linked Data: every IRI of ours answers at its own path, for people and for programs."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urldefrag, urlencode, urljoin

import pyoxigraph as ox
import pytest
import rdflib
from fastapi.testclient import TestClient

from conftest import application
from kg.answers import Answers
from kg.names import BASE, DCTERMS, FOAF, ONTOLOGY, OWL, PEV, RDF_TYPE, RDFS, SKOS, VOID, Prefixes
from kg.release.build import build
from kg.release.jsonld import Context
from kg.release.opened import Release, open_release
from kg.workspace import Settings, Workspace
from workspaces import BARRIER, add, edit, text_file, write_workspace

FORMATS = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SH = "http://www.w3.org/ns/shacl#"
A_BARRIER = "/id/barrier/as2018-data-sharing"
A_TEXT = "/id/text/04532381b89d4aa6"

Triple = ox.Triple


class _Page(HTMLParser):
    """Reads a page as a browser does: its links, its anchors, its tags and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag in {"a", "link"}:
            self.links.append(found["href"] or "")
        if found.get("id"):
            self.anchors.add(found["id"] or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def client(release: Release, settings: Settings) -> Iterator[TestClient]:
    with TestClient(application(release, settings), follow_redirects=False) as opened:
        yield opened


@contextmanager
def _served(workspace: Workspace, settings: Settings, folder: Path, texts: Path | None = None) -> Iterator[TestClient]:
    release = open_release(build(workspace, settings, folder, check="none").directory.root)
    with TestClient(application(release, settings, texts), follow_redirects=False) as opened:
        yield opened
    release.close()


@pytest.fixture(scope="module")
def stored(release: Release) -> set[Triple]:
    """Every triple of the release."""
    rows = release.source.select("SELECT ?s ?p ?o { ?s ?p ?o }").rows
    return {Triple(*row) for row in rows}  # type: ignore[arg-type]  # all three are bound


@pytest.fixture(scope="module")
def names(stored: set[Triple]) -> list[str]:
    """The IRIs of ours that the release describes, without fragments: what a client sends."""
    found = {urldefrag(iri).url for iri in (_iri(t.subject) for t in stored) if iri.startswith(BASE)}
    return sorted(found)


def _iri(term: object) -> str:
    return str(getattr(term, "value", ""))


def _path(iri: str) -> str:
    return "/" + iri.removeprefix(BASE)


def _triples(content: bytes, media_type: str) -> set[Triple]:
    return {quad.triple for quad in ox.parse(content, format=FORMATS[media_type])}


def _get(client: TestClient, path: str, accept: str = "text/turtle") -> bytes:
    """Returns what the address leads to, redirects followed."""
    response = client.get(path, headers={"Accept": accept}, follow_redirects=True)
    assert response.status_code == 200, (path, response.status_code, response.text[:300])
    assert response.headers["content-type"].partition(";")[0] == accept.partition(",")[0], path
    return response.content


def _is_document(iri: str) -> bool:
    return iri.startswith(BASE + "graph/") or iri == ONTOLOGY


# Every IRI


@pytest.mark.slow
def test_every_name_of_ours_leads_in_every_format_to_all_triples_about_it(
    client: TestClient, stored: set[Triple], names: list[str]
) -> None:
    about: dict[str, set[Triple]] = {}
    for triple in stored:
        about.setdefault(urldefrag(_iri(triple.subject)).url, set()).add(triple)
    assert len(names) > 300
    for iri, media_type in itertools.product(names, FORMATS):
        found = _triples(_get(client, _path(iri), media_type), media_type)
        missing = about[iri] - found
        assert not missing, (iri, media_type, missing)


@pytest.mark.slow
def test_every_name_of_ours_leads_to_a_page_that_shows_it(client: TestClient, names: list[str]) -> None:
    for iri in names:
        page = _Page(_get(client, _path(iri), BROWSER).decode())
        assert iri in page.text, iri
        assert "Release " in page.text


@pytest.mark.slow
def test_a_thing_is_answered_with_303_and_a_document_with_200(client: TestClient, names: list[str]) -> None:
    for iri in names:
        for accept in (BROWSER, "text/turtle"):
            status = client.get(_path(iri), headers={"Accept": accept}).status_code
            assert status == (200 if _is_document(iri) else 303), (iri, accept)


def test_a_fragment_has_its_place_on_the_page_of_its_document(client: TestClient, stored: set[Triple]) -> None:
    fragments: dict[str, set[str]] = {}
    for iri in {_iri(t.subject) for t in stored}:
        if iri.startswith(BASE) and "#" in iri:
            fragments.setdefault(urldefrag(iri).url, set()).add(urldefrag(iri).fragment)
    assert ONTOLOGY in fragments
    assert len(fragments) == 6, "the ontology and five texts"
    for iri, wanted in fragments.items():
        assert wanted <= _Page(_get(client, _path(iri), BROWSER).decode()).anchors, iri


@pytest.mark.slow
def test_every_local_link_of_forty_pages_leads_somewhere(client: TestClient, names: list[str]) -> None:
    sample = [*names[:: len(names) // 36], BASE[:-1] + A_BARRIER, BASE[:-1] + A_TEXT, ONTOLOGY, BASE + "graph/inferred"]
    assert len(sample) >= 40
    pages: dict[str, _Page] = {}
    seen: set[str] = set()
    for iri in sample:
        for link in _Page(_get(client, _path(iri), BROWSER).decode()).links:
            assert link.startswith(("/", "#")), f"{link} on the page of {iri} leads away"
            seen.add(urljoin(_path(iri), link))
    assert len(seen) > 500
    for link in sorted(seen):
        address, fragment = urldefrag(link)
        if address not in pages:
            response = client.get(address, headers={"Accept": BROWSER}, follow_redirects=True)
            assert response.status_code == 200, link
            is_page = response.headers["content-type"].startswith("text/html")
            pages[address] = _Page(response.text if is_page else "")
        assert not fragment or fragment in pages[address].anchors, link


# What is sent for a name


@pytest.mark.parametrize(
    ("accept", "location"),
    [
        (BROWSER, "/page" + A_BARRIER),
        ("text/html", "/page" + A_BARRIER),
        ("*/*", "/data" + A_BARRIER + ".ttl"),
        ("text/turtle", "/data" + A_BARRIER + ".ttl"),
        ("application/ld+json", "/data" + A_BARRIER + ".jsonld"),
        ("application/n-triples", "/data" + A_BARRIER + ".nt"),
        ("application/rdf+xml", "/data" + A_BARRIER + ".rdf"),
        ("text/html;q=0.1, application/rdf+xml", "/data" + A_BARRIER + ".rdf"),
    ],
)
def test_the_format_that_is_preferred_decides_where_a_name_leads(
    client: TestClient, accept: str, location: str
) -> None:
    response = client.get(A_BARRIER, headers={"Accept": accept})
    assert (response.status_code, response.headers["location"]) == (303, location)
    assert "Accept" in response.headers["vary"]


def test_a_format_that_cannot_be_made_is_406(client: TestClient) -> None:
    for path in (A_BARRIER, "/graph/inferred", "/ns", "/data" + A_BARRIER, "/.well-known/void"):
        response = client.get(path, headers={"Accept": "image/png"})
        assert response.status_code == 406, path
        assert response.headers["content-type"] == "application/problem+json"


def test_head_is_answered_as_get(client: TestClient) -> None:
    assert client.head(A_BARRIER).status_code == 303
    assert client.head("/id/barrier/nothing").status_code == 404
    for path in ("/ns", "/page" + A_BARRIER, "/data" + A_BARRIER + ".jsonld", "/.well-known/void"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.headers["content-type"]) == (200, get.headers["content-type"])


def test_a_redirect_keeps_the_release_that_was_asked_for(client: TestClient, release: Release) -> None:
    response = client.get(A_BARRIER, params={"release": release.id})
    assert response.headers["location"] == f"/data{A_BARRIER}.ttl?release={release.id}"
    assert client.get(response.headers["location"]).status_code == 200
    assert client.get(A_BARRIER, params={"release": "0" * 64}).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/id/barrier/as2018-data-sharing/",
        "/id/barrier/AS2018-data-sharing",
        "/id/barrier",
        "/id/",
        "/id%2Fbarrier%2Fas2018-data-sharing",
        "/id/barrier%2Fas2018-data-sharing",
        "/id/barrier/%2e%2e/barrier/as2018-data-sharing",
        "/id/../../../../etc/passwd",
        "/page/../../etc/passwd",
        "/page/%2e%2e/%2e%2e/static/pages.css",
        "/data/../manifest.json",
        "/data/..%2Fmanifest.json",
        "/id/barrier/x%00",
        "/id/barrier/%ff%fe",
        "/id/barrier/%3Cscript%3E",
        "/id/barrier/x%22%3E",
        "/id/barrier/x%20y",
        "/id/barrier/x%0d%0aSet-Cookie:a",
        "/theme/",
        "/theme/nothing",
        "/graph/nothing",
        "/graph/merged",
        "/ns/",
        "/ns/9.9.9",
        "/ns/Barrier",
        "/ns/%EE%80%80",  # what may stand in no IRI
        "/page/",
        "/data/",
        "/data/ns.exe",
        "/data/id/barrier/nothing.ttl",
        "/.well-known/genid/nothing",
    ],
)
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    for accept in ("*/*", BROWSER, "image/png"):
        response = client.get(path, headers={"Accept": accept}, follow_redirects=True)
        assert response.status_code == 404, (accept, response.status_code)
        assert "set-cookie" not in response.headers


def test_a_program_is_told_of_a_missing_name_as_a_problem(client: TestClient) -> None:
    response = client.get("/theme/finances", headers={"Accept": "text/turtle"})
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert "theme:finance" in {entity["curie"] for entity in response.json()["nearest"]}


def test_a_person_is_shown_what_is_nearest_to_a_missing_name(client: TestClient) -> None:
    for path in ("/theme/finances", "/page/theme/finances", "/page?iri=" + BASE + "theme/finances"):
        response = client.get(path, headers={"Accept": BROWSER})
        assert response.status_code == 404
        assert "/theme/finance" in _Page(response.text).links


def test_a_name_may_be_written_with_percent_signs_that_mean_nothing(client: TestClient) -> None:
    response = client.get("/id/barrier/as2018%2Ddata%2dsharing")
    assert response.headers["location"] == f"/data{A_BARRIER}.ttl"


# Documents


@pytest.mark.parametrize("path", ["/ns", "/graph/source-white2019"])
def test_a_document_is_the_same_at_its_name_and_at_its_data_address(client: TestClient, path: str) -> None:
    for suffix, media_type in zip((".ttl", ".nt", ".rdf", ".jsonld"), FORMATS, strict=True):
        assert client.get(f"/data{path}{suffix}").content == _get(client, path, media_type)
    assert _get(client, path, BROWSER) == client.get(f"/page{path}").content


def test_the_data_of_a_graph_are_its_own_triples_and_which_release_they_are_of(
    client: TestClient, release: Release, answers: Answers
) -> None:
    for graph, count in answers.release().graphs.items():
        rows = release.source.select(f"SELECT ?s ?p ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}").rows
        held = {Triple(*row) for row in rows}  # type: ignore[arg-type]  # all three are bound
        found = _triples(_get(client, _path(graph)), "text/turtle")
        assert (len(held), held - found) == (count, set())
        assert all(graph in {_iri(t.subject), _iri(t.object)} for t in found - held), graph


def test_a_data_document_says_what_it_is_about_and_which_release_it_is_of(client: TestClient, release: Release) -> None:
    found = _triples(client.get(f"/data{A_BARRIER}.ttl").content, "text/turtle")
    document = ox.NamedNode(f"{BASE}data{A_BARRIER}")
    assert Triple(document, ox.NamedNode(FOAF + "primaryTopic"), ox.NamedNode(BASE[:-1] + A_BARRIER)) in found
    (dataset,) = [t.object for t in found if t.predicate.value == VOID + "inDataset"]
    described = _triples(client.get("/.well-known/void").content, "text/turtle")
    assert Triple(dataset, ox.NamedNode(DCTERMS + "identifier"), ox.Literal(release.id)) in described  # type: ignore[arg-type]  # a dataset has a name
    assert client.get(f"/data{A_BARRIER}.ttl").headers["x-release"] == release.id
    assert client.get(_path(document.value)).status_code == 200


def test_a_data_document_holds_what_points_at_the_thing_and_what_that_is_called(
    client: TestClient, stored: set[Triple]
) -> None:
    theme = ox.NamedNode(BASE + "theme/finance")
    found = _triples(client.get("/data/theme/finance.nt").content, "application/n-triples")
    pointing = {t for t in stored if t.object == theme}
    assert pointing <= found
    labels = {t for t in stored if t.predicate.value == RDFS + "label" and t.subject in {p.subject for p in pointing}}
    assert labels and labels <= found


def test_the_data_of_a_text_hold_its_passages_and_what_rests_on_them(client: TestClient, stored: set[Triple]) -> None:
    found = _triples(client.get(f"/data{A_TEXT}.ttl").content, "text/turtle")
    part = BASE[:-1] + A_TEXT + "#"
    assert {t for t in stored if part in f"{_iri(t.subject)} {_iri(t.object)}"} <= found


# Readable JSON-LD


def _as_rdflib(content: bytes, media_type: str) -> set[tuple[str, ...]]:
    graph = rdflib.Graph()
    graph.parse(data=content, format={"application/ld+json": "json-ld", "text/turtle": "turtle"}[media_type])
    return {tuple(term.n3() for term in triple) for triple in graph}


@pytest.mark.slow
def test_json_ld_says_the_same_as_turtle(client: TestClient, names: list[str]) -> None:
    for iri in [*names[:: len(names) // 40], ONTOLOGY, BASE + "graph/source-johnston2018", BASE[:-1] + A_TEXT]:
        turtle, json_ld = (_get(client, _path(iri), kind) for kind in ("text/turtle", "application/ld+json"))
        assert _as_rdflib(json_ld, "application/ld+json") == _as_rdflib(turtle, "text/turtle"), iri


def test_json_ld_is_written_with_the_terms_of_the_context_and_leads_with_the_thing(client: TestClient) -> None:
    document = json.loads(client.get(f"/data{A_BARRIER}.jsonld").content)
    thing = document["@graph"][0]
    assert (thing["id"], thing["type"], thing["label"]) == (
        "barrier:as2018-data-sharing",
        "Barrier",
        "Data not shared safely",
    )
    assert thing["blocks"] == ["theme:strategic-planning"]
    assert thing["statedIn"] == "doc:as2018-report"
    text = json.loads(client.get(f"/data{A_TEXT}.jsonld").content)["@graph"][0]
    assert text["characterCount"] == 2730
    # What is used is declared, in the document itself: nothing is to be fetched.
    assert isinstance(document["@context"], dict)
    assert set(thing) <= set(document["@context"])
    assert "deadline" not in document["@context"]


def _context() -> Context:
    ex = {"ex": "http://e/", "xsd": "http://www.w3.org/2001/XMLSchema#"}
    terms = {
        **ex,
        "id": "@id",
        "type": "@type",
        "Thing": "ex:Thing",
        "name": {"@id": "ex:name", "@language": "en"},
        "size": {"@id": "ex:size", "@type": "xsd:decimal"},
        "count": {"@id": "ex:count", "@type": "xsd:integer"},
        "knows": {"@id": "ex:knows", "@type": "@id", "@container": "@set"},
        "knownBy": {"@reverse": "ex:knows", "@type": "@id"},
        "note": "ex:note",
    }
    return Context(terms, Prefixes(ex))


VALUES: Sequence[ox.Literal | ox.NamedNode | ox.BlankNode] = [
    ox.Literal("plain"),
    ox.Literal("English", language="en"),
    ox.Literal("Gàidhlig", language="gd"),
    ox.Literal(7),
    ox.Literal("007", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer")),
    ox.Literal("9" * 30, datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer")),
    ox.Literal("1.50", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#decimal")),
    ox.Literal("1.5e300", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#double")),
    ox.Literal("true", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#boolean")),
    ox.Literal("P1Y", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#duration")),
    ox.Literal('"quoted"\n\\ \t <b>é</b>'),
    ox.Literal(""),
    ox.Literal("ex:Thing"),
    ox.Literal("http://e/Thing"),
    ox.NamedNode("http://e/Thing"),
    ox.NamedNode("http://e/a/b#c=1,2"),
    ox.NamedNode("http://elsewhere/x?y=z"),
    ox.NamedNode("urn:isbn:1"),
    ox.BlankNode("b1"),
]


@pytest.mark.parametrize("name", ["name", "size", "count", "knows", "note", "other"])
def test_a_value_survives_json_ld_whatever_its_term_expects(name: str) -> None:
    subject, link = ox.NamedNode("http://e/a"), ox.NamedNode(f"http://e/{name}")
    triples = {Triple(subject, link, value) for value in VALUES}
    for chosen in ([t] for t in triples):
        _assert_survives(set(chosen))
    _assert_survives(triples | {Triple(subject, ox.NamedNode(RDF_TYPE), ox.NamedNode("http://e/Thing"))})


def _assert_survives(triples: set[Triple]) -> None:
    written = _context().write(triples)
    found = {quad.triple for quad in ox.parse(written, format=ox.RdfFormat.JSON_LD)}
    before, after = ox.Dataset(_quads(triples)), ox.Dataset(_quads(found))
    for dataset in (before, after):
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    assert before == after, written


def _quads(triples: set[Triple]) -> list[ox.Quad]:
    return [ox.Quad(t.subject, t.predicate, t.object) for t in triples]


# The ontology


def test_the_page_of_the_ontology_shows_every_term_with_its_definition(client: TestClient, stored: set[Triple]) -> None:
    page = _Page(_get(client, "/ns", BROWSER).decode())
    terms = {_iri(t.subject) for t in stored if _iri(t.subject).startswith(PEV)}
    assert len(terms) > 50
    assert {term.removeprefix(PEV) for term in terms} <= page.anchors
    shown = {RDFS + "label", *(SKOS + name for name in ("definition", "scopeNote", "example", "altLabel"))}
    for triple in stored:
        if _iri(triple.subject) in terms and triple.predicate.value in shown:
            assert _iri(triple.object) in page.text, triple
    assert "#Barrier" in page.links and "/ns#Factor" in page.links


def test_the_version_of_the_ontology_answers_as_the_ontology(client: TestClient, stored: set[Triple]) -> None:
    (version,) = [_iri(t.object) for t in stored if t.predicate.value == OWL + "versionIRI"]
    assert client.get(_path(version)).status_code == 200
    assert _get(client, _path(version)) == _get(client, "/ns")
    assert "#Barrier" in _Page(_get(client, _path(version), BROWSER).decode()).links


# IRIs of others


def test_an_iri_of_others_has_a_page_and_data_here(client: TestClient, stored: set[Triple]) -> None:
    law = "http://www.legislation.gov.uk/id/asp/2014/9"
    page = client.get("/page", params={"iri": law})
    assert page.status_code == 200 and law in _Page(page.text).text
    for media_type in FORMATS:
        response = client.get("/data", params={"iri": law}, headers={"Accept": media_type})
        assert {t for t in stored if law in {_iri(t.subject), _iri(t.object)}} <= _triples(response.content, media_type)
    for suffix, media_type in (("ttl", "text/turtle"), ("jsonld", "application/ld+json")):
        response = client.get("/data", params={"iri": law, "format": suffix})
        assert response.headers["content-type"].partition(";")[0] == media_type
    assert client.get("/data", params={"iri": law, "format": "exe"}).status_code == 406
    for unknown in ("http://nowhere.example/", "javascript:alert(1)", "no iri", "", "http://x> } #"):
        assert client.get("/page", params={"iri": unknown}).status_code == 404, unknown
        assert client.get("/data", params={"iri": unknown}).status_code == 404, unknown


# The dataset and its questions


def _number(release: Release, query: str) -> int:
    (row,) = release.source.select(query).rows
    return int(_iri(row[0]))


def test_void_counts_what_the_release_holds(client: TestClient, release: Release) -> None:
    for media_type in FORMATS:
        found = _triples(_get(client, "/.well-known/void", media_type), media_type)
        (dataset,) = {t.subject for t in found if t.predicate.value == DCTERMS + "identifier"}
        counts = {t.predicate.value.removeprefix(VOID): _iri(t.object) for t in found if t.subject == dataset}
        expected = {
            "triples": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
            "distinctSubjects": "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }",
            "distinctObjects": "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }",
            "properties": "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o }",
            "classes": "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c }",
            "entities": f'SELECT (COUNT(DISTINCT ?s) AS ?n) {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), "{BASE}")) }}',
        }
        for name, query in expected.items():
            assert int(counts[name]) == _number(release, query), name


def test_the_partitions_of_void_are_all_classes_and_properties_with_their_counts(
    client: TestClient, stored: set[Triple]
) -> None:
    found = _triples(client.get("/.well-known/void").content, "text/turtle")

    def partitions(kind: str, count: str) -> dict[str, int]:
        named = {t.subject: _iri(t.object) for t in found if t.predicate.value == VOID + kind}
        counted = {t.subject: int(_iri(t.object)) for t in found if t.predicate.value == VOID + count}
        return {name: counted[part] for part, name in named.items()}

    members: dict[str, set[str]] = {}
    uses: dict[str, int] = {}
    for triple in stored:
        uses[triple.predicate.value] = uses.get(triple.predicate.value, 0) + 1
        if triple.predicate.value == RDF_TYPE:
            members.setdefault(_iri(triple.object), set()).add(_iri(triple.subject))
    assert partitions("class", "entities") == {name: len(group) for name, group in members.items()}
    assert partitions("property", "triples") == uses


def test_void_names_the_endpoint_examples_and_questions_and_each_of_them_answers(client: TestClient) -> None:
    found = _triples(client.get("/.well-known/void").content, "text/turtle")

    def values(name: str) -> list[str]:
        return sorted(_iri(t.object) for t in found if t.predicate.value == name)

    (endpoint,) = values(VOID + "sparqlEndpoint")
    assert client.get(endpoint, params={"query": "ASK {}"}).status_code == 200
    (lookup,) = values(VOID + "uriLookupEndpoint")
    assert client.get(lookup + quote(PEV + "Barrier", safe="")).status_code == 200
    examples = values(VOID + "exampleResource")
    assert len(examples) > 10
    for iri in examples:
        _get(client, _path(iri))
    assert {_path(iri) for iri in values(RDFS + "seeAlso")} == {"/.well-known/sparql-examples"}
    assert PEV in values(VOID + "vocabulary")
    assert values(VOID + "dataDump") == []


def test_the_endpoint_that_is_named_is_the_one_that_was_asked(client: TestClient) -> None:
    for path in ("/.well-known/void", "/.well-known/sparql-examples"):
        content = client.get(path, headers={"Host": "data.example:8443"}).text
        assert "<http://data.example:8443/sparql>" in content


def test_every_question_is_an_executable_that_runs_at_the_endpoint(client: TestClient, answers: Answers) -> None:
    found = _triples(client.get("/.well-known/sparql-examples").content, "text/turtle")
    texts = {t.subject: _iri(t.object) for t in found if t.predicate.value == SH + "select"}
    targets = {t.subject: _iri(t.object) for t in found if t.predicate.value == "https://schema.org/target"}
    comments = {t.subject: _iri(t.object) for t in found if t.predicate.value == RDFS + "comment"}
    kinds = {t.subject for t in found if _iri(t.object) == SH + "SPARQLSelectExecutable"}
    assert {_iri(q).partition("#")[2] for q in kinds} == {question.name for question in answers.questions()}
    assert set(comments.values()) == {question.summary for question in answers.questions()}
    for query in kinds:
        response = client.post(targets[query], data={"query": texts[query]})
        assert response.status_code == 200
        assert response.json()["results"]["bindings"], query


# What pages show


def test_the_page_of_an_item_says_who_says_so_on_what_ground_and_where(client: TestClient) -> None:
    page = _Page(_get(client, A_BARRIER, BROWSER).decode())
    words = " ".join(page.text.split())
    assert "Who says so Is asserted by Audit Scotland said" in words
    assert "Is stated in Health and social care integration: update on progress said" in words
    assert "Blocks Strategic planning said" in words
    assert "What addresses this 2 Plan better by clearing the four obstacles said" in words
    assert f"{A_TEXT}#char=1099,1182" in page.links
    assert "The text is not held here." in words


def test_a_long_list_is_cut_on_the_page_and_says_so(client: TestClient, stored: set[Triple]) -> None:
    scotland = BASE + "id/place/scotland"
    total = len({t for t in stored if _iri(t.object) == scotland and t.predicate.value == DCTERMS + "spatial"})
    page = _Page(_get(client, "/id/place/scotland", BROWSER).decode())
    assert total > 100
    assert f"{total - 100} more are in the data" in " ".join(page.text.split())


def test_a_quote_is_shown_where_the_text_is_held(tmp_path: Path, settings: Settings) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    text = "Nobody <b>fills</b> the posts & nobody asks why that is so.\n"
    old, new = (hashlib.sha256(words.encode()).hexdigest() for words in ("elsewhere", text))
    content = text_file(workspace.root).read_text(encoding="utf-8").replace(old, new).replace(old[:16], new[:16])
    passage, cut = "pev:Passage", hashlib.sha256(text[:40].encode()).hexdigest()
    before, _, after = content.partition(passage)
    text_file(workspace.root).write_text(before + passage + after.replace(new, cut, 1), encoding="utf-8")
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "invented.txt").write_text(text, encoding="utf-8")
    with _served(workspace, settings, tmp_path / "release", texts) as opened:
        for path in (_path(BARRIER), f"/id/text/{new[:16]}"):
            page = _Page(_get(opened, path, BROWSER).decode())
            assert text[:40] in page.text, path
            assert "b" not in page.tags


def test_what_a_label_holds_is_shown_as_text_on_every_page(tmp_path: Path, settings: Settings) -> None:
    script = '<script>alert(\\"1\\")</script>'
    shown = script.replace("\\", "")
    workspace = write_workspace(tmp_path / "workspace")
    path = text_file(workspace.root)
    edit(path, 'rdfs:label "Empty posts in Elsewhere"@en', f'rdfs:label "{script}"@en')
    edit(path, '"Too many posts stand empty."@en', f'"{script} in every post"@en')
    edit(path, 'dcterms:title "What is judged of an invented text"@en', f'dcterms:title "{script} judged"@en')
    vocabulary = workspace.root / "ontology" / "policy-evidence.ttl"
    add(vocabulary, f'\npev:Sneaky a owl:Class ; rdfs:label "{script}"@en ; skos:definition "{script}"@en .\n')
    short = hashlib.sha256(b"elsewhere").hexdigest()[:16]
    pages = ("/id/barrier/elsewhere-empty-posts", "/theme/workforce", f"/id/text/{short}", "/ns")
    with _served(workspace, settings, tmp_path / "release") as opened:
        for name in (*pages, "/graph/curated-elsewhere", "/graph/source-elsewhere"):
            page = _Page(_get(opened, name, BROWSER).decode())
            assert shown in page.text, name
            assert "script" not in page.tags, name
        missing = opened.get("/id/barrier/script-alert-1-script", headers={"Accept": BROWSER})
        assert shown in _Page(missing.text).text and "script" not in _Page(missing.text).tags
        document = json.loads(_get(opened, pages[0], "application/ld+json"))
        assert document["@graph"][0]["label"] == shown


def test_a_name_beyond_ascii_answers_and_so_do_awkward_ones(tmp_path: Path, settings: Settings) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    awkward = {
        "id/place/Élgin-東": "/id/place/%C3%89lgin-%E6%9D%B1",
        "id/place/caf%C3%A9": "/id/place/caf%C3%A9",
        "id/place/x.ttl": "/id/place/x.ttl",
        "id/place/a(b)!,;=@:'*": "/id/place/a(b)!,;=@:'*",
    }
    foreign = ("id/place/q?x=1", "id/place/../up", "odd/place", "urn:x:y", "javascript:alert(1)")
    iris = [BASE + name for name in awkward] + [n if ":" in n else BASE + n for n in foreign]
    places = "".join(f'\n<{iri}> a dcterms:Location ; rdfs:label "{iri} – place"@en .' for iri in iris)
    links = "".join(f"\nplace:elsewhere dcterms:isPartOf <{iri}> ." for iri in iris)
    add(workspace.root / "graph" / "entities.ttl", places + links + "\n")
    with _served(workspace, settings, tmp_path / "release") as opened:
        page = _Page(_get(opened, "/id/place/elsewhere", BROWSER).decode())
        for iri, address in zip(iris, [*awkward.values(), *[None] * len(foreign)], strict=True):
            local = address or "/page?" + urlencode({"iri": iri})
            assert local in page.links, iri
            assert f"{iri} – place" in _Page(_get(opened, local, BROWSER).decode()).text
            if address:
                label = ox.Literal(f"{iri} – place", language="en")
                found = _triples(_get(opened, address), "text/turtle")
                assert Triple(ox.NamedNode(iri), ox.NamedNode(RDFS + "label"), label) in found


def test_a_character_that_xml_cannot_write_is_refused_there_and_written_elsewhere(
    tmp_path: Path, settings: Settings
) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    edit(text_file(workspace.root), '"Too many posts stand empty."@en', '"Bell \\u0007"@en')
    with _served(workspace, settings, tmp_path / "release") as opened:
        response = opened.get(f"/data{_path(BARRIER)}.rdf")
        assert response.status_code == 406 and "U+0007" in response.json()["detail"]
        for media_type in ("text/turtle", "application/n-triples", "application/ld+json"):
            found = _triples(_get(opened, _path(BARRIER), media_type), media_type)
            assert any(_iri(t.object) == "Bell \x07" for t in found), media_type
