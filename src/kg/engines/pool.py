"""Killable workers: queries under a time limit, in lanes, with a bounded queue.

Short queries overtake long ones. A query starts in the fast lane; one that still runs after
`LANE_MS` of processor time, or `LANE_MOST_MS` in all, moves to the slow lane, if a place is free
there, and its worker with it, while a new worker takes its place in the fast lane. If no place is
free it stays until another query needs its worker; then it is stopped, and waits for a place to
start again in the slow lane. So whatever is in flight, a fast worker is to be had within
`LANE_MOST_MS`, and where other programs have the processors, a short query is not taken for a
long one, whose work would be lost. The time limit counts from the moment a query arrives: whether
it waits or runs, it has its answer or its refusal by then.

Short queries that come thick line up behind one another at a worker, so that it need not sleep
until the service has taken in its answer; on a machine of two processors all at the same worker,
since a second one would only take time from the process that feeds them. When one runs longer than
`YOUNG_MS`, those behind it are called back, and go to other workers; and while queries are long
lately, none line up.

Runs on one asyncio event loop; only `blocking` may be called from other threads.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from dataclasses import dataclass
from itertools import chain

from kg.engines import worker as w
from kg.engines.nursery import Nursery, Reply, Worker
from kg.errors import BadParameter, BadSparql, KgError, LimitError, NotAcceptable, OverloadError, SourceError
from kg.workspace import Settings

LANE_MS = 250
LANE_MOST_MS = 500
YOUNG_MS = 10
# How much the last query says about the next.
_NEWEST_SHARE = 0.2
# More behind one query, and its own time would be short for all of them.
_MOST_AT_HAND = 16
# Looked at no closer than this.
_LOOK_S = 0.005
_LESS = "Ask for less: narrower patterns, or part of the answer with LIMIT."


@dataclass(eq=False)
class _Task:
    """A job on its way: waiting, running fast, or running slow."""

    job: w.Job
    future: asyncio.Future[Reply]
    lane: asyncio.TimerHandle | None = None
    deadline: asyncio.TimerHandle | None = None
    worker: Worker | None = None
    begun: float = 0
    processor_s_before: float = 0
    young: bool = True
    overdue: bool = False

    def settle(self) -> None:
        for timer in (self.lane, self.deadline):
            if timer is not None:
                timer.cancel()


class Pool:
    """Workers over one store.

    Args:
        nursery: makes the workers.
        premises: what they open.
        settings: time limit, memory limit, rows, bytes and the length of the queue.
        fast: how many short queries run at once.
        slow: how many long ones run at once.
    """

    def __init__(
        self, nursery: Nursery, premises: w.Premises, settings: Settings, fast: int = 2, slow: int = 2
    ) -> None:
        self._nursery = nursery
        self._premises = premises
        self._settings = settings
        self._fast_places = fast
        self._slow_places = slow
        self._idle: deque[Worker] = deque()
        self._fast: dict[Worker, _Task] = {}
        self._slow: dict[Worker, _Task] = {}
        self._at_hand: dict[Worker, deque[_Task]] = {}
        # One processor is for the process that speaks to the clients.
        self._together = max(1, min(fast, _processors() - 1))
        # A moving average of how long queries run.
        self._lately_s = 0.0
        self._waiting: deque[_Task] = deque()
        self._waiting_slow: deque[_Task] = deque()
        self._closed = False
        self.killed = 0

    async def open(self) -> None:
        """Starts the fast lane's workers."""
        self._loop = asyncio.get_running_loop()
        self._refill()

    def close(self) -> None:
        """Ends every worker; queries in flight are refused."""
        self._closed = True
        running = {**self._fast, **self._slow}
        at_hand = chain.from_iterable(self._at_hand.values())
        for task in [*self._waiting, *self._waiting_slow, *at_hand, *running.values()]:
            self._fail(task, SourceError("The service is closing."))
        for worker in [*running, *self._idle]:
            worker.kill()

    def reopen(self, premises: w.Premises, nursery: Nursery | None = None) -> None:
        """Lets every query from now on see another store, or have other workers; those that run go on with theirs."""
        self._premises = premises
        self._nursery = nursery or self._nursery
        for worker in [*self._idle]:
            self._forget(worker)
            worker.kill()
        for worker in [*self._at_hand]:
            self._call_back(worker)
        self._refill()
        self._assign()

    @property
    def in_flight(self) -> dict[str, int]:
        """How many queries run fast, run slow, and wait."""
        return {
            "fast": len(self._fast),
            "slow": len(self._slow),
            "waiting": len(self._waiting) + len(self._waiting_slow) + sum(map(len, self._at_hand.values())),
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
        if self.in_flight["waiting"] >= self._settings.max_waiting:
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
            # The client has left: its query goes too, and an answer that came in the same moment.
            self._drop(task)
            if not task.future.cancelled() and task.future.exception() is None:
                task.future.result().close()
            raise

    def blocking(self, job: w.Job) -> Reply:
        """Returns what `run` returns, to a thread that is not the event loop's."""
        return asyncio.run_coroutine_threadsafe(self.run(job), self._loop).result()

    # Assigning work

    def _assign(self) -> None:
        """Gives every free place to a query that waits for one, the longest waiting first."""
        while len(self._slow) < self._slow_places and self._to_slow_lane():
            self._refill()
        while self._waiting and (worker := self._next_worker()):
            task = self._waiting.popleft()
            task.worker = worker
            worker.give(task.job)
            if worker in self._fast:
                self._at_hand.setdefault(worker, deque()).append(task)
            else:
                self._fast[worker] = task
                self._watch(worker, task)

    def _next_worker(self) -> Worker | None:
        """Returns who takes the query that has waited longest: who is free, or has just begun another."""
        if self._lately_s < YOUNG_MS / 1000 / 4:
            young = [worker for worker, task in self._fast.items() if task.young and worker.premises == self._premises]
            if len(young) >= self._together or (young and not self._idle):
                worker = min(young, key=self._length)
                if self._length(worker) < _MOST_AT_HAND:
                    return worker
        # The one that was busy last finds its caches warm.
        return self._idle.pop() if self._idle or self._preempt() else None

    def _length(self, worker: Worker) -> int:
        return len(self._at_hand.get(worker, ()))

    def _call_back(self, worker: Worker, begun: bool = False) -> None:
        """Lets what a worker has at hand wait again, before all others.

        Args:
            begun: that too of which it has begun, unknown to us; the worker must be ended.
        """
        at_hand = self._at_hand.pop(worker, None)
        if at_hand is None:
            return
        for _ in range(len(at_hand) if begun else worker.call_back(len(at_hand))):
            task = at_hand.pop()
            if not task.future.done():
                task.worker = None
                self._waiting.appendleft(task)
        if at_hand:
            self._at_hand[worker] = at_hand

    def _watch(self, worker: Worker, task: _Task) -> None:
        task.begun, task.processor_s_before = self._loop.time(), worker.processor_s
        task.lane = self._loop.call_later(YOUNG_MS / 1000, self._grown_up, worker, task)

    def _grown_up(self, worker: Worker, task: _Task) -> None:
        """Lets others run elsewhere what is behind a query that is not one of the shortest."""
        task.young = False
        self._lately_s = max(self._lately_s, YOUNG_MS / 1000)
        task.lane = self._loop.call_later((LANE_MS - YOUNG_MS) / 1000, self._look_at, worker, task)
        self._call_back(worker)
        self._assign()

    def _to_slow_lane(self) -> bool:
        if self._waiting_slow:
            worker = self._idle.pop() if self._idle else self._nursery.worker(self._premises, self._replied)
            task = self._slow[worker] = self._waiting_slow.popleft()
            task.worker = worker
            worker.give(task.job)
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

    def _first_overdue(self) -> Worker | None:
        return next((worker for worker, task in self._fast.items() if task.overdue), None)

    def _look_at(self, worker: Worker, task: _Task) -> None:
        """Finds out whether a query has had its time in the fast lane, and looks again when it could have had."""
        left_s = LANE_MS / 1000 - (worker.processor_s - task.processor_s_before)
        left_s = min(left_s, task.begun + LANE_MOST_MS / 1000 - self._loop.time())
        # Where the worker has begun another, the answer to this one is on its way.
        if left_s > _LOOK_S or worker in self._at_hand:
            task.lane = self._loop.call_later(max(left_s, _LOOK_S), self._look_at, worker, task)
            return
        task.overdue = True
        self._assign()

    def _refill(self) -> None:
        while len(self._idle) + len(self._fast) < self._fast_places and not self._closed:
            self._idle.append(self._nursery.worker(self._premises, self._replied))

    def _replied(self, worker: Worker) -> None:
        """Takes in that a worker has a reply, or has died."""
        slow, task = worker in self._slow, self._fast.get(worker) or self._slow.get(worker)
        self._forget(worker)
        if worker.dead:
            self._call_back(worker, begun=True)
            if task is not None:
                self._died(worker, task)
        elif task is not None and worker.reply is not None:
            reply, worker.reply = worker.reply, None
            if not slow:
                self._lately_s += (self._loop.time() - task.begun - self._lately_s) * _NEWEST_SHARE
            self._go_on(worker, fit=not slow and not task.overdue)
            self._finish(task, worker.status, reply)
        if not self._closed:
            self._refill()
            self._assign()

    def _go_on(self, worker: Worker, fit: bool) -> None:
        """Lets a worker that has answered go on to what it has at hand, or wait, or ends it.

        One that was told to yield stays slow, one of an older store is of no more use, and one whose
        next query nobody waits for would run that; a new one takes its place.
        """
        at_hand = self._at_hand.get(worker)
        if not fit or worker.premises != self._premises or (at_hand and at_hand[0].future.done()):
            self._call_back(worker, begun=True)
            worker.kill()
        elif at_hand:
            following = self._fast[worker] = at_hand.popleft()
            if not at_hand:
                del self._at_hand[worker]
            self._watch(worker, following)
        else:
            self._idle.append(worker)

    # How a task ends

    def _finish(self, task: _Task, status: int, reply: Reply) -> None:
        task.settle()
        if task.future.done():
            reply.close()
        elif status == w.OK:
            task.future.set_result(reply)
        else:
            task.future.set_exception(reply_error(status, reply.read().decode(), self._settings))

    def _fail(self, task: _Task, error: KgError) -> None:
        task.settle()
        if not task.future.done():
            task.future.set_exception(error)

    def _too_long(self, task: _Task) -> None:
        limit, name = self._settings.query_time_limit_ms, "KG_QUERY_TIME_LIMIT_MS"
        self._drop(task)
        self._fail(task, OverloadError(f"The query took longer than {limit} ms ({name}). {_LESS}", limit=name))

    def _drop(self, task: _Task) -> None:
        """Takes a task out, wherever it is; a worker that runs it is ended."""
        task.settle()
        worker, task.worker = task.worker, None
        if worker is not None:
            self._call_back(worker)
        for queue in (self._waiting, self._waiting_slow):
            if task in queue:
                queue.remove(task)
        if worker is not None and task in (self._fast.get(worker), self._slow.get(worker)):
            self._call_back(worker, begun=True)
            self._forget(worker)
            worker.kill()
            self.killed += 1
            self._refill()
        self._assign()

    def _died(self, worker: Worker, task: _Task, tries: int = 100) -> None:
        if worker.exit_status is None and worker.pid and tries:
            # The exit status comes on the control socket, perhaps a moment later.
            self._loop.call_later(0.02, self._died, worker, task, tries - 1)
            return
        status = worker.exit_status
        ended_by = os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None
        # Rust aborts when an allocation fails; that is how a limit on memory shows, but where Python meets it.
        if ended_by == signal.SIGABRT or (status is not None and os.waitstatus_to_exitcode(status) == w.NO_MEMORY):
            self._fail(task, _no_memory(self._settings))
            return
        too_late = ended_by is None and worker.premises != self._premises
        if (too_late or not worker.pid) and not task.future.done():
            # It came to open its store when another had taken the store's place already, or was not born at all.
            if task.lane is not None:
                task.lane.cancel()
            task.worker, task.overdue = None, False
            self._waiting.appendleft(task)
            self._assign()
            return
        how = "" if status is None else f" ({_ending(status)})"
        self._fail(task, SourceError(f"The process that evaluated the query died{how}; other queries go on."))

    def _forget(self, worker: Worker) -> None:
        for lane in (self._fast, self._slow):
            lane.pop(worker, None)
        if worker in self._idle:
            self._idle.remove(worker)


def _ending(status: int) -> str:
    """Returns how a process ended, in words."""
    code = os.waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _processors() -> int:
    """Returns how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def reply_error(status: int, words: str, settings: Settings) -> KgError:
    """Returns the error that a worker's reply stands for."""
    if status == w.BAD_SPARQL:
        return BadSparql.read(words)
    if status == w.TOO_MANY_ROWS:
        most = settings.max_answer_rows
        return LimitError(f"The answer has over {most} rows (KG_MAX_ANSWER_ROWS). {_LESS}", limit="KG_MAX_ANSWER_ROWS")
    if status == w.TOO_MANY_BYTES:
        most = settings.max_answer_bytes
        return LimitError(
            f"The answer has over {most} bytes (KG_MAX_ANSWER_BYTES). {_LESS}", limit="KG_MAX_ANSWER_BYTES"
        )
    if status == w.NO_MEMORY:
        return _no_memory(settings)
    kinds = {w.BAD_PARAMETER: BadParameter, w.NOT_ACCEPTABLE: NotAcceptable}
    return kinds.get(status, SourceError)(words)


def _no_memory(settings: Settings) -> OverloadError:
    limit, name = settings.worker_memory_limit_mb, "KG_WORKER_MEMORY_LIMIT_MB"
    return OverloadError(f"The query needs more memory than {limit} MB ({name}). {_LESS}", limit=name)
