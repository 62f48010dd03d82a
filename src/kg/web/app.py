"""The web application: routes put together, and one table from errors to statuses."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from kg import wire
from kg.answers import Answers
from kg.errors import (
    AskError,
    BadParameter,
    DataError,
    Forbidden,
    KgError,
    LimitError,
    NotAcceptable,
    SourceError,
    UnknownName,
    UnsupportedMedia,
)
from kg.web import api, pages, sparql

logger = logging.getLogger(__name__)

# The first class that fits gives the status, so the narrower stand above the wider.
STATUSES: tuple[tuple[type[KgError], int], ...] = (
    (UnknownName, 404),
    (Forbidden, 403),
    (NotAcceptable, 406),
    (UnsupportedMedia, 415),
    (AskError, 400),
    (LimitError, 413),
    (SourceError, 502),
    (DataError, 500),
    (KgError, 500),
)

# What every page may load: only what this service itself gives.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'"
)


def create_app(answers: Answers) -> FastAPI:
    """Returns the application that serves one release."""
    app = FastAPIOffline(
        title="Policy evidence",
        description="What policy reports say, who says so, and the passage each answer rests on.",
        version=answers.release_id[:12],
    )
    app.state.answers = answers
    app.include_router(sparql.router)
    app.include_router(api.router)
    app.include_router(api.question_routes(answers.questions()))
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.add_exception_handler(KgError, _known_error)
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _own_fault)
    app.middleware("http")(_with_headers)
    app.add_middleware(_HeadAsGet)
    return app


class _HeadAsGet:
    """Answers HEAD as GET; the server leaves the body out (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The server looks at its own copy of the method to know that no body follows.
        await self._app({**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope, receive, send)


async def _with_headers(request: Request, call_next: object) -> Response:
    assert callable(call_next)
    response: Response = await call_next(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Vary"] = "Accept"
    return response


def status_of(error: KgError) -> int:
    """Returns the HTTP status that says what kind of error it is."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def _problem(error: KgError, status: int) -> JSONResponse:
    return JSONResponse(wire.problem(error, status), status, media_type="application/problem+json")


def _known_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, KgError)
    return _problem(error, status_of(error))


def _wrong_parameter(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _problem(BadParameter("; ".join(_complaint(entry) for entry in error.errors())), 400)


def _complaint(entry: Mapping[str, Any]) -> str:
    name = entry["loc"][-1]
    return f"{name}: is missing." if entry["type"] == "missing" else f"{name}: {entry['input']!r}: {entry['msg']}."


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    known = KgError(f"{request.method} {request.url.path}: {error.detail}.")
    known.title = str(error.detail)
    response = _problem(known, error.status_code)
    # A wrong method is answered with the right ones (RFC 9110, section 15.5.6).
    response.headers.update(error.headers or {})
    return response


def _own_fault(request: Request, error: Exception) -> JSONResponse:
    logger.error("unexpected error at %s", request.url.path, exc_info=error)
    known = KgError("The service met an error of its own; it is in the log.")
    known.title = "Internal error"
    return _problem(known, 500)
