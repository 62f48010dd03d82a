"""A release as a folder of files: tables for a warehouse, or an RO-Crate for an archive."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from pyoxigraph import Literal, NamedNode

from kg.errors import BadParameter
from kg.release.export import write_export_to
from kg.release.links import Links
from kg.release.metadata import METADATA_FILE, write_crate
from kg.release.opened import Release
from kg.release.search import Search
from kg.release.tables import dated_tables_of, node_tables_of, write_parquet

_PARQUET = "application/vnd.apache.parquet"
# A zip file has no date before this one; so the same files give the same archive.
_NO_DATE = (1980, 1, 1, 0, 0, 0)
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


def write_archive_to(release: Release, shape: str, file: IO[bytes]) -> None:
    """Writes a folder as `write_folder` does, into a file as a zip archive; what describes the others comes first.

    Raises:
        As `write_folder`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, whole = Path(name) / "folder", Path(name) / "archive.zip"
        write_folder(release, shape, folder)
        with zipfile.ZipFile(whole, "w") as archive:
            for path in sorted(folder.iterdir(), key=lambda path: (path.name != METADATA_FILE, path.name)):
                _put(archive, path)
        with whole.open("rb") as content:
            shutil.copyfileobj(content, file, 1 << 20)


def _put(archive: zipfile.ZipFile, path: Path) -> None:
    entry = zipfile.ZipInfo(path.name, _NO_DATE)
    # Parquet is compressed within.
    entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".parquet" else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.file_size = path.stat().st_size
    with path.open("rb") as content, archive.open(entry, "w") as kept:
        shutil.copyfileobj(content, kept, 1 << 20)


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
