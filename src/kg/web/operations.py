"""What operators ask: is it alive, is it ready, how is it doing."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

router = APIRouter(tags=["Operations"])


@router.get("/healthz", summary="The process answers")
async def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.get("/readyz", summary="What is served answers")
async def readyz(request: Request) -> PlainTextResponse:
    await request.app.state.serving.probe()
    return PlainTextResponse("ready\n")


@router.get("/metrics", summary="Numbers for Prometheus")
async def metrics(request: Request) -> Response:
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4")
