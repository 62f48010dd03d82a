"""From a file to the graph through the command line: ingest, review, record, correct, withdraw."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

import reports
from kg.cli import main
from kg.evidence import sha256
from kg.ingest.normal import view
from kg.names import PEV
from kg.release.build import build
from kg.release.opened import open_release
from kg.workspace import Settings, Workspace, init_workspace

Kg = Callable[..., "Done"]


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """A workspace without sources, and its release."""
    folder = tmp_path_factory.mktemp("empty") / "workspace"
    build(init_workspace(folder), settings)
    return folder


@pytest.fixture
def home(tmp_path: Path, empty: Path) -> Path:
    """A workspace without sources, and room beside it."""
    shutil.copytree(empty, tmp_path / "workspace", symlinks=True)
    return tmp_path


@dataclass(frozen=True)
class Done:
    """What a command printed."""

    stdout: str
    stderr: str


@pytest.fixture
def kg(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Kg:
    """Runs `kg` in a folder of its own, with a library of its own, in this process: to start one takes a second."""

    def run(*arguments: str, typed: str = "", code: int = 0, **settings: str) -> Done:
        with monkeypatch.context() as changed, pytest.raises(SystemExit) as left:
            changed.chdir(home)
            changed.setattr(sys, "argv", ["kg", *arguments, "--workspace", str(home / "workspace")])
            changed.setattr(sys, "stdin", io.StringIO(typed))
            for name, value in {"KG_LIBRARY": str(home / "library"), **settings}.items():
                changed.setenv(name, value)
            main()
        done = Done(*capfd.readouterr())
        assert (left.value.code or 0) == code, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def kg_process(home: Path) -> Kg:
    """Runs `kg` as a person does, in a process of its own."""

    def run(*arguments: str, typed: str = "") -> Done:
        command = [sys.executable, "-m", "kg", *arguments, "--workspace", str(home / "workspace")]
        environment = {**os.environ, "KG_LIBRARY": str(home / "library")}
        done = subprocess.run(
            command, cwd=home, env=environment, input=typed, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return Done(done.stdout, done.stderr)

    return run


def sheet_of(folder: Path, name: str) -> dict[str, Any]:
    return tomllib.loads((folder / f"{name}.candidates.toml").read_text(encoding="utf-8"))


def accepting(sheet: dict[str, Any], but: str = "") -> str:
    """What a person types to accept all candidates in words of their own, and to reject those of one kind."""
    lines = []
    for candidate in sheet["candidate"]:
        name = candidate["id"]
        lines += ["r"] if candidate["kind"] == but else ["a", f"Point {name}", f"What it says, in short: point {name}."]
    return "\n".join(lines) + "\n"


@pytest.mark.slow
def test_reports_go_from_their_files_to_a_published_release(home: Path, kg_process: Kg) -> None:
    made = {"pdf": reports.pdf_report(), "docx": reports.docx_report(), "html": reports.html_report()}
    for ending, content in made.items():
        (home / f"{ending}-report.{ending}").write_bytes(content)
    lines = kg_process(
        "ingest", *(f"{e}-report.{e}" for e in made), "--out", "out", "--format", "json"
    ).stdout.splitlines()
    told = {told["document"]["file"]: told for told in map(json.loads, lines)}

    for name, one in told.items():
        document = one["document"]
        assert (document["title"], document["publisher"], document["date"]) == (
            reports.TITLE,
            reports.OFFICE,
            "2024-03-12",
        )
        text = (home / "library" / f"{one['text_sha256'][:16]}.txt").read_bytes().decode()
        passages = [text[c["start"] : c["end"]] for c in one["candidates"]]
        assert [c["sha256"] for c in one["candidates"]] == [sha256(passage) for passage in passages]
        assert {c["kind"] for c in one["candidates"]} >= {"KeyMessage", "Barrier", "Recommendation", "Finding"}, name
        # Words that a line end or a ligature breaks up, a column beside another and a table all give items.
        read = [view(passage).text for passage in passages]
        for words in (
            "only four districts had a plan",
            "difficult for firms",
            reports.RIGHT[1].split(".")[0],
            *reports.ROWS[0][:2],
            reports.BOX,
        ):
            assert any(words in passage for passage in read), (name, words)
        assert not any("figures are those of the ministry" in passage for passage in read), name

    kg_process("review", "out", typed="".join(accepting(sheet_of(home / "out", f"{e}-report")) for e in sorted(made)))
    written = [path.read_text() for path in sorted((home / "workspace" / "graph" / "sources").glob("*.trig"))]
    items = sum(len(one["candidates"]) for one in told.values())
    asked = kg_process(
        "sparql", "SELECT (COUNT(DISTINCT ?i) AS ?n) WHERE { ?i pev:statedIn ?d ; pev:evidence ?p }", "--format", "csv"
    )

    assert asked.stdout.split() == ["n", str(items)]
    assert " 0 violations" in f" {kg_process('check').stdout.splitlines()[-1]}"
    assert kg_process("verify", "--texts", "library").stdout.splitlines()[-1].endswith("bad 0, text not held 0")
    assert len(written) == 3 and not any(message in text for message in reports.MESSAGES for text in written)


def test_a_review_resumes_where_it_stopped_and_undoes(home: Path, kg: Kg) -> None:
    (home / "r.html").write_bytes(reports.html_report())
    kg("ingest", "r.html", "--out", "out")
    first, second, *_ = (c["id"] for c in sheet_of(home / "out", "r")["candidate"])

    stopped = kg("review", "out", typed="a\nGist\nIn our own words.\nr\nu\n")
    decided = {c["id"]: c["decision"] for c in sheet_of(home / "out", "r")["candidate"]}
    resumed = kg("review", "out", typed="")

    assert "undone: reject" in stopped.stdout
    assert (decided[first], decided[second]) == ("accepted", "open")
    assert f"\n{second} " in resumed.stdout and f"\n{first} " not in resumed.stdout
    assert not list((home / "workspace" / "graph" / "sources").iterdir())


def test_words_of_the_source_are_not_taken_for_a_paraphrase(home: Path, kg: Kg) -> None:
    (home / "r.html").write_bytes(reports.html_report())
    kg("ingest", "r.html", "--out", "out")

    done = kg("review", "out", typed=f"a\nGist\n{reports.MESSAGES[0]}\nOur own words.\n")

    assert "in your own words, please" in done.stdout
    assert sheet_of(home / "out", "r")["candidate"][0]["paraphrase"] == "Our own words."


def test_what_is_edited_by_hand_in_the_sheet_is_recorded_the_same_each_time(home: Path, kg: Kg) -> None:
    (home / "r.html").write_bytes(reports.html_report())
    kg("ingest", "r.html", "--out", "out")
    path = home / "out" / "r.candidates.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('decision = "open"', 'decision = "accepted"', 2), encoding="utf-8"
    )

    kg("record", "out")
    source = home / "workspace" / "graph" / "sources" / "r.trig"
    once = source.read_bytes()
    kg("record", "out")

    assert source.read_bytes() == once
    kinds = [
        q.object.value
        for q in ox.parse(once, format=ox.RdfFormat.TRIG)
        if q.predicate.value.endswith("#attributionMode")
    ]
    assert len(kinds) == 2


def test_a_corrected_version_carries_over_what_still_stands_and_lists_the_rest(home: Path, kg: Kg) -> None:
    page = reports.html_report().decode()
    (home / "r.html").write_text(page, encoding="utf-8")
    kg("ingest", "r.html", "--out", "out")
    kg("review", "out", typed=accepting(sheet_of(home / "out", "r")))
    before = {c["label"]: c for c in sheet_of(home / "out", "r")["candidate"]}

    changed = page.replace("Costs per home rose", "After a recount, costs per home rose").replace(
        "<h1>", "<p>Second edition, corrected.</p><h1>"
    )
    (home / "r.html").write_text(changed, encoding="utf-8")
    done = kg("ingest", "r.html", "--out", "out")
    sheet = sheet_of(home / "out", "r")
    kept = {c["label"]: c for c in sheet["candidate"] if c["decision"] == "accepted"}

    assert f"{len(before) - 1} decisions carried over, 1 without their passage" in done.stdout
    assert [orphan["sha256"] for orphan in sheet["orphan"]] == [before["Point c1"]["sha256"]]
    assert all(kept[label]["sha256"] == before[label]["sha256"] for label in kept)
    assert all(kept[label]["iri"] == before[label]["iri"] for label in kept)
    listed = kg("review", "out", typed="")
    assert "was: The programme reached" in listed.stdout and "now perhaps: " in listed.stdout
    kg("record", "out")
    assert (
        kg("verify", "--texts", "library")
        .stdout.splitlines()[-1]
        .startswith(f"passages ok {len({c['start'] for c in kept.values()})}, bad 0")
    )


def test_a_withdrawn_source_takes_its_two_graphs_and_says_what_falls(home: Path, kg: Kg) -> None:
    (home / "r.html").write_bytes(reports.html_report())
    kg("ingest", "r.html", "--out", "out")
    kg("review", "out", typed=accepting(sheet_of(home / "out", "r")))
    source = home / "workspace" / "graph" / "sources" / "r.trig"

    listed = kg("withdraw", "r")
    assert source.exists() and "falls: barrier:r-" in listed.stdout
    kg("withdraw", "r", "--yes")

    assert not source.exists()
    assert kg("sparql", "SELECT ?i WHERE { ?i pev:statedIn ?d }", "--format", "csv").stdout.split() == ["i"]


def test_twice_the_same_file_gives_twice_the_same_bytes(home: Path, kg: Kg) -> None:
    (home / "r.pdf").write_bytes(reports.pdf_report())

    kg("ingest", "r.pdf", "--out", "one")
    kg("ingest", "r.pdf", "--out", "other", KG_LIBRARY=str(home / "second"))

    one, other = (home / name / "r.candidates.toml" for name in ("one", "other"))
    assert one.read_text().replace("kg review one", "kg review other") == other.read_text()
    assert [p.read_bytes() for p in sorted((home / "library").glob("*.*"))] == [
        p.read_bytes() for p in sorted((home / "second").glob("*.*"))
    ]


def test_neither_candidates_nor_texts_may_lie_in_the_workspace(home: Path, kg: Kg) -> None:
    (home / "r.html").write_bytes(reports.html_report())

    inside = kg("ingest", "r.html", "--out", str(home / "workspace" / "graph" / "out"), code=1)
    library = kg("ingest", "r.html", "--out", "out", code=1, KG_LIBRARY=str(home / "workspace" / "texts"))

    assert "lies in the workspace" in inside.stderr and "lies in the workspace" in library.stderr
    assert not (home / "out").exists()


def test_a_review_that_is_killed_has_lost_nothing_that_was_accepted(home: Path, kg: Kg) -> None:
    (home / "r.html").write_bytes(reports.html_report())
    kg("ingest", "r.html", "--out", "out")
    command = [sys.executable, "-m", "kg", "review", "out", "--workspace", str(home / "workspace")]
    environment = {**os.environ, "KG_LIBRARY": str(home / "library"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=home, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("a\nFirst gist\nIn short, the first.\na\nSecond gist\nIn short, the second.\n")
        process.stdin.flush()
        third = sheet_of(home / "out", "r")["candidate"][2]["id"]
        while not process.stdout.readline().startswith(f"{third} "):
            pass
        process.kill()

    decided = [(c["decision"], c["label"]) for c in sheet_of(home / "out", "r")["candidate"][:3]]
    assert decided[:2] == [("accepted", "First gist"), ("accepted", "Second gist")] and decided[2][0] == "open"
    resumed = kg("review", "out", typed="u\n")
    assert f"\n{third} " in resumed.stdout and "undone: accept" in resumed.stdout


def test_an_ingest_that_is_killed_resumes_and_leaves_nothing_half_written(home: Path, kg: Kg) -> None:
    for number in range(6):
        (home / f"r{number}.html").write_text(
            reports.html_report().decode().replace("Warm homes", f"Warm homes {number}")
        )
    command = [sys.executable, "-m", "kg", "ingest", str(home), "--out", "out", "--workspace", str(home / "workspace")]
    environment = {**os.environ, "KG_LIBRARY": str(home / "library")}
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()

    for path in (home / "out").glob("*.candidates.toml"):
        held_text = tomllib.loads(path.read_text(encoding="utf-8"))["document"]["text_sha256"]
        assert (home / "library" / f"{held_text[:16]}.txt").is_file()
    done = kg("ingest", *(f"r{number}.html" for number in range(6)), "--out", "out").stdout
    assert len(list((home / "out").glob("*.candidates.toml"))) == 6
    assert "1 read before" in done.splitlines()[-1] or "read before" in done


# What is there at a moment of a record, in the order in which it comes.
MOMENTS = {
    "its shadow is begun": "workspace/build/.writing-*",
    "its plan is written": "workspace/build/.writing-*/write.json",
    "the file is in its place": "workspace/graph/sources/r.trig",
}
# Runs the command and kills it as soon as it does anything with a file when that is there.
KILLED = """
import os, signal, sys
from pathlib import Path
from kg.cli import main

moment, looking = sys.argv.pop(1), False

def look(event, _):
    global looking
    if not looking and event in {"open", "os.mkdir", "os.rename", "os.remove"}:
        looking = True
        if any(Path.cwd().glob(moment)):
            os.kill(os.getpid(), signal.SIGKILL)
        looking = False

sys.addaudithook(look)
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_record_that_is_killed_loses_nothing_and_leaves_nothing_half_written(
    home: Path, kg: Kg, settings: Settings, moment: str
) -> None:
    (home / "r.html").write_bytes(reports.html_report())
    kg("ingest", "r.html", "--out", "out")
    path = home / "out" / "r.candidates.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('decision = "open"', 'decision = "accepted"', 2), encoding="utf-8"
    )
    command = [sys.executable, "-c", KILLED, MOMENTS[moment], "record", "out", "--workspace", str(home / "workspace")]
    environment = {**os.environ, "KG_LIBRARY": str(home / "library")}
    killed = subprocess.run(command, cwd=home, env=environment, stdout=subprocess.DEVNULL, check=False)
    source = home / "workspace" / "graph" / "sources" / "r.trig"
    left = source.read_bytes() if source.exists() else None

    assert killed.returncode == -signal.SIGKILL
    assert (left is not None) is (moment == "the file is in its place")
    assert [c["decision"] for c in sheet_of(home / "out", "r")["candidate"]].count("accepted") == 2
    kg("record", "out")
    assert left in (None, source.read_bytes())
    assert [p.name for p in source.parent.iterdir()] == ["r.trig"]
    assert not list(home.glob(MOMENTS["its shadow is begun"]))
    opened = open_release(Workspace(home / "workspace").releases(settings))
    try:
        found = opened.source.select(f"SELECT ?i WHERE {{ ?i <{PEV}statedIn> ?d }}").rows
    finally:
        opened.close()
    assert sorted(str(item) for (item,) in found) == sorted(
        f"<{c['iri']}>" for c in sheet_of(home / "out", "r")["candidate"] if c["decision"] == "accepted"
    )
