"""graph/COVERAGE.md accounts for every word of every text: encoded, or left out with the reason.

The table of a text has one row for each sentence, heading and list item: the character range
(Unicode code points, end exclusive), what stands there in our own words, and the names that
encode it or `left out: reason`. Most of this needs no texts; that the ranges leave no word out
is checked where KG_TEST_TEXTS names the folder that holds them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.names import PEV, RDF_TYPE, Prefixes, prefixes_of_context

ROOT = Path(__file__).parent.parent
COVERAGE = ROOT / "graph" / "COVERAGE.md"

ITEM_KINDS = {
    PEV + kind for kind in ("KeyMessage", "Finding", "Recommendation", "Position", "Commitment", "Barrier", "Enabler")
}

_HEADING = re.compile(r"## (?P<slug>\S+)")
_TEXT = re.compile(r"text: (?P<sha256>[0-9a-f]{64})")
_ROW = re.compile(r"\| *(?P<start>\d+)[\u2013-](?P<end>\d+) *\|(?P<what>[^|]*)\|(?P<encoded>[^|]*)\|")
_LEFT_OUT = re.compile(r"left out:(?P<reason>.*)")
_WORD = re.compile(r"\w+")
_LIST_NUMBER = re.compile(r"^\s*\d+(?=\.\s)", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One line of a table: a character range and what became of it."""

    start: int
    end: int
    names: tuple[str, ...]
    left_out: str

    @property
    def accounts(self) -> bool:
        """Whether the row names something or gives a reason."""
        return bool(self.names or self.left_out)


@dataclass(frozen=True)
class Table:
    """What graph/COVERAGE.md says about one text."""

    slug: str
    sha256: str
    rows: tuple[Row, ...]


def read_row(line: str) -> Row | None:
    """Returns the row that a line of Markdown holds, None for any other line."""
    match = _ROW.fullmatch(line.strip())
    if match is None:
        return None
    encoded = match["encoded"].strip()
    reason = _LEFT_OUT.search(encoded)
    named = encoded[: reason.start()] if reason else encoded
    names = tuple(re.findall(r"[^\s,;`]+", named))
    return Row(int(match["start"]), int(match["end"]), names, reason["reason"].strip() if reason else "")


def read_tables(markdown: str) -> list[Table]:
    """Returns the tables of a coverage file, in order; a heading without a text line has none."""
    tables: list[Table] = []
    slug, sha256, rows = "", "", list[Row]()
    for line in [*markdown.splitlines(), "## end"]:
        if heading := _HEADING.fullmatch(line.strip()):
            if sha256:
                tables.append(Table(slug, sha256, tuple(rows)))
            slug, sha256, rows = heading["slug"], "", []
        elif text := _TEXT.fullmatch(line.strip()):
            sha256 = text["sha256"]
        elif row := read_row(line):
            rows.append(row)
    return tables


def words_left_out(text: str, rows: Iterable[Row]) -> list[tuple[int, int]]:
    """Returns the ranges of the words that no row covers whole; the numbers of a list are no words."""
    covered = bytearray(len(text))
    for start, end in [(row.start, row.end) for row in rows] + [n.span() for n in _LIST_NUMBER.finditer(text)]:
        covered[start:end] = b"\x01" * (min(end, len(text)) - start)
    return [word.span() for word in _WORD.finditer(text) if not all(covered[slice(*word.span())])]


@cache
def prefixes() -> Prefixes:
    """Returns the prefixes of this workspace."""
    return prefixes_of_context(json.loads((ROOT / "ontology" / "context.jsonld").read_text("utf-8")))


@cache
def subjects() -> frozenset[str]:
    """Returns the IRI of everything that the files say something about."""
    files = [*ROOT.glob("ontology/*.ttl"), *ROOT.glob("graph/*.ttl"), *ROOT.glob("graph/sources/*.trig")]
    quads = (quad for file in files for quad in ox.parse(path=file))
    return frozenset(quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode))


@cache
def links(slug: str, predicate: str) -> frozenset[tuple[str, str]]:
    """Returns subject and object, both IRIs, of each triple with a predicate in the file of one text."""
    return frozenset(
        (quad.subject.value, quad.object.value)
        for quad in ox.parse(path=ROOT / "graph" / "sources" / f"{slug}.trig")
        if isinstance(quad.subject, ox.NamedNode)
        and isinstance(quad.object, ox.NamedNode)
        and quad.predicate.value == predicate
    )


@cache
def items(slug: str) -> frozenset[str]:
    """Returns the items that the file of one text describes."""
    return frozenset(item for item, kind in links(slug, RDF_TYPE) if kind in ITEM_KINDS)


def has_a_passage_in(row: Row, item: str, slug: str) -> bool:
    """Returns whether a passage of the item lies in the range of the row or overlaps it."""
    fragments = [passage.partition("#char=")[2].split(",") for i, passage in links(slug, PEV + "evidence") if i == item]
    return any(int(start) < row.end and int(end) > row.start for start, end in fragments)


TABLES = read_tables(COVERAGE.read_text("utf-8")) if COVERAGE.exists() else []
SLUGS = sorted(path.stem for path in (ROOT / "graph" / "sources").glob("*.trig"))
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.slug)


@pytest.fixture(scope="module")
def held_texts() -> dict[str, str]:
    """Returns the held texts by the SHA-256 of their bytes; skips where none are held."""
    folder = os.environ.get("KG_TEST_TEXTS", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"the texts are not at hand: KG_TEST_TEXTS is {folder or 'not set'}")
    contents = [path.read_bytes() for path in Path(folder).glob("*.txt")]
    return {hashlib.sha256(content).hexdigest(): content.decode() for content in contents}


def test_every_text_has_a_table() -> None:
    assert sorted(table.slug for table in TABLES) == SLUGS


@each_table
def test_the_table_speaks_of_the_text_that_the_source_graph_fixes(table: Table) -> None:
    quads = list(ox.parse(path=ROOT / "graph" / "sources" / f"{table.slug}.trig"))
    fixed = {
        quad.object.value
        for quad in quads
        if quad.predicate.value == PEV + "sha256"
        and isinstance(quad.object, ox.Literal)
        and isinstance(quad.subject, ox.NamedNode)
        and "#" not in quad.subject.value
    }
    assert fixed == {table.sha256}


@each_table
def test_every_row_names_what_encodes_it_or_says_why_it_is_left_out(table: Table) -> None:
    assert table.rows
    assert [row for row in table.rows if not row.accounts or row.start >= row.end] == []


@each_table
def test_the_rows_follow_the_text_and_do_not_overlap(table: Table) -> None:
    pairs = zip(table.rows, table.rows[1:], strict=False)
    assert [(a, b) for a, b in pairs if b.start < a.end] == []


@each_table
def test_every_name_in_a_table_is_in_the_graph(table: Table) -> None:
    names = {name for row in table.rows for name in row.names}
    assert sorted(name for name in names if prefixes().iri(name) not in subjects()) == []


@each_table
def test_every_item_of_a_source_graph_stands_in_the_table_of_its_text(table: Table) -> None:
    named = {prefixes().iri(name) for row in table.rows for name in row.names}
    assert sorted(prefixes().curie(item) for item in items(table.slug) - named) == []


@each_table
def test_an_item_stands_in_a_row_where_it_has_a_passage(table: Table) -> None:
    pairs = [(row, prefixes().iri(name) or "") for row in table.rows for name in row.names]
    found = [(row, item) for row, item in pairs if item in items(table.slug)]
    assert found
    assert [(row, item) for row, item in found if not has_a_passage_in(row, item, table.slug)] == []


@each_table
def test_the_ranges_leave_no_word_of_a_held_text_out(table: Table, held_texts: dict[str, str]) -> None:
    text = held_texts.get(table.sha256)
    if text is None:
        pytest.skip(f"the text of {table.slug} is not held in KG_TEST_TEXTS")
    assert max(row.end for row in table.rows) <= len(text)
    assert words_left_out(text, table.rows) == []


INVENTED = "Owls hunt. Nobody\nsaw."
INVENTED_TABLE = """
## owls
text: {sha256}

| characters | what it is | encoded as |
|---|---|---|
| 0\u201310 | hunting | finding:owls-hunt agent:owls |
| {start}\u2013{end} | unseen | {encoded} |
"""


def invented(start: int = 11, end: int = 22, encoded: str = "left out: no claim") -> Table:
    """Returns a table for the invented text."""
    (table,) = read_tables(INVENTED_TABLE.format(sha256="0" * 64, start=start, end=end, encoded=encoded))
    return table


def test_a_table_without_a_gap_is_read_and_passes() -> None:
    table = invented()
    assert table.rows[0] == Row(0, 10, ("finding:owls-hunt", "agent:owls"), "")
    assert table.rows[1].left_out == "no claim"
    assert words_left_out(INVENTED, table.rows) == []


def test_a_word_between_two_ranges_is_found() -> None:
    assert words_left_out(INVENTED, invented(start=18).rows) == [(11, 17)]


def test_a_word_that_a_range_cuts_is_found() -> None:
    assert words_left_out(INVENTED, invented(start=13).rows) == [(11, 17)]


def test_the_number_of_a_list_item_is_no_gap_but_a_number_in_a_sentence_is() -> None:
    assert words_left_out("1.    Owls\n2. Mice 3", [Row(6, 10, (), "-"), Row(14, 18, (), "-")]) == [(19, 20)]


def test_a_row_without_a_name_or_a_reason_is_found() -> None:
    assert not invented(encoded="").rows[1].accounts
    assert not invented(encoded="left out:").rows[1].accounts


def test_a_name_that_no_file_knows_is_found() -> None:
    assert prefixes().iri("finding:owls-hunt") not in subjects()
