"""Many files: each in a process of its own, in parallel, written whole, and left alone when done.

A file that fails, takes too long or too much memory is reported and does not stop the rest.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from kg.errors import DataError, KgError
from kg.ingest.aids import NO_AIDS, Aids
from kg.ingest.documents import ENDINGS
from kg.ingest.known import Known
from kg.ingest.model import Model
from kg.ingest.pipeline import Ingested, ingest_file


@dataclass(frozen=True)
class Limits:
    """What one file may cost."""

    most_bytes: int
    time_limit_ms: int
    memory_limit_mb: int


@dataclass(frozen=True)
class Outcome:
    """What became of a file: what it gave, or why it gave nothing."""

    path: Path
    ingested: Ingested | None
    error: str | None = None


def files_in(paths: Sequence[Path]) -> list[Path]:
    """Returns the files that are named, and of folders those of a kind that is read, in order.

    Raises:
        DataError: a path does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in ENDINGS and not p.name.startswith(".")
            )
        elif path.exists():
            found.append(path)
        else:
            raise DataError("does not exist.", path)
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Help:
    """What helps the rules: a model that reads along, and those that are installed."""

    model: Model | None = None
    aids: Aids = NO_AIDS


NO_HELP = Help()


def ingest_all(files: Sequence[Path], known: Known, limits: Limits, help_: Help = NO_HELP) -> Iterator[Outcome]:
    """Yields what became of each file, as it is done; as many at once as there are processors."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kg.ingest.pipeline"])
    waiting = list(files)
    running: dict[Connection, _Job] = {}
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                job = _start(context, waiting.pop(0), known, limits, help_)
                running[job.pipe] = job
            ready = wait(list(running), timeout=0.2)
            late = [pipe for pipe, job in running.items() if job.deadline < time.monotonic() and pipe not in ready]
            for pipe in [*ready, *late]:
                assert isinstance(pipe, Connection)
                yield running.pop(pipe).outcome(late=pipe in late)
    finally:
        for job in running.values():
            job.end()


@dataclass
class _Job:
    path: Path
    process: BaseProcess
    pipe: Connection
    deadline: float
    limits: Limits

    def outcome(self, late: bool) -> Outcome:
        if late:
            self.end()
            return Outcome(
                self.path, None, f"took longer than {self.limits.time_limit_ms} ms (KG_DOCUMENT_TIME_LIMIT_MS)."
            )
        try:
            told = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(10)
            told = (
                f"could not be read: its process ended with {self.process.exitcode}; "
                "it may need more memory (KG_DOCUMENT_MEMORY_LIMIT_MB)."
            )
        self.end()
        return Outcome(self.path, None, told) if isinstance(told, str) else Outcome(self.path, told)

    def end(self) -> None:
        """Ends the process, should it still run."""
        if self.process.is_alive():
            self.process.join(0.5)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.pipe.close()


def _start(
    context: multiprocessing.context.ForkServerContext, path: Path, known: Known, limits: Limits, help_: Help
) -> _Job:
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, path, known, limits, help_), daemon=True)
    process.start()
    theirs.close()
    return _Job(path, process, ours, time.monotonic() + limits.time_limit_ms / 1000, limits)


def _child(pipe: Connection, path: Path, known: Known, limits: Limits, help_: Help) -> None:
    most = limits.memory_limit_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    # A library that complains on standard error would mix with the progress.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):  # noqa: PTH123
        pipe.send(_told(path, known, limits, help_))
    pipe.close()


def _told(path: Path, known: Known, limits: Limits, help_: Help) -> Ingested | str:
    try:
        return ingest_file(path, known, limits.most_bytes, help_.model, help_.aids)
    except KgError as error:
        return str(error).removeprefix(f"{path}: ")
    except MemoryError:
        return f"needs more than {limits.memory_limit_mb} MB of memory (KG_DOCUMENT_MEMORY_LIMIT_MB)."
    except RecursionError:
        return "is nested too deeply to be read."
