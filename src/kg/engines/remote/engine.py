"""One engine: where it answers, what it can do, and the requests that this program makes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from kg.engines.remote.capabilities import Capabilities, kind_named, kind_that_says
from kg.engines.transport import Fields, Got, Limits, Sent, Transport, auth_of, shown_address
from kg.errors import BadParameter, EngineCut, EngineError
from kg.workspace import Settings

# What an engine says to a write is short.
_ANSWER_TO_A_WRITE_BYTES = 1 << 20
_TRIPLES = "application/n-triples"
_ANY = "application/sparql-results+json, */*;q=0.1"
_CSV = "text/csv"
# How an engine says that it does not know a function, or that we may not call it.
_REFUSALS = (400, 401, 403, 500)


@dataclass(frozen=True)
class Engine:
    """An engine that is open.

    Attributes:
        name: how messages call it: its address.
        query_url, update_url, store_url: where it answers; None where it has no such place.
    """

    name: str
    kind: Capabilities
    query_url: str
    update_url: str | None
    store_url: str | None
    settings: Settings
    transport: Transport = field(repr=False)

    @cached_property
    def guarding(self) -> Settings:
        """The settings for what is refused before it is sent; what the engine would call on is out of our hands."""
        return replace(self.settings, service_allowed=None)

    @cached_property
    def most_rows(self) -> int | None:
        """The limit of its own at which it cuts tables and graphs; None where it has none, or does not tell."""
        if self.kind.cut_query is None:
            return None
        sent = Sent(self.query_url, form=[("query", self.kind.cut_query)], headers={"Accept": _CSV})
        got = self.transport.send(sent, self._reading, allowed=_REFUSALS)
        with got.file:
            found = re.search(rb'^"?([1-9][0-9]*)"?\s*$', got.text(), re.MULTILINE)
        return int(found[1]) if found and got.status not in _REFUSALS else None

    def cut_at(self, most: int, what: str) -> EngineCut:
        """Returns the error for an answer that the engine cut, or may have cut."""
        return EngineCut(f"{self.name} cut the answer at {most} {what}, a limit of its own ({self.kind.cut_setting}).")

    @property
    def _reading(self) -> Limits:
        return Limits(self.settings.query_time_limit_ms, self.settings.max_answer_bytes)

    @property
    def _writing(self) -> Limits:
        time_ms, name = self.settings.engine_write_time_limit_ms, "KG_ENGINE_WRITE_TIME_LIMIT_MS"
        return Limits(time_ms, _ANSWER_TO_A_WRITE_BYTES, name)

    def ask(self, form: Fields, accept: str, most_bytes: int | None = None) -> Got:
        """Returns the answer to a query; the form is that of the SPARQL Protocol.

        Args:
            most_bytes: so long the answer may be, where it is data to be compared; it may take longer, too.

        Raises:
            As `Transport.send`.
        """
        limits = self._reading if most_bytes is None else self._comparing(most_bytes)
        return self.transport.send(Sent(self.query_url, form=form, headers={"Accept": accept}), limits)

    def update(self, text: str) -> None:
        """Lets the engine apply an update of ours.

        Raises:
            As `Transport.send`.
            BadParameter: no address for updates is known.
        """
        if self.update_url is None:
            raise BadParameter(f"KG_ENGINE_UPDATE_URL: is not set, and a {self.kind.name} engine has no usual place.")
        sent = Sent(self.update_url, form=[("update", text)], headers={"Accept": _ANY}, reads=False)
        self.transport.send(sent, self._writing).file.close()

    def add(self, graph: str, lines: bytes) -> None:
        """Adds triples to a graph: through the graph store where there is one.

        Raises:
            As `update`.
        """
        if self.store_url is None:
            self.update(f"INSERT DATA {{ GRAPH <{graph}> {{\n{lines.decode()}}} }}")
            return
        headers = {"Content-Type": _TRIPLES, "Accept": _ANY}
        sent = Sent(self.store_url, parameters=[("graph", graph)], body=lines, headers=headers, reads=False)
        self.transport.send(sent, self._writing).file.close()

    def add_several(self, graphs: Mapping[str, bytes]) -> None:
        """Adds triples to several graphs, in one update where the engine takes every literal in it.

        Raises:
            As `update`.
        """
        if not self.kind.updates_data:
            for graph, lines in graphs.items():
                self.add(graph, lines)
            return
        blocks = (f"GRAPH <{graph}> {{\n{lines.decode()}}}" for graph, lines in graphs.items())
        self.update("INSERT DATA {{\n{}\n}}".format("\n".join(blocks)))

    def remove(self, graph: str, lines: bytes) -> None:
        """Removes triples from a graph.

        Raises:
            As `update`.
        """
        self.update(f"DELETE DATA {{ GRAPH <{graph}> {{\n{lines.decode()}}} }}")

    def clear(self, graph: str) -> None:
        """Removes all that stands in a graph.

        Raises:
            As `update`.
        """
        self.update(f"CLEAR SILENT GRAPH <{graph}>")

    def read(self, graph: str, most_bytes: int) -> Got:
        """Returns a whole graph as N-Triples; one that is not there holds nothing.

        Raises:
            As `Transport.send`.
        """
        if self.store_url is None:
            form = [("query", "CONSTRUCT WHERE { ?s ?p ?o }"), ("default-graph-uri", graph)]
            return self.ask(form, _TRIPLES, most_bytes)
        sent = Sent(self.store_url, "GET", parameters=[("graph", graph)], headers={"Accept": _TRIPLES})
        return self.transport.send(sent, self._comparing(most_bytes), allowed=(404,))

    def _comparing(self, most_bytes: int) -> Limits:
        time_ms, name = self.settings.engine_write_time_limit_ms, "KG_ENGINE_WRITE_TIME_LIMIT_MS"
        return Limits(time_ms, most_bytes, name, "its size")

    def not_whole(self, got: Got, why: str) -> EngineError:
        """Returns the error for an answer that does not parse to its end."""
        end = " ".join(got.text()[-160:].decode("utf-8", "replace").split())
        return EngineError(f"{self.name} answered {got.status}, but not to the end: {why} It ends: {end}")

    def close(self) -> None:
        """Ends the connections."""
        self.transport.close()


def open_engine(address: str, settings: Settings) -> Engine:
    """Returns the engine at an address: that of its queries, or the one below which its kind has them.

    Raises:
        BadParameter: the address is none, or a setting does not fit.
        EngineSilent, EngineTimeout, EngineError: it does not answer.
    """
    transport = Transport(auth_of(settings))
    try:
        kind = kind_named(settings.engine_kind) if settings.engine_kind else _kind_at(address, transport, settings)
    except BaseException:
        transport.close()
        raise
    root = address.rstrip("/")
    if kind.query_path and root.endswith(kind.query_path):
        root = root.removesuffix(kind.query_path)
    query, update, store = (None if path is None else root + path for path in _paths(kind))
    assert query is not None
    # Where there is no path the address is taken as it was given, to the last stroke.
    return Engine(
        shown_address(address),
        kind,
        query if kind.query_path else address,
        settings.engine_update_url or update,
        settings.engine_graph_store_url or store,
        settings,
        transport,
    )


def _paths(kind: Capabilities) -> Sequence[str | None]:
    return kind.query_path, kind.update_path, kind.store_path


def _kind_at(address: str, transport: Transport, settings: Settings) -> Capabilities:
    """Returns the kind of engine that answers at an address, by what it says of itself."""
    limits = Limits(settings.query_time_limit_ms, settings.max_answer_bytes)
    every_status = range(400, 500)
    got = transport.send(Sent(address, "GET", headers={"Accept": "*/*"}), limits, allowed=every_status)
    got.file.close()
    return kind_that_says(got.headers.get("server", ""))
