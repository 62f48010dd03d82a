"""Graphs brought into an engine: large ones in parts, small ones many together; each compared with ours.

Where an engine keeps a literal in another form, that form is undone before.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO

import numpy as np
from pyoxigraph import DefaultGraph, NamedNode, RdfFormat, Store

from kg.engines.remote.engine import Engine
from kg.engines.remote.graphs import MOST_GRAPHS, read_graphs
from kg.engines.remote.literals import restored_triples
from kg.errors import EngineError
from kg.release.lines import Hashes, chosen, line_hashes, parts

# What an engine loses is sent again so often.
_ROUNDS = 3
_COMPARED_LINES = 50_000
# An engine may write a character in ten, so that a graph comes back longer than it is here.
_LONGER, _SLACK_BYTES = 12, 1 << 20
_SHOWN = 3

# Is told each step before it is taken, and may end the work by an error.
Progress = Callable[[str], None]


def lots(counts: Mapping[str, int], most_triples: int) -> Iterator[list[str]]:
    """Yields the names of graphs, those together that are small, in the order in which they come.

    >>> list(lots({"a": 2, "b": 3, "large": 9, "c": 1}, 5))
    [['a', 'b'], ['large'], ['c']]
    """
    lot, triples = list[str](), 0
    for name, count in counts.items():
        if lot and (triples + count > most_triples or len(lot) == MOST_GRAPHS):
            yield lot
            lot, triples = [], 0
        lot.append(name)
        triples += count
    if lot:
        yield lot


class Lot:
    """Some small graphs: here as lines, and there written and read together."""

    def __init__(self, engine: Engine, here: Mapping[str, bytes], progress: Progress) -> None:
        self._engine = engine
        self._here = here
        self._progress = progress

    def bring(self, empty: Collection[str]) -> list[str]:
        """Returns when what stands there is what stands here, and names the graphs that had to be written.

        Args:
            empty: those of which nothing stands there, so that they need not be read first.

        Raises:
            SourceError: the engine failed, or loses triples again and again.
        """
        whole = self._standing([name for name in self._here if name not in empty])
        self._write([name for name in self._here if name in empty])
        whole |= self._standing([name for name in self._here if name in empty])
        # What is not whole is brought by itself, so that what is wrong with it is mended, or told.
        mended = {name for name in self._here if name not in whole and self._alone(name).bring(empty=False)}
        return [name for name in self._here if name in empty or name in mended]

    def _write(self, names: Sequence[str]) -> None:
        lines = {name: self._here[name].count(b"\n") for name in names}
        for part in lots(lines, self._engine.kind.update_lines):
            self._progress("writing")
            self._engine.add_several({name: self._here[name] for name in part})

    def _standing(self, names: Sequence[str]) -> set[str]:
        """Returns the names of those that stand there as here, to the last triple."""
        if not names:
            return set()
        self._progress("comparing")
        size = sum(len(self._here[name]) for name in names)
        found = read_graphs(self._engine, names, size * _LONGER + _SLACK_BYTES)
        return {name for name in names if np.array_equal(_hashes_in(found, name), self._wanted(name))}

    def _wanted(self, name: str) -> Hashes:
        return line_hashes(self._here[name].splitlines(keepends=True))

    def _alone(self, name: str) -> Graph:
        return Graph(self._engine, name, io.BytesIO(self._here[name]), lambda step: self._progress(f"{name}: {step}"))


def _hashes_in(store: Store, name: str) -> Hashes:
    lines = store.dump(format=RdfFormat.N_TRIPLES, from_graph=NamedNode(name)) or b""
    return line_hashes(lines.splitlines(keepends=True))


class Graph:
    """One graph: here as a file of lines, and there as it is found."""

    def __init__(self, engine: Engine, name: str, here: IO[bytes], progress: Progress) -> None:
        self._engine = engine
        self._name = name
        self._here = here
        self._progress = progress
        self._size = here.seek(0, io.SEEK_END)
        self._wanted = line_hashes(self._lines_here())

    def bring(self, empty: bool) -> bool:
        """Returns when what stands there is what stands here, and tells whether anything had to be written.

        Args:
            empty: nothing stands there, so that it need not be read first.

        Raises:
            SourceError: the engine failed, or loses triples again and again.
        """
        missing, surplus = (self._wanted, self._wanted[:0]) if empty else self._differences()
        for _ in range(_ROUNDS):
            if not len(missing) and not len(surplus):
                break
            self._mend(missing, surplus)
            empty = True
            missing, surplus = self._differences()
        if len(missing) or len(surplus):
            raise self._lost(missing, surplus)
        return empty

    def _differences(self) -> tuple[Hashes, Hashes]:
        """Returns what is missing there, and what is too much there."""
        self._progress("comparing")
        found = line_hashes(self._lines_there())
        return (
            np.setdiff1d(self._wanted, found, assume_unique=True),
            np.setdiff1d(found, self._wanted, assume_unique=True),
        )

    def _mend(self, missing: Hashes, surplus: Hashes) -> None:
        kind = self._engine.kind
        if len(surplus) and (not kind.updates_data or len(surplus) > len(self._wanted) // 2):
            # To empty it is one request.
            self._progress("emptying")
            self._engine.clear(self._name)
            missing, surplus = self._wanted, surplus[:0]
        for part in parts(chosen(self._lines_there(), surplus), kind.update_lines):
            self._progress("removing what is too much")
            self._engine.remove(self._name, part)
        at_once, sent = kind.store_lines if self._engine.store_url else kind.update_lines, 0
        for part in parts(chosen(self._lines_here(), missing), at_once):
            self._progress(f"{sent:,} of {len(missing):,} triples written")
            self._engine.add(self._name, part)
            sent += part.count(b"\n")

    def _lost(self, missing: Hashes, surplus: Hashes) -> EngineError:
        words = [f"{self._engine.name}: {self._name} does not stand there as it was sent."]
        for what, lines, hashes in (
            ("lost", self._lines_here(), missing),
            ("not ours", self._lines_there(), surplus),
        ):
            if len(hashes):
                named = " ".join(line.decode() for line in islice(chosen(lines, hashes), _SHOWN))
                words.append(f"{len(hashes)} {what}: {' '.join(named.split())}")
        return EngineError(" ".join(words))

    def _lines_here(self) -> Iterator[bytes]:
        self._here.seek(0)
        yield from self._here

    def _lines_there(self) -> Iterator[bytes]:
        """Yields the lines of the engine's graph as our store writes them."""
        got = self._engine.read(self._name, self._size * _LONGER + _SLACK_BYTES)
        with got.file:
            if got.status == 404:
                return
            while part := list(islice(got.file, _COMPARED_LINES)):
                yield from self._canonical(b"".join(part))

    def _canonical(self, lines: bytes) -> Iterator[bytes]:
        store = Store()
        try:
            store.load(restored_triples(lines) if self._engine.kind.rewrites_literals else lines, RdfFormat.N_TRIPLES)
        except SyntaxError as error:
            raise EngineError(f"{self._engine.name}: {self._name} is not sent to its end: {error}") from error
        yield from (store.dump(format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph()) or b"").splitlines(keepends=True)
