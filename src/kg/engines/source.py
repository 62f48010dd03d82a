"""Asking a store: the one seam behind which every engine stands.

A Source answers three kinds of small question with terms (`select`, `ask`, `construct`), and
passes a query of the SPARQL Protocol through as bytes in the format asked for (`reply`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pyoxigraph import BlankNode, Literal, NamedNode, QueryResultsFormat, RdfFormat, Triple

Term = NamedNode | BlankNode | Literal | Triple

# Media types in the order in which a client that takes anything is answered.
TABLE_FORMATS = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "text/csv": QueryResultsFormat.CSV,
    "text/tab-separated-values": QueryResultsFormat.TSV,
}
GRAPH_FORMATS = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "application/ld+json": RdfFormat.JSON_LD,
}
# CSV and TSV have no form for a truth value (SPARQL 1.1 Query Results CSV and TSV Formats, section 2).
BOOLEAN_FORMATS = ("application/sparql-results+json", "application/sparql-results+xml")


@dataclass(frozen=True)
class Rows:
    """The answer to a SELECT.

    Shape: one tuple a row, in the order of `variables`; None where a variable is unbound.
    """

    variables: tuple[str, ...]
    rows: tuple[tuple[Term | None, ...], ...]
    truncated: bool = False


@dataclass(frozen=True)
class Request:
    """A query with the dataset that the protocol may name beside it, and the base of its relative IRIs."""

    query: str
    default_graphs: Sequence[str] = ()
    named_graphs: Sequence[str] = ()
    base: str | None = None


class Source(Protocol):
    """A store that answers SPARQL 1.1 queries.

    Every method raises BadSparql for a query that does not parse, and SourceError when the
    store fails.
    """

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        """Returns the rows of a SELECT, at most `max_rows` of them (`truncated` tells)."""

    def ask(self, query: str) -> bool:
        """Returns the answer of an ASK."""

    def construct(self, query: str) -> list[Triple]:
        """Returns the distinct triples of a CONSTRUCT or DESCRIBE, sorted by their N-Triples form."""

    def reply(self, request: Request, media_type: str) -> bytes:
        """Returns the answer to any query, whole, in one of the media types named above."""

    def close(self) -> None:
        """Lets go of the store."""
