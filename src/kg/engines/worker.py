"""The processes that evaluate queries, and the small one that makes them.

A query cannot be cancelled, and a hostile one can take the whole process with it; so each runs
in a child that may be killed. Children are forked, in milliseconds, from a process that has loaded
everything and has no thread and no open store; a default graph that it holds in memory they share.

    service ── control socket ──> nursery ── fork ──> worker, worker, …
       └───────── one socket and one pipe a worker ─────┘

On the control socket the service sends one byte and the worker's ends of a new socket pair and a new
pipe; the nursery answers with the worker's process id, and later with its exit status. Before all that it
says that it is ready; one that is to hold a store is asked for nothing until then. On a worker's socket go
frames: a number and a length, then JSON (first the premises, then jobs), or for a reply its header and its
body. A body that outgrows memory goes to an unlinked file whose descriptor is passed instead.

A worker begins a job only when it has taken its number, its ticket, from the pipe. The service
can take tickets from the pipe too: so it calls back the jobs that a worker has not begun, and
no clock and no message decides who was first, but the pipe.
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from pyoxigraph import Store

from kg.engines.local import LocalSource, Services
from kg.engines.resident import resident
from kg.engines.source import Request
from kg.engines.spool import BoundedSpool
from kg.engines.writing import Write, applied
from kg.errors import BadParameter, BadSparql, KgError, LimitError, NotAcceptable
from kg.names import Prefixes

if TYPE_CHECKING:
    from kg.workspace import Settings

# Frames: a job is its number, its length and JSON; a reply is status, whether a file follows, and the length.
JOB_HEAD = struct.Struct("!II")
TICKET = struct.Struct("!I")
REPLY_HEAD = struct.Struct("!BBQ")
STATUS = struct.Struct("!ii")

# What stands for a process id where the nursery tells that it is ready.
READY = 0

OK, BAD_SPARQL, BAD_PARAMETER, NOT_ACCEPTABLE, TOO_MANY_ROWS, TOO_MANY_BYTES, FAILED, NO_MEMORY = range(8)

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
    # Tells workers that find the store in memory from those that do not, or find an earlier copy of it.
    generation: int = 0


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


def frame(content: Job | Write | Premises, number: int) -> bytes:
    """Returns a job, a change, or the premises, as it goes over a worker's socket."""
    # Its values are plain, so it needs no deep copy, which would cost more than the rest.
    text = json.dumps(vars(content)).encode()
    return JOB_HEAD.pack(number, len(text)) + text


def nursery(control_fd: int, holding: Path | None) -> None:
    """Forks a worker for every socket that comes in; ends, and ends them, when the service goes.

    Args:
        holding: a store whose default graph the workers find in memory.
    """
    control = socket.socket(fileno=control_fd)
    # Ctrl-C in a terminal reaches the whole group; the service decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Before it is ready nothing comes, so that whatever does is the end.
    held = None if holding is None else resident(holding, lambda: not select.select([control], [], [], 0)[0])
    signal.signal(signal.SIGCHLD, lambda *_: None)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    children: set[int] = set()
    # A connection error means that the service has gone, in the middle of a word or before it.
    with contextlib.suppress(ConnectionError):
        control.sendall(STATUS.pack(READY, -1))
        while True:
            ready, _, _ = select.select([control.fileno(), reading], [], [])
            if reading in ready:
                os.read(reading, 4096)
                _report_dead(control, children)
            if control.fileno() in ready:
                ends = _next_ends(control)
                if not ends:
                    break
                pid = _forked(control, reading, writing, ends, held)
                # Known before the service is told, which may have gone: then it must end with the others.
                children.add(pid)
                control.sendall(STATUS.pack(pid, -1))
    _end(children)


def _next_ends(control: socket.socket) -> list[int]:
    """Returns a new worker's ends of its socket and its pipe, none when the service has gone."""
    message, fds, _, _ = socket.recv_fds(control, 1, 2)
    return fds if message else []


def _forked(control: socket.socket, reading: int, writing: int, ends: Sequence[int], held: Store | None) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            os.close(reading)
            os.close(writing)
            link, tickets = ends
            work(socket.socket(fileno=link), tickets, held)
            status = 0
        except MemoryError:
            # Not in the query itself, which would have been answered so, but on the way to it or back.
            status = NO_MEMORY
        finally:
            os._exit(status)
    for fd in ends:
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
    # Else they are left to the first process of all, which may be the service and not look after them.
    with contextlib.suppress(ChildProcessError):
        while children:
            os.wait()


def work(link: socket.socket, tickets: int, held: Store | None = None) -> None:
    """Opens what the first frame names, then answers jobs until the service closes socket and pipe.

    Args:
        held: has the default graph of that store in memory.
    """
    # Buffered, so that many jobs come with one system call.
    frames = link.makefile("rb")
    first = _frame(frames)
    if first is None:
        return
    premises = Premises(**first[1])
    # What the engine prints when it aborts is for its makers; the service says what happened.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    # What is held is beside what a query may need.
    limit = max(premises.memory_mb, LEAST_MEMORY_MB) * 1024 * 1024 + (0 if held is None else _addressed())
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if premises.writable:
        store, services = Store(premises.store), _services(premises)
        for content in _jobs(frames, tickets):
            _write(link, store, Write(**content), services)
        return
    source = LocalSource(Store.read_only(premises.store), Prefixes(premises.prefixes), _services(premises), held)
    for content in _jobs(frames, tickets):
        _answer(link, source, Job(**content))


def _addressed() -> int:
    """Returns how many bytes of address space this process has; none where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _services(premises: Premises) -> Services | None:
    """Returns the endpoints that SERVICE may name; only a worker that may ask one loads what asks it."""
    if not premises.services:
        return None
    from kg.engines.federation import Federation

    return Federation(premises.services, premises.service_time_limit_ms, premises.service_max_bytes)


def _jobs(frames: IO[bytes], tickets: int) -> Iterator[dict[str, Any]]:
    """Yields the jobs whose tickets come, and passes over those that were called back."""
    while (ticket := _ticket(tickets)) is not None:
        found = _frame(frames)
        while found is not None and found[0] != ticket:
            found = _frame(frames)
        if found is None:
            return
        yield found[1]


def _ticket(tickets: int) -> int | None:
    """Returns the next ticket when there is one, None when the service has gone."""
    while True:
        try:
            ticket = os.read(tickets, TICKET.size)
        except BlockingIOError:
            # The pipe is the service's too, which must never wait.
            select.select([tickets], [], [])
        else:
            return int(TICKET.unpack(ticket)[0]) if ticket else None


def _frame(frames: IO[bytes]) -> tuple[int, dict[str, Any]] | None:
    """Returns the next frame with its number, None when the service has gone, in the middle of one or before it."""
    head = frames.read(JOB_HEAD.size)
    if len(head) < JOB_HEAD.size:
        return None
    number, size = JOB_HEAD.unpack(head)
    content = frames.read(size)
    return (number, json.loads(content)) if len(content) == size else None


def _write(link: socket.socket, store: Store, write: Write, services: Services | None) -> None:
    try:
        if services is not None and write.kind == "update":
            write = replace(write, text=services.rewritten(write.text))
        status, words = OK, json.dumps(applied(store, write))
    except KgError as error:
        status, words = _status_of(error, None), str(error)
    except MemoryError:
        status, words = NO_MEMORY, ""
    body = words.encode()
    link.sendall(REPLY_HEAD.pack(status, 0, len(body)) + body)


def _answer(link: socket.socket, source: LocalSource, job: Job) -> None:
    """Sends the answer to a job, or the reason why there is none."""
    with contextlib.closing(BoundedSpool(job.media_type, job.max_bytes, job.max_rows)) as spool:
        status, words = _evaluated(source, job, spool)
        if status == OK and spool.file is not None:
            spool.flush()
            socket.send_fds(link, [REPLY_HEAD.pack(OK, True, spool.size)], [spool.file.fileno()])
            return
        body = spool.in_memory() if status == OK else words.encode()
        link.sendall(REPLY_HEAD.pack(status, False, len(body)) + body)


def _evaluated(source: LocalSource, job: Job, spool: BoundedSpool) -> tuple[int, str]:
    """Writes the answer, and returns whether there is one, and if not why."""
    request = Request(job.query, job.default_graphs, job.named_graphs, job.base)
    try:
        source.write(request, job.media_type, cast(IO[bytes], spool), job.max_rows)
    except LimitError:
        return TOO_MANY_ROWS, ""
    except KgError as error:
        return _status_of(error, spool), str(error)
    except MemoryError:
        return NO_MEMORY, ""
    return OK, ""


def _status_of(error: KgError, spool: BoundedSpool | None) -> int:
    if spool is not None and spool.full:
        return TOO_MANY_ROWS if spool.full == "rows" else TOO_MANY_BYTES
    if isinstance(error, BadSparql):
        return BAD_SPARQL
    if isinstance(error, BadParameter):
        return BAD_PARAMETER
    return NOT_ACCEPTABLE if isinstance(error, NotAcceptable) else FAILED


def main() -> None:
    """Runs a nursery: the arguments are the control socket's descriptor, and the store to hold, if any."""
    control, *holding = sys.argv[1:]
    nursery(int(control), Path(holding[0]) if holding else None)


if __name__ == "__main__":
    main()
