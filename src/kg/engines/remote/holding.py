"""One publisher at a time: an engine is held by a claim in it, and by a lock on this machine.

The lock ends with its process, however that ends; so a claim of this machine whose lock is free is known
to be abandoned at once. A claim of another machine is, when the moment has passed until which it holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from platformdirs import user_data_path

from kg.engines.remote.claims import Claim, read_claims, remove_claims, shown, write_claim
from kg.engines.remote.engine import Engine
from kg.errors import EngineError, Publishing

# A claim is renewed when it is older than the first, and holds for the longest request and the second.
_RENEWED_S, _SLACK_S = 10, 60
# Two that begin in one moment both step back, and try again.
_TRIES, _LONGEST_PAUSE_S = 6, 0.5


class Hold:
    """An engine that is held for one publication."""

    def __init__(self, engine: Engine, claim: Claim) -> None:
        self._engine = engine
        self._claim = claim
        self._renewed = time.monotonic()

    def check(self) -> None:
        """Returns when the engine is still held, and puts off the moment at which it would count as abandoned.

        Raises:
            Publishing: another publisher took over, or the marker was removed.
            SourceError: the engine failed.
        """
        claims, mine = read_claims(self._engine), self._claim.publication
        taker = next((claim for claim in claims if mine in claim.over), None)
        if taker is not None:
            raise Publishing(f"{self._engine.name}: this publication was taken over by {taker}; it writes no more.")
        if all(claim.publication != mine for claim in claims):
            raise Publishing(f"{self._engine.name}: the marker of this publication was removed; it writes no more.")
        if time.monotonic() - self._renewed > _RENEWED_S:
            self._renew()

    def end(self) -> None:
        """Says that the release stands whole.

        Raises:
            As `check`.
        """
        self.check()
        over = (self._claim.publication, *self._claim.over)
        remove_claims(self._engine, [claim for claim in read_claims(self._engine) if claim.publication in over])
        for publication in over:
            if publication:
                with contextlib.suppress(OSError):
                    _lock_file(publication).unlink()

    def _renew(self) -> None:
        before, self._claim = self._claim, replace(self._claim, until=_until(self._engine))
        write_claim(self._engine, self._claim)
        if before != self._claim:
            remove_claims(self._engine, [before])
        self._renewed = time.monotonic()


@contextlib.contextmanager
def held(engine: Engine, release: str, take_over: bool = False) -> Iterator[Hold]:
    """Yields while an engine is held for publishing a release; what breaks off leaves its claim, as an abandoned one.

    Args:
        take_over: also from a publisher that seems to be at work.

    Raises:
        Publishing: another publisher is at work.
        SourceError: the engine failed.
    """
    for turn in range(1, _TRIES + 1):
        others = read_claims(engine)
        if not take_over:
            _refuse(engine, [claim for claim in others if not _is_abandoned(claim, others)])
        since, over = int(time.time()), tuple(sorted({claim.publication for claim in others}))
        claim = Claim(uuid.uuid4().hex, release, socket.gethostname(), os.getpid(), since, _until(engine), over)
        with _locked(claim.publication):
            _write(engine, claim)
            # Of two that begin together each has written before it looks, so at least one sees the other.
            if all(found.publication in {*over, claim.publication} for found in read_claims(engine)):
                yield Hold(engine, claim)
                return
            remove_claims(engine, [claim])
            _lock_file(claim.publication).unlink(missing_ok=True)
        time.sleep(random.uniform(0, turn * _LONGEST_PAUSE_S))  # noqa: S311 - no secret
    raise Publishing(f"{engine.name}: others began to publish in the same moment; run this again.")


def _write(engine: Engine, claim: Claim) -> None:
    try:
        write_claim(engine, claim)
    except EngineError:
        # It did not take the claim, so nobody will look for the lock.
        _lock_file(claim.publication).unlink(missing_ok=True)
        raise


def _refuse(engine: Engine, working: Sequence[Claim]) -> None:
    for claim in working:
        raise Publishing(
            f"{engine.name} is being written by {claim}. Wait for it; if it is gone, its claim ends at "
            f"{shown(claim.until)}, and --take-over does not wait for that."
        )


def _is_abandoned(claim: Claim, every: Sequence[Claim]) -> bool:
    if claim.until < time.time() or any(claim.publication in other.over for other in every):
        return True
    return claim.host == socket.gethostname() and _is_free(_lock_file(claim.publication))


def _until(engine: Engine) -> int:
    """Returns until when a claim holds that is made now: no request of its publisher takes longer."""
    return int(time.time()) + engine.settings.engine_write_time_limit_ms // 1000 + _SLACK_S


def _lock_file(publication: str) -> Path:
    return user_data_path("policy-evidence-kg") / "publishing" / f"{publication}.lock"


@contextlib.contextmanager
def _locked(publication: str) -> Iterator[None]:
    """Yields while this process holds the lock of its publication; without a folder for it, there is none."""
    with contextlib.ExitStack() as opened:
        with contextlib.suppress(OSError):
            path = _lock_file(publication)
            path.parent.mkdir(parents=True, exist_ok=True)
            lock: IO[bytes] = opened.enter_context(path.open("wb"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _is_free(path: Path) -> bool:
    """Returns whether a lock file is there and nobody holds it."""
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
