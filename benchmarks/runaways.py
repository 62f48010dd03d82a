"""Measures what a service under attack does: its memory, how soon runaway queries are cut, how long questions take.

    python benchmarks/runaways.py --release DIR         a release that stands
    python benchmarks/runaways.py                       builds one of this repository first

Starts `kg serve`, waits, and reads the memory of its whole process tree. Then it keeps a number of queries in flight
that never come to an end, each begun again when it is cut, and meanwhile asks the release's own questions, with their
examples, one after the other. Nothing but Linux' /proc is needed.

Memory is told twice: as the sum of what each process holds (RSS, which counts shared pages once for each), and with
shared pages divided among those who share them (PSS).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
CROSS = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l"
# Each ends by time or by memory, and loads the machine in its own way.
RUNAWAYS = (
    f"SELECT (COUNT(*) AS ?n) {{ {CROSS} }}",
    f"SELECT * {{ {CROSS} }} ORDER BY ?l ?a LIMIT 1",
    f"SELECT (GROUP_CONCAT(?c) AS ?all) {{ {CROSS} }}",
    "SELECT (COUNT(*) AS ?n) { ?a (!<urn:x>)* ?b . ?c (!<urn:x>)* ?d . ?e (!<urn:x>)* ?f }",
)
# What is aimed at.
QUESTION_P99_S = 0.5
CUT_WITHIN_S = 0.5


@dataclass
class Found:
    """What came of it: seconds and statuses of runaways, seconds of questions, megabytes."""

    cut: list[tuple[float, int]] = field(default_factory=list)
    asked_s: list[float] = field(default_factory=list)
    most_rss_mb: float = 0
    most_pss_mb: float = 0
    processes: int = 0


def tree(pid: int) -> list[int]:
    """Returns a process and all that descend from it."""
    found = [pid]
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += tree(int(child))
    return found


def memory_mb(pid: int) -> tuple[float, float, int]:
    """Returns the RSS and PSS of a process tree in megabytes, and how many processes it has."""
    sums = {"Rss:": 0, "Pss:": 0}
    processes = tree(pid)
    for process in processes:
        with suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                name, *rest = line.split()
                if name in sums:
                    sums[name] += int(rest[0])
    return sums["Rss:"] / 1024, sums["Pss:"] / 1024, len(processes)


@contextmanager
def service(release: Path, limit_ms: int) -> Iterator[tuple[int, str]]:
    """Yields the process id and the address of a service that answers."""
    command = [sys.executable, "-m", "kg", "serve", "--release", str(release), "--port", "0"]
    environment = {**os.environ, "KG_QUERY_TIME_LIMIT_MS": str(limit_ms), "KG_LOG_LEVEL": "error"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                sys.exit("the service did not start")
            address = line.split()[-1].rstrip("/")
            while get(f"{address}/readyz")[0] != 200:
                time.sleep(0.1)
            yield process.pid, address
        finally:
            process.terminate()


def get(address: str) -> tuple[int, bytes]:
    """Returns status and body, whatever the status."""
    try:
        with urlopen(address, timeout=300) as reply:
            return reply.status, reply.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def questions_of(address: str) -> list[str]:
    """Returns the addresses of the release's questions, each with its own example."""
    found = []
    for question in json.loads(get(f"{address}/api/queries")[1])["results"]:
        given = [(p["name"], text) for p in question["parameters"] if p["mode"] != "optional" for text in p["example"]]
        found.append(f"{address}/api/queries/{question['name']}?{urlencode(given)}")
    return found


def attack(address: str, query: str, until: float, found: Found) -> None:
    """Keeps one runaway in flight; in the end the last one is still waited for."""
    while time.monotonic() < until:
        begun = time.monotonic()
        status, _ = get(f"{address}/sparql?{urlencode({'query': query})}")
        found.cut.append((time.monotonic() - begun, status))


def watch(pid: int, until: float, found: Found) -> None:
    """Keeps the most memory that the process tree had."""
    while time.monotonic() < until:
        rss, pss, processes = memory_mb(pid)
        found.most_rss_mb, found.most_pss_mb = max(found.most_rss_mb, rss), max(found.most_pss_mb, pss)
        found.processes = max(found.processes, processes)
        time.sleep(0.25)


def ask(questions: Sequence[str], until: float, found: Found) -> None:
    """Asks the questions one after the other.

    Raises:
        RuntimeError: one is not answered.
    """
    while time.monotonic() < until:
        for question in questions:
            begun = time.monotonic()
            status, body = get(question)
            found.asked_s.append(time.monotonic() - begun)
            if status != 200:
                raise RuntimeError(f"{question}: {status} {body[:200]!r}")


def under_attack(pid: int, address: str, runaways: int, seconds: int) -> Found:
    """Returns what came of so many runaways in flight for so long."""
    found, questions = Found(), questions_of(address)
    ask(questions, 0.0, found)
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=watch, args=(pid, until, found))]
    for number in range(runaways):
        query = RUNAWAYS[number % len(RUNAWAYS)]
        threads.append(threading.Thread(target=attack, args=(address, query, until, found)))
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    ask(questions, until, found)
    for thread in threads:
        thread.join()
    return found


def report(idle: tuple[float, float, int], found: Found, given: argparse.Namespace) -> str:
    """Returns the table."""
    limit_s = given.limit_ms / 1000
    p99 = statistics.quantiles(found.asked_s, n=100)[98]
    latest = max(seconds for seconds, _ in found.cut)
    statuses = sorted({status for _, status in found.cut})
    lines = [
        "| what | found | target |",
        "|---|--:|--:|",
        f"| idle: processes, RSS, PSS | {idle[2]}, {idle[0]:,.0f} MB, {idle[1]:,.0f} MB | |",
        f"| {given.runaways} runaways: processes, RSS, PSS at most | {found.processes}, {found.most_rss_mb:,.0f} MB,"
        f" {found.most_pss_mb:,.0f} MB | bounded |",
        f"| runaways cut, with status | {len(found.cut)}, {', '.join(map(str, statuses))} | 503 |",
        f"| the latest of them cut after | {latest:.2f} s | {limit_s + CUT_WITHIN_S:.2f} s |",
        f"| questions asked | {len(found.asked_s):,} | |",
        f"| of these p50 | {statistics.median(found.asked_s) * 1000:.0f} ms | |",
        f"| p99 | {p99 * 1000:.0f} ms | {QUESTION_P99_S * 1000:.0f} ms |",
        f"| slowest | {max(found.asked_s) * 1000:.0f} ms | |",
    ]
    return "\n".join(lines)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--release", type=Path, help="a release (or a folder of releases) to serve")
    parser.add_argument("--runaways", type=int, default=8, help="so many are kept in flight")
    parser.add_argument("--seconds", type=int, default=40, help="of the attack")
    parser.add_argument("--idle-s", type=int, default=10, help="wait so long after the start before memory is read")
    parser.add_argument("--limit-ms", type=int, default=5000, help="the service's time limit for a query")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kg-runaways-") as name:
        release = given.release or Path(name) / "release"
        if given.release is None:
            build = [sys.executable, "-m", "kg", "build", "--workspace", ROOT, "--out", release, "--check", "none"]
            subprocess.run([str(part) for part in build], check=True, stdout=subprocess.DEVNULL)
        with service(release, given.limit_ms) as (pid, address):
            time.sleep(given.idle_s)
            idle = memory_mb(pid)
            found = under_attack(pid, address, given.runaways, given.seconds)
        print(f"{os.cpu_count()} processors, time limit {given.limit_ms} ms\n\n{report(idle, found, given)}")


if __name__ == "__main__":
    main()
