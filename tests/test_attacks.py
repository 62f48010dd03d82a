"""Hostile queries and updates, sent to real services in every mode, while a bystander is answered all along.

What the guards refuse by reading is told one by one in test_guards; here it is what comes back over HTTP,
and that nothing else happened: nobody was contacted, nothing was changed, nobody else had to wait.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from pyoxigraph import Store

from attacked import Target, open_target
from services import AUTHORISED, Recorder, recorder, status_of

pytestmark = [pytest.mark.slow, pytest.mark.alone]

LIMIT_MS = 600
# Updates are taken there only.
ONLY_SCRATCH = pytest.mark.parametrize("target", ["scratch"], indirect=True)
# How long after its limit a query is over at the latest.
GRACE_S = 0.5
# What one process may take besides: on a busy machine the client itself waits its turn.
SLACK_S = 2.0


@pytest.fixture(scope="module", params=["release", "scratch", "writable"])
def target(
    request: pytest.FixtureRequest, release_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("attacked")
    limits = {"KG_QUERY_TIME_LIMIT_MS": str(LIMIT_MS), "KG_WORKER_MEMORY_LIMIT_MB": "1024"}
    with open_target(request.param, release_folder, folder, **limits) as found:
        yield found


@pytest.fixture(autouse=True)
def _others_are_answered(target: Target) -> Iterator[None]:
    yield
    target.bystander.assert_answered()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Recorder]:
    with recorder() as found:
        yield found


# Nothing is fetched


def fetching_queries(there: str) -> dict[str, str]:
    """Returns queries that would make a credulous engine contact an address, or read a file."""
    far, group, prefix = f"<{there}>", "{ ?a ?b ?c }", f"PREFIX x: <{there}> "
    file = "<file:///etc/hostname>"
    services = {
        "alone": f"ASK {{ SERVICE {far} {group} }}",
        "silent": f"SELECT * {{ SERVICE SILENT {far} {group} }}",
        "mixed case, comments": f"ASK {{ sErViCe # }}\n SiLeNt # <urn:x>\r\n{far}{group} }}",
        "escaped letters": f"ASK {{ \\u0053ERVICE {far} {group} }}",
        "escaped address": f"ASK {{ SERVICE <{there.replace('h', chr(92) + 'u0068', 1)}> {group} }}",
        "by a variable": f"ASK {{ VALUES ?g {{ {far} }} SERVICE ?g {group} }}",
        "by a bound variable": f"ASK {{ BIND(IRI('{there}') AS ?g) SERVICE SILENT ?g {group} }}",
        "by a prefix": f"{prefix} ASK {{ SERVICE x: {group} }}",
        "glued to a prefix": f"{prefix} ASK {{ SERVICEx:y {group} }}",
        "glued to a value": f"ASK {{ ?s ?p trueSERVICE {far} {group} }}",
        "by a base": f"BASE {far} ASK {{ SERVICE <> {group} }}",
        "in a subselect": f"SELECT * {{ {{ SELECT * {{ SERVICE {far} {group} }} }} }}",
        "in OPTIONAL": f"SELECT * {{ OPTIONAL {{ SERVICE SILENT {far} {group} }} }}",
        "in MINUS": f"SELECT * {{ ?s ?p ?o MINUS {{ SERVICE {far} {group} }} }}",
        "in FILTER": f"SELECT * {{ ?s ?p ?o FILTER NOT EXISTS {{ SERVICE {far} {group} }} }}",
        "in BIND": f"SELECT * {{ BIND(EXISTS {{ SERVICE {far} {group} }} AS ?x) }}",
        "in ORDER BY": f"SELECT * {{ ?s ?p ?o }} ORDER BY (EXISTS {{ SERVICE {far} {group} }})",
        "in HAVING": f"SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o }} HAVING (EXISTS {{ SERVICE {far} {group} }})",
        "in GRAPH": f"SELECT * {{ GRAPH ?g {{ SERVICE {far} {group} }} }}",
        "in CONSTRUCT": f"CONSTRUCT {group} WHERE {{ SERVICE {far} {group} }}",
        "in DESCRIBE": f"DESCRIBE ?a WHERE {{ SERVICE {far} {group} }}",
        "behind a comparison that looks like an IRI": f"ASK {{ FILTER(1<'>'||true) SERVICE {far} {group} FILTER('') }}",
    }
    datasets = {
        "FROM": f"SELECT * FROM {far} {{ ?s ?p ?o }}",
        "FROM NAMED": f"SELECT * FROM NAMED {far} {{ GRAPH ?g {{ ?s ?p ?o }} }}",
        "FROM a file": f"SELECT * FROM {file} {{ ?s ?p ?o }}",
        "FROM NAMED a file": f"SELECT * FROM NAMED {file} {{ GRAPH {file} {{ ?s ?p ?o }} }}",
        "FROM behind a comment": f"{prefix} ASK fRoM # no\n x:y {{ ?s ?p ?o }}",
        "GRAPH": f"SELECT * {{ GRAPH {far} {{ ?s ?p ?o }} }}",
        "DESCRIBE an address": f"DESCRIBE {far} {file}",
    }
    return {**services, **datasets}


def fetching_updates(there: str) -> dict[str, str]:
    """Returns updates that would make a credulous engine contact an address, or read a file."""
    far, group = f"<{there}>", "{ ?a ?b ?c }"
    return {
        "LOAD": f"LOAD {far}",
        "LOAD SILENT": f"LOAD SILENT {far}",
        "LOAD INTO": f"LOAD {far} INTO GRAPH <urn:g>",
        "LOAD a file": "LOAD <file:///etc/hostname> INTO GRAPH <urn:g>",
        "LOAD SILENT a file": "LOAD SILENT <file:///etc/hostname>",
        "mixed case, comments": f"# INSERT\nlOaD # SILENT\r\n sIlEnT\t{far}",
        "escaped letters": f"\\u004COAD {far}",
        "behind another operation": f"INSERT DATA {{ <urn:a> <urn:b> 'LOAD' }} ; LOAD {far}",
        "by a prefix": f"PREFIX x: <{there}> LOAD x:y",
        "by a base": f"BASE {far} LOAD <y>",
        "glued": f"PREFIX LOADx: <{there}> LOADx:y",
        "SERVICE": f"INSERT {group} WHERE {{ SERVICE {far} {group} }}",
        "SERVICE SILENT in DELETE": f"DELETE {group} WHERE {{ SERVICE SILENT {far} {group} }}",
        "SERVICE in DELETE WHERE": f"DELETE WHERE {{ SERVICE {far} {group} }}",
        "SERVICE behind data": f"INSERT DATA {{ <a:a> <a:b> '}}' }} ; INSERT {group} WHERE {{ SERVICE {far} {group} }}",
        "USING": f"INSERT {group} USING {far} WHERE {group}",
        "USING NAMED a file": f"INSERT {group} USING NAMED <file:///etc/hostname> WHERE {{ GRAPH ?g {group} }}",
        "WITH": f"WITH {far} INSERT {group} WHERE {group}",
        "COPY": f"COPY {far} TO <urn:g>",
    }


def test_an_engine_that_is_let_does_contact_the_recorder() -> None:
    with recorder() as there:
        with pytest.raises(OSError):
            Store().query(fetching_queries(f"{there.address}/sparql")["alone"])
        assert there.contacts


def test_no_query_makes_it_fetch_anything(target: Target, elsewhere: Recorder) -> None:
    for name, query in fetching_queries(f"{elsewhere.address}/sparql").items():
        for way, answer in target.asked_in_every_way(query):
            # FROM and GRAPH name graphs of the dataset, and there is none of that name.
            empty = answer.status_code == 200 and not _rows(answer)
            assert empty or answer.status_code in {400, 403}, (name, way, answer.status_code, answer.text[:200])
            assert empty or "SERVICE" not in query.upper() or answer.status_code in {400, 403}, (name, way)
    assert elsewhere.contacts == []


def _rows(answer: httpx2.Response) -> bool:
    """Tells whether an answer, in JSON or N-Triples, holds anything."""
    if answer.headers["content-type"].startswith("application/sparql-results+json"):
        found = answer.json()
        return bool(found.get("boolean", found.get("results", {}).get("bindings")))
    return bool(answer.text.strip())


def test_no_update_makes_it_fetch_anything(target: Target, elsewhere: Recorder) -> None:
    before = target.state()
    for name, update in fetching_updates(f"{elsewhere.address}/data").items():
        for way, answer in target.updated_in_every_way(update):
            allowed = {204, 400, 403} if target.mode == "scratch" else {403}
            assert answer.status_code in allowed, (name, way, answer.status_code, answer.text[:200])
    assert elsewhere.contacts == []
    held = {line for line in target.state() if "LOAD" not in line}
    assert held <= before, "nothing has come from outside"


@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri", "using-graph-uri", "using-named-graph-uri"])
def test_no_dataset_of_the_protocol_is_fetched(target: Target, elsewhere: Recorder, name: str) -> None:
    operation = "query" if name.startswith(("default", "named")) else "update"
    text = "SELECT * { ?s ?p ?o }" if operation == "query" else "INSERT { ?s ?p ?o } WHERE { ?s ?p ?o }"
    for graph in (f"{elsewhere.address}/graph", "file:///etc/hostname"):
        answer = target.client.post("/sparql", data={operation: text, name: graph}, headers=AUTHORISED)
        if operation == "query":
            assert answer.status_code == 200 and not _rows(answer)
        else:
            assert answer.status_code == (204 if target.mode == "scratch" else 403)
    assert elsewhere.contacts == []


def test_no_other_address_that_is_named_is_contacted(target: Target, elsewhere: Recorder) -> None:
    there = f"{elsewhere.address}/thing"
    for path in ("/graphs?graph=", "/page?iri=", "/data?iri=", "/api/describe?entity=", "/api/search?q="):
        answer = target.client.get(f"{path}{there}", follow_redirects=False)
        assert answer.status_code in {200, 400, 404}, (path, answer.status_code)
    head = f"Host: {elsewhere.address[7:]}\r\nX-Forwarded-Host: {elsewhere.address[7:]}\r\nConnection: close\r\n\r\n"
    for line in (f"GET {there} HTTP/1.1", f"CONNECT {elsewhere.address[7:]} HTTP/1.1", "GET //x/y HTTP/1.1"):
        assert status_of(target.service.raw(f"{line}\r\n{head}".encode())) in {0, 400, 404, 405}
    assert elsewhere.contacts == []


# What would take for ever


CHAIN = "".join(f"BIND(CONCAT({', '.join([f'?x{n}'] * 10)}) AS ?x{n + 1}) " for n in range(12))
MANY = " ".join(map(str, range(6000)))
ENDLESS: Mapping[str, str] = {
    "cross product": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }",
    "cross product, all of it": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }",
    "cross product of graphs": "CONSTRUCT { ?a ?e ?i } { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "cross product that matches nothing": "ASK { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(STR(?a) = CONCAT(?c, ?f)) }",
    "ordered": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f DESC(?i) LIMIT 1",
    "distinct": "SELECT DISTINCT ?a ?f ?g { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "grouped": "SELECT ?a ?d ?g (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } GROUP BY ?a ?d ?g",
    "skipped": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } OFFSET 900000000000 LIMIT 1",
    "property paths": "SELECT (COUNT(*) AS ?n) { ?a (!<urn:x>|^!<urn:x>)* ?b . ?b (!<urn:y>|^!<urn:y>)* ?c }",
    "property path, nested": "SELECT (COUNT(*) AS ?n) { ?a (((!<urn:x>)*/(^!<urn:x>)*)+/(!<urn:y>)*)+ ?b . ?c ?d ?e }",
    "GROUP_CONCAT": "SELECT (GROUP_CONCAT(?c) AS ?x) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "CONCAT upon CONCAT": f"SELECT (STRLEN(?x12) AS ?n) {{ BIND('aaaaaaaaaa' AS ?x0) {CHAIN} }}",
    "REPLACE upon REPLACE": (
        "SELECT (STRLEN(?z) AS ?n) { BIND(REPLACE('" + "a" * 3000 + "', 'a', '" + "b" * 3000 + "') AS ?y) "
        "BIND(REPLACE(?y, 'b', '" + "c" * 3000 + "') AS ?z) }"
    ),
    "VALUES": f"SELECT (COUNT(*) AS ?n) {{ VALUES ?a {{ {MANY} }} VALUES ?b {{ {MANY} }} VALUES ?c {{ {MANY} }} }}",
    "OPTIONAL upon OPTIONAL": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c "
    + "OPTIONAL { ?d ?e ?f } OPTIONAL { ?g ?h ?i } " * 5
    + "}",
    "EXISTS": "SELECT * { ?a ?b ?c FILTER NOT EXISTS { ?d ?e ?f . ?g ?h ?i FILTER(?d = ?c && ?g = ?c && ?i = 7) } }",
    "MINUS": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f MINUS { ?a ?h ?i . ?j ?k ?f . ?l ?m ?n } }",
}


Outcome = tuple[int, float, str]


def outcomes(target: Target, queries: Mapping[str, str], at_once: int = 3) -> dict[str, Outcome]:
    """Returns how each of many queries ended: status, seconds, and the limit that was named or what was said.

    Some at once, but no more than all have a worker: a query that only waits shows nothing.
    """

    def asked(query: str) -> Outcome:
        begun = time.monotonic()
        answer = target.client.post("/sparql", data={"query": query})
        took = time.monotonic() - begun
        told = "" if answer.is_success else str(answer.json().get("limit") or answer.json()["detail"])
        return answer.status_code, took, told

    with ThreadPoolExecutor(at_once) as pool:
        return dict(zip(queries, pool.map(asked, queries.values()), strict=True))


def odd_ones(found: Mapping[str, Outcome], *allowed: int) -> dict[str, Outcome]:
    """Returns the outcomes that are not as they should be: in time, of an allowed status, and a limit by its name."""
    latest = LIMIT_MS / 1000 + GRACE_S + SLACK_S
    return {
        name: (status, took, told[:200])
        for name, (status, took, told) in found.items()
        if status not in allowed or took > latest or (status in {413, 503} and not told.startswith("KG_"))
    }


def test_what_would_take_for_ever_is_refused_with_the_limit(target: Target) -> None:
    assert odd_ones(outcomes(target, ENDLESS), 413, 503) == {}


# Costly in theory; this engine answers them, or finds them too large itself.
COSTLY: Mapping[str, str] = {
    "REGEX that backtracks elsewhere": f"ASK {{ FILTER(REGEX('{'a' * 5000}!', '^(a+)+$')) }}",
    "REGEX with nested alternatives": f"ASK {{ FILTER(REGEX('{'ab' * 3000}', '^((a|b|ab)*)*c$')) }}",
    "REGEX that repeats repeats": "ASK { FILTER(REGEX('aaaa', '((((a{1,99}){1,99}){1,99}){1,99}){1,99}')) }",
    "REGEX with a large class": "ASK { FILTER(REGEX('aaaa', '(\\\\w{1,500}){1,500}', 'i')) }",
    "REPLACE": f"SELECT (STRLEN(REPLACE('{'a' * 5000}', '(a*)*', '$1$1$1$1')) AS ?n) {{}}",
}


def test_what_is_costly_elsewhere_is_over_in_time(target: Target) -> None:
    assert odd_ones(outcomes(target, COSTLY), 200, 413, 503) == {}


# Long and flat

FLAT: Mapping[str, str] = {
    "2,000 OPTIONALs": "SELECT * { ?s ?p ?o " + "".join(f"OPTIONAL {{ ?s ?p{n} ?o{n} }} " for n in range(2000)) + "}",
    "2,000 UNIONs": "SELECT * { " + " UNION ".join(f"{{ ?s{n} a ?o }}" for n in range(2000)) + "}",
    "2,000 FILTERs": "SELECT * { ?s ?p ?o " + "".join(f"FILTER(?o != {n}) " for n in range(2000)) + "}",
    "2,000 BINDs": "SELECT * { " + "".join(f"BIND({n} AS ?b{n}) " for n in range(2000)) + "}",
    "2,000 MINUSes": "SELECT * { ?s ?p ?o " + "".join(f"MINUS {{ ?s ?p {n} }} " for n in range(2000)) + "}",
    "2,000 triples": "SELECT * { " + "".join(f"?s{n} ?p{n} ?s{n + 1} . " for n in range(2000)) + "}",
    "2,000 subselects": "SELECT * { " + "".join(f"{{ SELECT ?s{n} {{ ?s{n} a 1 }} }} " for n in range(1500)) + "}",
    "a path of 500 steps": f"SELECT * {{ ?s {'/'.join(['<urn:p>'] * 500)} ?o }}",
    "a path of 500 alternatives": f"SELECT * {{ ?s ({'|'.join(['<urn:p>*'] * 500)})* ?o }}",
    "a list of 500": f"SELECT * {{ ?s ?p ({' '.join(['?x'] * 500)}) }}",
    "5,000 prefixes": "".join(f"PREFIX p{n}: <urn:{n}> " for n in range(5000)) + "ASK {}",
    "10,000 variables": f"SELECT {' '.join(f'?v{n}' for n in range(9000))} {{ ?s ?p ?o }}",
    "10,000 graphs": "".join(f"FROM <urn:{n}> " for n in range(9000)).join(["SELECT * ", "{ ?s ?p ?o }"]),
    "10,000 orders": f"SELECT * {{ ?s ?p ?o }} ORDER BY {' '.join(['?s'] * 15000)}",
    "a VALUES block over the limit of tokens": f"SELECT * {{ VALUES ?x {{ {' '.join(map(str, range(100_000)))} }} }}",
}


def test_what_is_long_and_flat_is_over_in_time(target: Target) -> None:
    assert odd_ones(outcomes(target, FLAT), 200, 413, 503) == {}


# Deep

# What comes first, what nests, what it nests around, how each ends, and what comes last.
DEEP: Mapping[str, tuple[str, str, str, str, str]] = {
    "braces": ("ASK {", "{", "", "}", "}"),
    "OPTIONAL": ("ASK {", "OPTIONAL{", "", "}", "}"),
    "UNION": ("ASK {", "{}UNION{", "", "}", "}"),
    "MINUS": ("ASK {", "MINUS{", "", "}", "}"),
    "GRAPH": ("ASK {", "GRAPH?g{", "", "}", "}"),
    "subselect": ("ASK {", "{SELECT*{", "", "}}", "}"),
    "EXISTS": ("ASK {", "FILTER EXISTS{", "", "}", "}"),
    "NOT EXISTS": ("ASK {", "FILTER NOT EXISTS{", "", "}", "}"),
    "LATERAL": ("ASK {", "LATERAL{", "", "}", "}"),
    "round brackets": ("ASK { FILTER", "(", "1", ")", "}"),
    "IF": ("ASK { FILTER(", "IF(1,2,", "1", ")", ")}"),
    "COALESCE": ("ASK { FILTER(", "COALESCE(", "1", ")", ")}"),
    "function": ("ASK { FILTER(", "STR(", "1", ")", ")}"),
    "IN": ("ASK { FILTER(", "1 IN(", "1", ")", ")}"),
    "not": ("ASK { FILTER(", "!", "1", "", ")}"),
    "minus": ("ASK { FILTER(1", "- -1", "", "", ")}"),
    "plus": ("ASK { FILTER(1", "+ 1", "", "", ")}"),
    "or": ("ASK { FILTER(1", "||1", "", "", ")}"),
    "and": ("ASK { FILTER(1", "&&1", "", "", ")}"),
    "times": ("ASK { FILTER(1", "*1", "", "", ")}"),
    "square brackets": ("ASK { ?s ?p ", "[<urn:p>", "1", "]", "}"),
    "list": ("ASK { ?s ?p ", "(", "1", ")", "}"),
    "triple terms": ("ASK { ?s ?p ", "<<(?s ?p ", "1", ")>>", "}"),
    "reified triples": ("ASK { ", "<<", "?s ?p ?o", ">>?p ?o", " }"),
    "path": ("ASK { ?s ", "(", "<urn:p>", ")", " ?o }"),
    "path, inverse": ("ASK { ?s ", "(^", "<urn:p>", ")", " ?o }"),
    "path, repeated": ("ASK { ?s ", "(", "<urn:p>", ")*", " ?o }"),
    "sequence": ("ASK { ?s <urn:p>", "/<urn:p>", "", "", " ?o }"),
    "alternatives": ("ASK { ?s <urn:p>", "|<urn:p>", "", "", " ?o }"),
    "template": ("CONSTRUCT { ?s ?p ", "[<urn:p>", "1", "]", "} WHERE {}"),
}


def deep(name: str, depth: int) -> str:
    before, opening, core, closing, after = DEEP[name]
    return before + opening * depth + core + closing * depth + after


# A reified triple is no whole pattern at every depth, and this engine takes no triple that has one for its subject.
@pytest.mark.parametrize("name", sorted(DEEP.keys() - {"reified triples"}))
def test_what_nests_is_a_query_while_it_is_shallow(name: str) -> None:
    Store().query(deep(name, 2))


@pytest.mark.parametrize("depth", [10_000, 50_000])
def test_what_nests_without_end_is_refused(target: Target, depth: int) -> None:
    found = outcomes(target, {name: deep(name, depth) for name in DEEP})
    assert odd_ones(found, 400, 413, 502, 503) == {}


@ONLY_SCRATCH
@pytest.mark.parametrize("depth", [10_000, 50_000])
def test_an_update_that_nests_without_end_changes_nothing(target: Target, depth: int) -> None:
    before = target.state()
    for opening, closing in (("{", "}"), ("[<urn:p>", "]"), ("(", ")"), ("<<(<urn:a> <urn:p> ", ")>>"), ("!", "")):
        deep = opening * depth + closing * depth
        updates = (
            f"INSERT DATA {{ <urn:a> <urn:b> {deep} }}",
            f"INSERT {{ <urn:a> <urn:b> 1 }} WHERE {{ FILTER({deep}) }}",
        )
        for update in updates:
            answer = target.client.post("/sparql", data={"update": update}, headers=AUTHORISED)
            assert answer.status_code in {400, 413, 502, 503}, (opening, answer.status_code, answer.text[:200])
    assert target.state() == before


@ONLY_SCRATCH
def test_an_update_that_would_take_for_ever_is_cut_and_changes_nothing(target: Target) -> None:
    before = target.state()
    for pattern in ("?a ?b ?c . ?d ?e ?f . ?g ?h ?i", "?a (!<urn:x>|^!<urn:x>)* ?d . ?d (!<urn:x>|^!<urn:x>)* ?g"):
        begun = time.monotonic()
        update = f"INSERT {{ ?a <urn:new> ?g }} WHERE {{ {pattern} }}"
        answer = target.client.post("/sparql", data={"update": update}, headers=AUTHORISED)
        assert answer.status_code == 503, answer.text
        assert time.monotonic() - begun < LIMIT_MS / 1000 + GRACE_S + SLACK_S
        assert target.state() == before
