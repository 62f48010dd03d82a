"""A Source whose queries run in workers that can be ended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from pyoxigraph import QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat, Triple, parse, parse_query_results

from kg.engines.nursery import Reply
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
        found = parse_query_results(self._small(query, _JSON, "a SELECT"), format=QueryResultsFormat.JSON)
        if not isinstance(found, QuerySolutions):
            raise BadSparql("a SELECT query was expected here.")
        variables = tuple(variable.value for variable in found.variables)
        rows: Sequence[tuple[object, ...]] = [
            tuple(s) for s in islice(found, None if max_rows is None else max_rows + 1)
        ]
        truncated = max_rows is not None and len(rows) > max_rows
        return Rows(variables, tuple(rows[:max_rows]), truncated)  # type: ignore[arg-type]  # a solution holds terms

    def ask(self, query: str) -> bool:
        found = parse_query_results(self._small(query, _JSON, "an ASK"), format=QueryResultsFormat.JSON)
        if not isinstance(found, QueryBoolean):
            raise BadSparql("an ASK query was expected here.")
        return bool(found)

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
