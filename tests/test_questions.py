"""The questions of queries/: what their headers promise holds, here and in another SPARQL engine."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.plugins.sparql import prepareQuery

from kg.answers import Answers
from kg.library import Library, Parameter, Question, read_library
from kg.names import XSD
from kg.release.export import quads
from kg.release.opened import Release
from kg.workspace import open_workspace

ROOT = Path(__file__).parents[1]
WORKSPACE = open_workspace(ROOT)
LIBRARY: Library = read_library(ROOT / "queries", WORKSPACE.prefixes)
ALL = [pytest.param(question, id=name) for name, question in sorted(LIBRARY.questions.items())]
LISTED = [pytest.param(question, id=question.name) for question in LIBRARY.listed]
PARAMETERS = [
    pytest.param(question, parameter, id=f"{question.name}-{parameter.name}")
    for question in LIBRARY.listed
    for parameter in question.parameters
]
OPTIONAL = [value for value in PARAMETERS if value.values[1].mode == "optional"]  # type: ignore[union-attr]  # made just above

# Values to try where a parameter is no entity: some of them must change the answer.
_LITERALS = {
    "xsd:gYear": ("2016", "2017", "2018", "2019", "2020"),
    "xsd:date": ("2018-01-01", "2019-03-31", "2020-12-31", "2030-12-31"),
    "xsd:decimal": ("1", "1000000", "500000000", "1000000000000"),
}

Row = tuple[object, ...]


def _examples(question: Question) -> dict[str, list[str]]:
    return {p.name: list(p.example) for p in question.parameters}


def _rows(answers: Answers, question: Question, given: Mapping[str, Sequence[str]]) -> list[Row]:
    found = answers.ask(question.name, given)
    return [tuple(row.get(name) for name in found.columns) for row in found.results]


def _other_values(release: Release, parameter: Parameter) -> Iterable[str]:
    """Returns values of the parameter's type beside its examples: for an entity, the members of its class."""
    taken = set(parameter.example)
    if not parameter.is_entity:
        return [value for value in _LITERALS[parameter.type] if value not in taken]
    prefixes = release.library.prefixes
    class_iri = prefixes.iri(parameter.type)
    assert class_iri
    rows = release.source.select("SELECT DISTINCT ?x { ?x a ?class } ORDER BY ?x").rows
    known = [x.value for (x,) in rows if isinstance(x, ox.NamedNode)]
    return [x for x in known if release.search.is_a(x, class_iri) and prefixes.curie(x) not in taken]


def test_there_are_at_least_eighteen_questions() -> None:
    assert len(LIBRARY.listed) >= 18


def test_the_readme_lists_every_question_with_its_summary_and_its_parameters() -> None:
    readme = (ROOT / "queries" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[([\w-]+)\]\(([\w-]+)\.rq\) \| (.+?) \| (.*?) ?\|$", readme, re.MULTILINE)
    assert [name for name, _, _, _ in listed] == [question.name for question in LIBRARY.listed]
    for (name, file, summary, parameters), question in zip(listed, LIBRARY.listed, strict=True):
        assert (file, summary) == (name, question.summary)
        assert re.findall(r"`(\w+)`", parameters) == [p.name for p in question.parameters]


def test_every_file_is_a_question_or_says_what_the_program_uses_it_for() -> None:
    for question in LIBRARY.questions.values():
        assert bool(question.summary) != bool(question.fact("purpose")), question.name


@pytest.mark.parametrize("question", ALL)
def test_a_query_file_parses_without_prefixes_from_outside(question: Question) -> None:
    ox.Store().query(question.text)
    prepareQuery(question.text)


@pytest.mark.parametrize("question", ALL)
def test_a_query_file_has_exactly_the_columns_it_declares_and_rows_for_its_example(
    release: Release, question: Question
) -> None:
    found = release.source.select(question.text)
    assert found.variables == tuple(column.name for column in question.columns)
    assert found.rows


@pytest.mark.parametrize("question", ALL)
def test_the_cells_of_a_column_are_of_its_declared_kind(release: Release, question: Question) -> None:
    found = release.source.select(question.text)
    for place, column in enumerate(question.columns):
        for cell in (row[place] for row in found.rows if row[place] is not None):
            if column.type.startswith("xsd:"):
                assert isinstance(cell, ox.Literal)
                assert cell.datatype.value == XSD + column.type.removeprefix("xsd:"), column
            elif column.type == "iri":
                assert isinstance(cell, ox.NamedNode), column
            else:
                assert column.type == "text", column


@pytest.mark.parametrize("question", LISTED)
def test_an_example_given_as_parameters_answers_as_the_file_does(answers: Answers, question: Question) -> None:
    found = answers.ask(question.name, _examples(question))
    plain = answers.opened.source.select(question.text)
    assert found.columns == plain.variables
    assert len(found.results) == len(plain.rows)
    for row, expected in zip(found.results, plain.rows, strict=True):
        cells = [None if name not in row else row[name].value for name in found.columns]
        assert cells == [getattr(term, "value", None) for term in expected]


@pytest.mark.parametrize("question", LISTED)
def test_an_entity_column_has_its_label_beside_it(question: Question) -> None:
    names = [column.name for column in question.columns]
    for name in (n[: -len("Label")] for n in names if n.endswith("Label")):
        assert name in names, f"{name}Label stands without {name}"


@pytest.mark.parametrize(("question", "parameter"), PARAMETERS)
def test_a_second_value_gives_different_rows(
    answers: Answers, release: Release, question: Question, parameter: Parameter
) -> None:
    examples = _examples(question)
    before = Counter(_rows(answers, question, examples))
    # What narrows a question may well leave nothing (one report has key messages); what it is about may not.
    enough = 0 if parameter.mode == "optional" else 1
    for value in _other_values(release, parameter):
        after = Counter(_rows(answers, question, examples | {parameter.name: [value]}))
        if after.total() >= enough and after != before:
            return
    pytest.fail("no other value changes the answer")


@pytest.mark.parametrize(("question", "parameter"), OPTIONAL)
def test_an_optional_parameter_may_be_absent(answers: Answers, question: Question, parameter: Parameter) -> None:
    examples = _examples(question)
    narrow = _rows(answers, question, examples)
    del examples[parameter.name]
    found = answers.ask(question.name, examples)
    assert len(found.results) >= len(narrow) > 0
    assert f"VALUES ?{parameter.name}" not in found.sparql
    assert parameter.name not in found.parameters


@pytest.mark.parametrize("question", LISTED)
def test_the_query_that_comes_with_an_answer_reproduces_it(answers: Answers, question: Question) -> None:
    found = answers.ask(question.name, _examples(question))
    again = answers.select(found.sparql)
    assert (again.columns, again.results) == (found.columns, found.results)


def test_the_four_barriers_of_the_third_key_message_are_said_to_block_strategic_planning(answers: Answers) -> None:
    found = answers.ask("barriers-blocking-theme", {"theme": ["Strategic planning"]})
    said = {row["barrier"].value.rpartition("/")[2] for row in found.results if row["how"].value == "said"}
    assert said == {
        "as2018-leadership-capacity",
        "as2018-leadership-turnover",
        "as2018-governance-disagreement",
        "as2018-data-sharing",
    }
    origins = {row["origin"].value for row in found.results if row["how"].value == "said"}
    assert len(origins) == 1, "Audit Scotland's report alone says so"


def test_a_barrier_comes_back_from_each_theme_that_it_blocks(answers: Answers) -> None:
    blocked = answers.ask("themes-a-barrier-blocks", {"barrier": ["barrier:as2018-data-sharing"]})
    themes = [row["theme"].value for row in blocked.results]
    assert themes
    for theme in themes:
        barriers = answers.ask("barriers-blocking-theme", {"theme": [theme]})
        assert any(row["barrier"].value.endswith("as2018-data-sharing") for row in barriers.results), theme


# Another engine


@pytest.fixture(scope="module")
def another_engine(release: Release) -> rdflib.Dataset:
    """An rdflib Dataset that holds what the release holds: named graphs, and their merged copy as the default."""
    named = quads(release)
    dataset = rdflib.Dataset()
    dataset.parse(data=ox.serialize(named, format=ox.RdfFormat.N_QUADS) or b"", format="nquads")
    merged = ox.serialize({quad.triple for quad in named}, format=ox.RdfFormat.N_TRIPLES) or b""
    dataset.default_graph.parse(data=merged, format="nt")
    return dataset


@pytest.mark.slow
@pytest.mark.parametrize("question", ALL)
def test_rdflib_gives_the_same_rows(another_engine: rdflib.Dataset, release: Release, question: Question) -> None:
    ours = Counter(tuple(map(_from_ox, row)) for row in release.source.select(question.text).rows)
    theirs = Counter(tuple(map(_from_rdflib, row)) for row in another_engine.query(question.text))  # type: ignore[arg-type]  # a SELECT has rows
    assert theirs == ours


def _from_ox(term: object) -> tuple[str, ...] | None:
    if term is None:
        return None
    if isinstance(term, ox.Literal):
        datatype = "" if term.language or term.datatype.value == XSD + "string" else term.datatype.value
        return ("literal", term.value, term.language or "", datatype)
    assert isinstance(term, ox.NamedNode)
    return ("iri", term.value)


def _from_rdflib(term: object) -> tuple[str, ...] | None:
    if term is None:
        return None
    if isinstance(term, rdflib.Literal):
        datatype = "" if term.datatype in {None, rdflib.XSD.string} else str(term.datatype)
        return ("literal", str(term), term.language or "", datatype)
    assert isinstance(term, rdflib.URIRef)
    return ("iri", str(term))
