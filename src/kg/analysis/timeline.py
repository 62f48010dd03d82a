"""What recurs: for each theme and year whether it is named, passed over in silence, or said to be resolved.

A theme is *named* in a year when a document of that year states an item on it or below it; *silent* in a
later year in which dated documents state things, but none on it; *said resolved* in a year in which a
document says that a recommendation on it has been carried out. It *recurs* when it is named in more than
one year. Documents without a date have no year and do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kg.analysis.independence import Independence
from kg.analysis.reading import Claim, Grounds, Reader, Row, distinct, grouped
from kg.model import Entity
from kg.names import PEV

FILED = tuple(PEV + name for name in ("hasTheme", "blocks", "enables"))
COLUMNS = ("theme", "year", "state", "document", "item", "kind")
# A year names the first of its items; the counts tell of all.
MOST_A_YEAR = 3


@dataclass(frozen=True)
class Year:
    """A theme in a year: how many items and barriers name it, from how many origins, and the first of the items."""

    year: str
    state: str
    items: int
    barriers: int
    origins: int
    independent: int
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class ThemeYears:
    """A theme and its years, in order; a year can be both named and said resolved."""

    theme: Entity
    recurs: bool
    origins: int
    independent: int
    years: tuple[Year, ...]


@dataclass(frozen=True)
class Timeline:
    """Themes by the number of years that name them, then of items."""

    release: str
    results: tuple[ThemeYears, ...]
    truncated: bool


def timeline(reader: Reader, independence: Independence, theme: Entity | None, limit: int) -> Timeline:
    """Returns the years of a theme, or of every common theme that is named at all."""
    given = {} if theme is None else {"theme": theme.iri}
    rows = reader.rows("timeline-of-themes", COLUMNS, **given)
    by_theme = {top: found for (top,), found in grouped(rows, "theme").items()}
    order = sorted(by_theme, key=lambda t: (-len(_named(by_theme[t])), -len(distinct(by_theme[t], "item")), t))
    kept = order[:limit]
    years = {t: grouped(by_theme[t], "year", "state") for t in kept}
    shown = {i for found in years.values() for rows in found.values() for i in distinct(rows, "item")[:MOST_A_YEAR]}
    grounds = reader.grounds({*kept, *shown})
    results = tuple(_theme(t, by_theme[t], years[t], grounds, independence) for t in kept)
    return Timeline(reader.release.id, results, len(order) > limit)


def _named(rows: Sequence[Row]) -> list[str]:
    return distinct([row for row in rows if row["state"] == "named"], "year")


def _theme(
    theme: str,
    rows: Sequence[Row],
    years: Mapping[tuple[str, ...], Sequence[Row]],
    grounds: Grounds,
    independence: Independence,
) -> ThemeYears:
    below = {theme, *(row["theme"] for row in grounds.reader.rows("narrower-themes", top=theme))}
    sources = independence.sources(distinct([r for r in rows if r["state"] == "named"], "item"))
    found = tuple(_year(key, members, below, grounds, independence) for key, members in sorted(years.items()))
    return ThemeYears(grounds.entity(theme), len(_named(rows)) > 1, sources.origins, sources.independent, found)


def _year(
    key: Sequence[str], rows: Sequence[Row], below: set[str], grounds: Grounds, independence: Independence
) -> Year:
    year, state = key
    items = distinct(rows, "item")
    sources = independence.sources(items)
    return Year(
        year,
        state,
        len(items),
        len(distinct([row for row in rows if row.get("kind") == "Barrier"], "item")),
        sources.origins,
        sources.independent,
        tuple(grounds.claim(item, below, FILED) for item in items[:MOST_A_YEAR]),
    )
