"""What operators rely on: probes, metrics, logs, limits, headers, and an orderly end."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest
import zstandard
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from conftest import application
from kg.engines.pool import Pool
from kg.errors import BadParameter, SourceError
from kg.release.opened import Release
from kg.web.access import Tokens
from kg.web.app import create_scratch_app
from kg.web.limits import client_of
from kg.web.logs import JsonLines, request_id
from kg.web.metrics import Metrics
from kg.web.middleware import read_origins
from kg.web.scratch import ScratchServing
from kg.web.server import read_proxies
from kg.workspace import Settings
from services import children_of, wait_until

SECRET = "zebra-crossing"
SELECT = "SELECT ?s WHERE { ?s ?p ?o } LIMIT 200"


@contextmanager
def client_with(release: Release, settings: Settings, **changed: object) -> Iterator[TestClient]:
    """Yields a client of an application with these settings changed."""
    with TestClient(application(release, replace(settings, **changed))) as found:  # type: ignore[arg-type]  # by name
        yield found


@pytest.fixture(scope="module")
def client(release: Release, settings: Settings) -> Iterator[TestClient]:
    with client_with(release, settings) as found:
        yield found


@pytest.fixture
def scratch(tmp_path: Path, settings: Settings) -> Iterator[TestClient]:
    with TestClient(
        create_scratch_app(ScratchServing(tmp_path / "scratch", settings, Tokens({"me": SECRET})))
    ) as found:
        yield found


@contextmanager
def started(release_folder: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yields a `kg serve` with these environment variables, and its address."""
    command = [sys.executable, "-m", "kg", "serve", "--port", "0", "--release", str(release_folder)]
    with subprocess.Popen(
        ["env", *(f"{name}={value}" for name, value in variables.items()), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            match = re.fullmatch(r"Serving on (http://\S+)/\n", process.stdout.readline())
            assert match
            yield process, match[1]
        finally:
            process.kill()


@pytest.fixture(scope="module")
def strict(release_folder: Path) -> Iterator[str]:
    """The address of a service with little patience, behind a proxy on this machine."""
    limits = {
        "KG_CLIENT_TIME_LIMIT_MS": "700",
        "KG_MAX_HEADER_BYTES": "2000",
        "KG_TRUST_PROXY": "127.0.0.1",
        "KG_RATE_LIMIT": "40/hour",
        "KG_LOG_LEVEL": "error",
    }
    with started(release_folder, **limits) as (_, address):
        yield address


def connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    assert parts.hostname is not None
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=20)


def everything(connection: socket.socket) -> bytes:
    """Returns what comes until the other side ends the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def problem_of(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    found = json.loads(body)
    assert isinstance(found, dict)
    return found


def numbers(client: TestClient) -> dict[tuple[str, ...], float]:
    """Returns every sample of the metrics by its name and the values of its labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


# Probes


def test_the_process_says_that_it_lives_and_that_it_is_ready(client: TestClient) -> None:
    assert (client.get("/healthz").text, client.get("/readyz").text) == ("ok\n", "ready\n")


def test_a_release_whose_workers_are_gone_is_not_ready_but_alive(release: Release, settings: Settings) -> None:
    with client_with(release, settings) as found:
        house: Pool = found.app.state.serving.current.house  # type: ignore[attr-defined]  # the application's own state
        assert found.portal is not None
        # On the loop that it runs on, so that nothing comes in between.
        found.portal.call(house.close)
        response = found.get("/readyz")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["retry-after"]
        assert found.get("/healthz").status_code == 200


@pytest.mark.parametrize("condition", [{"If-Match": '"x"'}, {"If-None-Match": "*"}])
def test_a_write_on_a_condition_that_a_scratch_dataset_cannot_look_at_is_not_made(
    scratch: TestClient, condition: dict[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "text/turtle"}
    refused = scratch.put("/graphs/noted", content="<s> <p> <o> .", headers=headers | condition)
    assert refused.status_code == 412
    assert "write without it" in refused.json()["detail"]
    assert scratch.get("/graphs/noted").status_code == 404
    assert scratch.put("/graphs/noted", content="<s> <p> <o> .", headers=headers).status_code == 201
    assert scratch.get("/graphs/noted").headers["cache-control"] == "no-store"


def test_who_sends_a_context_at_an_address_is_told_to_send_the_context(scratch: TestClient) -> None:
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/ld+json"}
    content = '{"@context": "http://127.0.0.1:9/context.jsonld", "@id": "a:a", "a:b": 1}'
    refused = scratch.put("/graphs/noted", content=content, headers=headers)
    assert refused.status_code == 400
    assert "write the context itself" in refused.json()["detail"]


def test_a_second_service_on_a_scratch_dataset_does_not_start_and_leaves_the_first_whole(
    scratch: TestClient, tmp_path: Path, settings: Settings
) -> None:
    folder = tmp_path / "scratch"
    before = sorted(folder.rglob("*"))
    second = create_scratch_app(ScratchServing(folder, settings, Tokens({})))
    with pytest.raises(SourceError, match="another service has it"), TestClient(second):
        pass
    assert sorted(folder.rglob("*")) == before
    assert scratch.get("/readyz").text == "ready\n"


def test_a_scratch_dataset_is_ready_however_large_it_is(tmp_path: Path, settings: Settings) -> None:
    few = replace(settings, max_answer_rows=5)
    with TestClient(create_scratch_app(ScratchServing(tmp_path / "scratch", few, Tokens({"me": SECRET})))) as found:
        triples = "".join(f"<urn:s{number}> <urn:p> {number} ." for number in range(50))
        authorised = {"Authorization": f"Bearer {SECRET}", "Content-Type": "text/turtle"}
        assert found.put("/graphs?default", content=triples, headers=authorised).is_success
        assert found.get("/readyz").text == "ready\n"


# Methods


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", "GET, HEAD, OPTIONS"),
        ("/sparql", "GET, HEAD, OPTIONS, POST"),
        ("/sparql?query=ASK%7B%7D", "GET, HEAD, OPTIONS, POST"),
        ("/graphs", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
        ("/graphs/any/name", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
        ("/api/queries/recurring-themes", "GET, HEAD, OPTIONS"),
        ("/id/barrier/x", "GET, HEAD, OPTIONS"),
        ("/static/pages.css", "GET, HEAD, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_names_the_methods_of_a_path(client: TestClient, path: str, methods: str) -> None:
    response = client.options(path)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == methods


def test_options_of_every_documented_path_names_its_documented_methods(client: TestClient) -> None:
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        allowed = set(client.options(re.sub(r"\{\w+\}", "x", path)).headers["allow"].split(", "))
        assert {name.upper() for name in operations} <= allowed, path


def test_options_of_no_path_is_404(client: TestClient) -> None:
    assert client.options("/nonesuch").status_code == 404


# CORS


def test_no_other_origin_may_ask_unless_it_is_listed(client: TestClient) -> None:
    response = client.get("/healthz", headers={"Origin": "https://a.example"})
    assert not any(name.startswith("access-control") for name in response.headers)


def test_a_listed_origin_may_ask_and_another_may_not(release: Release, settings: Settings) -> None:
    with client_with(release, settings, cors_origins="https://a.example, https://b.example") as found:
        for origin in ("https://a.example", "https://b.example"):
            response = found.get("/sparql?query=ASK{}", headers={"Origin": origin})
            assert response.headers["access-control-allow-origin"] == origin
            assert "ETag" in response.headers["access-control-expose-headers"]
            assert "access-control-allow-credentials" not in response.headers
            assert "Origin" in response.headers["vary"]
        refused = found.get("/sparql?query=ASK{}", headers={"Origin": "https://c.example"})
        assert "access-control-allow-origin" not in refused.headers


def test_errors_too_may_be_read_by_a_listed_origin(release: Release, settings: Settings) -> None:
    with client_with(release, settings, cors_origins="*", rate_limit="1/hour") as found:
        statuses = []
        for _ in range(2):
            response = found.get("/sparql?query=SELEC", headers={"Origin": "https://a.example"})
            statuses.append(response.status_code)
            assert response.headers["access-control-allow-origin"] == "*"
        assert statuses == [400, 429]


def test_a_preflight_is_answered_with_204_and_what_may_be_sent(release: Release, settings: Settings) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization, content-type"}
    with client_with(release, settings, cors_origins="https://a.example") as found:
        response = found.options("/graphs", headers={**asked, "Origin": "https://a.example"})
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers["access-control-allow-origin"] == "https://a.example"
        assert "PUT" in response.headers["access-control-allow-methods"]
        assert "Authorization" in response.headers["access-control-allow-headers"]
        refused = found.options("/graphs", headers={**asked, "Origin": "https://c.example"})
        assert refused.status_code == 403
        assert "KG_CORS_ORIGINS" in refused.json()["detail"]
        assert "access-control-allow-origin" not in refused.headers
        assert found.options("/graphs").headers["allow"]


@pytest.mark.parametrize("text", ["a.example", "https://a.example/", "https://a.example/path", "null", "https://*.a\n"])
def test_what_is_no_origin_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadParameter, match="KG_CORS_ORIGINS"):
        read_origins(text)


# Compression


@pytest.mark.parametrize(
    "media_type", ["application/sparql-results+json", "application/sparql-results+xml", "text/csv"]
)
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_results_are_compressed_as_the_client_likes(service: str, media_type: str, coding: str) -> None:
    address = f"{service}/sparql?{urlencode({'query': SELECT})}"

    def answer(accepted: str) -> tuple[str | None, bytes]:
        with urlopen(Request(address, headers={"Accept": media_type, "Accept-Encoding": accepted})) as response:
            return response.headers["Content-Encoding"], response.read()

    (none, plain), (named, packed) = answer("identity"), answer(coding)
    assert (none, named) == (None, coding)
    assert len(packed) < len(plain) / 2
    if coding == "zstd":
        assert zstandard.ZstdDecompressor().decompressobj().decompress(packed) == plain


@pytest.mark.parametrize("media_type", ["text/turtle", "application/n-triples", "application/ld+json"])
def test_graphs_are_compressed(client: TestClient, media_type: str) -> None:
    response = client.get("/graphs?default", headers={"Accept": media_type, "Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert {"Accept", "Accept-Encoding"} <= {name.strip() for name in response.headers["vary"].split(",")}


# Headers


@pytest.mark.parametrize(
    "path", ["/", "/sparql", "/docs", "/ns", "/healthz", "/nonesuch", "/sparql?query=SELEC", "/static/pages.css"]
)
def test_every_answer_forbids_script_and_style_that_stands_in_a_page(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"Accept": "text/html, */*"}).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["script-src"] == policy["style-src"] == policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


class _Inline(HTMLParser):
    """Gathers what a strict policy would stop: script or style that stands in the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]
        self.found += [value for value in names.values() if value and value.lower().startswith("javascript:")]


@pytest.mark.parametrize(
    "path", ["/", "/?q=money", "/sparql", "/docs", "/ns", "/page/theme/finance", "/page/id/place/nonesuch"]
)
def test_no_page_needs_script_or_style_that_stands_in_it(client: TestClient, path: str) -> None:
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    inline = _Inline()
    inline.feed(page.text)
    assert inline.found == []


def test_the_page_of_the_interface_shows_this_interface(client: TestClient, scratch: TestClient) -> None:
    for found in (client, scratch):
        assert "/static/docs.js" in found.get("/docs").text
        assert "/openapi.json" in found.get("/static/docs.js").text
        assert found.get("/static-docs/swagger-ui-bundle.js").status_code == 200
        assert found.get("/static/pages.css").status_code == 200


def test_a_fault_of_our_own_has_the_headers_too(release: Release, settings: Settings) -> None:
    app = application(release, settings)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("inside")

    with TestClient(app, raise_server_exceptions=False) as found:
        response = found.get("/broken")
        assert response.status_code == 500
        assert response.headers["x-request-id"]
        assert response.headers["content-security-policy"]
        assert numbers(found)["kg_http_requests_total", "GET", "/broken", "500"] == 1


def test_the_server_does_not_say_what_it_is_made_of(service: str) -> None:
    with urlopen(f"{service}/healthz") as response:
        assert response.headers["server"] is None


# Request ids


def test_each_request_has_an_id_of_its_own(client: TestClient) -> None:
    found = {client.get("/healthz", headers={"X-Request-Id": "mine"}).headers["x-request-id"] for _ in range(5)}
    assert len(found) == 5
    assert "mine" not in found


def test_behind_a_trusted_proxy_the_id_that_is_sent_is_kept_if_it_is_plain(
    release: Release, settings: Settings
) -> None:
    with client_with(release, settings, trust_proxy="127.0.0.1") as found:
        assert found.get("/healthz", headers={"X-Request-Id": "abc-1.2"}).headers["x-request-id"] == "abc-1.2"
        for odd in ("a" * 65, "a b", 'a"b'):
            assert found.get("/healthz", headers={"X-Request-Id": odd}).headers["x-request-id"] != odd


# Logs


def test_a_line_of_the_log_is_json_with_time_level_logger_message_and_request() -> None:
    record = logging.LogRecord("kg.part", logging.WARNING, "f.py", 1, "%s\nis “odd”", ("this",), None)
    mark = request_id.set("r1")
    try:
        line = JsonLines().format(record)
    finally:
        request_id.reset(mark)
    assert "\n" not in line
    found = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.pop("time"))
    assert found == {"level": "warning", "logger": "kg.part", "message": "this\nis “odd”", "request_id": "r1"}


def test_the_access_log_tells_what_was_answered_and_never_what_was_asked(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    query = f'SELECT * {{ ?s ?p "{SECRET}" }}'
    with caplog.at_level(logging.INFO):
        asked = client.get("/sparql", params={"query": query}, headers={"Authorization": f"Bearer {SECRET}"})
        client.post("/sparql", content=query, headers={"Content-Type": "application/sparql-query"})
        client.post("/sparql", data={"query": query + " broken"})
        client.get("/api/search", params={"q": SECRET})
        client.get("/nonesuch", params={"q": SECRET})
    lines = [JsonLines().format(record) for record in caplog.records if record.name == "kg.access"]
    assert SECRET not in "".join(JsonLines().format(record) for record in caplog.records if record.name[:2] == "kg")
    assert [json.loads(line)["status"] for line in lines] == [200, 200, 400, 200, 404]
    first = json.loads(lines[0])
    assert (first["method"], first["path"], first["client"]) == ("GET", "/sparql", "testclient")
    assert first["bytes"] == len(asked.content)
    assert first["ms"] >= 0


def test_at_debug_the_address_is_logged_whole_and_tokens_are_not(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client.get("/api/search?q=leadership", headers={"Authorization": f"Bearer {SECRET}"})
    lines = [JsonLines().format(record) for record in caplog.records if record.name == "kg.access"]
    assert json.loads(lines[0])["query"] == "q=leadership"
    assert SECRET not in "".join(lines)


def test_a_probe_is_worth_a_line_only_when_it_fails(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for path in ("/healthz", "/readyz", "/metrics"):
            client.get(path)
    assert not [record for record in caplog.records if record.name == "kg.access"]


def test_a_service_logs_its_start_its_requests_and_its_end_as_json_lines(release_folder: Path) -> None:
    with started(release_folder) as (process, address):
        with urlopen(f"{address}/sparql?{urlencode({'query': f'ASK {{ ?s ?p <urn:{SECRET}> }}'})}"):
            pass
        with connected(address) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            assert everything(connection)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    lines = [json.loads(line) for line in log.splitlines()]
    assert SECRET not in log
    messages = [line["message"] for line in lines]
    for beginning in ("open, version", "started", "GET /sparql 200", "Invalid HTTP", "stopping", "stopped", "closed"):
        assert any(message.startswith(beginning) for message in messages), beginning
    assert all({"time", "level", "logger"} <= set(line) for line in lines)


_REQUEST = """
import logging, sys
import httpx2
from kg.web.logs import start_log
start_log(sys.argv[1])
httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200))).get("http://127.0.0.1/")
logging.getLogger("kg").info("ours")
logging.getLogger("httpx2").warning("a complaint")
"""


@pytest.mark.parametrize(("level", "told"), [("info", ["ours", "a complaint"]), ("warning", ["a complaint"])])
def test_requests_to_an_engine_are_no_lines_of_the_log(level: str, told: list[str]) -> None:
    assert _logged(level) == told


def test_at_debug_requests_to_an_engine_are_logged() -> None:
    assert any("http://127.0.0.1/" in message for message in _logged("debug"))


def _logged(level: str) -> list[str]:
    ran = subprocess.run([sys.executable, "-c", _REQUEST, level], capture_output=True, text=True, check=True)
    return [json.loads(line)["message"] for line in ran.stderr.splitlines()]


def test_the_log_can_be_turned_down(release_folder: Path) -> None:
    with started(release_folder, KG_LOG_LEVEL="warning") as (process, address):
        with urlopen(f"{address}/sparql?query=ASK%7B%7D"):
            pass
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20)[1] == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KG_LOG_LEVEL", "loud"),
        ("KG_RATE_LIMIT", "often"),
        ("KG_RATE_LIMIT", "0/minute"),
        ("KG_CORS_ORIGINS", "example.org"),
        ("KG_TRUST_PROXY", "my-proxy"),
    ],
)
def test_a_setting_that_does_not_fit_is_one_line_before_anything_is_served(
    release_folder: Path, variable: str, value: str
) -> None:
    command = [sys.executable, "-m", "kg", "serve", "--port", "0", "--release", str(release_folder)]
    done = subprocess.run(["env", f"{variable}={value}", *command], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    assert variable in done.stderr
    assert value in done.stderr
    assert len(done.stderr.splitlines()) == 1


# Metrics


def test_requests_are_counted_by_method_route_and_status(release: Release, settings: Settings) -> None:
    with client_with(release, settings) as found:
        found.get("/sparql?query=ASK{}")
        found.get("/sparql?query=ASK{}")
        found.post("/sparql", content="SELEC", headers={"Content-Type": "application/sparql-query"})
        found.get("/page/theme/finance")
        found.head("/healthz")
        counted = numbers(found)
    assert counted["kg_http_requests_total", "GET", "/sparql", "200"] == 2
    assert counted["kg_http_requests_total", "POST", "/sparql", "400"] == 1
    assert counted["kg_http_requests_total", "GET", "/page/{name}", "200"] == 1
    assert counted["kg_http_requests_total", "HEAD", "/healthz", "200"] == 1
    assert counted["kg_http_request_seconds_count", "/sparql"] == 3
    assert counted["kg_http_requests_in_flight",] == 1


def test_the_number_of_series_does_not_grow_with_what_strangers_send(release: Release, settings: Settings) -> None:
    with client_with(release, settings) as found:

        def bombard(first: int) -> int:
            for number in range(first, first + 30):
                for path in (
                    f"/{number}",
                    f"/{number}/x",
                    f"/id/{number}",
                    f"/api/queries/{number}",
                    f"/graphs/{number}",
                ):
                    found.get(path)
                found.request(f"M{number}", "/sparql")
            return len(numbers(found))

        numbers(found)  # asking for the numbers is counted too
        assert bombard(0) == bombard(1000)
        counted = numbers(found)
    assert counted["kg_http_requests_total", "GET", "other", "404"] == 120
    assert counted["kg_http_requests_total", "other", "/sparql", "405"] == 60


def test_lanes_cache_and_release_are_among_the_numbers(release: Release, settings: Settings) -> None:
    with client_with(release, settings) as found:
        for _ in range(3):
            assert found.get("/sparql", params={"query": SELECT}).status_code == 200
        counted = numbers(found)
        (info,) = [key for key in counted if key[0] == "kg_release_info"]
        assert info[1] == found.get("/api/release").json()["release"]
    assert (counted["kg_cache_misses_total",], counted["kg_cache_hits_total",]) == (1, 2)
    assert counted["kg_release_swaps_total",] == 0
    assert counted["kg_release_in_memory",] in {0, 1}
    assert counted["kg_queries_killed_total",] == 0
    assert {f"kg_queries_{lane}" for lane in ("fast", "slow", "waiting")} <= {key[0] for key in counted}


def test_a_query_that_is_cut_is_counted_as_killed(release: Release, settings: Settings, tmp_path: Path) -> None:
    brief = replace(settings, query_time_limit_ms=300)
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    with TestClient(application(release, brief)) as found:
        assert found.get("/sparql", params={"query": endless}).status_code == 503
        assert numbers(found)["kg_queries_killed_total",] == 1
    with TestClient(create_scratch_app(ScratchServing(tmp_path / "scratch", settings, Tokens({})))) as found:
        assert numbers(found)["kg_queries_killed_total",] == 0


def test_a_count_never_falls_when_what_is_counted_begins_anew() -> None:
    metrics, values = Metrics(), iter([3, 5, 1])
    metrics.watch({"kg_queries_killed": lambda: next(values)}, lambda: None)
    shown = [re.findall(r"^kg_queries_killed_total (\S+)$", metrics.text("")[0].decode(), re.M) for _ in range(3)]
    assert shown == [["3.0"], ["5.0"], ["6.0"]]


def test_metrics_are_given_as_openmetrics_to_who_asks(client: TestClient) -> None:
    response = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


# Rate limits


def test_without_a_rate_nobody_is_refused(client: TestClient) -> None:
    assert {client.get("/sparql?query=ASK{}").status_code for _ in range(100)} == {200}


def test_beyond_its_rate_a_client_is_refused_and_told_when_to_come_back(release: Release, settings: Settings) -> None:
    with client_with(release, settings, rate_limit="5/hour") as found:
        responses = [found.get("/sparql?query=ASK{}") for _ in range(7)]
        assert [response.status_code for response in responses] == [200] * 5 + [429] * 2
        refused = responses[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["limit"] == "KG_RATE_LIMIT"
        assert 1 <= int(refused.headers["retry-after"]) <= 7200
        assert refused.headers["x-request-id"]
        assert {found.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")} == {200}
        assert numbers(found)["kg_http_requests_total", "GET", "/sparql", "429"] == 2


def test_of_several_rates_each_holds(release: Release, settings: Settings) -> None:
    with client_with(release, settings, rate_limit="100/minute; 2/hour") as found:
        assert [found.get("/").status_code for _ in range(3)] == [200, 200, 429]


def test_a_client_is_an_address_or_a_network_of_64_bits() -> None:
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff:2")
    assert client_of("2001:db8:0:1::1") != client_of("2001:db8:0:2::1")
    assert client_of("192.0.2.1") != client_of("192.0.2.2")


def asked_as(address: str, forwarded: str) -> int:
    with connected(address) as connection:
        connection.sendall(
            f"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {forwarded}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        return int(everything(connection).split(b" ", 2)[1])


def test_behind_a_trusted_proxy_each_client_has_its_own_rate(strict: str) -> None:
    assert [asked_as(strict, "198.51.100.1") for _ in range(41)] == [200] * 40 + [429]
    assert asked_as(strict, "198.51.100.2") == 200
    # What the client itself wrote in front of the proxy's entry does not help it.
    assert asked_as(strict, "203.0.113.9, 198.51.100.1") == 429


def test_without_a_trusted_proxy_nobody_can_pass_as_another(release_folder: Path) -> None:
    with started(release_folder, KG_RATE_LIMIT="3/hour", KG_LOG_LEVEL="error") as (_, address):
        assert [asked_as(address, f"198.51.100.{number}") for number in range(5)] == [200] * 3 + [429] * 2


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0.1/8", "*", "10.0.0.0/33"])
def test_what_is_no_address_of_a_proxy_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadParameter, match="KG_TRUST_PROXY"):
        read_proxies(text)


# Slow and greedy clients


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n",
        b"GET /spar",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 100\r\n\r\nASK",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nASK\r\n",
    ],
)
def test_a_request_that_does_not_come_to_its_end_is_cut_off(strict: str, beginning: bytes) -> None:
    with connected(strict) as connection:
        connection.sendall(beginning)
        begun = time.monotonic()
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert problem_of(answer)["limit"] == "KG_CLIENT_TIME_LIMIT_MS"
    assert time.monotonic() - begun < 10


def test_to_send_a_byte_now_and_then_does_not_keep_a_connection(strict: str) -> None:
    with connected(strict) as connection:
        begun = time.monotonic()
        try:
            for byte in b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
        except OSError:
            pass
        answer = everything(connection)
        assert time.monotonic() - begun < 8
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_a_second_request_on_a_connection_is_held_to_the_same(strict: str) -> None:
    with connected(strict) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea")
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


def test_a_connection_on_which_nothing_is_asked_ends_without_an_answer(strict: str) -> None:
    with connected(strict) as connection:
        assert everything(connection) == b""


def test_a_large_body_that_keeps_coming_may_take_longer_than_the_limit(strict: str) -> None:
    body = b"ASK {} #" + b"x" * (14 << 16)
    with connected(strict) as connection:
        connection.sendall(
            b"POST /sparql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/sparql-query\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
        )
        # Each piece comes long before its time is over, and the last after the time of one.
        for at in range(0, len(body), 1 << 16):
            connection.sendall(body[at : at + (1 << 16)])
            time.sleep(0.08)
        assert everything(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 3000 + b"\r\n\r\n",
        b"GET /?q=" + b"y" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Endless: " + b"y" * 3000,
    ],
)
def test_a_head_that_is_too_long_is_431(strict: str, head: bytes) -> None:
    with connected(strict) as connection:
        connection.sendall(head)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert problem_of(answer)["limit"] == "KG_MAX_HEADER_BYTES"


def test_beyond_so_many_connections_further_ones_are_told_to_come_back(release_folder: Path) -> None:
    with started(release_folder, KG_MAX_CONNECTIONS="8", KG_LOG_LEVEL="error") as (_, address):
        held = [connected(address) for _ in range(8)]
        try:
            with connected(address) as connection:
                answer = everything(connection)
        finally:
            for connection in held:
                connection.close()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after" in answer.lower()
    assert problem_of(answer)["limit"] == "KG_MAX_CONNECTIONS"


def test_while_slow_clients_hold_on_others_are_answered(release_folder: Path) -> None:
    with started(release_folder, KG_LOG_LEVEL="error") as (_, address):
        slow = [connected(address) for _ in range(200)]
        try:
            for connection in slow:
                connection.sendall(b"GET / HTTP/1.1\r\nX: ")
            with urlopen(f"{address}/sparql?query=ASK%7B%7D", timeout=10) as response:
                assert response.status == 200
        finally:
            for connection in slow:
                connection.close()


def test_a_client_that_takes_nothing_in_is_let_go(release_folder: Path) -> None:
    query = "SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 60000"
    variables = {"KG_CLIENT_TIME_LIMIT_MS": "500", "KG_LOG_LEVEL": "info"}
    with started(release_folder, **variables) as (process, address), connected(address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(f"GET /sparql?{urlencode({'query': query})} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(5)
        # An answer still under way would be waited for.
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=20)[1]
    assert "did not take in its answer" in log


# The end

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


def in_flight(address: str, count: int = 1) -> list[socket.socket]:
    """Returns so many connections, on each of which a query without end is being answered or waits."""
    connections = [connected(address) for _ in range(count)]
    for connection in connections:
        connection.sendall(f"GET /sparql?{urlencode({'query': ENDLESS})} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    wait_until(lambda: _queries(address) == count)
    return connections


def _queries(address: str) -> float:
    """Returns how many queries run or wait, as the metrics say."""
    with urlopen(f"{address}/metrics", timeout=20) as response:
        lines = response.read().decode().splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("kg_queries_"))
    return sum(float(found[f"kg_queries_{lane}"]) for lane in ("fast", "slow", "waiting"))


def lets_nobody_in(address: str) -> bool:
    try:
        connected(address).close()
    except ConnectionError:
        return True
    return False


def test_told_to_stop_it_answers_what_is_under_way_and_lets_nobody_in(release_folder: Path) -> None:
    variables = {"KG_QUERY_TIME_LIMIT_MS": "4000", "KG_LOG_LEVEL": "error"}
    with started(release_folder, **variables) as (process, address), ThreadPoolExecutor(1) as pool:
        (connection,) = in_flight(address)
        waiting = pool.submit(everything, connection)
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: lets_nobody_in(address))
        answer = waiting.result(timeout=20)
        connection.close()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"KG_QUERY_TIME_LIMIT_MS" in answer
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("twice", [True, False], ids=["told twice", "out of time"])
def test_told_twice_or_out_of_time_it_ends_at_once(release_folder: Path, twice: bool) -> None:
    drain = "60000" if twice else "1000"
    variables = {"KG_QUERY_TIME_LIMIT_MS": "60000", "KG_DRAIN_TIME_LIMIT_MS": drain, "KG_LOG_LEVEL": "warning"}
    with started(release_folder, **variables) as (process, address):
        (connection,) = in_flight(address)
        process.send_signal(signal.SIGTERM)
        if twice:
            # It has heard the first; two in one moment are one.
            wait_until(lambda: lets_nobody_in(address))
            process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        log = process.communicate(timeout=25)[1]
        connection.close()
        assert process.returncode == 0
        assert time.monotonic() - begun < 15
    assert [json.loads(line) for line in log.splitlines()]


def test_no_worker_outlives_the_service(release_folder: Path) -> None:
    with started(release_folder, KG_LOG_LEVEL="error") as (process, address):
        (connection,) = in_flight(address)
        nurseries = children_of(process.pid)
        workers = {worker for nursery in nurseries for worker in children_of(nursery)}
        assert nurseries and workers
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: lets_nobody_in(address))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        connection.close()
        wait_until(lambda: not [child for child in nurseries | workers if Path(f"/proc/{child}").exists()])


def test_healthz_answers_while_queries_fill_every_lane(release_folder: Path) -> None:
    variables = {"KG_QUERY_TIME_LIMIT_MS": "60000", "KG_LOG_LEVEL": "error"}
    with started(release_folder, **variables) as (_, address):
        busy = in_flight(address, 12)
        try:
            for path in ("/healthz", "/readyz"):
                with urlopen(f"{address}{path}", timeout=20) as response:
                    assert response.status == 200
        finally:
            for connection in busy:
                connection.close()
