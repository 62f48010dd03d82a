"""The links of a release as tables, a part at a time, so that a million of them need little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kg.model import Basis, Entity
from kg.release.arrays import Ints
from kg.release.links import Links
from kg.release.search import Search

if TYPE_CHECKING:
    import polars as pl

# So many links are held at once.
PART = 50_000


def tables_of(links: Links, part: int = PART) -> Iterator[pl.DataFrame]:
    """Yields the links in order: from, to, link, basis, origins (a list, empty for background); at least one table."""
    for start in range(0, max(links.link_count, 1), part):
        yield _table(links, np.arange(start, min(start + part, links.link_count)))


def _table(links: Links, numbers: Ints) -> pl.DataFrame:
    import polars as pl

    a = links.arrays
    sets = a["origins"][numbers]
    sizes = a["origin_at"][sets + 1] - a["origin_at"][sets]
    starts = np.repeat(a["origin_at"][sets] - (np.cumsum(sizes) - sizes), sizes)
    origins = a["origin"][np.arange(len(starts)) + starts]
    ends = (a["subject"][numbers], a["object"][numbers])
    nodes = np.unique(np.concatenate([*ends, origins]))
    names = pl.Series([links.iri(int(node)) for node in nodes], dtype=pl.String)
    types = pl.Series(links.types, dtype=pl.String)
    bases = pl.Series([basis.value for basis in Basis], dtype=pl.String)
    table = pl.DataFrame(
        {
            "from": names.gather(np.searchsorted(nodes, ends[0])),
            "to": names.gather(np.searchsorted(nodes, ends[1])),
            "link": types.gather(a["type"][numbers]),
            "basis": bases.gather(a["basis"][numbers]),
        }
    )
    return table.with_columns(_lists(names.gather(np.searchsorted(nodes, origins)), sizes).alias("origins"))


def _lists(values: pl.Series, sizes: Ints) -> pl.Series:
    """Returns the values as lists of these sizes."""
    import polars as pl

    of = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    filled = pl.DataFrame({"of": of, "value": values}).group_by("of", maintain_order=True).agg("value")
    every = pl.DataFrame({"of": np.arange(len(sizes), dtype=np.int64)})
    found = every.join(filled, on="of", how="left", maintain_order="left")["value"]
    return found.fill_null(pl.lit([], dtype=pl.List(pl.String)))


def entities_of(links: Links, search: Search, part: int = PART) -> Iterator[Entity]:
    """Yields every thing that has links or stands behind some, in the order of IRIs; without a label by its IRI."""
    for start in range(0, links.node_count, part):
        iris = [links.iri(node) for node in range(start, min(start + part, links.node_count))]
        known = search.entities(iris)
        for iri in iris:
            yield known.get(iri) or Entity(iri, iri, iri, "")


def write_parquet(tables: Iterable[pl.DataFrame], path: Path) -> None:
    """Writes tables of one shape, of which there is at least one, below each other as one Parquet file.

    They pass through as a stream, so that it takes the memory of a few of them.
    """
    from polars.io.plugins import register_io_source

    stream = iter(tables)
    first = next(stream)

    def source(*_everything_is_wanted: object) -> Iterator[pl.DataFrame]:
        yield first
        yield from stream

    register_io_source(source, schema=first.schema).sink_parquet(path, maintain_order=True)


def dated_tables_of(links: Links, issued: Mapping[str, str], part: int = PART) -> Iterator[pl.DataFrame]:
    """Yields the links as `tables_of` does, with `issued`: for each origin in turn when it was, null where unknown."""
    import polars as pl

    old, new = pl.Series(list(issued), dtype=pl.String), pl.Series(list(issued.values()), dtype=pl.String)
    dated = pl.element().replace_strict(old, new, default=None, return_dtype=pl.String)
    for table in tables_of(links, part):
        yield table.with_columns(pl.col("origins").list.eval(dated).alias("issued"))


def node_tables_of(links: Links, search: Search, issued: Mapping[str, str], part: int = PART) -> Iterator[pl.DataFrame]:
    """Yields the things in the order of IRIs: iri, curie, label, type, issued, links (how many); at least one table."""
    import polars as pl

    at = links.arrays["out_at"], links.arrays["in_at"]
    degrees = np.diff(at[0]).astype(np.int64) + np.diff(at[1])
    shape = {"iri": pl.String, "curie": pl.String, "label": pl.String, "type": pl.String, "issued": pl.String}
    for start in range(0, max(links.node_count, 1), part):
        end = min(start + part, links.node_count)
        iris = [links.iri(node) for node in range(start, end)]
        known = search.entities(iris)
        rows = [_node_row(iri, known.get(iri), issued.get(iri)) for iri in iris]
        yield pl.DataFrame(rows, shape, orient="row").with_columns(pl.Series("links", degrees[start:end], pl.Int64))


def _node_row(iri: str, entity: Entity | None, issued: str | None) -> tuple[str | None, ...]:
    found = entity or Entity(iri, iri, iri)
    return iri, found.curie, found.label, found.type, issued
