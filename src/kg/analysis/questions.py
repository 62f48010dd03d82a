"""The questions on the whole, as they are asked: names in words, answers as values."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from kg.analysis.blockers import Blockers, blockers
from kg.analysis.centrality import Centrality, Network, central
from kg.analysis.chains import Chains
from kg.analysis.comparison import Comparison, compare
from kg.analysis.fragility import Fragility, fragile
from kg.analysis.gaps import Gaps, gaps
from kg.analysis.independence import Independence
from kg.analysis.keystones import Keystones, WhatIf, keystones, what_if
from kg.analysis.lineage import Lineage, lineage
from kg.analysis.news import NewsOfDocument, news
from kg.analysis.reading import MAX_LIMIT, Reader, within
from kg.analysis.tensions import Tensions, tensions
from kg.analysis.timeline import Timeline, timeline
from kg.evidence import Texts
from kg.model import Basis, Entity
from kg.release.opened import Release

MAX_HOPS = 12
ANY = frozenset(Basis)


class Named(Protocol):
    """Looks up what a person means, as `Answers.entity` does."""

    def __call__(self, text: str, kind: str | None = None, parameter: str = "entity") -> Entity:
        """Returns the entity of that name, of a class if one is given."""


class Analysis:
    """The questions on the whole of one release.

    Every method takes names as people write them and returns at most `limit` results; `truncated` tells
    whether there are more. Each raises UnknownName or AmbiguousName for a name, and BadParameter for a
    number out of range or a thing of another class.
    """

    def __init__(self, release: Release, texts: Texts, named: Named) -> None:
        self._reader = Reader(release, texts)
        self._named = named
        self._chains: dict[frozenset[Basis], Chains] = {}

    def blockers(self, entity: str, max_hops: int = 6, limit: int = 100, basis: frozenset[Basis] = ANY) -> Blockers:
        """Returns what stands in the way of a thing, upstream."""
        within("max_hops", max_hops, 1, MAX_HOPS)
        within("limit", limit, 1, MAX_LIMIT)
        found = self._named(entity)
        return blockers(self._reader, self._chains_of(basis), self._independence, found, max_hops, limit)

    def keystones(self, limit: int = 20, basis: frozenset[Basis] = ANY) -> Keystones:
        """Returns the barriers whose going frees most themes."""
        within("limit", limit, 1, MAX_LIMIT)
        return keystones(self._reader, self._chains_of(basis), self._independence, limit)

    def what_if(self, barrier: str, limit: int = 50, basis: frozenset[Basis] = ANY) -> WhatIf:
        """Returns what changes if a barrier goes."""
        within("limit", limit, 1, MAX_LIMIT)
        return what_if(self._reader, self._chains_of(basis), self._named(barrier, "pev:Barrier", "barrier"), limit)

    def compare(self, theme: str, limit: int = 50) -> Comparison:
        """Returns what each document says on a theme; `limit` counts documents."""
        within("limit", limit, 1, MAX_LIMIT)
        return compare(self._reader, self._independence, self._theme(theme), limit)

    def gaps(self, theme: str | None = None, reverse: bool = False, limit: int = 200) -> Gaps:
        """Returns which barriers (reverse: recommendations) lack evidence, an answer or a follow-up."""
        within("limit", limit, 1, MAX_LIMIT)
        return gaps(self._reader, self._theme_or_all(theme), reverse, limit)

    def tensions(self, theme: str | None = None, limit: int = 100) -> Tensions:
        """Returns where claims on a theme disagree."""
        within("limit", limit, 1, MAX_LIMIT)
        return tensions(self._reader, self._independence, self._theme_or_all(theme), limit)

    def lineage(self, item: str, limit: int = 200) -> Lineage:
        """Returns what became of an item."""
        within("limit", limit, 1, MAX_LIMIT)
        return lineage(self._reader, self._independence, self._named(item, "pev:Item", "item"), limit)

    def timeline(self, theme: str | None = None, limit: int = 50) -> Timeline:
        """Returns the years in which themes are named, silent or said resolved; `limit` counts themes."""
        within("limit", limit, 1, MAX_LIMIT)
        return timeline(self._reader, self._independence, self._theme_or_all(theme), limit)

    def fragile(self, document: str | None = None, limit: int = 50) -> Fragility:
        """Returns the passages on which items rest alone, and what falls with them."""
        within("limit", limit, 1, MAX_LIMIT)
        found = None if document is None else self._named(document, "pev:Document", "document")
        return fragile(self._reader, self._chains_of(ANY), found, limit)

    def news(self, document: str, limit: int = 200) -> NewsOfDocument:
        """Returns what a document says first, what it repeats and what it drops."""
        within("limit", limit, 1, MAX_LIMIT)
        return news(self._reader, self._independence, self._named(document, "pev:Document", "document"), limit)

    def central(self, limit: int = 10) -> Centrality:
        """Returns the bodies asked most and the barriers that matter most; `limit` counts each."""
        within("limit", limit, 1, MAX_LIMIT)
        return central(self._reader, self._network, self._independence, limit)

    def _theme(self, text: str) -> Entity:
        return self._named(text, "pev:Theme", "theme")

    def _theme_or_all(self, text: str | None) -> Entity | None:
        return None if text is None else self._theme(text)

    def _chains_of(self, basis: frozenset[Basis]) -> Chains:
        # There are at most fifteen sets of basis; two threads that both build one build the same.
        if basis not in self._chains:
            self._chains[basis] = Chains(self._reader, basis)
        return self._chains[basis]

    @cached_property
    def _independence(self) -> Independence:
        return Independence(self._reader)

    @cached_property
    def _network(self) -> Network:
        return Network(self._reader)
