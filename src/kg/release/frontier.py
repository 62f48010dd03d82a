"""Questions on the links of a release that stay in an engine: what is around both ends is fetched, level by level.

A question is asked on the links that are here. When it comes to what is not, that is fetched, in VALUES blocks
that the engine takes, and the question is asked again. So there is one search and one ranking, on arrays of the
same shape, and the answers are the same. What was fetched is kept for the next question, up to a limit.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TypeVar

import numpy as np
from pyoxigraph import NamedNode, Triple

from kg.engines.source import Request, Rows, Source
from kg.errors import EngineTimeout, LimitError
from kg.library import Library, about, narrowed
from kg.release.arrays import arranged, merged
from kg.release.links import Links
from kg.release.paging import Part, every_row, pages, whole
from kg.release.part import FarLinks, Known, PartLinks, Wanted, far_links
from kg.release.survey import Row, Survey, rows_of, text_of

T = TypeVar("T")

# So many rows of links are kept from one question to the next: some sixty megabytes.
_KEPT_ROWS = 100_000
# So many answers that explain links are kept, and so many things whose links were counted.
_KEPT_ANSWERS = 256
_KEPT_COUNTS = 500_000
_Query = Callable[[Sequence[str]], str]
_COLUMNS = ("from", "link", "to", "kind", "origin")


@dataclass(frozen=True)
class Allowance:
    """What may be asked of an engine.

    Attributes:
        values: so many terms may stand in one VALUES block.
        rows: so many rows may come at once.
        links: so many rows of links may be fetched for one question.
        time_ms: so long may it take to fetch them all.
    """

    values: int
    rows: int
    links: int
    time_ms: int


class Frontier:
    """Asks questions on links that stay in an engine.

    Args:
        source: asks the engine for links, as one that looks into all its graphs.
        explaining: asks it for all else.
        survey: what is known of all links.
    """

    def __init__(
        self, source: Source, explaining: Source, library: Library, survey: Survey, allowance: Allowance
    ) -> None:
        self._fetching = _Fetching(source, library, allowance)
        self._remembering = _Remembering(explaining)
        self._survey = survey

    @property
    def links(self) -> FarLinks:
        """The links as far as they are known without a question."""
        return far_links(self._survey.types, self._survey.origins)

    def answered(self, ask: Callable[[Links, Source], T]) -> T:
        """Returns what a question comes to on the links that it needs, and with a source that remembers.

        Raises:
            LimitError: it needs more links than may be fetched for one question.
            SourceError: the engine failed.
        """
        part = _Question(self._fetching, self._survey)
        while True:
            try:
                return ask(part.links(), self._remembering)
            except Wanted as wanted:
                part.fetch(wanted)


@dataclass
class _Question:
    """The part of the links that one question has needed so far."""

    fetching: _Fetching
    survey: Survey
    outward: set[str] = field(default_factory=set)
    inward: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)
    ends: dict[tuple[str, int], list[tuple[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rows: list[Row] = list(self.survey.crossings)
        self._degrees = dict(self.survey.hubs)
        self._met: set[str] = {end for row in self._rows for end in _ends(row)}
        self._weighs = False
        self._fetched = 0
        self._deadline = time.monotonic() + self.fetching.allowance.time_ms / 1000

    def links(self) -> PartLinks:
        """Returns what is here."""
        import polars as pl

        rows = pl.DataFrame(self._rows, schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")
        table = merged(rows).sort("from", "link", "to")
        # What is asked of may be met by no link that is here; what documents cover tells which depend on each other.
        known, here = set(self.survey.origins), {row[4] for row in self._rows}
        alone = {iri for iri, links in self._degrees.items() if links or iri in known}
        covered = {other for document, other in self.survey.dependence["covers"] if document in here}
        found = arranged(table, self.survey.dependence, self.survey.types, alone | covered)
        nodes = np.frombuffer(b"".join(found.nodes), dtype=np.uint8)
        beside = Known(self._degrees, self.outward, self.inward, self.said, self.ends, self.survey.origins)
        return PartLinks(found.types, nodes, found.arrays, beside)

    def fetch(self, wanted: Wanted) -> None:
        """Fetches what is wanted.

        Raises:
            LimitError: that is more than may be fetched for one question.
            EngineTimeout: it takes too long.
            SourceError: the engine failed.
        """
        if time.monotonic() > self._deadline:
            limit, time_ms = "KG_QUERY_TIME_LIMIT_MS", self.fetching.allowance.time_ms
            words = f"The links that this question needs did not come from the engine within {time_ms} ms ({limit})."
            raise EngineTimeout(words, limit)
        self._weighs = self._weighs or wanted.weighs
        self._count(wanted.nodes)
        outward, inward = set(wanted.outward), set(wanted.inward)
        if wanted.said:
            things = self.fetching.things_of(wanted.said)
            outward |= things.outward
            inward |= things.inward
            self.said.update(wanted.said)
        self._take("from", outward, self.outward)
        self._take("to", inward, self.inward)
        if wanted.ends is not None:
            self.ends[wanted.ends] = self.fetching.ends_of(*wanted.ends)
        if self._weighs:
            self._count(self._met)

    def _count(self, things: Iterable[str]) -> None:
        unknown = [iri for iri in things if iri not in self._degrees]
        self._degrees.update(self.fetching.degrees(unknown))

    def _take(self, way: str, things: set[str], here: set[str]) -> None:
        for rows in self.fetching.links(way, sorted(things - here), self._degrees):
            self._rows += rows
            self._met.update(end for row in rows for end in _ends(row))
            self._fetched += len(rows)
            most = self.fetching.allowance.links
            if self._fetched > most:
                raise LimitError(
                    f"To answer this, more than {most} links would have to be fetched from the engine"
                    " (KG_MAX_FETCHED_LINKS). Ask for fewer hops or links, or keep the folder of the release beside"
                    " the service (KG_RELEASES).",
                    limit="KG_MAX_FETCHED_LINKS",
                )
        here |= things


@dataclass(frozen=True)
class _Things:
    """The things whose links as subject, as object have to be here so that all links of some origins are."""

    outward: set[str]
    inward: set[str]


class _Fetching:
    """Asks an engine for links, in parts that it gives whole, and keeps what it gave."""

    def __init__(self, source: Source, library: Library, allowance: Allowance) -> None:
        self.allowance = allowance
        self._source = source
        self._links = library.program("links").text
        self._degrees = library.program("degrees")
        self._things = library.program("things-of-origin")
        self._kept_links = _Kept(_KEPT_ROWS)
        self._kept_degrees: dict[str, int] = {}
        self._kept_ends: dict[tuple[str, int], list[tuple[str, str]]] = {}

    def degrees(self, things: Sequence[str]) -> Mapping[str, int]:
        """Returns how many links things have."""
        found = {iri: self._kept_degrees[iri] for iri in things if iri in self._kept_degrees}
        unknown = sorted(set(things) - found.keys())
        nameable = [iri for iri in unknown if _is_absolute(iri)]
        for part in self._in_batches(lambda iris: self._degrees.bound({"node": _terms(iris)}), nameable, ("node", 0)):
            found.update((text_of(node), int(text_of(count))) for node, count in part)
        found.update((iri, 0) for iri in unknown if iri not in found)
        if len(self._kept_degrees) + len(unknown) <= _KEPT_COUNTS:
            self._kept_degrees.update(found)
        return found

    def links(self, way: str, things: Sequence[str], degrees: Mapping[str, int]) -> Iterator[list[Row]]:
        """Yields the links of things, in parts, as rows of links.rq.

        Args:
            way: the column in which they are to stand, from or to.
            degrees: how many links things have, where that is known.
        """
        unknown: list[str] = []
        for iri in things:
            rows = self._kept_links.get((way, iri))
            if rows is None:
                unknown.append(iri)
            else:
                yield rows
        for batch in self._sized(unknown, degrees):
            yield from self._asked(way, batch)

    def things_of(self, origins: Collection[str]) -> _Things:
        """Returns the things whose links hold all links of some origins."""
        outward, inward = set(origins), set[str]()
        for part in self._in_batches(
            lambda iris: self._things.bound({"document": _terms(iris)}), sorted(origins), ("thing", 0)
        ):
            for thing, _, ends in part:
                outward.add(text_of(thing))
                if text_of(ends) == "both":
                    inward.add(text_of(thing))
        return _Things(outward, inward)

    def ends_of(self, link: str, most: int) -> list[tuple[str, str]]:
        """Returns what the first links of a kind join, at most so many, in the order of both ends."""
        if (link, most) not in self._kept_ends:
            query = narrowed(about(self._links, "link", [link]), ["from", "to"])[0]
            found: set[tuple[str, str]] = set()
            for part in pages(self._source, query, "from", self.allowance.rows):
                found.update((text_of(start), text_of(end)) for start, end in part)
                # Of the last subject there may be more on the next page.
                last = max(found, default=("", ""))[0]
                if sum(start < last for start, _ in found) >= most:
                    break
            self._kept_ends[link, most] = sorted(found)[:most]
        return self._kept_ends[link, most]

    def _asked(self, way: str, things: Sequence[str]) -> Iterator[list[Row]]:
        """Yields the links of some things that are asked for at once, and keeps them."""
        column, other = _COLUMNS.index(way), "to" if way == "from" else "from"
        of_thing: dict[str, list[Row]] = {iri: [] for iri in things}
        for part in self._in_batches(
            lambda iris: about(self._links, way, iris), things, (other, _COLUMNS.index(other))
        ):
            rows = rows_of(part)
            for row in rows:
                of_thing[str(row[column])].append(row)
            yield rows
        for iri, rows in of_thing.items():
            self._kept_links.put((way, iri), rows)

    def _sized(self, things: Sequence[str], degrees: Mapping[str, int]) -> Iterator[list[str]]:
        """Yields things so many at a time that their links are likely to come at once."""
        batch, links = list[str](), 0
        for iri in things:
            of_this = degrees.get(iri, 1)
            if batch and (links + of_this > self.allowance.rows or len(batch) == self.allowance.values):
                yield batch
                batch, links = [], 0
            batch.append(iri)
            links += of_this
        if batch:
            yield batch

    def _in_batches(self, query: _Query, things: Sequence[str], key: tuple[str, int]) -> Iterator[Part]:
        """Yields the rows of a query about things, for fewer of them at a time where the engine does not give them.

        Args:
            key: the column by which the rows of a single thing come in pages, and its place.
        """
        for start in range(0, len(things), self.allowance.values):
            yield from self._split(query, things[start : start + self.allowance.values], key)

    def _split(self, query: _Query, things: Sequence[str], key: tuple[str, int]) -> Iterator[Part]:
        if len(things) == 1:
            yield from every_row(self._source, query(things), key[0], self.allowance.rows, key[1])
            return
        found = whole(self._source, query(things), self.allowance.rows)
        if found is not None:
            yield found
            return
        half = len(things) // 2
        yield from self._split(query, things[:half], key)
        yield from self._split(query, things[half:], key)


class _Kept:
    """Rows by thing, the longest unused forgotten first; threads share it."""

    def __init__(self, most_rows: int) -> None:
        self._most, self._size = most_rows, 0
        self._rows: OrderedDict[tuple[str, str], list[Row]] = OrderedDict()
        self._turn = Lock()

    def get(self, key: tuple[str, str]) -> list[Row] | None:
        """Returns the rows of a thing, None when they are not here."""
        with self._turn:
            if key in self._rows:
                self._rows.move_to_end(key)
            return self._rows.get(key)

    def put(self, key: tuple[str, str], rows: list[Row]) -> None:
        """Keeps the rows of a thing; a thing counts as one row more."""
        with self._turn:
            self._size += len(rows) + 1 - (len(self._rows.pop(key)) + 1 if key in self._rows else 0)
            self._rows[key] = rows
            while self._size > self._most:
                _, oldest = self._rows.popitem(last=False)
                self._size -= len(oldest) + 1


class _Remembering:
    """A source that is asked the same again when a question is asked again, and asks the engine once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._answers = lru_cache(maxsize=_KEPT_ANSWERS)(source.select)

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        return self._answers(query, max_rows)

    def ask(self, query: str) -> bool:
        return self._source.ask(query)

    def construct(self, query: str) -> list[Triple]:
        return self._source.construct(query)

    def reply(self, request: Request, media_type: str) -> bytes:
        return self._source.reply(request, media_type)

    def close(self) -> None:
        self._source.close()


def _ends(row: Row) -> tuple[str, str]:
    return str(row[0]), str(row[2])


def _is_absolute(text: str) -> bool:
    """Tells whether a text is an absolute IRI; what is none has no links, and cannot be asked for."""
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


def _terms(iris: Iterable[str]) -> list[list[NamedNode]]:
    return [[NamedNode(iri)] for iri in iris]
