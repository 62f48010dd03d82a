"""Files become a release: the same one for the same files, whole or not at all."""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import DataError, ReleaseError
from kg.names import CODE, DCTERMS, GENID, GRAPH, INFERRED_GRAPH, PEV
from kg.release.build import Built, Violations, build, check
from kg.release.directory import current_release, fresh_release
from kg.release.opened import Release, open_release
from kg.workspace import Settings, Workspace, init_workspace, open_workspace
from workspaces import (
    AFFECTS,
    BARRIER,
    BLOCKS,
    FINANCE,
    RECOMMENDATION,
    WORKFORCE,
    add,
    edit,
    invented_text,
    text_file,
    turtle,
    write_workspace,
)


@pytest.fixture
def invented(tmp_path: Path) -> Workspace:
    return write_workspace(tmp_path / "workspace")


def judged(triples: str) -> str:
    """Returns TriG that adds to what is judged of the invented text."""
    return f"graph:curated-elsewhere {{ {triples} }}\n"


def release_id(workspace: Workspace, settings: Settings) -> str:
    """Returns the id of the release of a workspace, unchecked."""
    return build(workspace, settings, check="none").directory.id


def command(workspace: Workspace, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "kg", "build", "--workspace", str(workspace.root), *arguments]


def started(workspace: Workspace, **environment: str) -> subprocess.Popen[str]:
    """Returns a build that runs in a process of its own."""
    return subprocess.Popen(
        command(workspace, "--check", "none"),
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def values(release: Release, query: str) -> list[tuple[str, ...]]:
    rows = release.source.select(query).rows
    return [tuple(str(getattr(term, "value", "")) for term in row) for row in rows]


def opened(workspace: Workspace, settings: Settings) -> Release:
    return open_release(build(workspace, settings, check="none").directory.root)


# The same files, the same release


def contents(release: Path) -> dict[str, object]:
    """Returns what the files of a release hold, apart from the store and from when it was built."""
    with closing(sqlite3.connect(release / "search.sqlite")) as index:
        dump = list(index.iterdump())
    whole = [
        "manifest.json",
        "context.jsonld",
        *(f"links/{path.name}" for path in sorted((release / "links").iterdir())),
    ]
    return {"search.sqlite": dump, **{name: (release / name).read_bytes() for name in whole}}


@pytest.mark.slow
def test_two_builds_in_two_folders_and_processes_give_the_same_release(tmp_path: Path) -> None:
    places = [tmp_path / "here", tmp_path / "quite" / "another" / "place"]
    first_lines, found = [], []
    for seed, place in enumerate(places, start=1):
        workspace = write_workspace(place)
        environment = {**os.environ, "PYTHONHASHSEED": str(seed), "TZ": f"UTC+{seed}", "LC_ALL": "C"}
        done = subprocess.run(
            command(workspace, "--check", "none"), env=environment, capture_output=True, text=True, check=True
        )
        first_lines.append(done.stdout.splitlines()[0])
        release = current_release(place / "build")
        assert release is not None
        assert done.stdout.startswith(f"release {release.id}\n")
        found.append(contents(release.root))

    assert first_lines[0] == first_lines[1]
    assert found[0] == found[1]


@pytest.mark.slow
def test_this_repository_builds_to_the_same_release_elsewhere(
    tmp_path: Path, workspace: Workspace, release_folder: Path
) -> None:
    for part in ("ontology", "graph", "queries"):
        shutil.copytree(workspace.root / part, tmp_path / part)
    out = tmp_path / "out"
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    subprocess.run(command(open_workspace(tmp_path), "--check", "none", "--out", str(out)), env=environment, check=True)

    assert contents(out) == contents(release_folder)


def test_when_and_from_which_commit_stand_beside_the_release_and_not_in_its_id(
    invented: Workspace, settings: Settings
) -> None:
    directory = build(invented, settings, check="none").directory
    assert {"built", "commit", "checked"} <= set(directory.build_info)
    assert not {"built", "commit", "checked"} & set(directory.manifest)


def test_a_comment_keeps_the_id(invented: Workspace, settings: Settings) -> None:
    before = release_id(invented, settings)
    add(text_file(invented.root), "\n# A comment changes nothing that is said.\n")
    assert release_id(invented, settings) == before


def test_the_order_in_which_a_file_says_things_keeps_the_id(invented: Workspace, settings: Settings) -> None:
    before = release_id(invented, settings)
    path = text_file(invented.root)
    quads = list(ox.parse(path=str(path), format=ox.RdfFormat.TRIG))
    random.Random(7).shuffle(quads)
    path.write_bytes(ox.serialize(quads, format=ox.RdfFormat.TRIG) or b"")
    assert release_id(invented, settings) == before


def test_a_changed_triple_changes_the_id(invented: Workspace, settings: Settings) -> None:
    before = release_id(invented, settings)
    edit(text_file(invented.root), "Too many posts stand empty.", "Far too many posts stand empty.")
    assert release_id(invented, settings) != before


def test_a_triple_moved_from_judged_to_said_changes_the_id(invented: Workspace, settings: Settings) -> None:
    before = release_id(invented, settings)
    path = text_file(invented.root)
    edit(path, "barrier:elsewhere-empty-posts pev:affects theme:finance ;\n        pev:hasTheme theme:workforce .", "")
    edit(
        path,
        "pev:blocks theme:workforce ;",
        "pev:blocks theme:workforce ; pev:affects theme:finance ; pev:hasTheme theme:workforce ;",
    )
    assert release_id(invented, settings) != before


def test_a_changed_question_changes_the_id(invented: Workspace, settings: Settings) -> None:
    before = release_id(invented, settings)
    add(invented.root / "queries" / "labels.rq", "# Another byte, another question.\n")
    assert release_id(invented, settings) != before


def test_a_changed_rule_changes_the_id_only_through_what_it_derives(invented: Workspace, settings: Settings) -> None:
    before = release_id(invented, settings)
    rule = invented.root / "ontology" / "rules" / "r2-affects.rq"
    add(rule, "# A comment derives nothing.\n")
    assert release_id(invented, settings) == before
    rule.unlink()
    assert release_id(invented, settings) != before


def test_blank_nodes_get_the_same_iris_however_a_file_names_them(invented: Workspace, settings: Settings) -> None:
    path = text_file(invented.root)
    before = path.read_text(encoding="utf-8")
    pattern = (
        "graph:source-elsewhere {{ doc:elsewhere-report dcterms:source _:{0}, _:{1} ."
        " _:{0} rdfs:label 'x' ; rdfs:seeAlso _:{1} . }}\n"
    )
    ids = set()
    for names in (("a", "b"), ("z", "a")):
        path.write_text(before + pattern.format(*names), encoding="utf-8")
        ids.add(release_id(invented, settings))
    assert len(ids) == 1

    release = opened(invented, settings)
    found = values(release, "SELECT DISTINCT ?x WHERE { doc:elsewhere-report dcterms:source ?x }")
    assert len(found) == 2 and all(name.startswith(GENID + "elsewhere/") for (name,) in found)
    assert not release.source.ask("ASK { ?s ?p ?o FILTER(isBlank(?s) || isBlank(?o)) }")


def test_blank_nodes_of_two_texts_stay_two_things(tmp_path: Path, settings: Settings) -> None:
    workspace = write_workspace(tmp_path / "workspace", "elsewhere", "nowhere")
    for slug in ("elsewhere", "nowhere"):
        add(text_file(workspace.root, slug), f"graph:source-{slug} {{ [] rdfs:label 'nameless' }}\n")
    found = values(opened(workspace, settings), "SELECT ?s WHERE { ?s rdfs:label 'nameless' } ORDER BY ?s")
    assert [name.removeprefix(GENID).partition("/")[0] for (name,) in found] == ["elsewhere", "nowhere"]


# Files that cannot be read


BROKEN_FILES = [
    ("graph/sources/elsewhere.trig", "pev:blocks theme:workforce ;", "pev:blocks nosuch:workforce ;", "nosuch:"),
    ("graph/sources/elsewhere.trig", "pev:blocks theme:workforce ;", "pev:blocks theme:workforce", "expected"),
    ("graph/entities.ttl", "place:elsewhere a", "place:elsewhere a a", "."),
    ("graph/entities.ttl", "place:elsewhere a", "<not an iri> a", "IRI"),
    ("ontology/codes.ttl", "graph:codes a", "graph:codes §", "."),
    ("ontology/context.jsonld", '"@context"', '"@context"]', ""),
    ("ontology/rules/r2-affects.rq", "CONSTRUCT {", "CONSTRUCT [", "cannot stand here"),
    ("queries/labels.rq", "#+ column kind:", "#+ column kind", "#+ key"),
]


@pytest.mark.parametrize(("name", "old", "new", "expected"), BROKEN_FILES, ids=lambda value: str(value)[:40])
def test_a_file_that_does_not_parse_is_named_with_its_line_and_nothing_is_published(
    invented: Workspace, settings: Settings, name: str, old: str, new: str, expected: str
) -> None:
    before = build(invented, settings, check="none").directory
    path = invented.root / name
    line = path.read_text(encoding="utf-8").partition(old)[0].count("\n") + 1
    edit(path, old, new)

    with pytest.raises(DataError) as error:
        build(open_workspace(invented.root), settings, check="none")

    assert str(error.value.path) == name
    assert error.value.line is not None and line <= error.value.line <= line + 1
    assert str(error.value).startswith(f"{name}:{error.value.line}: ")
    assert expected in str(error.value)
    assert_only_release_is(before.root)


def assert_only_release_is(root: Path) -> None:
    """Nothing but that release stands in its folder, and it is the current one."""
    assert sorted(path.name for path in root.parent.iterdir()) == sorted([root.name, "current"])
    current = current_release(root.parent)
    assert current is not None and current.root == root


@pytest.mark.parametrize(
    "name",
    ["graph/sources/elsewhere.trig", "graph/entities.ttl", "queries/labels.rq", "ontology/rules/r2-affects.rq",
     "ontology/context.jsonld"],
)  # fmt: skip
def test_a_file_that_is_not_utf8_is_named(invented: Workspace, settings: Settings, name: str) -> None:
    path = invented.root / name
    path.write_bytes(path.read_bytes().replace(b" ", b" \xff", 1))
    with pytest.raises(DataError) as error:
        build(open_workspace(invented.root), settings, check="none")
    assert str(error.value.path) == name


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are listed under /proc on Linux only")
def test_a_build_that_fails_has_closed_its_store_before_it_removes_it(invented: Workspace, settings: Settings) -> None:
    edit(invented.root / "ontology" / "rules" / "r2-affects.rq", "CONSTRUCT {", "CONSTRUCT [")
    with pytest.raises(DataError) as error:
        build(invented, settings, check="none")
    assert error.value.__cause__ is not None, "an error behind the error holds on to frames of its own"
    # The engine's own threads may take a moment longer to let go.
    for _ in range(50):
        held = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        if not [name for name in held if str(invented.root) in name]:
            return
        gc.collect()
        time.sleep(0.1)
    pytest.fail(f"still open: {held}")


def test_a_rule_that_is_no_construct_is_refused(invented: Workspace, settings: Settings) -> None:
    (invented.root / "ontology" / "rules" / "r9.rq").write_text("SELECT * WHERE { ?s ?p ?o }", encoding="utf-8")
    with pytest.raises(DataError, match=r"ontology/rules/r9\.rq: a CONSTRUCT"):
        build(invented, settings, check="none")


def test_a_missing_program_query_is_named(invented: Workspace, settings: Settings) -> None:
    (invented.root / "queries" / "links.rq").unlink()
    with pytest.raises(DataError, match=r"queries/links\.rq: is missing"):
        build(invented, settings, check="none")


@pytest.mark.parametrize(
    "foreign",
    [
        "barrier:elsewhere-empty-posts pev:affects theme:finance .",
        "graph:source-nowhere { barrier:elsewhere-empty-posts pev:affects theme:finance }",
        "graph:inferred { barrier:elsewhere-empty-posts pev:affects theme:finance }",
        "graph:entities { barrier:elsewhere-empty-posts pev:affects theme:finance }",
        "_:mine { barrier:elsewhere-empty-posts pev:affects theme:finance }",
    ],
)
def test_a_text_writes_into_its_own_two_graphs_only(invented: Workspace, settings: Settings, foreign: str) -> None:
    add(text_file(invented.root), foreign + "\n")
    with pytest.raises(DataError, match="graph:source-elsewhere and graph:curated-elsewhere only") as error:
        build(invented, settings, check="none")
    assert str(error.value.path) == "graph/sources/elsewhere.trig"


# Rules that do not hold


def test_a_violation_stops_the_build_and_the_previous_release_stays(invented: Workspace, settings: Settings) -> None:
    before = build(invented, settings, check="none").directory
    edit(text_file(invented.root), '"Too many posts stand empty."@en', '"Too many posts stand empty."')

    with pytest.raises(Violations) as error:
        build(invented, settings)

    violations = [finding for finding in error.value.findings if finding.severity == "violation"]
    assert {finding.path for finding in violations} == {"graph/sources/elsewhere.trig"}
    assert str(error.value) == f"{len(violations)} violations; nothing was published."
    assert_only_release_is(before.root)


def test_a_warning_is_told_and_does_not_stop_the_build(invented: Workspace, settings: Settings) -> None:
    edit(text_file(invented.root), "pev:directedTo agent:elsewhere-council ;", "")
    built = build(invented, settings)
    assert [finding.severity for finding in built.findings] == ["warning"]
    assert current_release(invented.releases(settings)) == built.directory


def test_a_sound_workspace_has_no_finding_at_all(invented: Workspace, settings: Settings) -> None:
    assert check(invented) == []
    assert build(invented, settings).findings == ()


@pytest.fixture
def two_texts(tmp_path: Path, settings: Settings) -> Workspace:
    """A published workspace of two texts, where the second is at fault."""
    workspace = write_workspace(tmp_path / "workspace", "elsewhere", "nowhere")
    edit(text_file(workspace.root, "nowhere"), "pev:blocks theme:workforce ;", "pev:blocks place:elsewhere ;")
    build(workspace, settings, check="none")
    return workspace


def test_a_changed_file_is_checked_when_only_changes_are(two_texts: Workspace, settings: Settings) -> None:
    edit(text_file(two_texts.root), "pev:blocks theme:workforce ;", "pev:blocks place:elsewhere ;")
    with pytest.raises(Violations) as error:
        build(two_texts, settings, check="changed")
    assert {finding.path for finding in error.value.findings} == {"graph/sources/elsewhere.trig"}


def test_a_file_that_did_not_change_is_left_alone_when_only_changes_are_checked(
    two_texts: Workspace, settings: Settings
) -> None:
    edit(text_file(two_texts.root), "Too many posts stand empty.", "Far too many posts stand empty.")
    assert build(two_texts, settings, check="changed").findings == ()
    with pytest.raises(Violations):
        build(two_texts, settings, check="all")


def test_a_change_that_breaks_what_points_at_it_is_found_when_only_changes_are_checked(
    invented: Workspace, settings: Settings
) -> None:
    build(invented, settings, check="none")
    edit(
        invented.root / "graph" / "entities.ttl",
        "agent:elsewhere-council a org:Organization",
        "agent:elsewhere-council a dcterms:Location",
    )
    with pytest.raises(Violations) as error:
        build(invented, settings, check="changed")
    assert any(RECOMMENDATION.rpartition("/")[2] in finding.message for finding in error.value.findings)


def test_what_was_taken_away_is_a_change_too(invented: Workspace, settings: Settings) -> None:
    # Another text still names the council, so that only its kind is lost.
    add(
        text_file(invented.root),
        judged('agent:elsewhere-council rdfs:comment "Asked to act."@en'),
    )
    build(invented, settings, check="none")
    entities = invented.root / "graph" / "entities.ttl"
    kept = entities.read_text(encoding="utf-8").partition("agent:elsewhere-council")[0]
    entities.write_text(kept + 'place:elsewhere a dcterms:Location ; rdfs:label "Elsewhere"@en .\n', encoding="utf-8")
    with pytest.raises(Violations):
        build(invented, settings, check="changed")


def test_with_no_release_yet_everything_has_changed(tmp_path: Path, settings: Settings) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    edit(text_file(workspace.root), "pev:blocks theme:workforce ;", "pev:blocks place:elsewhere ;")
    with pytest.raises(Violations):
        build(workspace, settings, check="changed")


# Publishing


def test_a_build_becomes_current_and_fresh_until_a_file_changes(invented: Workspace, settings: Settings) -> None:
    built = build(invented, settings, check="none")
    releases = invented.releases(settings)
    assert built.directory.root == releases / built.directory.id
    assert fresh_release(releases, invented.fingerprint()) == built.directory
    add(text_file(invented.root), "# changed\n")
    assert fresh_release(releases, invented.fingerprint()) is None


def test_building_again_keeps_the_release_that_stands(invented: Workspace, settings: Settings) -> None:
    first = build(invented, settings, check="none").directory
    stamp = (first.root / "build-info.json").stat().st_ino
    second = build(invented, settings, check="none").directory
    assert second == first
    assert (first.root / "build-info.json").stat().st_ino == stamp
    assert_only_release_is(first.root)


@pytest.mark.slow
def test_old_releases_are_kept_up_to_the_setting(invented: Workspace, settings: Settings) -> None:
    ids = []
    for number in range(settings.keep_releases + 3):
        add(text_file(invented.root), judged(f'doc:elsewhere-report rdfs:comment "{number}"@en'))
        ids.append(release_id(invented, settings))
    kept = {path.name for path in invented.releases(settings).iterdir()} - {"current"}
    assert kept == set(ids[-settings.keep_releases - 1 :])


def test_progress_tells_each_step(invented: Workspace, settings: Settings) -> None:
    steps: list[str] = []
    build(invented, settings, check="none", progress=steps.append)
    assert steps[0] == "reading the files" and steps[-1] == "putting the release in place"
    assert len(steps) == len(set(steps))


def test_out_makes_that_folder_the_release(invented: Workspace, settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    built = build(invented, settings, out, check="none")
    assert built.directory.root == out
    assert open_release(out).id == built.directory.id
    assert not invented.releases(settings).exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "workspace"]


def test_out_replaces_a_release_and_takes_an_empty_folder(
    invented: Workspace, settings: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    first = build(invented, settings, out, check="none").directory.id
    edit(text_file(invented.root), "Too many posts stand empty.", "Far too many posts stand empty.")
    second = build(invented, settings, out, check="none").directory.id
    assert first != second == open_release(out).id


@pytest.mark.parametrize("name", ["notes.txt", "manifest.json"])
def test_out_never_removes_what_is_no_release(
    invented: Workspace, settings: Settings, tmp_path: Path, name: str
) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / name).write_text('{"name": "An application of somebody else"}', encoding="utf-8")
    with pytest.raises(DataError, match="holds no release; name a new or empty folder"):
        build(invented, settings, foreign, check="none")
    assert (foreign / name).read_text(encoding="utf-8").startswith('{"name"')
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign", "workspace"]


def test_out_that_is_a_file_is_refused_and_kept(invented: Workspace, settings: Settings, tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="file: "):
        build(invented, settings, taken, check="none")
    assert taken.read_text(encoding="utf-8") == "mine"


def test_releases_that_cannot_be_written_are_one_clear_error(invented: Workspace, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("A file is no folder.", encoding="utf-8")
    environment = {**os.environ, "KG_RELEASES": str(in_the_way / "releases")}
    done = subprocess.run(command(invented), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"{ReleaseError.title}: {in_the_way / 'releases'}: cannot be written: Not a directory.\n"


# Killed, and at the same time


def wait_for_preparation(releases: Path, process: subprocess.Popen[str]) -> None:
    """Returns when a build has begun to write."""
    limit = time.monotonic() + 30
    while not list(releases.glob(".preparing-*")):
        assert process.poll() is None and time.monotonic() < limit, "the build never began to write"
        time.sleep(0.002)


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_the_previous_release_and_the_next_build_tidies(
    invented: Workspace, settings: Settings
) -> None:
    before = build(invented, settings, check="none").directory
    releases = before.root.parent
    add(text_file(invented.root), judged('doc:elsewhere-report rdfs:comment "later"@en'))

    begun = time.monotonic()
    moments = random.Random()
    waits = [0.0, *(moments.uniform(0, 0.5) for _ in range(4))]
    killed = 0
    for wait in waits:
        with started(invented) as process:
            wait_for_preparation(releases, process)
            time.sleep(wait)
            process.kill()
        if process.returncode != -signal.SIGKILL:
            continue  # the moment came after the end: nothing was killed
        killed += 1
        current = current_release(releases)
        assert current is not None, f"no release after a kill {wait:.3f} s into writing"
        with closing(open_release(releases)) as release:
            assert values(release, f"SELECT ?x WHERE {{ <{BARRIER}> <{BLOCKS}> ?x }}") == [(WORKFORCE,)]
            assert release.links.link_count and release.search.entity(BARRIER)
        if current.id != before.id:
            break  # killed after it was published
    assert killed, f"no build was killed in {time.monotonic() - begun:.0f} s"

    after = build(invented, settings, check="none").directory
    assert after.id != before.id
    assert {path.name for path in releases.iterdir()} == {before.id, after.id, "current"}
    assert current_release(releases) == after


def test_what_a_dead_build_left_is_tidied_and_what_a_live_one_writes_is_not(
    invented: Workspace, settings: Settings
) -> None:
    releases = invented.releases(settings)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    dead = [releases / f".preparing-{gone.pid}-00000000", releases / f".current-{gone.pid}-00000000"]
    alive = releases / f".preparing-{os.getpid()}-00000000"
    for folder in (dead[0], alive):
        (folder / "store").mkdir(parents=True)
    dead[1].write_text("half", encoding="utf-8")

    build(invented, settings, check="none")

    assert [path.exists() for path in (*dead, alive)] == [False, False, True]


@pytest.mark.slow
def test_two_builds_at_once_both_end_well(tmp_path: Path, settings: Settings) -> None:
    same = write_workspace(tmp_path / "one")
    other = write_workspace(tmp_path / "two", "elsewhere", "nowhere")
    releases = tmp_path / "releases"
    builds = [started(workspace, KG_RELEASES=str(releases)) for workspace in (same, same, other)]
    outputs = [process.communicate(timeout=60) for process in builds]

    assert [process.returncode for process in builds] == [0, 0, 0], outputs
    said = [stdout.splitlines()[0].removeprefix("release ") for stdout, _ in outputs]
    assert said[0] == said[1] != said[2]
    assert {path.name for path in releases.iterdir()} == {"current", *said}
    for name in set(said):
        with closing(open_release(releases / name)) as release:
            assert values(release, f"SELECT ?x WHERE {{ <{BARRIER}> <{BLOCKS}> ?x }}") == [(WORKFORCE,)]
    current = current_release(releases)
    assert current is not None and current.id in said


# What the rules add, and the merged default graph


@pytest.fixture
def invented_release(invented: Workspace, settings: Settings) -> Iterator[Release]:
    with closing(opened(invented, settings)) as release:
        yield release


def inferred(release: Release) -> set[tuple[str, ...]]:
    found = values(release, f"SELECT ?s ?p ?o WHERE {{ GRAPH <{INFERRED_GRAPH}> {{ ?s ?p ?o }} }}")
    return {row for row in found if row[0] != INFERRED_GRAPH}


def test_the_rules_add_what_follows(invented_release: Release) -> None:
    found = inferred(invented_release)
    assert (BARRIER, AFFECTS, WORKFORCE) in found
    assert (BARRIER, AFFECTS, FINANCE) not in found, "it was judged already"
    assert (RECOMMENDATION, PEV + "deadline", "2022-05-01") in found


def test_the_inferred_graph_says_what_it_is(invented_release: Release) -> None:
    assert invented_release.source.ask(f"ASK {{ <{INFERRED_GRAPH}> <{DCTERMS}type> <{CODE}inferred-graph> }}")


@pytest.mark.parametrize("which", ["invented_release", "release"])
def test_the_inferred_graph_holds_only_what_is_new(which: str, request: pytest.FixtureRequest) -> None:
    release: Release = request.getfixturevalue(which)
    assert inferred(release)
    elsewhere = f"GRAPH ?g {{ ?s ?p ?o }} FILTER(?g != <{INFERRED_GRAPH}>)"
    again = f"SELECT ?s ?p ?o WHERE {{ GRAPH <{INFERRED_GRAPH}> {{ ?s ?p ?o }} {elsewhere} }}"
    assert values(release, again) == []


@pytest.mark.parametrize("which", ["invented_release", "release"])
def test_nothing_is_ever_inferred_to_block_or_enable(which: str, request: pytest.FixtureRequest) -> None:
    release: Release = request.getfixturevalue(which)
    said = f"SELECT DISTINCT ?kind WHERE {{ GRAPH ?g {{ ?s pev:blocks|pev:enables ?o }} ?g <{DCTERMS}type> ?kind }}"
    assert values(release, said) == [(CODE + "source-graph",)]


def counts(release: Release) -> tuple[int, int]:
    """Returns how many triples the default graph gives, and how many distinct ones."""
    every = values(release, "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")
    distinct = values(release, "SELECT (COUNT(*) AS ?n) WHERE { SELECT DISTINCT ?s ?p ?o WHERE { ?s ?p ?o } }")
    return int(every[0][0]), int(distinct[0][0])


def test_the_default_graph_has_each_triple_once(release: Release) -> None:
    every, distinct = counts(release)
    assert every == distinct == release.info().counts["triples"]
    named = "SELECT (COUNT(*) AS ?n) WHERE { SELECT DISTINCT ?s ?p ?o WHERE { GRAPH ?g { ?s ?p ?o } } }"
    assert values(release, named) == [(str(every),)]


def test_a_triple_that_stands_in_two_graphs_counts_once(invented: Workspace, settings: Settings) -> None:
    before = build(invented, settings, check="none").counts
    add(
        text_file(invented.root),
        judged("barrier:elsewhere-empty-posts pev:blocks theme:workforce"),
    )
    after = build(invented, settings, check="none")
    assert (after.counts["quads"], after.counts["triples"]) == (before["quads"] + 1, before["triples"])
    assert after.counts["links"] == before["links"]
    with closing(open_release(after.directory.root)) as release:
        assert len(set(counts(release))) == 1


def test_the_manifest_names_every_graph_and_question(invented: Workspace, settings: Settings) -> None:
    built: Built = build(invented, settings, check="none")
    manifest = json.loads((built.directory.root / "manifest.json").read_text(encoding="utf-8"))
    assert {GRAPH + "source-elsewhere", GRAPH + "curated-elsewhere", INFERRED_GRAPH} <= set(manifest["graphs"])
    assert sorted(manifest["queries"]) == [path.name for path in invented.queries]
    assert manifest["counts"] == dict(built.counts)
    assert sum(entry["triples"] for entry in manifest["graphs"].values()) == built.counts["quads"]


# Whole workspaces


def test_an_empty_workspace_builds(tmp_path: Path, settings: Settings) -> None:
    workspace = init_workspace(tmp_path / "new")
    built = build(workspace, settings)
    assert [finding for finding in built.findings if finding.severity == "violation"] == []
    with closing(open_release(built.directory.root)) as release:
        assert release.search.named("finance")[0]
        assert not release.source.ask("ASK { ?item pev:statedIn ?document }")


def test_a_first_text_in_a_new_workspace_is_all_it_takes(tmp_path: Path, settings: Settings) -> None:
    workspace = init_workspace(tmp_path / "new")
    text_file(workspace.root).write_text(invented_text(), encoding="utf-8")
    (workspace.root / "graph" / "mine.ttl").write_text(
        turtle('graph:mine a prov:Entity ; dcterms:type code:reference-graph ; dcterms:title "Mine"@en .\n'
               'agent:elsewhere-council a org:Organization ; rdfs:label "Council"@en .\n'),
        encoding="utf-8",
    )  # fmt: skip
    assert build(workspace, settings).findings == ()


@pytest.mark.slow
def test_this_repository_builds_with_every_check_and_no_violation(
    tmp_path: Path, workspace: Workspace, settings: Settings, release: Release
) -> None:
    built = build(workspace, settings, tmp_path / "release", check="all")
    assert [str(finding) for finding in built.findings if finding.severity == "violation"] == []
    assert built.directory.id == release.id, "checking changes nothing"
