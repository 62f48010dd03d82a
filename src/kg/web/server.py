"""Running the application: a socket taken early, so that a taken port is one clear line, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import logging
import math
import os
import resource
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from kg.errors import BadParameter, KgError
from kg.web.connections import guarded
from kg.web.logs import start_log
from kg.workspace import Settings

logger = logging.getLogger(__name__)

# How long a connection is kept for a further request.
_KEEP_ALIVE_S = 30
# How many objects more than at the last round make the collector begin another; Python begins at 700.
_COLLECT_AFTER = 20_000
# Files that workers, spools and the store need beside the connections.
_OTHER_FILES = 1024


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

    The first SIGTERM or SIGINT lets the answers under way be finished; a second one ends them.

    Raises:
        BadParameter: a setting does not fit.
        KgError: what the application serves cannot be opened.
    """
    settings: Settings = app.state.settings
    start_log(settings.log_level)
    with contextlib.closing(listening):
        config = _config(app)
        _allow_files(settings.max_connections + _OTHER_FILES)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(_serve(listening, app, config, started))


async def _serve(
    listening: socket.socket, app: FastAPI, config: uvicorn.Config, started: Callable[[str], None]
) -> None:
    # Opened here and not in uvicorn's own lifespan, which would turn a clear error into a traceback.
    async with app.router.lifespan_context(app):
        server = _Server(config, lambda: started(_address(listening)))
        # uvicorn drains on SIGTERM and then raises it again; to end as told is no failure.
        signal.signal(signal.SIGTERM, lambda *_: None)
        _collect_seldom()
        await server.serve(sockets=[listening])


def _collect_seldom() -> None:
    """Spares the collector of garbage what was loaded at the start, and most of its rounds.

    A request leaves hardly a circle behind; looking for them took a tenth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


def _config(app: FastAPI) -> uvicorn.Config:
    settings: Settings = app.state.settings
    proxies = read_proxies(settings.trust_proxy)
    return uvicorn.Config(
        app,
        http=guarded(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=math.ceil(settings.drain_time_limit_ms / 1000),
        timeout_keep_alive=_KEEP_ALIVE_S,
    )


def read_proxies(text: str | None) -> list[str]:
    """Returns the addresses and networks of proxies that are trusted.

    >>> read_proxies("127.0.0.1, 10.0.0.0/8")
    ['127.0.0.1', '10.0.0.0/8']

    Raises:
        BadParameter: one is neither.
    """
    proxies = [part.strip() for part in (text or "").split(",") if part.strip()]
    for proxy in proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            raise BadParameter(f"KG_TRUST_PROXY: {proxy!r} is no address or network, such as 10.0.0.0/8.") from error
    return proxies


def _allow_files(wanted: int) -> None:
    """Lets this process have as many files open as its connections may need, where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        logger.warning("only %s files may be open; for all connections allowed, raise the limit to %s", most, wanted)


class _Server(uvicorn.Server):
    """A server that says when it has started, and ends at once when it is told twice."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started
        self._loop = asyncio.get_running_loop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        logger.info("started, process %s", os.getpid())
        self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logger.info("stopping: %s connections open", len(self.server_state.connections))
        await super().shutdown(sockets)
        logger.info("stopped")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
            self._loop.call_soon_threadsafe(self._drop_all)
        super().handle_exit(sig, frame)

    def _drop_all(self) -> None:
        logger.warning("told to stop again: answers under way are dropped")
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
