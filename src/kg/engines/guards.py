"""What is refused before an engine sees it.

pyoxigraph follows SERVICE and has no switch for it, and its parser overflows the stack on deep
nesting; so a stranger's query is cut into tokens first. That parser knows no tokens: it reads
`trueSERVICE <x>` as two words and `SERVICE:x {` as a keyword and a name. Where its reading can
differ from the grammar's, the query is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from kg.errors import BadSparql, Forbidden, LimitError
from kg.tokens import CLOSING, OPENING, UPDATES, Token, tokens, verb
from kg.workspace import Settings

# What grammar and parser read alike: `<scheme://…>` cannot be a comparison. Any other IRI can, and
# then a quotation mark in it starts a string, a hash a comment, and a bracket nests.
_DOUBTFUL_IRI = re.compile(r"<(?![A-Za-z][A-Za-z0-9+.-]*://).*['#(\[].*>")
# Wider than what is refused: an IRI that is doubtful, anywhere in the text.
_MAY_BE_DOUBTFUL = re.compile(r"<(?![A-Za-z][A-Za-z0-9+.-]*://)[^<>\x00-\x20]*['#(\[]")
_BRACKET = re.compile(r"[({\[]")
_BEFORE_A_NAME = frozenset({"GRAPH", "FROM", "NAMED", "DESCRIBE"})


def guard_query(query: str, settings: Settings) -> str | None:
    """Returns the verb of a query, or refuses it if it must not reach an engine.

    Raises:
        Forbidden: it is an update, or it names a SERVICE that is not allowed.
        BadSparql: it has an IRI that may be a comparison instead.
        LimitError: it is too long, nests too deep, or has too many tokens.
    """
    guard_text(query, settings)
    found = verb(query)
    if found in UPDATES:
        raise Forbidden(
            "This endpoint is read-only; an update is refused. Change the files of the workspace and build."
        )
    return found


def guard_text(query: str, settings: Settings) -> None:
    """Refuses what must not even be parsed, whatever its verb is.

    Raises:
        As `guard_query`, but for updates.
    """
    size = len(query.encode())
    if size > settings.max_query_bytes:
        raise _over("long", f"{size} bytes", "max_query_bytes", settings.max_query_bytes)
    if not _is_plainly_harmless(query, settings):
        _guard_tokens(query, settings)


def _is_plainly_harmless(query: str, settings: Settings) -> bool:
    """Tells whether the text has nothing in it that its tokens could be refused for.

    Tokens are pieces of the text. So there are no more tokens than characters, they nest no deeper than
    there are brackets, and none holds what the text does not. Most queries need not be cut for that.
    """
    return (
        len(query) <= settings.max_tokens
        and len(_BRACKET.findall(query)) <= settings.max_nesting
        and "SERVICE" not in query.upper()
        and _MAY_BE_DOUBTFUL.search(query) is None
    )


def _guard_tokens(query: str, settings: Settings) -> None:
    cut = list(islice(_not_deep(tokens(query), settings), settings.max_tokens + 1))
    if len(cut) > settings.max_tokens:
        raise _over("large", f"over {settings.max_tokens} tokens", "max_tokens", settings.max_tokens)
    for at, inner in _innermost(cut):
        if cut[at].kind == "iri" and (inner == "(" or _in_double_angle(cut[max(at - 1, 0)], cut[at])):
            _guard_iri(cut, at, query)
        elif cut[at].kind in {"word", "pname"} and "SERVICE" in cut[at].text.upper():
            _guard_service(cut, at, settings)


def guard_update(update: str, settings: Settings) -> None:
    """Refuses an update that must not reach an engine.

    What stands in INSERT DATA and DELETE DATA is bounded by bytes and nesting, not by tokens.

    Raises:
        Forbidden: it loads from an address, or names a SERVICE that is not allowed.
        BadSparql: it has an IRI that may be a comparison instead.
        LimitError: it is too long, nests too deep, or has too many tokens outside of data.
    """
    size = len(update.encode())
    if size > settings.max_update_bytes:
        raise _over("long", f"{size} bytes", "max_update_bytes", settings.max_update_bytes)
    cut = list(islice(_without_data(update, settings), settings.max_tokens + 1))
    if len(cut) > settings.max_tokens:
        raise _over("large", f"over {settings.max_tokens} tokens", "max_tokens", settings.max_tokens)
    for at, inner in _innermost(cut):
        token = cut[at]
        if token.kind == "iri" and (inner == "(" or _in_double_angle(cut[max(at - 1, 0)], token)):
            _guard_iri(cut, at, update)
        elif token.kind in {"word", "pname"} and "SERVICE" in token.text.upper():
            _guard_service(cut, at, settings)
        elif not inner and token.text.upper().startswith("LOAD"):
            _guard_load(cut, at)


def _innermost(cut: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """Yields the place of each token with the bracket that holds it; a comparison is always in round ones."""
    open_brackets: list[str] = []
    for at, token in enumerate(cut):
        if token.text in CLOSING and open_brackets:
            open_brackets.pop()
        yield at, open_brackets[-1] if open_brackets else ""
        if token.text in OPENING:
            open_brackets.append(token.text)


def _without_data(update: str, settings: Settings) -> Iterator[Token]:
    """Yields the tokens of an update but for those within a DATA block; its brackets stay."""
    depth, data, before = 0, False, Token("mark", "", 0, 0)
    for token in _not_deep(tokens(update), settings):
        if _in_double_angle(before, token):
            _guard_iri([before, token], 1, update)
        depth += (token.text in OPENING) - (token.text in CLOSING)
        data = (data and depth > 0) or (token.text == "{" and depth == 1 and before.keyword == "DATA")
        if not data or token.text in {"{", "}"}:
            yield token
        before = token


def _in_double_angle(before: Token, token: Token) -> bool:
    # `<<` may open a reified triple, and then what follows is no IRI: `<<?s?p'>'>>`.
    return token.kind == "iri" and before.text == "<" and before.end == token.start


def _guard_load(cut: Sequence[Token], at: int) -> None:
    # Within an operation a name may begin so (`WITH load:x`); where one begins, it is LOAD.
    before = cut[at - 1].keyword if at else None
    if cut[at].keyword == "LOAD" and [token.keyword for token in cut[at + 1 : at + 2]] == ["SILENT"]:
        return  # it may fail without a word, so it is left out: see `without_silent_loads`
    if cut[at].kind == "word" or (cut[at].kind == "pname" and before is None):
        raise Forbidden("LOAD is refused: nothing is fetched from an address. Send the triples to /graphs instead.")


def _not_deep(found: Iterable[Token], settings: Settings) -> Iterator[Token]:
    """Yields the tokens, up to where they nest too deep."""
    depth = 0
    for token in found:
        depth += (token.text in OPENING) - (token.text in CLOSING)
        if depth > settings.max_nesting:
            raise _over("deeply nested", f"over {depth - 1} brackets", "max_nesting", settings.max_nesting)
        yield token


def _guard_iri(cut: Sequence[Token], at: int, query: str) -> None:
    before = [token.keyword for token in cut[max(at - 2, 0) : at]]
    declares = before[-1:] == ["BASE"] or before[:-1] == ["PREFIX"]
    if not declares and _DOUBTFUL_IRI.fullmatch(cut[at].text):
        line = query.count("\n", 0, cut[at].start) + 1
        column = cut[at].start - query.rfind("\n", 0, cut[at].start)
        raise BadSparql(
            f"line {line}, column {column}: {cut[at].text} may be an IRI or a comparison. "
            "Write an IRI with a prefix; put a space after the < of a comparison.",
            line,
            column,
        )


def _guard_service(cut: Sequence[Token], at: int, settings: Settings) -> None:
    after = [token for token in cut[at + 1 : at + 4] if token.keyword != "SILENT"]
    if cut[at].kind == "word":
        allowed = {f"<{address}>" for address in settings.services}
        refused = not after or after[0].text not in allowed
    else:
        named = at > 0 and cut[at - 1].keyword in _BEFORE_A_NAME
        group_follows = any(token.text == "{" for token in after[:2])
        refused = not named and group_follows and _holds_service(cut[at].text)
    if refused:
        raise Forbidden(
            "SERVICE is refused: the setting KG_SERVICE_ALLOWED does not list that endpoint, or an engine answers "
            "here, where it counts for nothing. Query the other endpoint from your own client and join there."
        )


def _holds_service(name: str) -> bool:
    """Tells whether SERVICE is in the prefix (`SERVICE:x`, `true.SERVICEex:x`) or after a dot (`ex:a.b.SERVICE`)."""
    prefix, _, local = name.upper().partition(":")
    return "SERVICE" in prefix or "SERVICE" in local.partition(".")[2]


def _over(how: str, found: str, name: str, limit: int) -> LimitError:
    setting = f"KG_{name.upper()}"
    return LimitError(f"The query is too {how} ({found}); the setting {setting} allows {limit}.", limit=setting)
