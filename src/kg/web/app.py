"""The web applications: a release with everything around it, or a scratch dataset."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette_compress import CompressMiddleware

from kg import __version__
from kg.web import api, graphs, linked_data, operations, pages, scratch, sparql
from kg.web.metrics import Metrics
from kg.web.middleware import Around
from kg.web.problems import handle_errors
from kg.web.scratch import ScratchServing
from kg.web.serving import Serving

_SHORTEST_COMPRESSED_BYTES = 1024


class Opened(Protocol):
    """What an application serves: opened with it, closed with it."""

    async def open(self) -> None:
        """Opens what is served."""

    async def close(self) -> None:
        """Closes it."""

    def readings(self) -> Mapping[str, Callable[[], float]]:
        """Numbers for the metrics."""


def create_app(serving: Serving) -> FastAPI:
    """Returns the application that serves a release and follows newer ones."""
    app = _application(serving, "What policy reports say, who says so, and the passage each answer rests on.")
    app.include_router(api.router)
    app.include_router(linked_data.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.openapi = lambda: _openapi(app, serving)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    return app


def create_scratch_app(serving: ScratchServing) -> FastAPI:
    """Returns the application that serves a plain dataset to be written."""
    app = _application(serving, "A plain SPARQL dataset: query, update, and graph store.")
    app.state.writable = True
    app.include_router(scratch.router)
    return app


def _application(serving: Opened, description: str) -> FastAPI:
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await serving.open()
        metrics.watch(serving.readings())
        try:
            yield
        finally:
            await serving.close()

    app = FastAPIOffline(title="Policy evidence", description=description, version=__version__, lifespan=lifespan)
    app.state.serving = serving
    app.state.metrics = metrics
    app.include_router(operations.router)
    app.include_router(sparql.router)
    app.include_router(graphs.router)
    handle_errors(app)
    app.add_middleware(sparql.Shortcut)
    app.add_middleware(CompressMiddleware, minimum_size=_SHORTEST_COMPRESSED_BYTES)
    app.add_middleware(Around, metrics=metrics)
    return app


def _openapi(app: FastAPI, serving: Serving) -> dict[str, Any]:
    """Returns the OpenAPI document, with the questions of the release that is served."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    document["paths"].update(api.question_paths(serving.current.answers.questions()))
    return document
