"""Queries on their way to an engine: so many at once, the rest in a bounded queue, each answered whole or not."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import IO, cast

from pyoxigraph import Triple

from kg.engines import worker as w
from kg.engines.nursery import Reply
from kg.engines.pool import reply_error
from kg.engines.remote.catalogue import Stamp, read_stamp
from kg.engines.remote.engine import Engine
from kg.engines.remote.source import RemoteSource
from kg.engines.source import Request, Rows
from kg.engines.spool import BoundedSpool
from kg.engines.worker import Job
from kg.errors import OverloadError, Publishing, SourceError
from kg.workspace import Settings


class PublishedSource:
    """A Source over one publication of a release in an engine; what is answered while another is written is refused.

    Args:
        source: asks the engine; closed with this.
        stamp: what stood in the engine when this was opened.
    """

    def __init__(self, source: RemoteSource, engine: Engine, stamp: Stamp) -> None:
        self._source = source
        self._engine = engine
        self._stamp = stamp

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        found = self._source.select(query, max_rows)
        self._still_stands()
        return found

    def ask(self, query: str) -> bool:
        found = self._source.ask(query)
        self._still_stands()
        return found

    def construct(self, query: str) -> list[Triple]:
        found = self._source.construct(query)
        self._still_stands()
        return found

    def reply(self, request: Request, media_type: str) -> bytes:
        found = self._source.reply(request, media_type)
        self._still_stands()
        return found

    def write(self, request: Request, media_type: str, out: IO[bytes], max_triples: int | None = None) -> None:
        """Writes the answer to any query to a file, as `RemoteSource.write`.

        Raises:
            As that.
            Publishing: another release is being written, or has been; the file is to be thrown away.
        """
        self._source.write(request, media_type, out, max_triples)
        self._still_stands()

    def close(self) -> None:
        self._source.close()

    def _still_stands(self) -> None:
        """Returns when the engine holds what it held: a publication writes its marker before anything else.

        Raises:
            Publishing: it does not.
        """
        if read_stamp(self._engine) != self._stamp:
            raise being_published()


def being_published() -> Publishing:
    """Returns the error for a question that comes while a release is being written."""
    return Publishing("A release is being written to the engine; ask again in a moment.")


class Lane:
    """Answers jobs from an engine, as a pool of workers does from a store.

    Args:
        places: how many are asked at once.
    """

    killed = 0

    def __init__(self, source: PublishedSource, settings: Settings, places: int = 4) -> None:
        self._source = source
        self._settings = settings
        self._places = places
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="engine")
        self._under_way = 0
        self._counting = Lock()

    @property
    def in_flight(self) -> dict[str, int]:
        """How many queries run, and how many wait."""
        running = min(self._under_way, self._places)
        return {"fast": running, "slow": 0, "waiting": self._under_way - running}

    async def run(self, job: Job) -> Reply:
        """Returns the whole answer to a query.

        Raises:
            OverloadError: too many wait.
            As `PublishedSource.write`; LimitError: the answer has too many rows or bytes.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._counted(job))

    def blocking(self, job: Job) -> Reply:
        """Returns what `run` returns, to a thread that is not the event loop's."""
        return self._threads.submit(self._counted(job)).result()

    def close(self) -> None:
        """Takes no more; what is under way ends in its own time."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _counted(self, job: Job) -> Callable[[], Reply]:
        if self.in_flight["waiting"] >= self._settings.max_waiting:
            words = f"{self._settings.max_waiting} queries wait already (KG_MAX_WAITING); try again soon."
            raise OverloadError(words, limit="KG_MAX_WAITING")
        self._count(1)

        def answered() -> Reply:
            try:
                return self._answer(job)
            finally:
                self._count(-1)

        return answered

    def _count(self, change: int) -> None:
        with self._counting:
            self._under_way += change

    def _answer(self, job: Job) -> Reply:
        request = Request(job.query, job.default_graphs, job.named_graphs, job.base)
        with contextlib.closing(BoundedSpool(job.media_type, job.max_bytes, job.max_rows)) as spool:
            try:
                self._source.write(request, job.media_type, cast(IO[bytes], spool), job.max_rows)
            except OSError as error:
                if spool.full is None:
                    raise SourceError(f"The answer cannot be kept: {error}.") from error
                status = w.TOO_MANY_ROWS if spool.full == "rows" else w.TOO_MANY_BYTES
                raise reply_error(status, "", self._settings) from error
            if spool.file is None:
                return Reply(spool.in_memory(), None, spool.size)
            spool.flush()
            return Reply(b"", os.dup(spool.file.fileno()), spool.size)
