"""What stands in a release directory, and how one takes the place of another.

    <releases>/current            the id of the release that is served, and the fingerprint of
                                  the files it was built from
    <releases>/<id>/manifest.json what the release is (equal bytes for equal files)
                    build-info.json when and from what it was built (outside the id)
                    store/        the embedded store, opened read-only
                    links/        the link arrays
                    search.sqlite the text index
                    queries/ context.jsonld

A release is written under a temporary name and renamed when it is whole; `current` is replaced
in one step. Killed anywhere before that, the previous release stays the current one.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from kg.errors import BadParameter, ReleaseError, UnknownName
from kg.names import Prefixes, prefixes_of_context

FORMAT_VERSION = 2
# So much of an id names a release, as long as no other begins so.
LEAST_DIGITS = 8


@dataclass(frozen=True)
class ReleaseDirectory:
    """A folder that holds one whole release."""

    root: Path

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def links(self) -> Path:
        return self.root / "links"

    @property
    def survey(self) -> Path:
        """What is known of links that stay in an engine; beside an embedded store there is none."""
        return self.root / "survey.json"

    @property
    def search(self) -> Path:
        return self.root / "search.sqlite"

    @property
    def queries(self) -> Path:
        return self.root / "queries"

    @property
    def context(self) -> Path:
        return self.root / "context.jsonld"

    @cached_property
    def manifest(self) -> Mapping[str, object]:
        path = self.root / "manifest.json"
        try:
            stat = path.stat()
        except OSError:
            return _read_json(path)  # which says what is wrong
        return _read_once(path, stat.st_ino, stat.st_mtime_ns, stat.st_size)

    @cached_property
    def build_info(self) -> Mapping[str, object]:
        return _read_json(self.root / "build-info.json")

    @property
    def id(self) -> str:
        return str(self.manifest["release"])

    @cached_property
    def prefixes(self) -> Prefixes:
        return prefixes_of_context(_read_json(self.context))

    @property
    def terms(self) -> Mapping[str, object]:
        """What stands under `@context`: prefixes, aliases and terms."""
        found = _read_json(self.context).get("@context", {})
        assert isinstance(found, dict)
        return found


# A service looks twice a second which release is current, and a manifest may have megabytes.
@lru_cache(maxsize=4)
def _read_once(path: Path, *_state: int) -> Mapping[str, object]:
    return _read_json(path)


def _read_json(path: Path) -> Mapping[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReleaseError("is missing; this folder holds no whole release. `kg build` makes one.", path) from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ReleaseError.unreadable(error, path) from error
    if not isinstance(found, dict):
        raise ReleaseError("is not a JSON object.", path)
    return found


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Writes JSON with sorted keys, the same bytes for the same value."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")


def find_release(folder: Path) -> ReleaseDirectory:
    """Returns the release in a folder: the folder itself, or the current one of a folder of releases.

    Raises:
        ReleaseError: there is none, or it is of a format that this version does not read.
    """
    directory = ReleaseDirectory(folder / _pointer(folder)[0])
    found = directory.manifest.get("format")
    if found != FORMAT_VERSION:
        raise ReleaseError(
            f"has format {found}; this version reads {FORMAT_VERSION}. `kg build` makes a new one.", directory.root
        )
    if "release" not in directory.manifest:
        raise ReleaseError("names no release; `kg build` makes a new one.", directory.root / "manifest.json")
    return directory


def current_release(folder: Path) -> ReleaseDirectory | None:
    """Returns the current release of a folder of releases, None when there is none that can be read."""
    try:
        return find_release(folder)
    except ReleaseError:
        return None


def check_beginning(start: str, parameter: str = "release") -> None:
    """Returns when a text may be the beginning of a release's id.

    Raises:
        BadParameter: it is none, or too short.
    """
    if len(start) < LEAST_DIGITS or not set(start) <= set("0123456789abcdef"):
        raise BadParameter(
            f"{parameter}: {start!r} is no release; give its id, or the first {LEAST_DIGITS} or more of its"
            " hexadecimal digits (0-9, a-f)."
        )


def kept_release(folder: Path, start: str, parameter: str = "release") -> ReleaseDirectory:
    """Returns the release in a folder of releases whose id begins with a text.

    Args:
        folder: a folder of releases, or a release, which then is the only one.
        parameter: what messages call the text.

    Raises:
        BadParameter: the text is no beginning of an id, is too short, or several ids begin so.
        UnknownName: no kept release has such an id.
    """
    check_beginning(start, parameter)
    # A release stands under its id; one that is served alone may stand under any name.
    candidates = (current_release(path) for path in (folder, *sorted(folder.glob(f"{start}*"))))
    found = {release.id: release for release in candidates if release is not None and release.id.startswith(start)}
    if len(found) > 1:
        ids = ", ".join(sorted(found))
        raise BadParameter(f"{parameter}: {start!r} begins the ids of several: {ids}. Give more digits.")
    if not found:
        raise UnknownName(
            f"{parameter}: {start!r} is not kept here; kept are {_kept(folder)}."
            " KG_KEEP_RELEASES says how many stay beside the current one."
        )
    return next(iter(found.values()))


def _kept(folder: Path) -> str:
    """Returns the releases of a folder as a message lists them."""
    names = (path.parent.name for path in folder.glob("*/manifest.json"))
    return ", ".join(sorted(name[:12] for name in names if not name.startswith("."))) or "no others"


def new_directory(folder: Path) -> ReleaseDirectory:
    """Returns an empty directory, beside the releases, in which one is prepared.

    Raises:
        ReleaseError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        root = folder / _unfinished("preparing")
        root.mkdir()
    except OSError as error:
        raise ReleaseError(f"cannot be written: {error.strerror}.", folder) from error
    return ReleaseDirectory(root)


def _unfinished(what: str) -> str:
    """Returns a new name that tells which process writes there, so that what a dead one left can be removed."""
    return f".{what}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def adopt(prepared: ReleaseDirectory, target: Path) -> ReleaseDirectory:
    """Returns the prepared release under its final name; an equal one that stands there already is kept."""
    try:
        prepared.root.rename(target)
    except OSError:
        if current_release(target) is None:
            discard(ReleaseDirectory(target))
            prepared.root.rename(target)
        else:
            discard(prepared)
    return ReleaseDirectory(target)


def make_current(folder: Path, release: ReleaseDirectory, fingerprint: str) -> None:
    """Points the folder of releases at one of them, in one step."""
    pointer = folder / _unfinished("current")
    pointer.write_text(f"{release.root.name}\n{fingerprint}\n", encoding="utf-8")
    pointer.replace(folder / "current")


def fresh_release(folder: Path, fingerprint: str) -> ReleaseDirectory | None:
    """Returns the current release when it was built from files with that fingerprint, else None."""
    return current_release(folder) if _pointer(folder)[1:] == [fingerprint] else None


def _pointer(folder: Path) -> list[str]:
    """Returns the lines of `current`: id and fingerprint; of a folder without one, the folder itself."""
    try:
        return (folder / "current").read_text(encoding="utf-8").split() or ["."]
    except (OSError, UnicodeDecodeError):
        return ["."]


def discard(directory: ReleaseDirectory) -> None:
    """Removes a directory, whole or half-written."""
    shutil.rmtree(directory.root, ignore_errors=True)


def tidy(folder: Path, keep: int) -> None:
    """Removes all but the newest `keep` releases beside the current one, and what dead builds left."""
    current = current_release(folder)
    kept = sorted(
        (p for p in folder.iterdir() if (p / "manifest.json").is_file() and not p.name.startswith(".")),
        key=_written,
        reverse=True,
    )
    others = [p for p in kept if current is None or p != current.root]
    for path in others[keep:]:
        discard(ReleaseDirectory(path))
    for path in folder.glob(".preparing-*"):
        if not _alive(path):
            discard(ReleaseDirectory(path))
    for path in folder.glob(".current-*"):
        if not _alive(path):
            path.unlink(missing_ok=True)


def _written(path: Path) -> float:
    """Returns when a release was put in place; 0 when another build has removed it meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _alive(path: Path) -> bool:
    """Tells whether the process that writes there still runs."""
    try:
        os.kill(int(path.name.split("-")[1]), 0)
    except (ProcessLookupError, ValueError, IndexError):
        return False
    except PermissionError:
        return True
    return True
