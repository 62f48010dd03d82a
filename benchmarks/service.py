"""Measures the query service beside Oxigraph's own server and rdflib-endpoint, in one run on the same data.

    python benchmarks/service.py --release DIR         a release that stands
    python benchmarks/service.py --reports 5000        makes the data and builds a release first

Needs wrk (Debian: apt-get install wrk). The peers, `oxigraph` and `rdflib-endpoint`, are taken from
PATH or installed into a virtual environment (--peers). All listen on 127.0.0.1, on free ports.

Every request of the first three kinds is different from all others (its subject, and the name of a
variable), so that no cache can answer it; the fourth kind repeats one request. Before anything is
timed, the servers must give the same rows. The rounds are interleaved: each server answers each kind once
a round, and the medians over the rounds are shown. rdflib gets one round, after the others.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pyoxigraph as ox

from kg.names import PEV
from kg.release.directory import find_release

HERE = Path(__file__).parent
JSON_RESULTS = "application/sparql-results+json"
CONNECTIONS = 8
MOST_LOADING_S = 60
SLOW = "rdflib-endpoint"
# What has to be installed for the program of that name.
EXTRAS = {SLOW: "rdflib-endpoint[cli]"}
PREFIXES = f"PREFIX pev: <{PEV}> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> "
# @SUBJECT@ stands for an IRI, @N@ for a number that no other request has.
KINDS: Mapping[str, str] = {
    "point look-up": "SELECT ?p ?o@N@ WHERE { <@SUBJECT@> ?p ?o@N@ }",
    "two-hop join": (
        PREFIXES + "SELECT ?item ?theme ?label@N@ WHERE {"
        " ?item pev:statedIn <@SUBJECT@> ; pev:hasTheme ?theme . ?theme skos:prefLabel ?label@N@ }"
    ),
    "aggregate": (
        PREFIXES + "SELECT ?theme (COUNT(?item) AS ?n@N@) WHERE { ?item a pev:Barrier ; pev:hasTheme ?theme }"
        " GROUP BY ?theme ORDER BY DESC(?n@N@) ?theme"
    ),
    "repeated look-up": "SELECT ?p ?o WHERE { <@SUBJECT@> ?p ?o }",
}
# Which subjects a kind asks for.
SUBJECTS = {"two-hop join": f"SELECT ?s WHERE {{ ?s a <{PEV}Report> }}"}
OTHER_SUBJECTS = f"SELECT ?s WHERE {{ ?s <{PEV}statedIn> ?document }}"
# A repeated request is set against Oxigraph's look-up too: what the cache has to be measured by.
AGAINST = {"repeated look-up": "point look-up"}
# What is aimed at: the least share of Oxigraph's requests a second, and the least multiple of rdflib-endpoint's.
OF_OXIGRAPH = {"point look-up": 0.35, "two-hop join": 0.7, "aggregate": 0.9, "repeated look-up": 0.6}
OF_RDFLIB = {"two-hop join": 10.0, "aggregate": 10.0}

WRK_SCRIPT = """
local subjects, before, after, number = {}, {}, {}, 0
function setup(thread) thread:set("seed", tonumber(%(seed)d)) end
function init(args)
  for line in io.lines("%(subjects)s") do subjects[#subjects + 1] = line end
  number = seed * 10000000
end
local path = "%(path)s"
function request()
  number = number + 1
  local subject = subjects[number %% #subjects + 1]
  local this = path:gsub("@SUBJECT@", function() return subject end):gsub("@N@", tostring(number))
  return wrk.format("GET", this)
end
function done(summary, latency, requests)
  local e = summary.errors
  io.stderr:write(string.format('{"requests": %%d, "us": %%d, "p50": %%d, "p99": %%d, "errors": %%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Server:
    """A server that runs and answers queries at an address."""

    name: str
    address: str


@dataclass(frozen=True)
class Reading:
    """What wrk found in one go."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int


# The data


def make_release(reports: int, seed: int, folder: Path) -> Path:
    """Returns a new release of a generated workspace, unchecked: the generator has tests for that."""
    workspace, release = folder / "workspace", folder / "release"
    run(sys.executable, HERE / "generate.py", workspace, "--reports", reports, "--seed", seed)
    run(sys.executable, "-m", "kg", "build", "--workspace", workspace, "--out", release, "--check", "none", "--quiet")
    return release


def run(*command: object) -> None:
    """Runs a command that has to succeed."""
    subprocess.run([str(part) for part in command], check=True)


def quiet(*command: object) -> None:
    """Runs a command that has to succeed, and shows what it says only when it does not."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr[-500:]}")


def subjects_of(store: ox.Store) -> dict[str, list[str]]:
    """Returns for each kind the IRIs that it asks for, in an order that has nothing to do with the store's."""
    found: dict[str, list[str]] = {}
    for kind in KINDS:
        rows = store.query(SUBJECTS.get(kind, OTHER_SUBJECTS))
        assert isinstance(rows, ox.QuerySolutions)
        iris = sorted({str(getattr(row[0], "value", "")) for row in rows})
        random.Random(kind).shuffle(iris)
        if not iris:
            sys.exit(f"the release has nothing to ask for by {kind}")
        found[kind] = iris
    return found


# The servers


def free_port() -> int:
    """Returns a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port


@contextmanager
def process(command: Sequence[object], log: Path) -> Iterator[subprocess.Popen[str]]:
    """Runs a server whose output goes to a file; it is stopped at the end."""
    with log.open("w") as output:
        running = subprocess.Popen([str(part) for part in command], stdout=output, stderr=output, text=True)
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(timeout=20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextmanager
def served(name: str, command: Sequence[object], address: str, log: Path, within_s: float) -> Iterator[Server]:
    """Yields a server once it answers `ASK {}`."""
    begun = time.monotonic()
    with process(command, log) as running:
        while not answers(address):
            if running.poll() is not None or time.monotonic() - begun > within_s:
                raise RuntimeError(f"{name} did not answer within {within_s:.0f} s: {log.read_text()[-500:]}")
            time.sleep(0.1)
        print(f"{name}: ready after {time.monotonic() - begun:.1f} s", flush=True)
        yield Server(name, address)


def answers(address: str) -> bool:
    """Tells whether a server answers a query."""
    try:
        return get(address, "ASK {}").get("boolean") is True
    except HTTPError:
        raise
    except (URLError, OSError):
        return False


def get(address: str, query: str) -> dict[str, object]:
    """Returns the answer to a query."""
    asked = Request(f"{address}?query={quote(query, safe='')}", headers={"Accept": JSON_RESULTS})
    with urlopen(asked, timeout=120) as reply:
        found: dict[str, object] = json.load(reply)
        return found


def ours(release: Path, folder: Path, stack: ExitStack) -> Server:
    """Returns `kg serve` over the release, once it has that in memory, if it is to."""
    port = free_port()
    command = [sys.executable, "-m", "kg", "serve", "--release", release, "--port", port]
    begun = time.monotonic()
    server = stack.enter_context(
        served("kg serve", command, f"http://127.0.0.1:{port}/sparql", folder / "kg.log", within_s=60)
    )
    while not in_memory(port) and time.monotonic() - begun < MOST_LOADING_S:
        time.sleep(0.1)
    print(f"kg serve: in memory after {time.monotonic() - begun:.1f} s" if in_memory(port) else "kg serve: from disk")
    return server


def in_memory(port: int) -> bool:
    """Tells whether the workers of `kg serve` find the release in memory."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        return b"kg_release_in_memory 1.0" in reply.read()


def oxigraph(program: Path, data: Path, folder: Path, stack: ExitStack) -> Server:
    """Returns Oxigraph's read-only server over the same quads, the merged default graph among them."""
    port, location = free_port(), folder / "oxigraph"
    quiet(program, "load", "--location", location, "--file", data)
    quiet(program, "optimize", "--location", location)
    command = [program, "serve-read-only", "--location", location, "--bind", f"127.0.0.1:{port}"]
    return stack.enter_context(
        served("oxigraph", command, f"http://127.0.0.1:{port}/query", folder / "oxigraph.log", within_s=60)
    )


def rdflib_endpoint(program: Path, data: Path, folder: Path, stack: ExitStack, within_s: float) -> Server:
    """Returns rdflib-endpoint over the default graph, which is all that the queries read."""
    port = free_port()
    command = [program, "serve", "--host", "127.0.0.1", "--port", port, data]
    return stack.enter_context(served(SLOW, command, f"http://127.0.0.1:{port}/", folder / "rdflib.log", within_s))


def peer(name: str, peers: Path) -> Path:
    """Returns a peer's program: from PATH, or from the virtual environment, into which it is installed."""
    for folder in (None, str(peers / "bin")):
        found = shutil.which(name, path=folder)
        if found:
            return Path(found)
    print(f"installing {name} into {peers}", flush=True)
    if not (peers / "bin" / "python").exists():
        venv.create(peers, with_pip=True)
    package = EXTRAS.get(name, name)
    run(peers / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package)
    return peers / "bin" / name


# The measuring


def rows(server: Server, query: str) -> list[list[str]]:
    """Returns the rows of an answer, sorted, each value as text."""
    found = get(server.address, query)
    results = found["results"]
    assert isinstance(results, dict)
    return sorted(
        sorted(f"{name} {value['value']} {value.get('xml:lang', '')}" for name, value in row.items())
        for row in results["bindings"]
    )


def agree(servers: Sequence[Server], subjects: Mapping[str, Sequence[str]]) -> None:
    """Makes sure that all servers give the same, non-empty rows."""
    for kind, query in KINDS.items():
        for subject in subjects[kind][:3]:
            asked = query.replace("@SUBJECT@", subject).replace("@N@", "0")
            first, *others = (rows(server, asked) for server in servers)
            if not first:
                sys.exit(f"{kind}: no rows for {subject}")
            for server, other in zip(servers[1:], others, strict=True):
                if other != first:
                    sys.exit(f"{kind}: {server.name} answers {len(other)} rows for {subject}, or other ones than ours")


def measured(server: Server, kind: str, subjects: Sequence[str], turn: int, seconds: int, folder: Path) -> Reading:
    """Returns what wrk finds for one kind of request at one server."""
    listed, script = folder / "subjects.txt", folder / "wrk.lua"
    chosen = subjects[:1] if kind == "repeated look-up" else subjects
    listed.write_text("\n".join(quote(iri, safe="") for iri in chosen) + "\n", encoding="utf-8")
    path = "/" + server.address.split("/", 3)[3] + "?query=" + quote(KINDS[kind], safe="@")
    # What is put between the quotes of the Lua script is URL-encoded, so that nothing in it ends them.
    script.write_text(WRK_SCRIPT % {"seed": turn, "subjects": listed, "path": path}, encoding="utf-8")
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "60s", "-s", str(script)]
    command += ["-H", f"Accept: {JSON_RESULTS}", server.address]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stderr.strip().splitlines()[-1])
    return Reading(found["requests"] / found["us"] * 1e6, found["p50"] / 1e3, found["p99"] / 1e3, found["errors"])


def median(readings: Sequence[Reading]) -> Reading:
    """Returns the medians over the rounds, and all the errors."""
    columns = zip(*((r.requests_per_s, r.p50_ms, r.p99_ms) for r in readings), strict=True)
    speed, p50, p99 = map(statistics.median, columns)
    return Reading(speed, p50, p99, sum(r.errors for r in readings))


def table(found: Mapping[tuple[str, str], Reading], servers: Sequence[str]) -> str:
    """Returns the medians as a Markdown table."""
    lines = [
        "| request | server | requests/s | p50 ms | p99 ms | share of Oxigraph's | errors |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for kind in KINDS:
        for name in servers:
            reading = found[kind, name]
            share = _share(found, kind, name)
            speeds = f"{reading.requests_per_s:,.1f} | {reading.p50_ms:,.2f} | {reading.p99_ms:,.2f}"
            lines.append(f"| {kind} | {name} | {speeds} | {share} | {reading.errors} |")
    return "\n".join(lines)


def _share(found: Mapping[tuple[str, str], Reading], kind: str, name: str) -> str:
    own = found[kind, name].requests_per_s
    if (kind, "oxigraph") not in found:
        return "–"
    share = f"{own / found[kind, 'oxigraph'].requests_per_s:.2f}"
    other = AGAINST.get(kind)
    return f"{share}; of its {other} {own / found[other, 'oxigraph'].requests_per_s:.2f}" if other else share


def verdict(found: Mapping[tuple[str, str], Reading]) -> str:
    """Returns what the service reached beside what is aimed at, as a Markdown table."""
    lines = ["| request | measure | reached | target | |", "|---|---|--:|--:|---|"]
    for peer_name, targets in (("oxigraph", OF_OXIGRAPH), (SLOW, OF_RDFLIB)):
        for kind, target in targets.items():
            against = AGAINST.get(kind, kind)
            if (against, peer_name) in found:
                # A peer that answers nothing in its time has at least not answered one.
                speed = max(found[against, peer_name].requests_per_s, 1e-9)
                reached = found[kind, "kg serve"].requests_per_s / speed
                measure = f"of the {against} of {peer_name}"
                word = "met" if reached >= target else "missed"
                lines.append(f"| {kind} | {measure} | {reached:.2f} | {target} | {word} |")
    return "\n".join(lines)


def plan(servers: Sequence[Server], rounds: int) -> Iterator[tuple[int, str, Server]]:
    """Yields what is measured in which order; round 0 warms up and does not count.

    rdflib cannot stop a query whose asker has left, so it comes last, and its slowest kind last of all.
    """
    fast = [server for server in servers if server.name != SLOW]
    yield from ((turn, kind, server) for turn in range(rounds + 1) for kind in KINDS for server in fast)
    last = sorted(KINDS, key=lambda kind: kind == "aggregate")
    yield from ((1, kind, server) for kind in last for server in servers if server.name == SLOW)


def compare(release: Path, folder: Path, given: argparse.Namespace) -> str:
    """Returns the tables of one run."""
    store = ox.Store.read_only(str(find_release(release).store))
    subjects = subjects_of(store)
    with ExitStack() as stack:
        servers = [ours(release, folder, stack)]
        if not given.skip_oxigraph:
            store.dump(str(folder / "data.nq"), format=ox.RdfFormat.N_QUADS)
            servers.append(oxigraph(peer("oxigraph", given.peers), folder / "data.nq", folder, stack))
        if not given.skip_rdflib:
            data = folder / "data.nt"
            store.dump(str(data), format=ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph())
            program = peer(SLOW, given.peers)
            servers.append(rdflib_endpoint(program, data, folder, stack, given.rdflib_start_s))
        del store
        agree(servers, subjects)
        readings: dict[tuple[str, str], list[Reading]] = {}
        for turn, kind, server in plan(servers, given.rounds):
            seconds = given.rdflib_seconds if server.name == SLOW else given.seconds
            reading = measured(server, kind, subjects[kind], turn, seconds if turn else 1, folder)
            if turn:
                readings.setdefault((kind, server.name), []).append(reading)
                print(f"round {turn}  {kind:17} {server.name:16} {reading.requests_per_s:,.1f} requests/s", flush=True)
    found = {key: median(each) for key, each in readings.items()}
    return table(found, [server.name for server in servers]) + "\n\n" + verdict(found)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--release", type=Path, help="a release (or a folder of releases) to serve")
    parser.add_argument("--reports", type=int, default=5000, help="without --release: size of the generated data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement")
    parser.add_argument("--skip-oxigraph", action="store_true")
    parser.add_argument("--skip-rdflib", action="store_true", help="rdflib takes minutes to load a million triples")
    parser.add_argument("--rdflib-start-s", type=float, default=900, help="how long rdflib-endpoint may take to load")
    parser.add_argument("--rdflib-seconds", type=int, default=30, help="of each of its measurements")
    parser.add_argument(
        "--peers",
        type=Path,
        default=Path(tempfile.gettempdir()) / "kg-benchmark-peers",
        help="virtual environment of the peers, made when they are not on PATH",
    )
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing; install it (Debian: apt-get install wrk), then run this again.")
    with tempfile.TemporaryDirectory(prefix="kg-service-") as name:
        folder = Path(name)
        release = given.release or make_release(given.reports, given.seed, folder)
        release = find_release(release).root
        manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
        result = compare(release, folder, given)
    counts = manifest["counts"]
    print(f"\n{counts['triples']:,} triples, {counts['links']:,} links; {os.cpu_count()} processors,")
    print(f"{CONNECTIONS} connections, medians of {given.rounds} rounds of {given.seconds} s\n\n{result}")


if __name__ == "__main__":
    main()
