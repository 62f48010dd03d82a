"""What rests on one passage, and what falls with it.

An item that has a single passage stands or falls with that passage. With an item fall all links from and to
it, whoever made them: what it says, what we judge of it, and what rules conclude from it. What a rule concludes
of its document (which themes it has) falls when no other item of the document carries it. A
theme, initiative or outcome is freed when every barrier against it falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kg.analysis.chains import Chains
from kg.analysis.reading import MOST_WITHIN, Claim, Reader, distinct, grouped
from kg.model import Basis, Entity, Passage
from kg.names import PEV

HAS_THEME = PEV + "hasTheme"
COLUMNS = ("documentLabel", "document", "passage", "itemLabel", "item")


@dataclass(frozen=True)
class FallingLink:
    """A link that falls with a passage."""

    from_: str
    link: str
    to: str
    basis: Basis


@dataclass(frozen=True)
class Fragile:
    """A passage, the items that rest on it alone, and what falls with them.

    `items` and `falls` (links by basis) count all; `claims`, `links` and `frees` show the first.
    """

    passage: Passage
    items: int
    claims: tuple[Claim, ...]
    falls: dict[str, int]
    links: tuple[FallingLink, ...]
    frees: tuple[Entity, ...]


@dataclass(frozen=True)
class Fragility:
    """Passages on which items rest alone, those first with which most links fall.

    `items` of `of_items` with evidence rest on one passage.
    """

    release: str
    items: int
    of_items: int
    results: tuple[Fragile, ...]
    truncated: bool


def fragile(reader: Reader, chains: Chains, document: Entity | None, limit: int) -> Fragility:
    """Returns the passages on which items rest alone, of one document or of all."""
    given = {} if document is None else {"document": document.iri}
    rows = reader.rows("items-resting-on-one-passage", COLUMNS, **given)
    falls = {passage: _Fall(reader, distinct(found, "item")) for (passage,), found in grouped(rows, "passage").items()}
    order = sorted(falls, key=lambda passage: (-len(falls[passage].links), passage))
    kept = order[:limit]
    freed = {passage: falls[passage].freed(chains) for passage in kept}
    shown = {item for passage in kept for item in falls[passage].items[:MOST_WITHIN]}
    named = {reader.release.links.iri(node) for nodes in freed.values() for node in nodes[:MOST_WITHIN]}
    grounds = reader.grounds(shown | named)
    results = []
    for passage in kept:
        fall = falls[passage]
        claims = tuple(grounds.claim(item) for item in fall.items[:MOST_WITHIN])
        whole = next(p for p in claims[0].evidence if p.iri == passage)
        frees = tuple(grounds.entity(reader.release.links.iri(node)) for node in freed[passage][:MOST_WITHIN])
        results.append(Fragile(whole, len(fall.items), claims, fall.by_basis(), fall.shown(), frees))
    counted = len({row["item"] for row in rows})
    of_items = int(reader.rows("items-with-evidence")[0]["items"])
    return Fragility(reader.release.id, counted, of_items, tuple(results), len(order) > limit)


class _Fall:
    """What falls with some items."""

    def __init__(self, reader: Reader, items: Sequence[str]) -> None:
        self._reader, self.items = reader, items
        links = reader.release.links
        self._nodes = [node for item in items if (node := links.node(item)) is not None]
        own = {int(n) for node in self._nodes for part in links.links_of(node) for n in part}
        self.links = sorted(own | set(self._concluded()))

    def _concluded(self) -> list[int]:
        """Returns the links that a rule drew from these items for their documents, and from no others."""
        a, links = self._reader.release.links.arrays, self._reader.release.links
        found = []
        code = self._reader.code(HAS_THEME)
        for document in {int(n) for n in self._reader.origins[self._nodes] if n >= 0}:
            outward, inward = links.links_of(document)
            stated = a["subject"][inward[self._reader.origins[a["subject"][inward]] == document]]
            others = set(np.unique(stated).tolist()) - set(self._nodes)
            kept = {theme for item in others for theme in self._themes(item, code)}
            drawn = outward[(a["type"][outward] == code) & (a["basis"][outward] == Basis.INFERRED.rank)]
            found += [int(n) for n in drawn if int(a["object"][n]) not in kept]
        return found

    def _themes(self, item: int, code: int) -> list[int]:
        a = self._reader.release.links.arrays
        outward, _ = self._reader.release.links.links_of(item)
        themes: list[int] = a["object"][outward[a["type"][outward] == code]].tolist()
        return themes

    def by_basis(self) -> dict[str, int]:
        """Returns how many links fall, by basis."""
        ranks = self._reader.release.links.arrays["basis"][self.links]
        return {basis.value: int((ranks == basis.rank).sum()) for basis in Basis}

    def shown(self) -> tuple[FallingLink, ...]:
        """Returns the first of the links, the best founded first."""
        links, ranks = self._reader.release.links, self._reader.release.links.arrays["basis"]
        first = sorted(self.links, key=lambda n: (int(ranks[n]), n))[:MOST_WITHIN]
        found = [links.link(n) for n in first]
        return tuple(FallingLink(link.subject, link.predicate, link.object, link.basis) for link in found)

    def freed(self, chains: Chains) -> list[int]:
        """Returns the things against which no other barrier stands."""
        gone = set(self._nodes)
        return sorted(goal for goal, holding in chains.blockers.items() if holding.keys() <= gone)
