"""What follows by rule: the CONSTRUCT queries of ontology/rules, over all that is stated."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from pyoxigraph import DefaultGraph, Literal, NamedNode, QueryTriples, RdfFormat, Store, Triple, serialize
from rdflib import URIRef
from rdflib.paths import AlternativePath, InvPath, MulPath, SequencePath
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.parserutils import CompValue

from kg.engines.local import LocalSource
from kg.engines.source import Request
from kg.errors import BadSparql, DataError, NotAcceptable
from kg.names import CODE, DCTERMS, PROV, RDF_TYPE, Prefixes
from kg.release.graphs import INFERRED, Graphs, Lines, lines_of, triples_of
from kg.workspace import Workspace, read_utf8

# The description of the graph of what is derived.
_FACTS = (
    (RDF_TYPE, NamedNode(PROV + "Entity")),
    (DCTERMS + "type", NamedNode(CODE + "inferred-graph")),
    (DCTERMS + "title", Literal("What follows by rule", language="en")),
)
_TYPED = b'"^^<'
_AT_ONCE = 2


def derive(graphs: Graphs, workspace: Workspace) -> Lines:
    """Returns what `graph:inferred` is to hold: what each rule derives of what is stated and derived so far.

    The graph describes itself, as the others do.

    Raises:
        DataError: a rule does not parse, or is no CONSTRUCT.
    """
    store, known = _stated(graphs, workspace)
    source, derived = LocalSource(store, workspace.prefixes), set[bytes]()
    for path in workspace.rules:
        shown = workspace.shown(path)
        rule = read_utf8(path, shown)
        try:
            found = source.reply(Request(rule), "application/n-triples").splitlines()
        except BadSparql as error:
            raise DataError(str(error), shown, error.line) from error
        except NotAcceptable as error:
            raise DataError("a CONSTRUCT query was expected here.", shown) from error
        new = _kept(found) - known
        store.bulk_load(input=b"\n".join(new), format=RdfFormat.N_TRIPLES)
        known |= new
        derived |= new
    return derived | lines_of(Triple(INFERRED, NamedNode(predicate), value) for predicate, value in _FACTS)


def _kept(lines: Iterable[bytes]) -> set[bytes]:
    """Returns lines as the store would write them; only those with a typed literal may be written otherwise."""
    held = set(lines)
    typed = {line for line in held if _TYPED in line}
    return (held - typed) | lines_of(triples_of(typed))


def _stated(graphs: Graphs, workspace: Workspace) -> tuple[Store, set[bytes]]:
    """Returns, in memory, what is stated of what rules speak of; and its default graph as lines.

    Rules walk far; over a store on disk that takes several times as long as copying it. Copied as
    text, outside of Python, two parts at a time: half the time of triples one by one.
    """
    store, parts, derived = Store(), _parts(workspace), graphs.lines(INFERRED)
    if parts is None:
        store.bulk_extend(quad for quad in graphs.store if quad.graph_name not in (DefaultGraph(), INFERRED))
        known = set(graphs.merged() - derived)
    else:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(partial(_part_lines, graphs.store), parts))
        known = {line for lines in found for line in lines} - derived
    store.bulk_load(input=b"\n".join(known), format=RdfFormat.N_TRIPLES)
    return store, known


def _part_lines(store: Store, part: _Part) -> list[bytes]:
    found = f"?subject <{part.property}> {part.value or '?value'}"
    content = io.BytesIO()
    serialize(cast(QueryTriples, store.query(f"CONSTRUCT WHERE {{ {found} }}")), content, format=RdfFormat.N_TRIPLES)
    return content.getvalue().splitlines()


@dataclass(frozen=True, order=True)
class _Part:
    """The triples with a property, or with that and one value (as SPARQL writes it)."""

    property: str
    value: str | None = None


def _parts(workspace: Workspace) -> list[_Part] | None:
    """Returns what the rules look at; None when it may be anything."""
    found: set[_Part] = set()
    for path in workspace.rules:
        parts = parts_of(read_utf8(path, workspace.shown(path)), workspace.prefixes)
        if parts is None:
            return None
        found |= parts
    return sorted((p for p in found if p.value is None or _Part(p.property) not in found), key=str)


def parts_of(rule: str, prefixes: Prefixes) -> set[_Part] | None:
    """Returns what a rule asks for or derives; None when it may be any property, or asks graph by graph.

    >>> rule = "CONSTRUCT { ?a <b:c> ?d } WHERE { ?d (^<e:f>/<g:h>)* ?a ; <i:j> <k:l> }"
    >>> sorted(f"{part.property} {part.value}" for part in parts_of(rule, Prefixes({})))
    ['b:c None', 'e:f None', 'g:h None', 'i:j <k:l>']
    >>> parts_of("CONSTRUCT { ?a ?b ?c } WHERE { ?a ?b ?c }", Prefixes({})) is None
    True
    """
    try:
        query = prepareQuery(rule, initNs=dict(prefixes.namespaces))
    except Exception:  # noqa: BLE001  # whatever another parser dislikes: the engine has the last word
        return None
    found: set[_Part] = set()
    for triple in (*_patterns(query.algebra), *(query.algebra.get("template") or ())):
        properties = None if triple is None else _properties(triple[1])
        if triple is None or properties is None:
            return None
        exact = isinstance(triple[1], URIRef) and isinstance(triple[2], URIRef)
        found |= {_Part(name, triple[2].n3() if exact else None) for name in properties}
    return found


def _patterns(node: Any) -> Iterator[tuple[Any, Any, Any] | None]:
    """Yields the triple patterns in a part of a query; None for a part that asks graphs by name."""
    if isinstance(node, CompValue):
        if node.name == "Graph":
            yield None
        for key, value in node.items():
            if key == "triples":
                yield from value
            elif key != "template":
                yield from _patterns(value)
    elif isinstance(node, list | tuple | set):
        for part in node:
            yield from _patterns(part)


def _properties(path: object) -> set[str] | None:
    """Returns the properties in a property path; None for a variable, and for all but some."""
    if isinstance(path, URIRef):
        return {str(path)}
    if not isinstance(path, InvPath | SequencePath | AlternativePath | MulPath):
        return None
    steps = [path.arg] if isinstance(path, InvPath) else [path.path] if isinstance(path, MulPath) else path.args
    found = [_properties(step) for step in steps]
    return None if None in found else {name for names in found if names for name in names}
