"""Opening a graph: a workspace, a release, or the address of a service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kg.answers import open_answers
from kg.errors import BadParameter
from kg.notebook.doors import Door, LocalDoor
from kg.notebook.graph import Graph
from kg.notebook.progress import progress_shown
from kg.release.build import build
from kg.release.directory import find_release, fresh_release
from kg.workspace import Settings, open_workspace, read_settings


def open(place: str | Path | None = None, *, texts: str | Path | None = None) -> Graph:
    """Returns the graph of a workspace, of a release, or of a service.

    Args:
        place: a workspace, a release, or the address of a service (`http://…`); by default the
            workspace of the current folder, else the one that comes with this package. A
            workspace is built when it has changed.
        texts: a folder of held texts, for quotes; a service has its own.

    Raises:
        DataError: the folder is neither, or a file in it is wrong.
        SourceError: no such service answers at the address.
    """
    settings = read_settings()
    if isinstance(place, str) and place.startswith(("http://", "https://")):
        if texts is not None:
            raise BadParameter("texts: a service shows the quotes of the texts that it holds itself.")
        return Graph(_served(place, settings))
    if texts is not None:
        settings = replace(settings, texts=str(texts))
    return Graph(LocalDoor(open_answers(_folder(place, settings), settings)))


def _served(address: str, settings: Settings) -> Door:
    # Who asks a folder need not load a client for HTTP.
    from kg.notebook.served import ServedDoor

    return ServedDoor(address, settings)


def _folder(place: str | Path | None, settings: Settings) -> Path:
    """Returns the folder of the release to open, built when it is missing or stale."""
    root = None if place is None else Path(place)
    if root is not None and (root / "manifest.json").is_file():
        return root
    workspace = open_workspace(root)
    folder = workspace.releases(settings)
    if fresh_release(folder, workspace.fingerprint()) is None:
        with progress_shown("Building") as progress:
            build(workspace, settings, progress=progress)
    return find_release(folder).root
