"""What each document says on a theme, kind by kind, and what its silence means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kg.analysis.independence import Independence
from kg.analysis.reading import MOST_WITHIN, Claim, Grounds, Reader, Row, distinct, grouped, iris_of
from kg.model import Entity
from kg.names import PEV

KINDS = ("KeyMessage", "Finding", "Barrier", "Enabler", "Recommendation", "Position", "Commitment")
COLUMNS = ("document", "documentLabel", "state", "kind", "kindLabel", "item", "itemLabel", "otherItem")
FILED = tuple(PEV + name for name in ("hasTheme", "blocks", "enables", "affects"))


class State(StrEnum):
    """How a document stands to a theme, within one kind of item.

    `contradicts`: it says something that another item contradicts. `says`: it states an item of that kind
    on the theme or below it. `relays`: it states none, but carries another's. `silent`: neither, though the
    theme is in its scope. `out of scope`: nobody raises the theme about a place that the document is about, in
    a document about an initiative that it is about.
    """

    CONTRADICTS = "contradicts"
    SAYS = "says"
    RELAYS = "relays"
    SILENT = "silent"
    OUT_OF_SCOPE = "out of scope"


@dataclass(frozen=True)
class Contradiction:
    """An item of the cell and the items that contradict it."""

    item: str
    contradicted_by: tuple[Entity, ...]


@dataclass(frozen=True)
class Cell:
    """One document and one kind: how it stands to the theme, and the items that show it.

    `items` counts them all; `claims` shows the first, each with its own basis on the theme.
    """

    document: Entity
    kind: str
    state: State
    items: int
    claims: tuple[Claim, ...]
    contradictions: tuple[Contradiction, ...]


@dataclass(frozen=True)
class Comparison:
    """Documents × kinds for a theme; `origins` and `independent` count the documents that state something on it."""

    release: str
    theme: Entity
    documents: int
    origins: int
    independent: int
    results: tuple[Cell, ...]
    truncated: bool


def compare(reader: Reader, independence: Independence, theme: Entity, limit: int) -> Comparison:
    """Returns the cells of each document, those that say most first; `limit` counts documents."""
    rows = reader.rows("compare-documents-on-theme", COLUMNS, theme=theme.iri)
    by_document = {document: found for (document,), found in grouped(rows, "document").items()}
    order = sorted(by_document, key=lambda d: (-len(_stated(by_document[d])), _rank(by_document[d]), d))
    kept = order[:limit]
    sources = independence.sources(item for found in by_document.values() for item in _stated(found))
    shown = [row for document in kept for row in by_document[document]]
    grounds = reader.grounds(iris_of(shown, "document", "item", "otherItem"))
    themes = {theme.iri, *(row["theme"] for row in reader.rows("narrower-themes", top=theme.iri))}
    cells = tuple(cell for d in kept for cell in _cells(d, by_document[d], grounds, themes))
    return Comparison(
        reader.release.id,
        theme,
        len(order),
        sources.origins,
        sources.independent,
        cells,
        len(order) > limit or any(cell.items > len(cell.claims) for cell in cells),
    )


def _stated(rows: Sequence[Row]) -> list[str]:
    return distinct([row for row in rows if row["state"] in (State.SAYS, State.CONTRADICTS)], "item")


def _rank(rows: Sequence[Row]) -> int:
    return min(list(State).index(State(row["state"])) for row in rows)


def _cells(document: str, rows: Sequence[Row], grounds: Grounds, themes: set[str]) -> list[Cell]:
    whole = State(rows[0]["state"])
    # Who says anything on the theme has it in scope, so that on other kinds it is silent.
    elsewhere = whole if whole is State.OUT_OF_SCOPE else State.SILENT
    return [
        _cell(document, kind, [r for r in rows if r.get("kind") == PEV + kind], elsewhere, grounds, themes)
        for kind in KINDS
    ]


def _cell(document: str, kind: str, rows: Sequence[Row], empty: State, grounds: Grounds, themes: set[str]) -> Cell:
    state = min((State(row["state"]) for row in rows), key=list(State).index, default=empty)
    items = distinct([row for row in rows if row["state"] != State.RELAYS] or rows, "item")
    others: Mapping[str, list[str]] = {item: [] for item in items}
    for row in rows:
        if "otherItem" in row and row["state"] == State.CONTRADICTS:
            others[row["item"]].append(row["otherItem"])
    return Cell(
        grounds.entity(document),
        f"pev:{kind}",
        state,
        len(items),
        tuple(grounds.claim(item, themes, FILED) for item in items[:MOST_WITHIN]),
        tuple(Contradiction(item, grounds.entities(set(found))) for item, found in others.items() if found),
    )
