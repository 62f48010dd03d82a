"""The generated workspaces: the same bytes for the same seed, true to the ontology, skewed as real reports are."""

from __future__ import annotations

import hashlib
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.evidence import read_passages, read_texts, verify
from kg.names import DCTERMS, GRAPH, PEV, SKOS
from kg.release.build import build, check
from kg.release.opened import Release, open_release
from kg.release.turtle import format_file
from kg.workspace import Settings, Workspace
from workspaces import GENERATE, generated

pytestmark = pytest.mark.slow

REPORTS = 200


def contents(folder: Path) -> dict[str, str]:
    """Returns the hash of each file below a folder, by its path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@dataclass(frozen=True)
class Made:
    """A generated workspace with its texts, and the release of it."""

    workspace: Workspace
    texts: Path
    release: Release

    def count(self, pattern: str) -> int:
        """Returns how many solutions a pattern has."""
        found = self.release.source.select(f"PREFIX pev: <{PEV}> SELECT (COUNT(*) AS ?n) WHERE {{ {pattern} }}")
        return int(getattr(found.rows[0][0], "value", "0"))

    def uses(self, predicate: str) -> Counter[str]:
        """Returns how often each thing is the object of a predicate."""
        found = self.release.source.select(f"SELECT ?thing WHERE {{ ?item <{predicate}> ?thing }}")
        return Counter(str(getattr(row[0], "value", "")) for row in found.rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("generated")
    workspace = generated(folder / "workspace", REPORTS, "--texts", str(folder / "texts"))
    built = build(workspace, settings, folder / "release", check="none")
    with closing(open_release(built.directory.root)) as release:
        yield Made(workspace, folder / "texts", release)


def test_the_same_seed_and_size_give_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        generated(tmp_path / name, 30, "--seed", seed, "--texts", str(tmp_path / name / "texts"))
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b
    changed = {name for name in a if a[name] != c.get(name)}
    assert {"graph/entities.ttl", "graph/sources/report-000001.trig", "texts/report-000001.txt"} <= changed
    assert not any(name.startswith(("ontology/", "queries/")) for name in changed)


def test_a_generated_workspace_passes_every_shape_and_every_check(tmp_path: Path) -> None:
    workspace = generated(tmp_path / "workspace", 20)
    assert [str(finding) for finding in check(workspace)] == []


def test_the_files_stand_in_the_order_of_kg_format(tmp_path: Path) -> None:
    workspace = generated(tmp_path / "workspace", 12)
    files = [path for path in workspace.data_files if "graph" in path.parent.parts]
    assert len(files) > 12
    assert [path.name for path in files if format_file(path, workspace.prefixes)] == []


def test_a_workspace_has_one_file_a_report_and_some_for_articles(made: Made) -> None:
    names = [path.stem for path in made.workspace.data_files if path.suffix == ".trig"]
    kinds = Counter(name.partition("-")[0] for name in names)
    assert kinds["report"] == REPORTS
    assert REPORTS / 10 < kinds["article"] < REPORTS / 4
    assert set(kinds) == {"report", "article"}


def test_the_size_follows_the_number_of_reports(made: Made) -> None:
    counts = made.release.info().counts
    triples, links = counts["triples"] / REPORTS, counts["links"] / REPORTS
    # 5,000 reports are to give about 1.5 million triples, and more than 0.8 million links.
    assert 250 < triples < 350
    assert 150 < links < 190


def test_a_report_has_ten_to_sixty_items_and_most_are_short(made: Made) -> None:
    found = made.release.source.select(
        f"PREFIX pev: <{PEV}> SELECT (COUNT(?item) AS ?n) WHERE {{ ?item pev:statedIn ?d . ?d a pev:Report }}"
        " GROUP BY ?d"
    )
    sizes = [int(getattr(row[0], "value", "0")) for row in found.rows]
    assert len(sizes) == REPORTS
    assert min(sizes) == 10
    assert 30 < max(sizes) <= 60
    assert statistics.median(sizes) < statistics.mean(sizes) < 20


def test_themes_follow_a_power_law(made: Made) -> None:
    used = made.release.source.select(
        f"PREFIX pev: <{PEV}> SELECT ?theme WHERE {{ ?item pev:statedIn ?d ; pev:hasTheme ?theme ."
        f" ?theme <{SKOS}inScheme> <https://w3id.org/policy-evidence/scheme/themes> }}"
    )
    themes = Counter(str(getattr(row[0], "value", "")) for row in used.rows)
    assert len(themes) > 20
    assert max(themes.values()) > 5 * statistics.median(themes.values())


@pytest.mark.parametrize("predicate", [PEV + "directedTo", PEV + "blocks", DCTERMS + "references"])
def test_what_is_asked_blocked_and_cited_is_skewed(made: Made, predicate: str) -> None:
    used = made.uses(predicate)
    assert max(used.values()) > 5 * statistics.median(used.values())


LAYERS = {
    "said": (
        "source-",
        "statedIn assertedBy inCapacity concerns blocks enables directedTo aimsAt identifies addresses stanceTowards"
        " amount reportedIn reportsOn reviews implementationStatus timeframe deadline hasTheme",
    ),
    "judged": ("curated-", "hasTheme affects similarTo reiterates supports contradicts addresses"),
    "inferred": ("inferred", "hasTheme affects identifies deadline"),
    "reference": ("entities", "represents bringsTogether establishedUnder"),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_its_links(made: Made, layer: str) -> None:
    start, names = LAYERS[layer]
    found = made.release.source.select(
        f"SELECT DISTINCT ?link WHERE {{ GRAPH ?g {{ ?a ?link ?b }} FILTER(STRSTARTS(STR(?g), '{GRAPH}{start}')) }}"
    )
    present = {str(getattr(row[0], "value", "")) for row in found.rows}
    assert [name for name in names.split() if PEV + name not in present] == []


def test_people_speak_in_roles_and_places_lie_in_places(made: Made) -> None:
    assert made.count("?item pev:assertedBy ?p ; pev:inCapacity/<http://www.w3.org/ns/org#member> ?p") > REPORTS
    assert (
        made.count(f"?district <{DCTERMS}isPartOf> ?country . ?item <{DCTERMS}spatial> ?district, ?country") > REPORTS
    )


def test_restatements_point_back_in_time(made: Made) -> None:
    dated = f"?later pev:statedIn/<{DCTERMS}issued> ?day . ?earlier pev:statedIn/<{DCTERMS}issued> ?before ."
    assert made.count(f"?later pev:reiterates ?earlier . {dated}") > 20
    assert made.count(f"?later pev:reiterates ?earlier . {dated} FILTER(?before > ?day)") == 0


def test_an_article_relays_items_of_its_report_and_has_items_of_its_own(made: Made) -> None:
    articles = made.count("?article a pev:Article")
    assert made.count("?article pev:reportsOn ?report") == articles
    relayed = "?article pev:reportsOn ?report . ?item pev:statedIn ?report ; pev:reportedIn ?article"
    assert made.count(relayed) >= 3 * articles
    assert made.count("?item pev:statedIn ?article . ?article a pev:Article") == 2 * articles


def test_nearly_every_label_is_one_of_its_kind(made: Made) -> None:
    labels = made.uses("http://www.w3.org/2000/01/rdf-schema#label")
    repeated = sum(count - 1 for count in labels.values())
    assert repeated < 0.02 * labels.total()


def test_every_passage_is_what_its_hash_says_where_the_texts_are_written(made: Made) -> None:
    passages = {p for each in read_passages(made.release.source, made.release.library).values() for p in each}
    outcome = verify(passages, read_texts(made.texts))
    assert (len(outcome.bad), outcome.not_held) == (0, 0)
    assert outcome.ok == made.count("?passage a pev:Passage")
    assert any(len(text) != len(text.encode()) for text in read_texts(made.texts).by_sha256.values()), (
        "code points are not bytes"
    )


def test_the_store_keeps_every_literal_as_it_is_written(made: Made) -> None:
    paths = [path for path in made.workspace.data_files if path.stem.startswith("report-")]
    written = {quad for path in paths for quad in ox.parse(path=str(path)) if isinstance(quad.object, ox.Literal)}
    store = ox.Store()
    store.extend(written)
    assert set(store) == written


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me", encoding="utf-8")
    command = [sys.executable, str(GENERATE), str(tmp_path), "--reports", "3"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "not empty" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("reports", [1, 2])
def test_the_smallest_workspaces_are_valid_rdf_too(tmp_path: Path, settings: Settings, reports: int) -> None:
    workspace = generated(tmp_path / "workspace", reports)
    counts = build(workspace, settings, tmp_path / "release", check="none").counts
    assert counts["links"] > 100 * reports
