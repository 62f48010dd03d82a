"""What became of a recommendation, or of any item, through time, and who says so.

The line of an item is itself, what it says again (reiterates, in one step or several) and what says it
again. Told of each member are: who *stated* it first; who *restated* it; who *extended* it (restated it and
added an addressee, a barrier, an aim, a time, a date or a sum); who *backed* it (supports) or said what
*resembles* it; who *promised* to act on it (a commitment about it); who *accepted* (welcomes or supports it or
its document), *qualified* or *rejected* it; which articles *relayed* it; and what *progress* is reported, apart
by whether it is self-reported, by a body that was asked or speaks for or is made up of one, or verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kg.analysis.independence import Independence
from kg.analysis.reading import Grounds, Reader, Row, distinct, grouped, iris_of
from kg.model import Basis, Entity, Passage
from kg.names import PEV

# In the order in which they are told within one document.
EVENTS = (
    "stated",
    "restated",
    "extended",
    "backed",
    "resembled",
    "promised",
    "accepted",
    "qualified",
    "rejected",
    "relayed",
    "progress",
)
_TIES = tuple(PEV + name for name in ("reiterates", "supports", "similarTo", "concerns", "stanceTowards"))


@dataclass(frozen=True)
class Happening:
    """One thing that happened to a member of the line.

    Attributes:
        event: what; one of `EVENTS`.
        of: the member that it happened to.
        item: the item that does it; None for coverage and progress.
        by: who says or does it.
        document: where.
        issued: date or year of the document, where it is known.
        details: what an extension adds, what a stance is towards, or how far it has come.
        verified: of progress, "self-reported" or "verified"; "unknown" where nobody signs the document.
        basis: how the tie to the member is known.
    """

    event: str
    of: Entity
    item: Entity | None
    by: tuple[Entity, ...]
    document: Entity
    issued: str | None
    details: tuple[Entity, ...]
    verified: str | None
    basis: Basis
    evidence: tuple[Passage, ...]


@dataclass(frozen=True)
class Lineage:
    """What became of an item, the oldest first; what is undated comes last.

    `origins` and `independent` count who states or restates it; who only restates it is no second source.
    `counts` tells how often each event stands in the whole line, with progress apart by who reports it.
    """

    release: str
    item: Entity
    origins: int
    independent: int
    counts: dict[str, int]
    results: tuple[Happening, ...]
    truncated: bool


def lineage(reader: Reader, independence: Independence, item: Entity, limit: int) -> Lineage:
    """Returns what became of an item."""
    line = _line(reader, item.iri)
    rows = reader.rows_about("lineage-of-items", "of", line)
    events = list(grouped(rows, "event", "of", "item", "document").values())
    events.sort(key=_order)
    kept = events[:limit]
    grounds = reader.grounds(iris_of([r for e in kept for r in e], "of", "item", "document", "agent", "detail"))
    sources = independence.sources(line)
    counts = dict.fromkeys(EVENTS[:-1], 0) | {"self-reported": 0, "verified": 0, "unknown": 0}
    for event in events:
        counts[_verified(event) or event[0]["event"]] += 1
    results = tuple(_happening(event, grounds) for event in kept)
    return Lineage(reader.release.id, item, sources.origins, sources.independent, counts, results, len(events) > limit)


def _line(reader: Reader, item: str) -> set[str]:
    """Returns an item with what it says again and what says it again, in one step or several."""
    found = {item}
    for step in (reader.ends, reader.starts):
        ahead = [item]
        while ahead:
            new = set(step(ahead.pop(), _TIES[0])) - found
            found |= new
            ahead += new
    return found


def _order(event: Sequence[Row]) -> tuple[object, ...]:
    row = event[0]
    # "~" comes behind every digit.
    when = row.get("issued", "~")
    return when, EVENTS.index(row["event"]), row["document"], row["of"], row.get("item", "")


def _verified(event: Sequence[Row]) -> str | None:
    if event[0]["event"] != "progress":
        return None
    known = {row["verified"] for row in event if "verified" in row}
    # A document that one of those asked signs is not verified because somebody signs it too.
    return "self-reported" if "self-reported" in known else "verified" if known else "unknown"


def _happening(event: Sequence[Row], grounds: Grounds) -> Happening:
    row = event[0]
    item, of = row.get("item"), row["of"]
    tie = None if item in (None, of) else grounds.reader.basis(item or "", [of, *distinct(event, "detail")], _TIES)
    return Happening(
        row["event"],
        grounds.entity(of),
        None if item is None else grounds.entity(item),
        grounds.entities(distinct(event, "agent")),
        grounds.entity(row["document"]),
        row.get("issued"),
        grounds.entities(distinct(event, "detail")),
        _verified(event),
        tie[1] if tie else Basis(row.get("how", Basis.SAID)),
        grounds.evidence(item or of),
    )
