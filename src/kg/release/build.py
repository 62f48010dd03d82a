"""Files become a release: read, apply the rules, check, index, publish.

Everything is prepared beside the releases and put in place in one step, so that a build that is
killed, or that finds a violation, leaves what was there before. Where an earlier release was made
by the same recipe, only what changed since is read, and its store, links and text index are
brought up to date; the release is the same, to the byte of its manifest, as one made anew.
"""

from __future__ import annotations

import gc
import hashlib
import platform
import shutil
import sqlite3
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal as OneOf
from typing import cast

import pyoxigraph
from pyoxigraph import NamedNode, Quad, Store

from kg.engines.local import LocalSource
from kg.errors import DataError, ReleaseError
from kg.library import Library, read_library
from kg.model import Finding
from kg.release import links, search
from kg.release.affected import Affected, affected_by
from kg.release.basis import Basis, Record, basis_of, record_of
from kg.release.checks import Places, Shapes, failed_checks, in_order, lossy, lossy_literals
from kg.release.directory import (
    FORMAT_VERSION,
    ReleaseDirectory,
    adopt,
    current_release,
    discard,
    make_current,
    new_directory,
    tidy,
    write_json,
)
from kg.release.graphs import INFERRED, Graphs, entry, lines_of
from kg.release.links import build_links, open_links
from kg.release.reading import read_file
from kg.release.rules import derive
from kg.release.search import build_search
from kg.workspace import Settings, Workspace, fingerprint_of

Check = OneOf["all", "changed", "none"]
Progress = Callable[[str], None]
# What a damaged release shows as: its own parts, the engine's, the text index's.
_UNUSABLE = (ReleaseError, RuntimeError, OSError, sqlite3.Error)


def _silent(step: str) -> None:
    del step


class Violations(DataError):
    """The files break a rule, so nothing was published; `findings` says which."""

    title = "The files break a rule"

    def __init__(self, findings: Sequence[Finding]) -> None:
        bad = [finding for finding in findings if finding.severity == "violation"]
        super().__init__(f"{len(bad)} violation{'s' * (len(bad) != 1)}; nothing was published.")
        self.findings = tuple(findings)


@dataclass(frozen=True)
class Built:
    """A release that stands, and what the checks found on the way.

    Attributes:
        checked: what was checked: all, what changed, or nothing.
        taken_over: the id of the release whose parts were taken over; None when all was made anew.
    """

    directory: ReleaseDirectory
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]
    checked: Check
    taken_over: str | None


def build(
    workspace: Workspace,
    settings: Settings,
    out: Path | None = None,
    check: Check | None = None,
    progress: Progress = _silent,
    publish: bool = True,
    anew: bool = False,
) -> Built:
    """Returns the release of a workspace, built, checked and put in place.

    Args:
        out: a folder that itself becomes the release; by default it joins the workspace's
            releases and becomes the current one.
        check: everything, what a change since the current release may concern, or nothing. By
            default what changed, where all else is known to have been checked, and else everything.
        progress: is told each step as it begins.
        publish: False leaves the current release what it is; the new one stands beside it.
        anew: take nothing over from an earlier release.

    Raises:
        DataError: a file cannot be read (path and line), or `out` holds something else.
        Violations: a rule does not hold.
        ReleaseError: the release cannot be written.
    """
    if out is not None:
        _refuse_foreign(out)
    digests = workspace.digests()
    record = record_of(workspace, digests)
    releases = workspace.releases(settings) if out is None else out.absolute().parent
    previous = current_release(releases) if out is None and not anew else None
    basis = basis_of(previous, workspace, record)
    prepared = new_directory(releases)
    try:
        built = _Build(workspace, prepared, record, basis, check, progress).run()
        progress("putting the release in place")
        target = releases / built.directory.id if out is None else _free(out)
        final = adopt(prepared, target)
    except BaseException as error:
        _let_go(error)
        discard(prepared)
        if basis is not None and isinstance(error, _UNUSABLE):
            # What cannot be taken over is no reason not to build.
            return build(workspace, settings, out, check, progress, publish, anew=True)
        raise
    if out is None and publish:
        make_current(releases, final, fingerprint_of(digests))
        tidy(releases, settings.keep_releases)
    return replace(built, directory=final)


def _let_go(error: BaseException) -> None:
    """Empties the frames of an error and of those behind it.

    They still hold the store open, and an open store goes on writing.
    """
    behind: BaseException | None = error
    while behind is not None:
        traceback.clear_frames(behind.__traceback__)
        behind = behind.__cause__ or behind.__context__
    gc.collect()


def check(workspace: Workspace) -> list[Finding]:
    """Returns what the rules find in the files of a workspace, gravest first.

    Raises:
        DataError: a file cannot be read (path and line).
    """
    graphs, odd = read_all(workspace)
    graphs.put(INFERRED, derive(graphs, workspace))
    library = read_library(workspace.root / "queries", workspace.prefixes)
    return findings_of(graphs, workspace, library, odd, None)


def read_all(workspace: Workspace) -> tuple[Graphs, list[tuple[Quad, object]]]:
    """Returns, in memory, what the files of a workspace say, and the literals that the store writes otherwise.

    Raises:
        DataError: a file cannot be read (path and line).
    """
    graphs, odd = Graphs(Store()), list[tuple[Quad, object]]()
    for path in workspace.data_files:
        quads = read_file(workspace, path)
        odd += lossy(quads)
        graphs.add(quads)
    return graphs, odd


def findings_of(
    graphs: Graphs,
    workspace: Workspace,
    library: Library,
    odd: Iterable[tuple[Quad, object]],
    affected: Affected | None,
) -> list[Finding]:
    """Returns what the shapes, the checks and the store's own forms of literals bring up, gravest first.

    Args:
        odd: the literals that the store writes in another form.
        affected: look at what a change concerns only.
    """
    places = Places(workspace, graphs)
    source = LocalSource(graphs.store, library.prefixes)
    found = [
        *Shapes(workspace, graphs).findings(places, None if affected is None else affected.near),
        *failed_checks(source, workspace, places, None if affected is None else affected.far),
        *lossy_literals(odd, places),
    ]
    return in_order(found)


def _refuse_foreign(out: Path) -> None:
    """Raises DataError when something stands there that is no release, so that nobody's files are removed."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        held = ReleaseDirectory(out).manifest
    except ReleaseError:
        held = {}
    if not {"format", "release"} <= set(held):
        raise DataError("exists and holds no release; name a new or empty folder.", out)


def _free(out: Path) -> Path:
    _refuse_foreign(out)
    discard(ReleaseDirectory(out))
    return out


class _Build:
    """One build: a prepared directory, filled step by step."""

    def __init__(
        self,
        workspace: Workspace,
        prepared: ReleaseDirectory,
        record: Record,
        basis: Basis | None,
        check: Check | None,
        progress: Progress,
    ) -> None:
        self._workspace = workspace
        self._prepared = prepared
        self._record = record
        self._basis = basis
        self._check = check or "changed"
        # What was never checked is no ground to leave out the rest.
        self._trusting = check == "changed" or (basis is not None and basis.checked)
        self._progress = progress
        self._work = prepared.root / "work"
        self._graphs: Graphs | None = None

    def run(self) -> Built:
        """Writes a whole release into the prepared directory."""
        try:
            return self._written()
        except BaseException:
            # Frames outlive an error, and with them whatever they name; the open store must not.
            if self._graphs is not None:
                self._graphs.close()
            raise

    def _written(self) -> Built:
        workspace, prepared = self._workspace, self._prepared
        library = read_library(workspace.root / "queries", workspace.prefixes)
        self._progress("reading the files")
        graphs, odd = self._filled() if self._basis is None else self._brought_up_to_date(self._basis)
        self._progress("applying the rules")
        graphs.put(INFERRED, derive(graphs, workspace))
        affected = None if self._basis is None else affected_by(graphs.change, graphs)
        self._progress("checking")
        findings, checked = self._checked(graphs, library, odd, affected)
        self._progress("indexing")
        counts = self._index(LocalSource(graphs.store, library.prefixes), library, affected)
        _copy_questions(workspace, prepared)
        self._progress("writing the store")
        manifest = _manifest(graphs, prepared, counts, self._unchanged(graphs))
        self._write_store(graphs)
        write_json(prepared.root / "manifest.json", manifest)
        write_json(prepared.root / "build-info.json", self._info(checked))
        taken_over = None if self._basis is None else self._basis.release.id
        return Built(prepared, cast(Mapping[str, int], manifest["counts"]), tuple(findings), checked, taken_over)

    def _open(self) -> Graphs:
        self._graphs = Graphs(Store(str(self._work)))
        return self._graphs

    def _filled(self) -> tuple[Graphs, list[tuple[Quad, object]]]:
        """Returns a new store with everything that the files say."""
        graphs, odd = self._open(), list[tuple[Quad, object]]()

        def read() -> Iterable[list[Quad]]:
            for path in self._workspace.data_files:
                quads = read_file(self._workspace, path)
                odd.extend(lossy(quads))
                yield quads

        graphs.fill(read(), self._prepared.root / "work.nq")
        return graphs, odd

    def _brought_up_to_date(self, basis: Basis) -> tuple[Graphs, list[tuple[Quad, object]]]:
        """Returns the earlier store with what the changed files say in the place of what they said."""
        workspace, changed = self._workspace, [self._workspace.root / name for name in basis.changed]
        quads = {path: read_file(workspace, path) if path.exists() else [] for path in changed}
        basis.lend_store(self._work)
        graphs = self._open()
        for path, held in quads.items():
            for name in map(NamedNode, workspace.graphs_of(path)):
                graphs.put(name, lines_of(quad.triple for quad in held if quad.graph_name == name))
        return graphs, [found for held in quads.values() for found in lossy(held)]

    def _checked(
        self, graphs: Graphs, library: Library, odd: Sequence[tuple[Quad, object]], affected: Affected | None
    ) -> tuple[list[Finding], Check]:
        if self._check == "none":
            return [], "none"
        only = affected if self._check == "changed" and self._trusting else None
        findings = findings_of(graphs, self._workspace, library, odd, only)
        if any(finding.severity == "violation" for finding in findings):
            raise Violations(findings)
        return findings, "all" if only is None else "changed"

    def _index(self, source: LocalSource, library: Library, affected: Affected | None) -> dict[str, int]:
        known_links, known_words = None, None
        if self._basis is not None and affected is not None:
            earlier = self._basis.release
            known_links = links.Earlier(open_links(earlier.links), affected.linked)
            known_words = search.Earlier(earlier.search, affected.described)
        return {
            "links": build_links(source, library, self._prepared.links, known_links),
            "entities": build_search(source, library, self._prepared.search, known_words),
        }

    def _unchanged(self, graphs: Graphs) -> Mapping[str, Mapping[str, str | int]]:
        """Returns what the earlier manifest says of the graphs that are what they were."""
        if self._basis is None:
            return {}
        known = cast(Mapping[str, Mapping[str, str | int]], self._basis.release.manifest["graphs"])
        changed = graphs.change.graphs
        return {name: entry for name, entry in known.items() if name not in changed}

    def _write_store(self, graphs: Graphs) -> None:
        if self._basis is None:
            # Readers of a store that is never written again gain from one that is compact.
            graphs.store.optimize()
        graphs.store.backup(str(self._prepared.store))
        # RocksDB keeps its folder open until the last reference is gone.
        graphs.close()
        gc.collect()
        shutil.rmtree(self._work)

    def _info(self, checked: Check) -> dict[str, object]:
        sound = checked == "all" or (checked == "changed" and self._basis is not None and self._basis.checked)
        return {
            "built": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": self._workspace.commit(),
            "checked": checked,
            "python": platform.python_version(),
            "pyoxigraph": pyoxigraph.__version__,
            "made_of": replace(self._record, checked=sound).as_json(),
        }


def _copy_questions(workspace: Workspace, prepared: ReleaseDirectory) -> None:
    prepared.queries.mkdir()
    for path in workspace.queries:
        shutil.copyfile(path, prepared.queries / path.name)
    shutil.copyfile(workspace.context, prepared.context)


def _manifest(
    graphs: Graphs,
    prepared: ReleaseDirectory,
    counted: Mapping[str, int],
    known: Mapping[str, Mapping[str, str | int]],
) -> dict[str, object]:
    """Returns what the release is; its id is the hash of graphs, questions, context and format."""
    entries = {name.value: known.get(name.value) or entry(graphs.lines(name)) for name in graphs.names()}
    held = {name: entries[name] for name in sorted(entries)}
    questions = {path.name: _file_sha256(path) for path in sorted(prepared.queries.iterdir())}
    context = _file_sha256(prepared.context)
    parts = [
        f"format {FORMAT_VERSION}",
        *(f"graph {name} {entry['sha256']}" for name, entry in held.items()),
        *(f"query {name} {digest}" for name, digest in questions.items()),
        f"context {context}",
    ]
    quads = sum(int(entry["triples"]) for entry in held.values())
    # The store counts the default graph too.
    merged = len(graphs.store) - quads
    counts = {"triples": merged, "quads": quads, "graphs": len(held), "questions": len(questions), **counted}
    return {
        "format": FORMAT_VERSION,
        "release": _sha256(parts),
        "graphs": held,
        "queries": questions,
        "context": context,
        "counts": counts,
    }


def _sha256(lines: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for line in lines:
        whole.update(line.encode() + b"\n")
    return whole.hexdigest()


def _file_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


__all__ = ["Built", "Check", "Violations", "build", "check", "findings_of", "read_all"]
