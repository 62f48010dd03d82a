"""A release in the formats that other tools read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, serialize

from kg.errors import BadParameter
from kg.names import GENID
from kg.release.links import Links
from kg.release.opened import Release
from kg.release.search import Search
from kg.release.turtle import write_trig, write_turtle

if TYPE_CHECKING:
    import networkx as nx

_ALL_QUADS = "SELECT ?s ?p ?o ?g WHERE { GRAPH ?g { ?s ?p ?o } }"


def write_export(release: Release, shape: str) -> bytes:
    """Returns the whole release in a format: nquads, trig, turtle, jsonld, csv, parquet, graphml or gexf.

    The RDF formats hold every named graph (turtle: each triple once). The others hold one row or
    edge a link: from, to, link, basis, origins.

    Raises:
        BadParameter: there is no such format.
        SourceError: the store failed.
    """
    writer = _WRITERS.get(shape)
    if writer is None:
        raise BadParameter(f"format: {shape!r} is none of {', '.join(_WRITERS)}.")
    return writer(release)


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
    iris = [links.iri(node) for node in range(links.node_count)]
    known = search.entities(iris)
    for iri in iris:
        entity = known.get(iri)
        graph.add_node(iri, label=entity.label if entity else iri, type=(entity and entity.type) or "")
    for number in range(links.link_count):
        link = links.link(number)
        graph.add_edge(
            link.subject, link.object, link.predicate, basis=link.basis.value, origins=" ".join(link.origins)
        )
    return graph


def _unskolemised(found: list[Quad]) -> list[Quad]:
    """Returns the quads with blank nodes again where the build named them."""

    def plain(term: object) -> object:
        if isinstance(term, NamedNode) and term.value.startswith(GENID):
            return BlankNode(term.value.removeprefix(GENID).replace("/", "-"))
        return term

    return [Quad(plain(q.subject), q.predicate, plain(q.object), q.graph_name) for q in found]  # type: ignore[arg-type]  # plain() keeps each position's kind


def _nquads(release: Release) -> bytes:
    return "".join(sorted(f"{quad} .\n" for quad in quads(release))).encode()


def _trig(release: Release) -> bytes:
    return write_trig(_unskolemised(quads(release)), release.library.prefixes).encode()


def _turtle(release: Release) -> bytes:
    return write_turtle(_unskolemised(quads(release)), release.library.prefixes).encode()


def _jsonld(release: Release) -> bytes:
    ordered = sorted(quads(release), key=lambda quad: (str(quad.graph_name), str(quad)))
    return serialize(ordered, format=RdfFormat.JSON_LD, prefixes=dict(release.library.prefixes.namespaces)) or b""


def _rows(release: Release) -> list[tuple[str, str, str, str, str]]:
    numbered = map(release.links.link, range(release.links.link_count))
    return [(k.subject, k.object, k.predicate, k.basis.value, " ".join(k.origins)) for k in numbered]


_COLUMNS = ("from", "to", "link", "basis", "origins")


def _csv(release: Release) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180, section 2
    writer.writerow(_COLUMNS)
    writer.writerows(_rows(release))
    return text.getvalue().encode()


def _parquet(release: Release) -> bytes:
    import polars as pl

    rows = [(*row, origins.split()) for *row, origins in _rows(release)]
    schema = {name: pl.List(pl.String) if name == "origins" else pl.String for name in _COLUMNS}
    content = io.BytesIO()
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(content)
    return content.getvalue()


def _numbered(release: Release) -> nx.MultiDiGraph[str]:
    """Returns the links as a graph whose edges have an `id` each, as both XML formats ask, and name their `link`."""
    graph = to_networkx(release.id, release.links, release.search)
    for number, (_, _, link, data) in enumerate(graph.edges(keys=True, data=True)):
        data.update(id=f"e{number}", link=link)
    return graph


def _graphml(release: Release) -> bytes:
    import networkx as nx

    content = io.BytesIO()
    nx.write_graphml(_numbered(release), content, edge_id_from_attribute="id")
    return content.getvalue()


def _gexf(release: Release) -> bytes:
    import networkx as nx

    content = io.BytesIO()
    nx.write_gexf(_numbered(release), content)
    # networkx notes the day on which it writes; equal releases are to give equal files.
    return re.sub(rb' lastmodifieddate="[^"]*"', b"", content.getvalue(), count=1)


_WRITERS: Mapping[str, Callable[[Release], bytes]] = {
    "nquads": _nquads,
    "trig": _trig,
    "turtle": _turtle,
    "jsonld": _jsonld,
    "csv": _csv,
    "parquet": _parquet,
    "graphml": _graphml,
    "gexf": _gexf,
}
