"""Literals that an engine keeps by value, written again as our own store writes them.

Virtuoso answers a truth value as `1`, a double as `1000.0` and a duration as its months (`18`) or its
seconds (`864000.0`, or `7.776e+06`). The datatype stays, so the form can be restored; what was restored is
compared with the release when it is published, so that a form that is not foreseen here is found and named.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store

from kg.names import XSD

_DURATIONS = frozenset({"duration", "yearMonthDuration", "dayTimeDuration"})
_REWRITTEN = "boolean|double|float|decimal|duration|yearMonthDuration|dayTimeDuration"
_TYPE = re.escape(XSD) + f"({_REWRITTEN})"
# A quotation mark within a string is escaped in either form, so neither pattern matches inside of one.
_IN_JSON = re.compile(rf'("datatype":\s*"{_TYPE}"\s*,\s*"value":\s*")([^"\\]*)(")'.encode())
_IN_TRIPLES = re.compile(rf'(")([^"\\]*)("\^\^<{_TYPE}>)'.encode())


@lru_cache(maxsize=4096)
def restored(kind: str, text: str) -> str:
    """Returns the form that our store gives a value of an XSD datatype.

    >>> restored("boolean", "1"), restored("double", "1000.0"), restored("duration", "18")
    ('true', '1000', 'P1Y6M')
    >>> restored("duration", "864000.0"), restored("double", "kettle")
    ('P10D', 'kettle')
    """
    if kind in _DURATIONS and re.fullmatch(r"-?\d+", text):
        text = f"{'-' * text.startswith('-')}P{text.lstrip('-')}M"
    elif kind in _DURATIONS and re.fullmatch(r"-?\d+\.?\d*(e\+\d+)?", text):
        text = f"{'-' * text.startswith('-')}PT{Decimal(text.lstrip('-')):f}S"
    return canonical(Literal(text, datatype=NamedNode(XSD + kind))).value


def canonical(literal: Literal) -> Literal:
    """Returns a literal as our store gives it back."""
    store, name = Store(), NamedNode("urn:x")
    store.add(Quad(name, name, literal, DefaultGraph()))
    found = next(iter(store)).object
    assert isinstance(found, Literal)
    return found


def restored_json(answer: bytes) -> bytes:
    """Returns SPARQL results in JSON with the forms restored."""

    def form(match: re.Match[bytes]) -> bytes:
        return match[1] + restored(match[2].decode(), match[3].decode()).encode() + match[4]

    return _IN_JSON.sub(form, answer)


def restored_triples(lines: bytes) -> bytes:
    """Returns N-Triples with the forms restored."""

    def form(match: re.Match[bytes]) -> bytes:
        return match[1] + restored(match[4].decode(), match[2].decode()).encode() + match[3]

    return _IN_TRIPLES.sub(form, lines)
