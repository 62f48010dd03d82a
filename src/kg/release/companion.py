"""What a service keeps beside an engine: the questions, link arrays and text index of the release that stands there.

They are those of the release's own folder where that is at hand. Else they are made from the engine: the
questions it holds as files, the links and the labels are asked of it, once a release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from kg.engines.remote.catalogue import Stamp, read_files, read_stamp, unpublished
from kg.engines.remote.engine import Engine
from kg.engines.remote.lanes import PublishedSource, being_published
from kg.engines.remote.preparing import Dataset
from kg.engines.remote.source import RemoteSource
from kg.errors import ReleaseError
from kg.library import read_library
from kg.release.directory import ReleaseDirectory, adopt, current_release, discard, find_release, new_directory
from kg.release.links import build_links
from kg.release.search import build_search

# Within a folder of releases; what stands here has no store, so it is no release of its own.
_FOLDER = "of-engines"


def standing(engine: Engine) -> Stamp:
    """Returns what stands in an engine, a whole release.

    Raises:
        Publishing: one is being written.
        SourceError: none was ever written, or the engine does not answer.
    """
    stamp = read_stamp(engine)
    if stamp.publishing is not None:
        raise being_published()
    if stamp.release is None:
        raise unpublished(engine)
    return stamp


def companion(engine: Engine, stamp: Stamp, releases: Path) -> ReleaseDirectory:
    """Returns the folder with all of the release in an engine but its store.

    Args:
        releases: a folder of releases; the release itself may be among them.

    Raises:
        Publishing: another release is being written.
        SourceError: the engine failed.
        ReleaseError: the folder cannot be written, or what the engine holds is of another version.
    """
    assert stamp.release is not None
    for folder in (releases / stamp.release, releases / _FOLDER / stamp.release):
        found = current_release(folder)
        if found is not None:
            return found
    prepared = new_directory(releases / _FOLDER)
    try:
        _make(engine, stamp, prepared)
        return adopt(prepared, releases / _FOLDER / stamp.release)
    except BaseException:
        discard(prepared)
        raise


def dataset_of(directory: ReleaseDirectory) -> Dataset:
    """Returns what a query sees of a release in an engine."""
    graphs = cast(Mapping[str, object], directory.manifest.get("graphs", {}))
    return Dataset(named=tuple(sorted(graphs)))


def _make(engine: Engine, stamp: Stamp, prepared: ReleaseDirectory) -> None:
    files = read_files(engine)
    prepared.queries.mkdir()
    for name, text in files.items():
        path = prepared.root / name
        if path.parent not in {prepared.root, prepared.queries}:
            raise ReleaseError(f"{name!r} is no name of a file of a release.", engine.name)
        path.write_text(text, encoding="utf-8", newline="")
    directory = find_release(prepared.root)
    if directory.id != stamp.release:
        raise being_published()
    library = read_library(directory.queries, directory.prefixes)
    # One query for all links takes longer than a visitor's.
    patient = replace(engine.settings, query_time_limit_ms=engine.settings.engine_write_time_limit_ms)
    asked = replace(engine, settings=patient)
    source = PublishedSource(RemoteSource(asked, directory.prefixes, dataset_of(directory)), asked, stamp)
    build_links(source, library, prepared.links)
    build_search(source, library, prepared.search)
