"""A graph is written: its file is exchanged, and the release that was built of it becomes current.

The files stay the truth. A write is staged beside the releases as a shadow of the workspace, in
which one file is already the new one (`kg.release.staging`); only what was checked and built there
is finished here, in this order:

    1. the file takes its place in the workspace, in one step
    2. the release becomes current
    3. a line is added to the record of writes
    4. the shadow goes

Killed before 1, nothing has happened. Killed after it, the shadow's journal tells the next start
what is left to do. One process at a time holds the workspace's lock, so whatever shadow a holder
finds was left by the dead.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import IO
from typing import Literal as OneOf

from kg.errors import BadParameter, BrokenRules, Conflict, DataError, Forbidden, KgError, OutOfDate, SourceError
from kg.names import GRAPH, INFERRED_GRAPH, MERGED_GRAPH
from kg.release.directory import ReleaseDirectory, current_release, discard, fresh_release, make_current, tidy
from kg.workspace import Settings, Workspace

RECORD = "writes.jsonl"
_JOURNAL = "write.json"
_SHADOW = ".writing-"
# A name that is safe as part of a file's name on every system.
_SLUG = re.compile(r"(?=.{1,100}\Z)[a-z0-9]+(-[a-z0-9]+)*")

Kind = OneOf["put", "post", "drop"]

# What a try can end with, by name: the process that tries tells the service in words.
STAGING_ERRORS: Mapping[str, type[KgError]] = {
    kind.__name__: kind for kind in (BadParameter, BrokenRules, Conflict, DataError, Forbidden, OutOfDate, SourceError)
}


@dataclass(frozen=True)
class Change:
    """One graph put in the place of another, added to, or dropped.

    Attributes:
        files: (media type, path) of the RDF that is put or added.
        who: the name of the token that allows it.
        only_if: the tags of which the graph must have one; `*` means any, None that it does not matter.
        unless: the tags that the graph must not have.
    """

    graph: str
    kind: Kind
    files: tuple[tuple[str, str], ...] = ()
    who: str = ""
    only_if: tuple[str, ...] | None = None
    unless: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Entry:
    """A line of the record of writes.

    *Units*: `when` is UTC; `triples_in` and `triples_out` count what the graph gained and lost.
    """

    id: str
    when: str
    who: str
    graph: str
    method: str
    triples_in: int
    triples_out: int
    release_before: str | None
    release_after: str


@dataclass(frozen=True)
class Journal:
    """What a staged write will do; digests are of the file's bytes, None where there is no file."""

    file: str
    digest_before: str | None
    digest_after: str | None
    fingerprint: str
    existed: bool
    entry: Entry


@dataclass(frozen=True)
class Shadow:
    """A workspace of links, beside the releases, in which one file may be replaced."""

    root: Path

    @cached_property
    def journal(self) -> Journal | None:
        """What the shadow is for; None while it is being made, or when nobody finished making it."""
        try:
            held = json.loads((self.root / _JOURNAL).read_text(encoding="utf-8"))
            return Journal(**{**held, "entry": Entry(**held["entry"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def plan(self, journal: Journal) -> None:
        """Writes down what is to be done, durably."""
        _write_durably(self.root / _JOURNAL, json.dumps(asdict(journal)).encode())

    def discard(self) -> None:
        """Removes the shadow; the files it links to stay."""
        discard(ReleaseDirectory(self.root))


def place_of(workspace: Workspace, graph: str | None) -> Path:
    """Returns the file that holds a graph, or will.

    Raises:
        Conflict: the graph is derived from the others.
        Forbidden: the graph is not written over the network.
    """
    if graph in {None, MERGED_GRAPH, INFERRED_GRAPH}:
        name = "The default graph" if graph is None else graph
        raise Conflict(f"{name} is derived from the other graphs; write to these.")
    assert graph is not None
    stem = graph.removeprefix(GRAPH) if graph.startswith(GRAPH) else ""
    files = {path.relative_to(workspace.root).parts: path for path in workspace.data_files}
    if ("ontology", f"{stem}.ttl") in files:
        raise Forbidden(f"{graph} belongs to the ontology; edit ontology/{stem}.ttl and build.")
    if ("graph", f"{stem}.ttl") in files:
        return files["graph", f"{stem}.ttl"]
    kind, _, slug = stem.partition("-")
    if kind in {"source", "curated"} and (_SLUG.fullmatch(slug) or ("graph", "sources", f"{slug}.trig") in files):
        return workspace.root / "graph" / "sources" / f"{slug}.trig"
    others = "".join(f", graph:{path.stem}" for parts, path in files.items() if parts[:-1] == ("graph",))
    raise Forbidden(
        f"{graph} is not written here. What can be: graph:source-NAME, graph:curated-NAME{others}; a new NAME has "
        f"small letters, digits and hyphens, and graph: is {GRAPH}"
    )


def refuse_unwritable(workspace: Workspace) -> None:
    """Returns when the files of a workspace can be written.

    Raises:
        Forbidden: they cannot.
    """
    if workspace.is_shipped:
        raise Forbidden("This workspace is read-only: it is part of the installed package; `kg init` makes your own.")
    for folder in ("graph", "graph/sources"):
        if not os.access(workspace.root / folder, os.W_OK | os.X_OK):
            raise Forbidden(f"This workspace is read-only: {folder}/ cannot be written by the service.")


@contextlib.contextmanager
def locked(workspace: Workspace) -> Iterator[bool]:
    """Yields whether this process now holds the workspace; a process that dies lets go of it."""
    folder = os.open(workspace.root / "graph", os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(folder)


def new_shadow(workspace: Workspace, releases: Path) -> Shadow:
    """Returns a shadow of a workspace: its fingerprint is the same, and each data file is a link of its own.

    Raises:
        SourceError: the folder cannot be written.
    """
    root = releases / f"{_SHADOW}{uuid.uuid4().hex}"
    try:
        (root / "graph" / "sources").mkdir(parents=True)
        for part in ("ontology", "queries"):
            (root / part).symlink_to(workspace.root / part)
        for path in workspace.data_files:
            if not path.is_relative_to(workspace.root / "ontology"):
                (root / workspace.shown(path)).symlink_to(path)
    except OSError as error:
        raise SourceError(f"{releases}: cannot be written: {error.strerror}; nothing was changed.") from error
    return Shadow(root)


def finish(workspace: Workspace, settings: Settings, shadow: Shadow) -> Journal:
    """Does what a staged write planned, and returns its journal; the workspace's lock is held.

    Raises:
        Conflict: the file was changed meanwhile.
        Forbidden: the file cannot be written.
        SourceError: the disk failed.
    """
    journal, releases = shadow.journal, workspace.releases(settings)
    assert journal is not None
    if digest_of(workspace.root / journal.file) != journal.digest_before:
        shadow.discard()
        raise Conflict(f"{journal.file} was changed while the write was checked; nothing was changed. Try again.")
    try:
        _exchange(workspace.root / journal.file, shadow.root / journal.file)
    except PermissionError as error:
        raise Forbidden(f"This workspace is read-only: {journal.file} cannot be written.") from error
    except OSError as error:
        raise SourceError(f"{journal.file} cannot be written: {error.strerror}; nothing was changed.") from error
    try:
        _make_current(releases, journal)
        _record(releases, journal.entry)
    except OSError as error:
        raise SourceError(
            f"{journal.file} is written, but its release is not yet in place: {error.strerror}. "
            "The next write or start finishes this."
        ) from error
    shadow.discard()
    tidy(releases, settings.keep_releases)
    return journal


def recover(workspace: Workspace, settings: Settings) -> None:
    """Ends what a dead process began: a write that reached its file is finished, any other is forgotten.

    The workspace's lock is held.
    """
    releases = workspace.releases(settings)
    for root in sorted(releases.glob(f"{_SHADOW}*")):
        shadow = Shadow(root)
        journal = shadow.journal
        if journal is not None and digest_of(workspace.root / journal.file) == journal.digest_after:
            if _is_due(workspace, releases, journal):
                _make_current(releases, journal)
            if journal.entry.id not in _recorded(releases):
                _record(releases, journal.entry)
        shadow.discard()
    for folder in ("graph", "graph/sources"):
        for path in (workspace.root / folder).glob(f".*{_SHADOW}"):
            path.unlink(missing_ok=True)


def _is_due(workspace: Workspace, releases: Path, journal: Journal) -> bool:
    """Tells whether the files are as they were staged, and their release stands but is not current."""
    return (
        workspace.fingerprint() == journal.fingerprint
        and current_release(releases / journal.entry.release_after) is not None
        and fresh_release(releases, journal.fingerprint) is None
    )


def _make_current(releases: Path, journal: Journal) -> None:
    directory = ReleaseDirectory(releases / journal.entry.release_after)
    with contextlib.suppress(OSError):
        # A state that was had before is a release that stands already; it counts as new again.
        os.utime(directory.root)
    make_current(releases, directory, journal.fingerprint)


def _exchange(target: Path, source: Path) -> None:
    """Puts a new file in the place of another, or removes it when there is no new one; durably."""
    if source.exists():
        new = target.with_name(f".{target.name}{_SHADOW}")
        _write_durably(new, source.read_bytes())
        if target.exists():
            shutil.copymode(target, new)
        new.replace(target)
    else:
        target.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _record(releases: Path, entry: Entry) -> None:
    """Adds a line to the record of writes, durably; a line that a power cut left half-written stays alone."""
    with (releases / RECORD).open("ab+") as file:
        _end_line(file)
        file.write(json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(releases)


def _end_line(file: IO[bytes]) -> None:
    if file.seek(0, os.SEEK_END):
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")


def _recorded(releases: Path) -> set[str]:
    return {entry.id for entry in read_record(releases)}


def read_record(releases: Path) -> list[Entry]:
    """Returns every write that was recorded in a folder of releases, the oldest first."""
    try:
        lines: Sequence[str] = (releases / RECORD).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = ()
    found = []
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            found.append(Entry(**json.loads(line)))
    return found


def digest_of(path: Path) -> str | None:
    """Returns the SHA-256 of a file, None where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
