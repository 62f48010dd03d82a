"""The process that tries a write: it makes the new file in a shadow of the workspace, checks and builds.

It changes nothing that anybody reads, so it may be killed at any moment, and the service goes on
answering meanwhile. What costs most at its start, loading the checks, is done before it is told
what to try: a service keeps one ready.

On standard input goes one line of JSON, {workspace, settings, change}; on standard output comes
one back: {shadow}, with null for a graph that is not there to be dropped, or {error, message, findings}.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyoxigraph import BlankNode, NamedNode, Quad, Triple

from kg.engines.writing import sent_triples
from kg.errors import BrokenRules, KgError, OutOfDate, SourceError
from kg.model import Finding
from kg.names import Prefixes
from kg.release.build import Violations, build
from kg.release.directory import current_release
from kg.release.editing import STAGING_ERRORS, Change, Entry, Journal, Shadow, digest_of, new_shadow, place_of
from kg.release.graphs import entry, lines_of
from kg.release.reading import read_file
from kg.release.turtle import write_trig, write_turtle
from kg.workspace import Settings, Workspace

_METHODS = {"put": "PUT", "post": "POST", "drop": "DELETE"}
# How many blank nodes a refusal names.
_EXAMPLES = 10


def stage(workspace: Workspace, settings: Settings, change: Change) -> Shadow | None:
    """Returns the shadow in which a change was made, checked and built; None when there is nothing to drop.

    Raises:
        BadParameter: what was sent does not parse.
        Conflict, Forbidden: the graph is not written.
        OutOfDate: the graph is not, or no longer, what the change was made for.
        BrokenRules: with the change a rule would not hold, or the triples cannot be written to a file.
        DataError: a file of the workspace is wrong.
        SourceError: the disk failed.
    """
    path, graph = place_of(workspace, change.graph), NamedNode(change.graph)
    digest = digest_of(path)
    held = [] if digest is None else read_file(workspace, path)
    before = {quad.triple for quad in held if quad.graph_name == graph}
    if change.kind == "drop" and not before:
        return None
    _refuse_stale(change, str(entry(lines_of(before))["sha256"]) if before else None)
    sent = set(_sent(change))
    after = sent | before if change.kind == "post" else sent
    if not after and change.kind != "drop":
        raise BrokenRules("The graph would be empty, which a file cannot say; send triples, or DELETE it.")
    others = [quad for quad in held if quad.graph_name != graph]
    entry_of_write = _entry(workspace, settings, change, (len(after - before), len(before - after)))
    return _staged(workspace, settings, path, [*others, *_placed(after, graph)], entry_of_write, digest, bool(before))


def stage_file(workspace: Workspace, settings: Settings, path: Path, quads: Sequence[Quad], who: str) -> Shadow:
    """Returns the shadow in which all of a text's graphs were put in place of those before, checked and built.

    Args:
        workspace: where the file belongs; its lock is held.
        settings: those in force.
        path: the file in graph/sources.
        quads: what it is to hold; none for no file.
        who: who writes.

    Raises:
        BrokenRules: with the change a rule would not hold.
        DataError: a file of the workspace is wrong.
        SourceError: the disk failed.
    """
    digest = digest_of(path)
    before = set() if digest is None else set(read_file(workspace, path))
    after = set(quads)
    change = Change(workspace.graphs_of(path)[0], "put" if after else "drop", who=who)
    entry_of_write = _entry(workspace, settings, change, (len(after - before), len(before - after)))
    return _staged(workspace, settings, path, quads, entry_of_write, digest, bool(before))


def _staged(
    workspace: Workspace,
    settings: Settings,
    path: Path,
    quads: Sequence[Quad],
    entry_of_write: Entry,
    digest: str | None,
    existed: bool,
) -> Shadow:
    shadow = new_shadow(workspace, workspace.releases(settings))
    try:
        target = shadow.root / workspace.shown(path)
        write_file(target, quads, workspace.prefixes)
        fingerprint = Workspace(shadow.root).fingerprint()
        journal = Journal(workspace.shown(path), digest, digest_of(target), fingerprint, existed, entry_of_write)
        shadow.plan(replace(journal, entry=replace(journal.entry, release_after=_built(shadow, workspace, settings))))
    except BaseException:
        shadow.discard()
        raise
    return shadow


def _built(shadow: Shadow, workspace: Workspace, settings: Settings) -> str:
    """Returns the id of the release of a shadow, which then stands among the releases, not yet current."""
    beside = replace(settings, releases=str(workspace.releases(settings)))
    try:
        return build(Workspace(shadow.root), beside, check="changed", publish=False).directory.id
    except Violations as error:
        found = [finding for finding in error.findings if finding.severity == "violation"]
        raise BrokenRules(f"{len(found)} violation{'s' * (len(found) != 1)}; nothing was changed.", found) from error


def _entry(workspace: Workspace, settings: Settings, change: Change, counts: tuple[int, int]) -> Entry:
    current = current_release(workspace.releases(settings))
    return Entry(
        uuid.uuid4().hex,
        datetime.now(UTC).isoformat(timespec="milliseconds"),
        change.who,
        change.graph,
        _METHODS[change.kind],
        *counts,
        None if current is None else current.id,
        "",
    )


def _placed(triples: Iterable[Triple], graph: NamedNode) -> list[Quad]:
    return [Quad(triple.subject, triple.predicate, triple.object, graph) for triple in triples]


def write_file(path: Path, quads: Sequence[Quad], prefixes: Prefixes) -> None:
    """Writes a data file of a shadow, or leaves it out when nothing is to stand in it."""
    # What stands there is a link to the file that people read.
    path.unlink(missing_ok=True)
    if quads:
        write = write_trig if path.suffix == ".trig" else write_turtle
        path.write_bytes(write(quads, prefixes).encode())


def _refuse_stale(change: Change, tag: str | None) -> None:
    """Raises OutOfDate when a condition of the change does not hold (RFC 9110, section 13.1)."""
    if change.only_if is not None and (tag is None or not {"*", tag} & set(change.only_if)):
        now = "there is no such graph" if tag is None else "the graph has changed since; get it again"
        raise OutOfDate(f"If-Match: {now}. Nothing was changed.")
    if change.unless is not None and tag is not None and {"*", tag} & set(change.unless):
        raise OutOfDate("If-None-Match: the graph is there already. Nothing was changed.")


def _sent(change: Change) -> list[Triple]:
    """Returns what was sent, if all of it can be kept in a file under names that stay."""
    try:
        triples = sent_triples(change.files, change.graph)
    except OSError as error:
        raise SourceError(f"The body cannot be read: {error.strerror}; nothing was changed.") from error
    findings = []
    for triple in triples:
        if any(isinstance(term, BlankNode) for term in (triple.subject, triple.object)):
            findings.append(Finding("violation", "blank-node", f"{triple} has a blank node; give it an IRI."))
        elif isinstance(triple.object, Triple):
            findings.append(Finding("violation", "triple-term", f"{triple} speaks of a triple."))
    if findings:
        raise BrokenRules(
            f"{len(findings)} triples have a term that is not kept; nothing was changed.", findings[:_EXAMPLES]
        )
    return triples


# The process


def main() -> None:
    """Tries the one write that standard input tells, and answers on standard output."""
    # Ctrl-C in a terminal reaches the whole group; the service decides when this ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # Indexing would load it later, when somebody waits.
    importlib.import_module("polars")
    # What a library prints must not come between.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    line = sys.stdin.readline()
    if line:
        with answers:
            json.dump(_answered(json.loads(line)), answers)


def _answered(request: Mapping[str, Any]) -> dict[str, object]:
    workspace, settings = Workspace(Path(request["workspace"])), Settings(**request["settings"])
    try:
        shadow = stage(workspace, settings, _change(request["change"]))
    except KgError as error:
        name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in STAGING_ERRORS)
        findings = [asdict(finding) for finding in getattr(error, "findings", ())]
        return {"error": name, "message": str(error), "findings": findings}
    return {"shadow": None if shadow is None else str(shadow.root)}


def _change(told: Mapping[str, Any]) -> Change:
    files = tuple((media_type, path) for media_type, path in told["files"])
    tags = {name: None if told[name] is None else tuple(told[name]) for name in ("only_if", "unless")}
    return Change(**{**told, "files": files, **tags})


if __name__ == "__main__":
    main()
