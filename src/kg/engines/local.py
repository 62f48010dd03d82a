"""The embedded store: Oxigraph through pyoxigraph, opened read-only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from pyoxigraph import (
    NamedNode,
    QueryBoolean,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    Triple,
    serialize,
)

from kg.engines.source import GRAPH_FORMATS, TABLE_FORMATS, Request, Rows, Term
from kg.errors import BadSparql, NotAcceptable, SourceError
from kg.names import Prefixes

_POSITION = re.compile(r"(?:error )?at (\d+):(\d+): (.*)", re.DOTALL)


class LocalSource:
    """A Source over one store of this process."""

    def __init__(self, store: Store, prefixes: Prefixes) -> None:
        self._store: Store | None = store
        self._prefixes = dict(prefixes.namespaces)

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        with _mapped_errors():
            found = self._query(Request(query))
            if not isinstance(found, QuerySolutions):
                raise BadSparql("a SELECT query was expected here.")
            variables = tuple(variable.value for variable in found.variables)
            rows: list[tuple[Term | None, ...]] = []
            for solution in found:
                if max_rows is not None and len(rows) == max_rows:
                    return Rows(variables, tuple(rows), truncated=True)
                rows.append(tuple(solution))
            return Rows(variables, tuple(rows))

    def ask(self, query: str) -> bool:
        with _mapped_errors():
            found = self._query(Request(query))
            if not isinstance(found, QueryBoolean):
                raise BadSparql("an ASK query was expected here.")
            return bool(found)

    def construct(self, query: str) -> list[Triple]:
        with _mapped_errors():
            found = self._query(Request(query))
            if not isinstance(found, QueryTriples):
                raise BadSparql("a CONSTRUCT or DESCRIBE query was expected here.")
            return sorted(set(found), key=str)

    def reply(self, request: Request, media_type: str) -> bytes:
        with _mapped_errors():
            found = self._query(request)
            if isinstance(found, QueryTriples):
                rdf = GRAPH_FORMATS.get(media_type)
                if rdf is None:
                    raise NotAcceptable(f"triples cannot be written as {media_type}.")
                if rdf == RdfFormat.TURTLE:
                    # Walking the triples costs a little more; people read Turtle, so prefixes are worth it.
                    return serialize(found, format=rdf, prefixes=self._prefixes) or b""
                return cast(bytes, found.serialize(format=rdf))
            table = TABLE_FORMATS.get(media_type)
            if table is None:
                raise NotAcceptable(f"a table cannot be written as {media_type}.")
            return cast(bytes, found.serialize(format=table))

    def close(self) -> None:
        self._store = None

    def _query(self, request: Request) -> QuerySolutions | QueryBoolean | QueryTriples:
        if self._store is None:
            raise SourceError("The release has been closed.")
        named_dataset = bool(request.default_graphs or request.named_graphs)
        return self._store.query(
            request.query,
            prefixes=self._prefixes,
            default_graph=[NamedNode(g) for g in request.default_graphs] if named_dataset else None,
            named_graphs=[NamedNode(g) for g in request.named_graphs] if named_dataset else None,
        )


def open_local(folder: Path, prefixes: Prefixes) -> LocalSource:
    """Returns a source over a store on disk, read-only.

    Raises:
        SourceError: the folder holds no store, or one that cannot be opened.
    """
    try:
        return LocalSource(Store.read_only(str(folder)), prefixes)
    except OSError as error:
        raise SourceError(f"{folder}: the store cannot be opened: {error}") from error


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        raise _bad_sparql(str(error)) from error
    except OSError as error:
        raise SourceError(f"The store failed: {error}") from error


def _bad_sparql(text: str) -> BadSparql:
    """Returns the parser's complaint with its place in front; the parser counts from 1."""
    match = _POSITION.fullmatch(text.strip())
    if match is None:
        return BadSparql(text)
    line, column, expected = int(match[1]), int(match[2]), " ".join(match[3].split())
    return BadSparql(f"line {line}, column {column}: {expected}", line, column)
