"""A Source over an engine on the network."""

from __future__ import annotations

import io
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import IO, TypeVar, cast

from pyoxigraph import (
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    Triple,
    parse_query_results,
)

from kg.engines.guards import guard_text
from kg.engines.local import write_found
from kg.engines.reading import Found, graph_of, letting_go, rows_of, truth_of
from kg.engines.remote.engine import Engine
from kg.engines.remote.literals import restored_json, restored_triples
from kg.engines.remote.preparing import Dataset, check_syntax, prepared
from kg.engines.source import GRAPH_FORMATS, TABLE_FORMATS, Request, Rows
from kg.engines.transport import Got
from kg.errors import NotAcceptable
from kg.names import Prefixes
from kg.tokens import is_graph_form, tokens, verb

# One format of each kind is asked of every engine, read to its end, and written in the one that is wanted.
_JSON = "application/sparql-results+json"
_TRIPLES = "application/n-triples"

T = TypeVar("T")
Check = Callable[[Request, Mapping[str, str]], None]


def trusts(request: Request, prefixes: Mapping[str, str]) -> None:
    """Returns at once: our own questions were read when the release was built."""


class RemoteSource:
    """A Source over an engine.

    Args:
        engine: where it is and what it can do; closed with this.
        prefixes: those that a query need not declare.
        dataset: what a query sees that names no graphs.
        check: raises BadSparql for what our own parser does not read; by default it parses in this process.
    """

    def __init__(self, engine: Engine, prefixes: Prefixes, dataset: Dataset, check: Check = check_syntax) -> None:
        self._engine = engine
        self._prefixes = dict(prefixes.namespaces)
        self._dataset = dataset
        self._check = check

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        return self._asked(Request(query), lambda found: _whole(found, max_rows))

    def ask(self, query: str) -> bool:
        return self._asked(Request(query), truth_of)

    def construct(self, query: str) -> list[Triple]:
        return self._asked(Request(query), graph_of)

    def reply(self, request: Request, media_type: str) -> bytes:
        content = io.BytesIO()
        self.write(request, media_type, content)
        return content.getvalue()

    def write(self, request: Request, media_type: str, out: IO[bytes], max_triples: int | None = None) -> None:
        """Writes the answer to any query to a file.

        Raises:
            As every method of a Source.
            LimitError: the answer is too long, or a graph has more triples than `max_triples`.
            NotAcceptable: the answer is to be XML and holds a character that XML cannot.
        """

        def written(found: Found) -> None:
            write_found(found, media_type, out, self._prefixes, max_triples)

        self._asked(request, written, media_type)

    def close(self) -> None:
        self._engine.close()

    def _asked(self, request: Request, read: Callable[[Found], T], media_type: str | None = None) -> T:
        """Returns what is read of the engine's answer; one that does not parse to its end is an error."""
        guard_text(request.query, self._engine.guarding)
        self._check(request, self._prefixes)
        graph = is_graph_form(request.query)
        known = GRAPH_FORMATS if graph else TABLE_FORMATS
        if media_type is not None and media_type not in known:
            raise NotAcceptable(f"{'triples' if graph else 'a table'} cannot be written as {media_type}.")
        sent = prepared(request, self._prefixes, self._dataset, self._engine.kind)
        got = self._engine.ask(sent.form, _TRIPLES if graph else _JSON)
        with got.file:
            try:
                with letting_go():
                    return read(
                        self._triples(got, request.query) if graph else self._table(got, verb(request.query) == "ASK")
                    )
            except SyntaxError as error:
                why = str(error)
            raise self._engine.not_whole(got, why)

    def _triples(self, got: Got, query: str) -> QueryTriples:
        """Returns triples that have been through a store, each once and its literals as ours writes them.

        What tells of one thing comes together: as some engines mix it, Turtle and JSON-LD would name each thing
        again and again, at twice the length.
        """
        store = Store()
        lines = got.text()
        self._refuse_cut_graph(lines.count(b"\n"), query)
        lines = restored_triples(lines) if self._engine.kind.rewrites_literals else lines
        store.load(b"\n".join(sorted(lines.split(b"\n"))), RdfFormat.N_TRIPLES)
        found = store.query("CONSTRUCT WHERE { ?s ?p ?o }")
        assert isinstance(found, QueryTriples)
        return found

    def _table(self, got: Got, is_ask: bool) -> QuerySolutions | QueryBoolean:
        kind = self._engine.kind
        if kind.cut_header and kind.cut_header.lower() in got.headers:
            self._refuse_cut(got, int(got.headers[kind.cut_header.lower()]))
        content: IO[bytes] = got.file
        if kind.rewrites_literals:
            content = io.BytesIO(restored_json(got.text()))
        found = parse_query_results(content, format=QueryResultsFormat.JSON)
        if isinstance(found, QueryBoolean):
            # The parser does not look beyond the value.
            _whole_json(got.text())
        elif is_ask:
            # Virtuoso may answer ASK with a table: of one row, or of none.
            return _truth(sum(1 for _ in found) > 0)
        return found

    def _refuse_cut(self, got: Got, most: int) -> None:
        found = parse_query_results(got.text(), format=QueryResultsFormat.JSON)
        if isinstance(found, QuerySolutions) and sum(1 for _ in found) >= most:
            raise self._engine.cut_at(most, "rows")

    def _refuse_cut_graph(self, triples: int, query: str) -> None:
        """Returns when a graph is surely whole: no header tells, so as many triples as the limit are too many.

        Of DESCRIBE it is the things found that are cut, and each of them with all of its triples comes. A triple
        tells of two things at most. What is named without a pattern is not cut.
        """
        most = self._engine.most_rows
        if most is None or (verb(query) == "DESCRIBE" and not any(token.text == "{" for token in tokens(query))):
            return
        if triples >= (most / 2 if verb(query) == "DESCRIBE" else most):
            raise self._engine.cut_at(most, "things described" if verb(query) == "DESCRIBE" else "triples")


def _whole(found: Found, max_rows: int | None) -> Rows:
    """Returns rows of a table that was read to its end, also when fewer are wanted: that tells whether it is whole."""
    rows = rows_of(found, max_rows)
    deque(cast(QuerySolutions, found), maxlen=0)
    return rows


def _truth(value: bool) -> QueryBoolean:
    answer = json.dumps({"head": {}, "boolean": value}).encode()
    found = parse_query_results(answer, format=QueryResultsFormat.JSON)
    assert isinstance(found, QueryBoolean)
    return found


def _whole_json(content: bytes) -> None:
    try:
        json.loads(content)
    except ValueError as error:
        raise SyntaxError(str(error)) from error
