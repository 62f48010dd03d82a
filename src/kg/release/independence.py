"""How many sources really stand behind a claim, when one repeats another.

Coverage of a report is no second source beside it, nor are two articles on one report two; and a
report that adopts a recommendation of another is none beside that. What depends on each other
counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dependence:
    """Which documents cover which, and which adopt a recommendation of which; by their numbers."""

    covers: Mapping[int, frozenset[int]]
    adopts: Mapping[int, frozenset[int]]

    @classmethod
    def of(cls, covers: Iterable[tuple[int, int]], adopts: Iterable[tuple[int, int]]) -> Dependence:
        """Returns it for pairs of a document and the one it depends on."""
        return cls(_by_first(covers), _by_first(adopts))

    def count(self, documents: Iterable[int]) -> int:
        """Returns how many of some documents are left when those that depend on each other count once.

        >>> Dependence.of([(2, 1), (3, 1)], [(5, 4)]).count([2, 3, 4, 5, 6])
        3
        """
        members = set(documents)
        if len(members) < 2:
            return len(members)
        leader = {document: document for document in members}
        for document in sorted(members):
            # What two articles cover ties them together even where it is no origin itself.
            for other in self.covers.get(document, frozenset()) | (self.adopts.get(document, frozenset()) & members):
                leader.setdefault(other, other)
                leader[_leader(leader, document)] = _leader(leader, other)
        return len({_leader(leader, document) for document in members})


def _leader(leader: Mapping[int, int], document: int) -> int:
    while leader[document] != document:
        document = leader[document]
    return document


def _by_first(pairs: Iterable[tuple[int, int]]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for document, other in pairs:
        found.setdefault(document, set()).add(other)
    return {document: frozenset(others) for document, others in found.items()}
