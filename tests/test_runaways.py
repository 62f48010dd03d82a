"""Runaway queries in flight, and workers that die: each costs itself only."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from attacked import Target, addressed, open_target
from services import children_of, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.alone]

LIMIT_S = 8.0
# Of 16 that came before, two at a time have the fast lane, for half a second at most; then a new worker is made.
PATIENCE_S = 7.0
GRACE_S = 0.5
# What the client's own threads may take besides, where other programs have the processors.
SLACK_S = 1.5
MEMORY_MB = 1024
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
OF_RELEASES = pytest.mark.parametrize("target", ["release"], indirect=True)


@pytest.fixture(scope="module", params=["release", "scratch"])
def target(
    request: pytest.FixtureRequest, release_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    limits = {"KG_QUERY_TIME_LIMIT_MS": str(int(LIMIT_S * 1000)), "KG_WORKER_MEMORY_LIMIT_MB": str(MEMORY_MB)}
    with open_target(request.param, release_folder, tmp_path_factory.mktemp("attacked"), PATIENCE_S, **limits) as found:
        yield found


@pytest.fixture(autouse=True)
def _others_are_answered(target: Target) -> Iterator[None]:
    yield
    target.bystander.assert_answered()


def asked(target: Target, query: str) -> tuple[int, float]:
    """Returns the status of an answer, and after how many seconds it came."""
    begun = time.monotonic()
    answer = target.client.post("/sparql", data={"query": query})
    return answer.status_code, time.monotonic() - begun


def in_flight(target: Target) -> dict[str, int]:
    """Returns how many queries the metrics say run and wait."""
    lines = target.client.get("/metrics").text.splitlines()
    found = dict(line.split(" ", 1) for line in lines if line.startswith("kg_queries_"))
    return {lane: int(float(found[f"kg_queries_{lane}"])) for lane in ("fast", "slow", "waiting")}


def test_with_16_runaways_in_flight_a_short_query_is_answered_and_each_runaway_is_cut(target: Target) -> None:
    with ThreadPoolExecutor(16) as pool:
        runaways = [pool.submit(asked, target, f"{RUNAWAY} # {number}") for number in range(16)]
        wait_until(lambda: sum(in_flight(target).values()) >= 12, LIMIT_S)
        for number in range(3):
            status, took = asked(target, f"ASK {{}} # short {number}")
            assert status == 200
            assert took < PATIENCE_S
        found = [runaway.result() for runaway in runaways]
    assert {status for status, _ in found} == {503}
    assert max(took for _, took in found) < LIMIT_S + GRACE_S + SLACK_S
    # The bystander's next query may be in flight.
    wait_until(lambda: sum(in_flight(target).values()) <= 1, PATIENCE_S)


@OF_RELEASES
def test_with_8_runaways_in_flight_questions_are_answered(target: Target) -> None:
    questions = ["blocked-themes", "recurring-themes", "barriers-without-recommendation", "commitments"]
    with ThreadPoolExecutor(8) as pool:
        runaways = [pool.submit(asked, target, f"{RUNAWAY} # {number}") for number in range(8)]
        waited: list[float] = []
        while not all(runaway.done() for runaway in runaways):
            begun = time.monotonic()
            question = questions[len(waited) % len(questions)]
            assert target.client.get(f"/api/queries/{question}").status_code == 200
            waited.append(time.monotonic() - begun)
        found = [runaway.result() for runaway in runaways]
    assert {status for status, _ in found} == {503}
    assert max(took for _, took in found) < LIMIT_S + GRACE_S + SLACK_S
    assert len(waited) > 4
    assert max(waited) < PATIENCE_S


def test_more_than_may_wait_are_told_to_come_again(release_folder: Path, tmp_path: Path, target: Target) -> None:
    limits = {"KG_QUERY_TIME_LIMIT_MS": "1500", "KG_MAX_WAITING": "4"}
    with (
        open_target(target.mode, release_folder, tmp_path, PATIENCE_S, **limits) as other,
        ThreadPoolExecutor(20) as pool,
    ):
        answers = list(pool.map(lambda n: other.client.post("/sparql", data={"query": f"{RUNAWAY} # {n}"}), range(20)))
        refused = [answer for answer in answers if answer.json().get("limit") == "KG_MAX_WAITING"]
        assert refused
        assert all(answer.status_code == 503 and answer.headers["Retry-After"] for answer in answers)
        # The bystander may have been among them; it is not asked.
        other.bystander.faults.clear()


def _resident_mb(processes: set[int]) -> int:
    pages = 0
    for process in processes:
        with suppress(OSError):
            pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def test_what_eats_memory_is_stopped_at_the_limit_and_the_whole_tree_stays_bounded(target: Target) -> None:
    chain = "".join(f"BIND(CONCAT({', '.join([f'?x{n}'] * 20)}) AS ?x{n + 1}) " for n in range(3))
    bomb = f"SELECT (STRLEN(?x3) AS ?n) {{ BIND('{'a' * 900_000}' AS ?x0) {chain} }}"
    greedy = "SELECT ?a ?d ?g (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } GROUP BY ?a ?d ?g ?c ?f ?i"
    limits, most = set(), 0
    for queries in ([bomb], [bomb, greedy] * 4):
        with ThreadPoolExecutor(8) as pool:
            asking = [pool.submit(target.client.post, "/sparql", data={"query": query}) for query in queries]
            while not all(answer.done() for answer in asking):
                tree = {target.service.process.pid, *children_of(target.service.process.pid), *target.service.workers()}
                most = max(most, _resident_mb(tree))
                time.sleep(0.02)
            answers = [answer.result() for answer in asking]
        assert {answer.status_code for answer in answers} == {503}, [answer.text for answer in answers]
        limits |= {answer.json().get("limit") for answer in answers}
    assert "KG_WORKER_MEMORY_LIMIT_MB" in limits
    # Two lanes of two places each; the service itself and the workers of its own questions on top.
    assert most < 4 * MEMORY_MB + 1000


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_costs_only_its_own_query(target: Target, sign: signal.Signals) -> None:
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(asked, target, f"{RUNAWAY} # {sign}")
        wait_until(lambda: in_flight(target)["fast"] + in_flight(target)["slow"] > 0, LIMIT_S / 2)
        before = {worker: _processor_ticks(worker) for worker in target.service.workers()}

        def used() -> dict[int, int]:
            """How long each worker has had a processor since, in hundredths of a second."""
            return {worker: _processor_ticks(worker) - before.get(worker, 0) for worker in target.service.workers()}

        # So much none of the others needs for a short query, and to be born.
        wait_until(lambda: max(used().values()) >= 30, LIMIT_S / 2)
        busy = max(used(), key=lambda worker: used()[worker])
        others = [pool.submit(asked, target, f"ASK {{}} # {sign} {number}") for number in range(10)]
        os.kill(busy, sign)
        assert running.result()[0] == 502
        assert {other.result()[0] for other in others} == {200}
    assert target.client.get("/readyz").status_code == 200


def test_all_workers_that_die_at_once_are_replaced(target: Target) -> None:
    # The bystander would lose a query of its own, as it should.
    all_of_them = target.service.workers()
    for worker in all_of_them:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    # Until then one could be given a query that dies with it.
    wait_until(lambda: not all_of_them & target.service.workers(), PATIENCE_S)
    wait_until(lambda: target.client.get("/readyz").status_code == 200, PATIENCE_S)
    assert asked(target, "ASK {} # after all have died")[0] == 200
    target.bystander.faults.clear()


def test_a_client_that_leaves_ends_its_query(target: Target) -> None:
    for number in range(4):
        with target.service.connected() as connection:
            path = addressed("/sparql", query=f"{RUNAWAY} # left {number}")
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            time.sleep(0.1)
    begun = time.monotonic()
    while in_flight(target)["slow"] or in_flight(target)["waiting"]:
        assert time.monotonic() - begun < LIMIT_S / 2, "they would have ended by themselves"
        time.sleep(0.02)


def test_the_processes_that_make_workers_may_die_too(target: Target, release_folder: Path, tmp_path: Path) -> None:
    limits = {"KG_QUERY_TIME_LIMIT_MS": "1000"}
    with open_target(target.mode, release_folder, tmp_path, PATIENCE_S, **limits) as other:
        assert asked(other, "ASK {}")[0] == 200
        nurseries = other.service.nurseries()
        # Of a release there is one more, which holds it in memory.
        assert len(nurseries) == (2 if target.mode == "release" else 1)
        for nursery in nurseries:
            os.kill(nursery, signal.SIGKILL)
        deadline = time.monotonic() + 10
        status = 0
        while status != 200:
            assert time.monotonic() < deadline, "it does not come back"
            with suppress(httpx2.HTTPError):
                status = other.client.get("/readyz").status_code
        for number in range(3):
            assert asked(other, f"ASK {{}} # after they have died {number}")[0] == 200
        assert asked(other, RUNAWAY)[0] == 503
        assert asked(other, "ASK {} # and after a query was ended")[0] == 200
        other.bystander.faults.clear()


def _processor_ticks(process: int) -> int:
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return -1
