"""Why there is no path: how far each side got, and which one link would join them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from pyoxigraph import Literal, NamedNode

from kg.connections.explain import ATTRIBUTIONS, Explainer
from kg.connections.paths import Found
from kg.connections.reach import Reach
from kg.connections.values import Fits, MissingLink, PathQuery, WhyNone
from kg.model import Entity
from kg.release.opened import Release

_NAMED = 5
# Of so many things on either side, nearest and busiest first, the ends of a missing link are sought.
_CONSIDERED = 200
# Where the ontology leaves a side of a link type open, so many of its links tell what they join.
_OBSERVED = 1000


@dataclass(frozen=True)
class _Ends:
    """What a type of link may join: classes of its subject and of its object, and who says so."""

    subjects: frozenset[str]
    objects: frozenset[str]
    fits: Fits


class Certifier:
    """Tells why a search found nothing."""

    def __init__(self, release: Release, explainer: Explainer) -> None:
        self._release = release
        self._explainer = explainer
        self._observed = lru_cache(maxsize=None)(self._observed_of)

    def unlinked(self, iri: str) -> WhyNone:
        """Returns that a thing is known and has no links at all."""
        known = self._explainer.entity(iri, self._release.search.entities([iri]))
        return WhyNone(f"{known.label} has no links in this release.")

    def why_none(self, query: PathQuery, found: Found, links: Sequence[str]) -> WhyNone:
        """Returns why there is no path.

        Args:
            links: the types of link that were allowed.
        """
        ahead, behind = found.meeting.ahead, found.meeting.behind
        side = "from" if ahead.done else "to" if behind.done else None
        kind = "cut" if not found.complete else "unconnected" if side and found.distance is None else "too far"
        nearest = self._entities(_nearest(behind)[:_NAMED])
        missing = None if found.distance is not None else self._missing(query, ahead, behind, links)
        return WhyNone(
            self._reason(query, found, side),
            tuple(nearest.values()),
            kind,  # type: ignore[arg-type]  # one of the three words above
            side,  # type: ignore[arg-type]  # likewise
            tuple(links),
            missing,
        )

    def _reason(self, query: PathQuery, found: Found, side: str | None) -> str:
        start, end, hops = query.start.label, query.end.label, query.max_hops
        if not found.complete:
            return "The search was cut by its budget (KG_MAX_EXPANSIONS) before it found a path."
        if found.meeting.distance is not None:
            return f"No path of at most {hops} {_hops(hops)} joins {start} and {end} through all that it is to pass."
        if side is None:
            return (
                f"No path of at most {hops} {_hops(hops)} of the allowed links joins {start} and {end}; more may do so."
            )
        whose, reach = (start, found.meeting.ahead) if side == "from" else (end, found.meeting.behind)
        if reach.depth == 0:
            return f"{whose} has no link of the allowed kind{_direction(query, side)}."
        count = sum(reach.counts) - 1
        things = "thing is" if count == 1 else "things are"
        return (
            f"No path of any length joins {start} and {end} over the allowed links: {count} other {things} all that"
            f" {whose} is connected to, {reach.depth} {_hops(reach.depth)} away at most."
        )

    def _missing(self, query: PathQuery, ahead: Reach, behind: Reach, links: Sequence[str]) -> MissingLink | None:
        """Returns the link of an allowed type that would make the shortest path; among equals, between the busiest."""
        here, there = (self._by_class(_nearest(reach, ends=True), reach) for reach in (ahead, behind))
        # Who says a thing, and where, is recorded whole; what a thing is about may have been missed.
        options = [
            (link in ATTRIBUTIONS, ends.fits, subject[0] + object_[0] + 1, subject[1:], object_[1:], link)
            for link, ends in self._ends(links).items()
            for one, other in ((here, there), (there, here))
            if one is here or query.restriction.direction == "any"
            for subject in _fitting(one, ends.subjects)
            for object_ in _fitting(other, ends.objects)
        ]
        options = [option for option in options if option[2] <= query.max_hops]
        if not options:
            return None
        _, fits, hops, subject, object_, link = min(options)
        known = self._entities([subject[1], object_[1]])
        label = self._explainer.wording(link).label
        return MissingLink(known[subject[1]], link, label, known[object_[1]], hops, fits)

    def _by_class(self, nodes: Sequence[int], reach: Reach) -> dict[str, tuple[int, int, int]]:
        """Returns for each class the first of its members: its distance, its place among all, and its number."""
        iris = {self._release.links.iri(node): node for node in nodes}
        classes = self._release.search.classes(iris)
        first: dict[str, tuple[int, int, int]] = {}
        for place, (iri, node) in enumerate(iris.items()):
            for name in classes.get(iri, ()):
                first.setdefault(name, (int(reach.level[node]), place, node))
        return first

    def _ends(self, links: Sequence[str]) -> Mapping[str, _Ends]:
        """Returns what each type of link may join: as the ontology has it, else as its links here do."""
        found = {}
        for link in sorted(links):
            subjects, objects = self._declared.get((link, "domain")), self._declared.get((link, "range"))
            seen = self._observed(link) if subjects is None or objects is None else None
            found[link] = (
                _Ends(frozenset(subjects or ()), frozenset(objects or ()), "ontology")
                if seen is None
                else _Ends(frozenset(subjects or seen[0]), frozenset(objects or seen[1]), "release")
            )
        return found

    @cached_property
    def _declared(self) -> Mapping[tuple[str, str], set[str]]:
        """The classes that a type of link may begin (`domain`) and end (`range`) at, by axiom or guidance."""
        sides: dict[tuple[str, str], set[str]] = {}
        for link, side, kind in self._release.source.select(self._release.library.program("domains").text).rows:
            assert isinstance(link, NamedNode) and isinstance(side, Literal) and isinstance(kind, NamedNode)
            sides.setdefault((link.value, side.value), set()).add(kind.value)
        return sides

    def _observed_of(self, link: str) -> tuple[set[str], set[str]]:
        """Returns the classes of things that links of a type join in this release, each thing by its main class."""
        ends = self._release.links.ends_of(link, _OBSERVED)
        return self._classes(start for start, _ in ends), self._classes(end for _, end in ends)

    def _classes(self, iris: Iterable[str]) -> set[str]:
        known = self._release.search.entities(iris)
        curies = {entity.type for entity in known.values() if entity.type is not None}
        return {iri for curie in curies if (iri := self._release.library.prefixes.iri(curie)) is not None}

    def _entities(self, nodes: Iterable[int]) -> dict[int, Entity]:
        iris = {node: self._release.links.iri(node) for node in nodes}
        known = self._release.search.entities(iris.values())
        return {node: self._explainer.entity(iri, known) for node, iri in iris.items()}


def _nearest(reach: Reach, ends: bool = False) -> list[int]:
    """Returns the nodes reached, the nearest first, among equals the busiest; with `ends` also the end itself."""
    links = reach.network.weighted.links
    found: list[int] = []
    for level in range(0 if ends else 1, reach.depth + 1):
        nodes = np.flatnonzero(reach.level == level).tolist()
        found += sorted(nodes, key=lambda node: (-links.degree(node), node))
        if len(found) >= _CONSIDERED:
            break
    return found[:_CONSIDERED]


def _fitting(first: Mapping[str, tuple[int, int, int]], classes: Iterable[str]) -> list[tuple[int, int, int]]:
    return sorted(first[name] for name in classes if name in first)[:1]


def _hops(count: int) -> str:
    return "hop" if count == 1 else "hops"


def _direction(query: PathQuery, side: str) -> str:
    if query.restriction.direction == "any":
        return ""
    return " that leads away from it" if side == "from" else " that leads to it"
