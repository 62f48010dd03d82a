"""What the SPARQL Protocol asks of an update before it reaches an engine."""

from __future__ import annotations

from collections.abc import Sequence

from kg.errors import BadParameter
from kg.tokens import CLOSING, OPENING, Token, tokens


def with_dataset(update: str, using: Sequence[str], using_named: Sequence[str]) -> str:
    """Returns the update with the protocol's dataset put into each operation that matches a pattern.

    Source: SPARQL 1.1 Protocol, section 2.2.3: as if USING and USING NAMED stood in every
    operation with a WHERE; an update that has its own dataset is refused.

    Raises:
        BadParameter: the update has USING or WITH of its own.
    """
    if not (using or using_named):
        return update
    clauses = "".join([*(f"USING <{iri}> " for iri in using), *(f"USING NAMED <{iri}> " for iri in using_named)])
    found = _at_top(update)
    for token in found:
        if token.keyword in {"USING", "WITH"}:
            raise BadParameter("using-graph-uri: the update names a dataset of its own (USING or WITH).")
    pieces, done = [], 0
    for place, token in enumerate(found):
        if token.keyword == "WHERE":
            pieces.append(update[done : token.start])
            if place and found[place - 1].keyword == "DELETE":
                # DELETE WHERE is short for a template that equals the pattern, and has no USING.
                pieces.append(_block(update, token.end) + " ")
            pieces.append(clauses)
            done = token.start
    return "".join([*pieces, update[done:]])


def without_silent_loads(update: str) -> str:
    """Returns the update with each LOAD SILENT as what it is where nothing is ever fetched: nothing.

    Source: SPARQL 1.1 Update, section 3.1.4: a LOAD that fails with SILENT is a success.
    """
    top = _at_top(update)
    pieces, done = [], 0
    for at, token in enumerate(top):
        if token.keyword == "LOAD" and [t.keyword for t in top[at + 1 : at + 2]] == ["SILENT"]:
            end = next((t.start for t in top[at:] if t.text == ";"), len(update))
            pieces += [update[done : token.start], "INSERT DATA {} "]
            done = end
    return "".join([*pieces, update[done:]])


def _at_top(update: str) -> list[Token]:
    """Returns the tokens outside of all brackets."""
    depth, top = 0, []
    for token in tokens(update):
        depth -= token.text in CLOSING
        if depth == 0 and token.text not in CLOSING:
            top.append(token)
        depth += token.text in OPENING
    return top


def _block(update: str, start: int) -> str:
    """Returns the bracketed block that begins after a place."""
    depth, first = 0, None
    for token in tokens(update[start:]):
        if token.text in OPENING:
            first = token.start if first is None else first
            depth += 1
        elif token.text in CLOSING:
            depth -= 1
            if depth == 0 and first is not None:
                return update[start + first : start + token.end]
    return ""
