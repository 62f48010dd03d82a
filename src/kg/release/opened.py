"""A release, opened: its store, questions, links and text index, all read-only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kg.engines.local import Services, open_local
from kg.engines.source import Source
from kg.library import Library, read_library
from kg.model import ReleaseInfo
from kg.release.directory import ReleaseDirectory, find_release
from kg.release.links import Links, open_links
from kg.release.search import Search


@dataclass(frozen=True)
class Release:
    """One release and everything that reads from it."""

    directory: ReleaseDirectory
    source: Source
    library: Library
    links: Links
    search: Search

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


def open_on(directory: ReleaseDirectory, source: Source) -> Release:
    """Returns a release whose store is asked through a source.

    Raises:
        ReleaseError: a part of it is missing or of another format.
    """
    prefixes = directory.prefixes
    return Release(
        directory,
        source,
        read_library(directory.queries, prefixes),
        open_links(directory.links),
        Search(directory.search, prefixes),
    )
