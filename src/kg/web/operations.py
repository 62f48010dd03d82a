"""What operators ask: is it alive, is it ready, how is it doing; and the page of the interface."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse

from kg.errors import KgError, SourceError
from kg.web.interface import answered
from kg.web.problems import problem

router = APIRouter(tags=["Operations"], default_response_class=PlainTextResponse)

# Asked by machines, again and again; neither limited nor worth a line of the log.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

_PROBE_TIME_LIMIT_S = 5
_DOCS = Path(__file__).parent / "static" / "docs.html"


@router.get("/healthz", summary="The process answers")
async def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.get("/readyz", summary="What is served answers")
async def readyz(request: Request) -> Response:
    try:
        async with asyncio.timeout(_PROBE_TIME_LIMIT_S):
            await request.app.state.serving.probe()
    except TimeoutError:
        return problem(SourceError(f"What is served did not answer within {_PROBE_TIME_LIMIT_S} s."), 503)
    except KgError as error:
        # Whatever keeps it from answering, it is not ready now and may be soon.
        return problem(error, 503)
    return PlainTextResponse("ready\n")


@router.get(
    "/metrics", summary="Numbers for Prometheus", responses=answered(("text/plain", "application/openmetrics-text"))
)
async def metrics(request: Request) -> Response:
    content, media_type = request.app.state.metrics.text(request.headers.get("accept", ""))
    return Response(content, media_type=media_type)


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    return FileResponse(_DOCS, media_type="text/html")
