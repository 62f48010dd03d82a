"""What is served from an engine: the release that stands there, and 503 while another is being written.

Our own parser reads every stranger's query first, in a worker that can be ended, so that an engine is
never sent what does not parse, and a mistake is told at the same place whichever engine answers.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pyoxigraph import Store

from kg.answers import Answers
from kg.engines.nursery import Nursery
from kg.engines.pool import Pool
from kg.engines.remote.catalogue import Stamp, read_stamp
from kg.engines.remote.engine import Engine, open_engine
from kg.engines.remote.lanes import Lane, PublishedSource, being_published
from kg.engines.remote.source import Check, RemoteSource, trusts
from kg.engines.source import Request
from kg.engines.worker import Job, premises_of
from kg.errors import LimitError, OverloadError, UnknownName
from kg.release.companion import companion, dataset_of, open_beside, standing
from kg.release.directory import ReleaseDirectory, check_beginning
from kg.tokens import is_graph_form
from kg.web.serving import Served, Serving, tags_of
from kg.workspace import Settings

_TABLE, _TRIPLES = "application/sparql-results+json", "application/n-triples"


class EngineServing(Serving):
    """The release that stands in an engine.

    Args:
        address: of the engine.
        folder: a folder of releases, for what is kept beside the engine.
    """

    def __init__(self, address: str, folder: Path, settings: Settings) -> None:
        # An engine would follow SERVICE itself, where no limit of ours holds.
        super().__init__(folder, replace(settings, service_allowed=None))
        self._address = address
        self._engine: Engine | None = None
        self._stamp: Stamp | None = None
        self._publishing = False

    async def open(self) -> None:
        """Opens the release that stands in the engine, and begins to look for newer ones.

        Raises:
            As `Serving.open`.
            SourceError: the engine does not answer, or holds no whole release.
        """
        self._engine = await asyncio.to_thread(open_engine, self._address, self.settings)
        self._empty = tempfile.TemporaryDirectory(prefix="kg-empty-")
        try:
            await asyncio.to_thread(_make_empty, Path(self._empty.name) / "store")
            await super().open()
        except BaseException:
            self._let_go()
            raise

    async def close(self) -> None:
        """Ends everything."""
        await super().close()
        self._let_go()

    async def taken(self, release: str | None = None, parameter: str = "release") -> Served:
        """Returns what a request asks, as `Serving.taken`.

        Raises:
            Publishing: a release is being written to the engine.
            BadParameter: what names a release is no beginning of an id.
            UnknownName: an older release is named, which an engine does not keep.
        """
        if self._publishing:
            raise being_published()
        return await super().taken(release, parameter)

    async def _named(self, release: str, parameter: str) -> Served:
        check_beginning(release, parameter)
        if self.current.release_id.startswith(release):
            return self.current
        raise UnknownName(
            f"{parameter}: {release!r} is not kept here; an engine holds {self.current.release_id} alone."
        )

    def _found(self) -> ReleaseDirectory:
        assert self._engine is not None
        self._stamp = standing(self._engine)
        return companion(self._engine, self._stamp, self._folder)

    async def _take_over(self) -> None:
        assert self._engine is not None
        stamp = await asyncio.to_thread(read_stamp, self._engine)
        self._publishing = stamp.publishing is not None
        if not self._publishing and stamp.release is not None and stamp != self._stamp:
            await self._exchange(await asyncio.to_thread(self._found))

    async def _served(self, directory: ReleaseDirectory, older: bool = False) -> Served:
        del older  # an engine holds one release
        assert self._engine is not None and self._stamp is not None and self._texts is not None
        engine = self._connected()
        source = self._source(engine, directory, self._stamp, trusts)
        release = await asyncio.to_thread(open_beside, directory, source, engine, self._stamp)
        premises = premises_of(Path(self._empty.name) / "store", directory.prefixes.namespaces, self.settings)
        nursery = Nursery()
        await nursery.open()
        parser = Pool(nursery, premises, self.settings)
        await parser.open()
        reading = self._source(self._connected(), directory, self._stamp, _reads(parser))
        free, house = _ParsedLane(reading, self.settings, parser), Lane(source, self.settings)
        answers = Answers(release, self._texts, self.settings)
        return Served(answers, free, house, self._texts, tags_of(directory), nursery)

    def _connected(self) -> Engine:
        # Each source has connections of its own, which end with it.
        return open_engine(self._address, replace(self.settings, engine_kind=self._kind))

    def _source(self, engine: Engine, directory: ReleaseDirectory, stamp: Stamp, check: Check) -> PublishedSource:
        return PublishedSource(RemoteSource(engine, directory.prefixes, dataset_of(directory), check), engine, stamp)

    @property
    def _kind(self) -> str:
        assert self._engine is not None
        return self._engine.kind.name

    def _let_go(self) -> None:
        assert self._engine is not None
        self._engine.close()
        self._empty.cleanup()


class _ParsedLane(Lane):
    """A lane whose queries are read by our own parser first."""

    def __init__(self, source: PublishedSource, settings: Settings, parser: Pool) -> None:
        super().__init__(source, settings)
        self._parser = parser

    def close(self) -> None:
        """Takes no more, and ends the parser."""
        super().close()
        self._parser.close()
        self._source.close()


def _make_empty(folder: Path) -> None:
    Store(str(folder)).flush()


def _reads(parser: Pool) -> Check:
    """Returns the check that lets a worker over an empty store read a query."""

    def check(request: Request, prefixes: Mapping[str, str]) -> None:
        del prefixes  # the workers know them
        media_type = _TRIPLES if is_graph_form(request.query) else _TABLE
        job = Job(request.query, media_type, (), (), 1000, 1 << 20, request.base)
        try:
            parser.blocking(job).close()
        except OverloadError:
            raise
        except LimitError:
            return  # it was read; how much it comes to is for the engine to say

    return check
