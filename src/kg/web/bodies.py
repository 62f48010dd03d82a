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
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=_PATIENCE_S)
        if not done:
            await _first_of(task, request)
    finally:
        if not task.done():
            task.cancel()
    return task.result()


async def _first_of(task: asyncio.Future[Any], request: Request) -> None:
    gone: asyncio.Future[Any] = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if not task.done():
        raise ClientDisconnect


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
