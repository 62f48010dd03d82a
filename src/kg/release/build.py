"""Files become a release: parse, check, apply the rules, index, publish.

Everything is prepared beside the releases and put in place in one step, so that a build that is
killed, or that finds a violation, leaves what was there before.
"""

from __future__ import annotations

import gc
import hashlib
import platform
import shutil
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal as OneOf

import pyoxigraph
from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    Store,
)

from kg.engines.local import LocalSource
from kg.errors import BadSparql, DataError, ReleaseError
from kg.library import Library, read_library
from kg.model import Finding
from kg.names import CODE, DCTERMS, GENID, GRAPH, INFERRED_GRAPH, PROV, RDF_TYPE, Prefixes
from kg.release.checks import Places, Shapes, failed_checks, in_order, lossy_literals, places_of
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
from kg.release.links import build_links
from kg.release.search import build_search
from kg.release.turtle import parse_turtle
from kg.workspace import Settings, Workspace, read_utf8

Check = OneOf["all", "changed", "none"]
Progress = Callable[[str], None]
Parsed = Mapping[str, Sequence[Quad]]


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
    """A release that stands, and what the checks found on the way."""

    directory: ReleaseDirectory
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]


def build(
    workspace: Workspace,
    settings: Settings,
    out: Path | None = None,
    check: Check = "all",
    progress: Progress = _silent,
    publish: bool = True,
) -> Built:
    """Returns the release of a workspace, built, checked and put in place.

    Args:
        out: a folder that itself becomes the release; by default it joins the workspace's
            releases and becomes the current one.
        check: all rules, those that touch what changed since the current release, or none.
        progress: is told each step as it begins.
        publish: False leaves the current release what it is; the new one stands beside it.

    Raises:
        DataError: a file cannot be read (path and line), or `out` holds something else.
        Violations: a rule does not hold.
        ReleaseError: the release cannot be written.
    """
    if out is not None:
        _refuse_foreign(out)
    fingerprint = workspace.fingerprint()
    releases = workspace.releases(settings) if out is None else out.absolute().parent
    previous = current_release(releases) if out is None else None
    progress("reading the files")
    parsed = parse_files(workspace)
    prepared = new_directory(releases)
    try:
        built = _prepare(workspace, parsed, prepared, check, previous, progress)
        progress("putting the release in place")
        target = releases / built.directory.id if out is None else _free(out)
        final = adopt(prepared, target)
    except BaseException as error:
        _let_go(error)
        discard(prepared)
        raise
    if out is None and publish:
        make_current(releases, final, fingerprint)
        tidy(releases, settings.keep_releases)
    return Built(final, built.counts, built.findings)


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
    parsed = parse_files(workspace)
    library = read_library(workspace.root / "queries", workspace.prefixes)
    store = Store()
    _load(store, (quad for quads in parsed.values() for quad in quads))
    return _findings(store, workspace, library, parsed, focus=None)


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


def parse_files(workspace: Workspace) -> dict[str, list[Quad]]:
    """Returns the quads of each data file, by the file's name as it is shown.

    Raises:
        DataError: a file does not parse, or writes into a graph that is not its own.
    """
    return {workspace.shown(path): _parse_file(workspace, path) for path in workspace.data_files}


def _parse_file(workspace: Workspace, path: Path) -> list[Quad]:
    shown = workspace.shown(path)
    quads = parse_turtle(path, shown)
    if path.suffix == ".trig":
        _own_graphs_only(quads, path.stem, shown)
    else:
        graph = NamedNode(workspace.graph_of(path))
        quads = [Quad(q.subject, q.predicate, q.object, graph) for q in quads]
    return skolemised(quads, path.stem)


def _own_graphs_only(quads: Iterable[Quad], slug: str, shown: str) -> None:
    own = {NamedNode(f"{GRAPH}source-{slug}"), NamedNode(f"{GRAPH}curated-{slug}")}
    for quad in quads:
        if quad.graph_name not in own:
            found = "outside of a named graph" if isinstance(quad.graph_name, DefaultGraph) else str(quad.graph_name)
            raise DataError(
                f"holds triples {found}; a text's file writes graph:source-{slug} and graph:curated-{slug} only.", shown
            )


def skolemised(quads: Sequence[Quad], slug: str) -> list[Quad]:
    """Returns the quads with an IRI for every blank node: the same one whenever the file is the same.

    Source: RDF 1.1 Concepts, section 3.5; the numbers come from RDF Dataset Canonicalization 1.0.
    """
    if not any(isinstance(term, BlankNode) for quad in quads for term in (quad.subject, quad.object)):
        return list(quads)
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)

    def named(term: object) -> object:
        return NamedNode(f"{GENID}{slug}/{term.value}") if isinstance(term, BlankNode) else term

    return [Quad(named(q.subject), q.predicate, named(q.object), q.graph_name) for q in dataset]  # type: ignore[arg-type]  # named() keeps each position's kind


def _load(store: Store, quads: Iterable[Quad]) -> None:
    """Adds quads to their graphs, and each triple once to the merged default graph."""
    everything = set(quads)
    store.bulk_extend(everything)
    store.bulk_extend({Quad(*quad.triple) for quad in everything})


def _findings(
    store: Store, workspace: Workspace, library: Library, parsed: Parsed, focus: Sequence[str] | None
) -> list[Finding]:
    places = places_of(workspace, parsed)
    source = LocalSource(store, library.prefixes)
    shapes = Shapes(workspace, list(store.quads_for_pattern(None, None, None, DefaultGraph())))
    found = [
        *shapes.findings(places, focus),
        *failed_checks(source, workspace, places),
        *lossy_literals(parsed, places),
    ]
    return in_order(found)


def _prepare(
    workspace: Workspace,
    parsed: Parsed,
    prepared: ReleaseDirectory,
    check: Check,
    previous: ReleaseDirectory | None,
    progress: Progress,
) -> Built:
    """Writes a whole release into a prepared directory."""
    library = read_library(workspace.root / "queries", workspace.prefixes)
    work = prepared.root / "work"
    store = Store(str(work))
    _load(store, (quad for quads in parsed.values() for quad in quads))
    progress("checking")
    findings = _checked(store, workspace, library, parsed, check, previous)
    if any(finding.severity == "violation" for finding in findings):
        raise Violations(findings)
    progress("applying the rules")
    apply_rules(store, workspace)
    progress("indexing")
    source = LocalSource(store, library.prefixes)
    links = build_links(source, library, prepared.links)
    entities = build_search(source, library, prepared.search)
    _copy_questions(workspace, prepared)
    progress("writing the store")
    manifest = _manifest(store, prepared, {"links": links, "entities": entities})
    # Readers of a store that is never written again gain from one that is compact.
    store.optimize()
    store.backup(str(prepared.store))
    # RocksDB keeps its folder open until the last reference is gone.
    source.close()
    del store
    gc.collect()
    shutil.rmtree(work)
    write_json(prepared.root / "manifest.json", manifest)
    write_json(prepared.root / "build-info.json", _build_info(workspace, check))
    return Built(prepared, manifest["counts"], tuple(findings))  # type: ignore[arg-type]  # made just above


def _checked(
    store: Store,
    workspace: Workspace,
    library: Library,
    parsed: Parsed,
    check: Check,
    previous: ReleaseDirectory | None,
) -> list[Finding]:
    if check == "none":
        return []
    focus = None if check == "all" or previous is None else _changed_nodes(store, previous)
    return _findings(store, workspace, library, parsed, focus)


def _changed_nodes(store: Store, previous: ReleaseDirectory) -> list[str] | None:
    """Returns what the graphs that differ from a release describe or described, and what points at it.

    None when the release cannot be read: then everything may have changed.
    """
    try:
        before = Store.read_only(str(previous.store))
    except OSError:
        return None
    focus: set[str] = set()
    for graph in ({*store.named_graphs(), *before.named_graphs()}) - {NamedNode(INFERRED_GRAPH)}:
        now, then = (set(s.quads_for_pattern(None, None, None, graph)) for s in (store, before))
        if now != then:
            focus.update(str(getattr(quad.subject, "value", "")) for quad in now | then)
    for iri in sorted(focus):
        pointing = store.quads_for_pattern(None, None, NamedNode(iri), DefaultGraph())
        focus.update(str(getattr(quad.subject, "value", "")) for quad in pointing)
    return sorted(focus)


def apply_rules(store: Store, workspace: Workspace) -> int:
    """Adds what the rules derive, each over all that stands so far, and returns how much is new.

    Raises:
        DataError: a rule does not parse, or is no CONSTRUCT.
    """
    inferred, default = NamedNode(INFERRED_GRAPH), DefaultGraph()
    source, derived = LocalSource(store, workspace.prefixes), 0
    for path in workspace.rules:
        shown = workspace.shown(path)
        try:
            found = source.construct(read_utf8(path, shown))
        except BadSparql as error:
            raise DataError(str(error), shown, error.line) from error
        new = {t for t in found if Quad(t.subject, t.predicate, t.object, default) not in store}
        store.extend(Quad(t.subject, t.predicate, t.object, g) for t in new for g in (inferred, default))
        derived += len(new)
    _describe_inferred(store, inferred)
    return derived


def _describe_inferred(store: Store, graph: NamedNode) -> None:
    facts = (
        (RDF_TYPE, NamedNode(PROV + "Entity")),
        (DCTERMS + "type", NamedNode(CODE + "inferred-graph")),
        (DCTERMS + "title", Literal("What follows by rule", language="en")),
    )
    for predicate, value in facts:
        for name in (graph, DefaultGraph()):
            store.add(Quad(graph, NamedNode(predicate), value, name))


def _copy_questions(workspace: Workspace, prepared: ReleaseDirectory) -> None:
    prepared.queries.mkdir()
    for path in workspace.queries:
        shutil.copyfile(path, prepared.queries / path.name)
    shutil.copyfile(workspace.context, prepared.context)


def _manifest(store: Store, prepared: ReleaseDirectory, counted: Mapping[str, int]) -> dict[str, object]:
    """Returns what the release is; its id is the hash of graphs, questions, context and format."""
    graphs: dict[str, dict[str, str | int]] = {}
    for name in sorted(str(getattr(graph, "value", "")) for graph in store.named_graphs()):
        lines = _lines(store, NamedNode(name))
        graphs[name] = {"triples": len(lines), "sha256": _sha256(lines)}
    questions = {path.name: _file_sha256(path) for path in sorted(prepared.queries.iterdir())}
    context = _file_sha256(prepared.context)
    parts = [
        f"format {FORMAT_VERSION}",
        *(f"graph {name} {entry['sha256']}" for name, entry in graphs.items()),
        *(f"query {name} {digest}" for name, digest in questions.items()),
        f"context {context}",
    ]
    merged = sum(1 for _ in store.quads_for_pattern(None, None, None, DefaultGraph()))
    quads = sum(int(entry["triples"]) for entry in graphs.values())
    counts = {"triples": merged, "quads": quads, "graphs": len(graphs), "questions": len(questions), **counted}
    return {
        "format": FORMAT_VERSION,
        "release": _sha256(parts),
        "graphs": graphs,
        "queries": questions,
        "context": context,
        "counts": counts,
    }


def _lines(store: Store, graph: NamedNode | BlankNode) -> list[str]:
    return sorted(str(quad.triple) for quad in store.quads_for_pattern(None, None, None, graph))


def _sha256(lines: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for line in lines:
        whole.update(line.encode() + b"\n")
    return whole.hexdigest()


def _file_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _build_info(workspace: Workspace, check: Check) -> dict[str, object]:
    return {
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": workspace.commit(),
        "checked": check,
        "python": platform.python_version(),
        "pyoxigraph": pyoxigraph.__version__,
    }


__all__ = ["Built", "Check", "Places", "Prefixes", "Violations", "apply_rules", "build", "check", "parse_files"]
