"""The process that writes a scratch dataset: one at a time, each request whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal as OneOf

from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Store, Triple, parse, serialize

from kg.engines.mending import asked
from kg.engines.syntax import bad_update
from kg.engines.updates import with_dataset, without_silent_loads
from kg.errors import BadParameter, SourceError

READ_FORMATS: Mapping[str, RdfFormat] = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "application/ld+json": RdfFormat.JSON_LD,
    "application/n-quads": RdfFormat.N_QUADS,
    "application/trig": RdfFormat.TRIG,
}
# In place of what the parser says, which is for programmers.
_NOT_FETCHED = "A context at an address is not fetched; write the context itself into the document."


@dataclass(frozen=True)
class Write:
    """One change.

    Attributes:
        kind: an update, a graph put in place of another or added to it, a graph dropped, or a
            checkpoint written to a folder.
        graph: the graph's IRI, None for the default graph.
        text: the update, or the folder of a checkpoint.
        files: (media type, path) of the RDF that is put or added.
    """

    kind: OneOf["update", "put", "post", "drop", "checkpoint"]
    graph: str | None = None
    text: str = ""
    files: tuple[tuple[str, str], ...] = ()
    using: tuple[str, ...] = ()
    using_named: tuple[str, ...] = ()
    base: str | None = None


def applied(store: Store, write: Write) -> dict[str, object]:
    """Applies a change and returns {existed}: whether the graph was there before.

    Raises:
        BadSparql: the update does not parse.
        BadParameter: the RDF does not parse, or a graph's name is no IRI.
        SourceError: the store failed.
    """
    existed = write.graph is None or store.contains_named_graph(graph_name(write.graph))
    try:
        if write.kind == "checkpoint":
            store.backup(write.text)
        elif write.kind == "drop" and not existed:
            pass
        elif write.kind == "update":
            update = with_dataset(without_silent_loads(write.text), write.using, write.using_named)
            asked(partial(store.update, base_iri=write.base), update)
        else:
            # One update is one transaction, so a graph is never seen half exchanged.
            store.update(_graph_update(write, existed))
    except SyntaxError as error:
        raise bad_update(write.text, str(error), write.base) from error
    except RuntimeError as error:
        # An operation that cannot be done, such as creating a graph that is there.
        raise BadParameter(f"The update cannot be applied: {error}.") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"The store refused the change: {error}") from error
    return {"existed": existed}


def _graph_update(write: Write, existed: bool) -> str:
    target = "DEFAULT" if write.graph is None else f"GRAPH {graph_name(write.graph)}"
    if write.kind == "drop":
        return f"DROP {target}"
    triples = (serialize(sent_triples(write.files, write.graph), format=RdfFormat.N_TRIPLES) or b"").decode()
    clear = f"DROP SILENT {target} ; " if write.kind == "put" else ""
    # An empty graph that was put is there, and is empty.
    create = "" if write.graph is None or (existed and write.kind == "post") else f"CREATE SILENT {target} ; "
    data = triples if write.graph is None else f"{target} {{ {triples} }}"
    return f"{clear}{create}INSERT DATA {{ {data} }}"


def sent_triples(files: Sequence[tuple[str, str]], graph: str | None) -> list[Triple]:
    """Returns the triples of the RDF that is sent for a graph, as (media type, path) of each part.

    Raises:
        BadParameter: a part does not parse, or names graphs of its own.
    """
    base = graph or "http://localhost/"
    found: list[Quad] = []
    for media_type, path in files:
        rdf = READ_FORMATS[media_type]
        try:
            # Blank nodes of different parts are different nodes.
            found += parse(path=path, format=rdf, base_iri=base, rename_blank_nodes=True)
        except SyntaxError as error:
            why = _NOT_FETCHED if "LoadDocumentCallback" in error.args[0] else error.args[0]
            raise BadParameter(f"The {media_type} does not parse: {why}") from error
    if any(not isinstance(quad.graph_name, DefaultGraph) for quad in found):
        raise BadParameter("The body names graphs; a graph is sent as plain triples.")
    return [quad.triple for quad in found]


def graph_name(iri: str) -> NamedNode:
    """Returns a graph's name as a term.

    Raises:
        BadParameter: it is no absolute IRI.
    """
    try:
        return NamedNode(iri)
    except ValueError as error:
        raise BadParameter(f"graph: {iri!r} is no absolute IRI: {error}") from error
