"""Turtle and TriG in one fixed order: nothing is lost, and equal graphs are equal files."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyoxigraph import (
    BaseDirection,
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Triple,
    parse,
)

from kg.errors import DataError
from kg.names import RDF, RDF_TYPE, XSD, Prefixes
from kg.release.turtle import format_file, write_trig, write_turtle
from workspaces import PREFIXES, ROOT, invented_text

EX = "http://example.org/"
SMALL = Prefixes({"ex": EX, "deep": EX + "deep/", "xsd": XSD, "rdf": RDF, "": "http://empty.example/"})


def ex(name: str) -> NamedNode:
    return NamedNode(EX + name)


def read_trig(text: str) -> set[Quad]:
    return set(parse(text, format=RdfFormat.TRIG))


def read_turtle(text: str) -> set[Triple]:
    return {quad.triple for quad in parse(text, format=RdfFormat.TURTLE)}


# what it looks like


def test_a_graph_is_written_in_one_order_with_the_prefixes_in_use() -> None:
    triples = [
        Triple(ex("b"), ex("q"), Literal("two")),
        Triple(ex("b"), ex("q"), Literal("one", language="en")),
        Triple(ex("b"), NamedNode(RDF_TYPE), ex("Thing")),
        Triple(ex("a"), ex("p"), ex("deep/x")),
        Triple(ex("b"), ex("p"), Literal("3", datatype=NamedNode(XSD + "integer"))),
    ]

    assert write_turtle(triples, SMALL) == (
        "@prefix deep: <http://example.org/deep/> .\n"
        "@prefix ex: <http://example.org/> .\n"
        "\n"
        "ex:a ex:p deep:x .\n"
        "\n"
        "ex:b a ex:Thing ;\n"
        "    ex:p 3 ;\n"
        '    ex:q "one"@en,\n'
        '        "two" .\n'
    )


def test_graphs_stand_in_order_and_the_default_graph_first() -> None:
    quads = [
        Quad(ex("s"), ex("p"), ex("o"), ex("g2")),
        Quad(ex("s"), ex("p"), ex("o"), NamedNode("urn:g")),
        Quad(ex("s"), ex("p"), ex("o"), DefaultGraph()),
        Quad(ex("s"), ex("p"), ex("o"), ex("g1")),
    ]

    assert write_trig(quads, SMALL) == (
        "@prefix ex: <http://example.org/> .\n"
        "\n"
        "ex:s ex:p ex:o .\n"
        "\n"
        "ex:g1 {\n    ex:s ex:p ex:o .\n}\n"
        "\n"
        "ex:g2 {\n    ex:s ex:p ex:o .\n}\n"
        "\n"
        "<urn:g> {\n    ex:s ex:p ex:o .\n}\n"
    )


def test_whole_numbers_are_sorted_by_their_value() -> None:
    numbers = [Triple(ex("s"), ex("p"), Literal(n)) for n in (100, 9, 10, 1)]

    assert "ex:p 1,\n        9,\n        10,\n        100 ." in write_turtle(numbers, SMALL)


def test_what_is_said_twice_is_written_once() -> None:
    triple = Triple(ex("s"), ex("p"), ex("o"))

    assert write_turtle([triple, triple], SMALL) == write_turtle([triple], SMALL)


def test_of_quads_turtle_drops_the_graph() -> None:
    quads = [Quad(ex("s"), ex("p"), ex("o"), ex(graph)) for graph in ("g1", "g2")]

    assert read_turtle(write_turtle(quads, SMALL)) == {Triple(ex("s"), ex("p"), ex("o"))}


def test_nothing_is_an_empty_file() -> None:
    assert write_turtle([], SMALL) == ""
    assert write_trig([], SMALL) == ""


# what survives

ODD_TERMS = {
    "quotes": Literal('"""\'\'\' " \\" \\'),
    "lines": Literal("a\nb\r\nc\rd\te\b\f"),
    "ends in a backslash": Literal("a\\"),
    "control characters": Literal("\u0000\u0001\u001f\u007f\u0085"),
    "non-characters": Literal("\ufffe\uffff\ufeff"),
    "unicode": Literal("Élan e\u0301 日本 👩\u200d🚒 \u202e"),
    "looks like a prefix": Literal("rdf:type ; ex:x . } { @prefix"),
    "looks like a comment": Literal("# no"),
    "empty": Literal(""),
    "language": Literal("colour", language="en-gb"),
    "direction": Literal("שלום", language="he", direction=BaseDirection.RTL),
    "own type": Literal("7", datatype=ex("spoons")),
    "type of no prefix": Literal("7", datatype=NamedNode("urn:t")),
    "integer": Literal("-007", datatype=NamedNode(XSD + "integer")),
    "integer with a sign": Literal("+7", datatype=NamedNode(XSD + "integer")),
    "no integer at all": Literal("seven", datatype=NamedNode(XSD + "integer")),
    "integer with a line end": Literal("7\n", datatype=NamedNode(XSD + "integer")),
    "integer of other digits": Literal("٣", datatype=NamedNode(XSD + "integer")),
    "decimal": Literal("1.50", datatype=NamedNode(XSD + "decimal")),
    "decimal without a whole": Literal(".5", datatype=NamedNode(XSD + "decimal")),
    "decimal without a point": Literal("5", datatype=NamedNode(XSD + "decimal")),
    "decimal with a bare point": Literal("5.", datatype=NamedNode(XSD + "decimal")),
    "double": Literal("1e3", datatype=NamedNode(XSD + "double")),
    "boolean": Literal("true", datatype=NamedNode(XSD + "boolean")),
    "boolean as a number": Literal("1", datatype=NamedNode(XSD + "boolean")),
    "date": Literal("2021-05-01", datatype=NamedNode(XSD + "date")),
    "name with a dot": ex("a.b"),
    "name that ends in a dot": ex("a."),
    "name that begins with a digit": ex("1a"),
    "name that begins with a hyphen": ex("-a"),
    "name with a slash and a hash": ex("a/b#c"),
    "name with brackets and a quote": ex("O'Hara_(poet)"),
    "name with a colon": ex("a:b"),
    "name with an escape": ex("a%20b"),
    "name beyond ASCII": ex("é日本"),
    "namespace itself": NamedNode(EX),
    "name of the empty prefix": NamedNode("http://empty.example/x"),
    "IRI of no prefix": NamedNode("urn:isbn:123"),
    "range of a text": ex("text/0123#char=0,40"),
    "blank node": BlankNode("b1"),
    "triple": Triple(ex("s"), NamedNode(RDF_TYPE), Triple(ex("s"), ex("p"), Literal("x", language="en"))),
}


@pytest.mark.parametrize("term", ODD_TERMS.values(), ids=ODD_TERMS)
def test_an_odd_term_survives(term: Literal | NamedNode | BlankNode | Triple) -> None:
    quad = Quad(ex("s"), ex("p"), term, ex("g"))

    assert read_trig(write_trig([quad], SMALL)) == {quad}
    assert read_turtle(write_turtle([quad], SMALL)) == {quad.triple}


@pytest.mark.parametrize(
    ("literal", "written"),
    [
        (ODD_TERMS["integer"], "-007"),
        (ODD_TERMS["decimal"], "1.50"),
        (ODD_TERMS["boolean"], "true"),
        (ODD_TERMS["no integer at all"], '"seven"^^xsd:integer'),
        (ODD_TERMS["boolean as a number"], '"1"^^xsd:boolean'),
        (ODD_TERMS["decimal without a point"], '"5"^^xsd:decimal'),
        (ODD_TERMS["own type"], '"7"^^ex:spoons'),
        (ODD_TERMS["type of no prefix"], '"7"^^<urn:t>'),
    ],
)
def test_numbers_and_truth_values_take_their_short_form_where_it_means_the_same(literal: Literal, written: str) -> None:
    assert f"ex:p {written} ." in write_turtle([Triple(ex("s"), ex("p"), literal)], SMALL)


LOCALS = st.text(alphabet="aZ09_-.:/#'()é日", max_size=6).filter(lambda local: local.count("#") < 2)


def is_iri(text: str) -> bool:
    """Tells whether the engine takes a text as an IRI; `urn:` followed by `//::` is none."""
    with suppress(ValueError):
        NamedNode(text)
        return True
    return False


IRIS = st.builds(str.__add__, st.sampled_from([EX, EX + "deep/", "urn:"]), LOCALS).filter(is_iri).map(NamedNode)
DATATYPES = st.sampled_from(["integer", "decimal", "double", "boolean", "date", "string"]).map(
    lambda name: NamedNode(XSD + name)
)
LEXICAL = st.one_of(st.text(), st.text(alphabet="+-.0123456789eE"), st.sampled_from(["true", "false"]))
LITERALS = st.one_of(
    st.builds(Literal, st.text()),
    st.builds(lambda text, language: Literal(text, language=language), st.text(), st.sampled_from(["en", "de-at"])),
    st.builds(lambda text, datatype: Literal(text, datatype=datatype), LEXICAL, DATATYPES | IRIS),
)
BLANKS = st.sampled_from([BlankNode("a"), BlankNode("b0")])
QUADS = st.builds(
    Quad,
    IRIS | BLANKS,
    IRIS | st.just(NamedNode(RDF_TYPE)),
    IRIS | BLANKS | LITERALS,
    IRIS | BLANKS | st.just(DefaultGraph()),
)


@given(st.lists(QUADS, max_size=12), st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=200, deadline=None)
def test_what_is_written_is_read_back_and_order_does_not_matter(quads: list[Quad], chance: random.Random) -> None:
    written = write_trig(quads, SMALL)
    shuffled = [*quads, *quads[:3]]
    chance.shuffle(shuffled)

    assert read_trig(written) == set(quads)
    assert write_trig(shuffled, SMALL) == written
    assert write_trig(read_trig(written), SMALL) == written


@given(st.lists(QUADS, max_size=12))
@hypothesis_settings(max_examples=100, deadline=None)
def test_turtle_keeps_every_triple(quads: list[Quad]) -> None:
    written = write_turtle(quads, SMALL)

    assert read_turtle(written) == {quad.triple for quad in quads}
    assert write_turtle(reversed(quads), SMALL) == written


# files


def test_a_file_is_written_anew_once(tmp_path: Path) -> None:
    path = tmp_path / "a.trig"
    path.write_text("# a note\nPREFIX ex: <http://example.org/>\nex:g { ex:b ex:p 2 . ex:a a ex:T }", encoding="utf-8")

    assert format_file(path, SMALL)
    assert path.read_text(encoding="utf-8") == (
        "@prefix ex: <http://example.org/> .\n\nex:g {\n    ex:a a ex:T .\n\n    ex:b ex:p 2 .\n}\n"
    )
    assert not format_file(path, SMALL)
    assert [found.name for found in tmp_path.iterdir()] == ["a.trig"]


def test_an_ordered_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "text.trig"
    path.write_text(invented_text(), encoding="utf-8")
    format_file(path, PREFIXES)
    before = path.stat()

    assert not format_file(path, PREFIXES)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def test_line_ends_within_a_literal_are_kept_and_others_become_line_feeds(tmp_path: Path) -> None:
    path = tmp_path / "a.ttl"
    path.write_bytes(b'PREFIX ex: <http://example.org/>\r\nex:a ex:p """one\r\ntwo\rthree""" .\r\n')

    assert format_file(path, SMALL)
    assert read_turtle(path.read_text(encoding="utf-8")) == {Triple(ex("a"), ex("p"), Literal("one\r\ntwo\rthree"))}
    assert b"\r" not in path.read_bytes()


def test_a_file_that_does_not_parse_is_named_with_its_line_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.ttl"
    path.write_text("PREFIX ex: <http://example.org/>\nex:a ex:p ex:b .\nex:a ex:p\n", encoding="utf-8")
    before = path.read_bytes()

    with pytest.raises(DataError, match=r"a\.ttl:[34]: does not parse") as caught:
        format_file(path, SMALL)

    assert caught.value.line in {3, 4}
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [None, b"ex:caf\xe9"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.ttl"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(DataError, match=r"a\.ttl: cannot be read"):
        format_file(path, SMALL)


GRAPH_FILES = [*sorted((ROOT / "graph").glob("*.ttl")), *sorted((ROOT / "graph" / "sources").glob("*.trig"))]


def test_the_graph_has_files() -> None:
    assert len(GRAPH_FILES) >= 6


@pytest.mark.parametrize("path", GRAPH_FILES, ids=lambda path: path.name)
def test_the_files_of_the_graph_are_in_this_order(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    trig = path.suffix == ".trig"
    quads = parse(text, format=RdfFormat.TRIG if trig else RdfFormat.TURTLE)
    written = write_trig(quads, PREFIXES) if trig else write_turtle(quads, PREFIXES)

    assert text == written, f"kg format {path.relative_to(ROOT)} puts it in order"
