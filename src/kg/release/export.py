"""A release in the formats that other tools read.

The formats of links (csv, parquet, graphml, gexf) are written a part at a time and need little
memory, however many links there are; the RDF formats are sorted, and hold everything once.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pyoxigraph import BlankNode, NamedNode, Quad

from kg.errors import BadParameter
from kg.names import GENID
from kg.release.graphml import write_gexf, write_graphml
from kg.release.jsonld import Context
from kg.release.links import Links
from kg.release.metadata import write_datacite
from kg.release.opened import Release
from kg.release.search import Search
from kg.release.tables import entities_of, tables_of, write_parquet
from kg.release.turtle import write_trig, write_turtle

if TYPE_CHECKING:
    import networkx as nx

_ALL_QUADS = "SELECT ?s ?p ?o ?g WHERE { GRAPH ?g { ?s ?p ?o } }"


def write_export(release: Release, shape: str) -> bytes:
    """Returns the whole release in a format: nquads, trig, turtle, jsonld, csv, parquet, graphml, gexf or datacite.

    The RDF formats hold every named graph (turtle: each triple once); datacite describes the release.
    The others hold one row or edge a link: from, to, link, basis, origins.

    Raises:
        BadParameter: there is no such format.
        SourceError: the store failed.
    """
    content = io.BytesIO()
    write_export_to(release, shape, content)
    return content.getvalue()


def write_export_to(release: Release, shape: str, file: IO[bytes]) -> None:
    """Writes what `write_export` returns into a file.

    Raises:
        As `write_export`.
    """
    writer = _WRITERS.get(shape)
    if writer is None:
        raise BadParameter(f"format: {shape!r} is none of {', '.join(_WRITERS)}.")
    writer(release, file)


def quads(release: Release) -> list[Quad]:
    """Returns every quad of the named graphs; blank nodes are named, as in the store."""
    found = release.source.select(_ALL_QUADS).rows
    return [Quad(*terms) for terms in found]  # type: ignore[arg-type]  # the query binds all four


def to_networkx(name: str, links: Links, search: Search) -> nx.MultiDiGraph[str]:
    """Returns the links of the release of that name as a directed multigraph.

    Nodes are IRIs with `label` and `type`; edges are keyed by link IRI, with `basis` and
    `origins` (IRIs joined by a space, since GraphML and GEXF have no lists).
    """
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(release=name)
    for entity in entities_of(links, search):
        graph.add_node(entity.iri, label=entity.label, type=entity.type or "")
    for table in tables_of(links):
        for start, end, link, basis, origins in table.iter_rows():
            graph.add_edge(start, end, link, basis=basis, origins=" ".join(origins))
    return graph


def _unskolemised(found: list[Quad]) -> list[Quad]:
    """Returns the quads with blank nodes again where the build named them."""

    def plain(term: object) -> object:
        if isinstance(term, NamedNode) and term.value.startswith(GENID):
            return BlankNode(term.value.removeprefix(GENID).replace("/", "-"))
        return term

    return [Quad(plain(q.subject), q.predicate, plain(q.object), q.graph_name) for q in found]  # type: ignore[arg-type]  # plain() keeps each position's kind


def _nquads(release: Release, file: IO[bytes]) -> None:
    file.write("".join(sorted(f"{quad} .\n" for quad in quads(release))).encode())


def _trig(release: Release, file: IO[bytes]) -> None:
    file.write(write_trig(_unskolemised(quads(release)), release.library.prefixes).encode())


def _turtle(release: Release, file: IO[bytes]) -> None:
    file.write(write_turtle(_unskolemised(quads(release)), release.library.prefixes).encode())


def _jsonld(release: Release, file: IO[bytes]) -> None:
    context = Context(release.directory.terms, release.library.prefixes)
    file.write(context.write_dataset(quads(release)).encode())


def _csv(release: Release, file: IO[bytes]) -> None:
    import polars as pl

    for number, table in enumerate(tables_of(release.links)):
        rows = table.with_columns(pl.col("origins").list.join(" "))
        # RFC 4180, section 2
        file.write(rows.write_csv(include_header=not number, line_terminator="\r\n").encode())


def _parquet(release: Release, file: IO[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "links.parquet"
        write_parquet(tables_of(release.links), whole)
        with whole.open("rb") as content:
            while part := content.read(1 << 20):
                file.write(part)


_WRITERS: Mapping[str, Callable[[Release, IO[bytes]], None]] = {
    "nquads": _nquads,
    "trig": _trig,
    "turtle": _turtle,
    "jsonld": _jsonld,
    "csv": _csv,
    "parquet": _parquet,
    "graphml": write_graphml,
    "gexf": write_gexf,
    "datacite": write_datacite,
}
