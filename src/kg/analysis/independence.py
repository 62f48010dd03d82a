"""How many sources stand behind some items, and how many of them are independent.

An origin is the document in which an item is stated; one that only relays it is coverage and does not count.
Which origins are independent `kg.release.independence` says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

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
        return self.of_nodes([node for item in items if (node := self._reader.node(item)) is not None])

    def of_nodes(self, items: Collection[int]) -> Sources:
        """Returns the same for items given by the numbers of their nodes."""
        origins = np.unique(self._reader.origins[list(items)])
        stated = origins[origins >= 0].tolist()
        return Sources(len(stated), self._reader.release.links.dependence.count(stated))

    def alike(self, item: int) -> set[int]:
        """Returns an item with those that are recorded as similar to it."""
        return {item, *self._similar.get(item, ())}

    @cached_property
    def _similar(self) -> dict[int, list[int]]:
        arrays = self._reader.release.links.arrays
        found: dict[int, list[int]] = {}
        for number in self._reader.links_of_type(PEV + "similarTo").tolist():
            one, other = int(arrays["subject"][number]), int(arrays["object"][number])
            found.setdefault(one, []).append(other)
            found.setdefault(other, []).append(one)
        return found
