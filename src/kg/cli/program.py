"""The program `kg`: its options, and what every command opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kg.cli.console import progress_shown
from kg.errors import DataError
from kg.release.directory import find_release, fresh_release, kept_release
from kg.workspace import Settings, open_workspace, read_settings

if TYPE_CHECKING:
    from kg.answers import Answers


app = typer.Typer(
    name="kg",
    help="A knowledge graph of what policy reports say: build it, serve it, ask it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# Whether a folder can be read is found when it is read: one line and exit 1, as for one that is missing.
WorkspaceOption = Annotated[
    Path | None, typer.Option(readable=False, help="Folder with ontology/, graph/ and queries/.")
]
ReleaseOption = Annotated[Path | None, typer.Option(readable=False, help="A release, instead of building one.")]
TextsOption = Annotated[Path | None, typer.Option(readable=False, help="Folder of held texts, for quotes.")]


class Shape(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"


class TextShape(StrEnum):
    """How everything else is printed."""

    text = "text"
    json = "json"


def settings_in_force(texts: Path | None = None) -> Settings:
    """Returns the settings, with the folder of texts that the command line names."""
    settings = read_settings()
    return settings if texts is None else replace(settings, texts=str(texts))


def release_folder(workspace: Path | None, release: Path | None, settings: Settings) -> Path:
    """Returns the folder of the release to read: the one named, else the workspace's, built when stale."""
    if release is not None:
        return find_release(release).root
    found = open_workspace(workspace)
    releases = found.releases(settings)
    fresh = fresh_release(releases, found.fingerprint())
    if fresh is not None:
        return fresh.root
    from kg.release import build as building

    with progress_shown() as progress:
        building.build(found, settings, progress=progress)
    return find_release(releases).root


@contextmanager
def opened_answers(workspace: Path | None, release: Path | None, settings: Settings | None = None) -> Iterator[Answers]:
    """Yields the front door of the release to read, and closes it."""
    from kg.answers import open_answers

    settings = settings or settings_in_force()
    opened = open_answers(release_folder(workspace, release, settings), settings)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def opened_release(name: str, workspace: Path | None) -> Iterator[Answers]:
    """Yields the front door of a release that is named by its folder, or by its id in a workspace; builds nothing."""
    from kg.answers import open_answers

    settings = settings_in_force()
    folder = Path(name)
    if not folder.is_dir():
        folder = kept_release(open_workspace(workspace).releases(settings), name).root
    with closing(open_answers(folder, settings)) as opened:
        yield opened


def parameters_of(values: Sequence[str]) -> dict[str, list[str]]:
    """Returns the values given as `param=value`, by parameter."""
    found: dict[str, list[str]] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r} is not of the form param=value")
        found.setdefault(name, []).append(value)
    return found


def read_text(path: Path) -> str:
    """Returns the text of a file that a person names, its line ends as they are.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError.unreadable(error, path) from error
