"""A release is written to an engine: graph by graph, in parts that it survives, and each compared with ours.

While it is written a marker stands in the engine, so that no service answers from half of one release
and half of another. A graph that is known to be whole there, by its digest and its count, is left as it
is; of another what is missing is added and what is too much removed. So a publication that broke off
anywhere is finished by the next one, and when nothing has changed there is nothing to do.

Graphs are compared by a hash of every line of N-Triples, in the form in which our store writes it, at
eight bytes a triple. Where an engine keeps a literal in another form, that form is undone before.
"""

from __future__ import annotations

import gc
import hashlib
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import DefaultGraph, NamedNode, RdfFormat, Store

from kg.engines.remote.catalogue import (
    count_triples,
    read_digests,
    read_stamp,
    remove_digests,
    remove_marker,
    write_digests,
    write_marker,
    write_release,
)
from kg.engines.remote.engine import Engine
from kg.engines.remote.literals import restored_triples
from kg.errors import EngineError
from kg.names import MERGED_GRAPH
from kg.release.directory import ReleaseDirectory

# What an engine loses is sent again so often.
_ROUNDS = 3
_COMPARED_LINES = 50_000
# An engine may write a character in ten, so that a graph comes back longer than it is here.
_LONGER, _SLACK_BYTES = 12, 1 << 20
_MOST_SURPLUS = 2
_SHOWN = 3
# So many graphs are written before it is noted that they are whole.
_NOTED_AT_ONCE = 20

Progress = Callable[[str], None]
Hashes = NDArray[np.uint64]


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
    release: ReleaseDirectory, engine: Engine, progress: Progress = _silent, every_line: bool = False
) -> Published:
    """Returns what was done; then the release stands in the engine, whole.

    Args:
        every_line: compare every graph line by line, also where digest and count say that it is whole.

    Raises:
        SourceError: the engine failed, or a graph does not stand there as it is here (with the triples).
        ReleaseError: the release cannot be read.
    """
    return _Publication(release, engine, progress).run(every_line)


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

    def run(self, every_line: bool) -> Published:
        """Writes what differs, under a marker."""
        stamp, known = read_stamp(self._engine), read_digests(self._engine)
        counts = count_triples(self._engine, sorted(self._digests))
        whole = {
            name
            for name, digest in self._digests.items()
            if known.get(name) == digest and counts[name] == self._counts[name] and not every_line
        }
        surplus = tuple(sorted(set(known) - set(self._digests)))
        unsure = sorted(set(self._digests) - set(whole))
        triples = sum(self._counts.values())
        if not unsure and not surplus and stamp.release == self._release.id and stamp.publishing is None:
            return Published(self._release.id, (), tuple(sorted(whole)), (), triples)
        write_marker(self._engine, self._release.id)
        remove_digests(self._engine, {name: known[name] for name in (*surplus, *unsure) if name in known})
        for name in surplus:
            self._progress(f"removing {name}")
            self._engine.clear(name)
        written = self._write(unsure, counts)
        self._check_counts()
        self._progress("saying which release stands here")
        write_release(self._engine, self._release.id, uuid.uuid4().hex, self._digests, self._files())
        remove_marker(self._engine)
        unchanged = tuple(sorted(set(self._digests) - set(written)))
        return Published(self._release.id, written, unchanged, surplus, triples)

    def _write(self, every: Sequence[str], counts: Mapping[str, int]) -> tuple[str, ...]:
        """Lets graphs stand as they are here, and returns those that did not.

        Args:
            counts: how many triples stand in each there.
        """
        written = []
        store = Store.read_only(str(self._release.store))
        try:
            for start in range(0, len(every), _NOTED_AT_ONCE):
                part = every[start : start + _NOTED_AT_ONCE]
                for number, name in enumerate(part, start=start + 1):
                    steps = _told(self._progress, f"graph {number} of {len(every)}, {name}")
                    if self._bring(store, name, counts[name], steps):
                        written.append(name)
                write_digests(self._engine, {name: self._digests[name] for name in part})
        finally:
            del store
            gc.collect()
        return tuple(written)

    def _bring(self, store: Store, name: str, found: int, progress: Progress) -> bool:
        if found > self._counts[name] * _MOST_SURPLUS:
            # More of it would go than stay, and what comes back may be without end.
            self._engine.clear(name)
            found = 0
        with tempfile.TemporaryFile() as lines:
            graph = DefaultGraph() if name == MERGED_GRAPH else NamedNode(name)
            store.dump(lines, RdfFormat.N_TRIPLES, from_graph=graph)
            return _Graph(self._engine, name, lines, progress).bring(empty=not found)

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


def _told(progress: Progress, about: str) -> Progress:
    return lambda step: progress(f"{about}: {step}")


class _Graph:
    """One graph: here as a file of lines, and there as it is found."""

    def __init__(self, engine: Engine, name: str, here: IO[bytes], progress: Progress) -> None:
        self._engine = engine
        self._name = name
        self._here = here
        self._progress = progress
        self._size = here.tell()
        self._wanted = _hashes(self._lines_here())

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
        found = _hashes(self._lines_there())
        return (
            np.setdiff1d(self._wanted, found, assume_unique=True),
            np.setdiff1d(found, self._wanted, assume_unique=True),
        )

    def _mend(self, missing: Hashes, surplus: Hashes) -> None:
        kind = self._engine.kind
        if len(surplus) and (not kind.deletes_triples or len(surplus) > len(self._wanted) // 2):
            # To empty it is one request.
            self._engine.clear(self._name)
            missing, surplus = self._wanted, surplus[:0]
        for part in _parts(_chosen(self._lines_there(), surplus), kind.update_lines):
            self._engine.remove(self._name, part)
        at_once, sent = kind.store_lines if self._engine.store_url else kind.update_lines, 0
        for part in _parts(_chosen(self._lines_here(), missing), at_once):
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
                named = " ".join(line.decode() for line in islice(_chosen(lines, hashes), _SHOWN))
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


def _hashes(lines: Iterable[bytes]) -> Hashes:
    """Returns the hash of every line, sorted."""
    digests = b"".join(hashlib.blake2b(line, digest_size=8).digest() for line in lines)
    return np.unique(np.frombuffer(digests, dtype=np.uint64))


def _chosen(lines: Iterable[bytes], hashes: Hashes) -> Iterator[bytes]:
    """Yields the lines that have one of some hashes."""
    if not len(hashes):
        return
    wanted = set(hashes.tolist())
    for line in lines:
        if int.from_bytes(hashlib.blake2b(line, digest_size=8).digest(), "little") in wanted:
            yield line


def _parts(lines: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yields lines, so many at a time."""
    while part := list(islice(lines, size)):
        yield b"".join(part)
