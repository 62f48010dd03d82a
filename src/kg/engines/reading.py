"""What is read of an answer of the engine: rows, a truth value, triples.

The engine's answers belong to the thread that got them. One that is let go of in another thread, since an error
whose traceback still held it went there, makes the engine complain on standard error.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from pyoxigraph import QueryBoolean, QuerySolutions, QueryTriples, Triple

from kg.engines.source import Rows, Term
from kg.errors import BadSparql

Found = QuerySolutions | QueryBoolean | QueryTriples


@contextmanager
def letting_go() -> Iterator[None]:
    """Lets what fails within it forget its answers; they must be held by functions that are called there only."""
    try:
        yield
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)
        raise


def rows_of(found: Found, max_rows: int | None = None) -> Rows:
    """Returns the table of a SELECT, cut after so many rows.

    Raises:
        BadSparql: it is another form's answer.
    """
    if not isinstance(found, QuerySolutions):
        raise BadSparql("a SELECT query was expected here.")
    variables = tuple(variable.value for variable in found.variables)
    rows: tuple[tuple[Term | None, ...], ...] = tuple(tuple(solution) for solution in islice(found, max_rows))
    return Rows(variables, rows, truncated=next(found, None) is not None)


def truth_of(found: Found) -> bool:
    """Returns the answer to an ASK.

    Raises:
        BadSparql: it is another form's answer.
    """
    if not isinstance(found, QueryBoolean):
        raise BadSparql("an ASK query was expected here.")
    return bool(found)


def graph_of(found: Found) -> list[Triple]:
    """Returns the triples of a CONSTRUCT or DESCRIBE, each once, sorted.

    Raises:
        BadSparql: it is another form's answer.
    """
    if not isinstance(found, QueryTriples):
        raise BadSparql("a CONSTRUCT or DESCRIBE query was expected here.")
    return sorted(set(found), key=str)
