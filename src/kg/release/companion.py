"""What a service keeps beside an engine: the questions, links and text index of the release that stands there.

They are those of the release's own folder where that is at hand. Else they are made from the engine: the
questions it holds as files, the links and the labels are asked of it, once a release. Where it does not give
all links, or they are more than may be asked for, they stay there: what is known of all of them is noted, and
those that a question needs are fetched with it (`kg.release.frontier`).
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
from kg.engines.remote.source import RemoteSource, trusts
from kg.engines.source import Source
from kg.errors import EngineCut, LimitError, OverloadError, Publishing, ReleaseError
from kg.library import Library, read_library
from kg.release.directory import ReleaseDirectory, adopt, current_release, discard, find_release, new_directory
from kg.release.frontier import Allowance, Frontier
from kg.release.links import build_links
from kg.release.opened import Release, open_on
from kg.release.search import build_search
from kg.release.survey import open_survey, read_survey
from kg.workspace import Settings

# Within a folder of releases; what stands here has no store, so it is no release of its own.
_FOLDER = "of-engines"
# What stands here has not even its links.
_FAR_FOLDER = "links-in-engines"


def standing(engine: Engine) -> Stamp:
    """Returns what stands in an engine, a whole release.

    Raises:
        Publishing: one is being written.
        SourceError: none was ever written, or the engine does not answer.
    """
    stamp = read_stamp(engine)
    if stamp.publishing is not None:
        raise Publishing(
            f"Release {stamp.publishing[:12]} is being written to {engine.name}. "
            f"If its publisher is gone, `kg publish --engine {engine.name}` finishes it."
        )
    if stamp.release is None:
        raise unpublished(engine)
    return stamp


def companion(engine: Engine, stamp: Stamp, releases: Path) -> ReleaseDirectory:
    """Returns the folder with all of the release in an engine but its store, and but its links where these stay there.

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
    far = current_release(releases / _FAR_FOLDER / stamp.release)
    if far is not None and _too_many(far, engine.settings):
        return far
    prepared = new_directory(releases / _FOLDER)
    try:
        if _made(engine, stamp, prepared, far):
            return adopt(prepared, releases / _FOLDER / stamp.release)
        if far is not None:
            discard(prepared)
            return far
        (releases / _FAR_FOLDER).mkdir(exist_ok=True)
        return adopt(prepared, releases / _FAR_FOLDER / stamp.release)
    except BaseException:
        discard(prepared)
        raise


def open_beside(directory: ReleaseDirectory, source: Source, engine: Engine, stamp: Stamp) -> Release:
    """Returns the release that stands in an engine, with what is kept beside it.

    Args:
        directory: what `companion` returned.
        source: asks the engine.
        engine: the same, for links that stay there.

    Raises:
        ReleaseError: a part of the directory is missing or of another format.
    """
    if not directory.survey.is_file():
        return open_on(directory, source)
    library, settings = read_library(directory.queries, directory.prefixes), engine.settings
    allowance = Allowance(
        engine.kind.values, settings.max_answer_rows, settings.max_fetched_links, settings.query_time_limit_ms
    )
    links = _everywhere(engine, directory, stamp)
    return open_on(directory, source, Frontier(links, source, library, open_survey(directory.survey), allowance))


def dataset_of(directory: ReleaseDirectory) -> Dataset:
    """Returns what a query sees of a release in an engine."""
    graphs = cast(Mapping[str, object], directory.manifest.get("graphs", {}))
    return Dataset(named=tuple(sorted(graphs)), edition=directory.id)


def _made(engine: Engine, stamp: Stamp, prepared: ReleaseDirectory, far: ReleaseDirectory | None) -> bool:
    """Fills a folder from an engine, and tells whether the links are among what is there.

    Args:
        far: the folder that is used where they are not, if there is one already.
    """
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
    most_rows = engine.settings.max_answer_rows
    near = not _too_many(directory, engine.settings) and _links_came(source, library, prepared)
    if not near and far is None:
        survey = read_survey(_everywhere(asked, directory, stamp), library, engine.kind.values, most_rows)
        survey.write(prepared.survey)
    if near or far is None:
        build_search(source, library, prepared.search, most_rows=most_rows)
    return near


def _links_came(source: Source, library: Library, prepared: ReleaseDirectory) -> bool:
    """Writes the link arrays, and tells whether the engine gave all links."""
    try:
        build_links(source, library, prepared.links)
    except OverloadError:
        raise
    except (EngineCut, LimitError):
        return False
    return True


def _too_many(directory: ReleaseDirectory, settings: Settings) -> bool:
    """Tells whether a release has more links than may be asked for at once."""
    counts = directory.manifest.get("counts", {})
    assert isinstance(counts, dict)
    return int(counts.get("links", 0)) > settings.max_answer_rows


def _everywhere(engine: Engine, directory: ReleaseDirectory, stamp: Stamp) -> PublishedSource:
    """Returns a source for queries of ours that say themselves which graphs they mean."""
    return PublishedSource(
        RemoteSource(engine, directory.prefixes, Dataset(everywhere=True, edition=directory.id), trusts), engine, stamp
    )
