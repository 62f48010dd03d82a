"""What is known of all links of a release in an engine, before any question: little, and asked once.

The kinds of link, the origins, which documents depend on each other, and the hubs: things with so many links
that they are only met, not looked through, where a search can avoid it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pyoxigraph import Literal, NamedNode

from kg.engines.source import Source, Term
from kg.errors import ReleaseError
from kg.library import Library, about, narrowed
from kg.release.arrays import Pairs
from kg.release.links import HUB_LINKS
from kg.release.paging import every_row

# A row of links.rq: from, link, to, kind, origin.
Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Survey:
    """What is known of all links.

    Attributes:
        types: the kinds of link, sorted.
        origins: the documents that are the origin of some, sorted.
        hubs: how many links those things have that have more than HUB_LINKS.
        crossings: the links between two of them, as rows of links.rq.
        dependence: pairs of documents of which the first is no second source beside the other.
    """

    types: Sequence[str]
    origins: Sequence[str]
    hubs: dict[str, int]
    crossings: Sequence[Row]
    dependence: Pairs

    def write(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False) + "\n", encoding="utf-8")


def open_survey(path: Path) -> Survey:
    """Returns what was written.

    Raises:
        ReleaseError: the file is missing or cannot be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        crossings = [tuple(row) for row in found["crossings"]]
        return Survey(found["types"], found["origins"], found["hubs"], crossings, found["dependence"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"cannot be read: {error}", path) from error


def read_survey(source: Source, library: Library, values: int, most_rows: int | None = None) -> Survey:
    """Returns what an engine tells of all links.

    Args:
        values: so many terms may stand in one VALUES block.
        most_rows: so many rows may be asked for at once.

    Raises:
        SourceError: the engine failed.
    """
    links, degrees = library.program("links").text, library.program("degrees")
    hubs = {
        text_of(node): int(text_of(count))
        # Of all things, but for those with few.
        for part in every_row(
            source, f"{degrees.bound({'node': []}).rstrip()} HAVING (COUNT(*) > {HUB_LINKS})", "node", most_rows
        )
        for node, count in part
    }
    return Survey(
        _column(source, links, "link", most_rows),
        _column(source, links, "origin", most_rows),
        hubs,
        _crossings(source, links, sorted(hubs), values, most_rows),
        _dependence(source, library, most_rows),
    )


def rows_of(part: Sequence[Sequence[Term | None]]) -> list[Row]:
    """Returns the texts of rows."""
    return [tuple(None if term is None else text_of(term) for term in row) for row in part]


def text_of(term: Term | None) -> str:
    """Returns an IRI, or what a literal says."""
    assert isinstance(term, NamedNode | Literal)
    return term.value


def _column(source: Source, query: str, name: str, most_rows: int | None) -> list[str]:
    parts = every_row(source, narrowed(query, [name])[0], name, most_rows)
    return sorted({text_of(term) for part in parts for (term,) in part if term is not None})


def _crossings(source: Source, links: str, hubs: Sequence[str], values: int, most_rows: int | None) -> list[Row]:
    found: set[Row] = set()
    for start in range(0, len(hubs), values):
        for other in range(0, len(hubs), values):
            ends = about(about(links, "to", hubs[other : other + values]), "from", hubs[start : start + values])
            found.update(row for part in every_row(source, ends, "from", most_rows) for row in rows_of(part))
    return sorted(found, key=str)


def _dependence(source: Source, library: Library, most_rows: int | None) -> Pairs:
    found: dict[str, set[tuple[str, str]]] = {"covers": set(), "adopts": set()}
    for part in every_row(source, library.program("dependence").text, "document", most_rows):
        for document, other, how in part:
            found[text_of(how)].add((text_of(document), text_of(other)))
    return {how: sorted(pairs) for how, pairs in found.items()}
