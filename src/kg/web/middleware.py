"""What happens around every request: identity, headers, HEAD and OPTIONS, and a line in the log."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kg.errors import BadParameter, Forbidden
from kg.web.logs import request_id
from kg.web.metrics import Metrics
from kg.web.operations import PROBES
from kg.web.problems import problem
from kg.web.routes import RouteTable

logger = logging.getLogger("kg.access")

# What every page may load: only what this service itself gives, and no script or style that stands
# in the page. It goes with data too: a browser that opens RDF/XML may find a page in it.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"vary", b"Accept"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_POLICY_HEADER = (b"content-security-policy", _POLICY.encode())

_ID_SENT = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The client left before there was an answer; nobody sees this status but the log and the metrics.
_CLIENT_LEFT = 499


class Around:
    """Gives each request an id, its answer the headers all answers have, counts it and logs it.

    HEAD is answered as GET; the server leaves the body out (RFC 9110, section 9.3.2).

    Args:
        believe_ids: take over the X-Request-Id that is sent, as a trusted proxy does.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: RouteTable, *, believe_ids: bool = False) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = routes
        self._believe_ids = believe_ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._id_of(scope))
        mark = request_id.set(answer.id)
        self._metrics.in_flight.inc()
        started = time.perf_counter()
        # The server looks at its own copy of the method to know that no body follows.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(inner, receive, answer.send)
        except BaseException:
            answer.status = answer.status or 500
            raise
        finally:
            self._done(scope, answer, time.perf_counter() - started)
            request_id.reset(mark)

    def _id_of(self, scope: Scope) -> str:
        sent = Headers(scope=scope).get("x-request-id", "") if self._believe_ids else ""
        return sent if _ID_SENT.fullmatch(sent) else secrets.token_hex(16)

    def _done(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        method, path, status = scope["method"], scope["path"], answer.status or _CLIENT_LEFT
        self._metrics.in_flight.dec()
        self._metrics.request(method, self._routes.template(path), status, seconds)
        level = logging.DEBUG if path in PROBES and status < 400 else logging.INFO
        if not logger.isEnabledFor(level):
            return
        # No query text: what people ask is theirs.
        fields: dict[str, object] = {
            "method": method,
            "path": path,
            "status": status,
            "bytes": answer.size,
            "ms": round(seconds * 1000, 1),
            "client": scope["client"][0] if scope.get("client") else None,
        }
        if logger.isEnabledFor(logging.DEBUG):
            fields["query"] = scope["query_string"].decode("ascii", "replace")
        logger.log(level, "%s %s %s", method, path, status, extra={"fields": fields})


class _Answer:
    """An answer on its way out: its status, its size, and the headers that it is given."""

    def __init__(self, send: Send, identity: str) -> None:
        self._send = send
        self.id = identity
        self.status: int | None = None
        self.size = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], *_HEADERS, (b"x-request-id", self.id.encode())]
            # A page that needs something else says so itself.
            if _POLICY_HEADER[0] not in dict(headers):
                headers.append(_POLICY_HEADER)
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)


class Options:
    """Answers OPTIONS with the methods that a path takes."""

    def __init__(self, app: ASGIApp, routes: RouteTable) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = self._routes.methods(scope["path"]) if scope.get("method") == "OPTIONS" else []
        if methods:
            await Response(status_code=204, headers={"Allow": ", ".join(methods)})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Cors(CORSMiddleware):
    """Lets pages of other origins ask (Fetch Standard, CORS protocol); never with cookies.

    Args:
        origins: comma-separated; `*` for all.

    Raises:
        BadParameter: an origin is no origin.
    """

    def __init__(self, app: ASGIApp, origins: str) -> None:
        super().__init__(
            app,
            allow_origins=read_origins(origins),
            allow_methods=("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"),
            allow_headers=("Authorization", "If-Match", "If-None-Match", "MCP-Protocol-Version", "X-Request-Id"),
            expose_headers=("ETag", "Link", "Location", "Retry-After", "X-Release", "X-Request-Id"),
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Returns the answer to the question that a browser asks first."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
            return Response(status_code=204, headers=kept)
        origin = request_headers["origin"]
        words = f"Pages of {origin!r} may not ask so; the setting KG_CORS_ORIGINS lists whose may."
        return problem(Forbidden(words))


def read_origins(text: str) -> list[str]:
    """Returns the origins of a list.

    >>> read_origins("https://a.example, http://localhost:3000")
    ['https://a.example', 'http://localhost:3000']

    Raises:
        BadParameter: an entry is neither `*` nor scheme, host and port.
    """
    origins = [part.strip() for part in text.split(",") if part.strip()]
    for origin in origins:
        if origin != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
            raise BadParameter(f"KG_CORS_ORIGINS: {origin!r} is no origin; write such as https://example.org, or *.")
    return origins
