"""Running the application: a socket taken early, so that a taken port is one clear line."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from kg.errors import KgError

_DRAIN_S = 10


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens at an address; port 0 takes a free one.

    Raises:
        KgError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named: else each answer waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        why = error.strerror or str(error)
        raise KgError(f"{host} port {port} cannot be used: {why}. Choose another with --port.") from error
    return listening


def run(listening: socket.socket, app: FastAPI, started: Callable[[str], None]) -> None:
    """Serves an application until the process is told to stop, then finishes what is in flight.

    Args:
        started: is told the address once the service answers.

    Raises:
        KgError: what the application serves cannot be opened.
    """
    with contextlib.closing(listening):
        factory = uvicorn.Config(app).get_loop_factory()
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(_serve(listening, app, started))


async def _serve(listening: socket.socket, app: FastAPI, started: Callable[[str], None]) -> None:
    # Opened here and not in uvicorn's own lifespan, which would turn a clear error into a traceback.
    async with app.router.lifespan_context(app):
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_DRAIN_S,
            timeout_keep_alive=30,
        )
        server = _Server(config, lambda: started(_address(listening)))
        # uvicorn drains on SIGTERM and then raises it again; to end as told is no failure.
        signal.signal(signal.SIGTERM, lambda *_: None)
        await server.serve(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that says when it has started."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
