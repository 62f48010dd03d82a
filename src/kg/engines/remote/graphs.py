"""Several graphs of an engine, asked for and counted at once: a request each takes minutes for hundreds of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import IO

from pyoxigraph import (
    Literal,
    NamedNode,
    Quad,
    QueryResultsFormat,
    QuerySolutions,
    Store,
    Triple,
    parse_query_results,
)

from kg.engines.reading import letting_go
from kg.engines.remote.engine import Engine
from kg.engines.remote.literals import restored_json
from kg.engines.remote.preparing import NOTHING
from kg.engines.transport import Fields, Got

# So many graphs are named in one request.
MOST_GRAPHS = 50
_JSON = "application/sparql-results+json"
# Each graph is named where it is looked into: with a variable there Virtuoso took seconds, and at times minutes.
_QUADS = "{ GRAPH <GRAPH> { ?s ?p ?o } BIND(<GRAPH> AS ?g) }"
_COUNT = "{ SELECT (<GRAPH> AS ?g) (COUNT(*) AS ?n) { GRAPH <GRAPH> { ?s ?p ?o } } }"


def read_graphs(engine: Engine, graphs: Sequence[str], most_bytes: int) -> Store:
    """Returns graphs as they stand in an engine, in a store, so that each literal is as ours writes it.

    Args:
        most_bytes: so long the engine's answer may be.

    Raises:
        SourceError: the engine failed, or its answer is no table of triples to its end.
        LimitError: the answer is longer.
    """
    got = engine.ask(_form("?g ?s ?p ?o", _QUADS, graphs), _JSON, most_bytes)
    with got.file:
        store = Store()
        try:
            with letting_go():
                store.bulk_extend(_quads(engine, got))
        except (SyntaxError, TypeError, ValueError) as error:
            why = str(error)
        else:
            return store
        raise engine.not_whole(got, why)


def _quads(engine: Engine, got: Got) -> list[Quad]:
    content: IO[bytes] = io.BytesIO(restored_json(got.text())) if engine.kind.rewrites_literals else got.file
    return [Quad(s, p, o, g) for g, s, p, o in _table(content)]  # a term in the wrong place is a TypeError


def _table(content: IO[bytes]) -> QuerySolutions:
    found = parse_query_results(content, format=QueryResultsFormat.JSON)
    if not isinstance(found, QuerySolutions):
        raise TypeError("a truth value is no table.")
    return found


def count_triples(engine: Engine, graphs: Sequence[str]) -> dict[str, int]:
    """Returns how many triples graphs have, as the engine counts them for a query.

    Raises:
        SourceError: the engine does not answer.
    """
    found = dict.fromkeys(graphs, 0)
    for start in range(0, len(graphs), MOST_GRAPHS):
        form = _form("?g ?n", _COUNT, graphs[start : start + MOST_GRAPHS])
        found |= {graph: int(number) for graph, number in _texts(engine, form)}
    return found


def _form(columns: str, pattern: str, graphs: Sequence[str]) -> Fields:
    every = " UNION ".join(pattern.replace("<GRAPH>", str(NamedNode(graph))) for graph in graphs)
    query = f"SELECT {columns} WHERE {{ {every} }}"
    return [("query", query), ("default-graph-uri", NOTHING), *(("named-graph-uri", graph) for graph in graphs)]


def rows(engine: Engine, query: str, *graphs: str) -> list[tuple[str, ...]]:
    """Returns the rows of a query over some graphs, each term as its IRI or its text.

    Raises:
        SourceError: the engine failed, or its answer is no table to its end.
    """
    form = [("query", query), *(("default-graph-uri", graph) for graph in graphs), ("named-graph-uri", NOTHING)]
    return _texts(engine, form)


def line(subject: str, predicate: str, text: str) -> bytes:
    """Returns a statement with a text as a line of N-Triples."""
    return f"{Triple(NamedNode(subject), NamedNode(predicate), Literal(text))} .\n".encode()


def _texts(engine: Engine, form: Fields) -> list[tuple[str, ...]]:
    got = engine.ask(form, _JSON)
    with got.file:
        try:
            with letting_go():
                texts = [tuple(str(getattr(term, "value", "")) for term in row) for row in _table(got.file)]
        except (SyntaxError, TypeError) as error:
            why = str(error)
        else:
            most = got.headers.get((engine.kind.cut_header or "").lower())
            if most is not None and len(texts) >= int(most):
                raise engine.cut_at(int(most), "rows")
            return texts
        raise engine.not_whole(got, why)
