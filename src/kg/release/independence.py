"""How many independent sources stand behind something: counted by the documents in which it is stated.

Of some documents, one is no source of its own beside another of them when it depends on it:

- it covers the other (`pev:reportsOn`);
- one of its items says an item of the other again (`pev:reiterates`, in one step or several), as a
  report does that adopts a recommendation;
- both cover the same document, and the other comes first by its IRI.

The independent ones are the rest; of documents that all depend on each other, one counts. It is judged
document by document, and so on the safe side. The questions in queries/ that count `independent`
origins say the same in SPARQL; docs/connections.md says it to who reads the counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dependence:
    """For each document, by number, those beside which it is no source of its own."""

    beside: Mapping[int, frozenset[int]]

    @classmethod
    def of(cls, covers: Iterable[tuple[int, int]], repeats: Iterable[tuple[int, int]]) -> Dependence:
        """Returns it for pairs of a document and the one that it covers, or of which it says an item again.

        Numbers go as the IRIs do.
        """
        covered: dict[int, set[int]] = {}
        found: dict[int, set[int]] = {}
        for document, other in covers:
            found.setdefault(document, set()).add(other)
            covered.setdefault(other, set()).add(document)
        for document, other in repeats:
            found.setdefault(document, set()).add(other)
        for documents in covered.values():
            for document in documents:
                found[document] |= {other for other in documents if other < document}
        return cls({document: frozenset(others) for document, others in found.items()})

    def count(self, documents: Iterable[int]) -> int:
        """Returns how many of some documents are independent.

        >>> dependence = Dependence.of(covers=[(2, 1), (3, 1)], repeats=[(5, 4), (6, 4), (6, 1)])
        >>> dependence.count([2, 3]), dependence.count([4, 5, 7]), dependence.count([1, 4, 6])
        (1, 2, 2)
        """
        members = set(documents)
        independent = sum(not members & self.beside.get(document, frozenset()) for document in members)
        return max(independent, min(len(members), 1))
