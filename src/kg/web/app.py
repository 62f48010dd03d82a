"""The web applications: a release with everything around it, or a scratch dataset."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import fastapi_offline
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp
from starlette_compress import CompressMiddleware, add_compress_type

from kg import __version__
from kg.engines.source import BOOLEAN_FORMATS, GRAPH_FORMATS, TABLE_FORMATS
from kg.web import analysis, api, exports, graphs, linked_data, operations, pages, scratch, sparql
from kg.web.agents import AgentEndpoint
from kg.web.interface import openapi
from kg.web.limits import RateLimit, read_rates
from kg.web.metrics import Metrics
from kg.web.middleware import Around, Cors, Options, read_origins
from kg.web.problems import handle_errors, own_fault
from kg.web.routes import RouteTable
from kg.web.scratch import ScratchServing
from kg.web.serving import Serving
from kg.workspace import Settings

logger = logging.getLogger(__name__)

_STATIC = Path(__file__).parent / "static"
# The page of the interface loads what this package brings along, so that it needs no other server.
_STATIC_DOCS = Path(fastapi_offline.__file__).parent / "static"
_SHORTEST_COMPRESSED_BYTES = 1024


for _media_type in (*TABLE_FORMATS, *BOOLEAN_FORMATS, *GRAPH_FORMATS, "application/problem+json"):
    add_compress_type(_media_type)


class Opened(Protocol):
    """What an application serves: opened with it, closed with it."""

    settings: Settings

    async def open(self) -> None:
        """Opens what is served."""

    async def close(self) -> None:
        """Closes it."""

    def readings(self) -> Mapping[str, Callable[[], float]]:
        """Numbers for the metrics."""


def create_app(serving: Serving) -> FastAPI:
    """Returns the application that serves a release and follows newer ones."""
    description = "What policy reports say, who says so, and the passage each answer rests on."
    agents = AgentEndpoint(serving)
    app = _application(
        serving, description, lambda: serving.current.release_id, lambda: _questions(serving), agents.running
    )
    app.include_router(api.router)
    app.include_router(analysis.router)
    app.include_router(exports.router)
    app.include_router(linked_data.router)
    app.include_router(pages.router)
    app.router.routes.append(Route("/mcp", agents, methods=["POST"]))
    return app


def create_scratch_app(serving: ScratchServing) -> FastAPI:
    """Returns the application that serves a plain dataset to be written."""
    app = _application(serving, "A plain SPARQL dataset: query, update, and graph store.", lambda: None)
    app.state.writable = True
    app.include_router(scratch.router)
    return app


class _Service(FastAPI):
    """An application whose every answer, be it an error of its own, passes through `Around`."""

    def build_middleware_stack(self) -> ASGIApp:
        routes = self.state.routes = RouteTable(self.routes)
        inner: ASGIApp = sparql.Shortcut(super().build_middleware_stack())
        inner = CompressMiddleware(inner, minimum_size=_SHORTEST_COMPRESSED_BYTES)
        inner = ServerErrorMiddleware(inner, handler=own_fault)
        settings: Settings = self.state.settings
        inner = Options(inner, routes)
        if settings.rate_limit:
            inner = RateLimit(inner, settings.rate_limit)
        if settings.cors_origins:
            inner = Cors(inner, settings.cors_origins)
        return Around(inner, self.state.metrics, routes, believe_ids=settings.trust_proxy is not None)


def _application(
    serving: Opened,
    description: str,
    release: Callable[[], str | None],
    questions: Callable[[], Mapping[str, object]] = dict,
    beside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
) -> FastAPI:
    metrics = Metrics()
    # A setting that does not fit is refused now, not at the first request.
    if serving.settings.rate_limit:
        read_rates(serving.settings.rate_limit)
    read_origins(serving.settings.cors_origins or "")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await serving.open()
        metrics.watch(serving.readings(), release)
        logger.info("open, version %s, release %s", __version__, (release() or "none")[:12])
        try:
            async with beside():
                yield
        finally:
            await serving.close()
            logger.info("closed")

    app = _Service(
        title="Policy evidence",
        description=description,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # The metrics here are our own; to look for others at every request costs as much as to count it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.serving = serving
    app.state.settings = serving.settings
    app.state.metrics = metrics
    app.include_router(operations.router)
    app.include_router(sparql.router)
    app.include_router(graphs.router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.mount("/static-docs", StaticFiles(directory=_STATIC_DOCS), name="static-docs")
    handle_errors(app)
    # FastAPI's own way to extend it.
    app.openapi = lambda: openapi(app, questions())  # type: ignore[method-assign]
    return app


def _questions(serving: Serving) -> Mapping[str, object]:
    """Returns the paths of the questions of the release that is served."""
    return api.question_paths(serving.current.answers.questions())
