"""What every question on the whole reads: rows of a query, what things are called, what they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pyoxigraph import Literal, NamedNode

from kg.errors import BadParameter
from kg.evidence import Texts, read_passages
from kg.library import narrowed
from kg.model import Basis, Entity, Passage
from kg.names import PEV
from kg.release.arrays import Ints
from kg.release.opened import Release

MAX_LIMIT = 1000
# What stands within one result (the items of a cell, what is left of a theme) is cut after so many.
MOST_WITHIN = 20
STATED_IN = PEV + "statedIn"

Row = Mapping[str, str]


@dataclass(frozen=True)
class Claim:
    """An item as it stands in an answer: who states it, on what basis it stands here, and its passages.

    `link` is the type of the link that puts it there; None where it stands for itself, as said.
    """

    item: Entity
    origin: Entity | None
    link: str | None
    basis: Basis
    evidence: tuple[Passage, ...]


class Reader:
    """Reads one release for the questions on the whole."""

    def __init__(self, release: Release, texts: Texts) -> None:
        self.release = release
        self._texts = texts
        self._nodes: dict[str, int | None] = {}

    def node(self, iri: str) -> int | None:
        """Returns the number of a thing's node, None for one without links; the same few are asked for often."""
        if iri not in self._nodes:
            self._nodes[iri] = self.release.links.node(iri)
        return self._nodes[iri]

    def rows(self, name: str, columns: Sequence[str] = (), **values: str) -> list[Row]:
        """Returns the rows of a query of queries/, in its order, unbound cells left out.

        Args:
            name: the name of its file.
            columns: those that are needed, where that is quicker; its order by others does not count then.
            values: the IRI of each parameter; one that is not given is left open.
        """
        question = self.release.library.program(name)
        given = {p.name: [[NamedNode(values[p.name])]] if p.name in values else [] for p in question.parameters}
        return self._select(question.bound(given), columns)

    def rows_about(self, name: str, parameter: str, iris: Iterable[str]) -> list[Row]:
        """Returns the rows of a query about many things; none where there are none."""
        terms = [[NamedNode(iri)] for iri in sorted(iris)]
        return self._select(self.release.library.program(name).bound({parameter: terms})) if terms else []

    def _select(self, query: str, columns: Sequence[str] = ()) -> list[Row]:
        text, order = narrowed(query, columns) if columns else (query, ())
        found = self.release.source.select(text)
        rows: list[Row] = [
            {
                column: term.value
                for column, term in zip(found.variables, row, strict=True)
                if isinstance(term, NamedNode | Literal)
            }
            for row in found.rows
        ]
        if columns:
            keys = dict.fromkeys((*order, *columns))
            rows.sort(key=lambda row: [row.get(key, "") for key in keys])
        return rows

    def members(self, kind: str) -> set[str]:
        """Returns the IRIs of the members of a class, such as `Barrier`."""
        return {row["member"] for row in self.rows("members", kind=PEV + kind)}

    def basis(self, start: str, ends: Iterable[str], predicates: Iterable[str]) -> tuple[str, Basis] | None:
        """Returns the best founded link of these types from one thing to any of others, either way, with its basis."""
        links, wanted = self.release.links, set(predicates)
        first = self.node(start)
        others = [node for end in ends if (node := self.node(end)) is not None]
        if first is None or not others:
            return None
        a = links.arrays
        found = []
        for numbers, far in zip(links.links_of(first), (a["object"], a["subject"]), strict=True):
            there = numbers[np.isin(far[numbers], others)]
            found += [(int(a["basis"][n]), links.types[int(a["type"][n])]) for n in there]
        ranked = sorted((rank, link) for rank, link in found if link in wanted)
        return (ranked[0][1], list(Basis)[ranked[0][0]]) if ranked else None

    def starts(self, item: str, *predicates: str) -> list[str]:
        """Returns the subjects of the links of some types that lead to an item, in the order of their IRIs."""
        return self._across(item, predicates, "subject")

    def ends(self, item: str, *predicates: str) -> list[str]:
        """Returns the objects of the links of some types that lead from an item, in the order of their IRIs."""
        return self._across(item, predicates, "object")

    def _across(self, item: str, predicates: Sequence[str], far: str) -> list[str]:
        links = self.release.links
        node = self.node(item)
        if node is None:
            return []
        numbers = links.links_of(node)[far == "subject"]
        wanted = [code for code, iri in enumerate(links.types) if iri in predicates]
        there = numbers[np.isin(links.arrays["type"][numbers], wanted)]
        return [links.iri(int(n)) for n in np.unique(links.arrays[far][there])]

    def origin(self, item: str) -> str | None:
        """Returns the document in which an item is stated."""
        node = self.node(item)
        number = -1 if node is None else int(self.origins[node])
        return None if number < 0 else self.release.links.iri(number)

    @cached_property
    def origins(self) -> Ints:
        """For each node the document in which it is stated, -1 for what is no item."""
        arrays, numbers = self.release.links.arrays, self.links_of_type(STATED_IN)
        found = np.full(self.release.links.node_count, -1, dtype=np.int64)
        found[arrays["subject"][numbers]] = arrays["object"][numbers]
        return found

    def code(self, predicate: str) -> int:
        """Returns the number of a link type in the arrays, -1 where no link has it."""
        types = self.release.links.types
        return types.index(predicate) if predicate in types else -1

    def links_of_type(self, *predicates: str) -> Ints:
        """Returns the numbers of the links of some types, in order."""
        links = self.release.links
        codes = [code for code, iri in enumerate(links.types) if iri in predicates]
        return np.flatnonzero(np.isin(links.arrays["type"], codes))

    def grounds(self, iris: Iterable[str]) -> Grounds:
        """Returns what some things are called and what they rest on, read at once."""
        wanted = set(iris)
        origins = {iri: origin for iri in wanted if (origin := self.origin(iri)) is not None}
        known = self.release.search.entities(wanted | set(origins.values()))
        passages = read_passages(self.release.source, self.release.library, sorted(wanted))
        quoted = {iri: tuple(self._texts.quoted(p) for p in found) for iri, found in passages.items()}
        return Grounds(self, known, origins, quoted)


@dataclass(frozen=True)
class Grounds:
    """What the things of an answer are called, where they are stated, and what they rest on."""

    reader: Reader
    known: Mapping[str, Entity]
    origins: Mapping[str, str]
    passages: Mapping[str, tuple[Passage, ...]]

    def entity(self, iri: str) -> Entity:
        """Returns the thing; one without a label is called by its CURIE."""
        curie = self.reader.release.library.prefixes.curie(iri)
        return self.known.get(iri) or Entity(iri, curie, curie)

    def stated_in(self, item: str) -> Entity | None:
        """Returns the document in which an item is stated."""
        origin = self.origins.get(item)
        return None if origin is None else self.entity(origin)

    def entities(self, iris: Iterable[str]) -> tuple[Entity, ...]:
        """Returns the things in the order of their labels."""
        return tuple(sorted(map(self.entity, iris), key=lambda e: (e.label, e.iri)))

    def evidence(self, iri: str) -> tuple[Passage, ...]:
        """Returns the passages of an item, in reading order."""
        return self.passages.get(iri, ())

    def claim(self, item: str, towards: Iterable[str] = (), predicates: Sequence[str] = ()) -> Claim:
        """Returns an item as it stands in an answer.

        Args:
            item: its IRI.
            towards: what it is linked to there, the best founded link counts; nothing where it stands for itself.
            predicates: the types of link that count.
        """
        tie = self.reader.basis(item, towards, predicates)
        link, basis = tie or (None, Basis.SAID)
        return Claim(self.entity(item), self.stated_in(item), link, basis, self.evidence(item))


def within(name: str, value: int, least: int, most: int) -> None:
    """Refuses a number out of range.

    Raises:
        BadParameter: it is.
    """
    if not least <= value <= most:
        raise BadParameter(f"{name}: {value} is not between {least} and {most}.")


def grouped(rows: Iterable[Row], *keys: str) -> dict[tuple[str, ...], list[Row]]:
    """Returns rows by the values of some columns ("" where unbound), in the order in which these come.

    >>> grouped([{"a": "1", "b": "x"}, {"a": "2"}, {"a": "1", "b": "y"}], "a")
    {('1',): [{'a': '1', 'b': 'x'}, {'a': '1', 'b': 'y'}], ('2',): [{'a': '2'}]}
    """
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.get(key, "") for key in keys), []).append(row)
    return found


def distinct(rows: Iterable[Row], key: str) -> list[str]:
    """Returns the values of a column, each once, in the order in which they come.

    >>> distinct([{"a": "2"}, {"b": "1"}, {"a": "1"}, {"a": "2"}], "a")
    ['2', '1']
    """
    return list(dict.fromkeys(row[key] for row in rows if key in row))


def iris_of(rows: Iterable[Row], *keys: str) -> Iterator[str]:
    """Yields the values of some columns, where they are bound."""
    return (row[key] for row in rows for key in keys if key in row)
