"""`kg.open("http://…")`: a served graph is asked as one of this machine is."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import kg
from conftest import running_service
from kg.errors import AmbiguousName, BadParameter, BadSparql, Forbidden, KgError, SourceError, UnknownName
from kg.notebook import Graph
from workspaces import edit, text_file, write_workspace


@pytest.fixture(scope="module")
def served(service: str) -> Iterator[Graph]:
    opened = kg.open(service)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def local(release_folder: Path) -> Iterator[Graph]:
    opened = kg.open(release_folder)
    yield opened
    opened.close()


def test_a_service_gives_the_answers_that_the_release_gives(served: Graph, local: Graph) -> None:
    assert served.release == local.release
    assert served.questions() == local.questions()
    ends = ("COSLA", "Distrust between professions")
    assert served.connect(*ends, limit=3).answer.to_dict() == local.connect(*ends, limit=3).answer.to_dict()
    assert served.describe("COSLA").to_dict() == local.describe("COSLA").to_dict()
    assert (
        served.search("money", kind="pev:Theme").answer.to_dict() == local.search("money", "pev:Theme").answer.to_dict()
    )
    items = ["barrier:as2018-data-sharing", "barrier:piru-distrust"]
    assert served.ask("evidence-of-item", item=items).answer.to_dict() == (
        local.ask("evidence-of-item", item=items).answer.to_dict()
    )


def test_free_sparql_has_the_same_values_and_labels(served: Graph, local: Graph) -> None:
    query = """SELECT ?barrier ?theme ?name ?no WHERE {
        ?barrier pev:blocks ?theme ; rdfs:label ?name OPTIONAL { ?barrier pev:nonesuch ?no }
    } ORDER BY ?barrier ?theme"""
    here, there = local.sparql(query), served.sparql(query)
    assert list(there) == list(here) != []
    assert there._repr_html_() == here._repr_html_()
    assert [row.barrier.label for row in there.answer.results] == [row.barrier.label for row in here.answer.results]


def test_the_address_of_the_endpoint_will_do(service: str, local: Graph) -> None:
    opened = kg.open(f"{service}/sparql")
    assert opened.release == local.release
    opened.close()


def test_the_whole_graph_can_be_taken_home(served: Graph, local: Graph) -> None:
    there, here = served.to_networkx(), local.to_networkx()
    assert there.graph == here.graph
    assert there.nodes == here.nodes
    assert sorted(there.edges(keys=True, data="basis")) == sorted(here.edges(keys=True, data="basis"))
    named = {str(g.identifier): len(g) for g in local.to_rdflib().graphs()}
    assert {str(g.identifier): len(g) for g in served.to_rdflib().graphs()} == named


def test_errors_are_those_of_the_service(served: Graph) -> None:
    with pytest.raises(UnknownName, match=r"theme:finance") as unknown:
        served.ask("barriers-blocking-theme", theme="Finanse")
    assert unknown.value.nearest[0].curie == "theme:finance"
    with pytest.raises(BadParameter, match="theme: is missing"):
        served.ask("barriers-blocking-theme")
    with pytest.raises(BadSparql, match="line 1, column") as broken:
        served.sparql("SELEC")
    assert broken.value.line == 1
    with pytest.raises(BadSparql, match="SELECT"):
        served.sparql("ASK {}")
    with pytest.raises(Forbidden, match="KG_SERVICE_ALLOWED"):
        served.sparql("SELECT * { SERVICE <http://127.0.0.1:9/x> { ?s ?p ?o } }")


def test_an_ambiguous_label_names_its_candidates(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace", "elsewhere", "nowhere")
    for slug in ("elsewhere", "nowhere"):
        edit(text_file(workspace.root, slug), f'"Empty posts in {slug.capitalize()}"', '"Empty posts"')
    with running_service("--workspace", str(workspace.root)) as address:
        opened = kg.open(address)
        with pytest.raises(AmbiguousName) as several:
            opened.describe("Empty posts")
        opened.close()
    assert {e.curie for e in several.value.nearest} == {"barrier:elsewhere-empty-posts", "barrier:nowhere-empty-posts"}


@pytest.mark.slow
def test_a_notebook_stays_with_its_release_while_the_service_goes_on(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with running_service("--workspace", str(workspace.root)) as address:
        before = kg.open(address)
        edit(text_file(workspace.root), "Too many posts stand empty.", "Hardly a post stands empty.")
        kg.open(workspace.root).close()
        after = _opened_on_another(address, before.release)
        assert before.describe("Empty posts in Elsewhere").says == "Too many posts stand empty."
        assert after.describe("Empty posts in Elsewhere").says == "Hardly a post stands empty."
        before.close()
        after.close()


def _opened_on_another(address: str, release: str) -> Graph:
    """Returns the graph of a service once it serves another release than that."""
    for _ in range(100):
        opened = kg.open(address)
        if opened.release != release:
            return opened
        opened.close()
        threading.Event().wait(0.1)
    raise AssertionError("the service did not take the new release over")


def test_nothing_there_is_one_clear_line() -> None:
    with pytest.raises(SourceError, match=r"http://127\.0\.0\.1:9 does not answer"):
        kg.open("http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>"), (200, "[]"), (200, "{}"), (404, "not here"), (500, '{"title": "x"}')]
)
def test_what_is_no_such_service_is_refused(status: int, body: str) -> None:
    with _answering(status, body) as address, pytest.raises(KgError, match=r"is no service|answers"):
        kg.open(address)


def test_texts_belong_to_the_service(service: str, tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="texts"):
        kg.open(service, texts=tmp_path)


@contextmanager
def _answering(status: int, body: str) -> Iterator[str]:
    """Yields the address of a server that answers everything alike."""

    class Same(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Same) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
