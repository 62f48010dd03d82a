"""What spares a repeated question: answers kept in memory here, and tags of those that a client has kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute

# An answer larger than this share of the cache would push out too many others.
_LARGEST_SHARE = 16

# Hashed within a millisecond.
_SHORT_BYTES = 1 << 18


class Tagged(APIRoute):
    """A route whose answers to GET carry a tag, a digest of what is sent, and are sent to who has them not."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            response = await handle(request)
            if request.method != "GET" or response.status_code != 200 or isinstance(response, StreamingResponse):
                return response
            headers = {"ETag": await _tag(bytes(response.body)), "Cache-Control": "no-cache"}
            if is_known(headers["ETag"], request.headers.getlist("if-none-match")):
                return Response(status_code=304, headers=headers)
            response.headers.update(headers)
            return response

        return tagged


async def _tag(content: bytes) -> str:
    # Weak, since it is the same for the compressed answer.
    short = len(content) < _SHORT_BYTES
    hashed = hashlib.sha256(content) if short else await asyncio.to_thread(hashlib.sha256, content)
    return f'W/"{hashed.hexdigest()[:32]}"'


def is_known(etag: str, conditions: Sequence[str]) -> bool:
    """Tells whether the lines of an If-None-Match header name the state that a client would be sent.

    >>> is_known('W/"a"', ['"x", "a"']), is_known('"a"', ['"b"', 'W/"a"']), is_known('"a"', ["*"])
    (True, True, True)
    >>> is_known('"a"', ['"b"']), is_known('"a"', [])
    (False, False)

    Source: RFC 9110, section 13.1.2 (tags are compared weakly: whether one is weak makes no difference).
    """
    return any(line.strip() == "*" or etag.removeprefix("W/") in line for line in conditions)


class AnswerCache:
    """Answers by their ETag, the least recently used forgotten first.

    An ETag names release, request, format, texts held and limits, so an answer under it is
    never out of date.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self.hits = 0
        self.misses = 0

    def get(self, etag: str) -> bytes | None:
        """Returns the answer, None when it is not kept."""
        found = self._kept.get(etag)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(etag)
        return found

    def put(self, etag: str, content: bytes) -> None:
        """Keeps an answer, unless it is too large."""
        if len(content) > self._max_bytes // _LARGEST_SHARE or etag in self._kept:
            return
        self._kept[etag] = content
        self._size += len(content)
        while self._size > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest)
