"""The documentation: the site builds strictly and asks nobody, its reference is complete, and what it shows runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import httpx2
import pytest
from typer.main import get_command

from conftest import ROOT, running_service
from kg.answers import Answers
from kg.cli.program import app
from kg.notebook.graph import Graph
from kg.release.build import build
from kg.workspace import SETTINGS, Settings, open_workspace

DOCS = ROOT / "docs"
PAGES = sorted(
    [*DOCS.glob("tutorials/*.md"), *DOCS.glob("how-to/*.md"), *DOCS.glob("explanation/*.md"), DOCS / "agents.md"]
)
SERVICE = "http://127.0.0.1:8000"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^    (?=kg |curl )", re.MULTILINE)


def snippets(page: Path) -> list[tuple[str, str]]:
    """Returns what a page shows to be run, each with its language."""
    return [(found[1], found[2]) for found in _FENCE.finditer(page.read_text(encoding="utf-8"))]


# What is shown runs


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """A folder to work in, as a reader has one: this repository's workspace, built, and `kg` on the path."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("ontology", "graph", "queries"):
        shutil.copytree(ROOT / name, folder / name)
    build(open_workspace(folder), settings, check="none")
    (folder / "bin").mkdir()
    command = folder / "bin" / "kg"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kg "$@"\n')
    command.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def address(desk: Path) -> Iterator[str]:
    with running_service("--workspace", str(desk)) as found:
        yield found


def run_sh(script: str, desk: Path) -> None:
    environment = {**os.environ, "PATH": f"{desk / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=desk, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_snippet_of_a_page_runs(
    page: Path, desk: Path, address: str, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of a page run in its order, then its Python as one script; each query has rows."""
    shown = [(language, text.replace(SERVICE, address)) for language, text in snippets(page)]
    assert shown and {language for language, _ in shown} <= {"sh", "python", "sparql", "json"}
    commands = "".join(text for language, text in shown if language == "sh")
    if "curl" in commands and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    monkeypatch.chdir(desk)
    if commands:
        run_sh(commands, desk)
    for text in (text for language, text in shown if language == "sparql"):
        assert answers.select(text).results, text
    script = "".join(text for language, text in shown if language == "python")
    exec(compile(script, str(page), "exec"), {"__name__": "__main__"})


def test_no_command_stands_where_it_is_not_run() -> None:
    """Pages that are run show commands only as blocks; the agents' page begins with two that do not end."""
    for page in PAGES:
        found = _INDENTED.findall(page.read_text(encoding="utf-8"))
        assert len(found) == (2 if page.stem == "agents" else 0), page


def test_each_address_of_a_page_that_is_not_run_is_answered(service: str) -> None:
    """The README's addresses are tried as they stand there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    addresses = re.findall(rf"'{SERVICE}(/api/[^' ]+\?[^' ]+)'", readme)
    assert len(addresses) > 4
    for found in addresses:
        assert httpx2.get(service + found).status_code == 200, found


def test_the_commands_of_the_agents_page_are_commands() -> None:
    known = set(getattr(get_command(app), "commands"))  # noqa: B009 - its type does not say that it is a group
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    named = set(re.findall(r"(?:^    |^|`)kg ([a-z]+)\b", text, re.MULTILINE))
    assert {"mcp", "serve", "cite", "export"} <= named <= known


# The site


class _Requests(HTMLParser):
    """Gathers what a browser would load by itself for a page."""

    LOADED: ClassVar = {
        "script": "src",
        "img": "src",
        "iframe": "src",
        "source": "src",
        "video": "src",
        "object": "data",
    }

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") not in {"canonical", "prev", "next"}:
            self.addresses.append(given.get("href") or "")
        if tag in self.LOADED:
            self.addresses.append(given.get(self.LOADED[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in strict mode: a broken link or a page that is not in the navigation fails."""
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site") / "site"
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


@pytest.mark.slow
def test_no_page_of_the_site_asks_another_server(site: Path) -> None:
    pages = [*site.rglob("*.html")]
    assert len(pages) > 20
    for page in pages:
        parser = _Requests()
        text = page.read_text(encoding="utf-8")
        parser.feed(text)
        assert parser.addresses, page
        assert not [found for found in parser.addresses if "//" in found], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet


@pytest.mark.slow
def test_what_the_reader_clicks_from_page_to_page_is_there(site: Path) -> None:
    """Every relative link of every page leads to a file of the site; strict mode does not look into generated HTML."""
    for page in site.rglob("*.html"):
        for target in re.findall(r'<a [^>]*href="([^"#:?]+)(?:#[^"]*)?"', page.read_text(encoding="utf-8")):
            if page.name != "404.html":
                assert (page.parent / target).resolve().exists(), (page, target)


def _page(site: Path, name: str) -> str:
    return (site / "reference" / f"{name}.html").read_text(encoding="utf-8")


def _commands() -> list[str]:
    return [f">kg {name}<" for name in getattr(get_command(app), "commands")]  # noqa: B009 - as above


def _methods() -> list[str]:
    return [f'id="{name.lower()}"' for name in vars(Graph) if not name.startswith("_")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("cli", _commands),
        ("python", _methods),
        ("settings", lambda: [f"<code>{setting.variable}</code>" for setting in SETTINGS]),
        ("http", lambda: [f"GET {path}<" for path in ("/api/search", "/api/cite", "/sparql", "/api/export/{format}")]),
        ("queries", lambda: [f'id="{path.stem}"' for path in (ROOT / "queries").glob("*.rq")]),
        ("ontology", lambda: [f">pev:{name}<" for name in ("Barrier", "Theme", "blocks", "statedIn")]),
        ("tools", lambda: [f'id="{name}"' for name in ("search", "connect", "barriers-blocking-theme")]),
    ],
)
def test_the_reference_has_what_the_program_has(site: Path, page: str, wanted: Callable[[], list[str]]) -> None:
    text = re.sub(r'<a class="headerlink".*?</a>', "", _page(site, page))
    missing = [part for part in wanted() if part not in text]
    assert not missing
