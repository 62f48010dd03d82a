"""Data files become quads: each in the graphs of its file, and with an IRI for every blank node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, DefaultGraph, NamedNode, Quad

from kg.errors import DataError
from kg.names import GENID
from kg.release.turtle import parse_turtle
from kg.workspace import Workspace


def read_file(workspace: Workspace, path: Path) -> list[Quad]:
    """Returns the quads of a data file.

    Raises:
        DataError: the file cannot be read or does not parse, or writes into a graph that is not its own.
    """
    shown = workspace.shown(path)
    quads = parse_turtle(path, shown)
    graphs = [NamedNode(name) for name in workspace.graphs_of(path)]
    if path.suffix == ".trig":
        _own_graphs_only(quads, graphs, shown)
    else:
        quads = [Quad(q.subject, q.predicate, q.object, graphs[0]) for q in quads]
    return skolemised(quads, path.stem)


def _own_graphs_only(quads: Iterable[Quad], own: Sequence[NamedNode], shown: str) -> None:
    for quad in quads:
        if quad.graph_name not in own:
            found = "outside of a named graph" if isinstance(quad.graph_name, DefaultGraph) else str(quad.graph_name)
            slug = Path(shown).stem
            raise DataError(
                f"holds triples {found}; a text's file writes graph:source-{slug} and graph:curated-{slug} only.", shown
            )


def skolemised(quads: Sequence[Quad], slug: str) -> list[Quad]:
    """Returns the quads with an IRI for every blank node: the same one whenever the file is the same.

    Source: RDF 1.1 Concepts, section 3.5; the numbers come from RDF Dataset Canonicalization 1.0.
    """
    if not any(isinstance(term, BlankNode) for quad in quads for term in (quad.subject, quad.object)):
        return list(quads)
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)

    def named(term: object) -> object:
        return NamedNode(f"{GENID}{slug}/{term.value}") if isinstance(term, BlankNode) else term

    return [Quad(named(q.subject), q.predicate, named(q.object), q.graph_name) for q in dataset]  # type: ignore[arg-type]  # named() keeps each position's kind
