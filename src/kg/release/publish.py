"""A release is written to an engine: graph by graph, in parts that it survives, and each compared with ours.

While it is written a marker stands in the engine, so that no service answers from half of one release
and half of another, and no other publisher writes beside this one. A graph that is known to be whole
there, by its digest and its count, is left as it is; of another what is missing is added and what is too
much removed. So a publication that broke off anywhere is finished by the next one, and when nothing has
changed there is nothing to do.

Graphs are compared by a hash of every line of N-Triples, in the form in which our store writes it, at
eight bytes a triple. Where an engine keeps a literal in another form, that form is undone before.
"""

from __future__ import annotations

import gc
import hashlib
import tempfile
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pyoxigraph import DefaultGraph, NamedNode, RdfFormat, Store

from kg.engines.remote.catalogue import (
    read_digests,
    read_stamp,
    remove_digests,
    write_digests,
    write_release,
)
from kg.engines.remote.engine import Engine
from kg.engines.remote.graphs import count_triples
from kg.engines.remote.holding import Hold, held
from kg.errors import EngineError
from kg.names import MERGED_GRAPH
from kg.release.bringing import Graph, Lot, Progress, lots
from kg.release.directory import ReleaseDirectory

_MOST_SURPLUS = 2


def _silent(step: str) -> None:
    del step


@dataclass(frozen=True)
class Published:
    """What was done to let a release stand in an engine.

    Attributes:
        written, unchanged, removed: the names of graphs.
        triples: how many stand in all graphs, the merged one among them.
    """

    release: str
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    triples: int


def publish(
    release: ReleaseDirectory,
    engine: Engine,
    progress: Progress = _silent,
    every_line: bool = False,
    take_over: bool = False,
) -> Published:
    """Returns what was done; then the release stands in the engine, whole.

    Args:
        every_line: compare every graph line by line, also where digest and count say that it is whole.
        take_over: go on also where another publisher seems to be at work; that one stops.

    Raises:
        Publishing: another publisher is at work, or took over this one's.
        EngineError: the engine gives fewer rows than a graph has that must be read back; nothing is written.
        SourceError: the engine failed, or a graph does not stand there as it is here (with the triples).
        ReleaseError: the release cannot be read.
    """
    publication = _Publication(release, engine, progress)
    done = None if every_line else publication.nothing_to_do()
    if done is not None:
        return done
    publication.check_limit(every_line)
    with held(engine, release.id, take_over) as hold:
        return publication.run(hold, every_line)


class _Publication:
    def __init__(self, release: ReleaseDirectory, engine: Engine, progress: Progress) -> None:
        self._release = release
        self._engine = engine
        self._progress = progress
        entries = cast(Mapping[str, Mapping[str, str | int]], release.manifest["graphs"])
        counts = cast(Mapping[str, int], release.manifest["counts"])
        self._digests = {name: str(entry["sha256"]) for name, entry in entries.items()}
        self._counts = {name: int(entry["triples"]) for name, entry in entries.items()}
        # The merged graph follows from the others.
        both = "".join(f"{name} {digest}\n" for name, digest in sorted(self._digests.items()))
        self._digests[MERGED_GRAPH] = hashlib.sha256(both.encode()).hexdigest()
        self._counts[MERGED_GRAPH] = counts["triples"]

    def nothing_to_do(self) -> Published | None:
        """Returns what stands there, where that is all of the release and nothing else."""
        stamp, known = read_stamp(self._engine), read_digests(self._engine)
        if (stamp.release, stamp.publishing) != (self._release.id, None) or known != self._digests:
            return None
        if count_triples(self._engine, sorted(self._counts)) != self._counts:
            return None
        return self._published((), ())

    def check_limit(self, every_line: bool) -> None:
        """Returns when every graph that is to be compared comes back whole, as the engine is set up."""
        most = self._engine.most_rows
        if most is None or most >= max(self._counts.values()):
            return
        largest = max(self._unsure(every_line)[0], key=self._counts.__getitem__, default=None)
        if largest is not None and self._counts[largest] > most:
            raise EngineError(
                f"{self._engine.name} cuts what it sends at {most} triples ({self._engine.kind.cut_setting}), so "
                f"{largest} could not be compared: set it to {self._counts[largest]} at least. Nothing was written."
            )

    def _unsure(self, every_line: bool) -> tuple[list[str], dict[str, str], dict[str, int]]:
        """Returns the graphs that may differ there, and the digests that are known and the counts that are found."""
        known, counts = read_digests(self._engine), count_triples(self._engine, sorted(self._counts))
        unsure = [
            name
            for name, digest in sorted(self._digests.items())
            if every_line or known.get(name) != digest or counts[name] != self._counts[name]
        ]
        return unsure, known, counts

    def run(self, hold: Hold, every_line: bool) -> Published:
        """Writes what differs, while the engine is held."""
        # Each step begins with a look whether another publisher has taken over.
        self._progress = _beginning_with(hold.check, self._progress)
        unsure, known, counts = self._unsure(every_line)
        surplus = tuple(sorted(set(known) - set(self._digests)))
        self._progress("comparing what is known")
        remove_digests(self._engine, {name: known[name] for name in (*surplus, *unsure) if name in known})
        for name in surplus:
            self._progress(f"removing {name}")
            self._engine.clear(name)
        written = self._write(unsure, counts)
        self._check_counts()
        self._progress("saying which release stands here")
        write_release(self._engine, self._release.id, uuid.uuid4().hex, self._digests, self._files())
        hold.end()
        return self._published(written, surplus)

    def _published(self, written: tuple[str, ...], removed: tuple[str, ...]) -> Published:
        unchanged = tuple(sorted(set(self._digests) - set(written)))
        return Published(self._release.id, written, unchanged, removed, sum(self._counts.values()))

    def _write(self, every: Sequence[str], counts: Mapping[str, int]) -> tuple[str, ...]:
        """Lets graphs stand as they are here, and returns those that did not.

        Args:
            counts: how many triples stand in each there.
        """
        written, done = list[str](), 0
        store = Store.read_only(str(self._release.store))
        try:
            for lot in lots({name: self._counts[name] for name in every}, self._rows_at_once):
                which = f"graphs {done + 1} to {done + len(lot)}" if len(lot) > 1 else f"graph {done + 1}"
                steps = _told(self._progress, f"{which} of {len(every)}")
                written += self._bring(store, lot, {name for name in lot if self._is_empty(name, counts[name])}, steps)
                write_digests(self._engine, {name: self._digests[name] for name in lot})
                done += len(lot)
        finally:
            del store
            gc.collect()
        return tuple(written)

    @property
    def _rows_at_once(self) -> int:
        usual = self._engine.kind.table_rows
        return min(usual, self._engine.most_rows or usual)

    def _is_empty(self, name: str, found: int) -> bool:
        """Returns whether nothing stands in a graph there; one that holds far too much, or is cut, is emptied."""
        if found > min(self._counts[name] * _MOST_SURPLUS, self._engine.most_rows or found):
            # More of it would go than stay, and what comes back may be without end.
            self._progress(f"emptying {name}")
            self._engine.clear(name)
            return True
        return not found

    def _bring(self, store: Store, lot: Sequence[str], empty: Collection[str], steps: Progress) -> list[str]:
        if sum(self._counts[name] for name in lot) <= self._rows_at_once:
            return Lot(self._engine, {name: _dumped(store, name) for name in lot}, steps).bring(empty)
        (name,) = lot
        with tempfile.TemporaryFile() as lines:
            store.dump(lines, RdfFormat.N_TRIPLES, from_graph=_graph(name))
            graph = Graph(self._engine, name, lines, _told(steps, name))
            return [name] * graph.bring(empty=name in empty)

    def _check_counts(self) -> None:
        found = count_triples(self._engine, sorted(self._counts))
        for name, wanted in self._counts.items():
            if found[name] != wanted:
                raise EngineError(f"{self._engine.name}: {name} has {wanted} triples; the engine counts {found[name]}.")

    def _files(self) -> dict[str, str]:
        """Returns the files from which a service without this folder is made."""
        root = self._release.root
        paths = [root / "manifest.json", root / "build-info.json", self._release.context]
        paths += sorted(self._release.queries.iterdir())
        return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _graph(name: str) -> NamedNode | DefaultGraph:
    return DefaultGraph() if name == MERGED_GRAPH else NamedNode(name)


def _dumped(store: Store, name: str) -> bytes:
    return store.dump(format=RdfFormat.N_TRIPLES, from_graph=_graph(name)) or b""


def _told(progress: Progress, about: str) -> Progress:
    return lambda step: progress(f"{about}, {step}")


def _beginning_with(check: Callable[[], None], progress: Progress) -> Progress:
    def step(words: str) -> None:
        check()
        progress(words)

    return step
