"""The SPARQL endpoint.

Source: SPARQL 1.1 Protocol, section 2.1 (query operation).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from kg.engines.source import GRAPH_FORMATS
from kg.engines.source import Request as SparqlRequest
from kg.errors import BadParameter, Forbidden, LimitError, UnsupportedMedia
from kg.web.negotiation import best_type, reply_types
from kg.web.pages import sparql_page
from kg.web.service_description import service_description
from kg.web.state import AnswersDep

router = APIRouter(tags=["SPARQL"])

_FORM = "application/x-www-form-urlencoded"
_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
# A form writes a character in up to three; parameter names and graph names come on top.
_FORM_FACTOR = 4

Fields = Sequence[tuple[str, str]]


@router.get("/sparql", summary="Answer a SPARQL query; without one, describe the service")
async def get_sparql(request: Request, answers: AnswersDep) -> Response:
    fields = _fields(request.url.query)
    if fields:
        return await run_in_threadpool(_answered, answers, fields, request.headers.get("accept"))
    offered = ["text/html", *GRAPH_FORMATS]
    accept = request.headers.get("accept")
    chosen = best_type(accept, offered if accept and "text/html" in accept else offered[1:])
    if chosen == "text/html":
        return sparql_page(request, answers)
    content = service_description(str(request.url.replace(query="")), GRAPH_FORMATS[chosen])
    return Response(content, media_type=chosen)


@router.post("/sparql", summary="Answer a SPARQL query sent as a form or as the body")
async def post_sparql(request: Request, answers: AnswersDep) -> Response:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == _UPDATE:
        raise Forbidden("This endpoint is read-only; an update is refused.")
    if media_type not in {_FORM, _QUERY}:
        raise UnsupportedMedia(f"Content-Type: {media_type!r}; send {_FORM} or {_QUERY}.")
    most = answers.settings.max_query_bytes
    body = _text(await _body(request, most * _FORM_FACTOR if media_type == _FORM else most))
    fields = _fields(body) if media_type == _FORM else [("query", body), *_fields(request.url.query)]
    return await run_in_threadpool(_answered, answers, fields, request.headers.get("accept"))


def _answered(answers: AnswersDep, fields: Fields, accept: str | None) -> Response:
    request = _query_of(fields)
    known = reply_types(request.query)
    chosen = best_type(accept, list(known))
    content = answers.sparql(request, known[chosen])
    return Response(content, media_type=chosen, headers={"X-Release": answers.release_id})


def _query_of(fields: Fields) -> SparqlRequest:
    """Returns the query and its dataset.

    Raises:
        Forbidden: an update was sent.
        BadParameter: there is not exactly one query.
    """
    if any(name == "update" for name, _ in fields):
        raise Forbidden("This endpoint is read-only; an update is refused.")
    queries = [value for name, value in fields if name == "query"]
    if len(queries) != 1:
        raise BadParameter(f"query: must be given once; it was given {len(queries)} times.")
    return SparqlRequest(
        queries[0],
        tuple(value for name, value in fields if name == "default-graph-uri"),
        tuple(value for name, value in fields if name == "named-graph-uri"),
    )


async def _body(request: Request, most: int) -> bytes:
    """Returns the body, read no further than the limit."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            name = "KG_MAX_QUERY_BYTES"
            raise LimitError(f"The body is over {most} bytes; the setting {name} bounds it.", limit=name)
        parts.append(part)
    return b"".join(parts)


def _fields(text: str) -> Fields:
    """Returns the fields of a form or query string; bytes that are not UTF-8 are refused, not replaced."""
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise BadParameter(f"query: byte {error.start} of a field is not UTF-8.") from error


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadParameter(f"query: byte {error.start} is not UTF-8.") from error
