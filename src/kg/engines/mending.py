"""Queries as the engine has to be asked for the standard's answer, where it departs from the standard.

A mend is exact, whatever stands around it, and costs a query that has nothing to mend one look for a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from kg.tokens import Token, tokens

_GROUP_CONCAT = "GROUP_CONCAT"


T = TypeVar("T")


def asked(ask: Callable[[str], T], text: str) -> T:
    """Returns what an engine answers to a query or update, mended; it complains of the text as it was written.

    Raises:
        Whatever `ask` raises.
    """
    better = mended(text)
    if better == text:
        return ask(text)
    try:
        return ask(better)
    except SyntaxError:
        return ask(text)


def mended(text: str) -> str:
    """Returns a query or update that asks for what the standard says; the same text where nothing is to be mended.

    The engine gives GROUP_CONCAT the language that all its texts share; it is to be a plain string.

    >>> mended('SELECT (GROUP_CONCAT(?x ; SEPARATOR=")") AS ?all) {}')
    'SELECT (STR(GROUP_CONCAT(?x ; SEPARATOR=")")) AS ?all) {}'
    >>> mended('SELECT ?group_concat { ?s ?p "GROUP_CONCAT(?x)" } # GROUP_CONCAT(?x)')
    'SELECT ?group_concat { ?s ?p "GROUP_CONCAT(?x)" } # GROUP_CONCAT(?x)'

    Source: SPARQL 1.1 Query Language, section 18.5.1.7 (GroupConcat gives a simple literal).
    """
    if _GROUP_CONCAT not in text.upper():
        return text
    marks = sorted(mark for start, end in _calls(text) for mark in ((start, "STR("), (end, ")")))
    parts, at = [], 0
    for place, mark in marks:
        parts += [text[at:place], mark]
        at = place
    return "".join([*parts, text[at:]])


def _calls(text: str) -> Iterator[tuple[int, int]]:
    """Yields where each call of GROUP_CONCAT starts and ends."""
    opened: list[int | None] = []
    before: Token | None = None
    for token in tokens(text):
        if token.text == "(":
            opened.append(before.start if before is not None and before.keyword == _GROUP_CONCAT else None)
        elif token.text == ")" and opened:
            start = opened.pop()
            if start is not None:
                yield start, token.end
        before = token
