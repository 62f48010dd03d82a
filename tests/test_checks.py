"""What must hold before files become a release, and how a curator is told that it does not."""

from __future__ import annotations

import random
import shutil
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.engines.local import LocalSource
from kg.errors import DataError
from kg.library import read_question
from kg.model import Finding
from kg.names import BASE, XSD
from kg.release.build import check, read_all
from kg.release.checks import Places, failed_checks, in_order, lossy, lossy_literals
from kg.workspace import Workspace, open_workspace
from workspaces import BARRIER, RECOMMENDATION, ROOT, add, edit, text_file, write_workspace

BROKEN = ROOT / "tests" / "broken"
CHECKS = sorted(path.stem for path in (ROOT / "queries" / "checks").glob("*.rq"))


@pytest.fixture
def invented(tmp_path: Path) -> Workspace:
    return write_workspace(tmp_path / "workspace")


def places_in(workspace: Workspace) -> Places:
    """Returns where the things of a workspace are described."""
    return Places(workspace, read_all(workspace)[0])


def found_by_checks(workspace: Workspace) -> list[Finding]:
    """Returns what the checks find in the files, before any rule."""
    graphs, _ = read_all(workspace)
    return failed_checks(LocalSource(graphs.store, workspace.prefixes), workspace, Places(workspace, graphs))


# Every check is silent on the graph and fires on its own file


@cache
def findings_of_this_repository() -> list[Finding]:
    return found_by_checks(open_workspace(ROOT))


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_finds_no_violation_in_the_graph(name: str) -> None:
    found = [finding for finding in findings_of_this_repository() if finding.rule == name]
    assert [str(finding) for finding in found if finding.severity == "violation"] == []


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_and_no_other_fires_on_its_own_broken_file(name: str, tmp_path: Path) -> None:
    for part in ("ontology", "queries"):
        shutil.copytree(ROOT / part, tmp_path / part)
    sources = tmp_path / "graph" / "sources"
    sources.mkdir(parents=True)
    shutil.copyfile(BROKEN / f"{name}.trig", sources / "broken.trig")

    found = found_by_checks(open_workspace(tmp_path))

    assert {finding.rule for finding in found} == {name}
    for finding in found:
        assert finding.path == "graph/sources/broken.trig" and finding.line
        assert "{" not in finding.message


def test_every_check_has_a_broken_file_and_every_broken_file_a_check() -> None:
    assert sorted(path.stem for path in BROKEN.iterdir()) == CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_says_what_it_asks_how_grave_it_is_and_what_a_curator_reads(name: str) -> None:
    check = read_question(ROOT / "queries" / "checks" / f"{name}.rq", name)
    assert check.summary and check.summary.endswith(".")
    assert check.fact("severity") in {"violation", "warning", "info"}
    assert check.fact("message").startswith("{focus} ")


# Checks that cannot be run


def write_check(workspace: Workspace, header: str, query: str) -> None:
    (workspace.root / "queries" / "checks" / "mine.rq").write_text(f"{header}\n{query}\n", encoding="utf-8")


FAULTY_CHECKS = {
    "no SPARQL": ("#+ severity: violation", "SELECT ?focus WHERE {\n  ?focus ?p ?o", ":3: line 3, column 15: "),
    "an ASK": ("#+ severity: violation", "ASK { ?s ?p ?o }", ": a SELECT query was expected"),
    "an unknown severity": ("#+ severity: grave", "SELECT ?focus { ?focus ?p ?o }", "none of violation, warning, info"),
    "a header that is none": ("#+ severity", "SELECT ?focus { ?focus ?p ?o }", ":1: a header line reads"),
    "no such column": ("#+ message: {focus} is {odd}", "SELECT ?focus { ?focus ?p ?o }", "none of its columns focus"),
    "an open brace": ("#+ message: {focus is odd", "SELECT ?focus { ?focus ?p ?o }", "none of its columns focus"),
}


@pytest.mark.parametrize("what", FAULTY_CHECKS)
def test_a_check_that_cannot_be_run_is_named(invented: Workspace, what: str) -> None:
    header, query, expected = FAULTY_CHECKS[what]
    write_check(invented, header, query)
    with pytest.raises(DataError) as error:
        check(invented)
    assert str(error.value).startswith("queries/checks/mine.rq:")
    assert expected in str(error.value)


def test_a_check_of_ones_own_is_a_file_and_nothing_else(invented: Workspace) -> None:
    write_check(
        invented,
        "#+ severity: info\n#+ message: {focus} was issued on {day}, seen by {nobody}",
        "PREFIX dcterms: <http://purl.org/dc/terms/>\n"
        "SELECT ?focus ?day ?nobody WHERE { ?focus dcterms:issued ?day OPTIONAL { ?focus dcterms:none ?nobody } }",
    )
    line = line_of(text_file(invented.root), "    doc:elsewhere-report a pev:Report ;")
    assert [(f.severity, f.rule, str(f)) for f in check(invented)] == [
        (
            "info",
            "mine",
            f"graph/sources/elsewhere.trig:{line}: doc:elsewhere-report was issued on 2021-05-01, seen by ",
        )
    ]


# Sentences with a place


def line_of(path: Path, line: str) -> int:
    """Returns the number of the one line of a file that reads so."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines.count(line) == 1
    return lines.index(line) + 1


def test_a_shape_speaks_a_sentence_with_file_and_line(invented: Workspace) -> None:
    path = text_file(invented.root)
    edit(path, "pev:directedTo agent:elsewhere-council ;", "")
    line = line_of(path, "    recommendation:elsewhere-fill-posts a pev:Recommendation ;")
    (finding,) = check(invented)
    assert (finding.severity, finding.rule) == ("warning", "shapes")
    assert str(finding) == (
        f"graph/sources/elsewhere.trig:{line}: recommendation:elsewhere-fill-posts names nobody to act"
    )


def test_a_shape_names_the_value_it_minds(invented: Workspace) -> None:
    edit(text_file(invented.root), "pev:blocks theme:workforce ;", "pev:blocks place:elsewhere ;")
    (finding,) = check(invented)
    assert finding.message == (
        "barrier:elsewhere-empty-posts blocks something that is no theme, initiative or outcome (found place:elsewhere)"
    )


def test_the_file_that_classes_a_thing_is_named_before_one_that_adds_to_it(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace", "anywhere", "elsewhere")
    add(
        text_file(workspace.root, "anywhere"),
        "graph:curated-anywhere { recommendation:elsewhere-fill-posts pev:supports barrier:anywhere-empty-posts }\n",
    )
    places = places_in(workspace)
    line = line_of(text_file(workspace.root), "    recommendation:elsewhere-fill-posts a pev:Recommendation ;")
    assert places.of(RECOMMENDATION) == ("graph/sources/elsewhere.trig", line)


def test_the_line_that_classes_a_thing_is_named_before_one_that_adds_to_it(invented: Workspace) -> None:
    path = text_file(invented.root)
    edit(
        path,
        "\ngraph:source-elsewhere {",
        "\ngraph:curated-elsewhere {\n    barrier:elsewhere-empty-posts pev:hasTheme theme:finance .\n}\n"
        "\ngraph:source-elsewhere {",
    )
    places = places_in(invented)
    assert places.of(BARRIER)[1] == line_of(path, "    barrier:elsewhere-empty-posts a pev:Barrier ;")


def test_a_name_that_begins_like_another_is_not_taken_for_it(invented: Workspace) -> None:
    path = text_file(invented.root)
    edit(
        path,
        "    barrier:elsewhere-empty-posts a pev:Barrier ;",
        "    barrier:elsewhere-empty-posts-again pev:similarTo barrier:elsewhere-register .\n\n"
        "    barrier:elsewhere-empty-posts a pev:Barrier ;",
    )
    places = places_in(invented)
    assert places.of(BARRIER)[1] == line_of(path, "    barrier:elsewhere-empty-posts a pev:Barrier ;")


def test_a_thing_that_no_file_describes_has_no_place(invented: Workspace) -> None:
    assert places_in(invented).of(BASE + "id/agent/nobody") == (None, None)
    assert str(Finding("info", "mine", "agent:nobody is not here")) == "agent:nobody is not here"


# The shapes file itself


UNUSABLE_SHAPES = {
    "no Turtle": "sh:targetClass pev:Item\n  sh:oops .",
    "a property shape without a path": "sh:targetClass pev:Item ; sh:property [ sh:minCount 1 ] .",
    "a count that is no number": 'sh:targetClass pev:Item ; sh:property [ sh:path rdfs:label ; sh:minCount "x" ] .',
    "a constraint that is no SPARQL": (
        'sh:targetClass pev:Item ; sh:sparql [ a sh:SPARQLConstraint ; sh:select "SELECT nonsense" ] .'
    ),
}


@pytest.mark.parametrize("what", UNUSABLE_SHAPES)
def test_shapes_that_cannot_be_used_are_an_error_of_that_file(invented: Workspace, what: str) -> None:
    add(invented.shapes, f"pevs:Odd a sh:NodeShape ; {UNUSABLE_SHAPES[what]}\n")
    with pytest.raises(DataError) as error:
        check(invented)
    assert error.value.path == "ontology/shapes.ttl"
    assert "\n" not in str(error.value)


def test_missing_shapes_are_an_error_of_that_file(invented: Workspace) -> None:
    invented.shapes.unlink()
    with pytest.raises(DataError) as error:
        check(invented)
    assert error.value.path == "ontology/shapes.ttl"


# Literals that the store would give back otherwise


def typed(value: str, datatype: str) -> Literal:
    return Literal(value, datatype=NamedNode(XSD + datatype))


def found_lossy(invented: Workspace, *literals: Literal) -> list[Finding]:
    subject, predicate = NamedNode(BARRIER), NamedNode(BASE + "ns#amount")
    quads = [Quad(subject, predicate, literal) for literal in literals]
    return lossy_literals(lossy(quads), places_in(invented))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (typed("P12M", "duration"), typed("P1Y", "duration")),
        (typed("1.0e3", "double"), typed("1000", "double")),
        (typed("7", "long"), typed("7", "integer")),
        (typed("7", "nonNegativeInteger"), typed("7", "integer")),
        (typed("007", "integer"), typed("7", "integer")),
        (typed("1.50", "decimal"), typed("1.5", "decimal")),
        (typed("1", "boolean"), typed("true", "boolean")),
    ],
    ids=str,
)
def test_a_literal_that_the_store_rewrites_is_warned_of_with_the_form_to_write(
    invented: Workspace, written: Literal, kept: Literal
) -> None:
    (finding,) = found_lossy(invented, written)
    line = line_of(text_file(invented.root), "    barrier:elsewhere-empty-posts a pev:Barrier ;")
    assert (finding.severity, finding.rule) == ("warning", "lossy-literal")
    assert str(finding) == (
        f"graph/sources/elsewhere.trig:{line}: barrier:elsewhere-empty-posts pev:amount"
        f" {written} would be stored as {kept}; write that form."
    )
    assert found_lossy(invented, kept) == [], "the form to write is one that stays"


def test_a_literal_that_the_store_keeps_is_not_warned_of(invented: Workspace) -> None:
    ordinary = [
        Literal("Too many posts"),
        Literal("Postes vides", language="fr"),
        *(typed(value, "integer") for value in ("0", "-7", "12345678901")),
        *(typed(value, "decimal") for value in ("0.5", "-12.25")),
        *(typed(value, "boolean") for value in ("true", "false")),
        *(typed(value, "duration") for value in ("P1Y", "P1Y6M", "P30D")),
        *(typed(value, "date") for value in ("2021-05-01",)),
        *(typed(value, "gYear") for value in ("2021",)),
        *(typed(value, "gYearMonth") for value in ("2021-05",)),
        typed("not a number", "integer"),
        typed("99999999999999999999999999", "integer"),
        Literal("x", datatype=NamedNode(BASE + "ns#own")),
    ]
    assert found_lossy(invented, *ordinary) == []


def test_the_real_files_hold_no_literal_that_the_store_would_rewrite(workspace: Workspace) -> None:
    graphs, odd = read_all(workspace)
    assert [str(finding) for finding in lossy_literals(odd, Places(workspace, graphs))] == []


# Order


def test_findings_come_gravest_first_then_by_place_and_each_once() -> None:
    ordered = [
        Finding("violation", "r", "b", None),
        Finding("violation", "r", "a", "graph/a.trig", 2),
        Finding("violation", "r", "a", "graph/a.trig", 10),
        Finding("violation", "r", "b", "graph/a.trig", 10),
        Finding("violation", "r", "a", "graph/b.trig", 1),
        Finding("warning", "r", "a", "graph/a.trig", 1),
        Finding("info", "r", "a", "graph/a.trig", 1),
    ]
    shuffled = [*ordered, *ordered]
    random.Random(3).shuffle(shuffled)
    assert in_order(shuffled) == ordered


def test_two_rules_that_say_the_same_come_in_one_order() -> None:
    both = [Finding("violation", rule, "same", "graph/a.trig", 1) for rule in ("a-rule", "b-rule")]
    assert in_order(both) == in_order(reversed(both)) == both


def test_checking_twice_says_the_same_in_the_same_order(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace", "elsewhere", "nowhere")
    for slug in ("elsewhere", "nowhere"):
        edit(text_file(workspace.root, slug), '"Too many posts stand empty."@en', '"Too many posts stand empty."')
        edit(text_file(workspace.root, slug), 'pev:timeframe "P1Y"', 'pev:timeframe "P12M"')
    found = check(workspace)
    assert found == check(workspace) == in_order(found)
    assert {finding.rule for finding in found} == {"shapes", "missing-language", "lossy-literal"}
