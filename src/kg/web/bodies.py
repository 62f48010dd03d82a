"""Reading what a request sends: no further than a limit, and strictly UTF-8 where it is text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect

from kg.errors import BadParameter, LimitError

Fields = Sequence[tuple[str, str]]
P = ParamSpec("P")
T = TypeVar("T")

# Most answers are there before anybody could have left.
_PATIENCE_S = 0.05
# A form with more is no request of ours; to cut up a million of them takes seconds.
_MOST_FIELDS = 10_000
# Hostile text of this size is read within milliseconds.
_LONG_CHARACTERS = 1 << 14
# One thread, so that strangers' long texts never have more than half of this process.
_reader = ThreadPoolExecutor(1, thread_name_prefix="reader")


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
        BadParameter: a field is not UTF-8, or there are too many.
    """
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except UnicodeDecodeError as error:
        raise BadParameter(f"query: byte {error.start} of a field is not UTF-8.") from error
    except ValueError as error:
        raise BadParameter(f"There are over {_MOST_FIELDS} fields.") from error


def text_of(body: bytes) -> str:
    """Returns a body as text.

    Raises:
        BadParameter: it is not UTF-8.
    """
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadParameter(f"query: byte {error.start} is not UTF-8.") from error


async def read_aside(text: str, work: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
    """Returns what the work makes of a text; while a long one is read, everybody else is answered.

    Raises:
        As the work.
    """
    if len(text) < _LONG_CHARACTERS:
        return work(*arguments, **more)
    return await asyncio.get_running_loop().run_in_executor(_reader, partial(work, *arguments, **more))


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
