"""What is missing: barriers without evidence, recommendation or follow-up, and recommendations without a barrier.

A recommendation is followed up when a recommendation, commitment, finding or key message of another
document reiterates it, supports it or is about it, or when a later source says how far it has come.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kg.analysis.reading import MOST_WITHIN, Claim, Reader, Row, grouped, iris_of
from kg.model import Basis, Entity, Passage
from kg.names import PEV

ADDRESSES = PEV + "addresses"
TAKES_UP = tuple(PEV + name for name in ("reiterates", "supports", "concerns"))
GAPS = ("no evidence", "no recommendation", "no barrier", "no follow-up")
_TAKING_UP = {f"pev:{name}" for name in ("Recommendation", "Commitment", "Finding", "KeyMessage")}


@dataclass(frozen=True)
class Progress:
    """How far a recommendation has come according to a later source; `document` says so."""

    recommendation: str
    status: Entity
    document: Entity | None
    basis: Basis


@dataclass(frozen=True)
class Gap:
    """A barrier against a theme: its evidence, the recommendations that address it, and what became of them."""

    barrier: Entity
    theme: Entity
    basis: Basis
    gap: str | None
    origin: Entity | None
    evidence: tuple[Passage, ...]
    recommendation: tuple[Claim, ...]
    follow_up: tuple[Claim | Progress, ...]


@dataclass(frozen=True)
class ReverseGap:
    """A recommendation on a theme: its evidence, the barriers that it addresses, and what became of it."""

    recommendation: Entity
    theme: Entity
    basis: Basis
    gap: str | None
    origin: Entity | None
    evidence: tuple[Passage, ...]
    barrier: tuple[Claim, ...]
    follow_up: tuple[Claim | Progress, ...]


@dataclass(frozen=True)
class Gaps:
    """Pairs with a theme, those first of which most is missing; `counts` says how many have which gap."""

    release: str
    reverse: bool
    counts: dict[str, int]
    results: tuple[Gap | ReverseGap, ...]
    truncated: bool


def gaps(reader: Reader, theme: Entity | None, reverse: bool, limit: int) -> Gaps:
    """Returns barriers × themes with what is missing; with `reverse` recommendations × themes."""
    what = "recommendation" if reverse else "barrier"
    given = {} if theme is None else {"theme": theme.iri}
    columns = (what, f"{what}Label", "theme", "themeLabel", "how", "gap")
    pairs = grouped(reader.rows(f"gaps-of-{what}s", columns, **given), what, "theme")
    order = sorted(pairs, key=lambda pair: _order(pairs[pair][0], pair))
    counts = {gap: sum(rows[0]["gap"] == gap for rows in pairs.values()) for gap in (*GAPS, "none")}
    kept = order[:limit]
    ties = _Ties(reader, kept, reverse)
    results = tuple(ties.result(pairs[pair][0], pair) for pair in kept)
    possible = {gap: n for gap, n in counts.items() if gap != ("no recommendation" if reverse else "no barrier")}
    return Gaps(reader.release.id, reverse, possible, results, len(order) > limit)


def _order(row: Row, pair: Sequence[str]) -> tuple[object, ...]:
    worst = (*GAPS, "none").index(row["gap"])
    return worst, row.get("barrierLabel") or row.get("recommendationLabel"), pair[0], row["themeLabel"], pair[1]


class _Ties:
    """What the items of an answer are tied to: recommendations to barriers, and follow-ups to recommendations."""

    def __init__(self, reader: Reader, pairs: Sequence[tuple[str, ...]], reverse: bool) -> None:
        self._reader, self._reverse = reader, reverse
        items = {item for item, _ in pairs}
        tied = {item: reader.ends(item, ADDRESSES) if reverse else reader.starts(item, ADDRESSES) for item in items}
        wanted = "pev:Barrier" if reverse else "pev:Recommendation"
        self._across = {item: self._of_kind(found, {wanted})[:MOST_WITHIN] for item, found in tied.items()}
        proposals = items if reverse else {proposal for found in self._across.values() for proposal in found}
        self._later = {proposal: self._taking_up(proposal) for proposal in proposals}
        told = [row for row in reader.rows_about("progress", "recommendation", proposals) if "status" in row]
        self._told = grouped(told, "recommendation")
        groups = (*self._across.values(), *self._later.values(), *pairs)
        self._grounds = reader.grounds({*(i for group in groups for i in group), *iris_of(told, "status", "document")})

    def _of_kind(self, iris: Sequence[str], kinds: Collection[str]) -> list[str]:
        known = self._reader.release.search.entities(iris)
        return [iri for iri in iris if iri in known and known[iri].type in kinds]

    def _taking_up(self, proposal: str) -> list[str]:
        own = self._reader.origin(proposal)
        others = self._of_kind(self._reader.starts(proposal, *TAKES_UP), _TAKING_UP)
        return [item for item in others if self._reader.origin(item) != own]

    def result(self, row: Row, pair: Sequence[str]) -> Gap | ReverseGap:
        """Returns a pair with what it has."""
        item, theme = pair
        across = self._across[item]
        shared = (
            self._grounds.entity(item),
            self._grounds.entity(theme),
            Basis(row["how"]),
            None if row["gap"] == "none" else row["gap"],
            self._grounds.stated_in(item),
            self._grounds.evidence(item),
            tuple(self._grounds.claim(other, [item], [ADDRESSES]) for other in across),
            self._follow_up([item] if self._reverse else across),
        )
        return ReverseGap(*shared) if self._reverse else Gap(*shared)

    def _follow_up(self, proposals: Sequence[str]) -> tuple[Claim | Progress, ...]:
        later = dict.fromkeys((by, proposal) for proposal in proposals for by in self._later[proposal])
        found: list[Claim | Progress] = [self._grounds.claim(by, [proposal], TAKES_UP) for by, proposal in later]
        found += [self._progress(row) for proposal in proposals for row in self._told.get((proposal,), ())]
        return tuple(found[:MOST_WITHIN])

    def _progress(self, row: Row) -> Progress:
        document = self._grounds.entity(row["document"]) if "document" in row else None
        return Progress(row["recommendation"], self._grounds.entity(row["status"]), document, Basis(row["how"]))
