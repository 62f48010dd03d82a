"""Measures the search for connections beside networkx, igraph and rustworkx, in one process on the same links.

    python benchmarks/connections.py --release DIR         a release that stands
    python benchmarks/connections.py --reports 5000        makes the data and builds a release first

The pairs are drawn with a seed: first two kinds of thing, then one of each, so that bodies, themes and places
come up as often as the many items. The peers answer an easier question (the first 10 shortest paths, unranked
and unexplained) and are asked fewer pairs, since some take seconds for one. They are imported where they are
installed, else installed into the folder --peers.

Ten times the links are ten copies of those of the release which share everything that has over 1,000 links:
hubs grow tenfold, and all else keeps its surroundings.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import itertools
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import networkx as nx
import numpy as np
import pyoxigraph as ox

from kg.answers import Answers
from kg.connections.network import Weighted
from kg.connections.paths import PathSearch
from kg.evidence import read_texts
from kg.names import BASE
from kg.release.links import Links, build_links, open_links
from kg.release.opened import Release, open_release
from kg.workspace import read_settings

HERE = Path(__file__).parent
PEERS_FOLDER = Path(tempfile.gettempdir()) / "kg-peers-of-connections"
MAX_HOPS, LIMIT, FIRST = 6, 10, 10
SHARED_DEGREE = 1000
Pair = tuple[int, int]


class Times:
    """How long each of some questions took, in ms: by the clock, and of the processor alone."""

    def __init__(self) -> None:
        self.clock: list[float] = []
        self.processor: list[float] = []

    @contextmanager
    def one(self) -> Iterator[None]:
        """Measures one question."""
        begun, used = time.perf_counter(), time.process_time()
        yield
        self.processor.append((time.process_time() - used) * 1000)
        self.clock.append((time.perf_counter() - begun) * 1000)

    def __len__(self) -> int:
        return len(self.clock)

    @property
    def p50(self) -> float:
        return statistics.median(self.clock)

    @property
    def processor_p50(self) -> float:
        return statistics.median(self.processor)

    def of_first(self, count: int) -> Times:
        """Returns the times of the first questions."""
        found = Times()
        found.clock, found.processor = self.clock[:count], self.processor[:count]
        return found


# The data


def make_release(reports: int, seed: int, folder: Path) -> Path:
    """Returns a new release of a generated workspace, unchecked: the generator has tests for that."""
    workspace, release = folder / "workspace", folder / "release"
    run(sys.executable, HERE / "generate.py", workspace, "--reports", reports, "--seed", seed)
    run(sys.executable, "-m", "kg", "build", "--workspace", workspace, "--out", release, "--check", "none")
    return release


def run(*command: object) -> None:
    """Runs a command that has to succeed."""
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def drawn_pairs(links: Links, count: int, seed: int) -> list[Pair]:
    """Returns pairs of different nodes of mixed kinds."""
    kinds: dict[str, list[int]] = {}
    for node in range(links.node_count):
        kind = links.iri(node).removeprefix(BASE).rpartition("/")[0]
        kinds.setdefault("theme" if kind.startswith("theme") else kind, []).append(node)
    names = sorted(kind for kind, nodes in kinds.items() if len(nodes) > 4)
    chance = random.Random(seed)
    pairs: list[Pair] = []
    while len(pairs) < count:
        start, goal = (chance.choice(kinds[chance.choice(names)]) for _ in range(2))
        if start != goal:
            pairs.append((start, goal))
    return pairs


class Tenfold(Links):
    """Link arrays whose nodes have no names."""

    @property
    def node_count(self) -> int:
        return len(self.arrays["out_at"]) - 1


def tenfold(links: Links, times: int = 10) -> tuple[Links, np.ndarray]:
    """Returns the links of so many copies that share their hubs, and which nodes these are."""
    a = {name: np.asarray(array) for name, array in links.arrays.items()}
    nodes, sets = links.node_count, len(a["origin_at"]) - 1
    shared = np.diff(a["out_at"]) + np.diff(a["in_at"]) > SHARED_DEGREE
    numbers = [np.where(shared, np.arange(nodes), np.arange(nodes) + copy * nodes) for copy in range(times)]
    subject, object_ = (np.concatenate([number[a[end]] for number in numbers]) for end in ("subject", "object"))
    of_link = {name: np.tile(a[name], times) for name in ("type", "basis")}
    of_link["origins"] = np.concatenate([a["origins"].astype(np.int64) + copy * sets for copy in range(times)])
    order = np.lexsort((object_, of_link["type"], subject))
    subject, object_ = subject[order], object_[order]
    of_link = {name: values[order] for name, values in of_link.items()}
    sizes = np.tile(np.diff(a["origin_at"]), times)
    origin = np.concatenate([a["origin"].astype(np.int64) + copy * nodes for copy in range(times)])
    origin_at = _starts(sizes)
    per_link = sizes[of_link["origins"]]
    link = np.repeat(np.arange(len(subject)), per_link)
    within = np.arange(len(link)) - np.repeat(np.cumsum(per_link) - per_link, per_link)
    said_by = origin[origin_at[of_link["origins"][link]] + within]
    count = nodes * times
    arrays = {
        **a,
        **of_link,
        "subject": subject,
        "object": object_,
        "out_at": _starts(np.bincount(subject, minlength=count)),
        "in_at": _starts(np.bincount(object_, minlength=count)),
        "in_link": np.argsort(object_, kind="stable"),
        "origin_at": origin_at,
        "origin": origin,
        "independent": np.tile(a["independent"], times),
        "said_at": _starts(np.bincount(said_by, minlength=count)),
        "said": link[np.argsort(said_by, kind="stable")],
    }
    kept = {name: array.astype(a[name].dtype) for name, array in arrays.items()}
    return Tenfold(links.types, links.nodes, kept), shared


def _starts(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes, dtype=np.int64)])


# Ours


def searched(weighted: Weighted, pairs: Sequence[Pair], most: int) -> tuple[Times, Counter[object]]:
    """Returns the time of each search, and how many pairs are how many hops apart."""
    times, distances = Times(), Counter[object]()
    for start, goal in pairs:
        search = PathSearch(weighted, start, goal, MAX_HOPS, LIMIT, most)
        with times.one():
            found = search.run()
        distances[found.distance if found.complete else "cut"] += 1
    return times, distances


def answered(ask: Callable[[str, str], object], names: Sequence[tuple[str, str]]) -> Times:
    """Returns the time of each whole answer."""
    times = Times()
    for start, end in names:
        with times.one():
            ask(start, end)
    return times


@contextmanager
def service(release: Path) -> Iterator[Callable[[str, str], object]]:
    """Yields what asks a `kg serve` of its own, over one connection."""
    command = [sys.executable, "-m", "kg", "serve", "--port", "0", "--release", str(release)]
    environment = {**os.environ, "KG_ANSWER_CACHE_BYTES": "1", "KG_LOG_LEVEL": "error"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip().rpartition("//")[2].strip("/")
            with closing(http.client.HTTPConnection(address)) as connection:

                def ask(start: str, end: str) -> object:
                    parameters = {"from": start, "to": end, "max_hops": MAX_HOPS, "limit": LIMIT}
                    connection.request("GET", "/api/connections?" + urlencode(parameters))
                    response = connection.getresponse()
                    content = response.read()
                    if response.status != 200:
                        sys.exit(f"the service answered {response.status}: {content[:300]!r}")
                    return content

                yield ask
        finally:
            process.terminate()


# The peers


def peer_networkx(links: Links) -> Callable[[int, int], int]:
    """Returns what asks networkx for the first shortest paths."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_edges_from(zip(links.arrays["subject"].tolist(), links.arrays["object"].tolist(), strict=True))
    return lambda start, goal: len(list(itertools.islice(nx.all_shortest_paths(graph, start, goal), FIRST)))


def peer_igraph(links: Links) -> Callable[[int, int], int]:
    """Returns what asks igraph for all shortest paths; it cannot stop at some."""
    import igraph

    edges = zip(links.arrays["subject"].tolist(), links.arrays["object"].tolist(), strict=True)
    graph = igraph.Graph(links.node_count, list(edges)).simplify()
    return lambda start, goal: len(graph.get_all_shortest_paths(start, goal))


def peer_rustworkx(links: Links) -> Callable[[int, int], int]:
    """Returns what asks rustworkx for all shortest paths; it cannot stop at some."""
    import rustworkx

    graph = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(links.node_count))
    graph.add_edges_from_no_data(
        list(zip(links.arrays["subject"].tolist(), links.arrays["object"].tolist(), strict=True))
    )
    return lambda start, goal: len(rustworkx.graph_all_shortest_paths(graph, start, goal))


PEERS = {"networkx": peer_networkx, "igraph": peer_igraph, "rustworkx": peer_rustworkx}


def asked(ask: Callable[[int, int], int], pairs: Sequence[Pair], most_s: float) -> Times:
    """Returns the time of each question, of as many pairs as fit into the time."""
    times = Times()
    for start, goal in pairs:
        with times.one():
            ask(start, goal)
        if sum(times.clock) > most_s * 1000:
            break
    return times


def install(folder: Path) -> None:
    """Makes the peers importable."""
    try:
        import igraph  # noqa: F401  # only to see whether it is there
        import rustworkx  # noqa: F401
    except ImportError:
        if not folder.exists():
            run(sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "igraph", "rustworkx")
        # Behind what is installed, so that numpy stays the one in use.
        sys.path.append(str(folder))


# Building


def measure_building(release: Release) -> None:
    """Prints how long the store takes to load, and the links to build from it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = ox.Store.read_only(str(release.directory.store))
        store.dump(str(folder / "all.nq"), format=ox.RdfFormat.N_QUADS)
        del store
        begun = time.perf_counter()
        loaded = ox.Store(str(folder / "store"))
        loaded.bulk_load(path=str(folder / "all.nq"), format=ox.RdfFormat.N_QUADS)
        loaded.flush()
        load_s = time.perf_counter() - begun
        begun = time.perf_counter()
        build_links(release.source, release.library, folder / "links")
        build_s = time.perf_counter() - begun
        size = sum(path.stat().st_size for path in (folder / "links").iterdir())
        plain = size - (folder / "links" / "nodes.bin").stat().st_size
        count = release.links.link_count
        print(f"loading the store {load_s:.1f} s, building the links {build_s:.1f} s: {build_s / load_s:.2f} times")
        print(f"{count:,} links, {plain / count:.1f} bytes a link; with the IRIs of all things {size / count:.1f}")
        del loaded
        gc.collect()


def shown(name: str, times: Times) -> None:
    """Prints a row: how many, p50, p95 and the longest by the clock, and p50 of the processor, in ms."""
    ordered = sorted(times.clock)
    p95 = ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]
    figures = " ".join(f"{ms:10,.1f}" for ms in (times.p50, p95, ordered[-1], times.processor_p50))
    print(f"{name:44} {len(ordered):5} {figures}", flush=True)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--release", type=Path, help="a release; else one is made")
    parser.add_argument("--reports", type=int, default=5000, help="how many reports (default 5000)")
    parser.add_argument("--seed", type=int, default=1, help="of the data and of the pairs")
    parser.add_argument("--pairs", type=int, default=200, help="how many pairs (default 200)")
    parser.add_argument("--peers", type=Path, default=PEERS_FOLDER, help="where the peers are put")
    parser.add_argument("--peer-seconds", type=float, default=60.0, help="how long each peer is asked (default 60)")
    parser.add_argument("--skip", default="", help="comma-separated: building, peers, tenfold, service")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kg-connections-"))
    try:
        measure(given, given.release or make_release(given.reports, given.seed, folder))
    finally:
        shutil.rmtree(folder)


def measure(given: argparse.Namespace, root: Path) -> None:
    """Prints everything that is measured of a release."""
    skip = set(given.skip.split(","))
    settings = replace(read_settings(), texts=None)
    with closing(open_release(root)) as release:
        links = open_links(release.directory.links)
        pairs = drawn_pairs(links, given.pairs, given.seed)
        weighted = Weighted.of(links)
        searched(weighted, pairs[:20], settings.max_expansions)
        print(f"{'ms':44} {'pairs':>5} {'p50':>10} {'p95':>10} {'max':>10} {'processor':>10}")
        ours, distances = searched(weighted, pairs, settings.max_expansions)
        shown("search", ours)
        if "tenfold" not in skip:
            measure_tenfold(links, pairs, ours, settings.max_expansions)
        answers = Answers(release, read_texts(None), settings)
        names = [(links.iri(start), links.iri(goal)) for start, goal in pairs]
        answered(answers.connect, names[:20])
        inside = answered(answers.connect, names)
        shown("search and explanation", inside)
        if "service" not in skip:
            measure_service(root, names, inside)
        print(f"hops apart: {dict(sorted(distances.items(), key=str))}")
        if "peers" not in skip:
            install(given.peers)
            for name, peer in PEERS.items():
                ask = peer(links)
                times = asked(ask, pairs, given.peer_seconds)
                shown(name, times)
                same = ours.of_first(len(times))
                ratio, of_processor = times.p50 / same.p50, times.processor_p50 / same.processor_p50
                print(
                    f"    {ratio:,.0f} times ours of the same pairs by the clock, {of_processor:,.0f} of the processor"
                )
                del ask
                gc.collect()
        # Last, since it leaves the process with memory in pieces, which a service never has.
        if "building" not in skip:
            measure_building(release)
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB (with the peers)")


def measure_tenfold(links: Links, pairs: Sequence[Pair], ours: Times, most: int) -> None:
    """Prints what ten times the links take."""
    many, shared = tenfold(links)
    chance = random.Random(1)
    nodes = links.node_count
    moved = [
        (a if shared[a] else a + chance.randrange(10) * nodes, b if shared[b] else b + chance.randrange(10) * nodes)
        for a, b in pairs
    ]
    weighted = Weighted.of(many)
    searched(weighted, moved[:20], most)
    times, distances = searched(weighted, moved, most)
    shown(f"search in {many.link_count:,} links", times)
    apart = dict(sorted(distances.items(), key=str))
    grown, of_processor = times.p50 / ours.p50, times.processor_p50 / ours.processor_p50
    print(f"    p50 grows {grown:.1f} times by the clock, {of_processor:.1f} of the processor; hops apart: {apart}")


def measure_service(root: Path, names: Sequence[tuple[str, str]], inside: Times) -> None:
    """Prints what the same answers take over HTTP."""
    with service(root) as ask:
        answered(ask, names[:20])
        times = answered(ask, names)
    shown("search and explanation over HTTP", times)
    print(f"    p50 {times.p50 - inside.p50:+.1f} ms")


if __name__ == "__main__":
    main()
