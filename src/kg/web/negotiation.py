"""Which media type an answer takes.

Source: RFC 9110, section 12.5.1. For each type we can make, the most specific range of the
Accept header gives its quality; the best quality wins, then the more specific range, then our
own order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import mimeparse
from starlette.requests import Request

from kg.engines.source import BOOLEAN_FORMATS, GRAPH_FORMATS, TABLE_FORMATS
from kg.errors import NotAcceptable

# The longest that browsers send is a tenth of it; every range is set against every offer.
_LONGEST = 4096
# What clients also call these formats; the answer is labelled as it was asked for.
TABLE_ALIASES = {
    "application/json": "application/sparql-results+json",
    "application/xml": "application/sparql-results+xml",
}
GRAPH_ALIASES = {
    "text/plain": "application/n-triples",
    "application/xml": "application/rdf+xml",
    "application/json": "application/ld+json",
}


def accept_of(request: Request) -> str | None:
    """Returns the Accept header, None where none was sent; several lines are one list (RFC 9110, section 5.3)."""
    return ", ".join(request.headers.getlist("accept")) or None


def best_type(accept: str | None, offered: Iterable[str]) -> str:
    """Returns the offered media type that the Accept header likes best.

    Args:
        accept: the header; None and empty mean that anything will do.
        offered: what can be made, our favourite first.

    Raises:
        NotAcceptable: the header allows none of them.
    """
    return _best(accept or "", tuple(offered))


# Few different headers are sent, and to read one costs as much as a look-up; a header is bounded.
@lru_cache(maxsize=256)
def _best(accept: str, offered: tuple[str, ...]) -> str:
    if not accept.strip():
        return offered[0]
    if len(accept) > _LONGEST:
        raise NotAcceptable(f"Accept: over {_LONGEST} characters long.")
    try:
        ranges = [mimeparse.parse_media_range(part) for part in accept.lower().split(",") if part.strip()]
    except mimeparse.MimeTypeParseException as error:
        raise NotAcceptable(f"Accept: {accept!r} cannot be read: {error}") from error
    ranked = []
    for place, name in enumerate(offered):
        quality, fitness = mimeparse.quality_and_fitness_parsed(name, ranges)
        if quality > 0 and fitness >= 0:
            ranked.append((quality, fitness, -place, name))
    if not ranked:
        raise NotAcceptable(f"Accept: {accept!r} allows none of {', '.join(offered)}.")
    return max(ranked)[3]


_TABLES = {name: name for name in TABLE_FORMATS} | TABLE_ALIASES
_REPLY_TYPES = {
    "ASK": {name: name for name in BOOLEAN_FORMATS} | TABLE_ALIASES,
    "CONSTRUCT": {name: name for name in GRAPH_FORMATS} | GRAPH_ALIASES,
    "DESCRIBE": {name: name for name in GRAPH_FORMATS} | GRAPH_ALIASES,
}


def reply_types(verb: str | None) -> Mapping[str, str]:
    """Returns the media types in which a query with that verb is answered: what is offered, and what is written."""
    return _REPLY_TYPES.get(verb or "", _TABLES)
