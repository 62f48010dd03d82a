"""Scratch mode: a plain dataset behind the same endpoint, with updates and graph writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal, cast

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from kg.engines.guards import guard_update
from kg.engines.nursery import Reply
from kg.engines.scratch import Scratch, graph_job
from kg.engines.worker import Job
from kg.engines.writing import Write
from kg.errors import OutOfDate, UnknownName
from kg.web.access import Tokens
from kg.web.bodies import Fields
from kg.web.cache import AnswerCache
from kg.web.graphs import Sent
from kg.workspace import Settings

router = APIRouter(include_in_schema=False)


class ScratchServing:
    """A scratch dataset as the endpoints see it.

    Args:
        folder: where the dataset is kept.
        tokens: who may write.
    """

    stamp: str | None = None
    release_id: str | None = None

    def __init__(self, folder: Path, settings: Settings, tokens: Tokens) -> None:
        self.settings = settings
        self.cache = AnswerCache(settings.answer_cache_bytes)
        self._tokens = tokens
        self._scratch = Scratch(folder, settings)

    async def open(self) -> None:
        """Opens the dataset.

        Raises:
            SourceError: the folder cannot be used.
        """
        await self._scratch.open()

    async def close(self) -> None:
        """Closes the dataset."""
        await self._scratch.close()

    async def probe(self) -> None:
        """Returns when the dataset answers.

        Raises:
            SourceError, OverloadError: it does not.
        """
        # Asked as any query, but with an answer that does not grow with the dataset.
        (
            await self.run(Job("ASK {}", "application/sparql-results+json", (), (), 1, self.settings.max_answer_bytes))
        ).close()

    def readings(self) -> Mapping[str, Callable[[], float]]:
        """Numbers for the metrics."""
        found: dict[str, Callable[[], float]] = {"kg_queries_killed": lambda: self._scratch.killed}
        for lane in ("fast", "slow", "waiting"):
            found[f"kg_queries_{lane}"] = lambda lane=lane: self._scratch.in_flight[lane]  # type: ignore[misc]  # a default binds the loop's value
        return found

    async def taken(self, release: str | None = None) -> AbstractContextManager[ScratchServing]:
        """Returns itself: there is only one dataset.

        Raises:
            UnknownName: a release is asked for.
        """
        if release is not None:
            raise UnknownName("release: a scratch dataset has no releases.")
        return nullcontext(self)

    async def run(self, job: Job) -> Reply:
        """Returns the answer to a query."""
        return await self._scratch.ask(job)

    async def update(self, request: Request, text: str, fields: Fields) -> None:
        """Applies an update, whole or not at all.

        Raises:
            Unauthorised: no token, or an unknown one.
            Forbidden, LimitError, BadSparql, BadParameter, OverloadError: as guards and engine find.
        """
        self.may_update(request)
        await asyncio.to_thread(guard_update, text, self.settings)
        using = tuple(value for name, value in fields if name == "using-graph-uri")
        using_named = tuple(value for name, value in fields if name == "using-named-graph-uri")
        base = str(request.url.replace(query="", fragment=""))
        await self._scratch.change(Write("update", text=text, using=using, using_named=using_named, base=base))

    def may_update(self, request: Request) -> None:
        """Returns when the request carries a known token.

        Raises:
            Unauthorised: it does not.
        """
        self._tokens.holder(request.headers.get("authorization"))

    # The graph store

    def may_write(self, request: Request) -> None:
        """As `may_update`."""
        self.may_update(request)

    def graph_of(self, request: Request, path: str) -> str:
        """Returns the graph's name: the address of the request itself."""
        root = str(request.base_url).rstrip("/")
        return f"{root}/graphs/{path}"

    async def read_graph(self, graph: str | None, media_type: str) -> Reply | None:
        """Returns a whole graph, None when there is none of that name."""
        if graph is not None and not await self._scratch.has_graph(graph):
            return None
        names = () if graph is None else (graph,)
        return await self._scratch.ask(graph_job(names, media_type, self.settings))

    def tag_of(self, graph: str | None) -> None:
        """Tells nothing: a scratch dataset does not keep the state of each graph."""
        del graph

    async def write_graph(self, request: Request, graph: str | None, kind: str, sent: Sequence[Sent]) -> bool:
        """Puts, adds to or drops a graph, and tells whether it was there before.

        Raises:
            OutOfDate: the request sets a condition, which cannot be known to hold.
            BadParameter, SourceError, OverloadError: as the engine finds.
        """
        for condition in ("If-Match", "If-None-Match"):
            if condition in request.headers:
                words = "a scratch dataset keeps no state of each graph; write without it. Nothing was changed."
                raise OutOfDate(f"{condition}: {words}")
        files = tuple((part.media_type, part.path) for part in sent)
        found = await self._scratch.change(Write(cast(Literal["put", "post", "drop"], kind), graph, "", files))
        return bool(found["existed"])


@router.get("/")
async def start() -> RedirectResponse:
    return RedirectResponse("/sparql")


@router.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
async def no_api(path: str) -> None:
    raise UnknownName(f"/api/{path}: a scratch dataset has no questions; serve a workspace for these.")
