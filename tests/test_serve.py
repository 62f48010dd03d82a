"""`kg serve` as a process: it starts, answers many at once, and ends when it is told to."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import pytest

from conftest import running_service
from kg.answers import Answers
from kg.release.build import build
from kg.web.serving import Serving
from kg.workspace import Settings
from services import children_of
from workspaces import edit, text_file, write_workspace


@contextmanager
def _started(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yields a `kg serve` that has said its address, and the address."""
    command = [sys.executable, "-m", "kg", "serve", "--port", "0", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            match = re.fullmatch(r"Serving on (http://\S+)/\n", process.stdout.readline())
            assert match
            yield process, match[1]
        finally:
            process.kill()


def _get(address: str, path: str, **parameters: str) -> tuple[int, str]:
    with urlopen(f"{address}{path}?{urlencode(parameters)}", timeout=30) as response:
        return response.status, response.read().decode()


def _json(address: str, path: str, **parameters: str) -> dict[str, object]:
    status, text = _get(address, path, **parameters)
    assert status == 200
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def _raw(address: str, request: bytes) -> bytes:
    """Returns the whole answer to a request written by hand."""
    host, port = urlsplit(address).hostname, urlsplit(address).port
    with socket.create_connection((host, port), timeout=30) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_it_is_ready_within_seconds_of_its_start(release_folder: Path) -> None:
    begun = time.monotonic()
    with _started("--release", release_folder) as (_, address):
        assert _get(address, "/readyz") == (200, "ready\n")
        assert time.monotonic() - begun < 20


def test_it_says_its_address_only_once_it_answers(release_folder: Path) -> None:
    with _started("--release", release_folder) as (_, address):
        assert urlsplit(address).hostname == "127.0.0.1"
        assert _get(address, "/healthz") == (200, "ok\n")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_it_is_told_to(release_folder: Path, sign: signal.Signals) -> None:
    with _started("--release", release_folder) as (process, address):
        assert _json(address, "/api/release")["release"]
        process.send_signal(sign)
        out, complaint = process.communicate(timeout=15)
        assert process.returncode in ({0} if sign is signal.SIGTERM else {0, 130})
        assert "Traceback" not in complaint
        assert out == ""


def test_it_finishes_what_is_in_flight_before_it_ends(release_folder: Path) -> None:
    with _started("--release", release_folder) as (process, address), ThreadPoolExecutor(8) as pool:
        path = "/api/connections"
        waiting = [pool.submit(_json, address, path, **{"from": "COSLA", "to": "Finance"}) for _ in range(8)]
        time.sleep(0.05)
        process.terminate()
        for answer in waiting:
            try:
                assert answer.result(timeout=20)["paths"]
            except OSError:
                continue  # it came after the door was shut; what was let in is answered whole
        assert process.wait(timeout=15) == 0


def test_a_service_that_ends_while_it_takes_a_release_over_leaves_no_process(
    settings: Settings, tmp_path: Path
) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    build(workspace, settings, check="none")

    async def taken_over() -> int:
        serving = Serving(workspace.root / "build", settings)
        await serving.open()
        before = children_of(os.getpid())
        edit(text_file(workspace.root), "stand empty", "are empty")
        await asyncio.to_thread(build, workspace, settings, check="none")
        # A look that may have begun before is over, and the next finds the new release.
        for begun in (False, True):
            while serving._following.locked() is not begun:
                await asyncio.sleep(0)
        while not children_of(os.getpid()) - before and not serving.swaps:
            await asyncio.sleep(0)
        await serving.close()
        return serving.swaps

    others = children_of(os.getpid())
    assert asyncio.run(taken_over()) == 1
    assert children_of(os.getpid()) <= others


def test_two_services_run_side_by_side(release_folder: Path, service: str) -> None:
    with running_service("--release", str(release_folder)) as other:
        assert other != service
        assert _json(other, "/api/release") == _json(service, "/api/release")


@pytest.mark.slow
def test_two_services_start_at_once_over_a_workspace_that_is_not_yet_built(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    arguments = ("--workspace", workspace.root)
    with ThreadPoolExecutor(2) as pool:

        def release() -> object:
            with _started(*arguments) as (_, address):
                return _json(address, "/api/release")["release"]

        first, second = pool.submit(release), pool.submit(release)
        assert first.result(timeout=60) == second.result(timeout=60)
    assert not list((workspace.root / "build").glob(".preparing-*"))


def test_many_requests_at_once_are_all_answered_right(service: str, answers: Answers) -> None:
    themes = ["Strategic planning", "Finance", "Workforce", "Engagement", "theme:charging"]
    expected = {
        theme: [row["barrier"].value for row in answers.ask("barriers-blocking-theme", {"theme": [theme]}).results]
        for theme in themes
    }
    assert len({tuple(rows) for rows in expected.values()}) > 2

    def barriers(number: int) -> tuple[str, list[str]]:
        theme = themes[number % len(themes)]
        found = _json(service, "/api/queries/barriers-blocking-theme", theme=theme)
        assert isinstance(found["results"], list)
        return theme, [row["barrier"]["value"] for row in found["results"]]

    def counted(number: int) -> int:
        query = f"SELECT (COUNT(*) AS ?n) {{ SELECT * {{ ?s ?p ?o }} LIMIT {number} }}"
        found = _json(service, "/sparql", query=query)["results"]
        assert isinstance(found, dict)
        return int(found["bindings"][0]["n"]["value"])

    with ThreadPoolExecutor(16) as pool:
        asked, numbers = pool.map(barriers, range(80)), pool.map(counted, range(1, 81))
        for theme, rows in asked:
            assert rows == expected[theme]
        assert list(numbers) == list(range(1, 81))


def test_an_error_for_one_is_no_error_for_the_others(service: str) -> None:
    def status(number: int) -> int:
        query = "ASK {}" if number % 2 else "SELEC"
        request = f"GET /sparql?{urlencode({'query': query})} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        return int(_raw(service, request.encode()).split(b" ", 2)[1])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(status, range(40))) == [400, 200] * 20


def test_a_body_is_read_no_further_than_the_limit(service: str) -> None:
    head = "POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nConnection: close\r\n"
    endless = f"{head}Content-Length: 10000000000\r\n\r\n".encode() + b" " * 1_048_577
    answer = _raw(service, endless)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"KG_MAX_QUERY_BYTES" in answer


def test_head_has_no_body_on_the_wire(service: str) -> None:
    answer = _raw(service, b"HEAD /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert re.search(rb"(?i)^content-length: [1-9]", head, re.MULTILINE)
    assert body == b""


@pytest.mark.parametrize(
    "request_line",
    [b"nonsense\r\n\r\n", b"GET /sparql?query=\xff HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nbroken\r\n\r\n"],
)
def test_what_is_not_http_is_400_and_the_service_goes_on(service: str, request_line: bytes) -> None:
    assert _raw(service, request_line).startswith(b"HTTP/1.1 400 ")
    assert _get(service, "/readyz") == (200, "ready\n")


def test_a_client_that_leaves_early_does_no_harm(service: str) -> None:
    host, port = urlsplit(service).hostname, urlsplit(service).port
    for _ in range(20):
        with socket.create_connection((host, port), timeout=10) as connection:
            connection.sendall(b"GET /api/connections?from=COSLA&to=Finance HTTP/1.1\r\nHost: x\r\n\r\n")
    assert _get(service, "/readyz") == (200, "ready\n")


def test_quotes_are_served_when_the_texts_are_named(release_folder: Path, texts_folder: Path, service: str) -> None:
    item = {"item": "barrier:as2018-data-sharing"}
    with running_service("--release", str(release_folder), "--texts", str(texts_folder)) as with_texts:
        for address, held in ((with_texts, True), (service, False)):
            rows = _json(address, "/api/evidence", **item)["results"]
            assert isinstance(rows, list)
            assert rows
            assert all((row["quote"] is not None) is held for row in rows)
