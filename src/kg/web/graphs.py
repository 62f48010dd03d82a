"""The graph store: whole graphs read, put, added to and deleted.

Source: SPARQL 1.1 Graph Store HTTP Protocol. A graph is named by `?graph=IRI` or `?default`, or
directly: the address of the request is then the graph's own name.
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query, Request, Response
from python_multipart.multipart import parse_options_header
from starlette.formparsers import MultiPartException, MultiPartParser

from kg.engines.nursery import Reply
from kg.engines.source import GRAPH_FORMATS
from kg.engines.writing import READ_FORMATS
from kg.errors import BadParameter, UnknownName, UnsupportedMedia
from kg.web.bodies import media_type_of, read_body, while_connected
from kg.web.cache import is_known
from kg.web.interface import Responses, answered, problems, taken
from kg.web.negotiation import accept_of, best_type
from kg.web.payloads import guard_payload
from kg.workspace import Settings

router = APIRouter(tags=["Graph store"], default_response_class=Response)

_MULTIPART = "multipart/form-data"
_SETTING = "KG_MAX_UPLOAD_BYTES"
_MOST_FILES = 100


@dataclass(frozen=True)
class Sent:
    """RDF that a request sends: its media type and the file that holds it."""

    media_type: str
    path: str


class GraphStore(Protocol):
    """What the graph store stands on."""

    settings: Settings

    def graph_of(self, request: Request, path: str) -> str:
        """Returns the IRI that a direct address names."""

    async def read_graph(self, graph: str | None, media_type: str) -> Reply | None:
        """Returns a whole graph (None: the default one), None when there is none of that name."""

    def tag_of(self, graph: str | None) -> str | None:
        """Returns what tells the state of a graph, None where nothing does."""

    async def write_graph(self, request: Request, graph: str | None, kind: str, sent: Sequence[Sent], /) -> bool:
        """Applies `put`, `post` or `drop`, and tells whether the graph was there before.

        Raises:
            Unauthorised, Forbidden, Conflict: the request may not write here.
            OutOfDate: the graph is not what the request's conditions say.
            BadParameter, BrokenRules: what was sent does not parse, or may not stand.
        """

    def may_write(self, _request: Request, /) -> None:
        """Returns when the request may write.

        Raises:
            Unauthorised, Forbidden: it may not.
        """


_ANSWERS = answered(GRAPH_FORMATS, "The graph") | {304: {"description": "The graph is as the client knows it"}}
_REFUSED = problems(401, 403, 409, 412, 422)
_CHANGED: Responses = {201: {"description": "The graph is made"}, 204: {"description": "The graph is changed"}}
_WRITE: dict[str, Any] = {
    "status_code": 204,
    "responses": _CHANGED | _REFUSED | problems(415),
    "openapi_extra": taken((*READ_FORMATS, _MULTIPART), ("graph",)) | {"security": [{"token": []}]},
}
_DROP: dict[str, Any] = {"status_code": 204, "responses": _REFUSED, "openapi_extra": {"security": [{"token": []}]}}

GraphParam = Annotated[str | None, Query(description="The IRI of a graph.")]
DefaultParam = Annotated[str | None, Query(description="Given, with or without a value: the default graph.")]


def _store(request: Request) -> GraphStore:
    store: GraphStore = request.app.state.serving
    return store


def _named(graph: str | None, default: str | None) -> str | None:
    """Returns the IRI that was asked for, None for the default graph.

    Raises:
        BadParameter: not exactly one graph is named.
    """
    if (graph is None) == (default is None):
        raise BadParameter("graph: name one graph: ?graph=IRI, or ?default.")
    if graph is not None and ":" not in graph:
        raise BadParameter(f"graph: {graph!r} is no absolute IRI.")
    return graph


@router.get("/graphs", summary="A whole graph", responses=_ANSWERS)
async def get_graph(request: Request, graph: GraphParam = None, default: DefaultParam = None) -> Response:
    return await _read(request, _named(graph, default))


@router.put("/graphs", summary="Put a graph in the place of another", **_WRITE)
async def put_graph(request: Request, graph: GraphParam = None, default: DefaultParam = None) -> Response:
    return await _write(request, _named(graph, default), "put")


@router.post("/graphs", summary="Add triples to a graph, or make a new one", **_WRITE)
async def post_graph(request: Request, graph: GraphParam = None, default: DefaultParam = None) -> Response:
    if graph is None and default is None:
        made = _store(request).graph_of(request, uuid.uuid4().hex)
        response = await _write(request, made, "post")
        response.headers["Location"] = made
        return response
    return await _write(request, _named(graph, default), "post")


@router.delete("/graphs", summary="Delete a graph", **_DROP)
async def delete_graph(request: Request, graph: GraphParam = None, default: DefaultParam = None) -> Response:
    return await _delete(request, _named(graph, default))


@router.get("/graphs/{path:path}", summary="The graph with this address as its name", responses=_ANSWERS)
async def get_direct(request: Request, path: str) -> Response:
    return await _read(request, _store(request).graph_of(request, path))


@router.put("/graphs/{path:path}", summary="Put the graph with this address as its name", **_WRITE)
async def put_direct(request: Request, path: str) -> Response:
    return await _write(request, _store(request).graph_of(request, path), "put")


@router.post("/graphs/{path:path}", summary="Add to the graph with this address as its name", **_WRITE)
async def post_direct(request: Request, path: str) -> Response:
    return await _write(request, _store(request).graph_of(request, path), "post")


@router.delete("/graphs/{path:path}", summary="Delete the graph with this address as its name", **_DROP)
async def delete_direct(request: Request, path: str) -> Response:
    return await _delete(request, _store(request).graph_of(request, path))


async def _read(request: Request, graph: str | None) -> Response:
    chosen = best_type(accept_of(request), list(GRAPH_FORMATS))
    # Taken before the graph is read: a tag that is too old is refused later, one too new would hide a change.
    headers = _state(graph, _store(request).tag_of(graph), chosen)
    if "ETag" in headers and is_known(headers["ETag"], request.headers.getlist("if-none-match")):
        return Response(status_code=304, headers=headers)
    reply = await while_connected(request, _store(request).read_graph(graph, chosen))
    if reply is None:
        raise _no_such(graph)
    return Response(reply.read(), media_type=chosen, headers=headers)


def _state(graph: str | None, tag: str | None, media_type: str) -> dict[str, str]:
    """Returns the headers that tell a graph's state; the bytes of each format have a tag of their own."""
    if tag is None:
        return {"Cache-Control": "no-store"}
    # The default graph may be read from memory or from disk, which are in two orders.
    weak = "W/" if graph is None else ""
    return {"ETag": f'{weak}"{tag}.{media_type.rpartition("/")[2]}"', "Cache-Control": "no-cache"}


async def _write(request: Request, graph: str | None, kind: str) -> Response:
    store = _store(request)
    store.may_write(request)
    with tempfile.TemporaryDirectory() as folder:
        sent = await _received(request, Path(folder), store.settings)
        existed = await store.write_graph(request, graph, kind, sent)
    return Response(status_code=204 if existed else 201)


async def _delete(request: Request, graph: str | None) -> Response:
    store = _store(request)
    store.may_write(request)
    if not await store.write_graph(request, graph, "drop", ()):
        raise _no_such(graph)
    return Response(status_code=204)


def _no_such(graph: str | None) -> UnknownName:
    return UnknownName(f"graph: there is no graph {graph}; `SELECT ?g {{ GRAPH ?g {{}} }}` lists them.")


async def _received(request: Request, folder: Path, settings: Settings) -> list[Sent]:
    """Returns what the request sends, each part in a file and fit to be parsed.

    Raises:
        UnsupportedMedia: a part is in no format that is read.
        LimitError: the body is too long.
        BadParameter: a part is not to be parsed.
    """
    parts = await _parts(request, settings)
    sent = []
    for number, (media_type, content) in enumerate(parts):
        if media_type not in READ_FORMATS:
            raise UnsupportedMedia(f"Content-Type: {media_type!r}; send one of {', '.join(READ_FORMATS)}.")
        await asyncio.to_thread(guard_payload, media_type, content, settings)
        path = folder / str(number)
        await asyncio.to_thread(path.write_bytes, content)
        sent.append(Sent(media_type, str(path)))
    return sent


async def _parts(request: Request, settings: Settings) -> list[tuple[str, bytes]]:
    body = await read_body(request, settings.max_upload_bytes, _SETTING)
    media_type = media_type_of(request)
    if media_type != _MULTIPART:
        return [(media_type, body)]
    _, options = parse_options_header(request.headers["content-type"])
    # The parser takes what broke off for a body that is shorter.
    if b"\r\n--" + options.get(b"boundary", b"") + b"--" not in body:
        raise BadParameter("The multipart body does not come to its end.")
    try:
        form = await MultiPartParser(request.headers, _in_one_piece(body), max_files=_MOST_FILES).parse()
    except MultiPartException as error:
        raise BadParameter(f"The multipart body cannot be read: {error.message}") from error
    files = [value for _, value in form.multi_items() if not isinstance(value, str)]
    return [((f.content_type or "").partition(";")[0].strip().lower(), await f.read()) for f in files]


async def _in_one_piece(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
