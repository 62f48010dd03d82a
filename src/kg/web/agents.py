"""The Model Context Protocol over HTTP, at /mcp: who may ask, how much, and the protocol's SDK behind it.

The SDK takes a third of a second and 27 MB to load, which most services never need: the first request does that.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kg.errors import Forbidden, KgError
from kg.web.bodies import read_body
from kg.web.payloads import guard_payload
from kg.web.problems import problem
from kg.web.serving import Serving
from kg.workspace import Settings

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

logger = logging.getLogger(__name__)

# JSON writes a character of a query in up to six.
_BODY_FACTOR = 6
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class AgentEndpoint:
    """The protocol over HTTP, as an application of one address: POST only, each answer one JSON object."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._settings = serving.settings

    @property
    def _most_bytes(self) -> int:
        return self._settings.max_query_bytes * _BODY_FACTOR

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While it lasts, requests are answered."""
        self._wanted = asyncio.Event()
        self._manager: asyncio.Future[StreamableHTTPSessionManager] = asyncio.get_running_loop().create_future()
        managing = asyncio.create_task(self._manage())
        managing.add_done_callback(self._failed)
        try:
            yield
        finally:
            managing.cancel()
            await asyncio.wait([managing])

    async def _manage(self) -> None:
        """Loads the SDK when the first request comes, and lets its manager run until this task is cancelled."""
        await self._wanted.wait()
        manager = await asyncio.to_thread(self._made)
        # It must be left by the task that entered it.
        async with manager.run():
            self._manager.set_result(manager)
            await asyncio.Event().wait()

    def _failed(self, managing: asyncio.Task[None]) -> None:
        """Tells whoever asks that the SDK cannot be loaded; nothing else depends on it."""
        error = None if managing.cancelled() else managing.exception()
        if error is not None and not self._manager.done():
            logger.error("the Model Context Protocol's SDK cannot be loaded", exc_info=error)
            told = KgError("The Model Context Protocol's SDK cannot be loaded; the log says why. All else is answered.")
            told.title = "Nothing answers at this address"
            self._manager.set_exception(told)

    def _made(self) -> StreamableHTTPSessionManager:
        from kg.web.mcp import manager_of

        # The SDK tells of each request; the access log does already.
        logging.getLogger("mcp").setLevel(logging.WARNING)
        return manager_of(self._serving, self._most_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp
        try:
            guard_sender(scope, self._settings)
            body = await read_body(Request(scope, receive), self._most_bytes, "KG_MAX_QUERY_BYTES")
            guard_payload("application/ld+json", body, self._settings)
            self._wanted.set()
            # One that leaves meanwhile must not take the others' with it.
            manager = await asyncio.shield(self._manager)
        except ClientDisconnect:
            return
        except KgError as error:
            answer = problem(error)
        else:
            answer, receive = manager.handle_request, _replayed(body, receive)
        await answer(scope, receive, send)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Returns what gives a body that was read once again, and then what else comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def guard_sender(scope: Scope, settings: Settings) -> None:
    """Refuses a page of another origin, and a name that was made to lead to this machine (DNS rebinding).

    Raises:
        Forbidden: it is refused.
    """
    headers = Headers(scope=scope)
    host, origin = headers.get("host", ""), headers.get("origin")
    behind_proxy = settings.trust_proxy is not None
    if _is_loopback(scope) and not behind_proxy and _name_of(host) not in _LOOPBACK_NAMES:
        raise Forbidden(f"Host: {host!r} is no name of this machine; behind a proxy, set KG_TRUST_PROXY.")
    if origin is None or origin == f"{scope['scheme']}://{host}":
        return
    allowed = {part.strip() for part in (settings.cors_origins or "").split(",")}
    if not allowed & {"*", origin}:
        raise Forbidden(f"Pages of {origin!r} may not ask; the setting KG_CORS_ORIGINS lists whose may.")


def _is_loopback(scope: Scope) -> bool:
    """Tells whether the service was reached at an address that only this machine has."""
    try:
        return ipaddress.ip_address((scope.get("server") or ("",))[0]).is_loopback
    except ValueError:
        return False


def _name_of(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
