"""Hostile requests of every other kind, to real services in every mode, while a bystander is answered all along.

Bodies, heads, bytes that are no text, uploads that are broken or bombs, values that try to be more, and
writes by those who may not. (Heads and connections one by one: test_operations.)
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode

import pytest

from attacked import Target, addressed, open_target
from kg.names import BASE, GRAPH
from services import AUTHORISED, TOKEN, everything, recorder, status_of
from workspaces import BARRIER

T = TypeVar("T")

pytestmark = [pytest.mark.slow, pytest.mark.alone]

CLIENT_LIMIT_S = 2.0
MEGABYTE = 1 << 20
JUDGED = f"{GRAPH}curated-elsewhere"
FORM, QUERY, UPDATE = (
    "application/x-www-form-urlencoded",
    "application/sparql-query",
    "application/sparql-update",
)
WRITABLE = pytest.mark.parametrize("target", ["scratch", "writable"], indirect=True)
ONLY_SCRATCH = pytest.mark.parametrize("target", ["scratch"], indirect=True)
OF_RELEASES = pytest.mark.parametrize("target", ["release", "writable"], indirect=True)


@pytest.fixture(scope="module", params=["release", "scratch", "writable"])
def target(
    request: pytest.FixtureRequest, release_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    limits = {"KG_QUERY_TIME_LIMIT_MS": "3000", "KG_CLIENT_TIME_LIMIT_MS": str(int(CLIENT_LIMIT_S * 1000))}
    with open_target(request.param, release_folder, tmp_path_factory.mktemp("attacked"), **limits) as found:
        yield found


@pytest.fixture(autouse=True)
def _others_are_answered_and_nothing_changes(target: Target) -> Iterator[None]:
    before = target.state()
    yield
    assert target.state() == before
    target.bystander.assert_answered()


# Bodies


def _memory_mb(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("the process has ended")


@pytest.mark.parametrize("media_type", [FORM, QUERY, UPDATE, "text/turtle", "application/ld+json"])
def test_a_body_of_100_megabytes_is_refused_and_not_kept(target: Target, media_type: str) -> None:
    path = "/sparql" if media_type in {FORM, QUERY, UPDATE} else f"/graphs?{urlencode({'graph': JUDGED})}"
    before, most = _memory_mb(target.service.process.pid), 0
    for known_length in (True, False):
        length = f"Content-Length: {100 * MEGABYTE}" if known_length else "Transfer-Encoding: chunked"
        piece = b" " * MEGABYTE if known_length else f"{MEGABYTE:x}\r\n".encode() + b" " * MEGABYTE + b"\r\n"
        with target.service.connected() as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\n{length}\r\n"
            connection.sendall(f"{head}Authorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n".encode())
            with contextlib.suppress(OSError):
                for _ in range(100):
                    connection.sendall(piece)
                    most = max(most, _memory_mb(target.service.process.pid))
            assert status_of(everything(connection)) in {403, 413, 415}, known_length
    assert most - before < 300, "no more is kept than may be sent"


@pytest.mark.parametrize(
    ("header", "status", "words"),
    [
        (f"Content-Length: {100 * MEGABYTE}", 413, b"KG_MAX_QUERY_BYTES"),
        ("Content-Encoding: gzip\r\nContent-Length: 6", 415, b"send the body as it is"),
    ],
)
def test_what_the_headers_rule_out_is_refused_before_the_body_has_come(
    target: Target, header: str, status: int, words: bytes
) -> None:
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: {QUERY}\r\nConnection: close\r\n{header}\r\n\r\n"
    answer = target.service.raw(head.encode())
    assert status_of(answer) == status
    assert words in answer


@pytest.mark.parametrize("header", ["X: y", "Content-Encoding: gzip"])
def test_who_is_still_sending_what_is_refused_sees_the_refusal(target: Target, header: str) -> None:
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: {QUERY}\r\nConnection: close\r\n{header}\r\n"
    body, answer = b" " * (MEGABYTE + 1), b""
    with target.service.connected() as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        # A reset, as of a connection that is closed before all is read, would be an error here.
        while part := connection.recv(65536):
            answer += part
    assert status_of(answer) == (413 if header == "X: y" else 415)


def test_who_waits_for_leave_to_send_what_is_refused_is_told_at_once(target: Target) -> None:
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: {QUERY}\r\nConnection: close\r\n"
    answer = target.service.raw(f"{head}Expect: 100-continue\r\nContent-Length: {100 * MEGABYTE}\r\n\r\n".encode())
    assert status_of(answer) == 413


@pytest.mark.parametrize("text", [":a.", "%7B", "&a=b", "#\n", "{", "'"])
def test_a_body_that_is_slow_to_read_holds_up_nobody(target: Target, text: str) -> None:
    body = f"query=ASK%20%7B%7D%20{text * (3 * MEGABYTE // len(text))}"
    for _ in range(3):
        answer = target.client.post("/sparql", content=body, headers={"Content-Type": FORM})
        assert answer.status_code in {400, 403, 413}


def test_slow_clients_hold_up_nobody_and_are_let_go(target: Target) -> None:
    beginnings = [
        b"GET /sparql?query=AS",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 99\r\n\r\nA",
        b"PUT /graphs?default HTTP/1.1\r\nHost: x\r\nContent-Type: text/turtle\r\n"
        b"Authorization: Bearer " + TOKEN.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<a:a>\r\n",
    ]
    held = [target.service.connected() for _ in range(120)]
    for number, connection in enumerate(held):
        connection.sendall(beginnings[number % len(beginnings)])
    target.bystander.assert_answered()
    for number, connection in enumerate(held):
        with connection:
            # A derived graph is not written, which need not wait for the body.
            assert status_of(everything(connection)) in {408, 403, 409}, beginnings[number % len(beginnings)]


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"y" * 4 * MEGABYTE,
        b"\r\n".join(b"X-%d: y" % n for n in range(200_000)),
        b"Accept: " + b"a/b;q=0.1," * 6000,
        b"Accept: " + b";" * 60_000,
        b"Cookie: " + b"a=b;" * 500_000,
        b"Authorization: Bearer " + b"x" * 60_000,
        b"If-None-Match: " + b'"x",' * 15_000,
        b"Content-Length: 99999999999999999999999999",
        b"Content-Length: -1",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked, chunked",
        b"Range: bytes=" + b"0-1," * 15_000,
        b"Expect: 100-continue",
        b"X\x00Y: z",
        b"X: \x00\x01\xff",
    ],
    ids=lambda head: head[:24].decode("latin-1"),
)
def test_a_hostile_head_is_answered_or_refused(target: Target, head: bytes) -> None:
    for line in (b"GET /sparql?query=ASK%7B%7D HTTP/1.1", b"POST /sparql HTTP/1.1\r\nContent-Type: text/plain"):
        answer = target.service.raw(line + b"\r\nHost: x\r\nConnection: close\r\n" + head + b"\r\n\r\n")
        assert status_of(answer) in {0, 200, 400, 401, 406, 408, 413, 415, 431}, answer[:300]


# Bytes that are no text

BYTES = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\x00", b"\x07", b"\x1b[2J"]


@pytest.mark.parametrize("odd", BYTES, ids=repr)
def test_bytes_that_are_no_text_are_refused_or_kept_as_they_are(target: Target, odd: bytes) -> None:
    query = b"ASK { VALUES ?x { '" + odd + b"' } }"
    is_text = odd in {b"\x00", b"\x07", b"\x1b[2J"}
    allowed = {200, 400} if is_text else {400}
    encoded = quote(query)
    answers = [
        target.client.get(f"/sparql?query={encoded}"),
        target.client.post("/sparql", content=f"query={encoded}", headers={"Content-Type": FORM}),
        target.client.post("/sparql", content=query, headers={"Content-Type": QUERY}),
    ]
    assert {answer.status_code for answer in answers} <= allowed, [answer.text[:99] for answer in answers]
    for path in (
        "/page?iri=",
        "/api/search?q=",
        "/api/describe?entity=",
        "/graphs?graph=urn:",
        "/id/place/",
        "/graphs/",
    ):
        assert target.client.get(f"{path}{quote(odd)}").status_code in {200, 303, 307, 400, 404}, path


@pytest.mark.parametrize("odd", BYTES, ids=repr)
@WRITABLE
def test_an_upload_of_bytes_that_are_no_text_is_refused_whole(target: Target, odd: bytes) -> None:
    for media_type, content in few_of(target, HALF_GOOD).items():
        broken = content.replace(b"BROKEN", odd)
        answer = sent(target, "PUT", media_type, broken)
        # A control character may stand in a string of most formats; here it stands where none is.
        assert answer == 400, (media_type, answer)
    if target.mode == "scratch":
        update = b"INSERT DATA { <a:a> <a:b> 'x' } ; INSERT DATA { <a:a> <a:b> " + odd + b" }"
        assert (
            target.client.post("/sparql", content=update, headers={**AUTHORISED, "Content-Type": UPDATE}).status_code
            == 400
        )


# Uploads

SUBJECT, PREDICATE = b"<http://good.example/s>", b"<http://good.example/p>"
HALF_GOOD: Mapping[str, bytes] = {
    "text/turtle": SUBJECT + b" " + PREDICATE + b' "good" .\n' + SUBJECT + b" BROKEN .\n",
    "application/n-triples": SUBJECT + b" " + PREDICATE + b' "good" .\n' + SUBJECT + b" BROKEN .\n",
    "application/n-quads": SUBJECT + b" " + PREDICATE + b' "good" .\n' + SUBJECT + b" BROKEN .\n",
    "application/trig": SUBJECT + b" " + PREDICATE + b' "good" .\n{ ' + SUBJECT + b" BROKEN }\n",
    "application/ld+json": b'[{"@id": "http://good.example/s", "http://good.example/p": "good"}, BROKEN]',
    "application/rdf+xml": (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://good.example/">'
        b'<rdf:Description rdf:about="http://good.example/s"><x:p>good</x:p></rdf:Description><BROKEN></rdf:RDF>'
    ),
}


def few_of(target: Target, uploads: Mapping[str, T]) -> Mapping[str, T]:
    """Returns all of some uploads to a dataset, the first to a workspace, where a process of its own tries each."""
    return uploads if target.mode == "scratch" else dict(list(uploads.items())[:1])


def sent(target: Target, method: str, media_type: str, content: bytes, graph: str = JUDGED) -> int:
    """Returns the status with which an upload by who may write is answered."""
    headers = {**AUTHORISED, "Content-Type": media_type}
    path = addressed("/graphs", graph=graph)
    return target.client.request(method, path, content=content, headers=headers).status_code


@WRITABLE
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_upload_that_is_half_good_leaves_nothing(target: Target, method: str) -> None:
    for media_type, content in few_of(target, HALF_GOOD).items():
        for graph in (JUDGED, f"{GRAPH}source-new"):
            assert sent(target, method, media_type, content, graph) == 400, media_type
    part = 'Content-Disposition: form-data; name="a"; filename="a.ttl"\r\nContent-Type: text/turtle\r\n\r\n<a:a> '
    for parts in (("<a:b> 1 .", "BROKEN", "--x--"), ("<a:b> 1 .", "<a:b> 2 .", "--y--"), ("<a:b> 1 .", "<a:b> 2", "")):
        body = f"--x\r\n{part}{parts[0]}\r\n--x\r\n{part}{parts[1]}\r\n{parts[2]}\r\n".encode()
        assert sent(target, method, "multipart/form-data; boundary=x", body) == 400, parts


@WRITABLE
def test_an_upload_that_breaks_off_leaves_nothing(target: Target) -> None:
    content = HALF_GOOD["text/turtle"].partition(b"\n")[0]
    head = f"PUT {addressed('/graphs', graph=JUDGED)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    for length in (b"Content-Length: 9999", b"Transfer-Encoding: chunked"):
        with target.service.connected() as connection:
            body = content if length.startswith(b"Content") else b"%x\r\n%s\r\n" % (len(content), content)
            connection.sendall(head.encode() + b"Content-Type: text/turtle\r\n" + length + b"\r\n\r\n" + body)
            time.sleep(0.2)
    time.sleep(0.3)


BOMBS: Mapping[str, tuple[str, bytes]] = {
    "JSON-LD 20,000 deep": ("application/ld+json", b'{"urn:p":' * 20_000 + b"1" + b"}" * 20_000),
    "JSON-LD 20,000 lists deep": ("application/ld+json", b"[" * 20_000 + b"]" * 20_000),
    "JSON-LD 20,000 deep in a context": ("application/ld+json", b'{"@context":' * 20_000 + b"{}" + b"}" * 20_000),
    "Turtle 20,000 deep": ("text/turtle", b"<a:a> <a:b> " + b"[<a:b> " * 20_000 + b"]" * 20_000 + b" ."),
    "Turtle 20,000 lists deep": ("text/turtle", b"<a:a> <a:b> " + b"(" * 20_000 + b")" * 20_000 + b" ."),
    "Turtle 20,000 triples deep": ("text/turtle", b"<<" * 20_000 + b"<a:a> <a:b> <a:c>" + b">>" * 20_000),
    "N-Triples 20,000 triples deep": (
        "application/n-triples",
        b"<a:a> <a:b> " + b"<<( <a:a> <a:b> " * 20_000 + b"<a:c>" + b" )>>" * 20_000 + b" .",
    ),
    "TriG 20,000 deep": ("application/trig", b"{" * 20_000 + b"}" * 20_000),
    "XML 20,000 deep": ("application/rdf+xml", b"<a>" * 20_000 + b"</a>" * 20_000),
    "a billion laughs": (
        "application/rdf+xml",
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "' + b"ha" * 50 + b'">'
        b'<!ENTITY b "' + b"&a;" * 50 + b'"><!ENTITY c "' + b"&b;" * 50 + b'"><!ENTITY d "' + b"&c;" * 50 + b'">]>'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x.example/">'
        b'<rdf:Description rdf:about="urn:a"><x:p>&d;</x:p></rdf:Description></rdf:RDF>',
    ),
    "an entity of a file": (
        "application/rdf+xml",
        b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x.example/">'
        b'<rdf:Description rdf:about="urn:a"><x:p>&a;</x:p></rdf:Description></rdf:RDF>',
    ),
    "a document type in UTF-16": ("application/rdf+xml", '<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>'.encode("utf-16")),
    "a document type in an odd case": ("application/rdf+xml", b'<! doctype r [<! entity a "b">]><r>&a;</r>'),
    "an entity that nobody declared": (
        "application/rdf+xml",
        HALF_GOOD["application/rdf+xml"].replace(b"<BROKEN>", b"&a;"),
    ),
    "no bytes of any kind": ("application/ld+json", b"\x1f\x8b\x08\x00" + b"\x00" * 1000),
}


@WRITABLE
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_leaves_nothing(target: Target, name: str) -> None:
    media_type, content = BOMBS[name]
    for method in ("PUT", "POST"):
        assert sent(target, method, media_type, content) in {400, 413, 422, 502}, name


@WRITABLE
def test_no_context_of_json_ld_is_fetched(target: Target) -> None:
    with recorder() as there:
        remote = f'"{there.address}/context.jsonld"'
        contexts = {
            "its address": remote,
            "among others": f"[{{}}, {remote}]",
            "imported": f'{{"@import": {remote}}}',
            "of a term": f'{{"x": {{"@id": "a:x", "@context": {remote}}}}}',
        }
        for context in few_of(target, contexts).values():
            content = f'{{"@context": {context}, "@id": "a:a", "x": {{"y": 1}}, "a:b": 1}}'
            assert sent(target, "PUT", "application/ld+json", content.encode()) in {400, 422}, context
        inner = f'{{"@context": {{}}, "@id": "a:a", "a:b": {{"@context": {remote}, "x": 1}}}}'
        assert sent(target, "PUT", "application/ld+json", inner.encode()) in {400, 422}
        assert there.contacts == []


# Values that try to be more

ESCAPES = [
    "theme:finance> } #",
    "theme:finance } } INSERT DATA { <a:a> <a:b> <a:c> } #",
    f"{BASE}theme/finance> }} SERVICE <http://127.0.0.1:9/> {{ ?a ?b ?c }} #",
    f"<{BASE}theme/finance> <{BASE}theme/workforce>",
    "Finance' ; DROP ALL ; '",
    'Finance"""} #',
    "Finance\\u003E } #",
    "Finance\n} #",
    "?theme",
    "UNDEF",
    "{{7*7}} ${7*7} %s {0}",
    "' OR 1=1 --",
    '" OR "" NEAR("a" "b") *',
]


@OF_RELEASES
@pytest.mark.parametrize("value", ESCAPES)
def test_a_value_stays_in_its_block(target: Target, value: str) -> None:
    for path, parameter in (
        ("/api/queries/barriers-blocking-theme", "theme"),
        ("/api/queries/items-of-year", "year"),
        ("/api/describe", "entity"),
        ("/api/neighbours", "entity"),
        ("/api/evidence", "item"),
        ("/api/connections", "from"),
    ):
        more = {"to": "theme:finance"} if parameter == "from" else {}
        answer = target.client.get(path, params={parameter: value, **more})
        assert answer.status_code in {400, 404}, (path, answer.status_code, answer.text[:200])
    found = target.client.get("/api/search", params={"q": value})
    assert found.status_code == 200


@OF_RELEASES
def test_long_values_hold_up_nobody(target: Target) -> None:
    words = " ".join(f"word{n}" for n in range(6000))
    for long in ("a" * 60_000, words[:60_000], "(" * 60_000, "é" * 10_000, "a-" * 30_000, '"' * 20_000):
        for path in ("/api/search?q=", "/api/describe?entity=", "/api/search?q=a&type=", "/?q=", "/api/evidence?item="):
            answer = target.client.get(f"{path}{quote(long)[:60_000]}")
            assert answer.status_code in {200, 400, 404, 431}, (path, long[:9], answer.status_code)


# Script in labels

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs if name.startswith("on"))}


def test_script_that_is_asked_for_is_shown_as_text(target: Target) -> None:
    shown = quote(SCRIPT)
    for path in (
        f"/?q={shown}",
        f"/id/{shown}",
        f"/page?iri=urn:{shown}",
        f"/sparql?query={shown}",
        f"/api/search?q={shown}",
    ):
        for accept in ("text/html", "*/*"):
            answer = target.client.get(path, headers={"Accept": accept})
            assert answer.headers["x-content-type-options"] == "nosniff"
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert not {"img", "onerror"} & _Tags(answer.text).found, path
                assert "<script>alert" not in answer.text


# Writes by who may not


def _credentials() -> Iterator[tuple[str, dict[str, str], str]]:
    """Yields headers, and what goes into the address, that are no token; each with a name."""
    yield "none", {}, ""
    for name, value in {
        "wrong": "Bearer wrong",
        "only the scheme": "Bearer",
        "a name": "Bearer ada",
        "name and token": f"Bearer ada {TOKEN}",
        "beginning": f"Bearer {TOKEN[:-1]}",
        "longer": f"Bearer {TOKEN}x",
        "other case": f"Bearer {TOKEN.upper()}",
        "basic": "Basic YWRhOnplYnJhLWNyb3NzaW5n",
        "no scheme": TOKEN,
        "two": f"Bearer wrong, Bearer {TOKEN}",
    }.items():
        yield name, {"Authorization": value}, ""
    yield "cookie", {"Cookie": f"token={TOKEN}; Authorization=Bearer {TOKEN}"}, ""
    yield "other headers", {"X-Authorization": f"Bearer {TOKEN}", "Proxy-Authorization": f"Bearer {TOKEN}"}, ""
    yield "in the address", {}, urlencode({"token": TOKEN, "access_token": TOKEN, "Authorization": f"Bearer {TOKEN}"})


@pytest.mark.parametrize(
    ("_name", "headers", "more"), list(_credentials()), ids=[name for name, _, _ in _credentials()]
)
def test_nothing_is_written_without_a_token(target: Target, _name: str, headers: dict[str, str], more: str) -> None:
    triple = "<http://x.example/s> <http://x.example/p> 1"
    turtle = {**headers, "Content-Type": "text/turtle"}
    graphs = (
        f"?{urlencode({'graph': JUDGED})}",
        "?default",
        "/curated-elsewhere",
        f"?{urlencode({'graph': 'urn:new'})}",
        "?",
    )
    statuses = set()
    for place in graphs:
        path = f"/graphs{place}" + (f"{'&' if '?' in place else '?'}{more}" if more else "")
        for method in ("PUT", "POST", "DELETE", "PATCH"):
            if (place, method) in {("?", "PUT"), ("?", "DELETE")}:
                continue
            statuses.add(target.client.request(method, path, content=f"{triple} .", headers=turtle).status_code)
        overridden = {**turtle, "X-HTTP-Method-Override": "PUT", "X-HTTP-Method": "PUT"}
        target.client.get(path, headers=overridden)
    update = f"INSERT DATA {{ {triple} }}"
    asked = f"/sparql{'?' + more if more else ''}"
    for media_type, body in ((FORM, urlencode({"update": update})), (UPDATE, update)):
        sent_as = {**headers, "Content-Type": media_type}
        statuses.add(target.client.post(asked, content=body, headers=sent_as).status_code)
    assert statuses <= {401, 403, 405}, statuses


@pytest.mark.parametrize("authorised", [True, False])
def test_an_update_is_never_taken_for_a_query_or_from_an_address(target: Target, authorised: bool) -> None:
    headers = AUTHORISED if authorised else {}
    update = "INSERT DATA { <http://x.example/s> <http://x.example/p> 1 }"
    hidden = (
        update,
        f"# SELECT\n{update}",
        f"PREFIX select: <a:> {update}",
        f"ASK {{}} ; {update}",
        f"BASE <a:> {update}",
    )
    for text in hidden:
        for _, answer in target.asked_in_every_way(text):
            assert answer.status_code in {400, 403}
        answers = [
            target.client.get("/sparql", params={"update": text}, headers=headers),
            target.client.get("/sparql", params={"query": "ASK {}", "update": text}, headers=headers),
            target.client.post(addressed("/sparql", update=text), data={"query": "ASK {}"}, headers=headers),
            target.client.post(
                addressed("/sparql", update=text), content="ASK {}", headers={**headers, "Content-Type": QUERY}
            ),
            target.client.post("/sparql", data={"query": "ASK {}", "update": text}, headers=headers),
            target.client.post("/sparql", data={"update": [text, text]}, headers=headers),
            target.client.post("/sparql", content=text, headers={**headers, "Content-Type": QUERY}),
            target.client.post("/sparql", json={"update": text}, headers=headers),
            target.client.post("/sparql", files={"update": text.encode()}, headers=headers),
            target.client.put(addressed("/sparql", update=text), headers=headers),
        ]
        assert {answer.status_code for answer in answers} <= {400, 401, 403, 405, 415}, [a.status_code for a in answers]


@OF_RELEASES
def test_what_is_derived_and_what_is_not_ours_is_not_written_by_who_may_write(target: Target) -> None:
    answer = json.loads(target.client.get("/api/release").text)
    for graph in (
        f"{GRAPH}inferred",
        f"{GRAPH}merged",
        f"{GRAPH}policy-evidence",
        BARRIER,
        f"{GRAPH}../../etc",
        "urn:x",
    ):
        for method in ("PUT", "POST", "DELETE"):
            assert sent(target, method, "text/turtle", b"<a:a> <a:b> 1 .", graph) in {403, 409}
    assert json.loads(target.client.get("/api/release").text) == answer
