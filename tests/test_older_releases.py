"""An older release is asked by name for as long as it is kept, at every address that answers from a release."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from kg.names import BASE
from kg.release.build import build
from kg.release.directory import ReleaseDirectory, discard
from kg.web.app import create_app
from kg.web.serving import Serving
from kg.workspace import Settings
from workspaces import edit, text_file, write_workspace

OLD, NEW = "Fill the posts in Elsewhere", "Fill posts in Elsewhere"
NAME = "recommendation/elsewhere-fill-posts"
QUERY = f"SELECT ?label WHERE {{ <{BASE}id/{NAME}> rdfs:label ?label }}"


@dataclass(frozen=True)
class Kept:
    """A folder of two releases that call a recommendation differently."""

    folder: Path
    old: str
    new: str


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Kept:
    workspace = write_workspace(tmp_path_factory.mktemp("kept") / "workspace")
    old = build(workspace, settings, check="none").directory
    edit(text_file(workspace.root), f'"{OLD}"', f'"{NEW}"')
    new = build(workspace, settings, check="none").directory
    return Kept(new.root.parent, old.id, new.id)


@pytest.fixture(scope="module")
def client(kept: Kept, settings: Settings) -> Iterator[TestClient]:
    app = create_app(Serving(kept.folder, settings))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as opened:
        yield opened


# The address, what to send with it, and whether the label stands in the answer.
PLACES = [
    ("/sparql", {"query": QUERY}, True),
    ("/api/search", {"q": "posts"}, True),
    ("/api/describe", {"entity": f"{BASE}id/{NAME}"}, True),
    ("/api/neighbours", {"entity": "theme:workforce"}, True),
    ("/api/connections", {"from": "theme:workforce", "to": "agent:elsewhere-council"}, True),
    ("/api/evidence", {"item": f"{BASE}id/{NAME}"}, True),
    ("/api/queries/who-is-asked-to-do-what", {}, True),
    ("/api/queries", {}, False),
    ("/api/release", {}, False),
    (f"/page/id/{NAME}", {}, True),
    (f"/data/id/{NAME}.ttl", {}, True),
    ("/page/graph/source-elsewhere", {}, True),
    ("/graph/source-elsewhere", {}, True),
    ("/page", {"iri": f"{BASE}id/{NAME}"}, True),
    ("/data", {"iri": f"{BASE}id/{NAME}"}, True),
    ("/ns", {}, False),
    ("/.well-known/void", {}, False),
    ("/.well-known/sparql-examples", {}, False),
    ("/", {"q": "posts"}, True),
]
EACH_PLACE = pytest.mark.parametrize(("path", "parameters", "labelled"), PLACES, ids=[place[0] for place in PLACES])


def _release_of(response: Response) -> str:
    if response.headers["content-type"] == "application/json":
        return str(response.json()["release"])
    shown = re.search(r"Release <code>([0-9a-f]{12})</code>", response.text)
    return response.headers.get("x-release") or (shown[1] if shown else "")


@EACH_PLACE
def test_an_older_release_answers_where_it_is_asked_for(
    client: TestClient, kept: Kept, path: str, parameters: dict[str, str], labelled: bool
) -> None:
    for release, label, other in (
        (kept.old, OLD, NEW),
        (kept.old[:8], OLD, NEW),
        (kept.new, NEW, OLD),
        (None, NEW, OLD),
    ):
        response = client.get(path, params=parameters | ({"release": release} if release else {}))
        assert response.status_code == 200, response.text
        wanted = kept.old if label == OLD else kept.new
        assert wanted.startswith(_release_of(response)[:12]) and _release_of(response)
        assert (label in response.text) == labelled
        assert other not in response.text


@EACH_PLACE
def test_a_release_that_is_not_kept_is_404_and_what_is_no_id_is_400(
    client: TestClient, kept: Kept, path: str, parameters: dict[str, str], labelled: bool
) -> None:
    unknown = client.get(path, params=parameters | {"release": "0" * 64})
    assert unknown.status_code == 404
    assert kept.old[:12] in unknown.json()["detail"] and "KG_KEEP_RELEASES" in unknown.json()["detail"]
    for text in ("", kept.old[:7], "latest", "../build"):
        refused = client.get(path, params=parameters | {"release": text})
        assert refused.status_code == 400, text
        assert "hexadecimal digits" in refused.json()["detail"]


def test_a_query_that_is_posted_asks_the_older_release_in_address_or_form(client: TestClient, kept: Kept) -> None:
    address = {"release": kept.old}
    sent = [
        client.post("/sparql", params=address, data={"query": QUERY}),
        client.post("/sparql", data={"query": QUERY} | address),
        client.post("/sparql", params=address, content=QUERY, headers={"Content-Type": "application/sparql-query"}),
    ]
    assert [response.headers["x-release"] for response in sent] == [kept.old] * 3
    assert all(OLD in response.text for response in sent)


def test_answers_of_two_releases_have_two_tags(client: TestClient, kept: Kept) -> None:
    old, new = (client.get("/sparql", params={"query": QUERY, "release": id_}) for id_ in (kept.old, kept.new))
    assert old.headers["etag"] != new.headers["etag"]
    again = client.get("/sparql", params={"query": QUERY}, headers={"If-None-Match": new.headers["etag"]})
    assert again.status_code == 304


def test_the_links_of_a_page_stay_in_its_release(client: TestClient, kept: Kept) -> None:
    page = client.get(f"/page/id/{NAME}", params={"release": kept.old})
    local = re.findall(r'href="(/[^"]*)"', page.text.partition("<main>")[2])
    assert len(local) > 5
    assert all(f"release={kept.old}" in link for link in local)
    for link in local:
        response = client.get(link.replace("&amp;", "&"), follow_redirects=True, headers={"Accept": "text/html"})
        assert kept.old.startswith(_release_of(response)[:12]), link


def test_the_links_of_a_page_that_named_no_release_name_none(client: TestClient) -> None:
    assert "release=" not in client.get(f"/page/id/{NAME}").text


def test_the_release_stands_before_the_place_on_a_page(client: TestClient, kept: Kept) -> None:
    data = client.get(f"/data/id/{NAME}.ttl").text
    passage = re.search(r"pev:evidence <https://w3id.org/policy-evidence(/id/text/[^>]+)>", data)
    assert passage is not None
    page = client.get(f"/page/id/{NAME}", params={"release": kept.old}).text
    path, _, place = passage[1].partition("#")
    assert f'href="{path}?release={kept.old}#{place}"' in page


def test_many_who_ask_for_an_older_release_at_once_open_it_once(kept: Kept, settings: Settings) -> None:
    serving = Serving(kept.folder, settings)
    with TestClient(create_app(serving)) as client, ThreadPoolExecutor(8) as threads:
        start = threading.Barrier(8)

        def ask(_: int) -> Response:
            start.wait()
            return client.get("/api/release", params={"release": kept.old})

        assert {response.json()["release"] for response in threads.map(ask, range(8))} == {kept.old}
        assert list(serving._older) == [kept.old]


def test_a_release_that_was_removed_is_no_longer_kept(kept: Kept, tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "releases"
    shutil.copytree(kept.folder, folder)
    with TestClient(create_app(Serving(folder, settings))) as client:
        asked = {"release": kept.old}
        assert client.get("/api/release", params=asked).status_code == 200
        discard(ReleaseDirectory(folder / kept.old))
        assert client.get("/api/release", params=asked).status_code == 404
        assert client.get("/api/release").json()["release"] == kept.new


def test_of_older_releases_no_more_are_open_than_are_kept(kept: Kept, tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "releases"
    shutil.copytree(kept.folder, folder)
    third = kept.old[:-8] + "0" * 8
    shutil.copytree(folder / kept.old, folder / third)
    manifest = folder / third / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(kept.old, third), encoding="utf-8")
    serving = Serving(folder, replace(settings, keep_releases=1))
    with TestClient(create_app(serving)) as client:
        for release in (kept.old, third, kept.old, kept.new):
            assert client.get("/api/release", params={"release": release}).json()["release"] == release
        assert list(serving._older) == [kept.old]
