"""Writes an invented workspace of any size: reports that cite, restate and contradict each other.

    python benchmarks/generate.py DIR --reports 5000 --seed 1

Everything is made up, and made as the real files are: source and curated graphs, passages with
hashes of texts (written with --texts), articles that relay reports, people who speak in a role.
Bodies, themes, places and citations follow power laws. The same seed and size give the same bytes.

No report is kept in memory: what a later one needs of an earlier one (its items, not their links)
is a function of the seed and the number, and is worked out again where it is needed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from invented.background import documents, schemes, shared
from invented.reports import article, report
from invented.statements import header
from invented.world import World

from kg.errors import KgError
from kg.names import Prefixes
from kg.workspace import init_workspace

MOST_NUMBERED = 999_999


def write_workspace(root: Path, reports: int, seed: int, bodies: int | None, texts: Path | None) -> None:
    """Writes the whole workspace, one text at a time."""
    workspace = init_workspace(root)
    prefixes = workspace.prefixes
    world = World(reports, seed, bodies, root / "ontology" / "themes.ttl")
    _write_entities(root / "graph" / "entities.ttl", world, prefixes)
    own = schemes(world)
    (root / "graph" / "schemes.ttl").write_text(header(own.prefixes(), prefixes) + own.text(), encoding="utf-8")
    if texts:
        texts.mkdir(parents=True, exist_ok=True)
    # An article stands beside its report, so that both find the report's outline at hand.
    articles = {world.covered(number).number: number for number in range(1, world.articles + 1)}
    for number in range(1, reports + 1):
        written = [report(world, number)]
        if number in articles:
            written.append(article(world, articles[number]))
        for one in written:
            trig, text = one.files(prefixes)
            (root / "graph" / "sources" / f"{one.name}.trig").write_text(trig, encoding="utf-8")
            if texts:
                (texts / f"{one.name}.txt").write_text(text, encoding="utf-8", newline="")


def _write_entities(path: Path, world: World, prefixes: Prefixes) -> None:
    before, after = shared(world)
    used = before.prefixes() | after.prefixes() | {"doc"}
    with path.open("w", encoding="utf-8") as file:
        file.write(header(used, prefixes) + before.text())
        for one in documents(world):
            file.write("\n" + one.text())
        file.write("\n" + after.text())


def _above_zero(text: str) -> int:
    number = int(text)
    if not 0 < number <= MOST_NUMBERED:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and {MOST_NUMBERED}")
    return number


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    parser.add_argument("--reports", type=_above_zero, default=5000, help="how many reports (default 5000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other reports (default 1)")
    parser.add_argument(
        "--shared-bodies", type=_above_zero, help="how many bodies the reports share (default: a tenth of the reports)"
    )
    parser.add_argument("--texts", type=Path, help="also write the invented texts into this folder")
    given = parser.parse_args()
    begun = time.perf_counter()
    try:
        write_workspace(given.folder, given.reports, given.seed, given.shared_bodies, given.texts)
    except KgError as error:
        sys.exit(f"{error.title}: {error}")
    print(f"{given.folder}: {given.reports} reports in {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
