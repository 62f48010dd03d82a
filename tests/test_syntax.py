"""A mistake in a query is shown where it stands, and not where the engine's parser stopped reading."""

from __future__ import annotations

import pytest
from pyoxigraph import Store

from kg.engines.syntax import bad_query, bad_update
from kg.errors import BadSparql

PREFIXES = {"pev": "https://w3id.org/policy-evidence/ns#"}


def _of_query(query: str, base: str | None = None) -> BadSparql:
    with pytest.raises(SyntaxError) as caught:
        Store().query(query, base_iri=base, prefixes=PREFIXES)
    return bad_query(query, str(caught.value), PREFIXES, base)


def _of_update(update: str) -> BadSparql:
    with pytest.raises(SyntaxError) as caught:
        Store().update(update)
    return bad_update(update, str(caught.value))


@pytest.mark.parametrize(
    ("query", "line", "column", "words"),
    [
        ("SELCT * { ?s ?p ?o }", 1, 1, "SELCT cannot stand here"),
        ("SELECT * {\n  ?s ?p .\n  ?a ?b ?c .\n}\nLIMIT 3", 2, 9, ". cannot stand here"),
        ("SELECT * {\n  ?s ?p ?o ..\n  ?a ?b ?c\n}", 2, 13, ". cannot stand here"),
        ("SELECT * {\n  ?s ?p ?o\n  ?a ?b ?c\n}", 3, 3, "?a cannot stand here"),
        ("SELECT * { ?s ?p ?o . OPTINAL { ?o ?q ?r } }", 1, 23, "OPTINAL cannot stand here"),
        ("SELECT * { ?s ?p ?o FILTER ?o = 3 }", 1, 28, "?o cannot stand here"),
        ("SELECT * { ?s ?p ?o } LIMIT x", 1, 29, "x cannot stand here"),
        ("SELECT * { ?s ?p }", 1, 18, "} cannot stand here: what it closes is not complete"),
        ("# é\nSELECT * { 'é' ?é ?o } }", 2, 24, "} cannot stand here"),
        ("SELECT * { ?s pev:blocks thme:finance }", 1, 26, "the prefix thme: is not declared"),
        ("SELECT * { ?s a <http://x.example/a b> }", 1, 17, "<http://x.example/a b> is no valid absolute IRI"),
        ("SELECT * { ?s a <rel> }", 1, 17, "<rel> is no valid absolute IRI"),
        ("SELECT * { ?s ?p 'x }", 1, 18, "a string begins here that is not closed"),
        ("SELECT * { ?s ?p ?o ", 1, 20, "ends too early"),
        ("SELECT *", 1, 9, "ends too early"),
        ("SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s", 1, 52, "does not fit its GROUP BY"),
        ("", 1, 1, "there is no query here"),
        ("# nothing but a remark", 1, 1, "there is no query here"),
    ],
)
def test_a_mistake_is_shown_where_it_stands(query: str, line: int, column: int, words: str) -> None:
    error = _of_query(query)

    assert (error.line, error.column) == (line, column)
    assert str(error).startswith(f"line {line}, column {column}: ")
    assert words in str(error)


def test_a_relative_iri_is_right_where_there_is_a_base() -> None:
    error = _of_query("SELECT * { ?s <rel> ?o . ?o }", base="http://x.example/")

    assert error.column == 29


def test_a_long_word_is_shown_shortened() -> None:
    assert len(str(_of_query("SELECT * { " + "x" * 10_000 + " }"))) < 150


@pytest.mark.parametrize(
    ("update", "column", "words"),
    [
        ("INSERT DAT { <urn:a> <urn:b> 1 }", 8, "DAT cannot stand here"),
        ("DELETE WHERE { ?s ?p ?o } ; INSRT DATA {}", 29, "INSRT cannot stand here"),
        ("INSERT DATA { <urn:a> x:b 1 }", 23, "the prefix x: is not declared"),
    ],
)
def test_a_mistake_in_an_update_is_shown_where_it_stands(update: str, column: int, words: str) -> None:
    error = _of_update(update)

    assert error.column == column
    assert words in str(error)


def test_a_load_of_data_keeps_what_the_parser_says() -> None:
    error = _of_update("INSERT DATA { " + "<urn:a> <urn:b> 1 . " * 6_000 + " <urn:c> }")

    assert error.line == 1
    assert "expected" in str(error)


def test_looking_for_a_mistake_evaluates_nothing() -> None:
    # Were the beginning `ASK { … }` evaluated, the engine would ask an address at which nobody answers.
    query = "ASK { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } } LIMIT x"

    assert _of_query(query).column == 58


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { " + "OPTIONAL { ?s ?p ?o } " * 2_000 + ". . }",
        "SELECT * { FILTER(" + "(" * 90 + "1 = " + ")" * 90 + " }",
        "SELECT * { " + "[ <urn:b> " * 90 + "?o " + "] " * 89 + "}",
    ],
)
def test_a_mistake_behind_much_text_or_many_brackets_is_found(query: str) -> None:
    assert "stand here" in str(_of_query(query))
