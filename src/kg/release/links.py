"""The links of a release as compact arrays, memory-mapped and shared by every reader.

`queries/links.rq` says which triples are links. Nodes and links are numbered in the order of
their IRIs, so that the same files give the same arrays. About 23 bytes a link and 20 a node
beside the IRIs themselves.

    nodes.bin, node_at       the IRIs, sorted, as UTF-8 end to end, and where each starts
    subject, object, type, basis, origins    one value a link, links sorted by subject, type, object
    out_at                   the links of node n as subject are out_at[n] to out_at[n + 1]
    in_at, in_link           likewise as object: in_link[in_at[n] : in_at[n + 1]]
    origin_at, origin        the sets of origin documents that `origins` numbers
    independent              how many independent sources each of these sets comes down to
    said_at, said            the links of node n as origin are said[said_at[n] : said_at[n + 1]]
    covers, adopts           pairs of documents of which the first is no second source beside the other
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import Literal, NamedNode

from kg.engines.source import Request, Source
from kg.errors import ReleaseError
from kg.library import Library
from kg.model import Basis, Link
from kg.release.arrays import ARRAYS, Ints, Pairs, arranged, merged
from kg.release.independence import Dependence

if TYPE_CHECKING:
    import polars as pl

# A thing with more links is a hub, which a search meets before it looks through its links.
HUB_LINKS = 300
# So many names are looked up by bisection; for more, all names are read through once.
_FEW = 2000


@dataclass(frozen=True)
class Links:
    """The link arrays of one release, opened read-only."""

    types: tuple[str, ...]
    nodes: NDArray[np.uint8]
    arrays: Mapping[str, Ints]

    @property
    def node_count(self) -> int:
        return len(self.arrays["node_at"]) - 1

    @property
    def link_count(self) -> int:
        return len(self.arrays["subject"])

    @cached_property
    def plain(self) -> dict[str, Ints]:
        """The arrays without what tells that they are mapped, which costs at every look."""
        return {name: np.asarray(array) for name, array in self.arrays.items()}

    @cached_property
    def _names(self) -> memoryview:
        """The IRIs of all nodes, one behind the other, to be cut without an array for each."""
        return memoryview(np.asarray(self.nodes).data)

    def iri(self, node: int) -> str:
        """Returns the IRI of a node."""
        at = self.plain["node_at"]
        return str(self._names[at[node] : at[node + 1]], "utf-8")

    def node(self, iri: str) -> int | None:
        """Returns the number of the node with that IRI, by bisection; None when it has no links."""
        wanted, low, high = iri.encode(), 0, self.node_count
        at, names = self.plain["node_at"], self._names
        while low < high:
            middle = (low + high) // 2
            found = bytes(names[at[middle] : at[middle + 1]])
            if found == wanted:
                return middle
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        return None

    def numbers(self, iris: Collection[str]) -> Ints:
        """Returns the numbers of those that have links, in no order."""
        if len(iris) <= _FEW:
            found = self.nodes_of(iris)
        else:
            blob, wanted = self.nodes.tobytes(), {iri.encode() for iri in iris}
            bounds = enumerate(pairwise(self.plain["node_at"].tolist()))
            found = [number for number, (start, end) in bounds if blob[start:end] in wanted]
        return np.array(found, dtype=np.int32)

    def links_of(self, node: int) -> tuple[Ints, Ints]:
        """Returns the numbers of the links of a node: as subject, and as object."""
        out_at, in_at, in_link = self.plain["out_at"], self.plain["in_at"], self.plain["in_link"]
        outward = np.arange(out_at[node], out_at[node + 1], dtype=np.int32)
        return outward, in_link[in_at[node] : in_at[node + 1]]

    def outward(self, node: int) -> Ints:
        """Returns the numbers of the links of a node as subject."""
        at = self.plain["out_at"]
        return np.arange(at[node], at[node + 1], dtype=np.int32)

    @cached_property
    def degrees(self) -> Ints:
        """How many links each node has, both ways."""
        found: Ints = np.diff(self.plain["out_at"]) + np.diff(self.plain["in_at"])
        return found

    def degree(self, node: int) -> int:
        """Returns how many links a node has, both ways."""
        return int(self.degrees[node])

    def ends_of(self, link: str, most: int) -> list[tuple[str, str]]:
        """Returns what the first links of a kind join, at most so many, in the order of both ends."""
        numbers = np.flatnonzero(self.plain["type"] == self.types.index(link))[:most]
        ends = (self.plain[side][numbers].tolist() for side in ("subject", "object"))
        return [(self.iri(start), self.iri(end)) for start, end in zip(*ends, strict=True)]

    def nodes_of(self, iris: Collection[str]) -> list[int]:
        """Returns the numbers of those that have links, in their order."""
        return [number for iri in iris if (number := self.node(iri)) is not None]

    def require(self, nodes: Ints, *, outward: bool = True, inward: bool = True) -> None:
        """Returns when the links of some nodes are here, those as subject, those as object, or both.

        All are here, but for links that are fetched as they are needed (`kg.release.part`).
        """

    def require_said(self, origins: Ints) -> None:
        """Returns when every link of some origins is here, as `require` does for those of nodes."""

    @cached_property
    def dependence(self) -> Dependence:
        """Which documents are no source of their own beside another."""
        return Dependence.of(*(map(tuple, self.plain[name].tolist()) for name in ("covers", "adopts")))

    def independent(self, numbers: Collection[int]) -> int:
        """Returns how many independent sources the origins of some links come down to."""
        a = self.plain
        sets = {int(a["origins"][number]) for number in numbers}
        if len(sets) == 1:
            return int(a["independent"][sets.pop()])
        members = (a["origin"][a["origin_at"][s] : a["origin_at"][s + 1]].tolist() for s in sets)
        return self.dependence.count({origin for group in members for origin in group})

    def origins(self, link: int) -> tuple[str, ...]:
        """Returns the IRIs of the origin documents of a link."""
        number, at = self.plain["origins"][link], self.plain["origin_at"]
        return tuple(self.iri(int(n)) for n in self.plain["origin"][at[number] : at[number + 1]])

    def all_origins(self) -> list[str]:
        """Returns the IRIs of every document that is the origin of some link, sorted."""
        return [self.iri(node) for node in np.unique(self.arrays["origin"]).tolist()]

    def link(self, number: int) -> Link:
        """Returns a link as a triple with its basis and origins."""
        a = self.plain
        return Link(
            self.iri(int(a["subject"][number])),
            self.types[int(a["type"][number])],
            self.iri(int(a["object"][number])),
            list(Basis)[int(a["basis"][number])],
            self.origins(number),
        )


@dataclass(frozen=True)
class Earlier:
    """Links of an earlier release that still hold: all but those of the subjects that are to be asked anew."""

    links: Links
    anew: Collection[str]


def build_links(source: Source, library: Library, folder: Path, earlier: Earlier | None = None) -> int:
    """Writes the link arrays of a store and returns how many links there are.

    Raises:
        SourceError: the store failed.
    """
    # Only the build needs polars; a service that opens arrays should not pay for loading it.
    import polars as pl

    if earlier is None:
        found = _asked(source, library.program("links").text)
    else:
        kept = _held(earlier.links).filter(~pl.col("from").is_in(list(earlier.anew)))
        found = pl.concat([kept, _asked(source, library.program("links").about("from", sorted(earlier.anew)))])
    return _write(found.sort("from", "link", "to"), read_dependence(source, library), folder)


def read_dependence(source: Source, library: Library) -> Pairs:
    """Returns the pairs of documents of which one covers the other, or says an item of it again."""
    found: dict[str, list[tuple[str, str]]] = {"covers": [], "adopts": []}
    for document, other, how in source.select(library.program("dependence").text).rows:
        assert isinstance(document, NamedNode) and isinstance(other, NamedNode) and isinstance(how, Literal)
        found[how.value].append((document.value, other.value))
    return found


def _asked(source: Source, query: str) -> pl.DataFrame:
    """Returns the links that a store holds: from, link, to, rank of the basis, origins as one text."""
    import polars as pl

    # Not CSV: the engine writes an IRI with a comma in it there without quotation marks.
    table = source.reply(Request(query), "text/tab-separated-values")
    written = pl.read_csv(io.BytesIO(table), separator="\t", quote_char=None, infer_schema=False)
    rows = written.rename(lambda name: name.removeprefix("?")).with_columns(pl.all().str.strip_chars("<>"))
    return merged(rows)


def _held(links: Links) -> pl.DataFrame:
    """Returns the links in arrays as `_asked` does."""
    import polars as pl

    a = links.arrays
    blob, node_at = links.nodes.tobytes(), a["node_at"].tolist()
    names = pl.Series([blob[i:j].decode() for i, j in pairwise(node_at)], dtype=pl.String)
    members, origin_at = names.gather(a["origin"]).to_list(), a["origin_at"].tolist()
    sets = pl.Series([" ".join(members[i:j]) for i, j in pairwise(origin_at)], dtype=pl.String)
    types = pl.Series(links.types, dtype=pl.String)
    return pl.DataFrame(
        {
            "from": names.gather(a["subject"]),
            "link": types.gather(a["type"]),
            "to": names.gather(a["object"]),
            "basis": pl.Series(a["basis"], dtype=pl.UInt8),
            "origins": sets.gather(a["origins"]),
        }
    )


def _write(links: pl.DataFrame, dependence: Pairs, folder: Path) -> int:
    found = arranged(links, dependence)
    folder.mkdir()
    for name, array in found.arrays.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "nodes.bin").write_bytes(b"".join(found.nodes))
    (folder / "types.json").write_text(json.dumps(found.types, indent=1) + "\n", encoding="utf-8")
    return len(links)


def open_links(folder: Path) -> Links:
    """Returns the link arrays of a release, memory-mapped.

    Raises:
        ReleaseError: an array is missing or cannot be read.
    """
    try:
        types = json.loads((folder / "types.json").read_text(encoding="utf-8"))
        arrays = {name: _mapped(folder / f"{name}.npy") for name in ARRAYS}
        blob = folder / "nodes.bin"
        empty = blob.stat().st_size == 0
        nodes = np.zeros(0, dtype=np.uint8) if empty else np.memmap(blob, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:
        raise ReleaseError(f"the link arrays cannot be read: {error}", folder) from error
    return Links(tuple(types), nodes, arrays)


def _mapped(path: Path) -> Ints:
    array: Ints = np.load(path, mmap_mode="r")
    return array
