"""Graphs of a workspace written over HTTP: checked, built, served and in their files, or nothing changed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from pyoxigraph import RdfFormat, parse

import kg.workspace
from kg.errors import Conflict
from kg.names import GRAPH, PEV, RDFS, SKOS
from kg.release.build import build
from kg.release.directory import find_release, fresh_release
from kg.release.editing import Change, Shadow, finish, locked, read_record, recover
from kg.release.graphs import entry, lines_of
from kg.release.staging import stage
from kg.release.turtle import format_file, write_turtle
from kg.web.access import Tokens
from kg.web.app import create_app
from kg.web.editing import WritableServing
from kg.workspace import Settings, Workspace, open_workspace
from workspaces import (
    BARRIER,
    ENABLER,
    FINANCE,
    PREFIXES,
    ROOT,
    add,
    edit,
    invented_text,
    text_file,
    write_workspace,
)

# How often the service is killed while it writes.
KILLS = int(os.environ.get("KG_TEST_KILLS", "6"))
ADA = {"Authorization": "Bearer a-secret"}
SAID, JUDGED = f"{GRAPH}source-elsewhere", f"{GRAPH}curated-elsewhere"
NOTE, SEE_ALSO = f"{SKOS}editorialNote", f"{RDFS}seeAlso"
PARAPHRASE = "Too many posts stand empty."


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Workspace:
    """A workspace with two invented texts and its release, to be copied."""
    workspace = write_workspace(tmp_path_factory.mktemp("writing") / "workspace", "elsewhere", "nowhere")
    for path in (workspace.root / "graph").rglob("*.t*"):
        format_file(path, workspace.prefixes)
    build(workspace, settings)
    return workspace


@pytest.fixture
def invented(built: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(built.root, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


@contextlib.contextmanager
def opened(workspace: Workspace, settings: Settings) -> Iterator[TestClient]:
    """Yields a client of a service in which Ada may write."""
    serving = WritableServing(workspace, settings, Tokens({"ada": "a-secret", "bob": "b-secret"}))
    with TestClient(create_app(serving), headers=ADA) as client:
        yield client


@pytest.fixture
def client(invented: Workspace, settings: Settings) -> Iterator[TestClient]:
    with opened(invented, settings) as client:
        yield client


@pytest.fixture(scope="module")
def unchanged(
    built: Workspace, tmp_path_factory: pytest.TempPathFactory, settings: Settings
) -> Iterator[tuple[TestClient, Workspace]]:
    """A service for requests that are all refused; at the end its workspace is as it was."""
    root = tmp_path_factory.mktemp("unchanged") / "workspace"
    shutil.copytree(built.root, root)
    with opened(open_workspace(root), settings) as client:
        yield client, open_workspace(root)


def state(workspace: Workspace) -> dict[str, bytes]:
    """Returns every byte of the data files, what is current, and what stands beside the releases."""
    files = {workspace.shown(path): path.read_bytes() for path in workspace.data_files}
    releases = workspace.root / "build"
    left = {path.name: b"" for path in releases.iterdir() if path.name.startswith(".")}
    return {**files, **left, "current": (releases / "current").read_bytes()}


def graph_of(text: str, graph: str) -> str:
    """Returns one graph of TriG as N-Triples, one triple a line, sorted."""
    quads = parse(text, format=RdfFormat.TRIG)
    return "".join(sorted(f"{quad.triple} .\n" for quad in quads if quad.graph_name.value == graph))


def held(client: TestClient | httpx2.Client, graph: str) -> httpx2.Response:
    return client.get("/graphs", params={"graph": graph}, headers={"Accept": "application/n-triples"})


def lines(response: httpx2.Response) -> set[str]:
    assert response.status_code == 200
    return set(response.text.splitlines())


def send(
    client: TestClient | httpx2.Client,
    method: str,
    graph: str,
    content: str = "",
    media_type: str = "text/turtle",
    **headers: str,
) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(
        method,
        "/graphs",
        params={"graph": graph},
        content=content.encode(),
        headers={"Content-Type": media_type, **named},
    )


def note(words: str, thing: str = ENABLER) -> str:
    """Returns a triple that no rule minds."""
    return f'<{thing}> <{NOTE}> "{words}"@en .'


def served_release(client: TestClient | httpx2.Client) -> str:
    return str(client.get("/api/release").json()["release"])


def release_of_files(workspace: Workspace, settings: Settings, folder: Path) -> str:
    """Returns the id of the release that the files alone make, in a place of its own."""
    for part in ("ontology", "graph", "queries"):
        shutil.copytree(workspace.root / part, folder / part)
    return build(open_workspace(folder), replace(settings, releases=str(folder / "build"))).directory.id


def assert_whole(workspace: Workspace, settings: Settings, folder: Path, client: TestClient | httpx2.Client) -> None:
    """The files, in order and by themselves, make what is served; nothing is left lying about."""
    for path in [*workspace.root.glob("graph/*.ttl"), *workspace.root.glob("graph/sources/*.trig")]:
        assert not format_file(path, workspace.prefixes), f"{path.name} is not in the one order"
    assert release_of_files(workspace, settings, folder) == served_release(client)
    assert fresh_release(workspace.root / "build", workspace.fingerprint()) is not None
    assert not [path.name for path in (workspace.root / "build").glob(".*")]
    assert not list((workspace.root / "graph").rglob(".*"))


# What is written


def test_a_graph_that_is_put_stands_in_its_file_and_is_served(
    client: TestClient, invented: Workspace, settings: Settings, tmp_path: Path
) -> None:
    before, release, judged = lines(held(client, SAID)), served_release(client), lines(held(client, JUDGED))
    body = "\n".join(before).replace(PARAPHRASE, "Far too many posts stand empty.")

    answer = send(client, "PUT", SAID, body, "application/n-triples")

    assert (answer.status_code, answer.content) == (204, b"")
    assert lines(held(client, SAID)) == set(body.splitlines())
    assert lines(held(client, JUDGED)) == judged
    assert "Far too many posts stand empty." in text_file(invented.root).read_text(encoding="utf-8")
    assert served_release(client) != release
    assert client.get("/api/describe", params={"entity": BARRIER}).json()["says"].startswith("Far too many")
    assert_whole(invented, settings, tmp_path / "alone", client)


@pytest.mark.slow
def test_triples_that_are_posted_join_those_that_are_there(
    client: TestClient, invented: Workspace, settings: Settings, tmp_path: Path
) -> None:
    before = lines(held(client, JUDGED))

    assert send(client, "POST", JUDGED, note("Seen twice.")).status_code == 204

    assert lines(held(client, JUDGED)) == before | {note("Seen twice.")}
    assert_whole(invented, settings, tmp_path / "alone", client)


@pytest.mark.slow
def test_a_new_text_gets_a_file_of_its_own_in_which_both_its_graphs_stand(
    client: TestClient, invented: Workspace, settings: Settings, tmp_path: Path
) -> None:
    text, path = invented_text("somewhere"), text_file(invented.root, "somewhere")
    for kind in ("source", "curated"):
        graph = f"{GRAPH}{kind}-somewhere"
        assert held(client, graph).status_code == 404
        answer = send(client, "PUT", graph, graph_of(text, graph), "application/n-triples")
        assert answer.status_code == 201
        assert lines(held(client, graph)) == set(graph_of(text, graph).splitlines())
    assert set(parse(path=path, format=RdfFormat.TRIG)) == set(parse(text, format=RdfFormat.TRIG))
    assert_whole(invented, settings, tmp_path / "alone", client)


@pytest.mark.slow
def test_a_file_goes_with_the_last_of_its_graphs(
    client: TestClient, invented: Workspace, settings: Settings, tmp_path: Path
) -> None:
    path = text_file(invented.root, "nowhere")
    assert send(client, "DELETE", f"{GRAPH}curated-nowhere").status_code == 204
    assert "curated-nowhere" not in path.read_text(encoding="utf-8")
    assert held(client, f"{GRAPH}curated-nowhere").status_code == 404
    assert held(client, f"{GRAPH}source-nowhere").status_code == 200

    assert send(client, "DELETE", f"{GRAPH}source-nowhere").status_code == 204
    assert not path.exists()
    assert send(client, "DELETE", f"{GRAPH}source-nowhere").status_code == 404
    assert_whole(invented, settings, tmp_path / "alone", client)


def test_a_reference_graph_is_written_to_its_turtle_file(
    client: TestClient, invented: Workspace, settings: Settings, tmp_path: Path
) -> None:
    before = lines(held(client, f"{GRAPH}entities"))
    answer = client.post("/graphs/entities", content=note("Met here."), headers={"Content-Type": "text/turtle"})

    assert answer.status_code == 204
    assert lines(held(client, f"{GRAPH}entities")) == before | {note("Met here.")}
    assert '"Met here."@en' in (invented.root / "graph" / "entities.ttl").read_text(encoding="utf-8")
    assert_whole(invented, settings, tmp_path / "alone", client)


def test_what_was_got_can_be_put_back_and_changes_nothing(client: TestClient) -> None:
    release, before = served_release(client), held(client, SAID)
    assert send(client, "PUT", SAID, before.text, "application/n-triples").status_code == 204
    assert served_release(client) == release
    assert held(client, SAID).headers["ETag"] == before.headers["ETag"]


def test_blank_nodes_of_a_file_made_by_hand_keep_the_names_that_were_given_out(
    invented: Workspace, settings: Settings, tmp_path: Path
) -> None:
    path = text_file(invented.root)
    add(path, f'\n<{JUDGED}> {{ <{ENABLER}> <{SEE_ALSO}> [ <{NOTE}> "By hand."@en ] . }}\n')
    build(invented, settings, check="none")
    with opened(invented, settings) as client:
        before = lines(held(client, JUDGED))
        assert sum("/.well-known/genid/elsewhere/" in line for line in before) == 2
        assert send(client, "POST", SAID, note("Nothing to do with it.")).status_code == 204
        assert lines(held(client, JUDGED)) == before
        assert "[" not in path.read_text(encoding="utf-8")


def test_what_was_changed_by_hand_elsewhere_is_taken_along(
    client: TestClient, invented: Workspace, settings: Settings, tmp_path: Path
) -> None:
    edit(text_file(invented.root, "nowhere"), PARAPHRASE, "Changed by hand.")
    assert send(client, "POST", JUDGED, note("Over the network.")).status_code == 204
    assert "Changed by hand." in held(client, f"{GRAPH}source-nowhere").text
    assert_whole(invented, settings, tmp_path / "alone", client)


def test_comments_are_lost_only_in_the_file_that_is_written(client: TestClient, invented: Workspace) -> None:
    for slug in ("elsewhere", "nowhere"):
        add(text_file(invented.root, slug), "# a comment\n")
    assert send(client, "POST", JUDGED, note("Seen.")).status_code == 204
    assert "# a comment" not in text_file(invented.root).read_text(encoding="utf-8")
    assert "# a comment" in text_file(invented.root, "nowhere").read_text(encoding="utf-8")


def test_the_mode_of_a_file_stays(client: TestClient, invented: Workspace) -> None:
    text_file(invented.root).chmod(0o640)
    assert send(client, "POST", JUDGED, note("Seen.")).status_code == 204
    assert text_file(invented.root).stat().st_mode & 0o777 == 0o640


def test_questions_are_answered_while_a_graph_is_written(client: TestClient) -> None:
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(send, client, "POST", JUDGED, note("Meanwhile."))
        answered = 0
        while not writing.done():
            answer = client.get("/sparql", params={"query": "ASK {}"})
            assert answer.status_code == 200
            answered += 1
        assert writing.result().status_code == 204
    assert answered > 3


# What is refused


Refused = tuple[TestClient, Workspace]


def refused(service: Refused, method: str, graph: str, content: str = "", **more: str) -> httpx2.Response:
    """Returns the refusal of a write; nothing may have changed by it."""
    client, workspace = service
    before, release = state(workspace), served_release(client)
    answer = send(client, method, graph, content, **more)
    assert answer.status_code >= 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert state(workspace) == before
    assert served_release(client) == release
    return answer


def test_a_shape_that_does_not_hold_is_422_with_the_place(unchanged: Refused) -> None:
    client, workspace = unchanged
    kept = [line for line in sorted(lines(held(client, SAID))) if PARAPHRASE not in line]
    answer = refused(unchanged, "PUT", SAID, "\n".join(kept))

    assert answer.status_code == 422
    finding = answer.json()["findings"][0]
    assert finding["severity"] == "violation"
    assert finding["message"].startswith("barrier:elsewhere-empty-posts")
    assert finding["path"] == "graph/sources/elsewhere.trig"
    line = text_file(workspace.root).read_text(encoding="utf-8").splitlines()[finding["line"] - 1]
    assert line.strip().startswith("barrier:elsewhere-empty-posts a")


def test_what_points_at_the_changed_graph_is_checked_too(unchanged: Refused) -> None:
    client, _ = unchanged
    kept = [line for line in sorted(lines(held(client, SAID))) if not line.startswith(f"<{BARRIER}>")]
    recommendation = "recommendation:elsewhere-fill-posts"
    judged = refused(unchanged, "DELETE", SAID).json()["findings"]
    said = refused(unchanged, "PUT", SAID, "\n".join(kept)).json()["findings"]
    assert any(finding["message"].startswith(recommendation) for finding in said)
    assert judged


def test_a_check_that_finds_something_is_422(unchanged: Refused) -> None:
    answer = refused(unchanged, "POST", JUDGED, f"<{BARRIER}> <{PEV}blocks> <{FINANCE}> .")
    assert answer.status_code == 422
    assert {finding["rule"] for finding in answer.json()["findings"]} - {"shapes"}


def test_a_blank_node_is_422_with_the_triple(unchanged: Refused) -> None:
    answer = refused(unchanged, "POST", JUDGED, f'<{ENABLER}> <{NOTE}> [ <{NOTE}> "deep" ] .')
    assert answer.status_code == 422
    assert [finding["rule"] for finding in answer.json()["findings"]] == ["blank-node"] * 2


def test_an_empty_graph_is_422_as_no_file_can_say_it(unchanged: Refused) -> None:
    assert refused(unchanged, "PUT", JUDGED).status_code == 422
    assert refused(unchanged, "POST", f"{GRAPH}source-new").status_code == 422


@pytest.mark.parametrize(
    ("content", "more", "status"),
    [
        ("<a> <b>", {}, 400),
        ("<a> <b> <c> <d> .", {"media_type": "application/n-quads"}, 400),
        ("\udcff".encode("utf-8", "surrogateescape").decode("latin-1") + "<", {}, 400),
        ("{}", {"media_type": "application/json"}, 415),
        ("<a> <b> " + "[ <c> " * 200 + "]" * 200 + " .", {}, 413),
    ],
)
def test_what_cannot_be_read_is_refused(unchanged: Refused, content: str, more: dict[str, str], status: int) -> None:
    assert refused(unchanged, "PUT", SAID, content, **more).status_code == status


@pytest.mark.parametrize("name", [f"{GRAPH}inferred", f"{GRAPH}merged"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_derived_graph_is_409(unchanged: Refused, method: str, name: str) -> None:
    answer = refused(unchanged, method, name, note("Derived."))
    assert (answer.status_code, answer.json()["title"]) == (409, "Conflict")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_the_default_graph_is_409(unchanged: Refused, method: str) -> None:
    client, _ = unchanged
    answer = client.request(method, "/graphs?default", content=note("All."), headers={"Content-Type": "text/turtle"})
    assert answer.status_code == 409


@pytest.mark.parametrize("stem", ["policy-evidence", "themes", "codes"])
def test_a_graph_of_the_ontology_is_403_and_names_its_file(unchanged: Refused, stem: str) -> None:
    answer = refused(unchanged, "PUT", GRAPH + stem, note("Ontology."))
    assert answer.status_code == 403
    assert f"ontology/{stem}.ttl" in answer.json()["detail"]


@pytest.mark.parametrize(
    "graph",
    [
        "https://example.org/graph",
        GRAPH,
        f"{GRAPH}shapes",
        f"{GRAPH}new-reference",
        f"{GRAPH}source-",
        f"{GRAPH}source-../../x",
        f"{GRAPH}curated-..",
        f"{GRAPH}source-a/b",
        f"{GRAPH}source-UPPER",
        f"{GRAPH}source-a b",
        f"{GRAPH}source-{'x' * 300}",
        f"{GRAPH}source-new\n",
    ],
)
def test_any_other_graph_is_403_and_told_what_can_be_written(unchanged: Refused, graph: str) -> None:
    answer = refused(unchanged, "PUT", graph, note("Anywhere."))
    assert answer.status_code == 403
    assert "graph:source-NAME" in answer.json()["detail"]


def test_a_graph_without_a_name_is_not_made(unchanged: Refused) -> None:
    client, _ = unchanged
    answer = client.post("/graphs", content=note("Nameless."), headers={"Content-Type": "text/turtle"})
    assert answer.status_code == 403


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic a-secret", "a-secret", "Bearer a-s"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_without_a_known_token_it_is_401(unchanged: Refused, method: str, authorization: str) -> None:
    answer = refused(unchanged, method, JUDGED, note("Stranger."), Authorization=authorization)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["token", "access_token", "authorization"])
def test_a_token_in_the_address_is_no_token(unchanged: Refused, name: str) -> None:
    client, workspace = unchanged
    before = state(workspace)
    address = {"graph": JUDGED, name: "a-secret"}
    answer = client.put("/graphs", params=address, content=note("x"), headers={"Authorization": ""})
    assert answer.status_code == 401
    assert state(workspace) == before


def test_an_update_is_403_and_says_how_to_write(unchanged: Refused) -> None:
    client, _ = unchanged
    answer = client.post("/sparql", data={"update": f"INSERT DATA {{ GRAPH <{JUDGED}> {{ {note('x')} }} }}"})
    assert answer.status_code == 403
    assert "/graphs" in answer.json()["detail"]


def test_a_violation_made_by_hand_elsewhere_holds_up_a_write_and_is_named(
    client: TestClient, invented: Workspace
) -> None:
    stated = "pev:statedIn doc:nowhere-report ;\n        pev:timeframe"
    edit(text_file(invented.root, "nowhere"), stated, "pev:timeframe")
    answer = send(client, "POST", JUDGED, note("Innocent."))
    assert answer.status_code == 422
    assert {finding["path"] for finding in answer.json()["findings"]} == {"graph/sources/nowhere.trig"}
    assert "Innocent." not in text_file(invented.root).read_text(encoding="utf-8")


def test_a_file_that_does_not_parse_is_our_fault_and_named(client: TestClient, invented: Workspace) -> None:
    add(text_file(invented.root, "nowhere"), "nonsense")
    answer = send(client, "POST", JUDGED, note("Innocent."))
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("graph/sources/nowhere.trig:")
    text_file(invented.root, "nowhere").write_text(invented_text("nowhere"), encoding="utf-8")
    assert send(client, "POST", JUDGED, note("Innocent.")).status_code == 204


def test_the_shipped_workspace_is_403(invented: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(invented, settings) as client:
        monkeypatch.setattr(kg.workspace, "_INSTALLED", invented.root)
        answer = send(client, "POST", JUDGED, note("x"))
    assert answer.status_code == 403
    assert "read-only" in answer.json()["detail"]


# Conditions


def test_the_tag_of_a_graph_is_the_digest_in_the_manifest(client: TestClient, invented: Workspace) -> None:
    manifest = find_release(invented.root / "build").manifest
    graphs = manifest["graphs"]
    assert isinstance(graphs, dict)
    for graph in (SAID, JUDGED, f"{GRAPH}inferred"):
        answer = held(client, graph)
        assert answer.headers["ETag"] == f'"{graphs[graph]["sha256"]}.n-triples"'
        triples = {quad.triple for quad in parse(answer.text, format=RdfFormat.N_TRIPLES)}
        assert entry(lines_of(triples)) == graphs[graph]


def test_a_graph_that_is_known_already_is_304(unchanged: Refused) -> None:
    client, _ = unchanged
    first = held(client, JUDGED)
    headers = {"Accept": "application/n-triples", "If-None-Match": first.headers["ETag"]}
    again = client.get("/graphs", params={"graph": JUDGED}, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/graphs", params={"graph": JUDGED}, headers={**headers, "Accept": "text/turtle"})
    assert other.status_code == 200


@pytest.mark.slow
def test_who_has_the_present_state_may_write_and_who_has_an_old_one_may_not(
    client: TestClient, invented: Workspace
) -> None:
    tag = held(client, JUDGED).headers["ETag"]
    assert send(client, "POST", JUDGED, note("First."), If_Match=tag).status_code == 204
    for method in ("PUT", "POST", "DELETE"):
        answer = refused((client, invented), method, JUDGED, note("Second."), If_Match=tag)
        assert (answer.status_code, answer.json()["title"]) == (412, "Out of date")
    tag = held(client, JUDGED).headers["ETag"]
    assert send(client, "POST", JUDGED, note("Second."), If_Match=tag).status_code == 204


@pytest.mark.slow
def test_conditions_are_read_as_the_standard_says(unchanged: Refused) -> None:
    client, _ = unchanged
    tag = held(client, JUDGED).headers["ETag"]
    for condition in (f"W/{tag}", tag.replace('"', "")):
        assert refused(unchanged, "PUT", JUDGED, note("x"), If_Match=condition).status_code == 412
    assert refused(unchanged, "PUT", f"{GRAPH}source-new", note("x"), If_Match="*").status_code == 412
    for condition in ("*", f'"0", W/{tag}'):
        assert refused(unchanged, "PUT", JUDGED, note("x"), If_None_Match=condition).status_code == 412
    # Where the condition holds, the next hurdle is the graph itself.
    for condition in (f'"0", {tag}', "*", tag.replace(".n-triples", ".turtle")):
        assert refused(unchanged, "PUT", JUDGED, "", If_Match=condition).status_code == 422
    assert refused(unchanged, "PUT", f"{GRAPH}source-new", "", If_None_Match="*").status_code == 422


def test_a_file_that_was_edited_by_hand_since_is_412(client: TestClient, invented: Workspace) -> None:
    tag = held(client, SAID).headers["ETag"]
    edit(text_file(invented.root), PARAPHRASE, "By hand.")
    answer = send(client, "POST", SAID, note("x"), If_Match=tag)
    assert answer.status_code == 412
    assert "By hand." in text_file(invented.root).read_text(encoding="utf-8")


def test_a_file_that_is_edited_while_the_write_is_checked_is_409(invented: Workspace, settings: Settings) -> None:
    shadow = staged(invented, settings, "x")
    edit(text_file(invented.root), PARAPHRASE, "Just now.")
    before = state(invented)
    with pytest.raises(Conflict, match="was changed while"):
        finish(invented, settings, shadow)
    assert state(invented) == {name: content for name, content in before.items() if name != shadow.root.name}


# Many at once


@pytest.mark.slow
def test_of_many_who_have_the_same_state_one_may_write(client: TestClient, invented: Workspace) -> None:
    tag = held(client, JUDGED).headers["ETag"]
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send, client, "POST", JUDGED, note(f"Writer {n}."), If_Match=tag) for n in range(4)]
        assert sorted(answer.result().status_code for answer in sent) == [204, 412, 412, 412]
    assert sum(f"Writer {n}." in text_file(invented.root).read_text(encoding="utf-8") for n in range(4)) == 1


@pytest.mark.slow
def test_writes_to_several_graphs_at_once_are_all_made(
    client: TestClient, invented: Workspace, settings: Settings, tmp_path: Path
) -> None:
    graphs = [SAID, JUDGED, f"{GRAPH}source-nowhere", f"{GRAPH}entities"]
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send, client, "POST", graph, note(f"To {graph[-3:]}.")) for graph in graphs]
        assert [answer.result().status_code for answer in sent] == [204] * 4
    for graph in graphs:
        assert note(f"To {graph[-3:]}.") in lines(held(client, graph))
    assert len(read_record(invented.root / "build")) == 4
    assert_whole(invented, settings, tmp_path / "alone", client)


def test_too_many_writers_are_told_to_come_again(invented: Workspace, settings: Settings) -> None:
    with opened(invented, replace(settings, max_waiting=1)) as client, ThreadPoolExecutor(3) as pool:
        sent = [pool.submit(send, client, "POST", JUDGED, note(f"Writer {n}.")) for n in range(3)]
        answers = [answer.result() for answer in sent]
    assert sorted(answer.status_code for answer in answers) == [204, 503, 503]
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 503)


@pytest.mark.slow
def test_two_services_write_one_workspace_in_turn(invented: Workspace, settings: Settings, tmp_path: Path) -> None:
    with opened(invented, settings) as one, opened(invented, settings) as other, ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(send, by, "POST", JUDGED, note(f"By {n}.")) for n, by in enumerate((one, other))]
        assert [answer.result().status_code for answer in sent] == [204, 204]
        assert send(other, "POST", JUDGED, note("By 2.")).status_code == 204
        assert {note(f"By {n}.") for n in range(3)} <= lines(held(other, JUDGED))
        assert_whole(invented, settings, tmp_path / "alone", other)


# The record


@pytest.mark.slow
def test_every_write_leaves_a_line_and_a_refused_one_leaves_none(client: TestClient, invented: Workspace) -> None:
    releases, first = invented.root / "build", served_release(client)
    assert send(client, "POST", JUDGED, note("One.") + note("Two."), Authorization="Bearer b-secret").status_code == 204
    second, judged = served_release(client), "\n".join(lines(held(client, JUDGED)) - {note("One.")})
    assert send(client, "PUT", JUDGED, judged).status_code == 204
    assert send(client, "PUT", JUDGED, "").status_code == 422
    assert send(client, "DELETE", f"{GRAPH}curated-nowhere").status_code == 204

    record = read_record(releases)
    assert [(entry.who, entry.method, entry.graph) for entry in record] == [
        ("bob", "POST", JUDGED),
        ("ada", "PUT", JUDGED),
        ("ada", "DELETE", f"{GRAPH}curated-nowhere"),
    ]
    assert [(entry.triples_in, entry.triples_out) for entry in record[:2]] == [(2, 0), (0, 1)]
    assert record[2].triples_in == 0 < record[2].triples_out
    assert [record[0].release_before, record[0].release_after] == [first, second]
    assert record[1].release_before == second
    assert record[2].release_after == served_release(client)
    assert [entry.when for entry in record] == sorted(entry.when for entry in record)
    assert "secret" not in (releases / "writes.jsonl").read_text(encoding="utf-8")


def test_a_line_that_was_cut_off_does_not_spoil_the_next(client: TestClient, invented: Workspace) -> None:
    (invented.root / "build" / "writes.jsonl").write_text('{"id": "cut o', encoding="utf-8")
    assert send(client, "POST", JUDGED, note("x")).status_code == 204
    assert [entry.who for entry in read_record(invented.root / "build")] == ["ada"]


# What a killed process leaves


def staged(workspace: Workspace, settings: Settings, words: str) -> Shadow:
    """Returns a write that has been checked and built, and is not yet made."""
    body = workspace.root.parent / "body.nt"
    body.write_text(note(words), encoding="utf-8")
    shadow = stage(workspace, settings, Change(JUDGED, "post", (("application/n-triples", str(body)),), "ada"))
    assert shadow is not None
    return shadow


def test_a_write_that_did_not_reach_its_file_never_was(invented: Workspace, settings: Settings) -> None:
    before = state(invented)
    staged(invented, settings, "Never.")
    (invented.root / "build" / ".writing-without-a-journal").mkdir()
    (invented.root / "graph" / "sources" / ".elsewhere.trig.writing-").write_text("half", encoding="utf-8")
    recover(invented, settings)
    assert state(invented) == before
    assert not list((invented.root / "graph").rglob(".*"))
    assert read_record(invented.root / "build") == []


@pytest.mark.parametrize("current", [False, True])
@pytest.mark.parametrize("recorded", [False, True])
def test_a_write_that_reached_its_file_is_finished_once(
    invented: Workspace, settings: Settings, current: bool, recorded: bool
) -> None:
    releases, shadow = invented.root / "build", staged(invented, settings, "Reached.")
    kept = releases.parent.parent / "kept"
    shutil.copytree(shadow.root, kept, symlinks=True)
    before = (releases / "current").read_bytes()
    journal = finish(invented, settings, shadow)
    # Back to the moment at which it was killed.
    shutil.copytree(kept, shadow.root, symlinks=True)
    if not current:
        (releases / "current").write_bytes(before)
    if not recorded:
        (releases / "writes.jsonl").unlink()

    for _ in range(2):
        recover(invented, settings)
        assert [entry.id for entry in read_record(releases)] == [journal.entry.id]
        assert find_release(releases).id == journal.entry.release_after
        assert fresh_release(releases, invented.fingerprint()) is not None
        assert not list(releases.glob(".*"))


def test_a_shadow_shares_the_fingerprint_that_the_files_will_have(invented: Workspace, settings: Settings) -> None:
    shadow = staged(invented, settings, "Soon.")
    fingerprint = Workspace(shadow.root).fingerprint()
    assert fingerprint != invented.fingerprint()
    finish(invented, settings, shadow)
    assert fingerprint == invented.fingerprint()


def test_a_process_that_dies_lets_go_of_the_workspace(invented: Workspace) -> None:
    code = (
        "import sys, time; from pathlib import Path; from kg.workspace import Workspace\n"
        "from kg.release.editing import locked\n"
        "with locked(Workspace(Path(sys.argv[1]))) as alone: print(alone, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, invented.root], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with locked(invented) as alone:
            assert not alone
        process.kill()
    with locked(invented) as alone:
        assert alone


def test_a_try_that_is_killed_costs_only_its_own_write(client: TestClient, invented: Workspace) -> None:
    before = state(invented)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(send, client, "POST", JUDGED, note("Killed."))
        victim = None
        while not writing.done():
            victim = victim or _staging_process_at_work(invented)
            if victim:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
        assert writing.result().status_code == 502
    assert {k: v for k, v in state(invented).items() if not k.startswith(".")} == before
    assert send(client, "POST", JUDGED, note("Alive.")).status_code == 204
    assert not list((invented.root / "build").glob(".*"))


def _staging_process_at_work(workspace: Workspace) -> int | None:
    """Returns the process of this test's own children that builds in a shadow, once there is one."""
    if not list((workspace.root / "build").glob(".preparing-*")):
        return None
    for path in (workspace.root / "build").glob(".preparing-*"):
        number = path.name.split("-")[1]
        # It may have ended in this moment.
        with contextlib.suppress(OSError):
            if b"kg.release.staging" in Path(f"/proc/{number}/cmdline").read_bytes():
                return int(number)
    return None


# The service as a process


@contextlib.contextmanager
def running(workspace: Path, tokens: Path, *before: str) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """Yields a `kg serve --writable` and a client of it."""
    command = [*before, sys.executable, "-m", "kg", "serve", "--port", "0", "--writable"]
    command += ["--workspace", str(workspace), "--token-file", str(tokens)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Serving on "), line
            with httpx2.Client(base_url=line.split()[-1], headers=ADA, timeout=60) as client:
                yield process, client
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text("# who writes\nada a-secret\n", encoding="utf-8")
    return path


@pytest.mark.slow
def test_serve_writable_takes_writes_and_ends_in_order(
    invented: Workspace, tokens: Path, settings: Settings, tmp_path: Path
) -> None:
    with running(invented.root, tokens) as (process, client):
        assert send(client, "POST", JUDGED, note("Over the wire.")).status_code == 204
        assert note("Over the wire.") in lines(held(client, JUDGED))
        assert_whole(invented, settings, tmp_path / "alone", client)
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("more", [None, "--scratch", "--release"])
def test_writable_needs_tokens_and_a_workspace(tokens: Path, more: str | None) -> None:
    arguments = [] if more is None else ["--token-file", str(tokens), more, str(tokens.parent)]
    command = [sys.executable, "-m", "kg", "serve", "--port", "0", "--writable", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Bad parameter: --writable: goes with --token-file, and with neither --release nor --scratch."
    ]


def test_a_workspace_that_the_service_may_not_write_says_so(invented: Workspace, tokens: Path) -> None:
    # Root may write anywhere, unless that power is taken from it.
    before = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    if before and shutil.which("setpriv") is None:
        pytest.skip("root may write everything, and setpriv is not at hand")
    folder = invented.root / "graph" / "sources"
    untouched = state(invented)
    folder.chmod(0o555)
    try:
        with running(invented.root, tokens, *before) as (_, client):
            answer = send(client, "POST", JUDGED, note("x"))
            assert answer.status_code == 403
            assert "read-only: graph/sources/" in answer.json()["detail"]
            assert send(client, "POST", JUDGED, note("x"), Authorization="").status_code == 401
            assert client.get("/sparql", params={"query": "ASK {}"}).status_code == 200
    finally:
        folder.chmod(0o755)
    assert state(invented) == untouched


class Writer:
    """Sends one note after another, and keeps those that were acknowledged."""

    def __init__(self) -> None:
        self.sent = 0
        self.acknowledged: set[str] = set()

    def write(self, client: httpx2.Client) -> None:
        self.sent += 1
        words = note(f"Write {self.sent}.")
        if send(client, "POST", JUDGED, words).status_code == 204:
            self.acknowledged.add(words)

    def write_until_dead(self, client: httpx2.Client) -> None:
        with contextlib.suppress(httpx2.TransportError):
            while True:
                self.write(client)


@pytest.mark.slow
def test_no_acknowledged_write_is_lost_when_the_service_is_killed(
    invented: Workspace, tokens: Path, settings: Settings, tmp_path: Path
) -> None:
    seed = random.randrange(1 << 30)
    chance, writer, starts = random.Random(seed), Writer(), list[float]()
    for run in range(KILLS):
        begun = time.monotonic()
        with running(invented.root, tokens) as (process, client):
            assert client.get("/readyz").status_code == 200
            starts.append(time.monotonic() - begun)
            assert writer.acknowledged <= lines(held(client, JUDGED)), f"seed {seed}"
            assert not list((invented.root / "build").glob(".writing-*"))
            if run % 2:
                # After an acknowledged write the process that tries the next is a fresh one.
                writer.write(client)
            killing = threading.Timer(chance.uniform(0.0, 2.0), process.kill)
            killing.start()
            writer.write_until_dead(client)
            killing.join()
    with running(invented.root, tokens) as (_, client):
        assert client.get("/readyz").status_code == 200
        there = {line for line in lines(held(client, JUDGED)) if "Write " in line}
        assert writer.acknowledged
        assert writer.acknowledged <= there, f"seed {seed}"
        record = read_record(invented.root / "build")
        assert len(record) == len(there), f"seed {seed}: every write that was made is recorded once"
        assert len({entry.id for entry in record}) == len(record)
        assert record[-1].release_after == served_release(client)
        # A try whose service was killed may go on for a moment; it changes nothing, and its folder goes with the next.
        assert send(client, "POST", JUDGED, note("The last.")).status_code == 204
        for left in (invented.root / "build").glob(".preparing-*"):
            shutil.rmtree(left)
        assert_whole(invented, settings, tmp_path / "alone", client)
    print(f"{len(writer.acknowledged)} writes, killed {KILLS} times; ready after {max(starts):.1f} s at most")  # noqa: T201
    assert max(starts) < 20


@pytest.mark.slow
def test_a_graph_of_this_repository_is_written(tmp_path: Path, settings: Settings) -> None:
    for part in ("ontology", "graph", "queries"):
        shutil.copytree(ROOT / part, tmp_path / part)
    workspace = open_workspace(tmp_path)
    build(workspace, settings, check="none")
    graph = f"{GRAPH}source-pa2019"
    with opened(workspace, settings) as client:
        triples = [quad.triple for quad in parse(held(client, graph).text, format=RdfFormat.N_TRIPLES)]
        words = note("Added.", thing=str(triples[0].subject.value))
        answer = send(client, "PUT", graph, write_turtle(triples, PREFIXES) + words + "\n")
        assert answer.status_code == 204, answer.text
        assert len(lines(held(client, graph))) == len(triples) + 1
