"""How many sources stand behind something, and how many of them are independent.

An origin is the document in which an item is stated; one that only relays it is coverage and does
not count. Among the items that say a thing, one is derivative when it reiterates, in one step or
several, an item of another origin among them, or when its origin is an article that reports on
the origin of another of them. The independent origins are those of the items that are not derivative:
a report that adopts another's recommendation is no second source, nor is coverage of a report.

The questions in queries/ that count `independent` origins say the same in SPARQL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from kg.analysis.reading import Reader
from kg.names import PEV


@dataclass(frozen=True)
class Sources:
    """Distinct origin documents of some items, all of them and the independent ones."""

    origins: int
    independent: int


class Independence:
    """Counts sources over the links of one release."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def sources(self, items: Iterable[str]) -> Sources:
        """Returns how many origins state some items, and how many of these are independent."""
        links = self._reader.release.links
        return self.of_nodes({node for item in items if (node := links.node(item)) is not None})

    def of_nodes(self, items: Collection[int]) -> Sources:
        """Returns the same for items given by the numbers of their nodes."""
        origin_of = self._reader.origins
        origins = {item: int(origin_of[item]) for item in items if origin_of[item] >= 0}
        stated = set(origins.values())
        free = {origin for item, origin in origins.items() if not self._derivative(item, origins, stated)}
        return Sources(len(stated), len(free))

    def alike(self, item: int) -> set[int]:
        """Returns an item with those that are recorded as similar to it."""
        return {item, *self._similar.get(item, ())}

    def _derivative(self, item: int, origins: dict[int, int], stated: set[int]) -> bool:
        own = origins[item]
        if any(origins.get(earlier, own) != own for earlier in self._earlier(item)):
            return True
        return any(covered in stated and covered != own for covered in self._covers.get(own, ()))

    def _earlier(self, item: int) -> set[int]:
        """Returns what an item says again, in one step or several."""
        found: set[int] = set()
        ahead = list(self._repeats.get(item, ()))
        while ahead:
            node = ahead.pop()
            if node not in found:
                found.add(node)
                ahead += self._repeats.get(node, ())
        return found

    @cached_property
    def _repeats(self) -> dict[int, list[int]]:
        return self._pairs(PEV + "reiterates")

    @cached_property
    def _covers(self) -> dict[int, list[int]]:
        return self._pairs(PEV + "reportsOn")

    @cached_property
    def _similar(self) -> dict[int, list[int]]:
        forward = self._pairs(PEV + "similarTo")
        found = {item: list(others) for item, others in forward.items()}
        for item, others in forward.items():
            for other in others:
                found.setdefault(other, []).append(item)
        return found

    def _pairs(self, predicate: str) -> dict[int, list[int]]:
        arrays = self._reader.release.links.arrays
        found: dict[int, list[int]] = {}
        for number in self._reader.links_of_type(predicate).tolist():
            found.setdefault(int(arrays["subject"][number]), []).append(int(arrays["object"][number]))
        return found
