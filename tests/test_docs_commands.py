"""Every command that a page of the documentation shows is run, or listed here by name with the reason why not.

`test_docs.py` runs the pages that can be run as they stand. Here are the others: what would take minutes is run with
small data, by changes that are named beside the block; a block that nobody has thought of fails.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from typer.main import get_command

import reports
from conftest import ROOT, running_service
from engines import oxigraph
from kg.cli import main
from kg.cli.program import app
from kg.release.build import build
from kg.workspace import open_workspace, read_settings
from test_docs import DOCS, SERVICE
from test_docs import PAGES as RUN_AS_THEY_STAND

PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted(DOCS.rglob("*.md"))]
ENGINE = "http://127.0.0.1:7878"
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
_COMMAND = re.compile(r"^    (?:kg|pip|make|curl|git|mkdocs|python3?|apt-get|[\w./]*/(?:python|kg|pip)) ", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """What a page shows to be typed, or as a file; it is named for its page and how it begins."""

    page: str
    language: str
    text: str

    @property
    def name(self) -> str:
        first = self.text.strip().splitlines()[0].partition("  #")[0]
        return f"{self.page}: {first[:60].strip()}"


def blocks(page: Path) -> Iterator[Block]:
    """Yields the fenced blocks of a page, and the indented ones that begin with a command."""
    text, shown = page.read_text(encoding="utf-8"), str(page.relative_to(ROOT))
    for found in _FENCE.finditer(text):
        yield Block(shown, found["language"], found["text"])
    for indented in _INDENTED.finditer(_FENCE.sub("", text)):
        if _COMMAND.match(indented[0]):
            yield Block(shown, "", re.sub(r"^    ", "", indented[0], flags=re.MULTILINE))


def _elsewhere(block: Block) -> bool:
    """Tells whether test_docs.py runs a block with its page, or test_analysis.py as a worked example."""
    with_its_page = ROOT / block.page in RUN_AS_THEY_STAND and block.language in {"sh", "python", "sparql"}
    return with_its_page or (block.page, block.language) == ("docs/questions.md", "console")


FOUND = {block.name: block for page in PAGES for block in blocks(page) if not _elsewhere(block)}


@dataclass(frozen=True)
class Run:
    """How a block is run: what is changed in it, as patterns, so that it takes seconds; and what has to be there."""

    changes: tuple[tuple[str, str], ...] = ()
    typed: str = ""
    needs: tuple[str, ...] = ()


_SMALL = (r"--reports \d+", "--reports 3")
# The peers are fetched from a package index when they are asked for the first time.
_NO_PEERS = "--skip peers,tenfold,service --pairs 3"
# A small release that stands already.
_STANDS = ("DIR/build", "STANDS/build")
# Each command of the program by itself, in this process: to start one takes a second.
PROGRAM = {
    "README.md: kg ask": Run(
        (
            # Without a service it serves the picture itself, until Ctrl-C.
            ("--open", "--open --service {address}"),
            ("--texts FOLDER", "--texts ../held"),
            ("tables --out FOLDER", "tables --out ../tables"),
            ("FOLDER", "../sheets"),
            ("RELEASE", "{release}"),
        )
    ),
    "docs/agents.md: kg mcp": Run(),
    "docs/engines.md: kg publish --engine http://127.0.0.1:7878": Run(((ENGINE, "{engine}"),)),
    "docs/ingest.md: kg ingest report.pdf --out FOLDER": Run(
        (("FOLDER", "../review"),), typed="".join(f"a\nPoint {n}\nIn short, point {n}.\n" for n in range(40))
    ),
}
# In a shell.
SHELL = {
    "README.md: curl -s 'http://127.0.0.1:8000/api/queries'": Run(
        (("curl -s", "curl -sf"), (SERVICE, "{address}")), needs=("curl",)
    ),
    "docs/operations.md: KG_TRUST_PROXY=127.0.0.1": Run(((r"\A", "set -a\n"), (r"\Z", "kg settings"))),
    "docs/performance.md: /usr/bin/time -v .venv/bin/python benchmarks/generate.py DIR": Run(
        (_SMALL,), needs=("/usr/bin/time",)
    ),
    "docs/performance.md: .venv/bin/python benchmarks/service.py --release DIR/build -": Run(
        (("--rounds 3 --seconds 3", "--rounds 1 --seconds 1 --skip-rdflib --skip-oxigraph"), _STANDS), needs=("wrk",)
    ),
    "docs/performance.md: .venv/bin/python benchmarks/runaways.py --seconds 30": Run(
        # The limit stays as it is: a question that a busy machine answers late is no fault.
        (("--seconds 30", "--seconds 1 --idle-s 0"),)
    ),
    "docs/performance.md: .venv/bin/python benchmarks/connections.py --release DIR/bui": Run(
        (("DIR/build", f"DIR/build {_NO_PEERS}"), _STANDS)
    ),
    "docs/performance.md: .venv/bin/python benchmarks/writing.py --reports 5000": Run(
        (
            ("--reports 5000", "--reports 3 --rounds 1"),
            ("load.py", "load.py --clients 2 --seconds 1 --releases 1 --reports 3"),
        )
    ),
    "docs/performance.md: .venv/bin/python benchmarks/start.py": Run((("start.py", "start.py --rounds 1 --idle-s 0"),)),
    "docs/performance.md: .venv/bin/python benchmarks/generate.py DIR --reports 500 --": Run((_SMALL,)),
    "benchmarks/README.md: KG_TEST_GOLD=DIR KG_TEST_TEXTS=DIR .venv/bin/python benchmar": Run(
        (("GOLD=DIR", 'GOLD="$KG_TEST_GOLD"'), ("TEXTS=DIR", 'TEXTS="$KG_TEST_TEXTS"')),
        needs=("KG_TEST_GOLD", "KG_TEST_TEXTS"),
    ),
    "benchmarks/README.md: .venv/bin/python benchmarks/warehouse.py FOLDER --links 1000": Run(
        (("FOLDER", "warehouse"), ("10000000", "20000"))
    ),
    "benchmarks/README.md: .venv/bin/kg publish --engine http://127.0.0.1:7878": Run(
        (
            ("kg publish", "kg publish --release DIR/build"),
            ("build/ID", "DIR/build"),
            (" --engine http://127.0.0.1:8890/sparql", " --pairs 2"),
            (ENGINE, "{engine}"),
            _STANDS,
        )
    ),
}

_AGAIN = "docs/performance.md shows the same script, which is run from there"
LISTED: Mapping[str, str] = {
    "README.md: make serve": "sets up a machine from a package index; its targets are looked for below",
    "README.md: from SPARQLWrapper import JSON, SPARQLWrapper": "run below",
    "README.md: import kg": "run below",
    "benchmarks/README.md: .venv/bin/python benchmarks/generate.py DIR --reports 5000 -": _AGAIN,
    "benchmarks/README.md: .venv/bin/python benchmarks/connections.py --reports 5000": _AGAIN,
    "benchmarks/README.md: apt-get install wrk": _AGAIN,
    "benchmarks/README.md: .venv/bin/python benchmarks/start.py": _AGAIN,
    "benchmarks/README.md: .venv/bin/python benchmarks/writing.py --reports 5000": _AGAIN,
    "benchmarks/README.md: .venv/bin/python benchmarks/analysis.py RELEASE": _AGAIN,
    "benchmarks/README.md: .venv/bin/python benchmarks/runaways.py": _AGAIN,
    "benchmarks/README.md: .venv/bin/python benchmarks/load.py": "tests/test_load.py runs it in small",
    "benchmarks/README.md: .venv/bin/python benchmarks/view.py": "run below, in the browser's suite",
    "docs/performance.md: .venv/bin/python benchmarks/view.py": "run below, in the browser's suite",
    'docs/agents.md: {"mcpServers": {"policy-evidence": {"command": "kg", "args":': "a client's file, read below",
    "docs/ingest.md: pip install 'policy-evidence-kg[vectors]'": "fetches packages; its extras are looked for below",
    "docs/operations.md: useradd --system --home-dir /srv/policy-evidence --shell /us": (
        "changes the machine as its administrator; parsed, and its files looked for, below"
    ),
    "docs/operations.md: [Service]": "a part of a unit, verified below where systemd is",
    'docs/operations.md: {"time": "2026-11-25T15:41:19.791Z", "level": "info", "logge': (
        "a line of the log; tests/test_operations.py reads such lines"
    ),
}


def test_every_block_is_run_or_listed_by_name_with_a_reason() -> None:
    handled = [*PROGRAM, *SHELL, *LISTED]
    assert sorted(handled) == sorted(FOUND)
    assert len(FOUND) == sum(not _elsewhere(block) for page in PAGES for block in blocks(page)), "two have one name"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this repository's workspace to work in, built; beside it a small release, and `kg` for the path."""
    folder = tmp_path_factory.mktemp("place")
    desk = folder / "desk"
    for name in ("ontology", "graph", "queries"):
        shutil.copytree(ROOT / name, desk / name)
    (folder / "held").mkdir()
    (desk / "report.pdf").write_bytes(reports.pdf_report())
    command = folder / "bin" / "kg"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kg "$@"\n')
    command.chmod(0o755)
    release = build(open_workspace(desk), read_settings(), check="none").directory.id
    (folder / "release").write_text(release)
    generate = [sys.executable, str(ROOT / "benchmarks/generate.py"), str(folder / "small"), "--reports", "3"]
    subprocess.run(generate, check=True, capture_output=True)
    build(open_workspace(folder / "small"), read_settings(), folder / "standing" / "build", check="none")
    return folder


@pytest.fixture(scope="module")
def address(place: Path) -> Iterator[str]:
    with running_service("--workspace", str(place / "desk")) as found:
        yield found


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    server = oxigraph()
    yield server.address
    server.stop()


def _running(run: Run, request: pytest.FixtureRequest) -> dict[str, str]:
    """Returns the addresses that a block is to name; what has one is started when it is first needed."""
    return {name: request.getfixturevalue(name) for name in ("address", "engine") if f"{{{name}}}" in str(run.changes)}


def changed(name: str, run: Run, names: Mapping[str, str]) -> str:
    """Returns a block as it is run; a change that finds nothing to change is a mistake here."""
    text = FOUND[name].text
    for pattern, better in run.changes:
        text, count = re.subn(pattern, lambda _, better=better: better, text)  # type: ignore[misc]  # a text
        assert count, f"{name}: there is no {pattern}"
    return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], found[0]), text)


def _skip_without(needs: tuple[str, ...]) -> None:
    for need in needs:
        if not (os.environ.get(need) if need.startswith("KG_") else shutil.which(need)):
            pytest.skip(f"{need} is not there")


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAM)
def test_the_commands_of_the_program_run(
    name: str, place: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = PROGRAM[name]
    names = {"release": (place / "release").read_text()} | _running(run, request)
    monkeypatch.chdir(place / "desk")
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setenv("KG_LIBRARY", str(place / "library"))
    monkeypatch.setattr(sys, "stdin", io.StringIO(run.typed))
    for line in changed(name, run, names).splitlines():
        for command in filter(None, map(str.strip, line.partition("  #")[0].split(";"))):
            kg(command, monkeypatch)


def kg(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a command as the shell would; one that does not end is asked whether it is there, and ended."""
    program, name, *arguments = shlex.split(command)
    assert program == "kg"
    if name == "serve":
        with running_service(*arguments) as address:
            assert httpx2.get(f"{address}/readyz").status_code == 200
        return
    if name == "mcp":
        # Its client has left before it came.
        subprocess.run([sys.executable, "-m", "kg", name, *arguments], stdin=subprocess.DEVNULL, check=True, timeout=60)
        return
    monkeypatch.setattr(sys, "argv", ["kg", name, *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code, command


@pytest.mark.slow
@pytest.mark.parametrize("name", SHELL)
def test_the_commands_of_a_shell_run(
    name: str, place: Path, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = SHELL[name]
    _skip_without(run.needs)
    script = changed(name, run, _running(run, request)).replace("STANDS", str(place / "standing"))
    # Made anew by the commands themselves.
    script = re.sub(r"\bDIR\b", str(tmp_path / "made"), script)
    script = script.replace(".venv/bin/python", sys.executable).replace(".venv/bin/kg", "kg")
    script = script.replace(" benchmarks/", f" {ROOT}/benchmarks/")
    monkeypatch.setenv("PATH", f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


@pytest.mark.slow
def test_the_python_of_the_readme_runs(place: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place / "desk")
    scripts = [block.text for block in blocks(ROOT / "README.md") if block.language == "python"]
    assert len(scripts) == 2
    for script in scripts:
        script = script.replace(SERVICE, address).replace("8f14e45fceea", (place / "release").read_text())
        exec(compile(script, "README.md", "exec"), {"__name__": "__main__"})


# What is listed is looked at as far as it can be


def test_the_targets_and_extras_that_are_shown_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", FOUND["README.md: make serve"].text, re.MULTILINE)
    assert targets == ["serve", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    shown = FOUND["docs/ingest.md: pip install 'policy-evidence-kg[vectors]'"].text
    assert set(re.findall(r"\[(\w+)\]", shown)) == {"vectors", "names"} <= set(extras)


def test_every_benchmark_that_is_shown_has_the_options_it_is_shown_with() -> None:
    lines = [line for block in FOUND.values() for line in block.text.splitlines() if "benchmarks/" in line]
    assert len(lines) > 15
    for line in lines:
        command = line.partition("  #")[0]
        (script,) = re.findall(r"benchmarks/\w+\.py", command)
        declared = re.findall(r'"(--[\w-]+)"', (ROOT / script).read_text(encoding="utf-8"))
        assert set(re.findall(r"--[\w-]+", command.partition(script)[2])) <= set(declared), line


def test_the_file_for_a_client_names_a_command_that_there_is() -> None:
    text = next(block.text for name, block in FOUND.items() if name.startswith("docs/agents.md: {"))
    (server,) = json.loads(text)["mcpServers"].values()
    assert server["command"] == "kg"
    command, *arguments = server["args"]
    get_command(app).commands[command].make_context(command, arguments)  # type: ignore[attr-defined]  # it is a group


def test_the_commands_of_the_administrator_parse_and_copy_what_is_there() -> None:
    text = next(block.text for name, block in FOUND.items() if name.startswith("docs/operations.md: useradd"))
    subprocess.run(["bash", "-n", "-c", text], check=True)
    shown = re.findall(r"/srv/policy-evidence/(\S+\.\S+)", text)
    assert len(shown) == 2
    assert all(list(ROOT.glob(pattern)) for pattern in shown)


def test_systemd_has_nothing_to_say_against_the_part_of_a_unit(tmp_path: Path) -> None:
    _skip_without(("systemd-analyze",))
    part = FOUND["docs/operations.md: [Service]"].text
    unit = (DOCS / "deploy" / "policy-evidence.service").read_text(encoding="utf-8")
    (tmp_path / "policy-evidence.service.d").mkdir()
    for file, text in (("policy-evidence.service", unit), ("policy-evidence.service.d/writable.conf", part)):
        # The program that it names is not installed here.
        (tmp_path / file).write_text(text.replace("/opt/policy-evidence/bin/kg", sys.executable), encoding="utf-8")
    command = ["systemd-analyze", "verify", str(tmp_path / "policy-evidence.service")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.browser
def test_the_benchmark_of_the_view_measures_every_size(chromium: object) -> None:
    """Whether a figure keeps its bound depends on what else the machine does: here it is told, and not judged."""
    command = [sys.executable, str(ROOT / "benchmarks" / "view.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode in {0, 1}, done.stderr[-2000:]
    assert {"kept"} == set(json.loads(done.stdout.splitlines()[-1]))
    assert len(done.stdout.splitlines()) > 3
