"""Writes ten million generated links as tables, in a process whose memory is measured, and asks them with two engines.

    python benchmarks/warehouse.py FOLDER --links 10000000

FOLDER/tables is then what `kg export tables` makes of a release of that size. Only the link arrays are generated,
as a build would leave them: the tables are made from these alone. DuckDB and polars answer the same three questions;
each is the other's peer. Then the notebook `notebooks/warehouse.ipynb` is run on them, as `KG_TABLES=FOLDER/tables`
lets anybody do; what it shows is left in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyoxigraph as ox

from kg.engines.local import LocalSource
from kg.library import read_library
from kg.names import BASE, PEV
from kg.release.folders import write_tables
from kg.release.links import open_links
from kg.release.search import Search, build_search
from kg.workspace import shipped_workspace

LINKS_A_NODE = 3
LINKS_AN_ORIGIN = 200
# In the order of their names, as nodes are numbered: (part of the IRI, share of the nodes that are no documents).
KINDS = (("id/barrier/", 0.55), ("id/recommendation/", 0.40), ("theme/", 0.05))
TYPES = ("addresses", "affects", "blocks", "hasTheme", "statedIn")
NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "warehouse.ipynb"
FIRST_DAY, DAYS = date(2001, 1, 8), 9000


def main() -> None:
    """Prints one line a figure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--links", type=int, default=10_000_000)
    options.add_argument("--write", action="store_true", help="only write the tables of what was generated there")
    options.add_argument("--notebook", action="store_true", help="only run the notebook on the tables there")
    given = options.parse_args()
    if given.write or given.notebook:
        (write if given.write else run_notebook)(given.folder)
        return
    if not given.folder.exists():
        given.folder.mkdir(parents=True)
        generate(given.folder, given.links)
    print(f"generated        {open_links(given.folder / 'links').link_count:,} links", flush=True)
    subprocess.run([sys.executable, __file__, str(given.folder), "--write"], check=True)
    ask(given.folder / "tables")
    # From a small process: what starts another lends it its own peak.
    subprocess.run([sys.executable, __file__, str(given.folder), "--notebook"], check=True)


def generate(folder: Path, links: int) -> None:
    """Writes link arrays, and a text index in which nothing has a label."""
    random = np.random.default_rng(1)
    documents = max(links // LINKS_AN_ORIGIN, 1)
    names, starts = _names(max(links // LINKS_A_NODE, 100), documents)
    first_document, first_theme = starts["id/doc/"], starts["theme/"]
    # Barriers and recommendations speak; hubs are drawn by a power law.
    speakers = np.concatenate([np.arange(first_document), np.arange(first_document + documents, first_theme)])
    subject = np.sort(random.choice(speakers, links)).astype(np.int32)
    theme = (first_theme + (len(names) - first_theme) * random.random(links) ** 3).astype(np.int32)
    origin = (documents * random.random(links) ** 2).astype(np.int32)
    type_ = random.integers(0, len(TYPES), links).astype(np.uint16)
    object_ = np.where(type_ == TYPES.index("statedIn"), first_document + origin, theme).astype(np.int32)
    order = np.lexsort([object_, type_, subject])
    subject, type_, object_, origin = subject[order], type_[order], object_[order], origin[order]
    basis = random.choice(np.array([0, 1, 2, 3], np.uint8), links, p=[0.5, 0.2, 0.25, 0.05])
    # Set 0 is that of background, which has no origin.
    origins = np.where(basis == 3, 0, origin + 1).astype(np.int32)
    arrays = {
        "node_at": np.cumsum([0, *map(len, names)], dtype=np.int64),
        "subject": subject,
        "object": object_,
        "type": type_,
        "basis": basis,
        "origins": origins,
        "out_at": _starts(subject, len(names)),
        "in_at": _starts(object_, len(names)),
        "in_link": np.argsort(object_, kind="stable").astype(np.int32),
        "origin_at": np.concatenate([[0], np.arange(documents + 1)]).astype(np.int32),
        "origin": (first_document + np.arange(documents)).astype(np.int32),
        "independent": np.minimum(np.arange(documents + 1), 1).astype(np.uint16),
        "said_at": _starts(first_document + origins[origins > 0] - 1, len(names)),
        "said": np.argsort(origins, kind="stable")[np.count_nonzero(origins == 0) :].astype(np.int32),
        "covers": np.zeros((0, 2), np.int32),
        "adopts": np.zeros((0, 2), np.int32),
    }
    (folder / "links").mkdir()
    for name, array in arrays.items():
        np.save(folder / "links" / f"{name}.npy", array)
    (folder / "links" / "nodes.bin").write_bytes(b"".join(names))
    (folder / "links" / "types.json").write_text(json.dumps([PEV + name for name in TYPES]))
    shipped = shipped_workspace()
    library = read_library(shipped.root / "queries", shipped.prefixes)
    build_search(LocalSource(ox.Store(), shipped.prefixes), library, folder / "search.sqlite")


def _names(nodes: int, documents: int) -> tuple[list[bytes], dict[str, int]]:
    """Returns the IRIs in their order, and where each kind begins."""
    counts = {kind: round(nodes * share) for kind, share in KINDS} | {"id/doc/": documents}
    names: list[bytes] = []
    starts = {}
    for kind in sorted(counts):
        starts[kind] = len(names)
        names += [f"{BASE}{kind}g{number:08}".encode() for number in range(counts[kind])]
    return names, starts


def _starts(numbers: np.ndarray, count: int) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=count))]).astype(np.int32)


def write(folder: Path) -> None:
    """Writes the tables and prints how long it took and what memory this process has had at most."""
    links, search = open_links(folder / "links"), Search(folder / "search.sqlite", shipped_workspace().prefixes)
    issued = {
        iri: (FIRST_DAY + timedelta(days=number * 7919 % DAYS)).isoformat()
        for number, iri in enumerate(links.all_origins())
    }
    (folder / "tables").mkdir(exist_ok=True)
    own: list[int] = []
    threading.Thread(target=_watch, args=[own], daemon=True).start()
    start, cpu = time.perf_counter(), time.process_time()
    write_tables(links, search, issued, folder / "tables")
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    search.close()
    peak_mb = _status_mb("VmHWM")
    size_mb = sum(path.stat().st_size for path in (folder / "tables").iterdir()) // 1_000_000
    print(f"tables written   {seconds:.0f} s ({cpu_s:.0f} s of processor), {size_mb} MB of Parquet")
    print(f"peak memory      {max(own)} MB of its own, {peak_mb} MB with the mapped pages of the arrays", flush=True)


def _watch(own: list[int]) -> None:
    """Notes the memory that is this process's own, in MB; Linux only."""
    while True:
        own.append(_status_mb("RssAnon"))
        time.sleep(0.05)


def _status_mb(name: str) -> int:
    return int(Path("/proc/self/status").read_text().partition(f"{name}:")[2].split()[0]) // 1024


def ask(tables: Path) -> None:
    """Prints how long each engine takes for each question, and fails where they differ."""
    connection = duckdb.connect()
    for name in ("links", "nodes"):
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{tables / name}.parquet'")
    links, nodes = pl.scan_parquet(tables / "links.parquet"), pl.scan_parquet(tables / "nodes.parquet")
    year = pl.col("issued").str.slice(0, 4).alias("year")
    dated = links.select("origins", "issued").explode("origins", "issued").drop_nulls("issued")
    questions: dict[str, tuple[str, pl.LazyFrame]] = {
        "links by basis": (
            "SELECT basis, count(*) AS n FROM links GROUP BY basis ORDER BY basis",
            links.group_by("basis").agg(pl.len().alias("n")).sort("basis"),
        ),
        "links by year": (
            "SELECT issued[1:4] AS year, count(*) AS n FROM (SELECT unnest(issued) AS issued FROM links) "
            "WHERE issued IS NOT NULL GROUP BY year ORDER BY year",
            dated.group_by(year).agg(pl.len().alias("n")).sort("year"),
        ),
        "largest hubs": (
            'SELECT iri, count(*) AS n FROM links JOIN nodes ON "to" = iri GROUP BY iri ORDER BY n DESC, iri LIMIT 10',
            links.join(nodes, left_on="to", right_on="iri")
            .group_by(pl.col("to").alias("iri"))
            .agg(pl.len().alias("n"))
            .sort("n", "iri", descending=[True, False])
            .head(10),
        ),
    }
    for name, (query, frame) in questions.items():
        theirs, duck_s = _timed(lambda query=query: connection.execute(query).fetchall())
        ours, polars_s = _timed(lambda frame=frame: frame.collect(engine="streaming").rows())
        assert theirs == ours, f"{name}: the engines differ"
        print(f"{name:16} DuckDB {duck_s:.2f} s, polars {polars_s:.2f} s, ratio {duck_s / polars_s:.2f}")


def run_notebook(folder: Path) -> None:
    """Runs the notebook on the tables and prints how long it took and what its largest process has had at most."""
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", str(folder)]
    environment = {**os.environ, "KG_TABLES": str(folder.resolve() / "tables")}
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--log-level", "WARN", str(NOTEBOOK)], env=environment)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit("the notebook failed")
    # Of a child and all it waited for, the kernel counts the largest.
    print(
        f"the notebook     {seconds:.0f} s, peak memory {used.ru_maxrss // 1024} MB with the mapped pages of the tables"
    )


def _timed(work: Callable[[], list[tuple[object, ...]]]) -> tuple[list[tuple[object, ...]], float]:
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start


if __name__ == "__main__":
    main()
