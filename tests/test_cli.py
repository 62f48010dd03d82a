"""The command line: what it prints, where, and with which exit code.

Most commands run in this process, through the same `main()` that the installed command calls;
what needs a process of its own (pipes, `python -m kg`) gets one.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import polars
import pyoxigraph as ox
import pytest
from fastapi.testclient import TestClient

from conftest import application
from kg.answers import Answers
from kg.cli import main
from kg.evidence import sha256
from kg.release.directory import FORMAT_VERSION
from kg.release.opened import Release
from kg.workspace import SETTINGS, Settings
from workspaces import edit, text_file, write_workspace

SELECT = "SELECT ?barrier WHERE { ?barrier a pev:Barrier } ORDER BY ?barrier LIMIT 3"
CONSTRUCT = "CONSTRUCT { ?barrier a pev:Barrier } WHERE { ?barrier a pev:Barrier }"


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def kg(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["kg", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capfd.readouterr()
        return Ran(int(caught.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def client(answers: Answers) -> Iterator[TestClient]:
    with TestClient(application(answers.opened, answers.settings)) as opened:
        yield opened


def _process(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kg", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _one_line(ran: Ran) -> str:
    """Returns the one line with which a command failed."""
    assert ran.code == 1
    assert ran.out == ""
    lines = ran.err.splitlines()
    assert len(lines) == 1, ran.err
    return lines[0]


# Help and usage


def test_the_help_names_every_command(kg: Run) -> None:
    ran = kg("--help")
    assert ran.code == 0
    commands = "serve build check verify sparql ask connect describe diff search export init settings format passage"
    for name in commands.split():
        assert re.search(rf"^  {name}  +\S", ran.out, re.MULTILINE), name


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonesuch"],
        ["ask", "barriers-blocking-theme", "Finance"],
        ["ask", "barriers-blocking-theme", "--format", "yaml"],
        ["connect", "COSLA"],
        ["connect", "COSLA", "Finance", "--max-hops", "many"],
        ["search"],
        ["sparql"],
        ["sparql", "ASK {}", "-f", "query.rq"],
        ["export"],
        ["export", "pdf"],
        ["serve", "--port", "70000"],
        ["build", "--check", "some"],
        ["describe", "COSLA", "--nonesuch"],
    ],
)
def test_wrong_usage_exits_with_2(kg: Run, release_folder: Path, arguments: list[str]) -> None:
    takes_release = arguments[:1] and arguments[0] in {"ask", "connect", "search", "sparql", "describe"}
    ran = kg(*arguments, *(["--release", release_folder] if takes_release else []))
    assert ran.code == 2
    assert "Usage: kg" in ran.err + ran.out
    assert "Traceback" not in ran.err


def test_the_module_is_the_command(release_folder: Path) -> None:
    done = _process("search", "Audit Scotland", "--limit", "1", "--release", release_folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Audit Scotland (agent:audit-scotland, org:Organization)\n"


# JSON is what the API returns


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["ask"], "/api/queries"),
        (["ask", "barriers-blocking-theme", "theme=Finance"], "/api/queries/barriers-blocking-theme?theme=Finance"),
        (
            ["ask", "evidence-of-item", "item=barrier:as2018-data-sharing", "item=barrier:piru-distrust"],
            "/api/queries/evidence-of-item?item=barrier:as2018-data-sharing&item=barrier:piru-distrust",
        ),
        (["ask", "items-of-year", "year=2019"], "/api/queries/items-of-year?year=2019"),
        (["connect", "COSLA", "Finance"], "/api/connections?from=COSLA&to=Finance"),
        (
            ["connect", "COSLA", "Finance", "--max-hops", "4", "--limit", "2", "--basis", "said,judged"],
            "/api/connections?from=COSLA&to=Finance&max_hops=4&limit=2&basis=said,judged",
        ),
        (
            ["connect", "COSLA", "Workforce", "--all", "--via", "group:councils", "--avoid", "Finance", "--limit", "3"],
            "/api/connections?from=COSLA&to=Workforce&mode=all&via=group:councils&avoid=Finance&limit=3",
        ),
        (
            [
                "connect",
                "COSLA",
                "Workforce",
                "--shortest",
                "--links",
                "asserted by,pev:hasTheme",
                "--types",
                "pev:Item",
            ],
            "/api/connections?from=COSLA&to=Workforce&mode=shortest&links=asserted by,pev:hasTheme&types=pev:Item",
        ),
        (
            ["connect", "COSLA", "Workforce", "--since", "2018", "--until", "2018-12", "--direction", "forward"],
            "/api/connections?from=COSLA&to=Workforce&since=2018&until=2018-12&direction=forward",
        ),
        (
            [
                "connect",
                "Audit Scotland",
                "Strategic planning",
                "--place",
                "Scotland",
                "--document",
                "doc:as2018-report",
            ],
            "/api/connections?from=Audit Scotland&to=Strategic planning&place=Scotland&document=doc:as2018-report",
        ),
        (["connect", "COSLA", "Finance", "--max-hops", "1"], "/api/connections?from=COSLA&to=Finance&max_hops=1"),
        (["describe", "agent:cosla"], "/api/describe?entity=agent:cosla"),
        (["search", "audit", "scotland"], "/api/search?q=audit+scotland"),
        (
            ["search", "planning", "--type", "pev:Theme", "--limit", "2"],
            "/api/search?q=planning&type=pev:Theme&limit=2",
        ),
    ],
)
def test_json_is_exactly_what_the_api_returns(
    kg: Run, client: TestClient, release_folder: Path, arguments: list[str], path: str
) -> None:
    ran = kg(*arguments, "--format", "json", "--release", release_folder)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == client.get(path).json()


def test_json_holds_the_quotes_when_the_texts_are_held(
    kg: Run, release: Release, settings: Settings, release_folder: Path, texts_folder: Path
) -> None:
    name = "barrier:as2018-data-sharing"
    ran = kg("describe", name, "--format", "json", "--release", release_folder, "--texts", texts_folder)
    with TestClient(application(release, settings, texts_folder)) as client:
        assert json.loads(ran.out) == client.get("/api/describe", params={"entity": name}).json()
    assert all(passage["quote"] for passage in json.loads(ran.out)["evidence"])


@pytest.mark.parametrize(
    ("shape", "accept"),
    [
        ("json", "application/sparql-results+json"),
        ("xml", "application/sparql-results+xml"),
        ("csv", "text/csv"),
        ("tsv", "text/tab-separated-values"),
    ],
)
def test_a_table_is_printed_as_the_endpoint_sends_it(
    kg: Run, client: TestClient, release_folder: Path, shape: str, accept: str
) -> None:
    ran = kg("sparql", SELECT, "--format", shape, "--release", release_folder)
    sent = client.get("/sparql?" + urlencode({"query": SELECT}), headers={"Accept": accept})
    assert ran.code == 0
    assert ran.out.strip().splitlines() == sent.text.strip().splitlines()


@pytest.mark.parametrize(
    ("shape", "rdf"),
    [("turtle", ox.RdfFormat.TURTLE), ("ntriples", ox.RdfFormat.N_TRIPLES), ("jsonld", ox.RdfFormat.JSON_LD)],
)
def test_triples_are_printed_in_the_format_asked_for(
    kg: Run, release: Release, release_folder: Path, shape: str, rdf: ox.RdfFormat
) -> None:
    ran = kg("sparql", CONSTRUCT, "--format", shape, "--release", release_folder)
    found = {str(quad.triple) for quad in ox.parse(ran.out.encode(), format=rdf)}
    assert found == {str(triple) for triple in release.source.construct(CONSTRUCT)}


def test_triples_are_turtle_when_nothing_is_asked_for(kg: Run, release_folder: Path) -> None:
    ran = kg("sparql", "DESCRIBE theme:finance", "--release", release_folder)
    assert list(ox.parse(ran.out.encode(), format=ox.RdfFormat.TURTLE))


def test_a_query_can_stand_in_a_file(kg: Run, release_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "query.rq"
    file.write_text(SELECT, encoding="utf-8")
    from_file = kg("sparql", "-f", file, "--release", release_folder)
    assert from_file.code == 0
    assert from_file == kg("sparql", SELECT, "--release", release_folder)


# What people read


def test_the_questions_are_listed_with_their_parameters(kg: Run, answers: Answers, release_folder: Path) -> None:
    ran = kg("ask", "--release", release_folder)
    assert ran.code == 0
    assert "barriers-blocking-theme theme=pev:Theme\n" in ran.out
    assert "deadlines [until=xsd:date]\n" in ran.out
    for question in answers.questions():
        assert f"    {question.summary}\n" in ran.out


def test_a_table_shows_labels_and_says_how_many_rows_there_are(kg: Run, release_folder: Path) -> None:
    ran = kg("ask", "barriers-blocking-theme", "theme=Strategic planning", "--release", release_folder)
    lines = ran.out.splitlines()
    assert lines[0].split()[:3] == ["barrier", "paraphrase", "how"]
    said = [line for line in lines if re.search(r"\bsaid\b", line)]
    assert len(said) == 4
    for label in ("Data not shared safely", "Disagreement over governance", "High turnover in leadership teams"):
        assert any(line.startswith(label) for line in said)
    assert re.fullmatch(r"\d+ rows; release [0-9a-f]{12}", lines[-1])


@pytest.mark.parametrize(("query", "truth"), [("ASK {}", "true\n"), ("ASK { <urn:a> <urn:b> <urn:c> }", "false\n")])
def test_a_yes_or_no_is_one_word(kg: Run, release_folder: Path, query: str, truth: str) -> None:
    assert kg("sparql", query, "--release", release_folder).out == truth


def test_one_row_is_not_called_rows(kg: Run, release_folder: Path) -> None:
    ran = kg("sparql", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "--release", release_folder)
    assert re.fullmatch(r"1 row; release [0-9a-f]{12}", ran.out.splitlines()[-1])


def test_no_line_of_the_help_is_cut_short(kg: Run) -> None:
    commands = kg("--help").out.partition("Commands:")[2]
    assert "settings" in commands
    assert "..." not in commands


def test_csv_holds_every_column_and_the_iris(kg: Run, answers: Answers, release_folder: Path) -> None:
    ran = kg("ask", "barriers-blocking-theme", "theme=Finance", "--format", "csv", "--release", release_folder)
    found = answers.ask("barriers-blocking-theme", {"theme": ["Finance"]})
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert list(rows[0]) == list(found.columns)
    assert [row["barrier"] for row in rows] == [row["barrier"].value for row in found.results]


def test_a_question_without_an_answer_is_done_and_not_an_error(kg: Run, release_folder: Path) -> None:
    ran = kg("ask", "barriers-blocking-theme", "theme=theme:charging", "--release", release_folder)
    assert ran.code == 0
    assert "0 rows; release " in ran.out


def test_a_connection_is_told_with_basis_thread_and_passages(kg: Run, release_folder: Path) -> None:
    ran = kg("connect", "COSLA", "Distrust between professions", "--release", release_folder)
    assert ran.code == 0
    assert re.match(r"COSLA to Distrust between professions: [1-9]\d* paths\n", ran.out)
    assert re.search(r"^1\. \d hops, (single|stitched)", ran.out, re.MULTILINE)
    assert re.search(r"^   \[(said|judged|inferred|reference)\] .*\.$", ran.out, re.MULTILINE)
    assert re.search(r"^      \S+ characters \d+ to \d+$", ran.out, re.MULTILINE)


def test_no_connection_is_told_with_its_reason(kg: Run, release_folder: Path) -> None:
    ran = kg("connect", "COSLA", "Finance", "--max-hops", "1", "--release", release_folder)
    assert ran.code == 0
    assert "No path of at most 1 hop" in ran.out
    assert "  reached: " in ran.out


def test_no_connection_is_told_with_the_one_link_that_would_make_it(kg: Run, release_folder: Path) -> None:
    ran = kg("connect", "COSLA", "Finance", "--place", "England", "--release", release_folder)
    assert ran.code == 0
    (line,) = (line for line in ran.out.splitlines() if "if it were so" in line)
    assert re.fullmatch(r"  would be connected in 2 hops if it were so: .* concerns COSLA \(agent:cosla, .*\)", line)


def test_a_path_of_one_hop_says_so(kg: Run, release_folder: Path) -> None:
    given = ("barrier:as2018-leadership-turnover", "theme:strategic-planning", "--limit", "1")
    ran = kg("connect", *given, "--release", release_folder)
    assert "\n1. 1 hop, single, " in ran.out


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """A browser that only writes down where it was sent; returns what reads that."""
    noted, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {noted}.new && mv {noted}.new {noted}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))

    def read() -> str:
        end = time.monotonic() + 60
        while not noted.exists():
            assert time.monotonic() < end, "no browser was opened"
            time.sleep(0.05)
        return noted.read_text().strip()

    return read


def test_a_connection_is_opened_at_a_service_that_runs(kg: Run, opened: Callable[[], str]) -> None:
    asked = ["COSLA", "Finance", "--via", "A & B", "--via", "C", "--shortest", "--since", "2018"]
    ran = kg("connect", *asked, "--open", "--service", "http://127.0.0.1:9/")
    assert (ran.code, ran.out) == (0, "")
    parts = urlsplit(opened())
    assert (parts.netloc, parts.path) == ("127.0.0.1:9", "/")
    assert parse_qs(parts.query) == {
        "view": ["connect"], "from": ["COSLA"], "to": ["Finance"], "max_hops": ["6"], "limit": ["10"],
        "mode": ["shortest"], "via": ["A & B", "C"], "since": ["2018"],
    }  # fmt: skip
    assert opened() in ran.err


@pytest.mark.parametrize("given", [["--service", "http://127.0.0.1:9"], ["--open", "--service", "file:///etc/hosts"]])
def test_a_service_to_open_is_an_address_and_goes_with_open(kg: Run, given: list[str]) -> None:
    assert "--service: takes an http(s) address" in _one_line(kg("connect", "COSLA", "Finance", *given))


@pytest.mark.slow
@pytest.mark.usefixtures("built_front_end")
def test_a_connection_is_served_and_opened_until_it_is_told_to_stop(
    release_folder: Path, tmp_path: Path, opened: Callable[[], str]
) -> None:
    command = [sys.executable, "-m", "kg", "connect", "COSLA", "Distrust between professions", "--format", "json"]
    command += ["--open", "--release", str(release_folder)]
    # Files, because a pipe that nobody reads would hold the command up before it opens anything.
    with (
        (tmp_path / "out").open("w") as out,
        (tmp_path / "err").open("w") as err,
        subprocess.Popen(command, stdout=out, stderr=err) as process,
    ):
        try:
            address = urlsplit(opened())
            with urllib.request.urlopen(address.geturl(), timeout=20) as page:
                assert "explorer.js" in page.read().decode()
            with urllib.request.urlopen(
                address._replace(path="/api/connections").geturl().replace("view=connect&", ""), timeout=20
            ) as answer:
                served = json.load(answer)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)
    assert process.returncode in (0, 130)
    assert "Traceback" not in (tmp_path / "err").read_text()
    assert json.loads((tmp_path / "out").read_text()) == served


def test_a_description_shows_links_in_both_directions_with_their_basis(kg: Run, release_folder: Path) -> None:
    ran = kg("describe", "Data not shared safely", "--release", release_folder)
    assert ran.out.startswith("Data not shared safely (barrier:as2018-data-sharing, pev:Barrier)\n")
    assert "  → blocks Strategic planning (theme:strategic-planning, pev:Theme) [said]\n" in ran.out
    assert re.search(r"^  ← addresses .* \[said\]$", ran.out, re.MULTILINE)


def test_a_search_that_finds_nothing_says_so(kg: Run, release_folder: Path) -> None:
    ran = kg("search", "xyzzyxq", "--release", release_folder)
    assert (ran.code, ran.out) == (0, "nothing found\n")


# What goes wrong


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["describe", "Audit Skotland"], ["Audit Skotland", "Audit Scotland (agent:audit-scotland)"]),
        (["describe", "Effective strategic planning for improvement"], ["Ambiguous", "strategic-planning"]),
        (["connect", "COSLA", "Finanse"], ["to: 'Finanse'", "theme:finance"]),
        (["connect", "COSLA", "Finance", "--basis", "guessed"], ["basis", "guessed", "inferred"]),
        (["connect", "COSLA", "Finance", "--limit", "0"], ["limit", "0", "between"]),
        (["ask", "nonesuch"], ["nonesuch"]),
        (["ask", "barriers-blocking-theme"], ["theme", "missing", "pev:Theme"]),
        (["ask", "barriers-blocking-theme", "theme=agent:cosla"], ["theme", "pev:Theme", "agent:cosla"]),
        (["ask", "barriers-blocking-theme", "topic=Finance"], ["topic", "theme"]),
        (["ask", "items-of-year", "year=soon"], ["year", "soon", "xsd:gYear"]),
        (["search", "finance", "--type", "pev:Nonesuch"], ["type", "pev:Nonesuch"]),
        (["sparql", "SELEC ?s"], ["syntax", "line 1, column"]),
        (["sparql", "CLEAR ALL"], ["Forbidden", "read-only"]),
        (["sparql", "SELECT * { SERVICE <http://127.0.0.1:1/> {} }"], ["SERVICE", "KG_SERVICE_ALLOWED"]),
        (["sparql", SELECT, "--format", "turtle"], ["turtle"]),
        (["sparql", "SELECT * {\n ?s nope:x 1 }"], ["line 2, column 5: the prefix nope: is not declared"]),
        (["sparql", "-f", "nonesuch.rq"], ["nonesuch.rq: cannot be read: No such file or directory."]),
        (["sparql", "-f", "/dev"], ["/dev: cannot be read: Is a directory."]),
        (["describe", "\udcff"], ["UTF-8"]),
        (["verify", "--texts", "/nonesuch"], ["/nonesuch", "folder"]),
        (["verify"], ["--texts"]),
        (["export", "csv", "--out", "/nonesuch/links.csv"], ["done: /nonesuch/links.csv: No such file or directory"]),
    ],
)
def test_an_error_names_its_cause_in_one_line(
    kg: Run, release_folder: Path, arguments: list[str], parts: list[str]
) -> None:
    line = _one_line(kg(*arguments, "--release", release_folder))
    for part in parts:
        assert part in line


def _missing(folder: Path) -> str:
    shutil.rmtree(folder)
    return "holds no whole release"


def _foreign(folder: Path) -> str:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "letter.txt").write_text("nothing to do with it", encoding="utf-8")
    return "holds no whole release"


def _of_another_format(folder: Path) -> str:
    (folder / "manifest.json").write_text('{"format": 99}', encoding="utf-8")
    return "format 99"


def _with_a_broken_manifest(folder: Path) -> str:
    (folder / "manifest.json").write_text('{"format"', encoding="utf-8")
    return "manifest.json"


def _with_an_empty_manifest(folder: Path) -> str:
    (folder / "manifest.json").write_text(f'{{"format": {FORMAT_VERSION}}}', encoding="utf-8")
    return "manifest.json"


def _without_a_store(folder: Path) -> str:
    shutil.rmtree(folder / "store")
    return "store"


def _with_a_broken_store(folder: Path) -> str:
    (folder / "store" / "CURRENT").write_text("garbage", encoding="utf-8")
    return "store"


def _without_an_index(folder: Path) -> str:
    (folder / "search.sqlite").unlink()
    return "search.sqlite"


def _with_a_broken_index(folder: Path) -> str:
    (folder / "search.sqlite").write_text("garbage", encoding="utf-8")
    return "search.sqlite"


def _without_links(folder: Path) -> str:
    shutil.rmtree(folder / "links")
    return "links"


def _a_file(folder: Path) -> str:
    shutil.rmtree(folder)
    folder.write_text("no folder at all", encoding="utf-8")
    return "release"


@pytest.mark.parametrize(
    "damage",
    [
        _missing,
        _foreign,
        _of_another_format,
        _with_a_broken_manifest,
        _with_an_empty_manifest,
        _without_a_store,
        _with_a_broken_store,
        _without_an_index,
        _with_a_broken_index,
        _without_links,
        _a_file,
    ],
)
def test_a_release_that_cannot_be_opened_is_one_line(
    kg: Run, release_folder: Path, tmp_path: Path, damage: Callable[[Path], str]
) -> None:
    folder = tmp_path / "release"
    shutil.copytree(release_folder, folder)
    part = damage(folder)
    for command in (["ask", "contradictions"], ["serve", "--port", "0"], ["export", "nquads"]):
        line = _one_line(kg(*command, "--release", folder))
        assert str(folder) in line
        assert part in line


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is locked for the superuser")
@pytest.mark.parametrize("part", ["", "links", "store"])
def test_a_locked_release_is_one_line(kg: Run, release_folder: Path, tmp_path: Path, part: str) -> None:
    folder = tmp_path / "release"
    shutil.copytree(release_folder, folder)
    (folder / part).chmod(0)
    try:
        for command in (["ask", "contradictions"], ["serve", "--port", "0"]):
            assert "ermission denied" in _one_line(kg(*command, "--release", folder))
    finally:
        (folder / part).chmod(0o755)


def test_a_taken_port_is_one_line_and_said_before_anything_is_built(kg: Run, tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = _one_line(kg("serve", "--port", port, "--workspace", workspace.root))
    assert f"port {port}" in line
    assert "--port" in line
    assert not (workspace.root / "build").exists()


def test_an_address_that_is_not_ours_is_one_line(kg: Run, release_folder: Path) -> None:
    line = _one_line(kg("serve", "--host", "192.0.2.1", "--port", "0", "--release", release_folder))
    assert "192.0.2.1" in line


@pytest.mark.slow
def test_the_reader_may_leave_before_the_end(release_folder: Path) -> None:
    for command in (["export", "nquads"], ["ask", "items-of-year", "year=2018"], ["ask", "--format", "json"]):
        arguments = [sys.executable, "-m", "kg", *command, "--release", str(release_folder)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            complaint = process.stderr.read().decode()
        assert (process.returncode, complaint) == (0, ""), command


# Building and checking


def test_a_build_prints_the_release_first_and_then_its_counts(kg: Run, tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    out = tmp_path / "release"
    ran = kg("build", "--workspace", workspace.root, "--out", out, "--check", "none")
    assert ran.code == 0
    first, *counts = ran.out.splitlines()
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert first == f"release {manifest['release']}"
    assert dict(line.rsplit(" ", 1) for line in counts) == {k: str(v) for k, v in manifest["counts"].items()}


def test_a_build_into_a_foreign_folder_is_refused_and_leaves_it_alone(kg: Run, tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    (tmp_path / "letters").mkdir()
    letter = tmp_path / "letters" / "letter.txt"
    letter.write_text("dear reader", encoding="utf-8")
    arguments = ["build", "--workspace", workspace.root, "--out", letter.parent, "--check", "none"]
    assert "letters" in _one_line(kg(*arguments))
    assert [path.name for path in letter.parent.iterdir()] == ["letter.txt"]


def test_a_file_that_does_not_parse_is_one_line_with_file_and_line(kg: Run, tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    file = text_file(workspace.root)
    edit(file, 'rdfs:label "Reform in Elsewhere"@en .', 'rdfs:label "Reform in Elsewhere"@en ,,, .')
    line = 1 + file.read_text(encoding="utf-8").partition(",,,")[0].count("\n")
    said = _one_line(kg("build", "--workspace", workspace.root))
    assert f"graph/sources/elsewhere.trig:{line}: does not parse" in said
    assert not list((workspace.root / "build").glob("*/manifest.json"))


@pytest.mark.slow
def test_a_violation_is_said_in_plain_words_and_exits_with_1(kg: Run, tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    good = kg("check", "--workspace", workspace.root)
    assert good.code == 0, good.out
    assert re.fullmatch(r"0 violations, \d+ to look at", good.out.splitlines()[-1])
    edit(text_file(workspace.root), '    pev:paraphrase "Too many posts stand empty."@en ;\n', "")
    bad = kg("check", "--workspace", workspace.root)
    assert bad.code == 1
    assert "graph/sources/elsewhere.trig" in bad.out
    assert re.fullmatch(r"[1-9]\d* violations?, \d+ to look at", bad.out.splitlines()[-1])
    as_json = kg("check", "--workspace", workspace.root, "--format", "json")
    assert as_json.code == 1
    assert {row["severity"] for row in json.loads(as_json.out)["results"]} >= {"violation"}
    built = kg("build", "--workspace", workspace.root)
    assert (built.code, built.out) == (1, "")
    assert "nothing was published" in built.err.splitlines()[-1]


@pytest.mark.slow
def test_a_command_builds_what_is_missing_or_stale_and_its_json_stays_pure(kg: Run, tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    arguments = ["describe", "Empty posts in Elsewhere", "--format", "json", "--workspace", workspace.root]
    first = json.loads(kg(*arguments).out)
    assert json.loads(kg(*arguments).out) == first
    edit(text_file(workspace.root), "Too many posts stand empty.", "Every second post stands empty.")
    second = json.loads(kg(*arguments).out)
    assert (first["says"], second["says"]) == ("Too many posts stand empty.", "Every second post stands empty.")
    assert second["release"] != first["release"]


@pytest.mark.slow
def test_a_new_workspace_can_be_built_at_once_and_filled(kg: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    ran = kg("init", folder)
    assert ran.code == 0
    assert f"kg build --workspace {folder}" in ran.out
    assert sorted(path.name for path in folder.iterdir()) == ["graph", "ontology", "queries"]
    built = kg("build", "--workspace", folder)
    assert built.code == 0, built.err
    assert built.out.startswith("release ")
    found = kg("search", "finance", "--type", "pev:Theme", "--workspace", folder)
    assert found.out.startswith("Finance (theme:finance, pev:Theme)\n")


def test_init_touches_nothing_that_is_there(kg: Run, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("dear reader", encoding="utf-8")
    assert "not empty" in _one_line(kg("init", tmp_path))
    assert str(file) in _one_line(kg("init", file))
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    assert file.read_text(encoding="utf-8") == "dear reader"


def test_a_folder_that_is_no_workspace_is_one_line(kg: Run, tmp_path: Path) -> None:
    assert "ontology, graph, queries missing" in _one_line(kg("build", "--workspace", tmp_path))


# Evidence


TEXT = "Every second post of the harbour office has stood empty since spring.\n"


def _workspace_of_text(root: Path) -> Path:
    """Returns a new workspace whose one passage is the first forty characters of TEXT."""
    workspace = write_workspace(root)
    file, old = text_file(workspace.root), sha256("elsewhere")
    before, passage, after = file.read_text(encoding="utf-8").partition("a pev:Passage ;")
    content = before + passage + after.replace(old, sha256(TEXT[:40]), 1)
    file.write_text(content.replace(old, sha256(TEXT)).replace(old[:16], sha256(TEXT)[:16]), encoding="utf-8")
    return workspace.root


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the release of one invented text, and a folder of texts that holds it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    workspace = _workspace_of_text(folder / "workspace")
    done = _process("build", "--workspace", workspace, "--out", folder / "release", "--check", "none")
    assert done.returncode == 0, done.stderr
    (folder / "texts").mkdir()
    (folder / "texts" / "elsewhere.txt").write_text(TEXT, encoding="utf-8")
    return folder


def test_verify_counts_passages_that_are_right_and_those_whose_text_is_not_held(
    kg: Run, elsewhere: Path, tmp_path: Path
) -> None:
    held = kg("verify", "--texts", elsewhere / "texts", "--release", elsewhere / "release")
    assert (held.code, held.out) == (0, "passages ok 1, bad 0, text not held 0\n")
    not_held = kg("verify", "--texts", tmp_path, "--release", elsewhere / "release")
    assert (not_held.code, not_held.out) == (0, "passages ok 0, bad 0, text not held 1\n")


def test_verify_names_a_bad_passage_and_exits_with_1(kg: Run, elsewhere: Path, tmp_path: Path) -> None:
    workspace = _workspace_of_text(tmp_path / "workspace")
    edit(text_file(workspace), "oa:end 40", "oa:end 39")
    assert kg("build", "--workspace", workspace, "--out", tmp_path / "release", "--check", "none").code == 0
    ran = kg("verify", "--texts", elsewhere / "texts", "--release", tmp_path / "release")
    assert ran.code == 1
    first, last = ran.out.splitlines()
    assert re.fullmatch(r"bad https://\S+#char=0,40", first)
    assert last == "passages ok 0, bad 1, text not held 0"


def test_every_passage_of_the_five_texts_is_right(kg: Run, release_folder: Path, texts_folder: Path) -> None:
    ran = kg("verify", "--texts", texts_folder, "--release", release_folder)
    assert ran.code == 0
    assert re.fullmatch(r"passages ok [1-9]\d*, bad 0, text not held 0", ran.out.splitlines()[-1])


def test_a_quote_is_shown_when_the_text_is_held(kg: Run, elsewhere: Path) -> None:
    arguments = ["describe", "Empty posts in Elsewhere", "--release", elsewhere / "release"]
    assert "characters 0 to 40\n" in kg(*arguments).out
    assert f"characters 0 to 40: “{TEXT[:40]}”\n" in kg(*arguments, "--texts", elsewhere / "texts").out


def test_passage_prints_the_turtle_of_the_words_in_a_text(kg: Run, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("One ☕ day\nthe tide  came in.\n", encoding="utf-8")
    ran = kg("passage", text, "the tide came")
    assert ran.code == 0
    facts = {
        (q.predicate.value.rpartition("#")[2], getattr(q.object, "value", ""))
        for q in ox.parse(ran.out.encode(), format=ox.RdfFormat.TURTLE)
    }
    assert {("start", "10"), ("end", "24"), ("sha256", sha256("the tide  came"))} <= facts


@pytest.mark.parametrize(("words", "why"), [("a whale", "do not occur"), ("e", "occur 4 times"), ("", "do not occur")])
def test_words_that_do_not_stand_there_once_are_one_line(kg: Run, tmp_path: Path, words: str, why: str) -> None:
    text = tmp_path / "text.txt"
    text.write_text("One day the tide came", encoding="utf-8")
    assert why in _one_line(kg("passage", text, words))


def test_a_text_that_cannot_be_read_is_one_line(kg: Run, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    assert str(text) in _one_line(kg("passage", text, "words"))
    text.write_bytes(b"\xff\xfe")
    assert "UTF-8" in _one_line(kg("passage", text, "words"))


# Files


def test_format_writes_a_file_in_order_once(kg: Run, tmp_path: Path) -> None:
    file = tmp_path / "tide.ttl"
    file.write_text(
        "@prefix z: <http://example.org/z/> .\n@prefix agent: <https://w3id.org/policy-evidence/id/agent/> .\n"
        "agent:b z:p 2 . agent:a z:p 1 ; a z:C .\n",
        encoding="utf-8",
    )
    before = {str(quad) for quad in ox.parse(path=str(file), format=ox.RdfFormat.TURTLE)}
    assert kg("format", file).out == f"{file}: written anew\n"
    assert {str(quad) for quad in ox.parse(path=str(file), format=ox.RdfFormat.TURTLE)} == before
    written = file.read_text(encoding="utf-8")
    assert written.index("agent:a") < written.index("agent:b")
    assert kg("format", file).out == f"{file}: in order\n"
    assert file.read_text(encoding="utf-8") == written


def test_format_leaves_a_broken_file_as_it_is(kg: Run, tmp_path: Path) -> None:
    file = tmp_path / "tide.ttl"
    file.write_text("<http://x/a> <http://x/b>\n  ,, .\n", encoding="utf-8")
    assert f"{file}:2: does not parse" in _one_line(kg("format", file))
    assert file.read_text(encoding="utf-8") == "<http://x/a> <http://x/b>\n  ,, .\n"
    assert [path.name for path in tmp_path.iterdir()] == ["tide.ttl"]


@pytest.mark.parametrize(
    ("shape", "rdf"),
    [
        ("nquads", ox.RdfFormat.N_QUADS),
        ("trig", ox.RdfFormat.TRIG),
        ("jsonld", ox.RdfFormat.JSON_LD),
        ("turtle", ox.RdfFormat.TURTLE),
    ],
)
def test_an_export_holds_every_quad_or_every_triple_once(
    kg: Run, answers: Answers, release_folder: Path, tmp_path: Path, shape: str, rdf: ox.RdfFormat
) -> None:
    file = tmp_path / "export"
    assert kg("export", shape, "--release", release_folder, "--out", file) == Ran(0, "", "")
    counts = answers.release().counts
    found = {str(quad) for quad in ox.parse(path=str(file), format=rdf)}
    assert len(found) == counts["triples" if shape == "turtle" else "quads"]


def test_csv_and_parquet_hold_one_row_a_link(kg: Run, answers: Answers, release_folder: Path, tmp_path: Path) -> None:
    printed = kg("export", "csv", "--release", release_folder).out
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert list(rows[0]) == ["from", "to", "link", "basis", "origins"]
    assert len(rows) == answers.release().counts["links"]
    assert all(row[name].startswith("http") for row in rows for name in ("from", "to", "link"))
    assert kg("export", "parquet", "--release", release_folder, "--out", tmp_path / "links.parquet").code == 0
    frame = polars.read_parquet(tmp_path / "links.parquet")
    assert frame.columns == list(rows[0])
    assert frame["from"].to_list() == [row["from"] for row in rows]


# Settings


def test_settings_are_listed_with_value_unit_and_meaning(kg: Run) -> None:
    ran = kg("settings")
    assert [line.partition(" ")[0] for line in ran.out.splitlines()] == [s.variable for s in SETTINGS]
    assert "KG_QUERY_TIME_LIMIT_MS = 30000 (ms)  " in ran.out
    assert "KG_TEXTS = not set (folder)  " in ran.out


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(
    kg: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "kg.toml").write_text("max_rows = 7\nmax_nesting = 8\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KG_MAX_ROWS", "9")
    found = {row["variable"]: row["value"] for row in json.loads(kg("settings", "--format", "json").out)["results"]}
    assert (found["KG_MAX_ROWS"], found["KG_MAX_NESTING"], found["KG_KEEP_RELEASES"]) == (9, 8, 3)


@pytest.mark.parametrize("value", ["many", "0", "-1", "1.5", ""])
def test_a_setting_that_does_not_fit_is_one_line(kg: Run, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("KG_MAX_ROWS", value)
    line = _one_line(kg("settings"))
    assert "KG_MAX_ROWS" in line
    assert value in line


@pytest.mark.parametrize(("content", "part"), [("max_row = 1", "'max_row' is no setting"), ("max_rows =", "not TOML")])
def test_a_settings_file_that_is_wrong_is_one_line(
    kg: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, part: str
) -> None:
    (tmp_path / "kg.toml").write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    line = _one_line(kg("settings"))
    assert "kg.toml" in line
    assert part in line


def test_a_setting_bounds_what_is_printed_and_the_output_says_so(
    kg: Run, monkeypatch: pytest.MonkeyPatch, release_folder: Path
) -> None:
    monkeypatch.setenv("KG_MAX_ROWS", "2")
    ran = kg("ask", "recurring-themes", "--release", release_folder)
    assert ran.out.splitlines()[-1].startswith("2 rows (cut by KG_MAX_ROWS); release ")
