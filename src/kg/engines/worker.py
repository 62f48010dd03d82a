"""The processes that evaluate queries, and the small one that makes them.

A query cannot be cancelled, and a hostile one can take the whole process with it; so each runs
in a child that may be killed. Children are forked from a process that has loaded everything and
holds nothing (no thread, no open store), which takes milliseconds.

    service ── control socket ──> nursery ── fork ──> worker, worker, …
       └────────────── one socket a worker ─────────────┘

On the control socket the service sends one byte and the worker's end of a new socket pair; the
nursery answers with the worker's process id, and later with its exit status. On a worker's
socket go frames: a length, then JSON (first the premises, then one job at a time), or for a
reply its header and its body. A body that outgrows memory goes to an unlinked file whose
descriptor is passed instead.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from pyoxigraph import Store

from kg.engines.local import LocalSource, Services
from kg.engines.source import Request
from kg.engines.spool import BoundedSpool
from kg.engines.writing import Write, applied
from kg.errors import BadParameter, BadSparql, KgError, LimitError, NotAcceptable
from kg.names import Prefixes
from kg.workspace import Settings

# Frames: a job is its length and JSON; a reply is status, whether a file follows, and the length.
JOB_HEAD = struct.Struct("!I")
REPLY_HEAD = struct.Struct("!BBQ")
STATUS = struct.Struct("!ii")

OK, BAD_SPARQL, BAD_PARAMETER, NOT_ACCEPTABLE, TOO_MANY_ROWS, TOO_MANY_BYTES, FAILED, NO_MEMORY = range(8)

# Replies up to this size stay in memory and go through the socket.
INLINE_BYTES = 1 << 20
# Less address space than this and RocksDB cannot be opened.
LEAST_MEMORY_MB = 1024


@dataclass(frozen=True)
class Job:
    """One query for a worker, with the limits of its answer."""

    query: str
    media_type: str
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]
    max_rows: int
    max_bytes: int
    base: str | None = None


@dataclass(frozen=True)
class Premises:
    """What a worker opens, and how much memory it may address.

    A store that is opened to write belongs to one worker alone.
    """

    store: str
    prefixes: dict[str, str]
    memory_mb: int
    writable: bool = False
    services: Sequence[str] = ()
    service_time_limit_ms: int = 0
    service_max_bytes: int = 0


def premises_of(store: Path, prefixes: Mapping[str, str], settings: Settings, writable: bool = False) -> Premises:
    """Returns what the workers over a store are told."""
    return Premises(
        str(store),
        dict(prefixes),
        settings.worker_memory_limit_mb,
        writable,
        settings.services,
        settings.service_time_limit_ms,
        settings.service_max_bytes,
    )


def frame(content: Job | Write | Premises) -> bytes:
    """Returns a job, a change, or the premises, as it goes over a worker's socket."""
    # Its values are plain, so it needs no deep copy, which would cost more than the rest.
    text = json.dumps(vars(content)).encode()
    return JOB_HEAD.pack(len(text)) + text


def nursery(control_fd: int) -> None:
    """Forks a worker for every socket that comes in; ends, and ends them, when the service goes."""
    control = socket.socket(fileno=control_fd)
    # Ctrl-C in a terminal reaches the whole group; the service decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    children: set[int] = set()
    # A connection error means that the service has gone, in the middle of a word or before it.
    with contextlib.suppress(ConnectionError):
        while True:
            ready, _, _ = select.select([control.fileno(), reading], [], [])
            if reading in ready:
                os.read(reading, 4096)
                _report_dead(control, children)
            if control.fileno() in ready:
                fd = _next_socket(control)
                if fd is None:
                    break
                pid = _forked(control, reading, writing, fd)
                # Known before the service is told, which may have gone: then it must end with the others.
                children.add(pid)
                control.sendall(STATUS.pack(pid, -1))
    _end(children)


def _next_socket(control: socket.socket) -> int | None:
    message, fds, _, _ = socket.recv_fds(control, 1, 1)
    return fds[0] if message else None


def _forked(control: socket.socket, reading: int, writing: int, fd: int) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            os.close(reading)
            os.close(writing)
            work(socket.socket(fileno=fd))
            status = 0
        finally:
            os._exit(status)
    os.close(fd)
    return pid


def _report_dead(control: socket.socket, children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        control.sendall(STATUS.pack(pid, status))


def _end(children: set[int]) -> None:
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def work(link: socket.socket) -> None:
    """Opens what the first frame names, then answers jobs until the service closes the socket."""
    # Buffered, so that most jobs come with one system call.
    frames = link.makefile("rb")
    first = _frame(frames)
    if first is None:
        return
    premises = Premises(**first)
    # What the engine prints when it aborts is for its makers; the service says what happened.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    limit = max(premises.memory_mb, LEAST_MEMORY_MB) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if premises.writable:
        _write(link, frames, Store(premises.store), _services(premises))
        return
    source = LocalSource(Store.read_only(premises.store), Prefixes(premises.prefixes), _services(premises))
    while (content := _frame(frames)) is not None:
        _answer(link, source, Job(**content))


def _services(premises: Premises) -> Services | None:
    """Returns the endpoints that SERVICE may name; only a worker that may ask one loads what asks it."""
    if not premises.services:
        return None
    from kg.engines.federation import Federation

    return Federation(premises.services, premises.service_time_limit_ms, premises.service_max_bytes)


def _write(link: socket.socket, frames: IO[bytes], store: Store, services: Services | None) -> None:
    while (content := _frame(frames)) is not None:
        if services is not None and content["kind"] == "update":
            content["text"] = services.rewritten(content["text"])
        try:
            status, words = OK, json.dumps(applied(store, Write(**content)))
        except KgError as error:
            status, words = _status_of(error, None), str(error)
        except MemoryError:
            status, words = NO_MEMORY, ""
        body = words.encode()
        link.sendall(REPLY_HEAD.pack(status, 0, len(body)) + body)


def _frame(frames: IO[bytes]) -> dict[str, Any] | None:
    """Returns the next frame, None when the service has gone, in the middle of one or before it."""
    head = frames.read(JOB_HEAD.size)
    if len(head) < JOB_HEAD.size:
        return None
    size = JOB_HEAD.unpack(head)[0]
    content = frames.read(size)
    return json.loads(content) if len(content) == size else None


def _answer(link: socket.socket, source: LocalSource, job: Job) -> None:
    with tempfile.SpooledTemporaryFile(max_size=INLINE_BYTES) as spool:
        status = _evaluated(source, job, cast(IO[bytes], spool))
        size = spool.tell()
        # SpooledTemporaryFile has no public word for whether it has gone to disk yet.
        on_disk = spool._rolled  # type: ignore[attr-defined]
        head = REPLY_HEAD.pack(status, on_disk, size)
        if on_disk:
            spool.flush()
            socket.send_fds(link, [head], [spool.fileno()])
            return
        spool.seek(0)
        link.sendall(head + spool.read())


def _evaluated(source: LocalSource, job: Job, file: IO[bytes]) -> int:
    """Writes the answer, or the reason why there is none, and returns which it is."""
    spool = BoundedSpool(file, job.media_type, job.max_bytes, job.max_rows)
    request = Request(job.query, job.default_graphs, job.named_graphs, job.base)
    try:
        source.write(request, job.media_type, cast(IO[bytes], spool), job.max_rows)
    except LimitError:
        status, words = TOO_MANY_ROWS, ""
    except KgError as error:
        status, words = _status_of(error, spool), str(error)
    except MemoryError:
        status, words = NO_MEMORY, ""
    else:
        return OK
    file.seek(0)
    file.truncate()
    file.write(words.encode())
    return status


def _status_of(error: KgError, spool: BoundedSpool | None) -> int:
    if spool is not None and spool.full:
        return TOO_MANY_ROWS if spool.full == "rows" else TOO_MANY_BYTES
    if isinstance(error, BadSparql):
        return BAD_SPARQL
    if isinstance(error, BadParameter):
        return BAD_PARAMETER
    return NOT_ACCEPTABLE if isinstance(error, NotAcceptable) else FAILED


def main() -> None:
    """Runs a nursery: the control socket's descriptor is the argument."""
    nursery(int(sys.argv[1]))


if __name__ == "__main__":
    main()
