"""Reading what a request sends: no further than a limit, and strictly UTF-8 where it is text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect

from kg.errors import BadParameter, LimitError

Fields = Sequence[tuple[str, str]]
T = TypeVar("T")

# Most answers are there before anybody could have left.
_PATIENCE_S = 0.05


def media_type_of(request: Request) -> str:
    """Returns the media type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, most: int, setting: str) -> bytes:
    """Returns the body.

    Raises:
        LimitError: it is longer than `most` bytes; it is read no further.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise LimitError(f"The body is over {most} bytes; the setting {setting} bounds it.", limit=setting)
        parts.append(part)
    return b"".join(parts)


def fields_of(text: str) -> Fields:
    """Returns the fields of a form or query string; bytes that are not UTF-8 are refused, not replaced.

    Raises:
        BadParameter: a field is not UTF-8.
    """
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise BadParameter(f"query: byte {error.start} of a field is not UTF-8.") from error


def text_of(body: bytes) -> str:
    """Returns a body as text.

    Raises:
        BadParameter: it is not UTF-8.
    """
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadParameter(f"query: byte {error.start} is not UTF-8.") from error


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """Returns what the work returns; if the client leaves before, the work is cancelled.

    Raises:
        ClientDisconnect: the client has left.
    """
    asker = asyncio.current_task()
    assert asker is not None
    watch = _Watch(request, asker)
    timer = asyncio.get_running_loop().call_later(_PATIENCE_S, watch.begin)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.saw_it_leave and asker.uncancel() == 0:
            raise ClientDisconnect from None
        raise
    finally:
        timer.cancel()
        watch.end()


class _Watch:
    """Cancels the task that answers a client when the client leaves."""

    def __init__(self, request: Request, asker: asyncio.Task[Any]) -> None:
        self._request = request
        self._asker = asker
        self._watching: asyncio.Task[None] | None = None
        self.saw_it_leave = False

    def begin(self) -> None:
        self._watching = asyncio.ensure_future(self._until_it_leaves())

    def end(self) -> None:
        if self._watching is not None:
            self._watching.cancel()

    async def _until_it_leaves(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self.saw_it_leave = True
        self._asker.cancel()
