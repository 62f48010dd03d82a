"""Two releases compared: what is told, in which words, on which basis, and what is not told."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pyoxigraph import Triple

import kg
from kg import wire
from kg.answers import Answers, open_answers
from kg.cli import main
from kg.engines.source import Request, Rows, Source
from kg.errors import BadParameter, UnknownName
from kg.model import Basis, Diff, StatementChange, ThingChange
from kg.names import GRAPH
from kg.release.build import build
from kg.release.diff import compare
from kg.release.directory import kept_release
from kg.web.app import create_app
from kg.web.serving import Serving
from kg.workspace import Settings, Workspace
from workspaces import BARRIER, ENABLER, RECOMMENDATION, add, edit, invented_text, text_file, turtle, write_workspace


@dataclass(frozen=True)
class Kept:
    """A workspace that was built before and after its files were changed."""

    workspace: Workspace
    releases: Path
    before: str
    after: str

    def folder(self, release: str) -> Path:
        return self.releases / release


def _change_files(root: Path) -> None:
    """Changes of every kind: in what is said and judged, in words and passages, in which texts there are."""
    path = text_file(root)
    edit(path, "pev:directedTo agent:elsewhere-council", "pev:directedTo agent:elsewhere-audit")
    edit(path, "        pev:addresses barrier:elsewhere-empty-posts ;\n", "")
    edit(path, "pev:blocks theme:workforce ;", "pev:blocks theme:finance ;")
    edit(path, 'rdfs:label "Fill the posts in Elsewhere"@en', 'rdfs:label "Fill posts in Elsewhere"@en')
    edit(path, '"The council should fill the empty posts."', '"The auditors should fill the empty posts."')
    # What was judged is now said.
    edit(path, "pev:affects theme:finance ;\n        pev:hasTheme theme:workforce .", "pev:hasTheme theme:workforce .")
    edit(path, "pev:blocks theme:finance ;", "pev:affects theme:finance ;\n        pev:blocks theme:finance ;")
    _cut_anew(path)
    text_file(root, "otherplace").unlink()
    text_file(root, "thirdplace").write_text(invented_text("thirdplace"), encoding="utf-8")
    # Said already, by another text: no news.
    restated = 'graph:source-thirdplace { agent:elsewhere-audit rdfs:label "Elsewhere Audit Office"@en . }'
    add(text_file(root, "thirdplace"), turtle(restated))
    (root / "queries" / "countries.rq").write_text("#+ purpose: A test.\nASK {}\n", encoding="utf-8")


def _cut_anew(path: Path) -> None:
    content = path.read_text(encoding="utf-8")
    for old, new in (("char=0,40", "char=0,30"), ("selector=0,40", "selector=0,30"), ("oa:end 40", "oa:end 30")):
        content = content.replace(old, new)
    path.write_text(content, encoding="utf-8")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Kept:
    root = tmp_path_factory.mktemp("diff") / "workspace"
    workspace = write_workspace(root, "elsewhere", "otherplace")
    before = build(workspace, settings, check="none").directory
    _change_files(root)
    after = build(workspace, settings, check="none").directory
    return Kept(workspace, before.root.parent, before.id, after.id)


@pytest.fixture(scope="module")
def before(kept: Kept, settings: Settings) -> Iterator[Answers]:
    opened = open_answers(kept.folder(kept.before), settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def after(kept: Kept, settings: Settings) -> Iterator[Answers]:
    opened = open_answers(kept.folder(kept.after), settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def found(before: Answers, after: Answers) -> Diff:
    return before.diff(after)


def _thing(found: Diff, iri: str) -> ThingChange:
    (thing,) = [thing for thing in found.results if thing.entity.iri == iri]
    return thing


def _told(thing: ThingChange) -> dict[str, StatementChange]:
    return {statement.sentence: statement for statement in thing.statements}


# What is told


def test_the_summary_counts_by_class_what_came_went_and_changed(found: Diff) -> None:
    assert found.summary.startswith("1 barrier added, 1 removed, 1 changed; 1 enabler added, 1 removed, 1 changed; ")
    assert "1 recommendation added, 1 removed, 1 changed" in found.summary
    assert "2 named graphs added, 2 removed" in found.summary
    assert found.summary.endswith("; 1 question added.")
    assert (found.total, found.complete, found.truncated) == (len(found.results), True, False)


def test_a_recommendation_says_to_whom_it_is_now_directed_and_what_it_no_longer_addresses(found: Diff) -> None:
    thing = _thing(found, RECOMMENDATION)
    assert (thing.change, thing.entity.label) == ("changed", "Fill posts in Elsewhere")
    told = _told(thing)
    assert told["“Fill posts in Elsewhere” is now directed to Elsewhere Audit Office."].change == "added"
    assert told["“Fill posts in Elsewhere” is no longer directed to Council of Élsewhere."].change == "removed"
    assert told["“Fill posts in Elsewhere” no longer addresses empty posts in Elsewhere."].basis is Basis.SAID


def test_a_barrier_says_what_it_blocks_now_and_what_no_longer(found: Diff) -> None:
    told = _told(_thing(found, BARRIER))
    assert told["Empty posts in Elsewhere now blocks finance."].basis is Basis.SAID
    assert told["Empty posts in Elsewhere no longer blocks workforce."].basis is Basis.SAID


def test_words_that_changed_are_told_as_they_were_and_as_they_are(found: Diff) -> None:
    told = _told(_thing(found, RECOMMENDATION))
    label = "“Fill the posts in Elsewhere” to “Fill posts in Elsewhere”."
    changed = told[f"The label of “Fill posts in Elsewhere” changed from {label}"]
    assert [cell.value for cell in changed.before] == ["Fill the posts in Elsewhere"]
    assert [cell.value for cell in changed.after] == ["Fill posts in Elsewhere"]
    assert any(
        sentence.startswith("The paraphrase of “Fill posts in Elsewhere” changed from “The c") for sentence in told
    )


def test_a_passage_that_is_cut_anew_is_told_once_for_each_item_that_rests_on_it(found: Diff) -> None:
    for iri, name in ((BARRIER, "empty posts in Elsewhere"), (ENABLER, "a shared register in Elsewhere")):
        ranges = "characters 0 to 30 of Report on reform in Elsewhere, before characters 0 to 40."
        assert f"The evidence of {name} is cut anew: {ranges}" in _told(_thing(found, iri))
    assert not [thing for thing in found.results if thing.entity.type in {"pev:Passage", "oa:TextPositionSelector"}]


def test_what_was_judged_and_is_now_said_names_both(found: Diff) -> None:
    told = _told(_thing(found, BARRIER))
    changed = told["That empty posts in Elsewhere affects finance was judged and is now said."]
    assert (changed.change, changed.basis_before, changed.basis) == ("changed", Basis.JUDGED, Basis.SAID)


def test_a_thing_that_came_is_told_whole(found: Diff) -> None:
    thing = _thing(found, BARRIER.replace("elsewhere", "thirdplace"))
    assert thing.change == "added"
    told = _told(thing)
    assert told["Empty posts in Thirdplace blocks workforce."].basis is Basis.SAID
    assert told["Empty posts in Thirdplace affects finance."].basis is Basis.JUDGED
    assert told["Empty posts in Thirdplace affects workforce."].basis is Basis.INFERRED
    assert "Empty posts in Thirdplace has as paraphrase “Too many posts stand empty.”" in told
    assert "Empty posts in Thirdplace rests on characters 0 to 40 of Report on reform in Thirdplace." in told


def test_a_thing_that_went_keeps_the_name_it_had(found: Diff) -> None:
    thing = _thing(found, BARRIER.replace("elsewhere", "otherplace"))
    assert (thing.change, thing.entity.label) == ("removed", "Empty posts in Otherplace")
    assert "Empty posts in Otherplace no longer blocks workforce." in _told(thing)


def test_questions_and_graphs_that_differ_are_named(found: Diff) -> None:
    assert found.questions == {"countries": "added"}
    graphs = {iri.removeprefix(GRAPH): change for iri, change in found.graphs.items()}
    assert graphs == {
        "curated-elsewhere": "changed",
        "curated-otherplace": "removed",
        "curated-thirdplace": "added",
        "inferred": "changed",
        "source-elsewhere": "changed",
        "source-otherplace": "removed",
        "source-thirdplace": "added",
    }


def test_every_statement_names_its_basis(found: Diff) -> None:
    statements = [statement for thing in found.results for statement in thing.statements]
    assert {statement.basis for statement in statements} == {Basis.SAID, Basis.JUDGED, Basis.INFERRED}
    assert all(statement.before or statement.after for statement in statements)


# What is not told


def test_what_another_text_says_again_is_no_news(found: Diff) -> None:
    assert not [thing for thing in found.results if thing.entity.label == "Elsewhere Audit Office"]


def test_a_release_is_the_same_as_itself(before: Answers) -> None:
    same = before.diff(before)
    assert same.summary == "The two are the same release."
    assert (same.results, same.kinds, same.graphs, same.questions, same.truncated) == ((), (), {}, {}, False)


def test_a_change_of_a_question_and_a_passage_that_is_not_described_are_told(
    tmp_path: Path, settings: Settings
) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    passage = "https://w3id.org/policy-evidence/id/text/0123456789abcdef#char=5,9"
    folders = [build(workspace, settings, check="none").directory.root]
    add(workspace.root / "queries" / "deadlines.rq", "# Another word.\n")
    folders.append(build(workspace, settings, check="none").directory.root)
    evidence = f"barrier:elsewhere-empty-posts pev:evidence <{passage}> ."
    add(text_file(workspace.root), f"graph:source-elsewhere {{ {evidence} }}")
    folders.append(build(workspace, settings, check="none").directory.root)
    with ExitStack() as stack:
        one, two, three = (stack.enter_context(closing(open_answers(folder, settings))) for folder in folders)
        asked = one.diff(two)
        assert asked.summary == "The graphs say the same; 1 question changed."
        assert (asked.questions, asked.total) == ({"deadlines": "changed"}, 0)
        told = _told(_thing(two.diff(three), BARRIER))
        assert list(told) == [f"Empty posts in Elsewhere now has as evidence {passage}."]


def test_the_other_way_round_what_came_went(before: Answers, after: Answers, found: Diff) -> None:
    back = after.diff(before)
    assert [(kind.kind, kind.removed, kind.added, kind.changed) for kind in back.kinds] == [
        (kind.kind, kind.added, kind.removed, kind.changed) for kind in found.kinds
    ]
    there = {(t.entity.iri, s.link, s.before, s.after) for t in found.results for s in t.statements}
    assert {(t.entity.iri, s.link, s.after, s.before) for t in back.results for s in t.statements} == there


# How much is read


class _Reading:
    """A source that remembers what it was asked."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.asked: list[str] = []

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        self.asked.append(query)
        return self._source.select(query, max_rows)

    def reply(self, request: Request, media_type: str) -> bytes:
        self.asked.append(request.query)
        return self._source.reply(request, media_type)

    def ask(self, query: str) -> bool:
        self.asked.append(query)
        return self._source.ask(query)

    def construct(self, query: str) -> list[Triple]:
        self.asked.append(query)
        return self._source.construct(query)

    def close(self) -> None:
        self._source.close()


def test_only_graphs_that_differ_are_read(before: Answers, after: Answers, found: Diff) -> None:
    source = _Reading(after.opened.source)
    compare(before.opened, replace(after.opened, source=source), limit=50, most=1000)
    read = {graph for graph in after.release().graphs if any(f"<{graph}>" in query for query in source.asked)}
    assert read == {graph for graph, change in found.graphs.items() if change != "removed"}


def test_the_limit_bounds_what_is_told_and_not_what_is_counted(before: Answers, after: Answers, found: Diff) -> None:
    few = before.diff(after, limit=2)
    assert few.results == found.results[:2]
    assert (few.total, few.kinds, few.truncated) == (found.total, found.kinds, True)
    with pytest.raises(BadParameter, match="limit"):
        before.diff(after, limit=0)


def test_beyond_so_many_things_only_graphs_are_named_and_the_summary_says_so(before: Answers, after: Answers) -> None:
    found = compare(before.opened, after.opened, limit=50, most=3)
    assert (found.complete, found.truncated) == (False, True)
    assert found.total <= 3
    assert "7 graphs differ, and not all were looked at" in found.summary


# By name


def test_a_release_is_named_by_its_id_or_the_beginning_of_it(kept: Kept) -> None:
    for name in (kept.before, kept.before[:8], kept.before[:20]):
        assert kept_release(kept.releases, name).id == kept.before


@pytest.mark.parametrize("name", ["", "abc1234", "ABCDEF12", "../../../etc", "*" * 8, "0123456g"])
def test_what_is_no_beginning_of_an_id_is_refused_with_what_to_give(kept: Kept, name: str) -> None:
    with pytest.raises(BadParameter, match="first 8 or more of its hexadecimal digits"):
        kept_release(kept.releases, name)


def test_a_release_that_is_not_kept_is_unknown_and_those_kept_are_named(kept: Kept) -> None:
    with pytest.raises(UnknownName, match="is not kept here") as caught:
        kept_release(kept.releases, "0" * 64)
    assert kept.before[:12] in str(caught.value) and kept.after[:12] in str(caught.value)


def test_a_beginning_of_several_ids_is_refused_and_they_are_named(kept: Kept, tmp_path: Path) -> None:
    ids = [kept.before, kept.before[:-1] + ("0" if kept.before[-1] != "0" else "1")]
    for id_ in ids:
        (tmp_path / id_).mkdir()
        manifest = json.loads((kept.folder(kept.before) / "manifest.json").read_text(encoding="utf-8"))
        (tmp_path / id_ / "manifest.json").write_text(json.dumps(manifest | {"release": id_}), encoding="utf-8")
    with pytest.raises(BadParameter, match="several") as caught:
        kept_release(tmp_path, kept.before[:12])
    assert all(id_ in str(caught.value) for id_ in ids)
    assert kept_release(tmp_path, ids[1]).id == ids[1]


# On the command line, over HTTP, in Python


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["kg", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_the_command_tells_what_changed(
    kept: Kept, found: Diff, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = kept.workspace.root
    assert _run(monkeypatch, "diff", kept.before[:8], kept.folder(kept.after), "--workspace", root) == 0
    out = capfd.readouterr().out
    assert out.startswith(f"from {kept.before[:12]} to {kept.after[:12]}\n{found.summary}\n")
    assert "   [said] Empty posts in Elsewhere no longer blocks workforce.\n" in out
    assert "changed Empty posts in Elsewhere (barrier:elsewhere-empty-posts, pev:Barrier)\n" in out


def test_equal_releases_are_done_and_an_unknown_one_is_one_line(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = kept.workspace.root
    assert _run(monkeypatch, "diff", kept.after, kept.after, "--workspace", root) == 0
    assert "The two are the same release." in capfd.readouterr().out
    assert _run(monkeypatch, "diff", "0" * 10, kept.after, "--workspace", root) == 1
    assert len(capfd.readouterr().err.splitlines()) == 1


@pytest.fixture(scope="module")
def client(kept: Kept, settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(Serving(kept.releases, settings)), raise_server_exceptions=False) as opened:
        yield opened


def test_the_api_answers_as_the_command_does(
    client: TestClient, kept: Kept, found: Diff, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    response = client.get("/api/diff", params={"from": kept.before[:8], "to": kept.after})
    assert response.status_code == 200, response.text
    assert response.json() == json.loads(json.dumps(wire.diff(found)))
    root = kept.workspace.root
    assert _run(monkeypatch, "diff", kept.before, kept.after, "--format", "json", "--workspace", root) == 0
    assert json.loads(capfd.readouterr().out) == response.json()
    assert client.get("/api/diff", params={"from": kept.before}).json() == response.json()


@pytest.mark.parametrize(
    ("parameters", "status", "said"),
    [
        ({"from": "0" * 64}, 404, "from: "),
        ({"from": "abc"}, 400, "from: "),
        ({}, 400, "from: is missing"),
        ({"from": "{before}", "to": "f" * 64}, 404, "to: "),
        ({"from": "{before}", "limit": "0"}, 400, "limit: "),
        ({"from": "{before}", "limit": "many"}, 400, "limit: "),
    ],
)
def test_a_wrong_parameter_of_the_comparison_is_named(
    client: TestClient, kept: Kept, parameters: dict[str, str], status: int, said: str
) -> None:
    given = {name: value.format(before=kept.before) for name, value in parameters.items()}
    response = client.get("/api/diff", params=given)
    assert response.status_code == status
    assert response.json()["detail"].startswith(said)


def test_a_notebook_compares_opened_graphs_folders_and_ids(kept: Kept, found: Diff) -> None:
    one, two = kg.open(kept.folder(kept.before)), kg.open(kept.folder(kept.after))
    told = json.loads(json.dumps(wire.diff(found)))
    for other in (two, kept.folder(kept.after), kept.after[:10]):
        assert json.loads(json.dumps(one.diff(other).to_dict())) == told
    with pytest.raises(UnknownName):
        one.diff("0" * 64)
    one.close()
    two.close()
