"""A Source whose queries run in workers that can be ended."""

from __future__ import annotations

from typing import Protocol

from pyoxigraph import QueryResultsFormat, RdfFormat, Triple, parse, parse_query_results

from kg.engines.nursery import Reply
from kg.engines.reading import letting_go, rows_of, truth_of
from kg.engines.source import Request, Rows
from kg.engines.worker import Job
from kg.errors import BadSparql, NotAcceptable
from kg.workspace import Settings

_JSON = "application/sparql-results+json"
_TRIPLES = "application/n-triples"


def job_of(request: Request, media_type: str, settings: Settings) -> Job:
    """Returns what a worker needs to know of a query."""
    return Job(
        request.query,
        media_type,
        tuple(request.default_graphs),
        tuple(request.named_graphs),
        settings.max_answer_rows,
        settings.max_answer_bytes,
        request.base,
    )


class Answering(Protocol):
    """What answers jobs to threads: a pool of workers, or a lane to an engine."""

    def blocking(self, job: Job) -> Reply:
        """Returns the whole answer to a query."""


class PooledSource:
    """A Source for threads; not for the event loop that the pool itself runs on."""

    def __init__(self, pool: Answering, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        answer = self._small(query, _JSON, "a SELECT")
        with letting_go():
            return rows_of(parse_query_results(answer, format=QueryResultsFormat.JSON), max_rows)

    def ask(self, query: str) -> bool:
        answer = self._small(query, _JSON, "an ASK")
        with letting_go():
            return truth_of(parse_query_results(answer, format=QueryResultsFormat.JSON))

    def construct(self, query: str) -> list[Triple]:
        quads = parse(self._small(query, _TRIPLES, "a CONSTRUCT or DESCRIBE"), format=RdfFormat.N_TRIPLES)
        return sorted({quad.triple for quad in quads}, key=str)

    def reply(self, request: Request, media_type: str) -> bytes:
        return self._pool.blocking(job_of(request, media_type, self._settings)).read()

    def close(self) -> None:
        """Nothing to let go of: the pool is closed by who opened it."""

    def _small(self, query: str, media_type: str, form: str) -> bytes:
        try:
            return self.reply(Request(query), media_type)
        except NotAcceptable as error:
            raise BadSparql(f"{form} query was expected here.") from error
