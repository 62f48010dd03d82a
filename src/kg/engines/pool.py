"""Killable workers: queries under a time limit, in lanes, with a bounded queue.

Short queries overtake long ones. A query starts in the fast lane; one that still runs after
`LANE_MS` moves to the slow lane, if a place is free there, and its worker with it, while a new
worker takes its place in the fast lane. If no place is free it stays until another query needs
its worker; then it is stopped, and waits for a place to start again in the slow lane. So
whatever is in flight, a fast worker is to be had within `LANE_MS`. The time limit counts from
the moment a query arrives: whether it waits or runs, it has its answer or its refusal by then.

Runs on one asyncio event loop; only `blocking` may be called from other threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from kg.engines import worker as w
from kg.errors import BadParameter, BadSparql, KgError, LimitError, NotAcceptable, OverloadError, SourceError
from kg.workspace import Settings

LANE_MS = 250
# Long queries yield the processor to short ones.
_SLOW_NICENESS = 10
_READ_BYTES = 1 << 16


@dataclass
class Reply:
    """A whole answer: in memory, or in an open file that is to be sent and closed.

    Attributes:
        content: the bytes, when they fit in memory.
        file: a descriptor of a file that holds `size` bytes, else None.
    """

    content: bytes
    file: int | None
    size: int

    def read(self) -> bytes:
        """Returns the whole answer and closes its file."""
        if self.file is None:
            return self.content
        try:
            return os.pread(self.file, self.size, 0)
        finally:
            self.close()

    def close(self) -> None:
        """Closes the file, if there is one."""
        if self.file is not None:
            os.close(self.file)
            self.file = None


class _Worker:
    """One child process and its socket, as the event loop sees it."""

    def __init__(
        self, link: socket.socket, loop: asyncio.AbstractEventLoop, replied: Callable[[_Worker], None]
    ) -> None:
        self._link = link
        self._loop = loop
        self._replied = replied
        self._received = bytearray()
        self._fds: list[int] = []
        self.pid = 0
        self.task: _Task | None = None
        self.status = -1
        self.reply: Reply | None = None
        self.dead = False
        self.exit_status: int | None = None
        link.setblocking(False)
        loop.add_reader(link.fileno(), self._readable)

    def start(self, task: _Task) -> None:
        """Sends a job; its bytes are few enough for the socket's buffer, or wait in a task."""
        self.task = task
        frame = task.job.frame()
        try:
            sent = self._link.send(frame)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            sent = 0
        if sent < len(frame):
            task.sending = self._loop.create_task(self._send(frame[sent:]))

    async def _send(self, rest: bytes) -> None:
        with contextlib.suppress(OSError):
            await self._loop.sock_sendall(self._link, rest)

    def _readable(self) -> None:
        try:
            content, fds, _, _ = socket.recv_fds(self._link, _READ_BYTES, 4)
        except BlockingIOError:
            return
        except OSError:
            content, fds = b"", []
        self._fds += fds
        if not content:
            self.close()
            self._replied(self)
            return
        self._received += content
        self._take_reply()

    def _take_reply(self) -> None:
        head = w.REPLY_HEAD.size
        if len(self._received) < head:
            return
        self.status, on_disk, size = w.REPLY_HEAD.unpack_from(self._received)
        if on_disk:
            if not self._fds:
                return
            self.reply = Reply(b"", self._fds.pop(), size)
            del self._received[:head]
        elif len(self._received) < head + size:
            return
        else:
            self.reply = Reply(bytes(self._received[head : head + size]), None, size)
            del self._received[: head + size]
        self._replied(self)

    def kill(self) -> None:
        """Ends the process at once; what it was doing is gone, and nothing else is."""
        if self.pid and not self.dead:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.close()

    def yield_processor(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, _SLOW_NICENESS)

    def close(self) -> None:
        if not self.dead:
            self.dead = True
            self._loop.remove_reader(self._link.fileno())
            self._link.close()
            for fd in self._fds:
                os.close(fd)


@dataclass(eq=False)
class _Task:
    """A job on its way: waiting, running fast, or running slow."""

    job: w.Job
    future: asyncio.Future[Reply]
    lane: asyncio.TimerHandle | None = None
    deadline: asyncio.TimerHandle | None = None
    sending: asyncio.Task[None] | None = field(default=None, repr=False)
    worker: _Worker | None = None
    overdue: bool = False

    def settle(self) -> None:
        for timer in (self.lane, self.deadline):
            if timer is not None:
                timer.cancel()


class Pool:
    """Workers over one store.

    Args:
        premises: what the workers open.
        settings: time limit, memory limit, rows, bytes and the length of the queue.
        fast: how many short queries run at once.
        slow: how many long ones run at once.
    """

    def __init__(self, premises: w.Premises, settings: Settings, fast: int = 2, slow: int = 2) -> None:
        self._premises = premises
        self._settings = settings
        self._fast_places = fast
        self._slow_places = slow
        self._idle: deque[_Worker] = deque()
        self._fast: dict[_Worker, _Task] = {}
        self._slow: dict[_Worker, _Task] = {}
        self._waiting: deque[_Task] = deque()
        self._waiting_slow: deque[_Task] = deque()
        self._spawning: deque[_Worker] = deque()
        self._all: dict[int, _Worker] = {}
        self._closed = False
        self.killed = 0

    async def open(self) -> None:
        """Starts the nursery and the fast lane's workers."""
        self._loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "kg.engines.worker", str(theirs.fileno()), json.dumps(asdict(self._premises))]
        self._nursery = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        ours.setblocking(False)
        self._control = ours
        self._received = bytearray()
        self._loop.add_reader(ours.fileno(), self._news)
        for _ in range(self._fast_places):
            self._idle.append(self._spawned())

    async def close(self) -> None:
        """Ends every worker and the nursery; queries in flight are refused."""
        if self._closed:
            return
        self._closed = True
        for task in [*self._waiting, *self._waiting_slow, *(x.task for x in self._all.values() if x.task)]:
            self._fail(task, SourceError("The service is closing."))
        for worker in list(self._all.values()):
            worker.kill()
        for worker in list(self._spawning):
            worker.close()
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        await asyncio.to_thread(self._nursery.wait)

    @property
    def in_flight(self) -> dict[str, int]:
        """How many queries run fast, run slow, and wait."""
        return {
            "fast": len(self._fast),
            "slow": len(self._slow),
            "waiting": len(self._waiting) + len(self._waiting_slow),
        }

    async def run(self, job: w.Job) -> Reply:
        """Returns the whole answer to a query.

        Raises:
            BadSparql, BadParameter, NotAcceptable: as the worker found.
            LimitError: the answer has too many rows or bytes.
            OverloadError: the time or memory limit is reached, or too many queries wait.
            SourceError: the worker died otherwise.
        """
        if self._closed:
            raise SourceError("The service is closing.")
        if len(self._waiting) + len(self._waiting_slow) >= self._settings.max_waiting:
            raise OverloadError(
                f"{self._settings.max_waiting} queries wait already (KG_MAX_WAITING); try again soon.",
                limit="KG_MAX_WAITING",
            )
        task = _Task(job, self._loop.create_future())
        task.deadline = self._loop.call_later(self._settings.query_time_limit_ms / 1000, self._too_long, task)
        self._waiting.append(task)
        self._assign()
        try:
            return await task.future
        except asyncio.CancelledError:
            # The client has left: its query goes too.
            self._drop(task)
            raise

    def blocking(self, job: w.Job) -> Reply:
        """Returns what `run` returns, to a thread that is not the event loop's."""
        return asyncio.run_coroutine_threadsafe(self.run(job), self._loop).result()

    # Assigning work

    def _assign(self) -> None:
        """Gives every free place to a query that waits for one, the longest waiting first."""
        while len(self._slow) < self._slow_places and self._to_slow_lane():
            self._refill()
        while self._waiting and (self._idle or self._preempt()):
            worker, task = self._idle.popleft(), self._waiting.popleft()
            self._begin(worker, task, self._fast)
            task.lane = self._loop.call_later(LANE_MS / 1000, self._overdue, task)

    def _to_slow_lane(self) -> bool:
        if self._waiting_slow:
            worker = self._idle.popleft() if self._idle else self._spawned()
            self._begin(worker, self._waiting_slow.popleft(), self._slow)
        else:
            overdue = self._first_overdue()
            if overdue is None:
                return False
            worker = overdue
            self._slow[worker] = self._fast.pop(worker)
        worker.yield_processor()
        return True

    def _preempt(self) -> bool:
        """Stops a query that has had its time in the fast lane, to start again in the slow one."""
        worker = self._first_overdue()
        if worker is None:
            return False
        task = self._fast[worker]
        task.worker = None
        self._waiting_slow.append(task)
        self._forget(worker)
        worker.kill()
        self._refill()
        return True

    def _first_overdue(self) -> _Worker | None:
        return next((worker for worker, task in self._fast.items() if task.overdue), None)

    def _overdue(self, task: _Task) -> None:
        task.overdue = True
        self._assign()

    def _begin(self, worker: _Worker, task: _Task, lane: dict[_Worker, _Task]) -> None:
        task.worker = worker
        lane[worker] = task
        worker.start(task)

    def _refill(self) -> None:
        while len(self._idle) + len(self._fast) < self._fast_places and not self._closed:
            self._idle.append(self._spawned())

    def _replied(self, worker: _Worker) -> None:
        task, slow = worker.task, worker in self._slow
        if worker.dead:
            self._forget(worker)
            if task is not None and not self._closed:
                self._died(worker, task)
        else:
            reply, worker.reply, worker.task = worker.reply, None, None
            self._fast.pop(worker, None)
            self._slow.pop(worker, None)
            if slow:
                # A worker that was told to yield stays slow; a new one takes its place.
                self._forget(worker)
                worker.kill()
            else:
                self._idle.append(worker)
            if task is not None and reply is not None:
                self._finish(task, worker.status, reply)
        self._refill()
        self._assign()

    # How a task ends

    def _finish(self, task: _Task, status: int, reply: Reply) -> None:
        task.settle()
        if task.future.done():
            reply.close()
        elif status == w.OK:
            task.future.set_result(reply)
        else:
            task.future.set_exception(self._error(status, reply.read().decode()))

    def _fail(self, task: _Task, error: KgError) -> None:
        task.settle()
        if not task.future.done():
            task.future.set_exception(error)

    def _error(self, status: int, words: str) -> KgError:
        if status == w.BAD_SPARQL:
            return BadSparql.read(words)
        if status == w.TOO_MANY_ROWS:
            most = self._settings.max_answer_rows
            return LimitError(f"The answer has over {most} rows (KG_MAX_ANSWER_ROWS).", limit="KG_MAX_ANSWER_ROWS")
        if status == w.TOO_MANY_BYTES:
            most = self._settings.max_answer_bytes
            return LimitError(f"The answer has over {most} bytes (KG_MAX_ANSWER_BYTES).", limit="KG_MAX_ANSWER_BYTES")
        if status == w.NO_MEMORY:
            return self._no_memory()
        kinds = {w.BAD_PARAMETER: BadParameter, w.NOT_ACCEPTABLE: NotAcceptable}
        return kinds.get(status, SourceError)(words)

    def _no_memory(self) -> OverloadError:
        limit, name = self._settings.worker_memory_limit_mb, "KG_WORKER_MEMORY_LIMIT_MB"
        return OverloadError(f"The query needs more memory than {limit} MB ({name}).", limit=name)

    def _too_long(self, task: _Task) -> None:
        limit, name = self._settings.query_time_limit_ms, "KG_QUERY_TIME_LIMIT_MS"
        self._drop(task)
        self._fail(task, OverloadError(f"The query took longer than {limit} ms ({name}).", limit=name))

    def _drop(self, task: _Task) -> None:
        """Takes a task out, wherever it is; a worker that runs it is ended."""
        task.settle()
        worker, task.worker = task.worker, None
        for queue in (self._waiting, self._waiting_slow):
            if task in queue:
                queue.remove(task)
        if worker is not None and worker.task is task:
            self._forget(worker)
            worker.kill()
            self.killed += 1
            self._refill()
            self._assign()

    def _died(self, worker: _Worker, task: _Task, tries: int = 10) -> None:
        if worker.exit_status is None and tries:
            # The exit status comes on the control socket, perhaps a moment later.
            self._loop.call_later(0.02, self._died, worker, task, tries - 1)
            return
        status = worker.exit_status
        ended_by = os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None
        # Rust aborts when an allocation fails; that is how a limit on memory shows.
        if ended_by == signal.SIGABRT:
            self._fail(task, self._no_memory())
            return
        how = "" if ended_by is None else f" ({signal.Signals(ended_by).name})"
        self._fail(task, SourceError(f"The process that evaluated the query died{how}; other queries go on."))

    # The nursery

    def _spawned(self) -> _Worker:
        ours, theirs = socket.socketpair()
        worker = _Worker(ours, self._loop, self._replied)
        self._spawning.append(worker)
        socket.send_fds(self._control, [b"w"], [theirs.fileno()])
        theirs.close()
        return worker

    def _forget(self, worker: _Worker) -> None:
        worker.task = None
        for lane in (self._fast, self._slow):
            lane.pop(worker, None)
        if worker in self._idle:
            self._idle.remove(worker)

    def _news(self) -> None:
        """Takes in process ids of new workers and exit statuses of old ones."""
        try:
            content = self._control.recv(4096)
        except BlockingIOError:
            return
        if not content:
            self._loop.remove_reader(self._control.fileno())
            return
        self._received += content
        while len(self._received) >= w.STATUS.size:
            pid, status = w.STATUS.unpack_from(self._received)
            del self._received[: w.STATUS.size]
            if status == -1:
                self._born(pid)
            else:
                self._buried(pid, status)

    def _born(self, pid: int) -> None:
        worker = self._spawning.popleft()
        worker.pid = pid
        if worker.dead:
            # It was dropped before its number was known.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return
        self._all[pid] = worker
        if worker in self._slow:
            worker.yield_processor()

    def _buried(self, pid: int, status: int) -> None:
        worker = self._all.pop(pid, None)
        if worker is not None:
            worker.exit_status = status
