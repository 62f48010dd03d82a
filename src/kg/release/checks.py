"""What must hold before files become a release, said in sentences a curator understands.

Three kinds: shapes (SHACL, by pySHACL), checks (`queries/checks/*.rq`, where any row is a
finding), and literals that the store would rewrite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from typing import Literal as OneOf

import pyshacl
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, serialize
from pyparsing import ParseException
from pyshacl.errors import ReportableRuntimeError
from rdflib import RDF, RDFS, SH, Graph, URIRef
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result
from rdflib.term import Node

from kg.engines.source import Source
from kg.errors import BadSparql, DataError
from kg.library import Question, read_question
from kg.model import Finding
from kg.names import PEV, RDF_TYPE, XSD, Prefixes
from kg.release.turtle import parse_turtle
from kg.workspace import Workspace

Severity = OneOf["violation", "warning", "info"]
_SEVERITIES: tuple[Severity, ...] = ("violation", "warning", "info")
# Datatypes whose every literal is kept as it is written, so that they need no trial.
_KEPT = frozenset({XSD + "string", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"})


@dataclass(frozen=True)
class Places:
    """Where things are described: the file and the line, for messages.

    `files` gives for the IRI of a subject the files (as shown) that describe it.
    """

    workspace: Workspace
    files: Mapping[str, Sequence[str]]
    texts: dict[str, str] = field(default_factory=dict)

    def of(self, iri: str) -> tuple[str | None, int | None]:
        """Returns (file, line) of the description of a thing; the line in which it stands as subject."""
        shown = next(iter(self.files.get(iri, ())), None)
        return (None, None) if shown is None else (shown, self._line(shown, iri))

    def _line(self, shown: str, iri: str) -> int | None:
        text = self.texts.get(shown)
        if text is None:
            text = self.texts[shown] = (self.workspace.root / shown).read_text(encoding="utf-8")
        names = {f"<{iri}>", self.workspace.prefixes.curie(iri)}
        pattern = rf"^[ \t]*(?:{'|'.join(re.escape(name) for name in sorted(names))})(?=[\s;])"
        # Where the thing is classed says more than where a later graph adds to it.
        match = re.search(rf"{pattern}\s+a\s", text, re.MULTILINE) or re.search(pattern, text, re.MULTILINE)
        return text.count("\n", 0, match.start()) + 1 if match else None


def places_of(workspace: Workspace, parsed: Mapping[str, Iterable[Quad]]) -> Places:
    """Returns where each subject is described: first the file that also says what it is."""
    files: dict[str, list[str]] = {}
    for shown, quads in parsed.items():
        here: dict[str, bool] = {}
        for quad in quads:
            if isinstance(quad.subject, NamedNode):
                iri = quad.subject.value
                here[iri] = here.get(iri, False) or quad.predicate.value == RDF_TYPE
        for iri, typed in here.items():
            known = files.setdefault(iri, [])
            known.insert(0, shown) if typed else known.append(shown)
    return Places(workspace, files)


def failed_checks(source: Source, workspace: Workspace, places: Places) -> list[Finding]:
    """Returns a finding for each row of each query in queries/checks.

    Raises:
        DataError: a check has no readable header, does not parse, or its message names no column of it.
    """
    findings: list[Finding] = []
    for path in workspace.checks:
        shown = workspace.shown(path)
        check = read_question(path, shown)
        severity = _severity(check, shown)
        try:
            answer = source.select(check.text)
        except BadSparql as error:
            raise DataError(str(error), shown, error.line) from error
        message = _message(check, answer.variables, shown)
        for row in answer.rows:
            cells = {name: _shown(term, workspace.prefixes) for name, term in zip(answer.variables, row, strict=True)}
            # The focus of a rule about words and kinds may be described nowhere; then its example tells where.
            known = (places.of(term.value) for term in row if isinstance(term, NamedNode))
            place = next((place for place in known if place[0]), (None, None))
            findings.append(Finding(severity, path.stem, message.format_map(cells), *place))
    return findings


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
    """The shapes of a workspace over merged data."""

    workspace: Workspace
    triples: Iterable[Quad]

    @cached_property
    def _data(self) -> Graph:
        return _rdflib_graph(self.triples)

    def findings(self, places: Places, focus: Sequence[str] | None = None) -> list[Finding]:
        """Returns what the shapes find, on all of their targets or on the given nodes only.

        Raises:
            DataError: the shapes cannot be read or used.
        """
        shown = self.workspace.shown(self.workspace.shapes)
        shapes = _rdflib_graph(parse_turtle(self.workspace.shapes, shown))
        if focus is not None:
            self._narrow(shapes, {URIRef(iri) for iri in focus})
        try:
            _, report, _ = pyshacl.validate(
                self._data,
                shacl_graph=shapes,
                ont_graph=Graph().parse(self.workspace.ontology),
                advanced=True,
                inplace=True,
                allow_warnings=True,
                allow_infos=True,
            )
        except (ReportableRuntimeError, ParseException) as error:
            raise DataError(f"cannot be used: {' '.join(str(error).split())}", shown) from error
        if not isinstance(report, Graph):
            raise DataError(f"cannot be used: {report}", shown)
        results = report.subjects(RDF.type, SH.ValidationResult)
        return [self._finding(report, result, places) for result in results]

    def _narrow(self, shapes: Graph, focus: set[Node]) -> None:
        """Aims the shapes at those of their targets that are in focus.

        pySHACL's own `focus_nodes` would also hide the values that a shape within a shape looks at.
        """
        for kind, nodes in self._targets.items():
            for shape, aim in list(shapes.subject_objects(kind)):
                shapes.remove((shape, kind, aim))
                for node in nodes(aim) & focus:
                    shapes.add((shape, SH.targetNode, node))

    @property
    def _targets(self) -> Mapping[Node, Callable[[Node], set[Node]]]:
        """The four ways to aim a shape (SHACL, section 2.1.3), and what each hits."""
        data = self._data
        return {
            SH.targetNode: lambda node: {node},
            SH.targetClass: lambda kind: {
                node for k in data.transitive_subjects(RDFS.subClassOf, kind) for node in data.subjects(RDF.type, k)
            },
            SH.targetSubjectsOf: lambda link: set(data.subjects(link)),
            SH.targetObjectsOf: lambda link: set(data.objects(None, link)),
        }

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


def _rdflib_graph(quads: Iterable[Quad]) -> Graph:
    triples = serialize((quad.triple for quad in quads), format=RdfFormat.N_TRIPLES)
    assert triples is not None
    return _Asked().parse(data=triples, format="nt")


class _Asked(Graph):
    """A graph that parses a query once: pySHACL asks the same one of every focus node, and parsing costs most."""

    def __init__(self) -> None:
        super().__init__()
        self._prepared: dict[str, Query] = {}

    def query(self, query_object: str | Query, *arguments: Any, **named: Any) -> Result:
        if isinstance(query_object, str):
            if query_object not in self._prepared:
                self._prepared[query_object] = prepareQuery(query_object, initNs=dict(self.namespaces()))
            query_object = self._prepared[query_object]
        return super().query(query_object, *arguments, **named)


def lossy_literals(parsed: Mapping[str, Iterable[Quad]], places: Places) -> list[Finding]:
    """Returns a warning for each literal that the store would give back in another form.

    The trial is made with the store itself, so the list of such forms is always the true one.
    """
    trial, findings, kept = Store(), [], {}
    node = NamedNode(PEV + "trial")
    for quads in parsed.values():
        for quad in quads:
            literal = quad.object
            if not isinstance(literal, Literal) or literal.datatype.value in _KEPT:
                continue
            if literal not in kept:
                trial.clear()
                trial.add(Quad(node, node, literal))
                kept[literal] = next(iter(trial)).object
            if kept[literal] != literal:
                findings.append(_lossy(quad, kept[literal], places))
    return findings


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
