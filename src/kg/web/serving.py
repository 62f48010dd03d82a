"""What is being served: one release at a time, with workers of its own, exchanged without a gap.

A request takes the current release once, at its beginning, and keeps it to its end; so no
answer mixes two. A new release is opened beside the old one, then takes its place; the old one
is closed when its last request is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol, cast

from kg.answers import Answers
from kg.engines.memory import Memory
from kg.engines.nursery import Nursery, Reply
from kg.engines.pool import Pool
from kg.engines.pooled import PooledSource
from kg.engines.resident import BYTES_A_TRIPLE
from kg.engines.scratch import graph_job
from kg.engines.worker import Job, premises_of
from kg.errors import Forbidden, KgError, ReleaseError, SourceError, UnknownName
from kg.evidence import Texts, read_texts
from kg.names import GRAPH
from kg.release.directory import ReleaseDirectory, find_release, kept_release
from kg.release.opened import open_release
from kg.web.cache import AnswerCache
from kg.workspace import Settings

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5


class Lane(Protocol):
    """What answers one kind of query: workers over a store, or an engine."""

    killed: int

    @property
    def in_flight(self) -> Mapping[str, int]:
        """How many queries run fast, run slow, and wait."""

    async def run(self, job: Job) -> Reply:
        """Returns the whole answer to a query."""

    def blocking(self, job: Job) -> Reply:
        """Returns what `run` returns, to a thread that is not the event loop's."""

    def close(self) -> None:
        """Ends what is under way."""


@dataclass(eq=False)
class Served:
    """One release, open: what asks it, and the workers of its two kinds of query.

    As a context it is in use: one that is retired is closed when the last use has ended.
    `free` runs what strangers write, `house` our own questions; neither waits for the other.
    `tags` has for each named graph the digest of its triples; `nursery` makes the workers, and `memory` such as
    have the release in memory.
    """

    answers: Answers
    free: Lane
    house: Lane
    texts: Texts
    tags: Mapping[str, str]
    nursery: Nursery
    memory: Memory | None = None
    users: int = 0
    retired: bool = False

    @property
    def release_id(self) -> str:
        return self.answers.release_id

    @cached_property
    def stamp(self) -> str:
        """Names what every answer depends on: the release, and which texts are held."""
        return f"{self.release_id} {self.texts.digest}"

    async def run(self, job: Job) -> Reply:
        """Returns the answer to free SPARQL."""
        return await self.free.run(job)

    def __enter__(self) -> Served:
        self.users += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self.users -= 1
        self.close_when_unused()

    def retire(self) -> None:
        """Lets it end with its last use."""
        self.retired = True
        self.close_when_unused()

    def close_when_unused(self) -> None:
        if self.retired and not self.users:
            self.close()

    def close(self) -> asyncio.Future[list[int]]:
        """Ends its workers and lets go of its files; what is returned is done when the last process is gone."""
        self.free.close()
        self.house.close()
        self.answers.close()
        return asyncio.gather(self.nursery.close(), *([self.memory.close()] if self.memory is not None else []))


class Serving:
    """The release that is served, and older ones that are asked for by name.

    Args:
        folder: a release, or a folder of releases whose current one is served and followed.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self.settings = settings
        self.cache = AnswerCache(settings.answer_cache_bytes)
        self._older: dict[str, Served] = {}
        self._texts: Texts | None = None
        self._watching: asyncio.Task[None] | None = None
        self._following = asyncio.Lock()
        self._opening = asyncio.Lock()
        self.swaps = 0

    async def open(self) -> None:
        """Opens the release and begins to look for newer ones.

        Raises:
            ReleaseError, SourceError, DataError: the release or the texts cannot be opened.
        """
        folder = self.settings.texts
        self._texts = await asyncio.to_thread(read_texts, Path(folder) if folder else None)
        self.current = await self._served(await asyncio.to_thread(self._found))
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Ends everything."""
        if self._watching is not None:
            # Not in the middle of taking a release over: what is half open then has nobody to close it.
            async with self._following:
                self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await asyncio.gather(*[served.close() for served in (self.current, *self._older.values())])

    async def taken(self, release: str | None = None, parameter: str = "release") -> Served:
        """Returns what a request asks; as a context it stays open until the request is done.

        Args:
            release: its id, or the beginning of it; None for the current one.
            parameter: what messages call that.

        Raises:
            UnknownName: no kept release has that id.
            BadParameter: it is no beginning of an id, or of several.
        """
        return self.current if release is None else await self._named(release, parameter)

    async def probe(self) -> None:
        """Returns when the release answers.

        Raises:
            SourceError, OverloadError: it does not.
        """
        with await self.taken() as served:
            await asyncio.to_thread(served.answers.probe)

    def readings(self) -> Mapping[str, Callable[[], float]]:
        """Numbers for the metrics."""
        found: dict[str, Callable[[], float]] = {
            "kg_release_swaps": lambda: self.swaps,
            "kg_release_in_memory": lambda: self.current.memory is not None and self.current.memory.holds,
            "kg_cache_hits": lambda: self.cache.hits,
            "kg_cache_misses": lambda: self.cache.misses,
            "kg_queries_killed": lambda: self.current.free.killed + self.current.house.killed,
        }
        for lane in ("fast", "slow", "waiting"):
            found[f"kg_queries_{lane}"] = lambda lane=lane: self.current.free.in_flight[lane]  # type: ignore[misc]  # a default binds the loop's value
        return found

    # The graph store, to be read

    def may_write(self, _request: object) -> None:
        """Refuses: what is served is a release.

        Raises:
            Forbidden: always.
        """
        raise Forbidden("This service is read-only; change the files of the workspace and build.")

    def graph_of(self, request: object, path: str) -> str:
        """Returns the name of the graph that a direct address stands for."""
        del request
        return GRAPH + path

    async def read_graph(self, graph: str | None, media_type: str) -> Reply | None:
        """Returns a whole graph, None when there is none of that name."""
        with await self.taken() as served:
            if graph is not None and graph not in served.answers.release().graphs:
                return None
            return await served.run(graph_job(() if graph is None else (graph,), media_type, self.settings))

    def tag_of(self, graph: str | None) -> str | None:
        """Returns what tells the state of a graph: the digest of its triples, of the default graph the release."""
        return self.current.release_id if graph is None else self.current.tags.get(graph)

    async def write_graph(self, request: object, *_graph_kind_and_body: object) -> bool:
        """Refuses, as `may_write`."""
        self.may_write(request)
        return False

    def may_update(self, _request: object) -> None:
        """Refuses: what is served is a release.

        Raises:
            Forbidden: always.
        """
        raise Forbidden(
            "This endpoint is read-only; an update is refused. Change the files of the workspace and build."
        )

    async def update(self, request: object, *_text_and_fields: object) -> None:
        """Refuses, as `may_update`."""
        self.may_update(request)

    async def _named(self, release: str, parameter: str) -> Served:
        """Returns the release whose id begins with that text; it must be kept."""
        if release == self.current.release_id:
            return self.current
        directory = await asyncio.to_thread(kept_release, self._folder, release, parameter)
        if directory.id == self.current.release_id:
            return self.current
        # One at a time, so that two who ask for the same open it once.
        async with self._opening:
            if directory.id not in self._older:
                await self._make_room()
                self._older[directory.id] = await self._opened(directory)
            return self._older[directory.id]

    async def _opened(self, directory: ReleaseDirectory) -> Served:
        try:
            return await self._served(directory, older=True)
        except (ReleaseError, SourceError) as error:
            if directory.root.is_dir():
                raise
            raise UnknownName(f"release: {directory.id} is no longer kept; a newer one took its place.") from error

    async def _make_room(self) -> None:
        while len(self._older) >= self.settings.keep_releases:
            self._older.pop(next(iter(self._older))).retire()

    def _found(self) -> ReleaseDirectory:
        """Returns the release that is to be served now."""
        return find_release(self._folder)

    async def _served(self, directory: ReleaseDirectory, older: bool = False) -> Served:
        """Returns a release, open.

        Args:
            older: it is asked now and then beside the current one, and not worth memory.
        """
        opened = await asyncio.to_thread(open_release, directory.root)
        nursery = Nursery()
        await nursery.open()
        premises = premises_of(directory.store, directory.prefixes.namespaces, self.settings)
        free = Pool(nursery, premises, self.settings)
        house = Pool(nursery, premises, self.settings)
        for pool in (free, house):
            await pool.open()
        pooled = replace(opened, source=PooledSource(house, self.settings))
        # Opening showed that the store is there; from here on only workers ask it.
        opened.source.close()
        assert self._texts is not None
        memory = None
        if not older and bytes_in_memory(directory) <= self.settings.memory_store_mb << 20:
            memory = Memory(directory.store, premises, (free, house), nursery)
            await memory.open()
        answers = Answers(pooled, self._texts, self.settings)
        return Served(answers, free, house, self._texts, tags_of(directory), nursery, memory)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self.follow()
            except KgError as error:
                # What is served stays served; the next look may find the release whole.
                logger.warning("the new release cannot be opened: %s", error)

    async def follow(self) -> None:
        """Takes over the release that is current now.

        Raises:
            ReleaseError, SourceError: it cannot be opened.
        """
        # One at a time, so that a slow look never puts back what a later one has exchanged.
        async with self._following:
            await self._take_over()

    async def _take_over(self) -> None:
        directory = await asyncio.to_thread(self._found)
        if directory.id == self.current.answers.release_id:
            return
        await self._exchange(directory)

    async def _exchange(self, directory: ReleaseDirectory) -> None:
        served = await self._served(directory)
        before, self.current = self.current, served
        self.swaps += 1
        logger.info("now serving release %s", directory.id[:12])
        before.retire()


def bytes_in_memory(directory: ReleaseDirectory) -> int:
    """Returns about how much memory the default graph of a release takes."""
    counts = cast(Mapping[str, int], directory.manifest["counts"])
    return counts["triples"] * BYTES_A_TRIPLE


def tags_of(directory: ReleaseDirectory) -> dict[str, str]:
    """Returns for each named graph of a release the digest of its triples."""
    graphs = cast(Mapping[str, Mapping[str, str]], directory.manifest.get("graphs", {}))
    return {name: str(entry["sha256"]) for name, entry in graphs.items()}
