"""The review page: for one person on this machine, and safe from other pages and other names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

import reports
from kg.ingest.folder import Limits, ingest_all
from kg.ingest.intake import Intake
from kg.ingest.known import Known, read_known
from kg.release.build import build
from kg.release.opened import Release, open_release
from kg.web.review import Desk, Keys, create_review_app
from kg.workspace import Settings, Workspace, init_workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ADDRESS = "http://127.0.0.1:8123"
FORMATS = {"docx": reports.docx_report, "html": reports.html_report, "pdf": reports.pdf_report}


@pytest.fixture(scope="module")
def known(release: Release) -> Known:
    return read_known(release.source, release.library)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, known: Known) -> Path:
    """A workspace without sources, and beside it the sheet of one report."""
    home = tmp_path_factory.mktemp("made")
    workspace = init_workspace(home / "workspace")
    (home / "warm-homes.html").write_bytes(reports.html_report())
    (outcome,) = ingest_all([home / "warm-homes.html"], known, Limits(10**7, 60_000, 2048))
    assert outcome.ingested is not None
    Intake(home / "out", home / "library", workspace.prefixes).take(outcome.ingested)
    return home


@pytest.fixture
def intake(tmp_path: Path, made: Path) -> Intake:
    """A folder with the sheet of one report."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Intake(tmp_path / "out", tmp_path / "library", Workspace(tmp_path / "workspace").prefixes)


@pytest.fixture
def client(tmp_path: Path, intake: Intake, settings: Settings) -> Iterator[tuple[TestClient, Keys]]:
    keys = Keys()
    app = create_review_app(Desk(intake, Workspace(tmp_path / "workspace"), settings), settings, keys)
    with TestClient(app, base_url=ADDRESS, follow_redirects=False) as opened:
        yield opened, keys


def sign_in(client: TestClient, keys: Keys) -> dict[str, str]:
    """Spends the token of the address, and returns the headers with which the page sends a step."""
    answer = client.get("/", params={"token": str(keys.token)})
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    page = client.get("/").text
    match = re.search(r'name="review-token" content="([^"]+)"', page)
    assert match is not None
    return {"Origin": ADDRESS, "X-Review-Token": match[1], "Content-Type": "application/json"}


def state(client: TestClient) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/documents/warm-homes").json()
    return told


def test_the_token_of_the_address_works_once(client: tuple[TestClient, Keys]) -> None:
    page, keys = client
    token = str(keys.token)
    sign_in(page, keys)
    page.cookies.clear()

    assert page.get("/", params={"token": token}).status_code == 401
    assert page.get("/documents").status_code == 401
    assert page.get("/", params={"token": "guessed"}).status_code == 401


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: tuple[TestClient, Keys]) -> None:
    page, keys = client

    cookie = page.get("/", params={"token": str(keys.token)}).headers["set-cookie"].lower()

    assert "httponly" in cookie and "samesite=strict" in cookie


@pytest.mark.parametrize(
    "changed",
    [
        {"Origin": "http://evil.example"},
        {"Origin": ""},
        {"X-Review-Token": "guessed"},
        {"X-Review-Token": ""},
        {"Content-Type": "text/plain"},
    ],
    ids=["other origin", "no origin", "wrong token", "no token", "form"],
)
def test_a_step_from_another_page_is_refused(client: tuple[TestClient, Keys], changed: dict[str, str]) -> None:
    page, keys = client
    headers = sign_in(page, keys)
    first = state(page)["candidates"][0]["id"]

    answer = page.post("/documents/warm-homes/reject", json={"id": first}, headers={**headers, **changed})

    assert answer.status_code == 403 and answer.headers["content-type"] == "application/problem+json"
    assert state(page)["candidates"][0]["decision"] == "open"


def test_another_name_for_this_machine_is_refused(client: tuple[TestClient, Keys]) -> None:
    page, keys = client
    sign_in(page, keys)

    assert page.get("/documents", headers={"Host": "evil.example:8123"}).status_code == 403


def test_the_page_loads_nothing_from_elsewhere_and_may_not_be_framed(client: tuple[TestClient, Keys]) -> None:
    page, keys = client
    sign_in(page, keys)

    for path in ("/", "/review.js", "/review.css", "/documents"):
        policy = page.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert "http" not in page.get("/").text.replace("http-equiv", "")


def test_steps_are_done_and_undone(client: tuple[TestClient, Keys]) -> None:
    page, keys = client
    headers = sign_in(page, keys)
    before = state(page)["candidates"]
    first, second = before[0], before[1]

    def step(name: str, **told: object) -> dict[str, Any]:
        answer = page.post(f"/documents/warm-homes/{name}", json=told, headers=headers)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    def now(told: dict[str, Any], name: str) -> dict[str, Any]:
        return next(c for c in told["candidates"] if c["id"] == name)

    assert (
        now(step("accept", id=first["id"], label="Short", paraphrase="In our words."), first["id"])["decision"]
        == "accepted"
    )
    assert now(step("kind", id=second["id"], kind="Finding"), second["id"])["kind"] == "Finding"
    split = step("split", id=first["id"], words="Costs per home rose")
    assert len(split["candidates"]) == len(before) + 1 and now(split, first["id"])["decision"] == "open"
    assert [c["end"] - c["start"] for c in step("undo")["candidates"]] == [c["end"] - c["start"] for c in before]
    merged = step("merge", id=first["id"], other=second["id"])
    assert (
        now(merged, first["id"])["end"] == max(first["end"], second["end"])
        and len(merged["candidates"]) == len(before) - 1
    )
    for _ in range(3):
        step("undo")
    assert state(page)["candidates"] == before


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("accept", {"id": "c1", "label": "", "paraphrase": "x"}),
        ("accept", {"id": "c1", "label": "x", "paraphrase": reports.MESSAGES[0]}),
        ("accept", {"id": "c1", "label": "x" * 81, "paraphrase": "x"}),
        ("accept", {"label": "x"}),
        ("accept", {"id": "c1", "label": 3}),
        ("move", {"id": "c1", "start": 5, "end": 5}),
        ("move", {"id": "c1", "start": 0, "end": 10**9}),
        ("kind", {"id": "c1", "kind": "Wish"}),
        ("fact", {"name": "slug", "value": "../../x"}),
        ("dance", {}),
        ("record", {}),
    ],
)
def test_a_step_that_cannot_be_done_says_why_and_changes_nothing(
    client: tuple[TestClient, Keys], step: str, told: dict[str, object]
) -> None:
    page, keys = client
    headers = sign_in(page, keys)
    before = state(page)

    answer = page.post(f"/documents/warm-homes/{step}", json=told, headers=headers)

    assert answer.status_code == 400 and answer.json()["detail"]
    assert state(page) == before


@contextmanager
def review_served(home: Path) -> Iterator[str]:
    """Yields the address that `kg review --web` prints; the process is stopped at the end."""
    command = [sys.executable, "-m", "kg", "review", "out", "--web", "--workspace", "workspace"]
    environment = {**os.environ, "KG_LIBRARY": str(home / "library")}
    with subprocess.Popen(
        command, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Review at http://127.0.0.1:"), line
            yield line.removeprefix("Review at ").strip()
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def reviewed(
    tmp_path_factory: pytest.TempPathFactory, known: Known, settings: Settings, chromium: Browser
) -> Iterator[tuple[Workspace, Page]]:
    """A workspace without sources, and the review page of a PDF, a DOCX and an HTML page, open in a real browser."""
    home = tmp_path_factory.mktemp("reviewed")
    workspace = init_workspace(home / "workspace")
    build(workspace, settings, check="none")
    for ending, made in FORMATS.items():
        (home / f"{ending}-report.{ending}").write_bytes(made())
    intake = Intake(home / "out", home / "library", workspace.prefixes)
    for outcome in ingest_all(sorted(home.glob("*-report.*")), known, Limits(10**7, 60_000, 2048)):
        assert outcome.ingested is not None, outcome.error
        intake.take(outcome.ingested)
    with review_served(home) as address, chromium.new_context() as context:
        page = context.new_page()
        page.goto(address)
        yield workspace, page


@pytest.mark.slow
@pytest.mark.parametrize("ending", FORMATS)
def test_a_report_is_reviewed_in_a_browser_and_published(
    reviewed: tuple[Workspace, Page], settings: Settings, ending: str
) -> None:
    workspace, page = reviewed
    gist = f"Few homes reached, says the {ending}"
    page.reload()
    page.select_option("#document", f"{ending}-report")
    page.wait_for_selector(f"#facts summary:text('{ending}-report.{ending}')", state="attached")
    page.wait_for_selector("article.current")
    # Words of the text are flagged while they are typed.
    page.fill("article.current [name=paraphrase]", reports.MESSAGES[0])
    assert "in your own words" in page.inner_text("article.current .copied:not(:empty)")
    page.fill("article.current [name=paraphrase]", "Only some of the homes were reached, at a growing price.")
    page.fill("article.current [name=label]", gist)
    page.click("article.current button:text('Accept')")
    page.wait_for_selector("#counts:text(' 1 accepted')")
    page.keyboard.press("r")
    page.wait_for_selector("#counts:text('1 rejected')")
    page.keyboard.press("u")
    page.wait_for_selector("#counts:text('0 rejected')")
    assert page.locator("mark").count() > 5
    page.click("#record")
    page.wait_for_selector("body[data-recorded]", timeout=60_000)

    opened = open_release(workspace.releases(settings))
    try:
        assert next(found.label for found in opened.search.search(gist)) == gist
    finally:
        opened.close()
