"""What happens around every request: identity, headers, HEAD, and a line in the log."""

from __future__ import annotations

import logging
import time
import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kg.web.metrics import Metrics

logger = logging.getLogger("kg.access")

# What every page may load: only what this service itself gives.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": _POLICY,
}


class Around:
    """Gives each request an id, its answer the headers all answers have, and counts it.

    HEAD is answered as GET; the server leaves the body out (RFC 9110, section 9.3.2).
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, started, status = scope["method"], time.perf_counter(), 500
        request_id = uuid.uuid4().hex

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers.add_vary_header("Accept")
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        # The server looks at its own copy of the method to know that no body follows.
        inner = {**scope, "method": "GET"} if method == "HEAD" else scope
        try:
            await self._app(inner, receive, sending)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.request(method, scope["path"], status, seconds)
            # No query text: what people ask is theirs.
            logger.info(
                "%s %s %s",
                method,
                scope["path"],
                status,
                extra={"request_id": request_id, "status": status, "ms": round(seconds * 1000, 1)},
            )
