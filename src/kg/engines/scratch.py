"""A plain dataset that can be written: one process writes, others read its last checkpoint.

A store must not be read by other processes while it is written, so readers open a checkpoint
(hard links, a few milliseconds), made when a query comes after a change. A change that takes
too long costs its process, not the data: the store keeps what was acknowledged.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from kg.engines.nursery import Nursery, Reply, Worker
from kg.engines.pool import Pool, reply_error
from kg.engines.worker import OK, Job, Premises, premises_of
from kg.engines.writing import Write, graph_name
from kg.errors import OverloadError, SourceError
from kg.workspace import Settings

# How long to wait for a process that was told to end, and how often to look.
_MOST_DYING_S = 5.0
_LOOK_S = 0.01


class Scratch:
    """A dataset in a folder, asked and changed through workers.

    Args:
        folder: made when it is missing; belongs to one service at a time.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._nursery = Nursery()
        self._turn = asyncio.Lock()
        self._changed = False
        self._writer: Worker | None = None
        self._answered: asyncio.Future[Reply] | None = None

    async def open(self) -> None:
        """Opens the dataset.

        Raises:
            SourceError: the folder cannot be used, or another process has it.
        """
        try:
            await asyncio.to_thread(self._prepare)
        except OSError as error:
            raise SourceError(f"{self._folder}: cannot be used: {error.strerror}.") from error
        await self._nursery.open()
        try:
            self._checkpoint = await self._new_checkpoint()
        except BaseException:
            await self._nursery.close()
            self._let_go()
            raise
        self._pool = Pool(self._nursery, self._premises(self._checkpoint), self._settings)
        await self._pool.open()

    async def close(self) -> None:
        """Ends every process; what was acknowledged stays."""
        self._pool.close()
        await self._nursery.close()
        await asyncio.to_thread(shutil.rmtree, self._checkpoints, ignore_errors=True)
        self._let_go()

    @property
    def in_flight(self) -> dict[str, int]:
        return self._pool.in_flight

    @property
    def killed(self) -> int:
        return self._pool.killed

    async def ask(self, job: Job) -> Reply:
        """Returns the answer to a query over everything acknowledged before it came.

        Raises:
            As `Pool.run`.
        """
        if self._changed:
            async with self._turn:
                if self._changed:
                    await self._take_checkpoint()
        return await self._pool.run(job)

    async def has_graph(self, graph: str) -> bool:
        """Tells whether there is a named graph of that name, be it empty.

        Raises:
            BadParameter: the name is no IRI.
        """
        query = f"ASK {{ GRAPH {graph_name(graph)} {{}} }}"
        media_type = "application/sparql-results+json"
        reply = await self.ask(Job(query, media_type, (), (), 1, self._settings.max_answer_bytes))
        return bool(json.loads(reply.content)["boolean"])

    async def change(self, write: Write) -> dict[str, object]:
        """Applies a change, whole or not at all, and returns what was there before.

        Raises:
            BadSparql, BadParameter: it does not parse.
            OverloadError: it took too long, or too many wait; nothing was changed.
            SourceError: the store failed.
        """
        async with self._turn:
            self._changed = True
            reply = await self._written(write)
            found = json.loads(reply.content)
            assert isinstance(found, dict)
            return found

    # What goes on inside

    @property
    def _checkpoints(self) -> Path:
        return self._folder / "checkpoints"

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._claim()
        shutil.rmtree(self._checkpoints, ignore_errors=True)
        self._checkpoints.mkdir()

    def _claim(self) -> None:
        """Holds the folder until this process lets go of it or dies: another's checkpoints are not to be removed."""
        self._lock = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._let_go()
            raise SourceError(f"{self._folder}: another service has it; give this one a folder of its own.") from error

    def _let_go(self) -> None:
        os.close(self._lock)

    def _premises(self, store: Path, writable: bool = False) -> Premises:
        return premises_of(store, {}, self._settings, writable)

    async def _take_checkpoint(self) -> None:
        before, self._checkpoint = self._checkpoint, await self._new_checkpoint()
        self._changed = False
        self._pool.reopen(self._premises(self._checkpoint))
        # Those who read it still have its files open; the names can go.
        await asyncio.to_thread(shutil.rmtree, before, ignore_errors=True)

    async def _new_checkpoint(self) -> Path:
        target = self._checkpoints / uuid.uuid4().hex
        await self._written(Write("checkpoint", text=str(target)))
        return target

    async def _written(self, write: Write) -> Reply:
        """Sends a change to the writing process, a new one when the last has ended."""
        if self._writer is None or self._writer.dead:
            await self._ended(self._writer)
            premises = self._premises(self._folder / "store", writable=True)
            self._writer = self._nursery.worker(premises, self._replied)
        writer = self._writer
        self._answered = asyncio.get_running_loop().create_future()
        writer.give(write)
        limit = self._settings.query_time_limit_ms
        try:
            reply = await asyncio.wait_for(self._answered, limit / 1000)
        except TimeoutError as error:
            writer.kill()
            name = "KG_QUERY_TIME_LIMIT_MS"
            raise OverloadError(f"The change took longer than {limit} ms ({name}); it was not made.", name) from error
        except asyncio.CancelledError:
            writer.kill()
            raise
        if writer.status != OK:
            raise reply_error(writer.status, reply.read().decode(), self._settings)
        return reply

    async def _ended(self, writer: Worker | None) -> None:
        """Returns when a process that was told to end is gone: until then it holds the store."""
        given_up = asyncio.get_running_loop().time() + _MOST_DYING_S
        while writer is not None and writer.exit_status is None and asyncio.get_running_loop().time() < given_up:
            await asyncio.sleep(_LOOK_S)

    def _replied(self, worker: Worker) -> None:
        answered = self._answered
        if answered is None or answered.done() or worker is not self._writer:
            return
        if worker.dead or worker.reply is None:
            answered.set_exception(SourceError("The process that writes ended; nothing was changed by this request."))
        else:
            reply, worker.reply = worker.reply, None
            answered.set_result(reply)


def graph_job(graphs: Sequence[str], media_type: str, settings: Settings) -> Job:
    """Returns the job that reads a whole graph; no name means the default graph."""
    query = "CONSTRUCT WHERE { ?s ?p ?o }"
    return Job(query, media_type, tuple(graphs), (), settings.max_answer_rows, settings.max_answer_bytes)
