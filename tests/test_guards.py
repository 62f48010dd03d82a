"""What is refused before an engine sees it, and what must not be.

Port 9 is one that the engine's HTTP client never calls: an engine that follows SERVICE to it
fails at once, and nothing leaves the machine. So "the engine tried" can be seen in a test.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store

from kg.engines.guards import guard_query, guard_update
from kg.errors import BadSparql, Forbidden, KgError, LimitError
from kg.workspace import Settings, read_settings
from workspaces import questions

CLOSED_PORT = "http://127.0.0.1:9/"
FAR = f"<{CLOSED_PORT}>"
GROUP = "{ ?a ?b ?c }"
PREFIXES = f"PREFIX : {FAR} PREFIX ex: {FAR} PREFIX service: {FAR} "
LIMITS = read_settings()


@pytest.fixture(scope="module")
def store() -> Store:
    """A few triples, so that patterns match and the engine comes to what follows them."""
    made = Store()
    for name in ("x", "b.c", "a、'"):
        node = NamedNode(CLOSED_PORT + name)
        made.add(Quad(node, node, node))
        made.extend(Quad(node, node, value) for value in (Literal(1), Literal(True)))
    return made


def reaches_out(store: Store, query: str) -> bool:
    """Tells whether the engine, unguarded, follows a SERVICE of the query."""
    try:
        list(store.query(query))  # type: ignore[arg-type]  # what comes is read to its end, whatever it is
    except OSError as error:
        assert "port 9" in str(error)
        return True
    except (SyntaxError, RuntimeError, TypeError):
        return False
    return False


# SERVICE that is refused

POSITIONS = {
    "alone": f"ASK {{ SERVICE {FAR} {GROUP} }}",
    "silent": f"ASK {{ SERVICE SILENT {FAR} {GROUP} }}",
    "lower case": f"ask {{ service {FAR} {GROUP} }}",
    "mixed case": f"ASK {{ sErViCe sIlEnT {FAR} {GROUP} }}",
    "no space": f"ASK{{SERVICE{FAR}{GROUP}}}",
    "variable": f"ASK {{ VALUES ?x {{ {FAR} }} SERVICE ?x {GROUP} }}",
    "dollar variable": f"ASK {{ VALUES ?x {{ {FAR} }} SERVICE $x {GROUP} }}",
    "prefixed name": f"{PREFIXES} ASK {{ SERVICE ex:there {GROUP} }}",
    "empty prefix": f"{PREFIXES} ASK {{ SERVICE : {GROUP} }}",
    "relative to a base": f"BASE {FAR} ASK {{ SERVICE <> {GROUP} }}",
    "after a triple": f"ASK {{ ?s ?p ?o . SERVICE {FAR} {GROUP} }}",
    "in a group": f"ASK {{ {{ SERVICE {FAR} {GROUP} }} }}",
    "in OPTIONAL": f"ASK {{ OPTIONAL {{ SERVICE {FAR} {GROUP} }} }}",
    "in UNION": f"ASK {{ {{}} UNION {{ SERVICE {FAR} {GROUP} }} }}",
    "in MINUS": f"ASK {{ ?s ?p ?o MINUS {{ SERVICE {FAR} {GROUP} }} }}",
    "in GRAPH": f"ASK {{ GRAPH ?g {{ SERVICE {FAR} {GROUP} }} }}",
    "in EXISTS": f"ASK {{ ?s ?p ?o FILTER EXISTS {{ SERVICE {FAR} {GROUP} }} }}",
    "in NOT EXISTS": f"ASK {{ ?s ?p ?o FILTER NOT EXISTS {{ SERVICE {FAR} {GROUP} }} }}",
    "in LATERAL": f"ASK {{ LATERAL {{ SERVICE {FAR} {GROUP} }} }}",
    "in a subselect": f"ASK {{ {{ SELECT * {{ SERVICE {FAR} {GROUP} }} }} }}",
    "in another service": f"ASK {{ SERVICE <http://allowed.example/> {{ SERVICE {FAR} {GROUP} }} }}",
    "in SELECT": f"SELECT * {{ SERVICE {FAR} {GROUP} }}",
    "in CONSTRUCT": f"CONSTRUCT {GROUP} {{ SERVICE {FAR} {GROUP} }}",
    "in DESCRIBE": f"DESCRIBE ?a {{ SERVICE {FAR} {GROUP} }}",
    "second of two": f"ASK {{ SERVICE <http://allowed.example/> {GROUP} SERVICE {FAR} {GROUP} }}",
    "comment within": f"ASK {{ SERVICE # {{}} \n SILENT # <http://allowed.example/>\n {FAR} {GROUP} }}",
    "comment ended by a carriage return": f"ASK {{ # \r SERVICE {FAR} {GROUP} }}",
    "after a string with an escaped quote": f"ASK {{ ?s ?p 'it\\'s' . SERVICE {FAR} {GROUP} }}",
    "after a string with an escaped backslash": f"ASK {{ ?s ?p 'it\\\\' . SERVICE {FAR} {GROUP} }}",
    "after a long string with quotes": f"ASK {{ ?s ?p '''it's ''it''' . SERVICE {FAR} {GROUP} }}",
    "after an empty string": f"ASK {{ ?s ?p '' . SERVICE {FAR} {GROUP} #''\n }}",
    "after an IRI with a hash": f"ASK {{ ?s <http://x.example/#a> ?o . SERVICE {FAR} {GROUP} }}",
    "after an IRI with a quote": f"ASK {{ ?s <http://x.example/'> ?o . SERVICE {FAR} {GROUP} }} # '",
    "after a name with an escaped quote": f"{PREFIXES} ASK {{ ?s ?p ex:a\\' . SERVICE {FAR} {GROUP} }} # '",
}


@pytest.mark.parametrize("query", POSITIONS.values(), ids=POSITIONS)
def test_service_is_refused_wherever_it_stands(query: str) -> None:
    limits = replace(LIMITS, service_allowed="http://allowed.example/")

    with pytest.raises(Forbidden, match="KG_SERVICE_ALLOWED"):
        guard_query(query, limits)


# The engine's parser has no tokens: all of these reach out with pyoxigraph 0.5.13.
SCANNERLESS = {
    "keyword glued to a name": f"{PREFIXES} ASK {{ SERVICE:foo {GROUP} }}",
    "keyword glued to a prefix": f"{PREFIXES} ASK {{ SERVICEex:foo {GROUP} }}",
    "glued to true": f"ASK {{ ?s ?p trueSERVICE {FAR} {GROUP} }}",
    "glued to a number": f"ASK {{ ?s ?p 1SERVICE {FAR} {GROUP} }}",
    "glued to true and a name": f"{PREFIXES} ASK {{ ?s ?p true.SERVICE:a {GROUP} }}",
    "glued to a variable and a name": f"{PREFIXES} ASK {{ ?s ?p ?x.SERVICE:a {GROUP} }}",
    "glued to a name with two dots": f"{PREFIXES} ASK {{ ?s ?p ex:b.c.SERVICE {FAR} {GROUP} }}",
    "behind a string with an escape that is none": (
        f"ASK {{ VALUES ?x {{ '''a' }} SERVICE {FAR} {GROUP} #\\x '''\n }}"
    ),
    "behind a string with half a surrogate": f"ASK {{ VALUES ?x {{ '''a' }} SERVICE {FAR} {GROUP} #\\uD800 '''\n }}",
    "behind a name with an odd letter and an escaped quote": (
        f"{PREFIXES} ASK {{ ?s ?p ex:a、\\' SERVICE {FAR} {GROUP} #'\n }}"
    ),
    "behind a comparison that looks like an IRI with a quote": (
        f"ASK {{ ?s ?p ?o FILTER(1<'>'||true) SERVICE {FAR} {GROUP} FILTER(?o!='') }}"
    ),
    "behind a comparison that looks like an IRI with a hash": (
        f"ASK {{ ?s ?p ?o FILTER(1<2#>'''\n) SERVICE {FAR} {GROUP} #'''\n }}"
    ),
    "behind a reified triple": f"ASK {{ {{ <<?s?p'>'>> ?q ?r }} UNION {{ SERVICE {FAR} {GROUP} }} #'\n }}",
}


@pytest.mark.parametrize("query", SCANNERLESS.values(), ids=SCANNERLESS)
def test_service_is_refused_where_only_the_engines_parser_sees_it(store: Store, query: str) -> None:
    assert reaches_out(store, query), "the trick no longer works on the engine; it may go"

    with pytest.raises((Forbidden, BadSparql)):
        guard_query(query, LIMITS)


@pytest.mark.parametrize("glued", ["SERVICESILENT ", "trueSERVICESILENT", "SERVICESILENT"])
def test_silent_may_be_glued_too(glued: str) -> None:
    with pytest.raises(Forbidden):
        guard_query(f"ASK {{ ?s ?p {glued}{FAR} {GROUP} }}", LIMITS)


FRAGMENTS = st.sampled_from(
    [
        *"{}()[]<>.,;'\"#\\:?$^|&!=*+-/~@%0_\n\r\t ",
        *("SERVICE", "service", "SILENT", "SELECT * {", "FILTER(", "BIND(", "VALUES ?x {", "UNION", "OPTIONAL {"),
        *("true", "false", "a", "?x", "?s ?p ?o", "ex:x", "ex:b.c", "ex:a、", ":x", "_:b", "1", "1.", "1e3"),
        *("''", "'a'", "'''", '"""', "'x'@en", "'1'^^ex:x", "\\'", "\\#", "\\x", "\\u0027", "\\uD800", "#\n", "#'\n"),
        *("<<", ">>", "<<(", ")>>", "<'>", "<#>", "<x>", "http://a/'", "1<", ">2", "&&", "||", "PREFIX x: <#>", "BASE"),
        *(FAR, GROUP, f"{FAR}{GROUP}", f"SERVICE{FAR}{GROUP}", f"SERVICE:x{GROUP}", f"}} SERVICE {FAR} {GROUP} #"),
    ]
)


@given(st.lists(FRAGMENTS, max_size=14), st.lists(FRAGMENTS, max_size=6))
@hypothesis_settings(max_examples=800, deadline=None)
@example(["?s ?p ", "ex:b.c", "."], [])
@example(["VALUES ?x {", "'''", "a", "'", "}"], ["#", "\\x", "'''"])
def test_whatever_makes_the_engine_reach_out_is_refused(before: list[str], after: list[str]) -> None:
    store = Store()
    for name in ("x", "b.c"):
        node = NamedNode(CLOSED_PORT + name)
        store.add(Quad(node, node, node))
    query = f"{PREFIXES} ASK {{ {{}} UNION {{ {''.join(before)}SERVICE {FAR} {GROUP} {''.join(after)}\n }} }}"

    if reaches_out(store, query):
        with pytest.raises(KgError):
            guard_query(query, LIMITS)


@pytest.mark.parametrize("keyword", [r"\u0053ERVICE", r"S\u0045RVICE", r"\U00000053ERVICE"])
def test_the_engine_takes_an_escaped_keyword_for_a_syntax_error(keyword: str) -> None:
    query = f"ASK {{ {keyword} {FAR} {GROUP} }}"

    guard_query(query, LIMITS)
    with pytest.raises(SyntaxError):
        Store().query(query)


def test_the_engine_does_follow_service_if_it_is_let(store: Store) -> None:
    assert reaches_out(store, POSITIONS["alone"])


# what is only called so

NOT_A_SERVICE = {
    "variable": "SELECT ?service { ?service ?p ?o }",
    "dollar variable": "SELECT $SERVICE { $SERVICE ?p ?o }",
    "prefix": f"PREFIX service: {FAR} ASK {{ service:x service:y service:z }}",
    "subject at the start of a group": f"PREFIX service: {FAR} ASK {{ {{ service:x ?p ?o }} }}",
    "local name": f"{PREFIXES} ASK {{ ?s ex:service ex:SERVICE . ?s ex:service-of ?o }}",
    "local name with a dot": f"{PREFIXES} ASK {{ ?s ?p ex:public.service }}",
    "local name before a group": f"{PREFIXES} ASK {{ ?s ?p ex:service {{ ?a ?b ?c }} }}",
    "graph": f"{PREFIXES} ASK {{ GRAPH service:x {{ ?s ?p ?o }} }}",
    "from": f"{PREFIXES} SELECT * FROM service:x {{ ?s ?p ?o }}",
    "from named": f"{PREFIXES} SELECT * FROM NAMED service:x {{ ?s ?p ?o }}",
    "described": f"{PREFIXES} DESCRIBE service:x {{ ?s ?p ?o }}",
    "IRI": "ASK { <http://x.example/SERVICE> ?p <http://x.example/#SERVICE> }",
    "IRI with a whole service": "ASK { ?s ?p <http://x.example/SERVICE(x)> }",
    "string": f"ASK {{ ?s ?p 'SERVICE {FAR} {GROUP}' }}",
    "double-quoted string": f'ASK {{ ?s ?p "SERVICE {FAR} {GROUP}" }}',
    "long string": f'ASK {{ ?s ?p """\n"SERVICE" ""{FAR}{GROUP}""" }}',
    "string behind an escaped quote": f"ASK {{ ?s ?p '\\' SERVICE {FAR} {GROUP}' }}",
    "string with an escape for a quote": f"ASK {{ ?s ?p '\\u0027 SERVICE {FAR} {GROUP}' }}",
    "comment": f"ASK {{ ?s ?p ?o }} # SERVICE {FAR} {GROUP}",
    "comment within": f"ASK {{ # it's a SERVICE {FAR} {GROUP}\n ?s ?p ?o }}",
    "language tag": "ASK { ?s ?p 'x'@service }",
    "blank node": "ASK { _:service ?p ?o }",
}


@pytest.mark.parametrize("query", NOT_A_SERVICE.values(), ids=NOT_A_SERVICE)
def test_what_is_only_called_service_is_let_through_and_parses(query: str) -> None:
    guard_query(query, LIMITS)
    Store().query(query)


def test_the_questions_of_this_repository_are_let_through() -> None:
    for question in questions().questions.values():
        guard_query(question.text, LIMITS)


# a quick look in place of the tokens

PIECES = ["ASK", "SELECT", "SERVICE", "{", "}", "(", "[", "]", ")", "<", ">", "'", '"', "#", "\n", " ", "\\", "x", ":"]
PIECES += ["<http://x.example/>", "<a#b>", "?s", "ex:b", "<<", "ſervice", "\xa0", "//", "INSERT", "=", '""' + '"']


@given(st.lists(st.sampled_from(PIECES), max_size=14))
@hypothesis_settings(max_examples=800, deadline=None)
def test_no_query_is_let_through_for_want_of_being_cut_into_tokens(pieces: list[str]) -> None:
    few = replace(LIMITS, max_nesting=2, max_tokens=20)

    # A comment changes nothing, but its word has every token looked at.
    assert verdict("".join(pieces), few) == verdict("#SERVICE\n" + "".join(pieces), few)


def verdict(query: str, limits: Settings) -> type[KgError] | str | None:
    """Returns the verb of a query that is let through, else why it is not."""
    try:
        return guard_query(query, limits)
    except KgError as error:
        return type(error)


# the allow-list


@pytest.mark.parametrize("allowed", ["http://there.example/sparql", " http://a.example/ , http://there.example/sparql"])
@pytest.mark.parametrize("silent", ["", "SILENT"])
def test_an_endpoint_on_the_list_is_let_through(allowed: str, silent: str) -> None:
    limits = replace(LIMITS, service_allowed=allowed)

    guard_query(f"ASK {{ SERVICE {silent} <http://there.example/sparql> {GROUP} }}", limits)


@pytest.mark.parametrize(
    "target",
    [
        "<http://there.example/sparql/>",
        "<http://there.example/sparql?x>",
        "<http://there.example/sparq>",
        "<HTTP://there.example/sparql>",
        r"<http://there.example/sparq\u006C>",
        "<sparql>",
        "?there",
        "ex:sparql",
    ],
)
def test_the_list_holds_exact_addresses(target: str) -> None:
    limits = replace(LIMITS, service_allowed="http://there.example/sparql")
    asked = f"ASK {{ SERVICE {target} {GROUP} }}"

    with pytest.raises(Forbidden):
        guard_query(f"BASE <http://there.example/> PREFIX ex: <http://there.example/> {asked}", limits)


@pytest.mark.parametrize("allowed", [None, "", ",", " , ", "http://a.example/,"])
def test_an_empty_entry_of_the_list_allows_nothing(allowed: str | None) -> None:
    with pytest.raises(Forbidden):
        guard_query(f"BASE {FAR} ASK {{ SERVICE <> {GROUP} }}", replace(LIMITS, service_allowed=allowed))


# updates

UPDATES = [
    "INSERT DATA { <a:a> <a:b> <a:c> }",
    "insert { ?s ?p ?o } where { ?s ?p ?o }",
    "DELETE WHERE { ?s ?p ?o }",
    "DELETE DATA { <a:a> <a:b> <a:c> }",
    "LOAD <http://x.example/>",
    "CLEAR ALL",
    "CREATE GRAPH <a:g>",
    "DROP GRAPH <a:g>",
    "COPY <a:g> TO <a:h>",
    "MOVE <a:g> TO <a:h>",
    "ADD <a:g> TO <a:h>",
    "WITH <a:g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
]


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize(
    "prologue",
    ["", "PREFIX select: <a:b>\n", "BASE <a:b> # SELECT\nPREFIX ask: <a:c> ", "# ASK {}\n\n", "PREFIX : <#>\n"],
)
def test_an_update_is_refused_behind_any_prologue(prologue: str, update: str) -> None:
    with pytest.raises(Forbidden, match="read-only"):
        guard_query(prologue + update, LIMITS)


@pytest.mark.parametrize(
    "query",
    [
        "PREFIX insert: <http://x.example/> ASK { insert:a ?delete 'DROP ALL' }",
        "# DELETE WHERE { ?s ?p ?o }\nSELECT * {}",
        "SELECT ?load { ?load <http://x.example/clear> ?with }",
    ],
)
def test_a_query_that_only_names_an_update_is_let_through(query: str) -> None:
    guard_query(query, LIMITS)
    Store().query(query)


# limits


def refusal(query: str, limits: Settings) -> LimitError:
    with pytest.raises(LimitError) as caught:
        guard_query(query, limits)
    return caught.value


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("{", "}"), ("[", "]")])
def test_nesting_is_limited_and_the_limit_itself_is_allowed(opening: str, closing: str) -> None:
    limits = replace(LIMITS, max_nesting=5)

    guard_query(f"ASK {{ {opening * 4}{closing * 4} }}", limits)
    error = refusal(f"ASK {{ {opening * 5}{closing * 5} }}", limits)

    assert error.limit == "KG_MAX_NESTING"
    assert "allows 5" in str(error)


def test_brackets_side_by_side_do_not_nest() -> None:
    guard_query("ASK { " + "{} " * 50 + "}", replace(LIMITS, max_nesting=2))


@pytest.mark.parametrize("hidden", ["'{text}'", '"""{text}"""', "<http://x.example/(((((((>", "# {text}\n"])
def test_brackets_in_strings_comments_and_iris_do_not_nest(hidden: str) -> None:
    guard_query(f"ASK {{ ?s ?p ?o {hidden.replace('{text}', '(' * 50)} }}", replace(LIMITS, max_nesting=5))


def test_brackets_cannot_hide_in_a_comparison_that_looks_like_an_iri() -> None:
    query = f"ASK {{ FILTER(1<{'(' * 500}2{')' * 500}&&1>0) }}"

    with pytest.raises(BadSparql, match=r"line 1, column 15: .*put a space after the <"):
        guard_query(query, LIMITS)
    with pytest.raises(LimitError):
        guard_query(query.replace("<", "< "), LIMITS)


def test_tokens_are_limited_and_the_limit_itself_is_allowed() -> None:
    limits = replace(LIMITS, max_tokens=6)

    guard_query("ASK { ?s ?p ?o }", limits)
    error = refusal("ASK { ?s ?p ?o . }", limits)

    assert error.limit == "KG_MAX_TOKENS"
    assert "allows 6" in str(error)


def test_a_query_is_measured_in_bytes_not_characters() -> None:
    query = "ASK {} # éé"
    limits = replace(LIMITS, max_query_bytes=len(query.encode()))

    guard_query(query, limits)
    error = refusal(query + "x", limits)

    assert error.limit == "KG_MAX_QUERY_BYTES"


@pytest.mark.parametrize("text", ["a.", "'", "<", '"""\n', ":a.", "\\", "1e", "_:a.", "<<", "#'\n", "?a", "''' "])
def test_the_guard_itself_is_quick_with_a_million_bytes_of_anything(text: str) -> None:
    start = time.perf_counter()

    with suppress(LimitError):
        guard_query(text * (1_000_000 // len(text)), LIMITS)

    assert time.perf_counter() - start < 4


@pytest.mark.parametrize(
    "name", [":a.SERVICE" + ":a." * 300_000, ":a.xSERVICExSERVICE" * 50_000, ":SERVICE" + "a.:" * 300_000]
)
def test_a_long_name_that_may_hide_a_service_is_read_once(name: str) -> None:
    start = time.perf_counter()

    with suppress(Forbidden):
        guard_query(f"ASK {{ ?s ?p {name} {GROUP} }}", LIMITS)

    assert time.perf_counter() - start < 4


# a comparison that may be an IRI


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?s ?p ?o FILTER(?s<?p&&?o>1) }",
        "PREFIX x: <urn:x#> BASE <urn:y#> ASK { ?s x:p (<http://x.example/#a> <http://x.example/O'Hara_(poet)>) }",
        "ASK { ?s ?p ?o FILTER(?o < 'a' && ?o > 'b') }",
        "BASE <http://x.example/> ASK { <#me> <#knows> <#you> }",
    ],
)
def test_what_cannot_be_misread_is_let_through(query: str) -> None:
    guard_query(query, LIMITS)
    Store().query(query)


def test_what_can_be_misread_is_refused_with_its_place() -> None:
    with pytest.raises(BadSparql) as caught:
        guard_query("ASK {\n  FILTER(?a<'x'&&'y'>?b) }", LIMITS)

    assert (caught.value.line, caught.value.column) == (2, 12)


# what an update may not do


@pytest.mark.parametrize("query", [*POSITIONS.values()][:12], ids=[*POSITIONS][:12])
def test_service_is_refused_in_an_update(query: str) -> None:
    prologue, _, pattern = query.partition("{")
    prologue = prologue.replace("ASK", "").replace("ask", "")

    with pytest.raises(Forbidden, match="KG_SERVICE_ALLOWED"):
        guard_update(f"{prologue} INSERT {{ <a:a> <a:b> <a:c> }} WHERE {{ {pattern}", LIMITS)


@pytest.mark.parametrize(
    "data",
    [f"<<{FAR}:p'>'>> :q :r", "<<_:s:p'>'>> :q :r", ":s :p '>', '<' "],
)
def test_data_cannot_hide_the_end_of_its_block(data: str) -> None:
    update = f"{PREFIXES} INSERT DATA {{ {data} }} ; INSERT {GROUP} WHERE {{ SERVICE {FAR} {GROUP} }} #'"

    with pytest.raises(OSError, match="port 9"):
        Store().update(update)
    with pytest.raises((Forbidden, BadSparql)):
        guard_update(update, LIMITS)


def test_data_may_speak_of_services() -> None:
    update = f"{PREFIXES} INSERT DATA {{ ex:service a service:SERVICE ; ex:p 'SERVICE {FAR} {GROUP}' }}"

    guard_update(update, LIMITS)
    Store().update(update)
