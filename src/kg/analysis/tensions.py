"""Where claims on one theme pull apart, each tension typed by a rule.

- `contradicts`: one item is said or judged to contradict the other.
- `opposite stance`: one position welcomes or supports a thing, another criticises it or warns of it.
- `changed over time`: of two such that disagree, one agent asserts both, and one is dated earlier. Of
  positions any change of stance counts.
- `differs by addressee`: two recommendations of different origins, of which one says the other again or is
  like it or which address one barrier, are directed to bodies of which none is the same.
- `differs by place`: a theme is hindered in one place, and in another only helped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kg.analysis.independence import Independence
from kg.analysis.reading import MOST_WITHIN, Claim, Grounds, Reader, Row, distinct, grouped, iris_of
from kg.model import Basis, Entity
from kg.names import PEV

CHANGED = "changed over time"
TYPES = ("contradicts", "opposite stance", CHANGED, "differs by addressee", "differs by place")
BETWEEN_ITEMS = ("type", "item", "otherItem", "about")
BETWEEN_PLACES = ("theme", "themeLabel", "side", "place", "placeLabel", "item", "itemLabel")
_TIES = tuple(PEV + name for name in ("contradicts", "reiterates", "similarTo"))
_FILED = tuple(PEV + name for name in ("hasTheme", "blocks", "enables"))


@dataclass(frozen=True)
class Side:
    """One side of a tension: who or where, how it stands, and the items that say so.

    `stance` is hindered or helped for a place; None where the items speak for themselves.
    """

    place: Entity | None
    stance: str | None
    items: int
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Tension:
    """Two sides that disagree.

    `basis` tells how the tension is known: as the link between two items is said or judged; inferred where
    a rule alone finds it. `about` is what stances are towards or what recommendations address.
    """

    type: str
    themes: tuple[Entity, ...]
    about: tuple[Entity, ...]
    basis: Basis
    origins: int
    independent: int
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Tensions:
    """Tensions by type, then as they are named."""

    release: str
    counts: dict[str, int]
    results: tuple[Tension, ...]
    truncated: bool


def tensions(reader: Reader, independence: Independence, theme: Entity | None, limit: int) -> Tensions:
    """Returns where claims on a theme (or any) disagree."""
    given = {} if theme is None else {"theme": theme.iri}
    pairs = _pairs(reader.rows("tensions-between-items", BETWEEN_ITEMS, **given))
    places = grouped(reader.rows("tensions-between-places", BETWEEN_PLACES, **given), "theme")
    typed = [(_type(rows), rows) for rows in pairs.values()] + [(TYPES[-1], rows) for rows in places.values()]
    typed.sort(key=lambda one: TYPES.index(one[0]))
    kept = typed[:limit]
    shown = [row for _, rows in kept for row in rows]
    shared = {theme for row in shown if "otherItem" in row for theme in reader.ends(row["item"], _FILED[0])}
    grounds = reader.grounds(shared | set(iris_of(shown, "item", "otherItem", "about", "theme", "place")))
    results = tuple(
        _between_places(rows, grounds, independence)
        if kind == TYPES[-1]
        else _between_items(kind, rows, grounds, independence)
        for kind, rows in kept
    )
    counts = {kind: sum(found == kind for found, _ in typed) for kind in TYPES}
    return Tensions(reader.release.id, counts, results, len(typed) > limit)


def _pairs(rows: Iterable[Row]) -> Mapping[tuple[str, ...], list[Row]]:
    """Returns the rows of each two items, in whichever order they stand."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(sorted((row["item"], row["otherItem"]))), []).append(row)
    return found


def _type(rows: Sequence[Row]) -> str:
    """Returns the type of a pair: a change of mind says more than that both disagree."""
    types = {row["type"] for row in rows}
    return CHANGED if CHANGED in types else min(types, key=TYPES.index)


def _between_items(kind: str, rows: Sequence[Row], grounds: Grounds, independence: Independence) -> Tension:
    changed = next((row for row in rows if row["type"] == CHANGED), rows[0])
    first, second = changed["item"], changed["otherItem"]
    tie = grounds.reader.basis(first, [second], _TIES)
    sources = independence.sources([first, second])
    return Tension(
        kind,
        grounds.entities(_shared_themes(first, second, grounds.reader)),
        grounds.entities(distinct(rows, "about")),
        tie[1] if tie else Basis.INFERRED,
        sources.origins,
        sources.independent,
        tuple(Side(None, None, 1, (grounds.claim(item),)) for item in (first, second)),
    )


def _shared_themes(first: str, second: str, reader: Reader) -> set[str]:
    """Returns the themes that both are filed under themselves."""
    return set(reader.ends(first, _FILED[0])) & set(reader.ends(second, _FILED[0]))


def _between_places(rows: Sequence[Row], grounds: Grounds, independence: Independence) -> Tension:
    theme = rows[0]["theme"]
    sides = []
    for (stance, place), members in grouped(rows, "side", "place").items():
        items = distinct(members, "item")
        claims = tuple(grounds.claim(item, [theme], _FILED) for item in items[:MOST_WITHIN])
        sides.append(Side(grounds.entity(place), stance, len(items), claims))
    sources = independence.sources(distinct(rows, "item"))
    hindered_first = sorted(sides, key=lambda side: (side.stance != "hindered", -side.items))
    return Tension(
        TYPES[-1],
        (grounds.entity(theme),),
        (),
        Basis.INFERRED,
        sources.origins,
        sources.independent,
        tuple(hindered_first[:MOST_WITHIN]),
    )
