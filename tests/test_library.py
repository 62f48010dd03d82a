"""Question files: what their headers say, and how values come into them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Store

from kg.errors import BadParameter, DataError
from kg.library import Column, Library, Parameter, Question, literal_of, narrowed, read_library, read_question
from kg.names import XSD
from workspaces import PREFIXES, ROOT

QUESTION = """\
#+ summary: Which kettles boil which water, by year?
#+ param kettle: iri of pev:Item
#+ param year: xsd:gYear, optional
#+ param colour: xsd:string, many, as it is painted
#+ column kettle: iri
#+ column water: text, in litres
#+ tag: first
#+ tag: second
PREFIX ex: <http://example.org/>
# VALUES ?kettle { ex:commented }
SELECT ?kettle ?water {
  VALUES ?kettle { ex:kettle }
  VALUES ?year { "2021"^^<http://www.w3.org/2001/XMLSchema#gYear> }
  VALUES ?colour { "red"@en 'VALUES ?kettle { }' }
  ?kettle ex:boils ?water ; ex:bought ?year ; ex:colour ?colour
}
"""

EX = "http://example.org/"


def write(folder: Path, text: str, name: str = "kettles") -> Path:
    path = folder / f"{name}.rq"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def question(tmp_path: Path) -> Question:
    return read_question(write(tmp_path, QUESTION), "queries/kettles.rq")


# the header


def test_a_question_is_named_after_its_file_and_keeps_its_text(question: Question) -> None:
    assert question.name == "kettles"
    assert question.text == QUESTION
    assert question.summary == "Which kettles boil which water, by year?"


def test_parameters_have_type_mode_and_example(question: Question) -> None:
    kettle, year, colour = question.parameters

    assert kettle == Parameter("kettle", "pev:Item", "required", ("ex:kettle",))
    assert year == Parameter("year", "xsd:gYear", "optional", ("2021",))
    assert (colour.type, colour.mode) == ("xsd:string", "many")
    assert kettle.is_entity
    assert not year.is_entity


def test_examples_are_written_as_a_person_gives_them(question: Question) -> None:
    assert question.parameters[2].example == ("red", "VALUES ?kettle { }")


def test_columns_have_type_and_help(question: Question) -> None:
    assert question.columns == (Column("kettle", "iri", ""), Column("water", "text", "in litres"))


def test_every_header_line_is_a_fact(question: Question) -> None:
    assert question.fact("tag") == "first"
    assert [value for key, value in question.facts if key == "tag"] == ["first", "second"]
    assert question.fact("author", "nobody") == "nobody"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("#+ nothing", "a header line reads"),
        ("#+ summary:", "a header line reads"),
        ("#+ param kettle: whichever", "parameter 'kettle': expected `iri of CLASS`"),
        ("#+ param kettle: iri of Kettle", "parameter 'kettle': expected"),
        ("#+ param lid: iri of pev:Item", r"parameter 'lid' has no block `VALUES \?lid"),
    ],
)
def test_a_wrong_header_names_file_and_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = write(tmp_path, f"#+ summary: What?\n{line}\nSELECT * {{ VALUES ?kettle {{ 1 }} }}")

    with pytest.raises(DataError, match=rf"^queries/kettles\.rq:2: {complaint}") as caught:
        read_question(path, "queries/kettles.rq")

    assert caught.value.line == 2


def test_a_block_that_is_not_closed_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^queries/kettles\.rq: .*VALUES block is not closed"):
        read_question(write(tmp_path, "SELECT * { VALUES ?x { 1 2"), "queries/kettles.rq")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kettles.rq"
    path.write_bytes(b"# caf\xe9\nASK {}")

    with pytest.raises(DataError, match=r"queries/kettles\.rq"):
        read_question(path, "queries/kettles.rq")


# binding


def ex(name: str) -> NamedNode:
    return NamedNode(EX + name)


def test_without_values_the_example_stands(question: Question) -> None:
    assert question.bound({}) == QUESTION


def test_a_value_takes_the_place_of_the_example_and_nothing_else_changes(question: Question) -> None:
    bound = question.bound({"kettle": [[ex("pot")]]})

    assert bound == QUESTION.replace("  VALUES ?kettle { ex:kettle }", "  VALUES ?kettle { <http://example.org/pot> }")


def test_many_values_stand_in_one_block(question: Question) -> None:
    bound = question.bound({"colour": [[Literal("blue")], [Literal("grün", language="de")]]})

    assert 'VALUES ?colour { "blue" "grün"@de }' in bound


def test_no_value_removes_the_block(question: Question) -> None:
    bound = question.bound({"year": []})

    assert "VALUES ?year" not in bound
    assert "ex:bought ?year" in bound


def test_a_block_that_the_question_has_not_is_an_error(question: Question) -> None:
    with pytest.raises(KeyError, match="lid"):
        question.bound({"lid": [[ex("x")]]})


def test_a_query_that_counts_or_orders_downward_is_not_asked_for_some_columns() -> None:
    for query in (
        "SELECT ?a (COUNT(?b) AS ?n) WHERE { ?a ?p ?b } GROUP BY ?a",
        "SELECT ?a WHERE { ?a ?p ?b } ORDER BY DESC(?a)",
        "SELECT ?a WHERE { ?a ?p ?b } ORDER BY ?a LIMIT 3",
    ):
        with pytest.raises(ValueError, match="more than variables"):
            narrowed(query, ["a"])


def test_an_order_within_a_query_is_left_to_it() -> None:
    query = "SELECT ?a ?b { { SELECT ?a WHERE { ?a ?p ?o } ORDER BY DESC(?a) LIMIT 3 } ?a ?q ?b } ORDER BY ?b"
    assert narrowed(query, ["b"]) == (query.replace("SELECT ?a ?b", "SELECT ?b").removesuffix(" ORDER BY ?b"), ("b",))


def test_a_block_of_several_variables_is_named_by_them_and_takes_rows(tmp_path: Path) -> None:
    text = "SELECT * { VALUES (?from ?to) { (<a:a> <a:b>) } ?from ?p ?to }"
    question = read_question(write(tmp_path, text), "queries/kettles.rq")

    bound = question.bound({"from to": [[ex("a"), ex("b")], [ex("c"), ex("d")]]})

    assert bound == (
        "SELECT * { VALUES (?from ?to) { (<http://example.org/a> <http://example.org/b>) "
        "(<http://example.org/c> <http://example.org/d>) } ?from ?p ?to }"
    )


@given(
    st.lists(
        st.one_of(
            st.text().map(Literal),
            st.text().map(lambda text: Literal(text, datatype=NamedNode(EX + "type"))),
            st.tuples(st.text(), st.sampled_from(["en", "de-at"])).map(lambda pair: Literal(pair[0], language=pair[1])),
            st.from_regex(r"http://x\.example/[A-Za-z0-9'()#?&=%20;,.~_-]{0,20}", fullmatch=True)
            .filter(lambda iri: "%" not in iri and iri.count("#") < 2)
            .map(NamedNode),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_the_value_is_it_stays_a_value(terms: list[Literal | NamedNode]) -> None:
    question = Question("echo", None, (), (), (), "SELECT ?x { VALUES ?x { 1 } }")

    found = Store().query(question.bound({"x": [[term] for term in terms]}))

    assert [row[0] for row in found] == terms  # type: ignore[union-attr]  # it is a SELECT


# typed values


@pytest.mark.parametrize(
    ("datatype", "text"),
    [
        ("string", ""),
        ("string", "} DROP ALL"),
        ("integer", "-12"),
        ("integer", "+0"),
        ("decimal", "1.50"),
        ("decimal", "7"),
        ("gYear", "2021"),
        ("boolean", "true"),
        ("date", "2020-02-29"),
    ],
)
def test_a_text_of_the_declared_type_becomes_its_literal(datatype: str, text: str) -> None:
    literal = literal_of(Parameter("x", f"xsd:{datatype}", "required", ()), text)

    assert literal == Literal(text, datatype=NamedNode(XSD + datatype))


@pytest.mark.parametrize(
    ("datatype", "text"),
    [
        ("integer", ""),
        ("integer", "1.0"),
        ("integer", "twelve"),
        ("integer", "٣"),
        ("integer", "1" * 19),
        ("integer", "1\n"),
        ("decimal", "1."),
        ("decimal", "1e3"),
        ("gYear", "21"),
        ("gYear", "20211"),
        ("boolean", "yes"),
        ("boolean", "TRUE"),
        ("date", "2021-02-29"),
        ("date", "20210228"),
        ("date", "2021-W01-1"),
        ("duration", "P1Y"),
    ],
)
def test_a_text_that_does_not_fit_names_parameter_type_and_value(datatype: str, text: str) -> None:
    with pytest.raises(BadParameter) as caught:
        literal_of(Parameter("when", f"xsd:{datatype}", "required", ()), text)

    assert str(caught.value) == f"when: {text!r} is no xsd:{datatype}."


# the library


def test_a_folder_is_read_by_file_name_and_only_questions_with_a_summary_are_listed(tmp_path: Path) -> None:
    write(tmp_path, "#+ summary: Second?\nASK {}", "b")
    write(tmp_path, "#+ summary: First?\nASK {}", "a")
    write(tmp_path, "#+ purpose: For the program.\nASK {}", "inner")
    (tmp_path / "README.md").write_text("no question", encoding="utf-8")

    library = read_library(tmp_path, PREFIXES)

    assert set(library.questions) == {"a", "b", "inner"}
    assert [question.name for question in library.listed] == ["a", "b"]
    assert library.program("inner").name == "inner"


def test_a_query_that_the_program_needs_and_has_not_is_named() -> None:
    with pytest.raises(DataError, match=r"^queries/passages\.rq: is missing"):
        Library({}, PREFIXES).program("passages")


def test_the_questions_of_this_repository_are_read_with_their_columns() -> None:
    library = read_library(ROOT / "queries", PREFIXES)

    assert len(library.listed) >= 18
    assert all(question.columns for question in library.listed)
