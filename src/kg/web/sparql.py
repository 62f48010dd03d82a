"""The SPARQL endpoint.

Source: SPARQL 1.1 Protocol, sections 2.1 (query operation) and 2.2 (update operation).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import URL
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from kg.engines.guards import guard_query
from kg.engines.nursery import Reply
from kg.engines.pooled import job_of
from kg.engines.source import GRAPH_FORMATS, TABLE_FORMATS
from kg.engines.source import Request as SparqlRequest
from kg.engines.worker import Job
from kg.errors import BadParameter, Forbidden, KgError, Unauthorised, UnsupportedMedia
from kg.web.bodies import Fields, fields_of, media_type_of, read_aside, read_body, text_of, while_connected
from kg.web.cache import AnswerCache, is_known
from kg.web.interface import answered, problems, taken
from kg.web.negotiation import GRAPH_ALIASES, TABLE_ALIASES, accept_of, best_type, reply_types
from kg.web.pages import sparql_page
from kg.web.problems import problem
from kg.web.service_description import service_description
from kg.workspace import Settings

router = APIRouter(tags=["SPARQL"], default_response_class=Response)

_FORM = "application/x-www-form-urlencoded"
_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
# A form writes a character in up to three; parameter names and graph names come on top.
_FORM_FACTOR = 4
_CHUNK_BYTES = 1 << 18
_FIELDS = frozenset({"query", "update", "default-graph-uri", "named-graph-uri"})


class Shortcut:
    """Answers the SPARQL endpoint without the framework's layers: they cost as much as a look-up.

    The routes below stay, for the API's documentation and for every other method.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handle = _SHORTCUTS.get(scope.get("method", "")) if scope.get("path") == "/sparql" else None
        if handle is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await handle(Request(scope, receive))
        except ClientDisconnect:
            return
        except KgError as error:
            response = problem(error)
        await response(scope, receive, send)


class Asked(Protocol):
    """What answers one request: a release, or a scratch dataset."""

    @property
    def stamp(self) -> str | None:
        """Names everything but the request that an answer depends on; None when that changes."""

    @property
    def release_id(self) -> str | None:
        """The release that answers, if it is one."""

    async def run(self, job: Job) -> Reply:
        """Returns the whole answer to a query."""


class Endpoint(Protocol):
    """What the SPARQL endpoint stands on."""

    settings: Settings
    cache: AnswerCache

    async def taken(self, release: str | None = None) -> AbstractContextManager[Asked]:
        """Returns what answers a request; as a context it is kept to the request's end."""

    def may_update(self, _request: Request, /) -> None:
        """Returns when the request may update.

        Raises:
            Forbidden: updates are refused here.
            Unauthorised: no token was sent.
        """

    async def update(self, request: Request, text: str, fields: Fields, /) -> None:
        """Applies an update.

        Raises:
            Forbidden: updates are refused here.
            Unauthorised: no token was sent.
        """


def endpoint_of(request: Request) -> Endpoint:
    """Returns what the application's SPARQL endpoint stands on."""
    endpoint: Endpoint = request.app.state.serving
    return endpoint


_ANSWERS = answered((*TABLE_FORMATS, *GRAPH_FORMATS), "The rows, the triples or the truth value")
_OTHER_NAMES = answered((*TABLE_ALIASES, *GRAPH_ALIASES))[200]["content"]
_ANSWERS[200]["content"] |= _OTHER_NAMES | {"text/html": {}}


def _documented(*names: str) -> dict[str, Any]:
    """Returns how the protocol's parameters are documented, which the framework does not see."""
    shape = {"type": "array", "items": {"type": "string"}}
    kinds = {"query": {"type": "string"}, "release": {"type": "string"}}
    return {"parameters": [{"name": name, "in": "query", "schema": kinds.get(name, shape)} for name in names]}


@router.get(
    "/sparql",
    summary="Answer a SPARQL query; without one, describe the service",
    responses=_ANSWERS | problems(403),
    openapi_extra=_documented("query", "default-graph-uri", "named-graph-uri", "release"),
)
async def get_sparql(request: Request) -> Response:
    settings = endpoint_of(request).settings
    question = _asked_by(request.scope["query_string"], accept_of(request), _base(request), settings)
    return await _described(request) if question is None else await _answered(request, question)


# To read and guard a question costs more than to find a known answer, so the last are kept; an address is bounded.
@lru_cache(maxsize=256)
def _asked_by(address: bytes, accept: str | None, base: str, settings: Settings) -> _Question | None:
    """Returns what is asked by the part of an address after `?`, None where nothing is."""
    fields = fields_of(text_of(address))
    if any(name == "update" for name, _ in fields):
        raise Forbidden("An update is never taken from an address, and a release is read-only.")
    return _question(fields, accept, base, settings) if any(name in _FIELDS for name, _ in fields) else None


@router.post(
    "/sparql",
    summary="Answer a SPARQL query, or apply an update, sent as a form or as the body",
    responses=_ANSWERS | {204: {"description": "The update is made"}} | problems(401, 403, 415),
    openapi_extra=taken((_QUERY, _UPDATE, _FORM), sorted(_FIELDS))
    | _documented("default-graph-uri", "named-graph-uri", "release"),
)
async def post_sparql(request: Request) -> Response:
    endpoint, media_type = endpoint_of(request), media_type_of(request)
    if media_type not in {_FORM, _QUERY, _UPDATE}:
        raise UnsupportedMedia(f"Content-Type: {media_type!r}; send {_FORM}, {_QUERY} or {_UPDATE}.")
    address = fields_of(text_of(request.scope["query_string"]))
    if any(name == "update" for name, _ in address):
        raise Forbidden("An update is never taken from an address, and a release is read-only.")
    name = "max_update_bytes" if _may_update(request, media_type) else "max_query_bytes"
    most = getattr(endpoint.settings, name) * (_FORM_FACTOR if media_type == _FORM else 1)
    body = text_of(await read_body(request, most, f"KG_{name.upper()}"))
    if media_type == _FORM:
        fields: Fields = [*await read_aside(body, fields_of, body), *(f for f in address if f[0] == "release")]
    else:
        fields = [("query" if media_type == _QUERY else "update", body), *address]
    if any(name == "update" for name, _ in fields):
        return await _updated(request, fields)
    given = (fields, accept_of(request), _base(request), endpoint.settings)
    return await _answered(request, await read_aside(body, _question, *given))


def _may_update(request: Request, media_type: str) -> bool:
    """Tells whether the body may be an update: nobody's megabytes are read who may not send one.

    Raises:
        Forbidden, Unauthorised: it says that it is one, and may not be.
    """
    if media_type == _QUERY:
        return False
    try:
        endpoint_of(request).may_update(request)
    except (Forbidden, Unauthorised):
        if media_type == _UPDATE:
            raise
        return False
    return True


_SHORTCUTS = {"GET": get_sparql, "POST": post_sparql}


async def _described(request: Request) -> Response:
    offered = ["text/html", *GRAPH_FORMATS]
    accept = accept_of(request)
    chosen = best_type(accept, offered if accept and "text/html" in accept else offered[1:])
    if chosen == "text/html":
        return await sparql_page(request)
    writable = getattr(request.app.state, "writable", False)
    address = str(request.url.replace(query=""))
    content = service_description(address, GRAPH_FORMATS[chosen], writable)
    return Response(content, media_type=chosen)


async def _updated(request: Request, fields: Fields) -> Response:
    endpoint = endpoint_of(request)
    updates = [value for name, value in fields if name == "update"]
    if len(updates) != 1 or any(name == "query" for name, _ in fields):
        raise BadParameter("update: must be given once, and without a query.")
    await endpoint.update(request, updates[0], fields)
    return Response(status_code=204)


@dataclass(frozen=True)
class _Question:
    """A query that the guards have let through: what a worker is told, how the answer is labelled, and who answers."""

    job: Job
    media_type: str
    release: str | None


def _question(fields: Fields, accept: str | None, base: str, settings: Settings) -> _Question:
    asked = _query_of(fields, base)
    known = reply_types(guard_query(asked.query, settings))
    chosen = best_type(accept, known)
    release = next((value for name, value in fields if name == "release"), None)
    return _Question(job_of(asked, known[chosen], settings), chosen, release)


async def _answered(request: Request, question: _Question) -> Response:
    endpoint = endpoint_of(request)
    with await endpoint.taken(question.release) as asked:
        headers = {"X-Release": asked.release_id} if asked.release_id else {}
        if asked.stamp is None:
            reply = await while_connected(request, asked.run(question.job))
            return _response(reply, question.media_type, headers | {"Cache-Control": "no-store"})
        headers |= {"ETag": f'W/"{_etag(asked.stamp, question.job)}"', "Cache-Control": "no-cache"}
        return await _cached(request, endpoint, asked, question, headers)


async def _cached(
    request: Request, endpoint: Endpoint, asked: Asked, question: _Question, headers: dict[str, str]
) -> Response:
    etag = headers["ETag"]
    content = endpoint.cache.get(etag)
    if content is None:
        reply = await while_connected(request, asked.run(question.job))
        if reply.file is not None:
            return _response(reply, question.media_type, headers)
        content = reply.content
        endpoint.cache.put(etag, content)
    if is_known(etag, request.headers.getlist("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=question.media_type, headers=headers)


def _etag(stamp: str, job: Job) -> str:
    """Returns a digest of all that the answer depends on."""
    parts = (
        stamp,
        job.query,
        job.media_type,
        *job.default_graphs,
        "",
        *job.named_graphs,
        str(job.max_rows),
        str(job.base),
    )
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]


def _response(reply: Reply, media_type: str, headers: dict[str, str]) -> Response:
    if reply.file is None:
        return Response(reply.content, media_type=media_type, headers=headers)
    # The file is whole before the first header goes out.
    sized = {**headers, "Content-Length": str(reply.size)}
    return StreamingResponse(_chunks(reply), media_type=media_type, headers=sized)


async def _chunks(reply: Reply) -> AsyncIterator[bytes]:
    assert reply.file is not None
    try:
        for at in range(0, reply.size, _CHUNK_BYTES):
            yield await asyncio.to_thread(os.pread, reply.file, min(_CHUNK_BYTES, reply.size - at), at)
    finally:
        reply.close()


def _base(request: Request) -> str:
    """Returns what relative IRIs are relative to: the endpoint's own address."""
    scope = request.scope
    return _address(scope["scheme"], tuple(scope.get("server") or ()), request.headers.get("host"), scope["path"])


@lru_cache(maxsize=256)
def _address(scheme: str, server: tuple[str, int | None] | tuple[()], host: str | None, path: str) -> str:
    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    return str(URL(scope={"scheme": scheme, "server": server or None, "path": path, "headers": headers}))


def _query_of(fields: Fields, base: str) -> SparqlRequest:
    """Returns the query and its dataset.

    Raises:
        BadParameter: there is not exactly one query.
    """
    queries = [value for name, value in fields if name == "query"]
    if len(queries) != 1:
        raise BadParameter(f"query: must be given once; it was given {len(queries)} times.")
    return SparqlRequest(
        queries[0],
        tuple(value for name, value in fields if name == "default-graph-uri"),
        tuple(value for name, value in fields if name == "named-graph-uri"),
        base,
    )
