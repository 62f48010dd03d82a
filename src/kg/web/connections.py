"""Connections, guarded below the level of requests: how long a head may be, and how slow a client.

A client that opens connections and sends next to nothing (a "slow loris"), or takes in next to
nothing of its answer, holds each for the client time limit and no longer. Refusals at this level
have the same shape as all others.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from kg.errors import AskError, KgError, LimitError, OverloadError
from kg.web.problems import problem
from kg.workspace import Settings

logger = logging.getLogger(__name__)

# A body has the client time limit for each piece of this size, so it cannot trickle for ever.
_PIECE_BYTES = 1 << 16


def guarded(settings: Settings) -> type[HttpToolsProtocol]:
    """Returns the protocol of connections that hold to these settings."""

    class Guarded(GuardedProtocol):
        limits = settings

    return Guarded


class GuardedProtocol(HttpToolsProtocol):
    """HTTP/1.1 as the server speaks it, with limits on what it waits for and keeps."""

    limits: Settings

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._begun = False
        self._reading_head = True
        self._reading_body = False
        # Of the head that is being read, and of the piece of a body.
        self._bytes = 0
        self._refusal: tuple[int, KgError] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent
        super().connection_made(cast(asyncio.Transport, GatheringTransport(transport, self.loop)))
        most = self.limits.max_connections
        if len(self.connections) > most:
            words = f"{most} connections are open (KG_MAX_CONNECTIONS); try again soon."
            self._refuse(503, OverloadError(words, limit="KG_MAX_CONNECTIONS"))
            return
        self._await_more()

    def connection_lost(self, exc: Exception | None) -> None:
        self._await_nothing()
        self._await_no_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._await_nothing()
        elif self._reading_head and self._bytes > self.limits.max_header_bytes:
            self._refuse(*self._head_too_long())
        elif not (self._reading_head or self._reading_body):
            self._await_nothing()
        elif self._timer is None or (self._reading_body and self._bytes >= _PIECE_BYTES):
            self._bytes = self._bytes if self._reading_head else 0
            self._await_more()

    # What the parser tells

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = self._reading_head = True

    def on_headers_complete(self) -> None:
        length = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if length > self.limits.max_header_bytes:
            self._refusal = self._head_too_long()
            raise ValueError("the head is too long")
        self._reading_head, self._reading_body, self._bytes = False, True, 0
        # What follows has the time limit anew.
        self._await_nothing()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._begun, self._reading_body, self._bytes = False, False, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what cannot be read as a request, and ends the connection."""
        del msg
        status, error = self._refusal or (400, _NoRequest("What came is no HTTP request."))
        self._refuse(status, error)

    def _unsupported_upgrade_warning(self) -> None:
        """Says nothing: an offer to speak another protocol may be passed over (RFC 9110, section 7.8)."""

    # What the transport tells

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        self._await_no_reader()
        super().resume_writing()

    # Limits

    def _await_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._write_timer = self.loop.call_later(self._limit_s, self._reads_too_slowly, left)

    def _await_no_reader(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _reads_too_slowly(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() >= _PIECE_BYTES:
            self._await_reader()
            return
        logger.info("a client did not take in its answer (KG_CLIENT_TIME_LIMIT_MS)")
        self.transport.abort()

    @property
    def _limit_s(self) -> float:
        return self.limits.client_time_limit_ms / 1000

    def _await_more(self) -> None:
        self._await_nothing()
        self._timer = self.loop.call_later(self._limit_s, self._too_slow)

    def _await_nothing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self.flow.read_paused:
            # Not the client is slow: we do not read.
            self._await_more()
            return
        if not self._begun:
            # Nothing was asked, so nothing is answered.
            self.transport.close()
            return
        limit = self.limits.client_time_limit_ms
        words = f"The request did not come within {limit} ms (KG_CLIENT_TIME_LIMIT_MS)."
        self._refuse(408, LimitError(words, limit="KG_CLIENT_TIME_LIMIT_MS"))

    def _head_too_long(self) -> tuple[int, KgError]:
        limit = self.limits.max_header_bytes
        words = f"The head of the request is over {limit} bytes (KG_MAX_HEADER_BYTES); send a long query by POST."
        return 431, LimitError(words, limit="KG_MAX_HEADER_BYTES")

    def _refuse(self, status: int, error: KgError) -> None:
        """Ends the connection, with an answer unless another has begun or nothing was asked."""
        self._await_nothing()
        logger.info("refused below the level of requests: %s", error, extra={"fields": {"status": status}})
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not begun:
            self.transport.write(_answer(status, error))
        self.transport.close()


class GatheringTransport:
    """A transport that sends in one go what is written in one turn of the loop.

    The server writes head and body one after the other; each write would cost both sides a system
    call and wake the client.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, content: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(content)

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self._written)) + self._transport.get_write_buffer_size()

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))


class _NoRequest(AskError):
    title = "No HTTP request"


def _answer(status: int, error: KgError) -> bytes:
    response = problem(error, status)
    response.headers["Connection"] = "close"
    head = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return STATUS_LINE[status] + head + b"\r\n" + bytes(response.body)
