"""A workspace that is served and can be written, graph by graph.

What goes on when a graph is written is told in `kg.release.editing`. Here a write waits for its
turn, is tried by a process of its own (`kg.release.staging`) while the service goes on answering,
and is acknowledged once the new release is the one that answers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from fastapi import Request

from kg.errors import BrokenRules, Forbidden, OverloadError, SourceError
from kg.model import Finding
from kg.release.editing import (
    STAGING_ERRORS,
    Change,
    Kind,
    Shadow,
    finish,
    locked,
    place_of,
    recover,
    refuse_unwritable,
)
from kg.web.access import Tokens
from kg.web.graphs import Sent
from kg.web.serving import Serving
from kg.workspace import Settings, Workspace

logger = logging.getLogger(__name__)

# Longer than any build should take; without an end one that hangs would hold up all others.
_MOST_S = 600
_LOCK_WAIT_S = 60
_LOCK_LOOK_S = 0.05
_TAG = re.compile(r'(W/)?"([^"]*)"|(\*)')


class WritableServing(Serving):
    """The release of a workspace, whose graphs may be written by who has a token.

    Args:
        workspace: the files that are written.
        tokens: who may write.
    """

    def __init__(self, workspace: Workspace, settings: Settings, tokens: Tokens) -> None:
        folder = workspace.releases(settings)
        super().__init__(folder, replace(settings, releases=str(folder)))
        self._workspace = workspace
        self._tokens = tokens
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._closing = False
        self._ready: subprocess.Popen[str] | None = None

    async def open(self) -> None:
        """Opens the release.

        Raises:
            ReleaseError, SourceError, DataError: the release or the texts cannot be opened.
        """
        await super().open()
        self._ready = _staging_process()

    async def close(self) -> None:
        """Ends everything, once the write at hand is done."""
        self._closing = True
        async with self._turn:
            if self._ready is not None:
                await asyncio.to_thread(_end, self._ready)
                self._ready = None
        await super().close()

    def may_write(self, request: object) -> None:
        """Returns when the request carries a known token, and the files can be written.

        Raises:
            Unauthorised, Forbidden: it does not, or they cannot.
        """
        self._holder(request)
        refuse_unwritable(self._workspace)

    async def write_graph(self, request: object, *graph_kind_and_body: object) -> bool:
        """Puts, adds to or drops a graph, and tells whether it was there before; returns once that is served.

        Raises:
            Unauthorised, Forbidden, Conflict: it may not be written.
            OutOfDate: it is not what the request's conditions say.
            BadParameter, BrokenRules: what was sent does not parse, or may not stand.
            OverloadError: too many writes wait.
            DataError, SourceError: another file is wrong, or the disk failed.
        """
        graph, kind, sent = cast(tuple[str | None, Kind, Sequence[Sent]], graph_kind_and_body)
        self.may_write(request)
        place_of(self._workspace, graph)
        assert graph is not None and isinstance(request, Request)
        files = tuple((part.media_type, part.path) for part in sent)
        only_if, unless = (_tags(request, name) for name in ("if-match", "if-none-match"))
        change = Change(graph, kind, files, self._holder(request), only_if, unless)
        # A write that has begun is finished, whether or not its client still waits.
        return await asyncio.shield(asyncio.ensure_future(self._written(change)))

    def may_update(self, _request: object) -> None:
        """Refuses: what is written here is whole graphs.

        Raises:
            Forbidden: always.
        """
        raise Forbidden("This endpoint takes no updates; a graph is written with PUT, POST or DELETE at /graphs.")

    def _holder(self, request: object) -> str:
        assert isinstance(request, Request)
        return self._tokens.holder(request.headers.get("authorization"))

    async def _written(self, change: Change) -> bool:
        async with self._alone():
            try:
                return await self._made(change)
            finally:
                # Begun only now: it would take the processor from the write it comes after.
                self._ready = self._ready or _staging_process()

    async def _made(self, change: Change) -> bool:
        await asyncio.to_thread(recover, self._workspace, self.settings)
        shadow = await self._staged(change)
        if shadow is None:
            return False
        journal = await asyncio.to_thread(finish, self._workspace, self.settings, shadow)
        await self.follow()
        logger.info("%s wrote %s: release %s", change.who, change.graph, journal.entry.release_after[:12])
        return journal.existed

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Waits until nobody else writes the workspace, here or in another process.

        Raises:
            OverloadError: too many wait already, or the other does not come to an end.
            SourceError: the service is closing.
        """
        if self._waiting >= self.settings.max_waiting:
            raise OverloadError(
                f"{self.settings.max_waiting} writes wait already (KG_MAX_WAITING); try again soon.",
                limit="KG_MAX_WAITING",
            )
        self._waiting += 1
        try:
            async with self._turn:
                if self._closing:
                    raise SourceError("The service is closing; nothing was changed.")
                with ExitStack() as held:
                    await self._lock(held)
                    yield
        finally:
            self._waiting -= 1

    async def _lock(self, held: ExitStack) -> None:
        for _ in range(int(_LOCK_WAIT_S / _LOCK_LOOK_S)):
            if held.enter_context(locked(self._workspace)):
                return
            held.close()
            await asyncio.sleep(_LOCK_LOOK_S)
        limit = f"{_LOCK_WAIT_S} s"
        raise OverloadError(f"Another process has held this workspace for {limit}; try again soon.", limit=limit)

    async def _staged(self, change: Change) -> Shadow | None:
        """Has a change tried by the process that is ready."""
        process, self._ready = self._ready, None
        if process is None or process.poll() is not None:
            process = _staging_process()
        request = {
            "workspace": str(self._workspace.root),
            "settings": asdict(self.settings),
            "change": asdict(change),
        }
        answer = await asyncio.to_thread(_asked, process, json.dumps(request))
        if "error" in answer:
            raise _told(answer)
        return None if answer["shadow"] is None else Shadow(Path(answer["shadow"]))


def _tags(request: Request, header: str) -> tuple[str, ...] | None:
    """Returns the graphs' tags in a condition, `*` for any; those of every format count (the part before the dot)."""
    lines = request.headers.getlist(header)
    if not lines:
        return None
    # A weak tag names no exact state: it never fits If-Match, and fits If-None-Match (RFC 9110, section 13.1).
    kept = [m for m in _TAG.finditer(", ".join(lines)) if not (m[1] and header == "if-match")]
    return tuple(m[3] or m[2].partition(".")[0] for m in kept)


def _staging_process() -> subprocess.Popen[str]:
    """Starts a process that loads what a write needs, and then waits to be told one."""
    command = [sys.executable, "-m", "kg.release.staging"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _asked(process: subprocess.Popen[str], request: str) -> dict[str, Any]:
    try:
        text, _ = process.communicate(request + "\n", timeout=_MOST_S)
    except subprocess.TimeoutExpired as error:
        _end(process)
        raise SourceError(f"The build took longer than {_MOST_S} s and was ended; nothing was changed.") from error
    try:
        answer = json.loads(text)
    except ValueError as error:
        _end(process)
        raise SourceError("The process that checks and builds has ended; nothing was changed.") from error
    assert isinstance(answer, dict)
    return answer


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _told(answer: dict[str, Any]) -> Exception:
    kind, message = STAGING_ERRORS[answer["error"]], str(answer["message"])
    if kind is BrokenRules:
        return BrokenRules(message, [Finding(**finding) for finding in answer["findings"]])
    return kind(message)
