"""Other endpoints that a query may name with SERVICE: those on a list, each with a limit of time and of size.

The store follows SERVICE itself, with no limit and wherever a redirect leads. So it is sent to a door on
this machine instead, which asks the endpoint as any engine is asked: to its end, or not at all.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kg.engines.transport import Limits, Sent, Transport
from kg.errors import KgError
from kg.tokens import Token, tokens
from kg.workspace import Settings

# What the store says of how it wants its answer.
_PASSED_ON = ("accept", "content-type")


@dataclass
class Federation:
    """The endpoints that may be asked, and what went wrong with one.

    Attributes:
        endpoints: their addresses, as a query names them.
        failure: what the last one did that failed, until it is taken.
    """

    endpoints: Sequence[str]
    time_limit_ms: int
    max_bytes: int
    failure: str | None = field(default=None, init=False)

    def rewritten(self, query: str) -> str:
        """Returns a query, which the guards have let through, whose SERVICE leads through the door.

        >>> federation = Federation(["http://h/sparql"], 1000, 1000)
        >>> federation.rewritten("ASK { ?s ?p 'SERVICE <http://h/sparql>' }")
        "ASK { ?s ?p 'SERVICE <http://h/sparql>' }"
        """
        parts, at = list[str](), 0
        for token in self._named(query):
            parts += [query[at : token.start], f"<{self._door.address_of(token.text[1:-1])}>"]
            at = token.end
        return "".join([*parts, query[at:]]) if parts else query

    def take_failure(self) -> str | None:
        """Returns what went wrong since it was last asked."""
        failure, self.failure = self.failure, None
        return failure

    def close(self) -> None:
        """Closes the door, if it was ever opened."""
        if "_door" in vars(self):
            self._door.close()

    def _named(self, query: str) -> list[Token]:
        """Returns the addresses that stand behind SERVICE, where the guards look for them too."""
        cut, found = list(tokens(query)), []
        for at, token in enumerate(cut):
            if token.kind == "word" and "SERVICE" in token.text.upper():
                after = [t for t in cut[at + 1 : at + 3] if t.keyword != "SILENT"]
                found += [t for t in after[:1] if t.kind == "iri" and t.text[1:-1] in self.endpoints]
        return found

    @cached_property
    def _door(self) -> _Door:
        return _Door(self)


class _Door:
    """A server for this process alone: its paths hold a secret."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation
        self._secret = secrets.token_urlsafe(16)
        self._transport = Transport()
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                door.pass_on(self)

            def log_message(self, *_: object) -> None:
                """Says nothing: what fails is told by who asked."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def address_of(self, endpoint: str) -> str:
        """Returns where the store asks in the place of an endpoint."""
        number = list(self._federation.endpoints).index(endpoint)
        return f"http://127.0.0.1:{self._server.server_port}/{self._secret}/{number}"

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._transport.close()

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        """Answers a request as the endpoint does, when it does so within its limits."""
        secret, _, number = handler.path.strip("/").partition("/")
        if not secrets.compare_digest(secret.encode(), self._secret.encode()):
            handler.send_error(404)
            return
        endpoint = self._federation.endpoints[int(number)]
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        headers = {name: value for name in _PASSED_ON if (value := handler.headers.get(name))}
        limits = Limits(
            self._federation.time_limit_ms,
            self._federation.max_bytes,
            "KG_SERVICE_TIME_LIMIT_MS",
            "KG_SERVICE_MAX_BYTES",
        )
        try:
            got = self._transport.send(Sent(endpoint, body=body, headers=headers), limits)
        except KgError as error:
            self._federation.failure = str(error)
            handler.send_error(502)
            return
        with got.file:
            content = got.file.read()
        handler.send_response(200)
        handler.send_header("Content-Type", got.headers.get("content-type", ""))
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


def federation_of(settings: Settings) -> Federation | None:
    """Returns the endpoints that may be asked, None where there are none."""
    if not settings.services:
        return None
    return Federation(settings.services, settings.service_time_limit_ms, settings.service_max_bytes)
