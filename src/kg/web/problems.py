"""Errors as answers: one table of statuses, one JSON shape (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from kg import wire
from kg.errors import (
    AskError,
    BadParameter,
    BrokenRules,
    Conflict,
    DataError,
    EngineSilent,
    EngineTimeout,
    Forbidden,
    KgError,
    LimitError,
    NotAcceptable,
    NotAtHand,
    OutOfDate,
    OverloadError,
    Publishing,
    SourceError,
    Unauthorised,
    UnknownName,
    UnsupportedMedia,
)
from kg.web.routes import RouteTable

logger = logging.getLogger(__name__)

# The first class that fits gives the status, so the narrower stand above the wider.
STATUSES: tuple[tuple[type[KgError], int], ...] = (
    (UnknownName, 404),
    (Unauthorised, 401),
    (Forbidden, 403),
    (Conflict, 409),
    (OutOfDate, 412),
    (BrokenRules, 422),
    (NotAcceptable, 406),
    (UnsupportedMedia, 415),
    (AskError, 400),
    (OverloadError, 503),
    (LimitError, 413),
    (Publishing, 503),
    (EngineSilent, 503),
    (EngineTimeout, 504),
    (NotAtHand, 501),
    (SourceError, 502),
    (DataError, 500),
    (KgError, 500),
)
_RETRY_AFTER_S = "5"


def handle_errors(app: FastAPI) -> None:
    """Makes an application answer every error in the one shape."""
    app.add_exception_handler(KgError, _known_error)
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _nobody_there)
    app.add_exception_handler(Exception, own_fault)


def status_of(error: KgError) -> int:
    """Returns the HTTP status that says what kind of error it is."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def problem(error: KgError, status: int | None = None) -> JSONResponse:
    """Returns the answer that an error becomes."""
    code = status_of(error) if status is None else status
    response = JSONResponse(wire.problem(error, code), code, media_type="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    if code == 503:
        response.headers["Retry-After"] = _RETRY_AFTER_S
    if code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _known_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, KgError)
    return problem(error)


def _wrong_parameter(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return problem(BadParameter("; ".join(_complaint(entry) for entry in error.errors())))


def _complaint(entry: Mapping[str, Any]) -> str:
    name = entry["loc"][-1]
    return f"{name}: is missing." if entry["type"] == "missing" else f"{name}: {entry['input']!r}: {entry['msg']}."


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers, advice = dict(error.headers or {}), ""
    routes: RouteTable | None = getattr(request.app.state, "routes", None)
    if error.status_code == 405 and routes is not None:
        # All that the path takes (RFC 9110, section 15.5.6); the framework knows those of one route.
        methods = routes.methods(request.scope["path"])
        headers["Allow"], advice = ", ".join(methods), f" Send {', '.join(methods[:-1])} or {methods[-1]}."
    elif error.status_code == 404 and request.app.openapi_url:
        advice = f" {request.app.openapi_url} lists the paths there are."
    known = KgError(f"{request.method} {request.url.path}: {error.detail}.{advice}")
    known.title = str(error.detail)
    response = problem(known, error.status_code)
    response.headers.update(headers)
    return response


def _nobody_there(_: Request, error: Exception) -> Response:
    """Ends a request whose client has left; nobody sees the status."""
    del error
    return Response(status_code=499)


def own_fault(request: Request, error: Exception) -> JSONResponse:
    """Returns the answer to an error that is not the asker's."""
    logger.error("unexpected error at %s", request.url.path, exc_info=error)
    known = KgError("The service met an error of its own; it is in the log.")
    known.title = "Internal error"
    return problem(known, 500)
