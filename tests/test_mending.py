"""Where the engine departs from the standard it is asked otherwise; all else is asked as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store

from kg.engines.local import LocalSource
from kg.engines.mending import mended
from kg.engines.writing import Write, applied
from kg.errors import BadSparql
from kg.names import Prefixes

TEXTS = 'VALUES (?k ?text) { (1 "one"@en) (1 "two"@en) (2 "drei"@de) (3 "vier") (3 "five"@en) }'


@pytest.fixture
def source() -> LocalSource:
    return LocalSource(Store(), Prefixes({}))


def _column(source: LocalSource, query: str) -> list[object]:
    return [row[-1] for row in source.select(query).rows]


@pytest.mark.parametrize("call", ["GROUP_CONCAT(?text)", "group_concat ( ?text )", "Group_Concat#(\n(?text)"])
def test_texts_of_one_language_are_joined_to_a_plain_string(source: LocalSource, call: str) -> None:
    found = _column(source, f"SELECT ?k ({call} AS ?all) {{ {TEXTS} }} GROUP BY ?k ORDER BY ?k")
    assert found == [Literal("one two"), Literal("drei"), Literal("vier five")]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        # In HAVING, in ORDER BY, within another expression, in a sub-SELECT, twice in one SELECT.
        (f"SELECT ?k {{ {TEXTS} }} GROUP BY ?k HAVING (GROUP_CONCAT(?text) = 'one two')", 1),
        (f"SELECT ?k {{ {TEXTS} }} GROUP BY ?k ORDER BY GROUP_CONCAT(?text)", 3),
        (f"SELECT (STRLEN(GROUP_CONCAT(DISTINCT ?text; SEPARATOR=')')) AS ?n) {{ {TEXTS} }}", 1),
        (f"SELECT * {{ {{ SELECT (GROUP_CONCAT(?text) AS ?a) {{ {TEXTS} }} GROUP BY ?k }} FILTER(?a = 'drei') }}", 1),
        (f"SELECT (GROUP_CONCAT(UCASE(?text)) AS ?a) (GROUP_CONCAT(STR(?k)) AS ?b) {{ {TEXTS} }} GROUP BY ?k", 3),
    ],
)
def test_a_call_is_mended_wherever_it_may_stand(source: LocalSource, query: str, rows: int) -> None:
    assert len(source.select(query).rows) == rows


def test_what_an_update_joins_is_plain_too() -> None:
    store = Store()
    joined = f"SELECT (GROUP_CONCAT(?text) AS ?all) {{ {TEXTS} FILTER(?k = 1) }}"
    text = f"INSERT {{ <http://x.example/s> <http://x.example/p> ?all }} WHERE {{ {joined} }}"
    applied(store, Write("update", None, text))
    assert [quad.object for quad in store] == [Literal("one two")]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?p 'GROUP_CONCAT(?x)' }",
        "SELECT * { ?s ?p <http://x.example/GROUP_CONCAT(x)> } # GROUP_CONCAT(?x)",
        "SELECT ?group_concat { ?s ?p ?group_concat }",
        "SELECT * { ?s ex:group_concat (?x) }",
        "SELECT (GROUP_CONCAT(?x AS ?y {",
        "SELECT (SAMPLE(?x) AS ?y) {}",
    ],
)
def test_what_is_no_call_stays_as_it_is(text: str) -> None:
    assert mended(text) == text


@given(st.text(alphabet="group_conatGROUP_CONAT()\"'#\n ?x;<>", max_size=60))
def test_nothing_is_lost_or_moved(text: str) -> None:
    whole = f"GROUP_CONCAT({text}"
    assert mended(whole).replace("STR(", "").replace(")", "") == whole.replace("STR(", "").replace(")", "")


def test_a_mistake_is_told_where_it_was_made(source: LocalSource) -> None:
    query = "SELECT (GROUP_CONCAT(?x) AS ?all) { ?x ?y }"
    with pytest.raises(BadSparql) as caught:
        source.select(query)
    # In the query as it was written, not as it is mended.
    assert (caught.value.line, caught.value.column) == (1, len(query))


def test_what_the_docs_advise_instead_of_a_sub_select_within_a_graph_is_answered_right() -> None:
    store = Store()
    one, two = (NamedNode(f"http://x.example/{name}") for name in ("one", "two"))
    store.extend(
        Quad(one, one, Literal(number), graph) for graph, count in ((one, 3), (two, 1)) for number in range(count)
    )
    asked = LocalSource(store, Prefixes({}))
    grouped = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    assert set(asked.select(f"SELECT ?g ?n {{ {{ {grouped} }} }}").rows) == {(one, Literal(3)), (two, Literal(1))}
    named = f"SELECT ?n {{ GRAPH {one} {{ {{ SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o }} }} }} }}"
    assert asked.select(named).rows == ((Literal(3),),)
