"""Requests to an engine on the network: what is refused before it is sent, and what no engine may do to us."""

from __future__ import annotations

import base64
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest
from pyoxigraph import Literal, NamedNode

from kg.engines.remote.capabilities import KINDS, Capabilities
from kg.engines.remote.catalogue import CATALOGUE
from kg.engines.remote.claims import PUBLISHING
from kg.engines.remote.engine import Engine, open_engine
from kg.engines.remote.literals import restored_json, restored_triples
from kg.engines.remote.preparing import NOTHING, Dataset, prepared
from kg.engines.remote.source import RemoteSource
from kg.engines.source import Request
from kg.errors import (
    BadParameter,
    EngineError,
    EngineSilent,
    EngineTimeout,
    Forbidden,
    KgError,
    LimitError,
    SourceError,
)
from kg.names import MERGED_GRAPH, XSD, Prefixes
from kg.wire import problem
from kg.workspace import Settings, read_settings

EX = "http://example.org/"
PREFIXES = Prefixes({"ex": EX})
JSON = "application/sparql-results+json"
TABLE = b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"literal","value":"a"}}]}}'
SELECT = "SELECT ?s { ?s ?p ?o }"
GRAPH = "CONSTRUCT WHERE { ?s ?p ?o }"


@dataclass
class Scripted:
    """A server that answers as a test says, and keeps what it was sent."""

    answer: Callable[[BaseHTTPRequestHandler, int], None]
    address: str = ""
    received: list[tuple[str, dict[str, str], list[tuple[str, str]]]] = field(default_factory=list)


@contextmanager
def scripted(answer: Callable[[BaseHTTPRequestHandler, int], None]) -> Iterator[Scripted]:
    """Yields a server on a free port whose answers a function writes; it is told how many came before."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            found.received.append((self.path, dict(self.headers), parse_qsl(body.decode(), keep_blank_values=True)))
            self.close_connection = True
            found.answer(self, len(found.received) - 1)

        do_GET = do_POST  # noqa: N815 - the name is the library's

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that has had enough ends the connection."""

    with Server(("127.0.0.1", 0), Handler) as server:
        found = Scripted(answer, f"http://127.0.0.1:{server.server_port}/sparql")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def sends(body: bytes, status: int = 200, length: int | None = None, **headers: str) -> Callable[..., None]:
    """Returns an answer of that status and body; a length that is not the body's is a lie."""

    def answer(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", headers.get("type", JSON))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def closes(_handler: BaseHTTPRequestHandler, _: int) -> None:
    """Ends the connection without a word."""


def resets(handler: BaseHTTPRequestHandler, _: int) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def resets_within(handler: BaseHTTPRequestHandler, number: int) -> None:
    sends(TABLE[:40], length=len(TABLE))(handler, number)
    resets(handler, number)


def sleeps(handler: BaseHTTPRequestHandler, number: int) -> None:
    time.sleep(1.0)
    sends(TABLE)(handler, number)


def drips(handler: BaseHTTPRequestHandler, _: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _count in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.02)


def never_ends(handler: BaseHTTPRequestHandler, _: int) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    part = b"10000\r\n" + b" " * 65536 + b"\r\n"
    while True:
        handler.wfile.write(part)


def settings(**changed: object) -> Settings:
    return replace(read_settings(), **{"engine_kind": "generic", **changed})  # type: ignore[arg-type]  # a test names fields


def source_at(server: Scripted, **changed: object) -> RemoteSource:
    return RemoteSource(open_engine(server.address, settings(**changed)), PREFIXES, Dataset())


# What no engine may do to us

HOSTILE: dict[str, tuple[Callable[..., None], type[KgError], str]] = {
    "a 200 that is cut off": (sends(TABLE[:-20]), EngineError, "not to the end"),
    "a 200 that is cut off at the last bracket": (sends(TABLE[:-1]), EngineError, "not to the end"),
    "a 200 with an error behind": (sends(TABLE + b"The operation has been cancelled"), EngineError, "been cancelled"),
    "a 200 that is no table": (sends(b"<html>Welcome</html>"), EngineError, "Welcome"),
    "a body that is shorter than it says": (sends(TABLE, length=len(TABLE) + 9), EngineSilent, "broke off"),
    "a reset": (resets, EngineSilent, "broke off"),
    "a reset in the middle": (resets_within, EngineSilent, "broke off"),
    "no answer": (sleeps, EngineTimeout, r"300 ms \(KG_QUERY_TIME_LIMIT_MS\)"),
    "an answer in drops": (drips, EngineTimeout, r"300 ms \(KG_QUERY_TIME_LIMIT_MS\)"),
    "an answer without end": (never_ends, LimitError, r"1000000 bytes \(KG_MAX_ANSWER_BYTES\)"),
    "an error": (
        sends(b"Virtuoso 42000 Error: too many\n cooks", 500),
        EngineError,
        "500: Virtuoso 42000 .*many cooks",
    ),
    "no entry": (sends(b"who are you?", 401), EngineError, "KG_ENGINE_AUTH"),
    "another host": (sends(b"", 307, Location="http://localhost:9/x"), EngineError, "another host, http://localhost:9"),
    "another page": (sends(b"", 302, Location="/welcome"), EngineError, "/welcome"),
    "a circle": (sends(b"", 307, Location="/sparql"), EngineError, "from one address to another"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_an_engine_does_wrong_is_an_error_with_a_name_and_its_own_words(name: str) -> None:
    answer, error, words = HOSTILE[name]
    with scripted(answer) as server:
        # Little patience only where that is what fails: on a busy machine another error may take as long to come.
        patience_ms = 300 if error is EngineTimeout else 30_000
        source = source_at(server, query_time_limit_ms=patience_ms, max_answer_bytes=1_000_000)
        begun = time.monotonic()

        with pytest.raises(error, match=words) as caught:
            source.select(SELECT)

        source.close()
    assert type(caught.value).__name__.lstrip("_") in {error.__name__, "Away"}
    # Where a limit was reached, the problem document names the setting, whichever store answers.
    setting = re.search(r"\((KG_\w+)\)", str(caught.value))
    assert problem(caught.value, 500).get("limit") == (setting and setting[1])
    assert time.monotonic() - begun < 20


def test_a_graph_whose_lines_break_off_is_an_error() -> None:
    with scripted(
        sends(b'<http://a> <http://b> "c" .\n<http://a> <http://b> "d', type="application/n-triples")
    ) as server:
        source = source_at(server)

        with pytest.raises(EngineError, match="not to the end"):
            source.construct(GRAPH)
        source.close()


def test_a_graph_is_written_thing_by_thing_in_whatever_order_it_comes() -> None:
    mixed = "".join(f'<{EX}{thing}> <{EX}p> "{value}" .\n' for value in range(9) for thing in "abc")
    with scripted(sends(mixed.encode(), type="application/n-triples")) as server:
        source = source_at(server)
        told = source.reply(Request(GRAPH), "text/turtle").decode()
        objects = json.loads(source.reply(Request(GRAPH), "application/ld+json"))
        source.close()

    assert [told.count(f"ex:{thing} ") for thing in "abc"] == [1, 1, 1]
    assert sorted(found["@id"] for found in objects) == [f"{EX}{thing}" for thing in "abc"]


def test_a_truth_value_with_something_behind_is_an_error() -> None:
    with scripted(sends(b'{"head": {}, "boolean": true} and more')) as server:
        source = source_at(server)

        with pytest.raises(EngineError, match="and more"):
            source.ask("ASK {}")
        source.close()


def test_an_answer_that_an_engine_cut_at_a_limit_of_its_own_is_an_error() -> None:
    with scripted(sends(TABLE, X_SPARQL_MaxRows="1")) as server:
        engine = replace(open_engine(server.address, settings()), kind=KINDS["virtuoso"])
        source = RemoteSource(engine, PREFIXES, Dataset())

        with pytest.raises(EngineError, match="at 1 rows"):
            source.select(SELECT)
        source.close()


@pytest.mark.parametrize(
    ("misbehave", "end"),
    [
        (
            sends(b"", 401),
            "answered 401: Unauthorized. KG_ENGINE_AUTH, KG_ENGINE_USER and KG_ENGINE_PASSWORD say who we are.",
        ),
        (sends(b"no such graph.", 400), "answered 400: no such graph."),
        (sends(b"who?", 400), "answered 400: who?"),
        (closes, "broke off: Server disconnected without sending a response."),
    ],
)
def test_what_an_engine_said_ends_as_a_sentence_does(misbehave: Callable[..., None], end: str) -> None:
    with scripted(misbehave) as server:
        source = source_at(server, query_time_limit_ms=2000)

        with pytest.raises(KgError) as refused:
            source.select(SELECT)
        assert str(refused.value).endswith(f" {end}")
        source.close()


def test_an_engine_that_does_not_tell_its_limit_is_taken_at_its_word() -> None:
    with scripted(sends(b"function is not allowed", 500)) as server:
        engine = replace(open_engine(server.address, settings()), kind=KINDS["virtuoso"])

        assert engine.most_rows is None
        assert engine.most_rows is None
        assert len(server.received) == 1
        engine.close()


# Trying again


def away_first(handler: BaseHTTPRequestHandler, number: int) -> None:
    (resets, sends(b"busy", 503), sends(TABLE))[min(number, 2)](handler, number)


def test_a_read_is_tried_again_when_the_engine_was_away_for_a_moment() -> None:
    with scripted(away_first) as server:
        source = source_at(server)

        assert source.select(SELECT).rows == ((Literal("a"),),)
        assert len(server.received) == 3
        source.close()


def test_an_error_of_the_query_is_not_tried_again() -> None:
    with scripted(sends(b"no such function", 400)) as server:
        source = source_at(server)

        with pytest.raises(EngineError):
            source.select(SELECT)
        assert len(server.received) == 1
        source.close()


@pytest.mark.parametrize("answer", [resets, sends(b"busy", 503)])
def test_a_write_is_sent_once(answer: Callable[..., None]) -> None:
    with scripted(answer) as server:
        engine = open_engine(server.address, settings(engine_update_url=server.address))

        with pytest.raises(SourceError):
            engine.update("INSERT DATA { <http://a> <http://b> 1 }")
        assert len(server.received) == 1
        engine.close()


def test_an_engine_that_is_not_there_is_named() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/sparql"
        source = RemoteSource(open_engine(address, settings(query_time_limit_ms=2000)), PREFIXES, Dataset())

        with pytest.raises(EngineSilent, match=re.escape(address)):
            source.ask("ASK {}")
        source.close()


@pytest.mark.parametrize("address", ["kettle", "ftp://127.0.0.1/", "http://"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises((BadParameter, EngineSilent)):
        open_engine(address, replace(settings(), engine_kind=None))


# Who we are


@pytest.mark.parametrize(
    ("scheme", "header"),
    [("none", ""), ("basic", "Basic " + base64.b64encode(b"ann:tea").decode()), ("bearer", "Bearer tea")],
)
def test_requests_say_who_we_are(scheme: str, header: str) -> None:
    with scripted(sends(TABLE)) as server:
        source = source_at(server, engine_auth=scheme, engine_user="ann", engine_password="tea")
        source.select(SELECT)
        source.close()

    assert server.received[0][1].get("Authorization", "") == header


def test_a_digest_answers_the_question_of_the_engine() -> None:
    challenge = {"WWW_Authenticate": 'Digest realm="x", nonce="abc", qop="auth", algorithm=MD5'}

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        (sends(b"", 401, None, **challenge) if number == 0 else sends(TABLE))(handler, number)

    with scripted(answer) as server:
        source = source_at(server, engine_auth="digest", engine_user="ann", engine_password="tea")
        source.select(SELECT)
        source.close()

    assert server.received[1][1]["Authorization"].startswith('Digest username="ann", realm="x", nonce="abc"')
    assert not any("tea" in str(sent) for sent in server.received)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"engine_auth": "kerberos"}, "KG_ENGINE_AUTH"),
        ({"engine_auth": "basic", "engine_user": "ann"}, "KG_ENGINE_PASSWORD"),
        ({"engine_auth": "digest", "engine_password": "tea"}, "KG_ENGINE_USER"),
        ({"engine_kind": "kettle"}, "KG_ENGINE_KIND"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(changed: dict[str, str], words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        open_engine("http://127.0.0.1:1/", settings(**changed))


def test_a_password_in_an_address_is_not_shown() -> None:
    with pytest.raises(EngineSilent) as caught:
        open_engine("http://ann:tea@127.0.0.1:1/", replace(settings(query_time_limit_ms=500), engine_kind=None))

    assert "tea" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


# What an engine is sent


@pytest.mark.parametrize(
    ("server", "kind"), [("Virtuoso/07.20", "virtuoso"), ("Oxigraph/0.5", "oxigraph"), ("nginx", "generic")]
)
def test_the_kind_of_an_engine_is_what_it_says_it_is(server: str, kind: str) -> None:
    with scripted(sends(TABLE, Server_=server)) as there:
        there.answer = lambda handler, number: _as(server, handler, number)
        engine = open_engine(there.address, replace(settings(), engine_kind=None))
        engine.close()

    assert engine.kind.name == kind


def _as(server: str, handler: BaseHTTPRequestHandler, number: int) -> None:
    handler.server_version, handler.sys_version = server, ""
    sends(TABLE)(handler, number)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("below", ["", "/", "query"])
def test_the_addresses_of_every_kind_follow_from_one(kind: str, below: str) -> None:
    caps = KINDS[kind]
    address = "http://127.0.0.1:1/data" + (caps.query_path if below == "query" else below)
    engine: Engine = open_engine(address, replace(settings(), engine_kind=kind))
    engine.close()

    assert engine.query_url.rstrip("/") == "http://127.0.0.1:1/data" + caps.query_path
    assert engine.update_url == (None if caps.update_path is None else "http://127.0.0.1:1/data" + caps.update_path)
    assert (engine.store_url is None) == (caps.store_path is None)


DATASET = Dataset(MERGED_GRAPH, ("http://g/1", "http://g/2"))
BASED = Request("SELECT * FROM NAMED <2> { ?s ?p ?o }", base="http://g/x")


@pytest.mark.parametrize(
    ("request_", "default", "named"),
    [
        (Request("SELECT * { ?s ?p ?o }"), [MERGED_GRAPH], [NOTHING]),
        (Request("SELECT * { GRAPH ?g { ?s ?p ?o } }"), [MERGED_GRAPH], ["http://g/1", "http://g/2"]),
        (Request("SELECT * { ?s ?p ?o }", default_graphs=["http://g/1"]), ["http://g/1"], [NOTHING]),
        (Request("SELECT * { ?s ?p ?o }", named_graphs=["http://g/1"]), [NOTHING], ["http://g/1"]),
        (Request("SELECT * FROM g:1 { GRAPH ?g { ?s ?p ?o } }"), ["http://g/1"], [NOTHING]),
        (BASED, [NOTHING], ["http://g/2"]),
        (replace(BASED, query=f"BASE <http://g/> {BASED.query}", base="http://h/"), [NOTHING], ["http://g/2"]),
        (replace(BASED, default_graphs=["http://g/1"]), ["http://g/1"], [NOTHING]),
        (Request(f"ASK FROM <{MERGED_GRAPH}> {{}}"), [NOTHING], [NOTHING]),
        (Request("ASK {}", named_graphs=[MERGED_GRAPH]), [NOTHING], [NOTHING]),
    ],
)
def test_every_read_names_its_whole_dataset(request_: Request, default: list[str], named: list[str]) -> None:
    sent = prepared(request_, {"g": "http://g/"}, DATASET, KINDS["generic"])

    assert (list(sent.default_graphs), list(sent.named_graphs)) == (default, named)
    # It is named beside the query alone, so an engine has no choice between two.
    assert "FROM" not in sent.query


@pytest.mark.parametrize(
    ("request_", "default", "named"),
    [
        (Request("ASK {}", default_graphs=["http://private/"]), [NOTHING], [NOTHING]),
        (Request("ASK {}", named_graphs=["http://private/", "http://g/2"]), [NOTHING], ["http://g/2"]),
        (Request("ASK FROM <http://private/> FROM g:1 {}"), ["http://g/1"], [NOTHING]),
        (Request("ASK FROM NAMED <http://private/> {}"), [NOTHING], [NOTHING]),
        (Request(r"ASK FROM g:a\/b {}"), [NOTHING], [NOTHING]),
        (Request(f"ASK FROM <{CATALOGUE}> {{}}", default_graphs=["http://g/1"]), ["http://g/1"], [NOTHING]),
        (Request(f"ASK FROM <{CATALOGUE}> FROM NAMED <{PUBLISHING}> {{}}"), [NOTHING], [NOTHING]),
    ],
)
def test_no_graph_beside_the_release_is_named(request_: Request, default: list[str], named: list[str]) -> None:
    sent = prepared(request_, {"g": "http://g/"}, DATASET, KINDS["generic"])

    assert (list(sent.default_graphs), list(sent.named_graphs)) == (default, named)
    assert "FROM" not in sent.query


def test_only_prefixes_that_are_used_and_not_declared_are_declared() -> None:
    known = {"ex": EX, "b": "http://b/", "c": "http://c/"}
    sent = prepared(Request("PREFIX b: <http://own/> ASK { ex:a b:x 1 }"), known, DATASET, KINDS["generic"])

    assert sent.query == f"PREFIX ex: <{EX}> PREFIX b: <http://own/> ASK {{ ex:a b:x 1 }}"


def test_one_base_is_sent_before_all_else_and_each_prefix_as_a_whole_iri() -> None:
    query = (
        "PREFIX a: <#> BASE <d/> PREFIX b: <e#> BASE <http://c/> ASK FROM <g> { a:x b:y <z> . ex:v ex:w 'BASE <u>' }"
    )
    dataset = Dataset(MERGED_GRAPH, ("http://c/g",))
    sent = prepared(Request(query, base="http://b/s"), {"ex": EX}, dataset, KINDS["generic"])

    assert " ".join(sent.query.split()) == (
        f"BASE <http://c/> PREFIX ex: <{EX}> PREFIX a: <http://b/s#> PREFIX b: <http://b/d/e#> "
        "ASK { a:x b:y <z> . ex:v ex:w 'BASE <u>' }"
    )
    assert sent.default_graphs == ["http://c/g"]


def test_a_query_names_the_release_to_an_engine_that_would_use_the_plan_of_another() -> None:
    for query in ("ASK {}", "ASK {} # SELECT"):
        for everywhere in (False, True):
            dataset = Dataset(everywhere=everywhere, edition="0123abcd")
            kept, fresh = (
                prepared(Request(query), {}, dataset, KINDS[kind]).query for kind in ("virtuoso", "oxigraph")
            )
            assert kept.endswith("\n# 0123abcd") and "0123abcd" not in fresh


def test_a_name_with_an_escape_is_sent_as_a_whole_iri() -> None:
    sent = prepared(Request(r"ASK { ex:a\/b ex:c 'd\\e' }"), {"ex": EX}, DATASET, KINDS["generic"])

    assert sent.query == rf"PREFIX ex: <{EX}> ASK {{ <{EX}a/b> ex:c 'd\\e' }}"


@pytest.mark.parametrize("query", ["SELECT * { SERVICE <http://x/> { ?s ?p ?o } }", "ASK { SERVICE SILENT ?x {} }"])
def test_service_never_reaches_an_engine_even_where_it_is_allowed(query: str) -> None:
    with scripted(sends(TABLE)) as server:
        source = source_at(server, service_allowed="http://x/")

        with pytest.raises(Forbidden, match="SERVICE"):
            source.select(query)
        assert server.received == []
        source.close()


def test_selects_within_selects_are_refused_where_they_are_too_deep_for_an_engine() -> None:
    shallow = Capabilities("odd", most_selects=2)
    beside = "SELECT ?a { { SELECT ?a { ?a ?b ?c } } UNION { SELECT ?a { ?a ?d ?e } } }"
    deep = "SELECT ?a { { SELECT ?a { { SELECT ?a { ?a ?b ?select } } } } }"

    prepared(Request(beside), {}, DATASET, shallow)
    prepared(Request(deep), {}, DATASET, Capabilities("even"))
    with pytest.raises(Forbidden, match="over 2 deep"):
        prepared(Request(deep), {}, DATASET, shallow)


def test_a_function_that_an_engine_lacks_is_refused_by_name_before_it_is_asked() -> None:
    lacking = Capabilities("odd", lacks={"BNODE": "it has none"})

    with pytest.raises(Forbidden, match="BNODE is refused: it has none"):
        prepared(Request("SELECT (bnode() AS ?b) {}"), {}, DATASET, lacking)
    prepared(Request("SELECT ?bnode { ?bnode ex:BNODE 'BNODE' }"), {"ex": EX}, DATASET, lacking)


# Literals that an engine keeps by value


@pytest.mark.parametrize(
    ("kind", "kept", "stored"),
    [
        ("boolean", "0", "false"),
        ("double", "1.5e+30", "1500000000000000000000000000000"),
        ("decimal", "2.50", "2.5"),
        ("duration", "12", "P1Y"),
        ("duration", "-18", "-P1Y6M"),
        ("dayTimeDuration", "3600.0", "PT1H"),
        ("duration", "7.776e+06", "P90D"),
        ("integer", "007", "007"),
    ],
)
def test_a_form_is_restored_in_tables_and_in_triples_and_nothing_else_is_touched(
    kind: str, kept: str, stored: str
) -> None:
    quoted = '"datatype": "%s", "value": "%s"'
    table = '{"x": {"type": "typed-literal", ' + quoted + '}, "y": {"type": "literal", "value": "\\"%s"}}'
    inner = f'\\"{kept}\\"^^<{XSD}{kind}>'

    assert restored_json((table % (XSD + kind, kept, inner)).encode()).decode() == table % (XSD + kind, stored, inner)
    line = f'<http://a> <http://b> "%s"^^<{XSD}{kind}> .\n<http://a> <http://b> "{inner}" .\n'
    assert restored_triples((line % kept).encode()).decode() == line % stored


def test_a_named_node_may_stand_where_a_literal_could() -> None:
    with scripted(
        sends(b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"uri","value":"http://a"}}]}}')
    ) as s:
        source = source_at(s)
        assert source.select(SELECT).rows == ((NamedNode("http://a"),),)
        source.close()
