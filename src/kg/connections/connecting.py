"""A search for connections from a question to its answer: restricted, walked, explained, and to be replayed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from urllib.parse import urlencode

import numpy as np
from pyoxigraph import Literal, NamedNode

from kg.connections.certificate import Certifier
from kg.connections.explain import Explainer
from kg.connections.network import Allowed, Flags, Weighted, flags_of
from kg.connections.paths import Found, PathSearch
from kg.connections.values import PathQuery, Paths, Restriction, Searched, WhyNone
from kg.model import Basis
from kg.release.opened import Release


class Connections:
    """Finds connections in one release."""

    def __init__(self, release: Release, explainer: Explainer, max_expansions: int) -> None:
        self._release = release
        self._explainer = explainer
        self._max_expansions = max_expansions
        self._members = lru_cache(maxsize=64)(self._members_of)

    def between(self, query: PathQuery) -> Paths:
        """Returns the connections that a query asks for; its restriction names things by IRI."""
        wanted = query.restriction.links
        links = [link for link in self._release.links.types if not wanted or link in wanted]
        things = (query.start.iri, *query.restriction.via, query.end.iri)
        nodes = self._release.links.nodes_of(things)
        if len(nodes) < len(things):
            why = self._certifier.unlinked(next(iri for iri in things if self._release.links.node(iri) is None))
            return self._answer(query, Searched(query.max_hops, 0, True), why_none=why)
        found = self._search(query, nodes)
        searched = _searched(query, found)
        if not found.chains:
            return self._answer(query, searched, why_none=self._certifier.why_none(query, found, links))
        return self._answer(query, searched, found)

    @cached_property
    def weighted(self) -> Weighted:
        """The links of the release with what they cost."""
        return Weighted.of(self._release.links)

    @cached_property
    def _certifier(self) -> Certifier:
        return Certifier(self._release, self._explainer)

    def _search(self, query: PathQuery, nodes: Sequence[int]) -> Found:
        start, *via, goal = nodes
        allowed = self._allowed(query, nodes)
        return PathSearch(
            self.weighted,
            start,
            goal,
            query.max_hops,
            query.limit,
            self._max_expansions,
            query.mode,
            allowed,
            tuple(via),
        ).run()

    def _answer(
        self, query: PathQuery, searched: Searched, found: Found | None = None, why_none: WhyNone | None = None
    ) -> Paths:
        chains = () if found is None else found.chains
        return Paths(
            self._release.id,
            query.start,
            query.end,
            self._explainer.paths(chains),
            searched,
            why_none,
            found is not None and found.truncated,
            self._explainer.query_of(map(self._release.links.link, {s.link for chain in chains for s in chain.steps})),
            permalink_of(query, self._release.id),
        )

    # Restrictions, as flags over nodes and types

    def _allowed(self, query: PathQuery, ends: Sequence[int]) -> Allowed:
        restriction = query.restriction
        types = None
        if restriction.links:
            types = np.array([link in restriction.links for link in self._release.links.types])
        return Allowed(
            query.basis, types, self._documents(restriction), self._between(restriction, ends),
            restriction.direction == "forward",
        )  # fmt: skip

    def _between(self, restriction: Restriction, ends: Sequence[int]) -> Flags | None:
        """Returns which nodes may be passed; the ends may always."""
        if not (restriction.types or restriction.avoid):
            return None
        count = self._release.links.node_count
        members = [self._members(kind) for kind in restriction.types]
        kept = np.logical_or.reduce(members) if members else np.ones(count, dtype=np.bool_)
        kept = kept & ~self._flags(restriction.avoid)
        kept[list(ends)] = True
        return kept

    def _members_of(self, kind: str) -> Flags:
        return self._flags(self._release.search.members(kind))

    def _documents(self, restriction: Restriction) -> Flags | None:
        """Returns which documents count as origins."""
        if not (restriction.place or restriction.document or restriction.since or restriction.until):
            return None
        kept = set(self._origins)
        if restriction.document:
            kept &= set(restriction.document)
        if restriction.place:
            kept &= {iri for iri in kept if self._origins[iri].places & set(restriction.place)}
        if restriction.since or restriction.until:
            kept = {iri for iri in kept if any(map(restriction.issued_in_time, self._origins[iri].issued))}
        return self._flags(kept)

    @cached_property
    def _origins(self) -> Mapping[str, _Origin]:
        """The documents, with their dates and places."""
        found: dict[str, _Origin] = {}
        for document, issued, place in self._release.source.select(self._release.library.program("origins").text).rows:
            assert isinstance(document, NamedNode)
            origin = found.setdefault(document.value, _Origin())
            if isinstance(issued, Literal):
                origin.issued.add(issued.value)
            if isinstance(place, NamedNode):
                origin.places.add(place.value)
        return found

    def _flags(self, iris: Collection[str]) -> Flags:
        return flags_of(self._release.links.node_count, self._release.links.numbers(iris))


@dataclass(frozen=True)
class _Origin:
    """When a document was issued, and which places it is about, with those they lie in."""

    issued: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)


def permalink_of(query: PathQuery, release: str) -> str:
    """Returns the address, below that of the service, which gives the same answer again."""
    restriction = query.restriction
    one = {
        "from": query.start.iri,
        "to": query.end.iri,
        "max_hops": query.max_hops,
        "limit": query.limit,
        "mode": query.mode.value,
        "basis": ",".join(basis.value for basis in Basis if basis in query.basis),
        "direction": restriction.direction,
        "since": restriction.since,
        "until": restriction.until,
    }
    many = {name: getattr(restriction, name) for name in ("via", "avoid", "links", "types", "place", "document")}
    given = {name: value for name, value in {**one, **many}.items() if value}
    return "/api/connections?" + urlencode({**given, "release": release}, doseq=True)


def _searched(query: PathQuery, found: Found) -> Searched:
    return Searched(
        query.max_hops,
        found.reached,
        found.complete,
        found.distance,
        found.longest,
        found.expanded,
        *found.levels,
    )
