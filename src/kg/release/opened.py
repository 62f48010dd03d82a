"""A release, opened: its store, questions, links and text index, all read-only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from kg.engines.local import Services, open_local
from kg.engines.source import Source
from kg.library import Library, read_library
from kg.model import ReleaseInfo
from kg.release.directory import ReleaseDirectory, find_release
from kg.release.frontier import Frontier
from kg.release.links import Links, open_links
from kg.release.search import Search

T = TypeVar("T")


@dataclass(frozen=True)
class Release:
    """One release and everything that reads from it.

    Attributes:
        frontier: fetches links as a question needs them, where they stay in an engine.
    """

    directory: ReleaseDirectory
    source: Source
    library: Library
    links: Links
    search: Search
    frontier: Frontier | None = None

    @property
    def id(self) -> str:
        return self.directory.id

    def info(self) -> ReleaseInfo:
        """Returns what the release is, when it was built and from which commit."""
        manifest, built = self.directory.manifest, self.directory.build_info
        counts, graphs = manifest.get("counts", {}), manifest.get("graphs", {})
        assert isinstance(counts, dict) and isinstance(graphs, dict)
        return ReleaseInfo(
            self.id,
            _text(built.get("built")),
            _text(built.get("commit")),
            counts,
            {name: int(entry["triples"]) for name, entry in graphs.items()},
        )

    def walked(self, ask: Callable[[Release], T]) -> T:
        """Returns what a question comes to that looks at links around some things: asked of this release.

        Where links are fetched as they are needed, it is asked of one with a part of them, and of one with more.

        Raises:
            As `Frontier.answered`.
        """
        if self.frontier is None:
            return ask(self)
        return self.frontier.answered(
            lambda links, source: ask(replace(self, links=links, source=source, frontier=None))
        )

    def close(self) -> None:
        """Lets go of the files."""
        self.source.close()
        self.search.close()


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def open_release(folder: Path, services: Services | None = None) -> Release:
    """Returns the release in a folder, or the current one of a folder of releases, opened.

    Args:
        services: leads SERVICE to where it may.

    Raises:
        ReleaseError: there is none, or a part of it is missing or of another format.
        SourceError: its store cannot be opened.
    """
    directory = find_release(folder)
    return open_on(directory, open_local(directory.store, directory.prefixes, services))


def open_on(directory: ReleaseDirectory, source: Source, frontier: Frontier | None = None) -> Release:
    """Returns a release whose store is asked through a source, and its links through a frontier if one is given.

    Raises:
        ReleaseError: a part of it is missing or of another format.
    """
    prefixes = directory.prefixes
    return Release(
        directory,
        source,
        read_library(directory.queries, prefixes),
        open_links(directory.links) if frontier is None else frontier.links,
        Search(directory.search, prefixes),
        frontier,
    )
