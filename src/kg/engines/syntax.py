"""Where a query stops being SPARQL, and at which word.

The engine's parser tries a keyword by reading as many characters as the keyword has, and reports
how far it read: up to 14 characters past the mistake, often on another line. So the place is
looked for: the first token with which the text is no longer the beginning of any query. A
beginning is told from what leads nowhere by what is put behind it: line ends, which are never
wrong, and then a character that always is. If the parser gets as far as that, all before it was fine.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping

from pyoxigraph import Store

from kg.errors import BadSparql
from kg.tokens import CLOSING, OPENING, Token, tokens

Parse = Callable[[str], object]

# More line ends than the longest keyword has letters, so that no attempt at one reads past them.
_BEHIND = "\n" * 40 + "\x01"
_LINE = re.compile(r"error at (\d+):")
# A whole load of data is not parsed twenty times over to show one place in it.
_MAX_CHARACTERS = 100_000
_SHOWN_CHARACTERS = 60


def bad_query(query: str, complaint: str, prefixes: Mapping[str, str], base: str | None = None) -> BadSparql:
    """Returns the error for a query that does not parse.

    Args:
        query: it has passed the guards, so parsing it is safe.
        complaint: what the parser says of it.
        prefixes: those that need not be declared.
        base: what relative IRIs are resolved against.
    """
    empty, known = Store(), dict(prefixes)
    return _explained(query, complaint, lambda text: empty.query(text, base_iri=base, prefixes=known))


def bad_update(update: str, complaint: str, base: str | None = None) -> BadSparql:
    """Returns the error for an update that does not parse."""
    empty = Store()
    return _explained(update, complaint, lambda text: empty.update(text, base_iri=base))


def _explained(text: str, complaint: str, parse: Parse) -> BadSparql:
    if len(text) > _MAX_CHARACTERS or not _LINE.match(complaint):
        return BadSparql.read(complaint)
    found = list(tokens(text))
    if not found:
        return _placed(text, 0, "there is no query here.")
    wrong = bisect_left(found, True, key=lambda token: not _begins(text[: token.end], parse))
    if wrong == len(found):
        return _placed(text, found[-1].end, _unfinished(found))
    token = found[wrong]
    said = _complaint(text[: token.end], parse)
    if "IRI parsing failed" in said:
        start = text.rfind("<", 0, token.end)
        return _placed(text, start, f"{_shown(text[start : token.end])} is no valid absolute IRI.")
    return _placed(text, token.start, _misplaced(token, said))


def _begins(text: str, parse: Parse) -> bool:
    """Tells whether a query can begin with a text."""
    match = _LINE.match(_complaint(text, parse))
    return match is not None and int(match[1]) == (text + _BEHIND).count("\n") + 1


def _complaint(text: str, parse: Parse) -> str:
    """Returns what the parser says of a text and what is put behind it; nothing is ever evaluated."""
    try:
        parse(text + _BEHIND)
    except SyntaxError as error:
        return str(error)
    raise AssertionError("a control character was read as SPARQL")


def _misplaced(token: Token, said: str) -> str:
    if "Prefix not found" in said and token.kind == "pname":
        return f"the prefix {token.text.split(':')[0]}: is not declared."
    if token.text in {"'", '"'}:
        return "a string begins here that is not closed, or has an unknown escape."
    if token.text == "}":
        return "} cannot stand here: what it closes is not complete, or binds a variable twice."
    return f"{_shown(token.text)} cannot stand here."


def _unfinished(found: list[Token]) -> str:
    texts = [token.text for token in found]
    opened = sum(text in OPENING for text in texts) - sum(text in CLOSING for text in texts)
    if opened or "{" not in texts:
        return "it ends too early."
    return "it ends too early, or its SELECT does not fit its GROUP BY, or gives a name twice."


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _placed(text: str, at: int, words: str) -> BadSparql:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return BadSparql(f"line {line}, column {column}: {words}", line, column)
