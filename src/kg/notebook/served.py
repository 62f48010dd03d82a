"""The door of a graph that a service serves: the same answers, over HTTP.

Every request names the release that was served when the graph was opened, so that what a notebook
puts together comes from one release; when the service keeps that release no longer, it says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx2
from pyoxigraph import NamedNode, Quad, QueryResultsFormat, QuerySolutions, Store, parse_query_results

from kg.engines.local import LocalSource
from kg.errors import AmbiguousName, BadSparql, KgError, LimitError, SourceError, UnknownName
from kg.library import Library, read_library
from kg.model import Entity
from kg.notebook.doors import Json
from kg.release.export import to_networkx
from kg.release.links import build_links, open_links
from kg.release.search import Search, build_search
from kg.workspace import Settings, shipped_workspace

if TYPE_CHECKING:
    import networkx as nx

_TABLE = "application/sparql-results+json"
_LABELS_AT_ONCE = 1000
# Beyond the service's own limit, so that its answer says what happened.
_PATIENCE_S = 10


class ServedDoor:
    """A service, as a graph asks it.

    Args:
        address: of the service; `/sparql` at its end is taken off.

    Raises:
        SourceError: nothing answers there, or what answers is no such service.
    """

    def __init__(self, address: str, settings: Settings) -> None:
        self.address = address.rstrip("/").removesuffix("/sparql")
        timeout = settings.query_time_limit_ms / 1000 + _PATIENCE_S
        self._client = httpx2.Client(base_url=self.address, timeout=timeout, trust_env=False)
        self._release = ""
        try:
            found = self._json("/api/release", {})
            self._release, self._graphs = str(found["release"]), list(found["graphs"])
        except (KeyError, ValueError, AssertionError) as error:
            self.close()
            raise SourceError(f"{self.address} is no service of such a graph.") from error
        except KgError:
            self.close()
            raise

    @property
    def release(self) -> str:
        return self._release

    def select(self, query: str) -> Json:
        found = json.loads(self.sparql(query, _TABLE))
        if "results" not in found:
            raise BadSparql("a SELECT query was expected here.")
        rows = [{name: _cell(term) for name, term in row.items()} for row in found["results"]["bindings"]]
        named = [cell for row in rows for cell in row.values() if cell["type"] == "uri"]
        labels = self._labels(cell["value"] for cell in named)
        for cell in named:
            if cell["value"] in labels:
                cell["label"] = labels[cell["value"]]
        shape = {"release": self._release, "name": "", "parameters": {}, "truncated": False, "sparql": query}
        return {**shape, "columns": found["head"]["vars"], "results": rows}

    def get(self, name: str, **parameters: Any) -> Json:
        if name == "subgraph":
            # The one question too long for an address.
            body, pinned = {"entities": parameters["entities"]}, {"release": self._release}
            return self._read(self._client.build_request("POST", "/api/subgraph", params=pinned, json=body))
        given = {key.rstrip("_"): value for key, value in parameters.items() if value is not None}
        return self._json(f"/api/{name}", given)

    def ask(self, name: str, parameters: Mapping[str, list[str]]) -> Json:
        return self._json(f"/api/queries/{quote(name, safe='')}", parameters)

    def sparql(self, query: str, media_type: str) -> bytes:
        # By POST: an address has less room than a query may need.
        form = {"query": query, "release": self._release}
        return self._sent(self._client.build_request("POST", "/sparql", data=form, headers={"Accept": media_type}))

    def diff(self, other: str, limit: int) -> Json:
        return self._json("/api/diff", {"from": self._release, "to": other, "limit": limit})

    def quads(self) -> list[Quad]:
        return [quad for name in self._graphs for quad in self._graph(name)]

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Returns the links, found here in a copy of the whole graph: a service has no such export."""
        store, prefixes = Store(), self._library.prefixes
        for quad in self.quads():
            # Its default graph holds each triple once, as that of a release does.
            store.extend([quad, Quad(*quad.triple)])
        source = LocalSource(store, prefixes)
        with TemporaryDirectory() as folder:
            links, text_index = Path(folder, "links"), Path(folder, "search.sqlite")
            build_links(source, self._library, links)
            build_search(source, self._library, text_index)
            search = Search(text_index, prefixes)
            try:
                return to_networkx(self._release, open_links(links), search)
            finally:
                search.close()

    def close(self) -> None:
        self._client.close()

    # What is asked

    def _graph(self, name: str) -> list[Quad]:
        graph = NamedNode(name)
        query = self._library.program("graph-triples").bound({"graph": [[graph]]})
        found = parse_query_results(self.sparql(query, _TABLE), format=QueryResultsFormat.JSON)
        assert isinstance(found, QuerySolutions)
        return [Quad(s, p, o, graph) for s, p, o in found]

    def _labels(self, iris: Iterable[str]) -> dict[str, str]:
        """Returns what things are called, by IRI."""
        known = [iri for iri in sorted(set(iris)) if _is_iri(iri)]
        found: dict[str, str] = {}
        for start in range(0, len(known), _LABELS_AT_ONCE):
            some = [[NamedNode(iri)] for iri in known[start : start + _LABELS_AT_ONCE]]
            answer = json.loads(self.sparql(self._library.program("names").bound({"thing": some}), _TABLE))
            for row in answer["results"]["bindings"]:
                found.setdefault(row["thing"]["value"], row["name"]["value"])
        return found

    @cached_property
    def _library(self) -> Library:
        """The questions that come with this package, of which two are asked of the service."""
        shipped = shipped_workspace()
        return read_library(shipped.root / "queries", shipped.prefixes)

    def _json(self, path: str, given: Mapping[str, Any]) -> Json:
        pinned = {**given, "release": self._release} if self._release else given
        return self._read(self._client.build_request("GET", path, params=pinned))

    def _read(self, request: httpx2.Request) -> Json:
        found = json.loads(self._sent(request))
        assert isinstance(found, dict)
        return found

    def _sent(self, request: httpx2.Request) -> bytes:
        try:
            reply = self._client.send(request)
        except httpx2.HTTPError as error:
            raise SourceError(f"{self.address} does not answer: {error}") from error
        if reply.status_code != 200:
            raise _told(reply)
        return reply.content


def _told(reply: httpx2.Response) -> KgError:
    """Returns the error that a service's answer tells of."""
    try:
        problem = reply.json()
        title, detail = str(problem["title"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return SourceError(f"{reply.url.host} answers {reply.status_code} and not as such a service does.")
    kind = next((kind for kind in _kinds(KgError) if kind.title == title), SourceError)
    if issubclass(kind, UnknownName | AmbiguousName):
        return kind(detail, [_entity(found) for found in problem.get("nearest", ())])
    if issubclass(kind, BadSparql):
        return kind(detail, problem.get("line"), problem.get("column"))
    if issubclass(kind, LimitError):
        return kind(detail, str(problem.get("limit", "")))
    return kind(detail)


def _kinds(kind: type[KgError]) -> Iterator[type[KgError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


def _entity(found: Mapping[str, Any]) -> Entity:
    return Entity(found["iri"], found["curie"], found["label"], found.get("type"), found.get("scheme"))


def _cell(term: Mapping[str, str]) -> dict[str, str]:
    """Returns a term of the results format as the API writes a cell (SPARQL 1.1 Query Results JSON Format, 3.2.2)."""
    found = {"value": term["value"], "type": term["type"]}
    if "xml:lang" in term:
        found["lang"] = term["xml:lang"]
    if "datatype" in term:
        found["datatype"] = term["datatype"]
    return found


def _is_iri(text: str) -> bool:
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True
