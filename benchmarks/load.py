"""Asks a service everything at once while releases are published beside it: no error, no answer that mixes two.

    python benchmarks/load.py                      64 clients, 60 s, five releases of 100 reports
    python benchmarks/load.py --clients 8 --seconds 8 --releases 2 --reports 5

Each release differs from the one before in the label and the paraphrase of one barrier, which carry its
number. So an answer tells twice which release it is of: by the id that it names, and by what it says.
Each answer is held against what `kg build` itself printed for that number.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from kg.names import BASE, PEV, RDFS

HERE = Path(__file__).parent
_MARK = re.compile(r"\bmark-(\d+)-")
_RELEASE = re.compile(r"#release-([0-9a-f]{64})")
_BARRIER = re.compile(r"^    barrier:(\S+) (?=a pev:Barrier)(.*?) \.$", re.MULTILINE | re.DOTALL)
TIMEOUT_S = 60


@dataclass
class Marked:
    """A workspace in which one barrier carries the number of the release."""

    root: Path
    file: Path
    barrier: str
    theme: str
    number: int = 0

    def publish(self) -> tuple[str, int]:
        """Returns the id and the number of a new release, which is then current."""
        self.number += 1
        text = self.file.read_text(encoding="utf-8")
        found = next(m for m in _BARRIER.finditer(text) if m[1] == self.barrier)
        block = re.sub(
            r'(rdfs:label|pev:paraphrase) "[^"]*"', rf'\1 "mark-{self.number}- standing in the way"', found[0]
        )
        self.file.write_text(text.replace(found[0], block), encoding="utf-8")
        command = [sys.executable, "-m", "kg", "build", "--quiet", "--check", "none", "--workspace", str(self.root)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.split()[1], self.number


def marked_workspace(root: Path, reports: int) -> Marked:
    """Returns a generated workspace and the barrier that will be marked: the first that blocks a theme."""
    subprocess.run(
        [sys.executable, HERE / "generate.py", root, "--reports", str(reports), "--seed", "1"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for file in sorted((root / "graph" / "sources").glob("*.trig")):
        for found in _BARRIER.finditer(file.read_text(encoding="utf-8")):
            blocked = re.search(r"pev:blocks theme:([\w-]+)", found[2])
            if blocked and "pev:paraphrase" in found[2]:
                return Marked(root, file, found[1], blocked[1])
    raise LookupError("no report has a barrier that blocks a theme")


# What is asked


@dataclass(frozen=True)
class Kind:
    """One kind of request: its path, and how its answer names the release."""

    path: str
    release_of: Callable[[Mapping[str, str], str], str]
    accept: str = "application/json"


def _named(_headers: Mapping[str, str], body: str) -> str:
    return str(json.loads(body)["release"])


def _in_header(headers: Mapping[str, str], _body: str) -> str:
    return headers["x-release"]


def _in_data(_headers: Mapping[str, str], body: str) -> str:
    found = _RELEASE.search(body)
    assert found is not None, "a data document names the release"
    return found[1]


def kinds(marked: Marked) -> dict[str, Kind]:
    """Returns every kind of request; the answer to each shows the marked barrier."""
    iri, theme = f"{BASE}id/barrier/{marked.barrier}", f"{BASE}theme/{marked.theme}"
    query = f"SELECT * WHERE {{ <{iri}> <{RDFS}label> ?label ; <{PEV}paraphrase> ?says }} # @"
    return {
        "SPARQL": Kind("/sparql?" + urlencode({"query": query}), _in_header, "application/sparql-results+json"),
        "question": Kind("/api/queries/barriers-blocking-theme?" + urlencode({"theme": theme}), _named),
        "describe": Kind("/api/describe?" + urlencode({"entity": iri}), _named),
        "search": Kind("/api/search?q=standing%20in%20the%20way", _named),
        "connections": Kind("/api/connections?" + urlencode({"from": iri, "to": theme, "limit": 3}), _named),
        "Linked Data": Kind(f"/data/id/barrier/{quote(marked.barrier)}", _in_data, "text/turtle"),
    }


# Clients


@dataclass
class Findings:
    """What many clients found: faults in words, seconds by kind, and which release said which number."""

    faults: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    said: set[tuple[str, str, int]] = field(default_factory=set)

    def wait_for(self, release: str) -> None:
        """Returns when an answer has come from a release, or none has for so long that none will."""
        given_up = time.monotonic() + TIMEOUT_S
        while time.monotonic() < given_up and release not in {said for _, said, _ in tuple(self.said)}:
            time.sleep(0.05)

    def held_against(self, published: Mapping[str, int]) -> list[str]:
        """Returns the faults: errors, and answers whose content is of another release than they say."""
        mixed = [f"{kind}: {release[:12]} says {n}" for kind, release, n in self.said if published.get(release) != n]
        return [*self.faults, *sorted(mixed)]


class Client(threading.Thread):
    """Asks one kind after another on one connection until it is told to stop."""

    def __init__(self, address: str, asked: Mapping[str, Kind], first: int, findings: Findings, stop: threading.Event):
        super().__init__()
        self._where = urlsplit(address).netloc
        self._asked = list(asked.items())
        self._number = first
        self._findings = findings
        self._halt = stop

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._where, timeout=TIMEOUT_S)
        while not self._halt.is_set():
            self._number += 1
            name, kind = self._asked[self._number % len(self._asked)]
            try:
                self._ask(connection, name, kind)
            except (OSError, http.client.HTTPException, ValueError, KeyError, AssertionError) as error:
                self._findings.faults.append(f"{name}: {error!r}")
                connection.close()
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, name: str, kind: Kind) -> None:
        begun = time.perf_counter()
        # A new query each time, so that half of what is asked is in no cache.
        path = kind.path.replace("%40", str(self._number // 2))
        connection.request("GET", path, headers={"Accept": kind.accept})
        answer = connection.getresponse()
        body = answer.read().decode()
        self._findings.seconds.setdefault(name, []).append(time.perf_counter() - begun)
        if answer.status != 200:
            self._findings.faults.append(f"{name}: {answer.status} {body[:200]}")
            return
        release = kind.release_of({key.lower(): value for key, value in answer.getheaders()}, body)
        marks = {int(number) for number in _MARK.findall(body)}
        if not marks:
            self._findings.faults.append(f"{name}: the marked barrier is not in the answer")
        self._findings.said |= {(name, release, mark) for mark in marks}


def measured(marked: Marked, clients: int, seconds: float, releases: int) -> tuple[Findings, dict[str, int]]:
    """Returns what the clients found while releases were published, and the number of each release."""
    published = dict([marked.publish()])
    command = [sys.executable, "-m", "kg", "serve", "--port", "0", "--workspace", str(marked.root)]
    findings, stop = Findings(), threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as service:
        try:
            assert service.stdout is not None
            address = service.stdout.readline().split()[-1]
            asked = kinds(marked)
            threads = [Client(address, asked, number, findings, stop) for number in range(clients)]
            begun = time.monotonic()
            for thread in threads:
                thread.start()
            for number in range(releases):
                time.sleep(max(0.0, begun + (number + 0.5) * seconds / (releases + 0.5) - time.monotonic()))
                release, mark = marked.publish()
                published[release] = mark
                findings.wait_for(release)
            time.sleep(max(1.5, begun + seconds - time.monotonic()))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            service.terminate()
    return findings, published


def report(findings: Findings, published: Mapping[str, int], seconds: float) -> None:
    """Prints the figures."""
    total = sum(map(len, findings.seconds.values()))
    seen = {release for _, release, _ in findings.said}
    print(f"{total} requests, {total / seconds:.0f}/s; {len(published)} releases, {len(seen)} seen in answers")
    for name, found in findings.seconds.items():
        cuts: Sequence[float] = statistics.quantiles(found, n=100)
        print(f"  {name:12} {len(found):7} asked, median {cuts[49] * 1000:6.0f} ms, p99 {cuts[98] * 1000:6.0f} ms")


def main() -> int:
    """Runs the benchmark and returns 1 when there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--releases", type=int, default=5)
    parser.add_argument("--reports", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        marked = marked_workspace(Path(folder) / "workspace", given.reports)
        begun = time.monotonic()
        findings, published = measured(marked, given.clients, given.seconds, given.releases)
        report(findings, published, time.monotonic() - begun)
    faults = findings.held_against(published)
    print("\n".join(faults[:20]) or "no error, no answer that mixes two releases")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
