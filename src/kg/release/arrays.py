"""Links as a table become arrays: things and links numbered in the order of their IRIs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kg.model import Basis
from kg.names import CODE
from kg.release.independence import Dependence

if TYPE_CHECKING:
    import polars as pl

Ints = NDArray[np.integer]
# For each way in which a document depends on another, the pairs that do, by IRI: covers, adopts.
Pairs = Mapping[str, Sequence[tuple[str, str]]]

# The rank of the basis of what a graph says, by the kind of graph it is.
BASIS_OF_KIND = {
    CODE + "source-graph": Basis.SAID.rank,
    CODE + "curated-graph": Basis.JUDGED.rank,
    CODE + "inferred-graph": Basis.INFERRED.rank,
    CODE + "reference-graph": Basis.REFERENCE.rank,
}
ARRAYS = {
    "node_at": np.int64,
    "subject": np.int32,
    "object": np.int32,
    "type": np.uint16,
    "basis": np.uint8,
    "origins": np.int32,
    "out_at": np.int32,
    "in_at": np.int32,
    "in_link": np.int32,
    "origin_at": np.int32,
    "origin": np.int32,
    "independent": np.uint16,
    "said_at": np.int32,
    "said": np.int32,
    "covers": np.int32,
    "adopts": np.int32,
}


@dataclass(frozen=True)
class Arranged:
    """Arrays as `kg.release.links` describes them.

    Attributes:
        types: the kinds of link that `type` numbers.
        nodes: the IRIs of the nodes, each as UTF-8.
    """

    types: tuple[str, ...]
    nodes: tuple[bytes, ...]
    arrays: Mapping[str, Ints]


def arranged(
    links: pl.DataFrame, dependence: Pairs, types: Sequence[str] | None = None, beside: Collection[str] = ()
) -> Arranged:
    """Returns links as arrays.

    Args:
        links: from, link, to, basis (its rank), origins (as one text), in the order of the first three.
        dependence: pairs of documents of which one is no second source beside the other.
        types: the kinds of link, sorted; those of the links by default.
        beside: things that are nodes although no link here names them.
    """
    import polars as pl

    kinds = links["link"].unique().sort() if types is None else pl.Series(types, dtype=pl.String)
    sets = links["origins"].unique().sort()
    members = [joined.split() for joined in sets.to_list()]
    origins = pl.Series([iri for group in members for iri in group], dtype=pl.String)
    others = pl.Series(list(beside), dtype=pl.String)
    names = pl.concat([links["from"], links["to"], origins, others]).unique().sort()
    subject, object_ = _numbers(links["from"], names), _numbers(links["to"], names)
    encoded = tuple(name.encode() for name in names.to_list())
    origin_at = _starts([len(group) for group in members])
    said_by, said = _said(_numbers(links["origins"], sets), origin_at, _numbers(origins, names))
    pairs = {how: _pairs(found, names) for how, found in dependence.items()}
    arrays = {
        "node_at": _starts([len(name) for name in encoded]),
        "subject": subject,
        "object": object_,
        "type": _numbers(links["link"], kinds),
        "basis": links["basis"].to_numpy(),
        "origins": _numbers(links["origins"], sets),
        "out_at": _starts(np.bincount(subject, minlength=len(encoded))),
        "in_at": _starts(np.bincount(object_, minlength=len(encoded))),
        "in_link": np.argsort(object_, kind="stable"),
        "origin_at": origin_at,
        "origin": _numbers(origins, names),
        "independent": _independent(origin_at, _numbers(origins, names), pairs),
        "said_at": _starts(np.bincount(said_by, minlength=len(encoded))),
        "said": said,
        **pairs,
    }
    plain = {name: np.ascontiguousarray(arrays[name], dtype=dtype) for name, dtype in ARRAYS.items()}
    return Arranged(tuple(kinds.to_list()), encoded, plain)


def merged(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the links that rows of links.rq tell of, each once, with the best basis and every origin.

    Args:
        rows: from, link, to, kind, origin, as texts; None where there is no origin.
    """
    import polars as pl

    return (
        rows.with_columns(pl.col("kind").replace_strict(BASIS_OF_KIND, return_dtype=pl.UInt8).alias("basis"))
        .group_by("from", "link", "to")
        .agg(pl.col("basis").min(), pl.col("origin").drop_nulls().unique().sort().str.join(" ").alias("origins"))
    )


def _said(of_link: Ints, origin_at: Ints, origin: Ints) -> tuple[Ints, Ints]:
    """Returns every pair of an origin and a link of its, by origin and then by link."""
    sizes = np.diff(origin_at)[of_link]
    link = np.repeat(np.arange(len(of_link)), sizes)
    within = np.arange(len(link)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    by = origin[origin_at[of_link[link]] + within] if len(link) else np.zeros(0, dtype=np.int32)
    order = np.argsort(by, kind="stable")
    return by[order], link[order]


def _pairs(found: Sequence[tuple[str, str]], names: pl.Series) -> Ints:
    """Returns pairs of documents as pairs of numbers; one that has no links stands behind none."""
    import polars as pl

    flat = pl.Series([iri for pair in found for iri in pair], dtype=pl.String)
    known = flat.is_in(names.implode()).to_numpy().reshape(-1, 2).all(axis=1) if len(flat) else np.zeros(0, bool)
    numbers: Ints = _numbers(flat, names).reshape(-1, 2)[known]
    return numbers


def _independent(origin_at: Ints, origin: Ints, pairs: Mapping[str, Ints]) -> Ints:
    dependence = Dependence.of(*(map(tuple, pairs[how].tolist()) for how in ("covers", "adopts")))
    sizes = np.diff(origin_at)
    found = sizes.copy()
    for number in np.flatnonzero(sizes > 1).tolist():
        found[number] = dependence.count(origin[origin_at[number] : origin_at[number + 1]].tolist())
    return found


def _numbers(values: pl.Series, ordered: pl.Series) -> Ints:
    """Returns the place of each value in a sorted series without doubles."""
    return ordered.search_sorted(values).to_numpy() if len(values) else np.zeros(0, dtype=np.int32)


def _starts(sizes: object) -> Ints:
    counts = np.asarray(sizes, dtype=np.int64)
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
