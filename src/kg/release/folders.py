"""A release as a folder of files: tables for a warehouse, or an RO-Crate for an archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pyoxigraph import Literal, NamedNode

from kg.errors import BadParameter
from kg.release.export import write_export_to
from kg.release.links import Links
from kg.release.metadata import write_crate
from kg.release.opened import Release
from kg.release.search import Search
from kg.release.tables import dated_tables_of, node_tables_of, write_parquet

_PARQUET = "application/vnd.apache.parquet"
_TABLES = {"links.parquet": _PARQUET, "nodes.parquet": _PARQUET}


def write_folder(release: Release, shape: str, folder: Path) -> None:
    """Writes a release as a folder: `tables` (links and nodes as Parquet) or `ro-crate` (these, N-Quads and metadata).

    Raises:
        BadParameter: there is no such shape, or the folder holds something.
        SourceError: the store failed.
    """
    writer = FOLDERS.get(shape)
    if writer is None:
        raise BadParameter(f"format: {shape!r} is none of {', '.join(FOLDERS)}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadParameter(f"--out: {folder} exists; name a new or empty folder.")
    folder.mkdir(parents=True, exist_ok=True)
    writer(release, folder)


def write_tables(links: Links, search: Search, issued: Mapping[str, str], folder: Path) -> None:
    """Writes links.parquet and nodes.parquet, in the memory of a part of them.

    Args:
        issued: for documents, when each was issued.
    """
    write_parquet(dated_tables_of(links, issued), folder / "links.parquet")
    write_parquet(node_tables_of(links, search, issued), folder / "nodes.parquet")


def _write_tables(release: Release, folder: Path) -> None:
    write_tables(release.links, release.search, _issued(release), folder)


def _issued(release: Release) -> dict[str, str]:
    """Returns for each document when it was issued, as far as that is known: a date, a month or a year."""
    query = release.library.program("dates-of-documents").bound({"document": []})
    rows = release.source.select(query).rows
    return {d.value: date.value for d, date in rows if isinstance(d, NamedNode) and isinstance(date, Literal)}


def _write_crate(release: Release, folder: Path) -> None:
    _write_tables(release, folder)
    with (folder / "graph.nq").open("wb") as file:
        write_export_to(release, "nquads", file)
    write_crate(release, folder, {"graph.nq": "application/n-quads", **_TABLES})


FOLDERS: Mapping[str, Callable[[Release, Path], None]] = {"tables": _write_tables, "ro-crate": _write_crate}
