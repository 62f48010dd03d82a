"""Why a query finds nothing: the first part with which nothing is left, and what is wrong with it.

The parts are joined one after the other, each time with the question whether anything still
matches; filters come last, since they look at what the others bind. Each of these small queries
runs where the query itself ran, under the same limits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kg.agents.patterns import Cut, Part, cut_query
from kg.errors import BadSparql, LimitError
from kg.model import Entity
from kg.names import Prefixes
from kg.tokens import tokens

Ask = Callable[[str], bool]
MOST_PROBES = 50


@dataclass(frozen=True)
class Diagnosis:
    """What empties a query.

    Attributes:
        part: the part, as it is written; None when it is not a part of the WHERE clause.
        reason: what is wrong, in plain words.
        before: the parts that still match together.
        unknown: names in it that the release does not know, each with the nearest that it does.
    """

    part: str | None
    reason: str
    before: tuple[str, ...] = ()
    unknown: Mapping[str, tuple[Entity, ...]] | None = None


class Diagnostician:
    """Finds out why queries find nothing.

    Args:
        ask: answers an ASK query, under the limits of strangers' queries.
        alike: the entities whose names are near to some words.
        time_limit_s: so long it may take in all.
    """

    def __init__(
        self, ask: Ask, alike: Callable[[str], Sequence[Entity]], prefixes: Prefixes, time_limit_s: float
    ) -> None:
        self._ask = ask
        self._alike = alike
        self._prefixes = prefixes
        self._time_limit_s = time_limit_s

    def why_empty(self, query: str) -> Diagnosis:
        """Returns what empties a query that parses and finds nothing."""
        cut = cut_query(query)
        if cut is None:
            return Diagnosis(None, "The query has no WHERE clause to look at.")
        try:
            return _Search(cut, self._bounded(), self._nearest).found()
        except LimitError as error:
            return Diagnosis(None, f"It was not found out within the limits: {error}")
        except BadSparql:
            return Diagnosis(None, "The parts of this query cannot be tried one by one; try a shorter one.")

    def _bounded(self) -> Ask:
        deadline, left = time.monotonic() + self._time_limit_s, iter(range(MOST_PROBES))

        def ask(query: str) -> bool:
            if next(left, None) is None or time.monotonic() > deadline:
                words = f"{MOST_PROBES} tries or {self._time_limit_s:.0f} s (KG_QUERY_TIME_LIMIT_MS)."
                raise LimitError(words, limit="KG_QUERY_TIME_LIMIT_MS")
            return self._ask(query)

        return ask

    def _nearest(self, name: str) -> tuple[Entity, ...]:
        iri = self._prefixes.iri(name.strip("<>")) or name
        words = iri.replace("#", "/").rstrip("/").rpartition("/")[2].replace("-", " ")
        return tuple(self._alike(words)[:3]) if words.strip() else ()


@dataclass(frozen=True)
class _Fault:
    """The parts that match together, the one with which nothing is left, and whether it matches nothing by itself."""

    before: tuple[Part, ...]
    part: Part | None
    alone: bool = False


@dataclass(frozen=True)
class _Place:
    """Where parts are tried: what stands before them, and which groups they are in."""

    before: str = ""
    opening: str = ""
    closing: str = ""

    def joined(self, parts: Sequence[Part]) -> str:
        """Returns the group in which the parts are joined with what stands before them."""
        return f"{self.before} {' '.join(map(_written, parts))} {self.closing}"

    def alone(self, part: Part) -> str:
        """Returns the group in which a part stands alone."""
        return f"{self.opening} {_written(part)} {self.closing}"

    def within(self, part: Part, matching: Sequence[Part]) -> _Place:
        """Returns the place within a group that follows some parts."""
        before = f"{self.before} {' '.join(map(_written, matching))} {part.opening}"
        return _Place(before, f"{self.opening} {part.opening}", f"{part.closing} {self.closing}")


class _Search:
    """One search for the part that empties a query."""

    def __init__(self, cut: Cut, ask: Ask, nearest: Callable[[str], tuple[Entity, ...]]) -> None:
        self._cut = cut
        self._ask = ask
        self._nearest = nearest

    def found(self) -> Diagnosis:
        fault = self._emptying(self._cut.parts, (), _Place())
        texts = tuple(part.text for part in fault.before)
        if fault.part is None:
            words = "All parts match together; what comes after them (HAVING, OFFSET, LIMIT) leaves nothing."
            return Diagnosis(None, words, texts)
        if fault.part.kind == "filter":
            return Diagnosis(fault.part.text, "Rows match up to here; this removes every one of them.", texts)
        if not fault.alone:
            words = "This matches by itself, but not together with the parts before it."
            return Diagnosis(fault.part.text, words, texts)
        unknown = self._unknown(fault.part)
        return Diagnosis(fault.part.text, self._why_alone(fault.part, unknown), texts, unknown or None)

    def _emptying(self, parts: Sequence[Part], before: tuple[Part, ...], place: _Place) -> _Fault:
        """Returns the parts that match together, and the next one, with which nothing is left."""
        ordered = [*(p for p in parts if p.kind != "filter"), *(p for p in parts if p.kind == "filter")]
        for at, part in enumerate(ordered):
            if part.kind == "optional" or self._matches(place.joined(ordered[: at + 1])):
                continue
            matching, alone = ordered[:at], part.kind != "filter" and not self._matches(place.alone(part))
            inside = self._inside(part, () if alone else (*before, *matching), place, () if alone else matching)
            return inside or _Fault((*before, *matching), part, alone)
        return _Fault((*before, *ordered), None)

    def _inside(self, part: Part, before: tuple[Part, ...], place: _Place, matching: Sequence[Part]) -> _Fault | None:
        """Returns which part within a group empties it, where the group can be looked into."""
        if not part.inner:
            return None
        found = self._emptying(part.inner, before, place.within(part, matching))
        return None if found.part is None else found

    def _matches(self, body: str) -> bool:
        return self._ask(self._cut.probe(body))

    def _unknown(self, part: Part) -> dict[str, tuple[Entity, ...]]:
        """Returns the names in a part that stand in no triple, with what is called alike."""
        names = dict.fromkeys(t.text for t in tokens(part.text) if t.kind in {"iri", "pname"})
        return {name: self._nearest(name) for name in names if not self._matches(_anywhere(name))}

    def _why_alone(self, part: Part, unknown: Mapping[str, object]) -> str:
        if unknown:
            return f"This matches nothing by itself: the release knows no {', '.join(unknown)}."
        plain = next((t.text for t in tokens(part.text) if t.kind == "string"), None)
        if plain is not None and not any(t.kind == "lang" for t in tokens(part.text)):
            tagged = part.text.replace(plain, f"{plain}@en", 1)
            if self._matches(tagged):
                return f"This matches nothing by itself: in the release the text has a language, {plain}@en."
        return "This matches nothing by itself, although the release knows each name in it."


def _written(part: Part) -> str:
    return f"{part.text} ." if part.kind == "pattern" and not part.text.upper().startswith("VALUES") else part.text


def _anywhere(name: str) -> str:
    return f"{{ {name} ?p1 ?o1 }} UNION {{ ?s2 {name} ?o2 }} UNION {{ ?s3 ?p3 {name} }}"
