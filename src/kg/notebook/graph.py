"""One graph, to ask: the same whether a release of this machine or a service answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kg.citations import address_of_query, address_of_question
from kg.notebook.analyses import Analyses
from kg.notebook.doors import Door
from kg.notebook.drawing import Drawing, iris_of_query, of_neighbours, of_paths, of_subgraph
from kg.notebook.records import Entity, Matches, Paths, Record
from kg.notebook.table import Table

if TYPE_CHECKING:
    import networkx as nx
    import rdflib

    from kg.notebook.view import View


class Graph(Analyses):
    """One release, to ask."""

    def __init__(self, door: Door) -> None:
        self._door = door

    @property
    def release(self) -> str:
        """The id of the release that answers."""
        return self._door.release

    def __repr__(self) -> str:
        return f"Graph of release {self.release[:12]}"

    def sparql(self, query: str) -> Table:
        """Returns the rows of a SELECT; the graph's prefixes are known without being declared."""
        return Table(self._door.select(query))

    def questions(self) -> list[str]:
        """Returns the names of the questions."""
        return [question["name"] for question in self._door.get("queries")["results"]]

    def ask(self, name: str, **parameters: str | Sequence[str]) -> Table:
        """Returns the rows of a question; a value is an IRI, a CURIE, a label or a list of these."""
        given = {k: [v] if isinstance(v, str) else list(v) for k, v in parameters.items()}
        return Table(self._door.ask(name, given))

    def connect(
        self,
        start: str,
        end: str,
        max_hops: int = 6,
        limit: int = 10,
        basis: str = "",
        mode: str = "best",
        **restriction: str | Sequence[str] | None,
    ) -> Paths:
        """Returns how two things hang together, each hop with its sentence and passages.

        Args:
            mode: `best`, `shortest` (all shortest paths) or `all` (up to `max_hops`).
            restriction: via, avoid, links, types, direction, place, document, since, until, as
                `kg.connections.values.Restriction` tells; a name or several.

        Raises:
            BadParameter: a restriction is none of these, or does not fit.
        """
        given = {"from_": start, "to": end, "max_hops": max_hops, "limit": limit, "basis": basis, "mode": mode}
        return Paths(self._door.get("connections", **given, **restriction), self.show)

    def describe(self, entity: str, limit: int = 200) -> Entity:
        """Returns what is known of a thing."""
        return Entity(self._door.get("describe", entity=entity, limit=limit))

    def search(self, words: str, kind: str | None = None, limit: int = 20) -> Matches:
        """Returns the things that fit the words, best first; `kind` is a class such as pev:Theme."""
        return Matches(self._door.get("search", q=words, type_=kind, limit=limit))

    def cite(self, what: Table | Paths | str, style: Literal["text", "bibtex", "csl"] = "text") -> str:
        """Returns how to cite an answer: its release, query, permalink and today's date.

        Args:
            what: a table or paths of this graph, or an address such as `/api/compare?theme=Finance`.
            style: a sentence, a BibTeX entry, or an item of CSL-JSON.
        """
        found = self._door.get("cite", answer=what if isinstance(what, str) else _address_of(what))
        return json.dumps(found["csl"], ensure_ascii=False, indent=2) if style == "csl" else str(found[style])

    @cached_property
    def terms(self) -> list[str]:
        """The prefixed names of the classes and properties."""
        found = self._door.get("vocabulary")
        return [term["curie"] for term in (*found["classes"], *found["properties"])]

    # To look at

    def explore(self, name: str, limit: int = 50) -> View | Drawing:
        """Returns a thing and what it is linked to, to look at and to go on from: click to expand."""
        return _shown(of_neighbours(self._door, name, limit))

    def show(self, what: str | Table | Paths | Entity | Sequence[str]) -> View | Drawing:
        """Returns a view of paths, of the things in a table, of one thing, or of the things that a query finds.

        Args:
            what: an answer of this graph; IRIs or CURIEs; or a query (SELECT, CONSTRUCT or DESCRIBE).
        """
        if isinstance(what, Paths):
            return _shown(of_paths(self._door, what.answer.to_dict()))
        if isinstance(what, Entity):
            return self.explore(what.iri)
        if isinstance(what, Table):
            return _shown(of_subgraph(self._door, repr(what), what.iris))
        if isinstance(what, str):
            return _shown(of_subgraph(self._door, "What a query finds", iris_of_query(self._door, what)))
        return _shown(of_subgraph(self._door, ", ".join(what), what))

    def diff(self, other: Graph | str | Path, limit: int = 50) -> Record:
        """Returns what changed from this release to another, in domain words.

        Args:
            other: an opened graph; or a release: its id (8 or more digits of it) where it is kept
                beside this one, or its folder.
            limit: how many things are told one by one.

        Raises:
            BadParameter, UnknownName: no one release has such an id.
        """
        if isinstance(other, Graph):
            other = getattr(other._door, "folder", other.release)
        return Record(self._door.diff(str(other), limit))

    def to_rdflib(self) -> rdflib.Dataset:
        """Returns every named graph as an rdflib Dataset (its default graph is their union)."""
        import rdflib
        from pyoxigraph import RdfFormat, serialize

        content = serialize(self._door.quads(), format=RdfFormat.N_QUADS)
        return rdflib.Dataset(default_union=True).parse(data=content or b"", format="nquads")

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Returns the links as a networkx graph: nodes by IRI, edges with basis and origins."""
        return self._door.to_networkx()

    def close(self) -> None:
        """Lets go of what answers."""
        self._door.close()


def _address_of(what: Table | Paths) -> str:
    """Returns the address, below that of a service, which gives an answer."""
    answer = what.answer.to_dict()
    if isinstance(what, Paths):
        return str(answer["permalink"])
    if not answer["name"]:
        return address_of_query(answer["sparql"])
    given = [
        (k, v) for k, value in answer["parameters"].items() for v in ([value] if isinstance(value, str) else value)
    ]
    return address_of_question(answer["name"], given)


def _shown(drawing: Drawing) -> View | Drawing:
    """Returns the drawing as an interactive view where notebooks can show one, else as it is: a still picture."""
    if find_spec("anywidget") is None:
        return drawing
    from kg.notebook.view import View

    return View(drawing)
