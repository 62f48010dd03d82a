"""Reading what a request sends: no further than a limit, and strictly UTF-8 where it is text."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect

from kg.errors import BadParameter, LimitError, UnsupportedMedia

Fields = Sequence[tuple[str, str]]
P = ParamSpec("P")
T = TypeVar("T")

# Most answers are there before anybody could have left.
_PATIENCE_S = 0.05
# Who has sent nothing for so long waits for an answer.
_PAUSE_S = 0.3
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
        LimitError: it is longer than `most` bytes, or is said to be; it is read no further.
        UnsupportedMedia: it is compressed.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        await _pass_over(request, most)
        raise UnsupportedMedia(f"Content-Encoding: {encoding!r}; send the body as it is, not compressed.")
    too_long = LimitError(f"The body is over {most} bytes; the setting {setting} bounds it.", limit=setting)
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        await _pass_over(request, most)
        raise too_long
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise too_long
        parts.append(part)
    return b"".join(parts)


async def _pass_over(request: Request, most: int) -> None:
    """Reads and forgets what comes at once of a body that is refused, but no more than may be sent.

    Who is still sending when the connection is closed may never see the refusal.
    """
    if request.headers.get("expect", "").lower() == "100-continue":
        return  # it waits for leave to send
    size, parts = 0, aiter(request.stream())
    with contextlib.suppress(StopAsyncIteration, TimeoutError):
        while size <= most:
            size += len(await asyncio.wait_for(anext(parts), _PAUSE_S))


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
