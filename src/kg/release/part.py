"""A part of the links of a release: those that a question has needed so far, as arrays of the same shape.

Who walks them meets what is not here as `Wanted`, which says what to fetch; then the question is asked
again, on more. An answer is the one that all links give, as it has looked at nothing that is not here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from kg.errors import NotAtHand
from kg.release.arrays import Ints
from kg.release.links import Links

Flags = NDArray[np.bool_]


class Wanted(Exception):
    """What a question needs of the links that is not here; by IRI.

    Attributes:
        nodes: things of which it is to be known how many links they have.
        weighs: the same of whatever is fetched from now on.
        outward, inward: things whose links as subject, as object are to be here.
        said: origins all of whose links are to be here.
        ends: for a kind of link, how many of its first links' ends are to be known.
    """

    def __init__(
        self,
        nodes: Collection[str] = (),
        outward: Collection[str] = (),
        inward: Collection[str] = (),
        said: Collection[str] = (),
        ends: tuple[str, int] | None = None,
        weighs: bool = False,
    ) -> None:
        super().__init__("links that are not here")
        self.nodes, self.outward, self.inward, self.said, self.ends = nodes, outward, inward, said, ends
        self.weighs = weighs


@dataclass(frozen=True)
class Known:
    """What is known beside the arrays.

    Attributes:
        degrees: how many links things have, by IRI; 0 for one that has none.
        outward, inward: the things whose links as subject, as object are all here.
        said: the origins all of whose links are here.
        ends: what the first links of a kind join, for each kind and number that was asked for.
        origins: every origin of the release.
    """

    degrees: Mapping[str, int]
    outward: Collection[str]
    inward: Collection[str]
    said: Collection[str]
    ends: Mapping[tuple[str, int], list[tuple[str, str]]]
    origins: Sequence[str]


@dataclass(frozen=True)
class PartLinks(Links):
    """Some of the links of a release; what is not here is `Wanted`."""

    known: Known

    def node(self, iri: str) -> int | None:
        """Returns the number of the node with that IRI; None when it has no links in the whole release."""
        if iri not in self.known.degrees:
            raise Wanted(nodes=[iri])
        return super().node(iri)

    def nodes_of(self, iris: Collection[str]) -> list[int]:
        """Returns the numbers of those that have links in the whole release, in their order."""
        unknown = [iri for iri in iris if iri not in self.known.degrees]
        if unknown:
            raise Wanted(nodes=unknown)
        return super().nodes_of(iris)

    def numbers(self, iris: Collection[str]) -> Ints:
        """Returns the numbers of those that are here, in no order."""
        here = [iri for iri in iris if iri in self._numbered]
        return np.array([self._numbered[iri] for iri in here], dtype=np.int32)

    @cached_property
    def degrees(self) -> Ints:
        """How many links each node has in the whole release, both ways; 0 for one that is only an origin here."""
        ends = distinct_ends(self)
        unknown = [iri for iri in map(self.iri, ends.tolist()) if iri not in self.known.degrees]
        if unknown:
            raise Wanted(nodes=unknown, weighs=True)
        found = np.zeros(self.node_count, dtype=np.int32)
        for iri, number in self._numbered.items():
            found[number] = self.known.degrees.get(iri, 0)
        return found

    def ends_of(self, link: str, most: int) -> list[tuple[str, str]]:
        """Returns what the first links of a kind join in the whole release."""
        if (link, most) not in self.known.ends:
            raise Wanted(ends=(link, most))
        return self.known.ends[link, most]

    def all_origins(self) -> list[str]:
        """Returns the IRIs of every document that is the origin of some link of the release, sorted."""
        return list(self.known.origins)

    def require(self, nodes: Ints, *, outward: bool = True, inward: bool = True) -> None:
        """Returns when the links of some nodes are here, those as subject, those as object, or both.

        Raises:
            Wanted: they are not.
        """
        out = self._lacking(nodes, self._outward) if outward else []
        into = self._lacking(nodes, self._inward) if inward else []
        if out or into:
            raise Wanted(outward=out, inward=into)

    def require_said(self, origins: Ints) -> None:
        """Returns when every link of some origins is here.

        Raises:
            Wanted: it is not.
        """
        lacking = [iri for iri in map(self.iri, origins.tolist()) if iri not in self.known.said]
        if lacking:
            raise Wanted(said=lacking)

    def _lacking(self, nodes: Ints, here: Flags) -> list[str]:
        return [self.iri(node) for node in nodes[~here[nodes]].tolist()]

    @cached_property
    def _numbered(self) -> dict[str, int]:
        return {self.iri(node): node for node in range(self.node_count)}

    @cached_property
    def _outward(self) -> Flags:
        return np.array([iri in self.known.outward for iri in self._numbered], dtype=np.bool_)

    @cached_property
    def _inward(self) -> Flags:
        return np.array([iri in self.known.inward for iri in self._numbered], dtype=np.bool_)


def distinct_ends(links: Links) -> Ints:
    """Returns the nodes that links join, each once."""
    found: Ints = np.unique(np.concatenate([links.plain["subject"], links.plain["object"]]))
    return found


class _Away(Mapping[str, Ints]):
    """Arrays that are in an engine, and are not fetched as a whole."""

    def __getitem__(self, name: str) -> NoReturn:
        raise _not_at_hand()

    def __iter__(self) -> Iterator[str]:
        raise _not_at_hand()

    def __len__(self) -> int:
        raise _not_at_hand()


def _not_at_hand() -> NotAtHand:
    return NotAtHand(
        "This needs all links of the release at once, and they stand in an engine that does not give them all"
        " (or they are more than KG_MAX_ANSWER_ROWS). Keep the folder of the release beside the service (KG_RELEASES)."
    )


@dataclass(frozen=True)
class FarLinks(Links):
    """The links of a release in an engine: what is known of all of them, and the refusal to be read through.

    Attributes:
        every_origin: every document that is the origin of some link, sorted.
    """

    every_origin: Sequence[str]

    def all_origins(self) -> list[str]:
        """Returns the IRIs of every document that is the origin of some link, sorted."""
        return list(self.every_origin)


def far_links(types: Sequence[str], origins: Sequence[str]) -> FarLinks:
    """Returns the links of a release that stays in its engine."""
    return FarLinks(tuple(types), np.zeros(0, dtype=np.uint8), _Away(), origins)
