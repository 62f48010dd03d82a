"""Services and pools with processes of their own, what attacks them, and who must be answered meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx2

from kg.engines.memory import Memory
from kg.engines.nursery import Nursery
from kg.engines.pool import Pool
from kg.engines.worker import premises_of
from kg.names import Prefixes
from kg.workspace import read_settings

TOKEN = "zebra-crossing"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
# A bystander is answered within this, whatever else goes on.
PATIENCE_S = 4.0


@dataclass(frozen=True)
class Service:
    """A `kg serve` that runs."""

    process: subprocess.Popen[str]
    address: str

    @property
    def host_and_port(self) -> tuple[str, int]:
        parts = urlsplit(self.address)
        assert parts.hostname is not None and parts.port is not None
        return parts.hostname, parts.port

    def nurseries(self) -> dict[int, str]:
        """Returns the processes that fork workers, each with the store that it holds in memory or \"\"."""
        commands = {child: _command(child) for child in children_of(self.process.pid)}
        # python -m kg.engines.worker DESCRIPTOR [STORE], and what follows the last end
        return {child: command[4] for child, command in commands.items() if command[2:3] == ["kg.engines.worker"]}

    def workers(self) -> set[int]:
        """Returns the processes that evaluate queries, and one that reads a store for a nursery to hold."""
        return {worker for nursery in self.nurseries() for worker in children_of(nursery)}

    def connected(self, timeout_s: float = 30) -> socket.socket:
        return socket.create_connection(self.host_and_port, timeout=timeout_s)

    def raw(self, request: bytes) -> bytes:
        """Returns all that comes back on a connection on which these bytes were sent."""
        with self.connected() as connection:
            # It may be refused before its end; the refusal can still be read.
            with suppress(OSError):
                connection.sendall(request)
            return everything(connection)


@contextmanager
def started(*arguments: object, **variables: str) -> Iterator[Service]:
    """Yields a `kg serve` on a free port, with these arguments and environment variables; it is stopped at the end."""
    command = [sys.executable, "-m", "kg", "serve", "--port", "0", *map(str, arguments)]
    environment = {**os.environ, "KG_LOG_LEVEL": "error", **variables}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Serving on "), f"the service did not start: {line!r}"
            yield Service(process, line.removeprefix("Serving on ").strip().rstrip("/"))
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@contextmanager
def running_pool(
    store: Path, prefixes: Prefixes, holding: Path | None = None
) -> Iterator[tuple[Pool, asyncio.AbstractEventLoop]]:
    """Yields a pool over a store and the event loop, in a thread of its own, on which it runs.

    Args:
        holding: the store whose default graph its workers find in memory, once that is there or cannot be.
    """
    settings = read_settings()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    nursery = Nursery()
    premises = premises_of(store, prefixes.namespaces, settings)
    pool = Pool(nursery, premises, settings)
    memory = Memory(holding, premises, [pool], nursery) if holding is not None else None

    async def open_all() -> None:
        await nursery.open()
        await pool.open()
        if memory is not None:
            await memory.open()
            while memory.loading:
                await asyncio.sleep(0.01)

    async def close_all() -> None:
        pool.close()
        if memory is not None:
            await memory.close()
        await nursery.close()

    asyncio.run_coroutine_threadsafe(open_all(), loop).result()
    try:
        yield pool, loop
    finally:
        asyncio.run_coroutine_threadsafe(close_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def wait_until(found: Callable[[], bool], within_s: float = 20) -> None:
    """Returns as soon as it is so."""
    end = time.monotonic() + within_s
    while not found():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def children_of(process: int) -> set[int]:
    """Returns the processes that a process has started and that have not ended."""
    found: set[int] = set()
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            # One may end in this moment; its children are then another's.
            with suppress(OSError):
                found |= set(map(int, (thread / "children").read_text().split()))
    return found


def _command(process: int) -> list[str]:
    """Returns the words of a process's command line, and \"\" after the last; none of one that has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:
        return []


def everything(connection: socket.socket) -> bytes:
    """Returns what comes until the other side ends the connection."""
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def status_of(answer: bytes) -> int:
    """Returns the status of the first answer that came on a connection, 0 when none came."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@dataclass
class Recorder:
    """A server that must not be contacted, and notes by whom it is; it sends all who ask from one page to another."""

    address: str
    contacts: list[str] = field(default_factory=list)


@contextmanager
def recorder() -> Iterator[Recorder]:
    """Yields a recorder on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            found.contacts.append("a connection")
            super().setup()

        def do_GET(self) -> None:
            found.contacts.append(f"{self.command} {self.path}")
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name is the library's

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Recorder(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


class Bystander:
    """Asks simple things again and again, and keeps what went wrong.

    Args:
        paths: what is asked, in turn; a comment with a number makes each query a new one, so that no cache answers.
        patience_s: within this it must be answered.
    """

    def __init__(self, service: Service, paths: Sequence[str], patience_s: float = PATIENCE_S) -> None:
        self._service = service
        self._paths = paths
        self._patience_s = patience_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask_on)
        self.faults: list[str] = []
        self.answered = 0
        self.slowest_s = 0.0

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask_on(self) -> None:
        with httpx2.Client(base_url=self._service.address, timeout=60) as client:
            for number in itertools.count():
                if self._stop.wait(0.03):
                    return
                self._ask(client, number)

    def _ask(self, client: httpx2.Client, number: int) -> None:
        path = self._paths[number % len(self._paths)] or f"/sparql?{urlencode({'query': f'ASK {{}} # {number}'})}"
        begun = time.monotonic()
        try:
            status = client.get(path).status_code
            # Where the tests' own short limit was too short for a busy machine, it asks again, as a client would.
            while status == 503 and time.monotonic() - begun < self._patience_s / 2:
                status = client.get(path).status_code
        except httpx2.HTTPError as error:
            self.faults.append(f"{path}: {error!r}")
            return
        took = time.monotonic() - begun
        if status != 200 or took > self._patience_s:
            self.faults.append(f"{path}: {status} after {took:.1f} s")
        self.slowest_s = max(self.slowest_s, took)
        self.answered += 1

    def assert_answered(self) -> None:
        """It has been answered in time since the last look, and still is."""
        before, deadline = self.answered, time.monotonic() + self._patience_s * len(self._paths) + 1
        while self.answered < before + len(self._paths) and time.monotonic() < deadline and not self.faults:
            time.sleep(0.01)
        faults, self.faults = self.faults, []
        assert not faults, f"a bystander was not answered in time: {faults}"
        assert self.answered >= before + len(self._paths), "a bystander waits for an answer"
