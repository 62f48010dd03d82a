"""Killed at any moment: what was acknowledged stays, nothing half-written is seen, and it is soon back.

Graphs of a workspace that are written are killed in test_writing. `KG_TEST_KILLS` says how often each is killed;
in the gate it is a few times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from kg.release.build import build
from kg.release.directory import find_release
from kg.release.opened import open_release
from kg.workspace import Settings
from services import AUTHORISED, TOKEN, Service, started
from workspaces import BARRIER, edit, text_file, write_workspace

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KG_TEST_KILLS", "4"))
# On a machine that does nothing else it takes a second or two.
READY_S = 20.0
GRAPH_TRIPLES = 150


class Writer:
    """Writes pairs of triples and whole graphs to a dataset, several at a time, and keeps what was acknowledged."""

    def __init__(self) -> None:
        self._number = 0
        self._lock = threading.Lock()
        self.pairs: set[int] = set()
        self.graphs: dict[int, int] = {}

    def write_until_dead(self, client: httpx2.Client, graph: int) -> None:
        """Writes on, and to one graph that nobody else writes, until nobody answers."""
        with suppress(httpx2.TransportError):
            while True:
                with self._lock:
                    self._number += 1
                    number = self._number
                self._write(client, graph, number)

    def _write(self, client: httpx2.Client, graph: int, number: int) -> None:
        if number % 5:
            update = f"INSERT DATA {{ <urn:pair:{number}> <urn:first> 1 . <urn:pair:{number}> <urn:second> 2 }}"
            if client.post("/sparql", data={"update": update}, headers=AUTHORISED).status_code == 204:
                self.pairs.add(number)
        else:
            # Which version was acknowledged last is known; one that was only sent may stand in its place.
            triples = "".join(f"<urn:s{n}> <urn:version> {number} ." for n in range(GRAPH_TRIPLES))
            headers = {**AUTHORISED, "Content-Type": "text/turtle"}
            if client.put(f"/graphs?graph=urn:g{graph}", content=triples, headers=headers).is_success:
                self.graphs[graph] = number


def rows(client: httpx2.Client, query: str) -> list[dict[str, str]]:
    """Returns the rows of an answer, each value as text."""
    answer = client.post("/sparql", data={"query": query})
    assert answer.status_code == 200, answer.text
    found = answer.json()["results"]["bindings"]
    return [{name: term["value"] for name, term in row.items()} for row in found]


def assert_whole(client: httpx2.Client, writer: Writer) -> None:
    """Every acknowledged write is there, and each write is there whole or not at all."""
    firsts, seconds = (
        {int(row["s"].rpartition(":")[2]) for row in rows(client, f"SELECT ?s {{ ?s <urn:{name}> ?o }}")}
        for name in ("first", "second")
    )
    assert writer.pairs <= firsts == seconds
    found = rows(client, "SELECT ?g ?v (COUNT(*) AS ?n) { GRAPH ?g { ?s <urn:version> ?v } } GROUP BY ?g ?v")
    assert {row["n"] for row in found} <= {str(GRAPH_TRIPLES)}
    assert len({row["g"] for row in found}) == len(found), "of each graph there is one version"
    held = {int(row["g"].removeprefix("urn:g")): int(row["v"]) for row in found}
    assert all(held[graph] >= version for graph, version in writer.graphs.items())


@contextmanager
def ready(service: Service) -> Iterator[httpx2.Client]:
    """Yields a client of a service once it says that it is ready."""
    deadline = time.monotonic() + READY_S
    with httpx2.Client(base_url=service.address, timeout=30) as client:
        while (answer := client.get("/readyz")).status_code != 200:
            assert time.monotonic() < deadline, answer.text
        yield client


def killed(service: Service, worker: bool) -> None:
    """Kills a service, or only the processes that work for it."""
    for victim in service.workers() if worker else {service.process.pid}:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


def test_no_acknowledged_update_is_lost_when_a_dataset_is_killed(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it with a failure
    chance, writer, starts = random.Random(seed), Writer(), list[float]()
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ada {TOKEN}\n", encoding="utf-8")
    for kill in range(KILLS + 1):
        begun = time.monotonic()
        serving = started("--scratch", tmp_path / "data", "--token-file", tokens)
        with serving as service, ready(service) as client, ThreadPoolExecutor(3) as pool:
            starts.append(time.monotonic() - begun)
            assert_whole(client, writer)
            if kill == KILLS:
                break
            writing = [pool.submit(writer.write_until_dead, client, number) for number in range(3)]
            time.sleep(chance.uniform(0.0, 1.2))
            if kill % 2:
                # Losing its workers costs the write at hand, and no more.
                killed(service, worker=True)
                time.sleep(chance.uniform(0.0, 0.6))
            killed(service, worker=False)
            for done in writing:
                done.result(timeout=30)
    assert writer.pairs and writer.graphs
    print(f"{len(writer.pairs)} updates and {len(writer.graphs)} graphs; ready after {max(starts):.1f} s at most")  # noqa: T201
    assert max(starts) < READY_S


def test_a_build_that_is_killed_leaves_the_release_that_was(tmp_path: Path, settings: Settings) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it with a failure
    chance = random.Random(seed)
    workspace = write_workspace(tmp_path / "workspace")
    first = build(workspace, settings, check="none").directory.id
    said, words = {first: "Too many posts stand empty."}, "Too many posts stand empty."
    command = [sys.executable, "-m", "kg", "build", "--quiet", "--check", "none", "--workspace", str(workspace.root)]
    with started("--workspace", workspace.root) as service, ready(service) as client:
        for number in range(KILLS):
            before, new = words, f"Version {number} of it."
            edit(text_file(workspace.root), before, new)
            words = new
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as building:
                time.sleep(chance.uniform(0.2, 2.5))
                building.kill()
            current = find_release(workspace.root / "build")
            open_release(current.root).close()
            if current.id not in said:
                # It was done before it was killed.
                said[current.id] = new
            answer = client.get("/api/describe", params={"entity": BARRIER}).json()
            assert answer["says"] == said.get(answer["release"], new)
        assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False, timeout=60).returncode == 0
        assert not list((workspace.root / "build").glob(".preparing-*"))
        last = find_release(workspace.root / "build").id
        deadline = time.monotonic() + 20
        while client.get("/api/release").json()["release"] != last:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert client.get("/api/describe", params={"entity": BARRIER}).json()["says"] == words
        service.process.kill()
    begun = time.monotonic()
    with started("--workspace", workspace.root) as service, ready(service) as client:
        assert time.monotonic() - begun < READY_S
        assert client.get("/api/release").json()["release"] == last
