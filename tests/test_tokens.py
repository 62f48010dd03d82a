"""A query cut into tokens: what is a keyword and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.tokens import is_graph_form, is_query, is_update, tokens, verb
from workspaces import ROOT


def kinds(query: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in tokens(query)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<http://x.example/a#b>", "iri"),
        ("<>", "iri"),
        ("<http://x.example/O'Hara_(poet)>", "iri"),
        (r"<http://x.example/\u00E9\U000000E9>", "iri"),
        ("'a'", "string"),
        ('"a"', "string"),
        ("''", "string"),
        ('""', "string"),
        (r"'it\'s'", "string"),
        (r'"\t\b\n\r\f\\\"\'"', "string"),
        (r"'\u0041\uD7FF\uE000\U0010FFFF'", "string"),
        ("'''it's ''two''\nlines'''", "string"),
        ('"""a "b" ""c""\n"""', "string"),
        ("''''a'''", "string"),
        ("?x", "var"),
        ("$x1_é", "var"),
        ("@en-GB", "lang"),
        ("_:b.1", "bnode"),
        ("ex:a", "pname"),
        ("ex:", "pname"),
        (":", "pname"),
        (":a:b", "pname"),
        ("ex.two:a.b-c", "pname"),
        (r"ex:a\'b\#c\/d", "pname"),
        ("ex:%20a", "pname"),
        ("ex:1", "pname"),
        ("12", "number"),
        ("1.5", "number"),
        (".5", "number"),
        ("1e-3", "number"),
        ("SELECT", "word"),
        ("a", "word"),
        ("^^", "mark"),
        ("&&", "mark"),
        ("||", "mark"),
        ("!=", "mark"),
        ("<=", "mark"),
        (">=", "mark"),
        ("{", "mark"),
    ],
)
def test_each_terminal_is_one_token_of_its_kind(text: str, kind: str) -> None:
    assert kinds(text) == [(kind, text)]
    assert kinds(f" {text}\n# and a comment") == [(kind, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("?a<?b", ["?a", "<", "?b"]),
        ("?a < 'x' && ?b > 1", ["?a", "<", "'x'", "&&", "?b", ">", "1"]),
        ("<a b>", ["<", "a", "b", ">"]),
        ("'a'@en", ["'a'", "@en"]),
        ("'1'^^xsd:integer", ["'1'", "^^", "xsd:integer"]),
        ("ex:a.", ["ex:a", "."]),
        ("ex:a.?b", ["ex:a", ".", "?b"]),
        ("_:a.}", ["_:a", ".", "}"]),
        ("1.", ["1."]),
        ("ASK{}", ["ASK", "{", "}"]),
        ("'a\nb'", ["'", "a", "b", "'"]),
        (r"'''a' \x '''", ["''", "'a'", r"\x", "''", "'"]),
        (r"'\uD800'", ["'", r"\u", "D800", "'"]),
        (r"\' a", [r"\'", "a"]),
        (r"\# a", [r"\#", "a"]),
        ("a # b\rc # d\ne", ["a", "c", "e"]),
        ("ex:a#b", ["ex:a"]),
        ("<http://x.example/#a>#b", ["<http://x.example/#a>"]),
    ],
)
def test_tokens_end_where_the_grammar_ends_them(text: str, expected: list[str]) -> None:
    assert [token.text for token in tokens(text)] == expected


@pytest.mark.parametrize("text", ["'SELECT'", "<SELECT>", "?SELECT", "@SELECT", "_:SELECT", "SELECT:", "ex:SELECT"])
def test_only_a_bare_word_is_a_keyword(text: str) -> None:
    assert [token.keyword for token in tokens(text)] == [None]


def test_a_keyword_is_upper_case_however_it_is_written() -> None:
    assert [token.keyword for token in tokens("sElEcT")] == ["SELECT"]


@given(st.text(alphabet=st.sampled_from("aS:?$<>\"'\\#\n\r .,;{}()[]@^_-%1eéu0D8") | st.characters(), max_size=60))
def test_tokens_stand_in_order_and_between_them_is_only_space_and_comment(text: str) -> None:
    end = 0
    for token in tokens(text):
        assert text[token.start : token.end] == token.text
        between = text[end : token.start]
        assert not between.strip() or between.lstrip().startswith("#")
        end = token.end
    rest = text[end:]
    assert not rest.strip() or rest.lstrip().startswith("#")


@pytest.mark.parametrize("path", sorted((ROOT / "queries").rglob("*.rq")), ids=lambda path: path.stem)
def test_the_questions_of_this_repository_are_queries(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert is_query(text)
    assert not is_update(text)


PROLOGUES = [
    "",
    "PREFIX select: <http://x.example/> ",
    "BASE <http://x.example/> PREFIX : <#>\n",
    "VERSION '1.2' ",
    "# INSERT\n# SELECT\n",
    "prefix ask:<ask> base<describe>\r\n",
]


@pytest.mark.parametrize("prologue", PROLOGUES)
@pytest.mark.parametrize(
    "form", ["SELECT", "ASK", "CONSTRUCT", "DESCRIBE", "INSERT", "DELETE", "LOAD", "WITH", "CLEAR"]
)
def test_the_verb_is_the_first_word_after_the_prologue(prologue: str, form: str) -> None:
    query = f"{prologue}{form.lower()} {{ }} ASK INSERT"

    assert verb(query) == form
    assert is_query(query) is (form in {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})
    assert is_update(query) is (form in {"INSERT", "DELETE", "LOAD", "WITH", "CLEAR"})
    assert is_graph_form(query) is (form in {"CONSTRUCT", "DESCRIBE"})


@pytest.mark.parametrize("text", ["", "  # SELECT", "{ SELECT }", "? SELECT", "* ASK", "PREFIX x: <x>"])
def test_what_begins_with_no_word_has_no_verb(text: str) -> None:
    assert verb(text) is None
    assert not is_query(text)
    assert not is_update(text)
