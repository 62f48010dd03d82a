"""One publisher at a time: another is told who is at work, what was abandoned is taken over, and who was stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from engines import shared
from kg.engines.remote.catalogue import read_stamp
from kg.engines.remote.claims import Claim, read_claims, write_claim
from kg.engines.remote.engine import Engine
from kg.engines.remote.holding import held
from kg.errors import EngineError, Publishing
from kg.release.directory import ReleaseDirectory
from kg.release.publish import publish
from kg.workspace import Settings
from test_publish import Broken, assert_stands, emptied, generated


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The locks of publishers that break off are not left in the home of whoever runs the tests."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Oxigraph's server, without a release."""
    with closing(shared("oxigraph").open()) as opened:
        yield emptied(opened)
        emptied(opened)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> ReleaseDirectory:
    return generated(tmp_path_factory.mktemp("small"), 4, settings)


def command(release: ReleaseDirectory, *options: str) -> list[str]:
    address = shared("oxigraph").address
    return [sys.executable, "-m", "kg", "publish", "--engine", address, "--release", str(release.root), *options]


def run(release: ReleaseDirectory, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(release, *options), capture_output=True, text=True, check=False)


@contextmanager
def stopped_in_the_middle(release: ReleaseDirectory, engine: Engine) -> Iterator[subprocess.Popen[str]]:
    """Yields a real `kg publish` that has its marker in the engine, and was stopped there."""
    with subprocess.Popen(command(release), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            while read_stamp(engine).publishing is None:
                assert process.poll() is None
            process.send_signal(signal.SIGSTOP)
            assert [claim.process for claim in read_claims(engine)] == [process.pid]
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_a_second_publisher_is_told_who_is_at_work_and_a_killed_one_is_finished_by_running_again(
    engine: Engine, small: ReleaseDirectory
) -> None:
    with stopped_in_the_middle(small, engine) as first:
        refused = run(small)
        (claim,) = read_claims(engine)

    assert refused.returncode == 1 and refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    for words in (
        "A release is being published",
        f"process {first.pid} on {socket.gethostname()}, with release {small.id[:12]} since 20",
        "--take-over",
    ):
        assert words in line
    assert claim.until > time.time() + 300
    assert read_stamp(engine).release is None

    done = run(small)
    assert (done.returncode, done.stderr) == (0, "")
    assert_stands(small, engine)
    assert read_claims(engine) == []


@pytest.mark.slow
def test_a_publisher_that_was_taken_over_stops_by_name_and_writes_no_more(
    engine: Engine, small: ReleaseDirectory
) -> None:
    with stopped_in_the_middle(small, engine) as first:
        over = run(small, "--take-over")
        assert over.returncode == 0
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate(timeout=60)

    assert first.returncode == 1
    assert "writes no more" in said
    assert_stands(small, engine)
    assert publish(small, engine).written == ()


def test_it_is_told_who_took_over_and_both_that_broke_off_are_finished_by_the_next(
    engine: Engine, small: ReleaseDirectory
) -> None:
    def break_off(step: str) -> None:
        raise Broken

    def be_taken_over(step: str) -> None:
        with pytest.raises(Broken):
            publish(small, engine, break_off, take_over=True)

    taken = rf"was taken over by process {os.getpid()} on \S+, with release {small.id[:12]}"
    with pytest.raises(Publishing, match=taken):
        publish(small, engine, be_taken_over)
    assert len(read_claims(engine)) == 2

    publish(small, engine)
    assert_stands(small, engine)
    assert read_claims(engine) == []


def test_one_whose_marker_is_gone_stops(engine: Engine, small: ReleaseDirectory) -> None:
    with held(engine, small.id) as hold:
        emptied(engine)
        with pytest.raises(Publishing, match="marker of this publication was removed"):
            hold.check()


def test_a_claim_of_another_machine_holds_until_its_end(engine: Engine, small: ReleaseDirectory) -> None:
    claim = Claim("kettle", small.id, "elsewhere", 7, int(time.time()), int(time.time()) + 100)
    write_claim(engine, claim)
    with pytest.raises(Publishing, match="process 7 on elsewhere"):
        publish(small, engine)
    assert read_claims(engine) == [claim]

    emptied(engine)
    write_claim(engine, replace(claim, until=int(time.time()) - 1))
    publish(small, engine)
    assert_stands(small, engine)


def test_a_marker_without_a_name_is_an_abandoned_one(engine: Engine, small: ReleaseDirectory) -> None:
    write_claim(engine, Claim("", small.id))
    assert read_stamp(engine).publishing == small.id
    publish(small, engine)
    assert read_stamp(engine).publishing is None


def test_a_publisher_at_work_puts_off_the_end_of_its_claim(
    engine: Engine, small: ReleaseDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.engines.remote.holding._RENEWED_S", 0)
    with held(engine, small.id) as hold:
        (before,) = read_claims(engine)
        time.sleep(1.1)
        hold.check()
        (after,) = read_claims(engine)
        assert after.until > before.until and replace(after, until=before.until) == before
        hold.end()
    assert read_claims(engine) == []


def test_of_many_that_begin_together_one_at_a_time_holds_the_engine(engine: Engine, small: ReleaseDirectory) -> None:
    begin, at_work, most, refused = threading.Barrier(5), list[int](), list[int](), list[str]()

    def work(number: int) -> None:
        begin.wait()
        try:
            with held(engine, small.id) as hold:
                at_work.append(number)
                most.append(len(at_work))
                time.sleep(0.05)
                at_work.remove(number)
                hold.end()
        except Publishing as error:
            refused.append(str(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(most) == {1} and len(most) + len(refused) == 5
    assert read_claims(engine) == []


def test_a_lock_of_this_machine_is_left_by_nobody_who_has_finished(
    engine: Engine, small: ReleaseDirectory, tmp_path: Path
) -> None:
    seen: list[int] = []
    publish(small, engine, lambda step: seen.append(len(list(tmp_path.rglob("*.lock")))))
    assert set(seen) == {1}
    assert list(tmp_path.rglob("*.lock")) == []


def test_a_publisher_whose_claim_is_not_taken_leaves_no_lock(engine: Engine, tmp_path: Path) -> None:
    nowhere = replace(engine, store_url=f"{engine.name}/no-such-place")
    with pytest.raises(EngineError, match="404"), held(nowhere, "a" * 64):
        pass
    assert list(tmp_path.rglob("publishing")) != [] and list(tmp_path.rglob("*.lock")) == []
