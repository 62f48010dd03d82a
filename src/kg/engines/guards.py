"""What is refused before an engine sees it.

pyoxigraph follows SERVICE and has no switch for it, and its parser overflows the stack on deep
nesting; so a stranger's query is cut into tokens first.
"""

from __future__ import annotations

from kg.errors import Forbidden, LimitError
from kg.tokens import CLOSING, OPENING, Token, is_update, tokens
from kg.workspace import Settings


def guard_query(query: str, settings: Settings) -> None:
    """Refuses a query that must not reach an engine.

    Raises:
        Forbidden: it is an update, or it names a SERVICE that is not allowed.
        LimitError: it is too long, nests too deep, or has too many tokens.
    """
    size = len(query.encode())
    if size > settings.max_query_bytes:
        raise _over("long", f"{size} bytes", "max_query_bytes", settings.max_query_bytes)
    depth = 0
    stream = enumerate(tokens(query), start=1)
    for count, token in stream:
        depth += (token.text in OPENING) - (token.text in CLOSING)
        if depth > settings.max_nesting:
            raise _over("deeply nested", f"over {depth - 1} brackets", "max_nesting", settings.max_nesting)
        if count > settings.max_tokens:
            raise _over("large", f"over {count - 1} tokens", "max_tokens", settings.max_tokens)
        if token.keyword == "SERVICE":
            _guard_service(next((t for _, t in stream if t.keyword != "SILENT"), None), settings)
    if is_update(query):
        raise Forbidden(
            "This endpoint is read-only; an update is refused. Change the files of the workspace and build."
        )


def _guard_service(target: Token | None, settings: Settings) -> None:
    allowed = {f"<{address.strip()}>" for address in (settings.service_allowed or "").split(",")}
    if target is None or target.text not in allowed:
        raise Forbidden(
            "SERVICE is refused: the setting KG_SERVICE_ALLOWED does not list that endpoint. "
            "Query the other endpoint from your own client and join there."
        )


def _over(how: str, found: str, name: str, limit: int) -> LimitError:
    setting = f"KG_{name.upper()}"
    return LimitError(f"The query is too {how} ({found}); the setting {setting} allows {limit}.", limit=setting)
