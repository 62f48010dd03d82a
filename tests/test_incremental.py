"""A build that takes over what did not change makes the same release as one made anew."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store

from kg.library import Question, read_question
from kg.model import Finding
from kg.names import CODE, DCTERMS, GRAPH, PEV, PROV, RDF_TYPE, RDFS, SKOS
from kg.release.build import Built, Violations, build, check
from kg.release.directory import ReleaseDirectory, find_release
from kg.release.opened import open_release
from kg.release.reading import read_file
from kg.release.turtle import write_trig, write_turtle
from kg.workspace import Settings, Workspace, init_workspace, open_workspace
from workspaces import (
    AFFECTS,
    BARRIER,
    BLOCKS,
    ENABLER,
    FINANCE,
    ROOT,
    WORKFORCE,
    add,
    edit,
    text_file,
    write_workspace,
)

ROUNDS = int(os.environ.get("KG_TEST_ROUNDS", "2"))


@pytest.fixture
def invented(tmp_path: Path) -> Workspace:
    return write_workspace(tmp_path / "workspace", "anywhere", "elsewhere", "nowhere")


@pytest.fixture(scope="module")
def published_once(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Workspace:
    workspace = write_workspace(tmp_path_factory.mktemp("published") / "workspace", "anywhere", "elsewhere", "nowhere")
    build(workspace, settings, check="none")
    return workspace


@pytest.fixture
def published(tmp_path: Path, published_once: Workspace) -> Workspace:
    """A workspace with its release, unchecked."""
    shutil.copytree(published_once.root, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


def release_of(workspace: Workspace, settings: Settings) -> ReleaseDirectory:
    return find_release(workspace.releases(settings))


# What is compared


def contents(release: ReleaseDirectory) -> dict[str, object]:
    """Returns everything that a release holds, but for when and from what it was built."""
    with closing(sqlite3.connect(release.search)) as index:
        rows = {
            table: sorted(index.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
            for table in ("entity", "class", "name", "words", "letters")
        }
    store = Store.read_only(str(release.store))
    files = [*release.links.iterdir(), *release.queries.iterdir(), release.context, release.root / "manifest.json"]
    return {
        "store": {str(quad) for quad in store},
        "graphs": {str(graph) for graph in store.named_graphs()},
        **rows,
        **{path.relative_to(release.root).as_posix(): path.read_bytes() for path in sorted(files)},
    }


def assert_as_if_made_anew(workspace: Workspace, settings: Settings, built: Built) -> None:
    anew = build(workspace, settings, workspace.root.parent / "anew", check="none")
    assert built.taken_over is not None, "nothing was taken over, so nothing is shown"
    expected, found = contents(anew.directory), contents(built.directory)
    assert found.keys() == expected.keys()
    for part, held in expected.items():
        assert found[part] == held, part


# Any change


@dataclass
class Editor:
    """Changes the files of a workspace at random, as a curator might and as nobody would."""

    workspace: Workspace
    chance: random.Random
    parked: dict[Path, bytes] = field(default_factory=dict)

    def change(self) -> None:
        """Makes a few changes in one or two files."""
        for _ in range(self.chance.randint(1, 2)):
            kind = self.chance.choices([self.add, self.remove, self.replace, self.park], [5, 4, 3, 1])[0]
            kind()

    def _file(self) -> Path:
        return self.chance.choice([path for path in self.workspace.data_files if "graph" in path.parts])

    def _triple(self, graph: NamedNode) -> Quad:
        chance, texts = self.chance, self.workspace.data_files
        known = [quad for path in texts if "graph" in path.parts for quad in read_file(self.workspace, path)]
        things = sorted({quad.subject.value for quad in known if isinstance(quad.subject, NamedNode)})
        links = [
            *(
                "blocks",
                "enables",
                "affects",
                "hasTheme",
                "statedIn",
                "addresses",
                "identifies",
                "similarTo",
                "evidence",
            ),
            *("deadline", "timeframe", "snapshotOf", "oddity"),
        ]
        others = [
            RDF_TYPE,
            RDFS + "label",
            SKOS + "exactMatch",
            SKOS + "broader",
            DCTERMS + "type",
            PROV + "wasDerivedFrom",
        ]
        link = chance.choice([*(PEV + name for name in links), *others])
        values = [
            *(NamedNode(chance.choice(things)) for _ in range(6)),
            *(NamedNode(name) for name in (WORKFORCE, FINANCE, PEV + "Barrier", PEV + "Item", CODE + "source-graph")),
            *(quad.object for quad in chance.sample(known, 4)),
            Literal("Empty posts in Elsewhere", language="en"),
            Literal("P12M", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#duration")),
        ]
        return Quad(NamedNode(chance.choice(things)), NamedNode(link), chance.choice(values), graph)

    def _rewrite(self, path: Path, edited: Callable[[list[Quad]], list[Quad]]) -> None:
        quads = edited(read_file(self.workspace, path))
        if path.suffix == ".trig":
            path.write_text(write_trig(quads, self.workspace.prefixes), encoding="utf-8")
        else:
            path.write_text(write_turtle(quads, self.workspace.prefixes), encoding="utf-8")

    def add(self) -> None:
        path = self._file()
        graph = NamedNode(self.chance.choice(self.workspace.graphs_of(path)))
        self._rewrite(path, lambda quads: [*quads, *(self._triple(graph) for _ in range(self.chance.randint(1, 4)))])

    def remove(self) -> None:
        def without(quads: list[Quad]) -> list[Quad]:
            gone = set(self.chance.sample(quads, min(len(quads) - 1, self.chance.randint(1, 4))))
            return [quad for quad in quads if quad not in gone]

        self._rewrite(self._file(), without)

    def replace(self) -> None:
        self.remove()
        self.add()

    def park(self) -> None:
        """Takes a text away, or brings one back."""
        if self.parked:
            path, content = self.parked.popitem()
            path.write_bytes(content)
        else:
            path = self.chance.choice(sorted((self.workspace.root / "graph" / "sources").iterdir()))
            self.parked[path] = path.read_bytes()
            path.unlink()


def said(findings: list[Finding]) -> set[tuple[str, str, str]]:
    """Returns findings without their lines, which shift as a file is edited."""
    return {(finding.severity, finding.rule, finding.message) for finding in findings}


def found_in_changes(workspace: Workspace, settings: Settings) -> set[tuple[str, str, str]]:
    try:
        return said(list(build(workspace, settings, check="changed", publish=False).findings))
    except Violations as error:
        return said(list(error.findings))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_after_any_changes_it_is_the_release_and_has_the_findings_of_one_made_anew(
    seed: int, published: Workspace, settings: Settings
) -> None:
    editor = Editor(published, random.Random(seed))
    before = said(check(published))
    for step in range(ROUNDS):
        editor.change()
        found, after = found_in_changes(published, settings), said(check(published))
        assert after - before <= found <= after, f"step {step}"
        built = build(published, settings, check="none")
        # When much has changed it is made anew.
        if built.taken_over is not None:
            assert_as_if_made_anew(published, settings, built)
        before = after


# Changes of which each reaches something else


REACHING = {
    "words only": ("elsewhere", '"Too many posts stand empty."', '"Posts stand empty."'),
    "a link that was also derived": (
        "elsewhere", "pev:affects theme:finance", "pev:affects theme:workforce, theme:finance",
    ),
    "a link that is now derived only": ("elsewhere", "pev:affects theme:finance ;", ""),
    "a kind": ("elsewhere", "-empty-posts a pev:Barrier", "-empty-posts a pev:Enabler"),
    "the issue date a deadline counts from": ("elsewhere", '"2021-05-01"', '"2022-05-01"'),
    "the origin that others' links count": (
        "elsewhere", "pev:statedIn doc:elsewhere-report ;\n        rdfs:label \"Empty", "rdfs:label \"Empty",
    ),
    "the kind of a graph": ("nowhere", "dcterms:type code:source-graph", "dcterms:type code:curated-graph"),
}  # fmt: skip


@pytest.mark.parametrize("what", REACHING)
def test_a_change_reaches_what_depends_on_it(what: str, published: Workspace, settings: Settings) -> None:
    slug, old, new = REACHING[what]
    edit(text_file(published.root, slug), old, new)
    assert_as_if_made_anew(published, settings, build(published, settings, check="none"))


def test_an_entity_that_texts_point_at_may_change(published: Workspace, settings: Settings) -> None:
    edit(published.root / "graph" / "entities.ttl", '"The town hall"', '"City hall"')
    assert_as_if_made_anew(published, settings, build(published, settings, check="none"))


def test_a_text_may_come_and_go(published: Workspace, settings: Settings) -> None:
    first = release_of(published, settings)
    path = text_file(published.root, "nowhere")
    content = path.read_bytes()
    path.unlink()
    assert_as_if_made_anew(published, settings, build(published, settings, check="none"))
    path.write_bytes(content)
    again = build(published, settings, check="none")
    assert again.directory.id == first.id


def test_what_is_taken_over_leaves_the_earlier_release_what_it_was(published: Workspace, settings: Settings) -> None:
    first = release_of(published, settings)
    before = contents(first)
    edit(text_file(published.root), "Too many posts stand empty.", "Posts stand empty.")
    assert build(published, settings, check="none").taken_over == first.id
    assert contents(first) == before


def test_many_builds_one_upon_another_stay_right(published: Workspace, settings: Settings) -> None:
    path = text_file(published.root)
    for word in ("Few", "Some", "Many", "Most", "All"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(" posts stand empty.", f" {word} posts stand empty."), encoding="utf-8")
        built = build(published, settings, check="none")
    assert_as_if_made_anew(published, settings, built)


# When nothing is taken over


def made_anew(workspace: Workspace, settings: Settings) -> bool:
    return build(workspace, settings, check="none").taken_over is None


def test_the_first_build_is_made_anew_and_the_next_is_not(invented: Workspace, settings: Settings) -> None:
    assert made_anew(invented, settings)
    add(text_file(invented.root), "# a word to the curator\n")
    assert not made_anew(invented, settings)


@pytest.mark.parametrize(
    "name", ["ontology/policy-evidence.ttl", "ontology/rules/r2-affects.rq", "queries/links.rq", "ontology/codes.ttl"]
)
def test_another_recipe_makes_it_anew(name: str, published: Workspace, settings: Settings) -> None:
    add(published.root / name, "# another byte\n")
    assert made_anew(published, settings)


@pytest.mark.parametrize("name", ["queries/contradictions.rq", "queries/checks/same-as.rq", "ontology/shapes.ttl"])
def test_questions_and_checks_are_no_part_of_the_recipe(name: str, published: Workspace, settings: Settings) -> None:
    add(published.root / name, "# another byte\n")
    assert not made_anew(published, settings)


def test_it_may_be_asked_for(published: Workspace, settings: Settings) -> None:
    assert build(published, settings, check="none", anew=True).taken_over is None


def test_a_release_that_does_not_tell_what_it_was_made_of_is_not_taken_over(
    published: Workspace, settings: Settings
) -> None:
    first = release_of(published, settings)
    (first.root / "build-info.json").write_text('{"built": "2020-01-01"}', encoding="utf-8")
    assert made_anew(published, settings)


def test_a_release_whose_store_is_damaged_is_not_taken_over(published: Workspace, settings: Settings) -> None:
    first = release_of(published, settings)
    edit(text_file(published.root), "Too many posts stand empty.", "Posts stand empty.")
    (first.store / "CURRENT").unlink()
    built = build(published, settings, check="none")
    assert built.taken_over is None
    with closing(open_release(built.directory.root)) as release:
        assert release.source.ask(f"ASK {{ <{BARRIER}> <{BLOCKS}> <{WORKFORCE}> }}")


# What is checked


def broken(workspace: Workspace) -> None:
    edit(text_file(workspace.root), "pev:blocks theme:workforce ;", "pev:blocks place:elsewhere ;")


def test_after_a_checked_build_only_what_changed_is_checked(invented: Workspace, settings: Settings) -> None:
    assert build(invented, settings).checked == "all"
    edit(text_file(invented.root), "Too many posts stand empty.", "Posts stand empty.")
    assert build(invented, settings).checked == "changed"
    broken(invented)
    with pytest.raises(Violations):
        build(invented, settings)


def test_after_an_unchecked_build_everything_is_checked(invented: Workspace, settings: Settings) -> None:
    broken(invented)
    build(invented, settings, check="none")
    edit(text_file(invented.root, "nowhere"), "Too many posts stand empty.", "Posts stand empty.")
    with pytest.raises(Violations):
        build(invented, settings)


def test_a_change_of_the_rulebook_checks_everything(invented: Workspace, settings: Settings) -> None:
    build(invented, settings)
    add(invented.shapes, "# another byte\n")
    assert build(invented, settings).checked == "all"


@pytest.fixture(scope="module")
def empty_once(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    root = tmp_path_factory.mktemp("empty") / "workspace"
    build(init_workspace(root), settings, check="none")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "broken").iterdir()), ids=lambda path: path.stem)
def test_a_check_finds_what_a_new_file_breaks_when_only_changes_are_checked(
    path: Path, tmp_path: Path, empty_once: Path, settings: Settings
) -> None:
    shutil.copytree(empty_once, tmp_path / "workspace")
    workspace = open_workspace(tmp_path / "workspace")
    shutil.copyfile(path, workspace.root / "graph" / "sources" / "broken.trig")
    found = {rule for _, rule, _ in found_in_changes(workspace, settings)}
    assert path.stem in found
    assert found <= {path.stem, "shapes", "lossy-literal"}


def test_a_check_that_makes_its_focus_is_asked_of_everything(published: Workspace, settings: Settings) -> None:
    (published.root / "queries" / "checks" / "mine.rq").write_text(
        "#+ severity: info\n"
        "SELECT ?focus WHERE { ?thing a <https://w3id.org/policy-evidence/ns#Barrier> . BIND(?thing AS ?focus) }\n",
        encoding="utf-8",
    )
    edit(text_file(published.root), "Too many posts stand empty.", "Posts stand empty.")
    found = [finding for finding in build(published, settings, check="changed").findings if finding.rule == "mine"]
    assert len(found) == 3


# A query asked of some things only


def question(text: str, tmp_path: Path) -> Question:
    path = tmp_path / "mine.rq"
    path.write_text(text, encoding="utf-8")
    return read_question(path, "mine.rq")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?x WHERE { ?x ?p ?o }",
        "SELECT ?x { ?x ?p ?o }",
        "# { in a comment\nSELECT ?x (EXISTS { ?x a ?c } AS ?typed) WHERE { ?x ?p ?o }",
        "SELECT ?x WHERE { { SELECT ?x WHERE { ?x ?p ?o } } }",
        'SELECT ?x WHERE { ?x ?p ?o FILTER(?o != "{") }',
    ],
)
def test_a_block_of_values_comes_first_in_the_outermost_group(text: str, tmp_path: Path) -> None:
    store = Store()
    for name in (BARRIER, ENABLER, WORKFORCE):
        store.add(Quad(NamedNode(name), NamedNode(AFFECTS), NamedNode(FINANCE), NamedNode(GRAPH + "x")))
        store.add(Quad(NamedNode(name), NamedNode(AFFECTS), NamedNode(FINANCE)))
    asked = question(text, tmp_path)
    found = {row["x"].value for row in store.query(asked.about("x", [BARRIER, WORKFORCE]))}  # type: ignore[union-attr]  # a SELECT
    assert found == {BARRIER, WORKFORCE}
    assert list(store.query(asked.about("x", []))) == []  # type: ignore[arg-type]  # a SELECT
