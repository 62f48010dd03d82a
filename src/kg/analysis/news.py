"""What a document says that none before it did, what it repeats, and what of those before it it drops.

It *repeats* an item of an earlier document when one of its own reiterates, supports or is similar to it; what
repeats nothing is *new*. It *drops* what an earlier document on the same initiative, law or document, or of the same
series, stated, when none of its own items repeats, answers, names, contradicts or speaks of that, and it states
nothing of the same kind on the same common theme. Documents whose dates cannot be put in order are not
compared; a document without a date has no news, and `dated` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kg.analysis.independence import Independence
from kg.analysis.reading import Claim, Grounds, Reader, Row, distinct, grouped, iris_of
from kg.model import Entity
from kg.names import PEV

REPEATS = tuple(PEV + name for name in ("reiterates", "supports", "similarTo"))
COLUMNS = ("news", "item", "itemLabel", "kind", "link", "earlierItem", "earlierItemLabel")
_ORDER = ("new", "repeats", "drops")


@dataclass(frozen=True)
class News:
    """An item that is new, repeats others (`earlier`, each with its link and basis), or is dropped."""

    news: str
    item: Claim
    kind: str
    earlier: tuple[Claim, ...]
    origins: int
    independent: int


@dataclass(frozen=True)
class NewsOfDocument:
    """What is new, repeated and dropped, in this order."""

    release: str
    document: Entity
    dated: bool
    counts: dict[str, int]
    results: tuple[News, ...]
    truncated: bool


def news(reader: Reader, independence: Independence, document: Entity, limit: int) -> NewsOfDocument:
    """Returns the news of a document."""
    items = list(grouped(reader.rows("news-of-document", COLUMNS, document=document.iri), "news", "item").values())
    items.sort(key=lambda rows: (_ORDER.index(rows[0]["news"]), rows[0]["kind"], rows[0]["itemLabel"], rows[0]["item"]))
    kept = items[:limit]
    grounds = reader.grounds(iris_of([row for rows in kept for row in rows], "item", "earlierItem"))
    counts = {news: sum(rows[0]["news"] == news for rows in items) for news in _ORDER}
    dated = bool(reader.rows("dates-of-documents", document=document.iri))
    results = tuple(_news(rows, grounds, independence) for rows in kept)
    return NewsOfDocument(reader.release.id, document, dated, counts, results, len(items) > limit)


def _news(rows: Sequence[Row], grounds: Grounds, independence: Independence) -> News:
    row, earlier = rows[0], distinct(rows, "earlierItem")
    sources = independence.sources([row["item"], *earlier])
    return News(
        row["news"],
        grounds.claim(row["item"]),
        f"pev:{row['kind']}",
        tuple(grounds.claim(other, [row["item"]], REPEATS) for other in earlier),
        sources.origins,
        sources.independent,
    )
