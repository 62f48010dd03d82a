"""Long answers of an engine that gives only so many rows at once: in pages, each of them whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyoxigraph import NamedNode

from kg.engines.source import Source, Term
from kg.errors import EngineCut, EngineError, LimitError, OverloadError
from kg.library import paged

Part = Sequence[tuple[Term | None, ...]]
# So many rows are asked for at first; half as many whenever the engine cuts them.
_PAGE_ROWS = 10_000
_LEAST_ROWS = 10
_LIMITS = "(a limit of the engine's, or KG_MAX_ANSWER_ROWS)"


def whole(source: Source, query: str, most_rows: int | None = None) -> Part | None:
    """Returns the rows of a SELECT; None when there are more than the engine gives, or than may be.

    Raises:
        SourceError: the engine failed.
        OverloadError: it has no time for us.
    """
    try:
        found = source.select(query, most_rows)
    except OverloadError:
        raise
    except (EngineCut, LimitError):
        return None
    return None if found.truncated else found.rows


def every_row(source: Source, query: str, key: str, most_rows: int | None = None, at: int = 0) -> Iterator[Part]:
    """Yields the rows of a SELECT: all at once where the engine gives them so, else in pages.

    Raises:
        As `pages`.
    """
    found = whole(source, query, most_rows)
    if found is None:
        yield from pages(source, query, key, most_rows, at)
    else:
        yield found


def pages(source: Source, query: str, key: str, most_rows: int | None = None, at: int = 0) -> Iterator[Part]:
    """Yields the rows of a SELECT in the order of a column of IRIs; those at which a page ends come again.

    Args:
        key: the column.
        most_rows: so many rows may come at once.
        at: the place of the column among all.

    Raises:
        SourceError: the engine failed, or sorts otherwise than it compares; EngineCut, when it does not even give the
            rows of one value of the column.
        OverloadError: it has no time for us.
    """
    after, rows = "", min(_PAGE_ROWS, most_rows or _PAGE_ROWS)
    while True:
        found = whole(source, paged(query, key, after, rows), most_rows)
        if found is None:
            rows = _fewer(rows)
            continue
        yield found
        keys = [term.value if isinstance(term, NamedNode) else "" for term in (row[at] for row in found)]
        if len(found) < rows:
            return
        if keys != sorted(keys) or keys[0] < after:
            raise EngineError(
                f"The engine does not give rows in the order of the text of ?{key}, so its pages may lack some."
            )
        if keys[-1] == after:
            raise EngineCut(f"{after} has more than {rows} rows, and no more come at once {_LIMITS}.")
        after = keys[-1]


def _fewer(rows: int) -> int:
    if rows <= _LEAST_ROWS:
        raise EngineCut(f"Not even {rows} rows of an answer come at once {_LIMITS}.")
    return max(rows // 2, _LEAST_ROWS)
