"""A release goes out in the formats of other tools, and comes back as it was."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import networkx as nx
import polars as pl
import pyoxigraph as ox
import pytest

from kg.errors import BadParameter
from kg.model import Link
from kg.names import GENID, GRAPH, INFERRED_GRAPH
from kg.release.build import build
from kg.release.export import quads, to_networkx, write_export
from kg.release.opened import Release, open_release
from kg.release.turtle import write_turtle
from kg.workspace import Settings, Workspace, open_workspace, read_settings
from workspaces import BARRIER, BLOCKS, REPORT, WORKFORCE, add, text_file, turtle, write_workspace

SHAPES = ["nquads", "trig", "turtle", "jsonld", "csv", "parquet", "graphml", "gexf"]
DATASETS = {"nquads": ox.RdfFormat.N_QUADS, "trig": ox.RdfFormat.TRIG, "jsonld": ox.RdfFormat.JSON_LD}

ODD = """
graph:source-elsewhere {
    doc:elsewhere-report dcterms:description "plain", "", "two\\nlines", "a \\"quote\\" and a \\\\ stroke",
        "\\u00e9\\u65e5\\U0001F642", "colour"@en-GB, "couleur"@fr, "\\ttab\\r"@en ;
        dcterms:extent 0, -7, 1.5, true, false, "P1Y"^^xsd:duration, "2021"^^xsd:gYear,
            "12:30:00Z"^^xsd:time, "not a number"^^xsd:integer, "own"^^pev:Own ;
        dcterms:relation <http://example.org/a%20b?c=d&e=f#g>, <http://example.org/ü>, <urn:x:y> ;
        dcterms:source [ rdfs:label "nameless" ; rdfs:seeAlso _:other ] .
    _:other rdfs:comment "Another without a name" ; rdfs:seeAlso _:other .
}
graph:curated-elsewhere { _:judged rdfs:comment "Nameless too" . }
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a text that uses every kind of term."""
    workspace = write_workspace(tmp_path_factory.mktemp("export") / "workspace")
    add(text_file(workspace.root), ODD)
    return workspace


@pytest.fixture(scope="module")
def odd_release(odd: Workspace) -> Iterator[Release]:
    with closing(open_release(build(odd, read_settings(), check="none").directory.root)) as release:
        yield release


@pytest.fixture(params=["an odd text", "this repository"])
def both(request: pytest.FixtureRequest) -> tuple[Workspace, Release]:
    if request.param == "an odd text":
        return request.getfixturevalue("odd"), request.getfixturevalue("odd_release")
    return request.getfixturevalue("workspace"), request.getfixturevalue("release")


# RDF out is RDF in


def of_files(workspace: Workspace) -> list[ox.Quad]:
    """Returns what the files say, read without any code of the build."""
    found: list[ox.Quad] = []
    for path in workspace.data_files:
        trig = path.suffix == ".trig"
        graph = ox.NamedNode(GRAPH + path.stem)
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TRIG if trig else ox.RdfFormat.TURTLE):
            found.append(quad if trig else ox.Quad(quad.subject, quad.predicate, quad.object, graph))
    return found


def canonical(found: Iterable[ox.Quad]) -> set[str]:
    """Returns quads as text that is equal for isomorphic datasets."""
    dataset = ox.Dataset(found)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def unnamed(found: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
    """Yields quads with blank nodes where the build gave names (RDF 1.1 Concepts, section 3.5)."""
    for quad in found:
        subject, object_ = (
            ox.BlankNode(term.value.removeprefix(GENID).replace("/", "x"))
            if isinstance(term, ox.NamedNode) and term.value.startswith(GENID)
            else term
            for term in (quad.subject, quad.object)
        )
        yield ox.Quad(subject, quad.predicate, object_, quad.graph_name)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", DATASETS)
def test_a_dataset_comes_back_as_the_files_had_it(both: tuple[Workspace, Release], shape: str) -> None:
    workspace, release = both
    found = list(ox.parse(write_export(release, shape), format=DATASETS[shape]))
    said = [quad for quad in found if quad.graph_name != ox.NamedNode(INFERRED_GRAPH)]
    assert canonical(unnamed(said)) == canonical(of_files(workspace))
    assert len(found) == release.info().counts["quads"]


def test_turtle_holds_each_triple_of_every_graph_once(both: tuple[Workspace, Release]) -> None:
    workspace, release = both
    found = [ox.Quad(*quad.triple) for quad in ox.parse(write_export(release, "turtle"), format=ox.RdfFormat.TURTLE)]
    inferred = [q for q in quads(release) if q.graph_name == ox.NamedNode(INFERRED_GRAPH)]
    expected = {ox.Quad(*quad.triple) for quad in (*of_files(workspace), *inferred)}
    assert canonical(found) == canonical(expected)
    assert len(found) == release.info().counts["triples"]


@pytest.mark.parametrize("shape", ["trig", "turtle"])
def test_blank_nodes_are_blank_again_in_what_people_read(odd_release: Release, shape: str) -> None:
    written = write_export(odd_release, shape).decode()
    assert GENID not in written and "_:" in written


def test_files_to_store_to_export_to_files_is_the_same_release(
    both: tuple[Workspace, Release], tmp_path: Path, settings: Settings
) -> None:
    workspace, release = both
    shutil.copytree(workspace.root / "ontology", tmp_path / "ontology")
    shutil.copytree(workspace.root / "queries", tmp_path / "queries")
    (tmp_path / "graph" / "sources").mkdir(parents=True)
    exported = list(ox.parse(write_export(release, "trig"), format=ox.RdfFormat.TRIG))
    for path in workspace.data_files:
        names = (path.stem, f"source-{path.stem}", f"curated-{path.stem}")
        held = [q for q in exported if q.graph_name in [ox.NamedNode(GRAPH + name) for name in names]]
        assert held, f"{path.name} came out"
        shape = ox.RdfFormat.TRIG if path.suffix == ".trig" else ox.RdfFormat.TURTLE
        content = held if path.suffix == ".trig" else [quad.triple for quad in held]
        (tmp_path / workspace.shown(path)).write_bytes(ox.serialize(content, format=shape) or b"")

    again = build(open_workspace(tmp_path), settings, tmp_path / "release", check="none")
    assert again.directory.id == release.id


def test_turtle_of_the_ontology_reads_like_a_file(odd_release: Release) -> None:
    written = write_export(odd_release, "turtle").decode()
    assert written.startswith("@prefix ")
    assert "\nbarrier:elsewhere-empty-posts a pev:Barrier ;\n" in written
    parsed = list(ox.parse(written, format=ox.RdfFormat.TURTLE))
    assert write_turtle(parsed, odd_release.library.prefixes) == write_turtle(
        list(reversed(parsed)), odd_release.library.prefixes
    )


# Links out


def links(release: Release) -> list[Link]:
    return [release.links.link(number) for number in range(release.links.link_count)]


def test_csv_has_a_header_and_a_row_a_link(release: Release) -> None:
    text = write_export(release, "csv").decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == ["from", "to", "link", "basis", "origins"]
    assert [tuple(row) for row in rows] == [
        (k.subject, k.object, k.predicate, k.basis.value, " ".join(k.origins)) for k in links(release)
    ]
    assert text.endswith("\r\n") and text.count("\r\n") == text.count("\n") == len(rows) + 1


def test_parquet_has_a_list_of_origins_which_is_empty_for_background(release: Release) -> None:
    frame = pl.read_parquet(io.BytesIO(write_export(release, "parquet")))
    assert frame.columns == ["from", "to", "link", "basis", "origins"]
    assert frame.schema["origins"] == pl.List(pl.String)
    assert frame.rows() == [(k.subject, k.object, k.predicate, k.basis.value, list(k.origins)) for k in links(release)]


def read_back(content: bytes, shape: str) -> nx.MultiDiGraph[str]:
    graph = nx.read_graphml(io.BytesIO(content)) if shape == "graphml" else nx.read_gexf(io.BytesIO(content))
    assert isinstance(graph, nx.MultiDiGraph)
    return graph


@pytest.mark.parametrize("shape", ["graphml", "gexf"])
def test_networkx_reads_back_every_link(release: Release, shape: str) -> None:
    graph = read_back(write_export(release, shape), shape)
    found = Counter((s, o, d["link"], d["basis"], d.get("origins", "")) for s, o, d in graph.edges(data=True))
    assert found == Counter(
        (k.subject, k.object, k.predicate, k.basis.value, " ".join(k.origins)) for k in links(release)
    )
    entity = release.search.entity(WORKFORCE)
    assert entity is not None
    assert (graph.nodes[WORKFORCE]["label"], graph.nodes[WORKFORCE]["type"]) == (entity.label, entity.type)


@pytest.mark.parametrize("shape", ["graphml", "gexf"])
def test_every_edge_has_an_id_of_its_own(odd_release: Release, shape: str) -> None:
    written = write_export(odd_release, shape).decode()
    ids = [part.partition('"')[0] for edge in written.split("<edge ")[1:] for part in [edge.partition(' id="')[2]]]
    assert len(ids) == len(set(ids)) == odd_release.links.link_count


def test_the_networkx_graph_says_what_its_docstring_says(odd_release: Release) -> None:
    graph = to_networkx(odd_release.id, odd_release.links, odd_release.search)
    assert graph.graph["release"] == odd_release.id
    assert graph.edges[BARRIER, WORKFORCE, BLOCKS] == {"basis": "said", "origins": REPORT}
    assert graph.nodes[BARRIER] == {"label": "Empty posts in Elsewhere", "type": "pev:Barrier"}
    assert graph.number_of_edges() == odd_release.links.link_count


# All of them


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_release_gives_the_same_bytes(
    odd: Workspace, odd_release: Release, tmp_path: Path, settings: Settings, shape: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    first = write_export(odd_release, shape)
    again = build(odd, settings, tmp_path / "release", check="none").directory.root
    monkeypatch.setattr("time.strftime", lambda *_: "1999-12-31")
    with closing(open_release(again)) as release:
        assert write_export(release, shape) == first


def test_an_unknown_format_names_those_there_are(odd_release: Release) -> None:
    with pytest.raises(BadParameter, match=rf"'xml' is none of {', '.join(SHAPES)}\."):
        write_export(odd_release, "xml")


def test_a_release_without_links_is_written_too(tmp_path: Path, settings: Settings) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    for path in workspace.data_files:
        path.write_text(turtle(""), encoding="utf-8")
    directory = build(workspace, settings, check="none").directory
    with closing(open_release(directory.root)) as release:
        assert release.links.link_count == 0
        for shape in SHAPES:
            assert isinstance(write_export(release, shape), bytes)
