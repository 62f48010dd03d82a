"""What must hold before files become a release, said in sentences a curator understands.

Three kinds: shapes (SHACL, by pySHACL), checks (`queries/checks/*.rq`, where any row is a
finding), and literals that the store would rewrite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from typing import Literal as OneOf

import pyshacl
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, Triple, serialize
from pyparsing import ParseException
from pyshacl.errors import ReportableRuntimeError
from rdflib import RDF, RDFS, SH, Graph, URIRef
from rdflib import XSD as RDFLIB_XSD
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.plugins.stores.memory import Memory
from rdflib.query import Result
from rdflib.store import Store as RdflibStore
from rdflib.term import Literal as RdflibLiteral
from rdflib.term import Node

from kg.engines.source import Rows, Source
from kg.errors import BadSparql, DataError
from kg.library import Question, read_question
from kg.model import Finding
from kg.names import PEV, RDF_TYPE, XSD, Prefixes
from kg.release.graphs import Graphs
from kg.release.turtle import parse_turtle
from kg.workspace import Workspace

Severity = OneOf["violation", "warning", "info"]
_SEVERITIES: tuple[Severity, ...] = ("violation", "warning", "info")
# Datatypes whose every literal is kept as it is written, so that they need no trial.
_STRING = RDFLIB_XSD.string
_KEPT = frozenset({XSD + "string", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"})


@dataclass(frozen=True)
class Places:
    """Where things are described: the file and the line, for messages."""

    workspace: Workspace
    graphs: Graphs
    _texts: dict[str, str] = field(default_factory=dict)

    def of(self, iri: str) -> tuple[str | None, int | None]:
        """Returns (file, line) of the description of a thing: the line in which it stands as subject."""
        shown = self._file(iri)
        return (None, None) if shown is None else (shown, self._line(shown, iri))

    def _file(self, iri: str) -> str | None:
        """Returns the first file that says what kind of thing it is, else the first that describes it."""
        quads = self.graphs.store.quads_for_pattern(NamedNode(iri), None, None, None)
        found: dict[str, bool] = {}
        for quad in quads:
            shown = self._files.get(getattr(quad.graph_name, "value", ""))
            if shown is not None:
                found[shown] = found.get(shown, False) or quad.predicate.value == RDF_TYPE
        order = list(dict.fromkeys(self._files.values()))
        return min(found, key=lambda shown: (not found[shown], order.index(shown)), default=None)

    @cached_property
    def _files(self) -> dict[str, str]:
        """The file of each graph, in the order in which they are read."""
        workspace = self.workspace
        return {graph: workspace.shown(path) for path in workspace.data_files for graph in workspace.graphs_of(path)}

    def _line(self, shown: str, iri: str) -> int | None:
        text = self._texts.get(shown)
        if text is None:
            text = self._texts[shown] = (self.workspace.root / shown).read_text(encoding="utf-8")
        names = {f"<{iri}>", self.workspace.prefixes.curie(iri)}
        pattern = rf"^[ \t]*(?:{'|'.join(re.escape(name) for name in sorted(names))})(?=[\s;])"
        # Where the thing is classed says more than where a later graph adds to it.
        match = re.search(rf"{pattern}\s+a\s", text, re.MULTILINE) or re.search(pattern, text, re.MULTILINE)
        return text.count("\n", 0, match.start()) + 1 if match else None


def failed_checks(
    source: Source, workspace: Workspace, places: Places, focus: Collection[str] | None = None
) -> list[Finding]:
    """Returns a finding for each row of each query in queries/checks.

    Args:
        focus: ask of these things only.

    Raises:
        DataError: a check has no readable header, does not parse, or its message names no column of it.
    """
    findings: list[Finding] = []
    for path in workspace.checks:
        shown = workspace.shown(path)
        check = read_question(path, shown)
        severity = _severity(check, shown)
        answer = _rows_of(check, source, shown, focus)
        message = _message(check, answer.variables, shown)
        for row in answer.rows:
            cells = {name: _shown(term, workspace.prefixes) for name, term in zip(answer.variables, row, strict=True)}
            # The focus of a rule about words and kinds may be described nowhere; then its example tells where.
            known = (places.of(term.value) for term in row if isinstance(term, NamedNode))
            place = next((place for place in known if place[0]), (None, None))
            findings.append(Finding(severity, path.stem, message.format_map(cells), *place))
    return findings


def _rows_of(check: Question, source: Source, shown: str, focus: Collection[str] | None) -> Rows:
    if focus is not None:
        # A check that makes its ?focus of something else takes no block for it, and is asked of everything.
        with suppress(BadSparql, ValueError):
            return source.select(check.about("focus", sorted(focus)))
    try:
        return source.select(check.text)
    except BadSparql as error:
        raise DataError(str(error), shown, error.line) from error


def _message(check: Question, columns: Sequence[str], shown: str) -> str:
    message = check.fact("message", "{focus}")
    try:
        message.format_map(dict.fromkeys(columns, ""))
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(f"its message fits none of its columns {', '.join(columns)}: {message}", shown) from error
    return message


def _severity(check: Question, shown: str) -> Severity:
    found = check.fact("severity", "violation")
    for severity in _SEVERITIES:
        if found == severity:
            return severity
    raise DataError(f"severity {found!r} is none of {', '.join(_SEVERITIES)}.", shown)


def _shown(term: object, prefixes: Prefixes) -> str:
    if isinstance(term, NamedNode):
        return prefixes.curie(term.value)
    return "" if term is None else str(getattr(term, "value", term))


@dataclass(frozen=True)
class Shapes:
    """The shapes of a workspace, over what its files state: what follows from a fault is no further fault."""

    workspace: Workspace
    graphs: Graphs

    def findings(self, places: Places, focus: Collection[str] | None = None) -> list[Finding]:
        """Returns what the shapes find, on all of their targets or on the given nodes only.

        Raises:
            DataError: the shapes cannot be read or used.
        """
        shown = self.workspace.shown(self.workspace.shapes)
        shapes = rdflib_graph(quad.triple for quad in parse_turtle(self.workspace.shapes, shown))
        if focus is None:
            data = rdflib_graph(self.graphs.stated())
        else:
            data = _Asked(Fetching(self.graphs))
            _narrow(shapes, data, {URIRef(iri) for iri in focus})
        try:
            _, report, _ = pyshacl.validate(
                data, shacl_graph=shapes, advanced=True, inplace=True, allow_warnings=True, allow_infos=True
            )
        except (ReportableRuntimeError, ParseException) as error:
            raise DataError(f"cannot be used: {' '.join(str(error).split())}", shown) from error
        if not isinstance(report, Graph):
            raise DataError(f"cannot be used: {report}", shown)
        results = report.subjects(RDF.type, SH.ValidationResult)
        return [self._finding(report, result, places) for result in results]

    def _finding(self, report: Graph, result: Node, places: Places) -> Finding:
        focus = str(report.value(result, SH.focusNode))
        severity = str(report.value(result, SH.resultSeverity)).rpartition("#")[2].lower()
        message = str(report.value(result, SH.resultMessage))
        value = report.value(result, SH.value)
        prefixes = self.workspace.prefixes
        said = f"{prefixes.curie(focus)} {message}"
        if value is not None and str(value) != focus:
            shown = prefixes.curie(str(value)) if isinstance(value, URIRef) else repr(str(value))
            said += f" (found {shown})"
        known = next((s for s in _SEVERITIES if s == severity), _SEVERITIES[0])
        return Finding(known, "shapes", said, *places.of(focus))


def _narrow(shapes: Graph, data: Graph, focus: set[URIRef]) -> None:
    """Aims the shapes at those of their targets that are in focus (SHACL, section 2.1.3).

    pySHACL's own `focus_nodes` would also hide the values that a shape within a shape looks at.
    """
    classes = {node: _classes(data, node) for node in focus}
    hits: Mapping[Node, Callable[[URIRef, Node], bool]] = {
        SH.targetNode: lambda node, aim: node == aim,
        SH.targetClass: lambda node, aim: aim in classes[node],
        SH.targetSubjectsOf: lambda node, aim: (node, aim, None) in data,
        SH.targetObjectsOf: lambda node, aim: (None, aim, node) in data,
    }
    for kind, is_hit in hits.items():
        for shape, aim in list(shapes.subject_objects(kind)):
            shapes.remove((shape, kind, aim))
            for node in focus:
                if is_hit(node, aim):
                    shapes.add((shape, SH.targetNode, node))


def _classes(data: Graph, node: Node) -> set[Node]:
    direct = data.objects(node, RDF.type)
    above = (data.transitive_objects(kind, RDFS.subClassOf) for kind in direct)
    return {kind for kinds in above for kind in kinds if kind is not None}


def rdflib_graph(triples: Iterable[Triple]) -> Graph:
    """Returns triples as a graph of rdflib."""
    lines = serialize(triples, format=RdfFormat.N_TRIPLES)
    assert lines is not None
    return _Asked().parse(data=lines, format="nt")


class _Asked(Graph):
    """A graph that parses a query once: pySHACL asks the same one of every focus node, and parsing costs most."""

    def __init__(self, store: RdflibStore | str = "default") -> None:
        super().__init__(store)
        self._prepared: dict[str, Query] = {}

    def query(self, query_object: str | Query, *arguments: Any, **named: Any) -> Result:
        if isinstance(query_object, str):
            if query_object not in self._prepared:
                self._prepared[query_object] = prepareQuery(query_object, initNs=dict(self.namespaces()))
            query_object = self._prepared[query_object]
        return super().query(query_object, *arguments, **named)


class Fetching(Memory):
    """What is stated, for rdflib: fetched from the store under work as it is asked for, and once.

    Looking at a few nodes then costs what stands around them, not a copy of everything.
    """

    def __init__(self, graphs: Graphs) -> None:
        super().__init__()
        self._graphs = graphs
        self._fetched: set[_Pattern] = set()

    def triples(self, triple_pattern: Any, context: Any = None) -> Any:  # noqa: ARG002  # as its parent
        self._fetch(*triple_pattern)
        # There is one graph here, whatever context is asked for.
        return super().triples(triple_pattern, None)

    def _fetch(self, subject: Node | None, link: Node | None, value: Node | None) -> None:
        # The widest of what a pattern needs is fetched, so that the next pattern finds it there.
        pattern: _Pattern = (subject, None, None) if subject else (None, None, value) if value else (None, link, None)
        if pattern in self._fetched or not all(isinstance(term, URIRef | RdflibLiteral | None) for term in pattern):
            return
        self._fetched.add(pattern)
        for triple in self._graphs.stated(*map(_to_engine, pattern)):
            super().add(tuple(map(_to_rdflib, triple)), None)  # type: ignore[arg-type]  # rdflib allows no context here


_Pattern = tuple[Node | None, Node | None, Node | None]


def _to_engine(term: Node | None) -> Any:
    if isinstance(term, RdflibLiteral):
        return Literal(str(term), language=term.language, datatype=_to_engine(term.datatype))
    return None if term is None else NamedNode(str(term))


def _to_rdflib(term: object) -> Node:
    if isinstance(term, Literal):
        datatype = None if term.language else URIRef(term.datatype.value)
        # A plain string has no datatype written, as when it is read from a file.
        kept = None if datatype == _STRING else datatype
        return RdflibLiteral(term.value, lang=term.language, datatype=kept)
    assert isinstance(term, NamedNode)
    return URIRef(term.value)


def lossy(quads: Iterable[Quad]) -> list[tuple[Quad, object]]:
    """Returns each quad whose literal the store would give back in another form, with that form.

    The trial is made with the store itself, so the list of such forms is always the true one.
    """
    node, kept = NamedNode(PEV + "trial"), dict[Literal, object]()
    found, trial = [], Store()
    for quad in quads:
        literal = quad.object
        if not isinstance(literal, Literal) or literal.datatype.value in _KEPT:
            continue
        if literal not in kept:
            trial.clear()
            trial.add(Quad(node, node, literal))
            kept[literal] = next(iter(trial)).object
        if kept[literal] != literal:
            found.append((quad, kept[literal]))
    return found


def lossy_literals(found: Iterable[tuple[Quad, object]], places: Places) -> list[Finding]:
    """Returns a warning for each literal that the store gives back in another form."""
    return [_lossy(quad, stored, places) for quad, stored in found]


def _lossy(quad: Quad, stored: object, places: Places) -> Finding:
    subject = quad.subject
    assert isinstance(subject, NamedNode | BlankNode)
    prefixes = places.workspace.prefixes
    message = (
        f"{prefixes.curie(subject.value)} {prefixes.curie(quad.predicate.value)} {quad.object} "
        f"would be stored as {stored}; write that form."
    )
    return Finding("warning", "lossy-literal", message, *places.of(subject.value))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Returns the findings without doubles: the grave ones first, then by file, line and words."""
    key = {severity: place for place, severity in enumerate(_SEVERITIES)}
    return sorted(set(findings), key=lambda f: (key[f.severity], f.path or "", f.line or 0, f.message, f.rule))


def check_paths(workspace: Workspace) -> list[Path]:
    """Returns the files that say what is checked."""
    return [workspace.shapes, *workspace.checks]
