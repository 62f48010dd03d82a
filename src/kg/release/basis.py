"""The release a build may start from, so that a changed file costs what it changes and not all again.

A release tells in its `build-info.json` what it was made of: the digest of each data file, of what
makes a release of them (the recipe: ontology, rules, the program's queries, this code and its
engine), and of what they are checked by (the rulebook). A build with the same recipe takes the
store, links and text index over, and exchanges what the changed files hold.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pyoxigraph

from kg.errors import ReleaseError
from kg.release.directory import FORMAT_VERSION, ReleaseDirectory
from kg.workspace import Workspace, fingerprint_of

_PROGRAM_QUERIES = ("links", "dependence", "labels", "classes")


@dataclass(frozen=True)
class Record:
    """What a release was made of.

    Attributes:
        files: the digests of the files under graph/, by name.
        checked: whether all that it holds has been checked by this rulebook.
    """

    files: Mapping[str, str]
    recipe: str
    rulebook: str
    checked: bool = False

    def as_json(self) -> dict[str, object]:
        """Returns what `build-info.json` holds of it."""
        return asdict(self)


@dataclass(frozen=True)
class Basis:
    """A release to start from.

    Attributes:
        changed: the names of the files that are other, new or gone.
        checked: whether what did not change need not be checked again.
    """

    release: ReleaseDirectory
    changed: tuple[str, ...]
    checked: bool

    def lend_store(self, folder: Path) -> None:
        """Makes a copy of the store that may be written, in a folder that is not there yet.

        The engine never writes into a table file (*.sst) again, so these are links; where the file
        system has none they are copied.

        Raises:
            ReleaseError: the release was removed meanwhile, or the disk failed.
        """
        try:
            folder.mkdir()
            for path in self.release.store.iterdir():
                if path.suffix == ".sst":
                    _link(path, folder / path.name)
                else:
                    shutil.copyfile(path, folder / path.name)
        except OSError as error:
            raise ReleaseError(f"cannot be taken over: {error.strerror}.", self.release.root) from error


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def record_of(workspace: Workspace, digests: Mapping[str, str]) -> Record:
    """Returns what a release of these files is made of.

    Args:
        digests: of every file, as the workspace tells them.
    """
    checks = {workspace.shown(path) for path in (workspace.shapes, *workspace.checks)}
    program = {f"queries/{name}.rq" for name in _PROGRAM_QUERIES}
    graph = {name: digest for name, digest in digests.items() if name.startswith("graph/")}
    recipe = {
        name: digest
        for name, digest in digests.items()
        if name not in graph and name not in checks and (not name.startswith("queries/") or name in program)
    }
    made_by = {"format": str(FORMAT_VERSION), "pyoxigraph": pyoxigraph.__version__, "code": _code()}
    rulebook = {name: digests[name] for name in sorted(checks)}
    return Record(graph, fingerprint_of({**recipe, **made_by}), fingerprint_of(rulebook))


@cache
def _code() -> str:
    """Returns the digest of the code that makes releases: other code may make others of the same files."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def basis_of(previous: ReleaseDirectory | None, workspace: Workspace, record: Record) -> Basis | None:
    """Returns the release to start from; None when everything is to be made anew.

    That is so when there is none, when it was made by another recipe, and when so much has changed
    that exchanging it would cost more.
    """
    before = None if previous is None else _recorded(previous)
    if previous is None or before is None or before.recipe != record.recipe:
        return None
    then, now = before.files.items(), record.files.items()
    changed = tuple(sorted({name for name, _ in then ^ now}))
    if _size(workspace, changed) > _size(workspace, record.files) / 2:
        return None
    return Basis(previous, changed, before.checked and before.rulebook == record.rulebook)


def _recorded(release: ReleaseDirectory) -> Record | None:
    try:
        return Record(**cast(Any, release.build_info["made_of"]))
    except (ReleaseError, KeyError, TypeError):
        # Older releases, and those that something else made, do not tell.
        return None


def _size(workspace: Workspace, names: object) -> int:
    assert isinstance(names, tuple | Mapping)
    paths = (workspace.root / name for name in names)
    return sum(path.stat().st_size for path in paths if path.exists())
