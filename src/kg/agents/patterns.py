"""A query cut into the parts of its WHERE clause, without evaluating it.

Only what is needed to ask "does this part, with those before it, still match anything?": the parts
keep their own text, so what is reported is what was written.

Source: SPARQL 1.1 Query Language, section 19.8 (productions 53 to 98).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from kg.tokens import CLOSING, OPENING, Token, tokens

Kind = Literal["pattern", "group", "filter", "optional"]

_GROUP_WORDS = frozenset({"OPTIONAL", "MINUS", "GRAPH", "SERVICE", "FILTER", "BIND", "VALUES", "UNION"})
_FORMS = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})


@dataclass(frozen=True)
class Part:
    """One part of a group: `filter` looks at what the others bind, `optional` never removes anything.

    Attributes:
        text: as it was written; a triple of a list with `;` or `,` is written out.
        inner: for a group that can be looked into, the parts within.
        opening, closing: what stands around `inner`.
    """

    kind: Kind
    text: str
    inner: tuple[Part, ...] = ()
    opening: str = "{"
    closing: str = "}"


@dataclass(frozen=True)
class Cut:
    """A query in pieces: what stands before its form, its dataset clauses, and the parts of its WHERE clause."""

    prologue: str
    dataset: str
    parts: tuple[Part, ...]

    def probe(self, body: str) -> str:
        """Returns the query that tells whether anything matches a group with that body."""
        return f"{self.prologue} ASK {self.dataset} {{ {body} }}"


def cut_query(query: str) -> Cut | None:
    """Returns a query in pieces; None when it has no WHERE clause.

    >>> [part.text for part in cut_query("SELECT * { ?s a ?c ; ex:p ?o FILTER(?o > 1) }").parts]
    ['?s a ?c', '?s ex:p ?o', 'FILTER(?o > 1)']
    """
    found = list(tokens(query))
    form = next((at for at, token in enumerate(found) if token.keyword in _FORMS), None)
    if form is None:
        return None
    groups = list(_top_groups(found, form))
    # The first group of a CONSTRUCT is its template, unless it is written short.
    template = found[form].keyword == "CONSTRUCT" and found[form + 1].text == "{"
    if len(groups) <= template:
        return None
    start, end = groups[int(template)]
    dataset = " ".join(_dataset(found[form:start], query))
    parts = [*_parts(found[start + 1 : end], query), *_values_behind(found[end + 1 :], query)]
    return Cut(query[: found[form].start], dataset, tuple(parts))


def _top_groups(found: Sequence[Token], start: int) -> Iterator[tuple[int, int]]:
    at = start
    while at < len(found):
        if found[at].text in OPENING:
            end = _closing(found, at)
            if found[at].text == "{":
                yield at, end
            at = end
        at += 1


def _closing(found: Sequence[Token], at: int) -> int:
    """Returns where the bracket at a place is closed; the last place, should it not be."""
    depth = 0
    for place in range(at, len(found)):
        depth += (found[place].text in OPENING) - (found[place].text in CLOSING)
        if not depth:
            return place
    return len(found) - 1


def _dataset(found: Sequence[Token], query: str) -> Iterator[str]:
    for at, token in enumerate(found):
        if token.keyword == "FROM":
            end = at + (2 if found[at + 1].keyword == "NAMED" else 1)
            yield query[token.start : found[end].end]


def _values_behind(found: Sequence[Token], query: str) -> Iterator[Part]:
    for at, token in enumerate(found):
        if token.keyword == "VALUES":
            yield Part("pattern", query[token.start : found[_end_of_values(found, at)].end])
            return


def _parts(found: Sequence[Token], query: str) -> Iterator[Part]:
    at = 0
    while at < len(found):
        if found[at].text == ".":
            at += 1
            continue
        end = _end_of_part(found, at)
        piece = found[at : end + 1]
        if piece[0].keyword in _GROUP_WORDS or piece[0].text == "{":
            yield _part(piece, query)
        else:
            yield from (Part("pattern", text) for text in _triples(piece, query))
        at = end + 1


def _end_of_part(found: Sequence[Token], at: int) -> int:
    word = found[at].keyword
    if word == "VALUES":
        return _end_of_values(found, at)
    if word in {"FILTER", "BIND"}:
        return _end_of_filter(found, at)
    if word in _GROUP_WORDS or found[at].text == "{":
        return _end_of_groups(found, at)
    return _end_of_triples(found, at)


def _end_of_values(found: Sequence[Token], at: int) -> int:
    brace = next((place for place in range(at, len(found)) if found[place].text == "{"), len(found) - 1)
    return _closing(found, brace)


def _end_of_filter(found: Sequence[Token], at: int) -> int:
    opening = next((place for place in range(at, len(found)) if found[place].text in OPENING), len(found) - 1)
    return _closing(found, opening)


def _end_of_groups(found: Sequence[Token], at: int) -> int:
    brace = next((place for place in range(at, len(found)) if found[place].text == "{"), len(found) - 1)
    end = _closing(found, brace)
    while end + 2 < len(found) and found[end + 1].keyword == "UNION":
        end = _closing(found, end + 2)
    return end


def _end_of_triples(found: Sequence[Token], at: int) -> int:
    place = at
    while place < len(found):
        if found[place].text == "." or found[place].text == "{" or found[place].keyword in _GROUP_WORDS:
            return max(place - 1, at)
        place = _closing(found, place) + 1 if found[place].text in OPENING else place + 1
    return len(found) - 1


def _part(piece: Sequence[Token], query: str) -> Part:
    text = query[piece[0].start : piece[-1].end]
    word = piece[0].keyword
    if word in {"FILTER", "MINUS"}:
        return Part("filter", text)
    if word in {"OPTIONAL", "BIND"}:
        return Part("optional", text)
    brace = next((at for at, token in enumerate(piece) if token.text == "{"), None)
    if brace is None or word in {"VALUES", "SERVICE"} or _closing(piece, brace) != len(piece) - 1:
        return Part("pattern", text)
    within = piece[brace + 1 : -1]
    if within and within[0].keyword == "SELECT":
        return _subselect(text, within, query)
    return Part("group", text, tuple(_parts(within, query)), query[piece[0].start : piece[brace].end])


def _subselect(text: str, within: Sequence[Token], query: str) -> Part:
    groups = list(_top_groups(within, 0))
    if not groups:
        return Part("pattern", text)
    start, end = groups[0]
    return Part("group", text, tuple(_parts(within[start + 1 : end], query)))


def _triples(piece: Sequence[Token], query: str) -> Iterator[str]:
    """Yields the triples of one subject, each written out."""
    end = _closing(piece, 0) if piece[0].text in OPENING else 0
    subject, rest = query[piece[0].start : piece[end].end], piece[end + 1 :]
    if not rest:
        yield subject
    for predicate_list in _split(rest, ";"):
        if not predicate_list:
            continue
        verb_end = _end_of_verb(predicate_list)
        verb = query[predicate_list[0].start : predicate_list[verb_end].end]
        for object_ in _split(predicate_list[verb_end + 1 :], ","):
            if object_:
                yield f"{subject} {verb} {query[object_[0].start : object_[-1].end]}"


def _split(piece: Sequence[Token], mark: str) -> Iterator[Sequence[Token]]:
    """Yields what stands between the marks, brackets aside."""
    start = at = 0
    while at < len(piece):
        if piece[at].text == mark:
            yield piece[start:at]
            start = at + 1
        at = _closing(piece, at) + 1 if piece[at].text in OPENING else at + 1
    yield piece[start:]


def _end_of_verb(piece: Sequence[Token]) -> int:
    """Returns where the verb that begins here ends: a variable, a name, or a property path."""
    at = 0
    while at < len(piece):
        while at < len(piece) - 1 and piece[at].text in {"^", "!"}:
            at += 1
        at = _closing(piece, at) if piece[at].text in OPENING else at
        if at + 1 < len(piece) and piece[at + 1].text in {"*", "+", "?"}:
            at += 1
        if at + 1 >= len(piece) or piece[at + 1].text not in {"/", "|"}:
            return at
        at += 2
    return len(piece) - 1
