"""Where a graph's answers come from: a release of this machine, or a service.

A door gives what the API gives, as JSON objects; so a graph is the same whichever door it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pyoxigraph import Quad

from kg import wire
from kg.answers import Answers, open_answers
from kg.citations import citation_of
from kg.connections.neighbourhood import Page
from kg.connections.values import bases, mode_of, restricted
from kg.engines.source import Request
from kg.release.directory import kept_release
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

    def get(self, name: str, **parameters: Any) -> Json:
        """Returns what `/api/{name}` does; its parameters have their names there, `from_` being `from`."""

    def ask(self, name: str, parameters: Mapping[str, list[str]]) -> Json:
        """Returns what `/api/queries/{name}` does."""

    def select(self, query: str) -> Json:
        """Returns the rows of a SELECT, shaped as a question's answer."""

    def sparql(self, query: str, media_type: str) -> bytes:
        """Returns the answer to any query in a media type."""

    def diff(self, other: str, limit: int) -> Json:
        """Returns what changed up to another release, named by its id."""

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

    @property
    def folder(self) -> Path:
        """Where the release is."""
        return self._answers.opened.directory.root

    def get(self, name: str, **parameters: Any) -> Json:
        return _CALLS[name](self._answers, **parameters)

    def ask(self, name: str, parameters: Mapping[str, list[str]]) -> Json:
        return wire.answer(self._answers.ask(name, parameters))

    def select(self, query: str) -> Json:
        return wire.answer(self._answers.select(query))

    def sparql(self, query: str, media_type: str) -> bytes:
        return self._answers.sparql(Request(query), media_type)

    def diff(self, other: str, limit: int) -> Json:
        folder = Path(other) if Path(other).is_dir() else kept_release(self.folder.parent, other).root
        with closing(open_answers(folder, self._answers.settings)) as opened:
            return wire.diff(self._answers.diff(opened, limit))

    def quads(self) -> list[Quad]:
        return quads(self._answers.opened)

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        opened = self._answers.opened
        return to_networkx(opened.id, opened.links, opened.search)

    def close(self) -> None:
        self._answers.close()


# What each address of the API asks; the names of the parameters are those of the API.
_CALLS: Mapping[str, Callable[..., Json]] = {
    "queries": lambda a: wire.questions(a.release_id, a.questions()),
    "connections": lambda a, from_, to, max_hops, limit, basis, mode, **restriction: wire.paths(
        a.connect(from_, to, max_hops, limit, bases(basis), mode_of(mode), restricted(restriction))
    ),
    "describe": lambda a, entity, limit: wire.description(a.describe(entity, limit)),
    "neighbours": lambda a, entity, limit=50, offset=0, link=None, direction=None, basis="": wire.neighbours(
        a.neighbours(entity, page=Page(limit, offset, link, direction, bases(basis)))
    ),
    "link": lambda a, from_, link, to: wire.link(a.link(from_, link, to)),
    "subgraph": lambda a, entities: wire.subgraph(a.subgraph(entities)),
    "vocabulary": lambda a: wire.vocabulary(a.vocabulary()),
    "search": lambda a, q, type_, limit: wire.matches(a.search(q, type_, limit)),
    "cite": lambda a, answer: wire.citation(citation_of(a, answer)),
    "evidence": lambda a, item: wire.evidence(a.evidence(item)),
    "blockers": lambda a, basis, **given: wire.analysed(a.analysis.blockers(basis=bases(basis), **given)),
    "keystones": lambda a, basis, **given: wire.analysed(a.analysis.keystones(basis=bases(basis), **given)),
    "whatif": lambda a, basis, **given: wire.analysed(a.analysis.what_if(basis=bases(basis), **given)),
    "compare": lambda a, **given: wire.analysed(a.analysis.compare(**given)),
    "gaps": lambda a, **given: wire.analysed(a.analysis.gaps(**given)),
    "tensions": lambda a, **given: wire.analysed(a.analysis.tensions(**given)),
    "lineage": lambda a, **given: wire.analysed(a.analysis.lineage(**given)),
    "timeline": lambda a, **given: wire.analysed(a.analysis.timeline(**given)),
    "fragile": lambda a, **given: wire.analysed(a.analysis.fragile(**given)),
    "news": lambda a, **given: wire.analysed(a.analysis.news(**given)),
    "central": lambda a, **given: wire.analysed(a.analysis.central(**given)),
}
