"""Real engines, started once for all tests that ask them: Oxigraph's server and Debian's Virtuoso."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import httpx2
import pytest

from kg.engines.remote.engine import Engine, open_engine
from kg.workspace import Settings, read_settings

KINDS = ("oxigraph", "virtuoso")
OXIGRAPH = shutil.which("oxigraph") or shutil.which("oxigraph", path=str(Path(sys.executable).parent))
VIRTUOSO = shutil.which("virtuoso-t")
USER, PASSWORD = "kg", "copper-kettle"
_PATIENCE_S = 180.0

# The least that runs it as a server of graphs; all it writes stands in one folder.
_VIRTUOSO_INI = """
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
FileExtend = 200
MaxCheckpointRemap = 2000
TempStorage = TempDatabase
[TempDatabase]
DatabaseFile = {folder}/temp.db
TransactionFile = {folder}/temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql_port}
DisableUnixSocket = 1
ServerThreads = 20
CheckpointInterval = 60
MaxStaticCursorRows = 5000
MaxMemPoolSize = 200000000
NumberOfBuffers = 40000
MaxDirtyBuffers = 30000
ThreadsPerQuery = 2
MaxSortedTopRows = 1000000
[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerRoot = {folder}
MaxClientConnections = 20
MaxKeepAlives = 20
KeepAliveTimeout = 10
[SPARQL]
ResultSetMaxRows = {most_rows}
MaxQueryExecutionTime = 60
DefaultQuery = ASK {{}}
"""
_SETUP = f"""
DB.DBA.USER_CREATE('{USER}', '{PASSWORD}');
GRANT SPARQL_UPDATE TO "{USER}";
checkpoint;
"""


def free_port() -> int:
    """Returns a port that nobody has now."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class Server:
    """An engine that runs in a folder of its own, at an address that it keeps when it is started again."""

    kind: str
    folder: Path
    command: list[str]
    address: str
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output, cwd=self.folder)
        given_up = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "output").read_text()
            assert time.monotonic() < given_up, f"{self.kind} does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """Ends it as a failing machine does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it and removes its folder."""
        self._end(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def allow_rows(self, most: int) -> None:
        """Starts Virtuoso again with a limit on the rows of an answer; reading back what is written needs more."""
        self.kill()
        ini = self.folder / "virtuoso.ini"
        text = re.sub(r"ResultSetMaxRows = \d+", f"ResultSetMaxRows = {most}", ini.read_text())
        ini.write_text(text)
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None
        # A killed one leaves the file by which it would find itself running.
        (self.folder / "virtuoso.lck").unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            return httpx2.get(self.address, trust_env=False, timeout=5).status_code < 500
        except httpx2.TransportError:
            return False

    def settings(self) -> Settings:
        """The settings that open it."""
        found = read_settings()
        if self.kind == "virtuoso":
            return replace(found, engine_auth="digest", engine_user=USER, engine_password=PASSWORD)
        return found

    def environment(self) -> dict[str, str]:
        """The settings as variables of a process."""
        if self.kind == "virtuoso":
            return {"KG_ENGINE_AUTH": "digest", "KG_ENGINE_USER": USER, "KG_ENGINE_PASSWORD": PASSWORD}
        return {}

    def open(self) -> Engine:
        return open_engine(self.address, self.settings())


def oxigraph() -> Server:
    """Returns Oxigraph's server, started."""
    if OXIGRAPH is None:
        pytest.skip("Oxigraph's server is not installed: pip install oxigraph")
    folder, port = Path(mkdtemp(prefix="oxigraph-")), free_port()
    command = [OXIGRAPH, "serve", "--location", str(folder / "store"), "--bind", f"127.0.0.1:{port}"]
    server = Server("oxigraph", folder, command, f"http://127.0.0.1:{port}")
    server.start()
    return server


def virtuoso(most_rows: int = 1_000_000) -> Server:
    """Returns Virtuoso, started, with a user who may write."""
    isql = shutil.which("isql-vt")
    if VIRTUOSO is None or isql is None:
        pytest.skip("Virtuoso is not installed: apt-get install virtuoso-opensource-7-bin")
    folder, port, sql_port = Path(mkdtemp(prefix="virtuoso-")), free_port(), free_port()
    ini = folder / "virtuoso.ini"
    ini.write_text(_VIRTUOSO_INI.format(folder=folder, port=port, sql_port=sql_port, most_rows=most_rows))
    server = Server("virtuoso", folder, [VIRTUOSO, "-c", str(ini), "-f", "+wait"], f"http://127.0.0.1:{port}/sparql")
    server.start()
    setup = [isql, f"127.0.0.1:{sql_port}", "dba", "dba"]
    subprocess.run(setup, input=_SETUP, text=True, check=True, capture_output=True, timeout=60)
    return server


_STARTED: list[Server] = []


@lru_cache
def shared(kind: str) -> Server:
    """Returns the engine of that kind that the tests share; `stop_shared` ends it."""
    server = {"oxigraph": oxigraph, "virtuoso": virtuoso}[kind]()
    _STARTED.append(server)
    return server


def stop_shared() -> None:
    """Ends the engines that the tests shared."""
    while _STARTED:
        _STARTED.pop().stop()
    shared.cache_clear()


def clear(engine: Engine, graphs: Iterable[str]) -> None:
    """Empties graphs, so that a test begins with none of them."""
    for graph in graphs:
        engine.clear(graph)
