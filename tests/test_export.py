"""A release goes out in the formats of other tools, and comes back as it was."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import networkx as nx
import polars as pl
import pyoxigraph as ox
import pytest
from starlette.testclient import TestClient

from conftest import application
from kg.errors import BadParameter
from kg.model import Link
from kg.names import GENID, GRAPH, INFERRED_GRAPH, Prefixes
from kg.release.build import build
from kg.release.export import quads, to_networkx, write_export
from kg.release.folders import write_folder
from kg.release.jsonld import Context
from kg.release.opened import Release, open_release
from kg.release.tables import dated_tables_of, node_tables_of
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


def test_json_ld_reads_like_a_document_of_things(odd_release: Release) -> None:
    document = json.loads(write_export(odd_release, "jsonld"))
    graphs = {graph["id"]: graph["@graph"] for graph in document["@graph"]}
    assert set(graphs) == {odd_release.library.prefixes.curie(name) for name in odd_release.info().graphs}
    (barrier,) = (node for node in graphs["graph:source-elsewhere"] if node["id"] == "barrier:elsewhere-empty-posts")
    assert (barrier["type"], barrier["label"]) == ("Barrier", "Empty posts in Elsewhere")
    # What has no label and is named by one other stands within that one: a passage's selector.
    (passage,) = (node for node in graphs["graph:source-elsewhere"] if node["id"] == barrier["evidence"][0])
    selector = passage["selector"]
    assert int(selector["end"]) > int(selector["start"])
    assert selector["id"] not in {node["id"] for node in graphs["graph:source-elsewhere"]}


def test_nodes_that_name_each_other_in_a_circle_are_all_written() -> None:
    context = Context({"id": "@id", "ex": "http://e/"}, Prefixes({"ex": "http://e/"}))
    names = [ox.NamedNode(f"http://e/{n}") for n in range(12)]
    link, graph = ox.NamedNode("http://e/next"), ox.NamedNode("http://e/graph")
    circle = [ox.Quad(names[n], link, names[(n + 1) % 6], graph) for n in range(6)]
    chain = [ox.Quad(names[n], link, names[n + 1], graph) for n in range(6, 11)]
    itself = [ox.Quad(names[11], link, names[11], graph)]
    quads_in = [*circle, *chain, *itself]
    written = context.write_dataset(quads_in)
    assert set(ox.parse(written, format=ox.RdfFormat.JSON_LD)) == set(quads_in)


# Folders and metadata


def test_tables_hold_every_link_and_thing_with_dates(release: Release, tmp_path: Path) -> None:
    write_folder(release, "tables", tmp_path / "tables")
    frame = pl.read_parquet(tmp_path / "tables" / "links.parquet")
    nodes = pl.read_parquet(tmp_path / "tables" / "nodes.parquet")

    assert frame.columns == ["from", "to", "link", "basis", "origins", "issued"]
    assert frame.select("from", "to", "link", "basis", "origins").rows() == [
        (k.subject, k.object, k.predicate, k.basis.value, list(k.origins)) for k in links(release)
    ]
    issued = dict(nodes.filter(pl.col("issued").is_not_null()).select("iri", "issued").rows())
    assert issued["https://w3id.org/policy-evidence/id/doc/johnston2018-opinion"] == "2018-06-17"
    assert all(dates == [issued.get(o) for o in origins] for origins, dates in frame.select("origins", "issued").rows())
    assert nodes["iri"].to_list() == [release.links.iri(n) for n in range(release.links.node_count)]
    ends = Counter([*frame["from"], *frame["to"]])
    assert dict(nodes.filter(pl.col("links") > 0).select("iri", "links").rows()) == ends
    row = nodes.filter(pl.col("iri") == WORKFORCE).rows(named=True)[0]
    assert (row["curie"], row["label"], row["type"]) == ("theme:workforce", "Workforce", "pev:Theme")


def test_tables_are_the_same_in_parts_of_any_size(odd_release: Release) -> None:
    issued = {REPORT: "2020"}
    whole = pl.concat(dated_tables_of(odd_release.links, issued))
    assert pl.concat(dated_tables_of(odd_release.links, issued, part=3)).equals(whole)
    assert set(whole["issued"].explode(empty_as_null=False).to_list()) <= {"2020", None}
    things = pl.concat(node_tables_of(odd_release.links, odd_release.search, issued))
    assert pl.concat(node_tables_of(odd_release.links, odd_release.search, issued, part=3)).equals(things)


def assert_is_crate(folder: Path, release: Release) -> None:
    """The folder is an RO-Crate of the release, whose metadata names each of its files with its digest."""
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    root = entities["./"]

    # RO-Crate 1.1: the descriptor, and what the root must have.
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["about"] == {"@id": "./"} and descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset" and all(
        root[name] for name in ("name", "description", "datePublished", "license")
    )
    assert root["identifier"] == release.id
    files = {path.name for path in folder.iterdir()} - {"ro-crate-metadata.json"}
    assert {part["@id"] for part in root["hasPart"]} == files == {"graph.nq", "links.parquet", "nodes.parquet"}
    for name in files:
        content = (folder / name).read_bytes()
        assert entities[name]["sha256"] == hashlib.sha256(content).hexdigest()
        assert entities[name]["contentSize"] == str(len(content))
    assert {part["@id"] for part in root["isBasedOn"]} == set(release.links.all_origins())
    named = {part["@id"] for key in ("creator", "publisher") for part in [root[key]]} | {
        p["@id"] for p in root["isBasedOn"]
    }
    assert named <= set(entities)


def test_a_crate_names_each_of_its_files_with_its_digest(release: Release, tmp_path: Path) -> None:
    write_folder(release, "ro-crate", tmp_path / "crate")
    assert_is_crate(tmp_path / "crate", release)


def test_a_crate_over_http_is_an_archive_that_describes_itself_first(
    release: Release, settings: Settings, tmp_path: Path
) -> None:
    with TestClient(application(release, settings)) as client:
        reply = client.get("/api/export/ro-crate")
        tables = client.get("/api/export/tables")
        again = client.get("/api/export/ro-crate", headers={"If-None-Match": reply.headers["etag"]})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/zip")
    assert len(reply.content) == int(reply.headers["content-length"])
    assert (again.status_code, again.content) == (304, b"")

    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "ro-crate-metadata.json"
        archive.extractall(tmp_path / "crate")
    assert_is_crate(tmp_path / "crate", release)
    assert (tmp_path / "crate" / "graph.nq").read_bytes() == write_export(release, "nquads")
    with zipfile.ZipFile(io.BytesIO(tables.content)) as archive:
        assert archive.namelist() == ["links.parquet", "nodes.parquet"]


def test_a_crate_that_is_longer_than_an_answer_may_be_is_refused_and_the_next_export_is_not(
    release: Release, settings: Settings
) -> None:
    with TestClient(application(release, replace(settings, max_answer_bytes=20_000))) as client:
        refused = client.get("/api/export/ro-crate")
        assert (refused.status_code, refused.json()["limit"]) == (413, "KG_MAX_ANSWER_BYTES")
        assert client.get("/api/export/datacite").status_code == 200


def test_datacite_metadata_has_what_is_mandatory_but_for_the_doi(release: Release) -> None:
    found = json.loads(write_export(release, "datacite"))

    assert found["schemaVersion"] == "http://datacite.org/schema/kernel-4"
    assert found["creators"] and found["titles"][0]["title"] and found["publisher"]["name"]
    assert found["types"]["resourceTypeGeneral"] == "Dataset"
    assert found["publicationYear"] == str(release.info().built)[:4] and found["version"] == release.id
    assert len(found["relatedItems"]) == len(release.links.all_origins())


def test_a_folder_that_holds_something_is_not_written_into(release: Release, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadParameter, match="new or empty"):
        write_folder(release, "tables", tmp_path)
    with pytest.raises(BadParameter, match="tables, ro-crate"):
        write_folder(release, "zip", tmp_path / "other")


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
    with pytest.raises(BadParameter, match=rf"'xml' is none of {', '.join([*SHAPES, 'datacite'])}\."):
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
