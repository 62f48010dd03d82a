"""Lines of N-Triples by their hashes, eight bytes each: what two graphs differ in, in little memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


def line_hashes(lines: Iterable[bytes]) -> Hashes:
    """Returns the hash of every line, sorted."""
    digests = b"".join(hashlib.blake2b(line, digest_size=8).digest() for line in lines)
    return np.unique(np.frombuffer(digests, dtype=np.uint64))


def chosen(lines: Iterable[bytes], hashes: Hashes) -> Iterator[bytes]:
    """Yields the lines that have one of some hashes."""
    if not len(hashes):
        return
    wanted = set(hashes.tolist())
    for line in lines:
        if int.from_bytes(hashlib.blake2b(line, digest_size=8).digest(), "little") in wanted:
            yield line


def parts(lines: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yields lines, so many at a time."""
    while part := list(islice(lines, size)):
        yield b"".join(part)
