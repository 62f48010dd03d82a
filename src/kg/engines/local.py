"""The embedded store: Oxigraph through pyoxigraph, opened read-only."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar, cast

from pyoxigraph import NamedNode, QueryTriples, RdfFormat, Store, Triple, serialize

from kg.engines.mending import asked
from kg.engines.reading import Found, graph_of, letting_go, rows_of, truth_of
from kg.engines.resident import answered_from_memory
from kg.engines.source import GRAPH_FORMATS, TABLE_FORMATS, Request, Rows
from kg.engines.syntax import bad_query
from kg.errors import BadParameter, EngineError, LimitError, NotAcceptable, SourceError
from kg.names import Prefixes

T = TypeVar("T")

# What XML 1.0 has no way to write (section 2.2), in UTF-8.
_NOT_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")


class Services(Protocol):
    """The endpoints that a query may name with SERVICE, and how they are reached."""

    def rewritten(self, query: str) -> str:
        """Returns a query whose SERVICE leads through limits."""

    def take_failure(self) -> str | None:
        """Returns what went wrong since it was last asked."""

    def close(self) -> None:
        """Lets go of connections."""


class LocalSource:
    """A Source over one store of this process.

    Args:
        services: leads SERVICE to where it may; without it the store goes where a query says.
        resident: has the store's default graph in memory, for the queries that are answered so there too.
    """

    def __init__(
        self, store: Store, prefixes: Prefixes, services: Services | None = None, resident: Store | None = None
    ) -> None:
        self._store: Store | None = store
        self._resident = resident
        self._prefixes = dict(prefixes.namespaces)
        self._services = services

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        return self._asked(Request(query), lambda found: rows_of(found, max_rows))

    def ask(self, query: str) -> bool:
        return self._asked(Request(query), truth_of)

    def construct(self, query: str) -> list[Triple]:
        return self._asked(Request(query), graph_of)

    def reply(self, request: Request, media_type: str) -> bytes:
        content = io.BytesIO()
        self.write(request, media_type, content)
        return content.getvalue()

    def write(self, request: Request, media_type: str, out: IO[bytes], max_triples: int | None = None) -> None:
        """Writes the answer to any query to a file, as it is made.

        Raises:
            As every method of a Source.
            LimitError: a graph has more triples than `max_triples`.
            NotAcceptable: the answer is to be XML and holds a character that XML cannot.
        """
        self._asked(request, lambda found: write_found(found, media_type, out, self._prefixes, max_triples))

    def close(self) -> None:
        self._store = self._resident = None
        if self._services is not None:
            self._services.close()

    def _asked(self, request: Request, read: Callable[[Found], T]) -> T:
        """Returns what is read of the engine's answer; its errors, also while it is read, become ours."""
        try:
            with letting_go():
                return read(self._query(request))
        except SyntaxError as error:
            raise bad_query(request.query, str(error), self._prefixes, request.base) from error
        except (OSError, RuntimeError) as error:
            failure = self._services.take_failure() if self._services is not None else None
            if failure is not None:
                raise EngineError(f"SERVICE: {failure}") from error
            if isinstance(error, RuntimeError):
                raise
            raise SourceError(f"The store failed: {error}") from error

    def _prefixes_in(self, query: str) -> dict[str, str]:
        """Returns those of our prefixes that the query may use; to declare all costs a look-up a tenth more."""
        if "\\" in query:
            return self._prefixes  # an escape could hide one
        return {name: iri for name, iri in self._prefixes.items() if f"{name}:" in query}

    def _query(self, request: Request) -> Found:
        if self._store is None:
            raise SourceError("The release has been closed.")
        query = request.query if self._services is None else self._services.rewritten(request.query)
        named_dataset = bool(request.default_graphs or request.named_graphs)
        store = self._store
        if self._resident is not None and not named_dataset and answered_from_memory(query):
            store = self._resident
        ask = partial(
            store.query,
            base_iri=request.base,
            prefixes=self._prefixes_in(request.query),
            default_graph=_graph_names(request.default_graphs) if named_dataset else None,
            named_graphs=_graph_names(request.named_graphs) if named_dataset else None,
        )
        return asked(ask, query)


def write_found(
    found: Found, media_type: str, out: IO[bytes], prefixes: Mapping[str, str], max_triples: int | None = None
) -> None:
    """Writes an answer in a media type.

    Raises:
        LimitError: a graph has more triples than `max_triples`.
        NotAcceptable: it cannot be written so, or holds a character that XML cannot.
    """
    if media_type.endswith("+xml"):
        out = cast(IO[bytes], _XmlFile(out))
    if isinstance(found, QueryTriples):
        rdf = GRAPH_FORMATS.get(media_type)
        if rdf is None:
            raise NotAcceptable(f"triples cannot be written as {media_type}.")
        # Counting them costs most, as each becomes an object of Python.
        triples = found if max_triples is None else _at_most(found, max_triples)
        serialize(triples, out, format=rdf, prefixes=dict(prefixes) if rdf == RdfFormat.TURTLE else None)
        return
    table = TABLE_FORMATS.get(media_type)
    if table is None:
        raise NotAcceptable(f"a table cannot be written as {media_type}.")
    found.serialize(out, format=table)


class _XmlFile:
    """A file for XML, where the engine writes characters as they are."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._tail = b""

    def write(self, content: bytes) -> int:
        seen = self._tail + content
        if _NOT_XML.search(seen):
            raise NotAcceptable("the answer holds a control character, which XML cannot; ask for another format.")
        self._tail = seen[-2:]
        # A reader of XML takes a bare carriage return for a line feed.
        self._out.write(content.replace(b"\r", b"&#xD;"))
        return len(content)

    def flush(self) -> None:
        self._out.flush()


def open_local(folder: Path, prefixes: Prefixes, services: Services | None = None) -> LocalSource:
    """Returns a source over a store on disk, read-only.

    Raises:
        SourceError: the folder holds no store, or one that cannot be opened.
    """
    try:
        return LocalSource(Store.read_only(str(folder)), prefixes, services)
    except (OSError, RuntimeError) as error:  # the engine calls a damaged store a RuntimeError
        raise SourceError(f"{folder}: the store cannot be opened: {error}") from error


def _at_most(triples: Iterable[Triple], most: int) -> Iterator[Triple]:
    for count, triple in enumerate(triples, start=1):
        if count > most:
            raise LimitError(f"The answer has over {most} triples.", limit="KG_MAX_ROWS")
        yield triple


def _graph_names(iris: Sequence[str]) -> list[Any]:
    try:
        return [NamedNode(iri) for iri in iris]
    except ValueError as error:
        raise BadParameter(f"default-graph-uri and named-graph-uri: not an absolute IRI: {error}") from error
