"""Which lane a query runs in, and what it leaves behind when its asker goes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad, Store

from kg.engines.nursery import Nursery, Worker
from kg.engines.pool import LANE_MOST_MS, YOUNG_MS, Pool
from kg.engines.worker import TICKET, Job, Premises, frame
from kg.errors import LimitError
from kg.workspace import read_settings

pytestmark = pytest.mark.alone

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
SETTINGS = read_settings()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that an unbounded query never comes to the end of."""
    folder = tmp_path_factory.mktemp("store")
    made = Store(str(folder))
    nodes = [NamedNode(f"http://x.example/{number}") for number in range(500)]
    made.bulk_extend(Quad(node, nodes[0], nodes[1]) for node in nodes)
    made.flush()
    return folder


@asynccontextmanager
async def pool_over(store: Path) -> AsyncIterator[Pool]:
    nursery = Nursery()
    pool = Pool(nursery, Premises(str(store), {}, SETTINGS.worker_memory_limit_mb), SETTINGS)
    await nursery.open()
    await pool.open()
    try:
        yield pool
    finally:
        pool.close()
        await nursery.close()


def job(query: str, max_rows: int = 1000) -> Job:
    return Job(query, "application/sparql-results+json", (), (), max_rows, 1 << 30)


def open_spools() -> int:
    """Returns how many files that have no name any more, as a large answer is in, this process has open."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += str(link.readlink()).endswith(" (deleted)")
    return found


async def until(found: Callable[[], bool], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not found():
            await asyncio.sleep(0.005)


async def line_up(pool: Pool) -> None:
    """Returns when queries were short lately, so that those that come now line up behind one another."""
    for _ in range(30):
        await pool.run(job("ASK {}"))
    async with asyncio.timeout(30):
        while pool._lately_s >= YOUNG_MS / 1000 / 5:
            await pool.run(job("ASK {}"))


async def end(asked: asyncio.Task[object]) -> None:
    asked.cancel()
    with suppress(asyncio.CancelledError):
        await asked


def test_a_query_that_does_not_get_a_processor_stays_fast_until_its_time_is_over(store: Path) -> None:
    async def fast_s() -> float:
        async with pool_over(store) as pool:
            await pool.run(job("ASK {}"))
            asked: asyncio.Task[object] = asyncio.ensure_future(pool.run(job(ENDLESS)))
            await asyncio.sleep(0)
            ((worker, task),) = pool._fast.items()
            os.kill(worker.pid, signal.SIGSTOP)
            # What looks at every turn of the loop sees when it becomes slow.
            async with asyncio.timeout(10):
                while not pool.in_flight["slow"]:
                    await asyncio.sleep(0)
            took_s = asyncio.get_running_loop().time() - task.begun
            os.kill(worker.pid, signal.SIGCONT)
            await end(asked)
            return took_s

    assert asyncio.run(fast_s()) >= LANE_MOST_MS / 1000 - 0.01


def test_a_query_that_has_had_its_processor_time_leaves_the_fast_lane(store: Path) -> None:
    async def used_s() -> float:
        async with pool_over(store) as pool:
            await pool.run(job("ASK {}"))
            asked: asyncio.Task[object] = asyncio.ensure_future(pool.run(job(ENDLESS)))
            await until(lambda: pool.in_flight["slow"] == 1)
            (worker,) = pool._slow
            used = worker.processor_s
            await end(asked)
            return used

    assert 0 < asyncio.run(used_s()) < 5


def test_a_short_query_is_answered_while_long_ones_fill_every_lane(store: Path) -> None:
    async def answer() -> bytes:
        async with pool_over(store) as pool:
            asked: list[asyncio.Task[object]] = [asyncio.ensure_future(pool.run(job(ENDLESS))) for _ in range(16)]
            await asyncio.sleep(0)
            async with asyncio.timeout(15):
                reply = await pool.run(job("ASK {}"))
            for each in asked:
                await end(each)
            return reply.read()

    assert b"true" in asyncio.run(answer())


def test_a_worker_born_after_the_service_has_gone_ends_with_its_nursery(store: Path) -> None:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "kg.engines.worker", str(theirs.fileno())]
    nursery = subprocess.Popen(command, pass_fds=[theirs.fileno()], start_new_session=True)
    link, far = socket.socketpair()
    link.sendall(frame(Premises(str(store), {}, SETTINGS.worker_memory_limit_mb), 0) + frame(job(ENDLESS), 1))
    tickets, giving = os.pipe()
    os.write(giving, TICKET.pack(1))
    socket.send_fds(ours, [b"w"], [far.fileno(), tickets])
    for end_of_it in (ours, theirs, link, far):
        end_of_it.close()
    for pipe in (tickets, giving):
        os.close(pipe)
    try:
        assert nursery.wait(timeout=30) == 0
        time.sleep(0.3)
        assert not living_in_group(nursery.pid)
    finally:
        for pid in living_in_group(nursery.pid):
            os.kill(pid, signal.SIGKILL)


def living_in_group(group: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, process_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(process_group) == group and state != "Z":
                found.append(int(stat.parent.name))
    return found


def test_of_many_at_once_each_asker_has_its_own_answer(store: Path) -> None:
    async def answers() -> list[bytes]:
        async with pool_over(store) as pool:
            asked = [
                pool.run(job(f"SELECT ?n ?a {{ VALUES ?n {{ 'number {n}' }} ?a ?b ?c }} LIMIT {n % 9}"))
                for n in range(80)
            ]
            return [reply.read() for reply in await asyncio.gather(*asked)]

    for number, content in enumerate(asyncio.run(answers())):
        assert content.count(f'"number {number}"'.encode()) == number % 9


def test_small_and_large_answers_of_one_worker_are_told_apart(store: Path) -> None:
    async def sizes() -> list[int]:
        async with pool_over(store) as pool:
            limits = [0, 15000, 1, 14000, 0, 13000, 2, 12000] * 2
            asked = [pool.run(job(f"SELECT * {{ ?a ?b ?c . ?d ?e ?f }} LIMIT {n}", 20000)) for n in limits]
            replies = await asyncio.gather(*asked)
            return [reply.read().count(b'{"a"') for reply in replies]

    assert asyncio.run(sizes()) == [0, 15000, 1, 14000, 0, 13000, 2, 12000] * 2


def test_a_query_at_hand_whose_asker_has_gone_is_not_run(store: Path) -> None:
    async def used_s() -> list[float]:
        async with pool_over(store) as pool:
            await line_up(pool)
            long = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f }"
            first = [asyncio.ensure_future(pool.run(job(long))) for _ in range(2)]
            gone: list[asyncio.Task[object]] = [asyncio.ensure_future(pool.run(job(ENDLESS))) for _ in range(4)]
            await asyncio.sleep(0)
            assert sum(map(len, pool._at_hand.values())) >= 4
            for each in gone:
                await end(each)
            await asyncio.gather(*first)
            await pool.run(job("ASK {}"))
            await asyncio.sleep(0.1)
            assert pool.in_flight == {"fast": 0, "slow": 0, "waiting": 0}
            before = {worker: worker.processor_s for worker in pool._idle}
            await asyncio.sleep(0.3)
            return [worker.processor_s - before[worker] for worker in pool._idle]

    assert all(used < 0.2 for used in asyncio.run(used_s()))


def test_short_queries_that_lined_up_behind_a_long_one_are_answered_while_it_runs(store: Path) -> None:
    async def answered() -> tuple[int, int]:
        async with pool_over(store) as pool:
            await line_up(pool)
            long: asyncio.Task[object] = asyncio.ensure_future(pool.run(job(ENDLESS)))
            short = [asyncio.ensure_future(pool.run(job(f"ASK {{ ?a{n} ?b ?c }}"))) for n in range(12)]
            await asyncio.sleep(0)
            behind = sum(map(len, pool._at_hand.values()))
            async with asyncio.timeout(20):
                replies = await asyncio.gather(*short)
            assert not long.done()
            await end(long)
            return behind, sum(b"true" in reply.read() for reply in replies)

    behind, count = asyncio.run(answered())
    assert behind > 0
    assert count == 12


def test_a_job_that_is_called_back_is_not_done_and_those_before_and_after_it_are(store: Path) -> None:
    async def answers() -> tuple[int, list[bytes]]:
        replies: list[bytes] = []

        def replied(worker: Worker) -> None:
            assert worker.reply is not None
            replies.append(worker.reply.read())

        nursery = Nursery()
        await nursery.open()
        try:
            worker = nursery.worker(Premises(str(store), {}, SETTINGS.worker_memory_limit_mb), replied)
            for number in range(4):
                worker.give(job(f"SELECT ('job {number}' AS ?n) {{}}"))
            # It is not born yet, so it has begun none.
            back = worker.call_back(2)
            worker.give(job("SELECT ('job 4' AS ?n) {}"))
            await until(lambda: len(replies) == 3)
            return back, replies
        finally:
            await nursery.close()

    back, replies = asyncio.run(answers())
    assert back == 2
    assert [number for reply in replies for number in range(5) if f"job {number}".encode() in reply] == [0, 1, 4]


def test_an_asker_that_goes_in_the_moment_of_the_answer_leaves_no_file_open(store: Path) -> None:
    large = "SELECT ?a ?d { ?a ?b ?c . ?d ?e ?f } LIMIT 15000"

    async def files() -> tuple[int, int, int]:
        async with pool_over(store) as pool:
            await pool.run(job("ASK {}"))
            before = open_spools()
            asked: asyncio.Task[object] = asyncio.ensure_future(pool.run(job(large, max_rows=1_000_000)))
            await until(lambda: pool.in_flight["fast"] == 1)
            (task,) = pool._fast.values()
            # What looks at every turn of the loop sees the answer before its asker does.
            while not task.future.done():
                await asyncio.sleep(0)
            there = open_spools()
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            return before, there, open_spools()

    before, there, after = asyncio.run(files())
    assert there == before + 1
    assert after == before


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_the_limit_on_rows_is_exact_whatever_the_values_look_like(store: Path, rows: int) -> None:
    row = """( ',{"x' ',{"' '[{"x' )"""
    query = "SELECT ?a ?b ?c { VALUES (?a ?b ?c) { " + row * rows + " } }"

    async def answered() -> list[bool]:
        async with pool_over(store) as pool:
            asked = [pool.run(job(query, max_rows=most)) for most in (max(rows, 1), max(rows - 1, 1))]
            found = await asyncio.gather(*asked, return_exceptions=True)
            return [not isinstance(reply, LimitError) for reply in found]

    assert asyncio.run(answered()) == [True, rows < 2]
