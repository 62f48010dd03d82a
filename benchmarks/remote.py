"""Measures connections and look-ups over engines beside the embedded store, on the same release in one process.

    python benchmarks/remote.py --release DIR --engine http://127.0.0.1:7878 --engine http://127.0.0.1:8890/sparql

The release must stand in each engine (`kg publish`); the settings KG_ENGINE_… say who we are there. The pairs are
drawn with a seed, and each engine is asked for the same ones in turn, so that what else the machine does falls on all.
Each engine has two rows. For the first its link arrays are made from it once, as a service does; for the second it may
give one row fewer than there are links, so that they stay there and each question fetches those it needs. What is made
first, the arrays or what is known of all links, is timed by itself.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from kg.answers import Answers, open_answers
from kg.engines.remote.engine import open_engine
from kg.engines.remote.lanes import PublishedSource
from kg.engines.remote.source import RemoteSource
from kg.evidence import read_texts
from kg.release.companion import companion, dataset_of, open_beside, standing
from kg.workspace import Settings, read_settings


def from_engine(address: str, settings: Settings, folder: Path) -> tuple[str, Answers]:
    """Returns what to call an engine, and the front door of the release that stands in it."""
    engine = open_engine(address, settings)
    begun = time.perf_counter()
    stamp = standing(engine)
    directory = companion(engine, stamp, folder / f"{engine.kind.name}-{settings.max_answer_rows}")
    source = PublishedSource(RemoteSource(engine, directory.prefixes, dataset_of(directory)), engine, stamp)
    opened = open_beside(directory, source, engine, stamp)
    name = engine.kind.name if opened.frontier is None else f"{engine.kind.name}, by frontier queries"
    print(f"{name}: what is kept beside it made in {time.perf_counter() - begun:.1f} s")
    return name, Answers(opened, read_texts(None), settings)


def pairs_of(answers: Answers, count: int, seed: int) -> list[tuple[str, str]]:
    """Returns pairs of things that have links."""
    links, chance = answers.opened.links, random.Random(seed)
    drawn = (chance.sample(range(links.node_count), 2) for _ in range(count))
    return [(links.iri(start), links.iri(end)) for start, end in drawn if links.iri(start) != links.iri(end)]


def timed(answers: Answers, start: str, end: str) -> tuple[float, float, object]:
    """Returns the ms for the connections of two things and for what is said of one, and the connections."""
    begun = time.perf_counter()
    found = answers.connect(start, end)
    between = time.perf_counter()
    answers.opened.source.ask(f"ASK {{ <{start}> ?p ?o }}")
    return (between - begun) * 1000, (time.perf_counter() - between) * 1000, found


def row(name: str, times: Sequence[float], beside: float) -> str:
    """Returns a line of the table: p50, p95, and how often the embedded store's p50 goes into it."""
    middle = statistics.median(times)
    worst = sorted(times)[int(len(times) * 0.95)]
    return f"  {name:32} p50 {middle:8.2f} ms   p95 {worst:8.2f} ms   {middle / beside:6.1f} times the embedded store's"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--release", type=Path, required=True)
    parser.add_argument("--engine", action="append", default=[], help="address of an engine; may be given again")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    settings = read_settings()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        doors = {"embedded": open_answers(given.release, settings)}
        few = replace(settings, max_answer_rows=doors["embedded"].opened.links.link_count - 1)
        for address in given.engine:
            doors |= dict(from_engine(address, chosen, folder) for chosen in (settings, few))
        for door in doors.values():
            stack.callback(door.close)
        pairs = pairs_of(doors["embedded"], given.pairs, given.seed)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in doors}
        same = 0
        for start, end in pairs:
            results = {name: timed(door, start, end) for name, door in doors.items()}
            for name, (connections, look_up, _) in results.items():
                times[name].append((connections, look_up))
            same += len({repr(found) for _, _, found in results.values()}) == 1
        print(f"{len(pairs)} pairs; the same ranked answers everywhere for {same}")
        for number, what in enumerate(("connections", "look-ups")):
            print(what)
            beside = statistics.median(pair[number] for pair in times["embedded"])
            for name, measured in times.items():
                print(row(name, [pair[number] for pair in measured], beside))


if __name__ == "__main__":
    main()
