"""Where a graph's answers come from: a release of this machine, or a service.

A door gives what the API gives, as JSON objects; so a graph is the same whichever door it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pyoxigraph import Quad

from kg import wire
from kg.answers import Answers
from kg.model import bases
from kg.release.export import quads, to_networkx

if TYPE_CHECKING:
    import networkx as nx

Json = Mapping[str, Any]


class Door(Protocol):
    """What a graph asks.

    Every method raises what `kg.answers.Answers` raises, and SourceError when a service fails.
    """

    @property
    def release(self) -> str:
        """The id of the release that answers."""

    def select(self, query: str) -> Json:
        """Returns the rows of a SELECT, shaped as a question's answer."""

    def questions(self) -> Json:
        """Returns what `/api/queries` does."""

    def ask(self, name: str, parameters: Mapping[str, Sequence[str]]) -> Json:
        """Returns what `/api/queries/{name}` does."""

    def connect(self, start: str, end: str, max_hops: int, limit: int, basis: str) -> Json:
        """Returns what `/api/connections` does."""

    def describe(self, entity: str, limit: int) -> Json:
        """Returns what `/api/describe` does."""

    def neighbours(self, entity: str, limit: int) -> Json:
        """Returns what `/api/neighbours` does."""

    def search(self, words: str, kind: str | None, limit: int) -> Json:
        """Returns what `/api/search` does."""

    def evidence(self, item: str) -> Json:
        """Returns what `/api/evidence` does."""

    def quads(self) -> list[Quad]:
        """Returns every quad of the named graphs."""

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Returns the links: nodes by IRI, edges with basis and origins."""

    def close(self) -> None:
        """Lets go of what answers."""


class LocalDoor:
    """The door of a release that is open in this process."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @property
    def release(self) -> str:
        return self._answers.release_id

    def select(self, query: str) -> Json:
        return wire.answer(self._answers.select(query))

    def questions(self) -> Json:
        return wire.questions(self.release, self._answers.questions())

    def ask(self, name: str, parameters: Mapping[str, Sequence[str]]) -> Json:
        return wire.answer(self._answers.ask(name, parameters))

    def connect(self, start: str, end: str, max_hops: int, limit: int, basis: str) -> Json:
        return wire.paths(self._answers.connect(start, end, max_hops, limit, bases(basis)))

    def describe(self, entity: str, limit: int) -> Json:
        return wire.description(self._answers.describe(entity, limit))

    def neighbours(self, entity: str, limit: int) -> Json:
        return wire.neighbours(self._answers.neighbours(entity, limit))

    def search(self, words: str, kind: str | None, limit: int) -> Json:
        return wire.matches(self._answers.search(words, kind, limit))

    def evidence(self, item: str) -> Json:
        return wire.evidence(self._answers.evidence(item))

    def quads(self) -> list[Quad]:
        return quads(self._answers.opened)

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        opened = self._answers.opened
        return to_networkx(opened.id, opened.links, opened.search)

    def close(self) -> None:
        self._answers.close()
