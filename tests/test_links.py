"""The link arrays say exactly what queries/links.rq says, in little room."""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from kg.errors import ReleaseError
from kg.model import Basis, Link
from kg.names import BASE, CODE, OA, PEV, RDF_TYPE, SKOS
from kg.release.links import Links, open_links
from kg.release.opened import Release
from workspaces import questions, write_links

DOC = BASE + "id/doc/"
Triple = tuple[str, str, str]
Grounds = tuple[Basis, tuple[str, ...]]

NODES = [BASE + name for name in ("a", "ab", "abc", "b", "é", "ü/deep#x", "z")]
TYPES = [PEV + "blocks", PEV + "affects", SKOS + "broader"]


def a_link(basis: Basis) -> st.SearchStrategy[Link]:
    documents = st.lists(st.sampled_from([DOC + "1", DOC + "2", BASE + "a"]), max_size=3, unique=True)
    origins = st.just([]) if basis is Basis.REFERENCE else documents
    nodes = st.sampled_from(NODES)
    return st.builds(lambda s, p, o, d: Link(s, p, o, basis, tuple(d)), nodes, st.sampled_from(TYPES), nodes, origins)


some_links = st.lists(st.sampled_from(list(Basis)).flatmap(a_link), max_size=20)


def merged(links: Iterable[Link]) -> dict[Triple, Grounds]:
    """Returns for each triple its strongest basis and the union of its origins, reckoned plainly."""
    bases: dict[Triple, set[Basis]] = defaultdict(set)
    origins: dict[Triple, set[str]] = defaultdict(set)
    for link in links:
        if link.subject != link.object:
            triple = (link.subject, link.predicate, link.object)
            bases[triple].add(link.basis)
            # What no document states stands on its subject; background stands on nothing.
            origins[triple].update(link.origins or ([] if link.basis is Basis.REFERENCE else [link.subject]))
    return {t: (min(found, key=lambda b: b.rank), tuple(sorted(origins[t]))) for t, found in bases.items()}


def held(links: Links) -> dict[Triple, Grounds]:
    """Returns what the arrays hold, and that they hold no triple twice."""
    every = [links.link(number) for number in range(links.link_count)]
    found = {(k.subject, k.predicate, k.object): (k.basis, k.origins) for k in every}
    assert len(found) == len(every)
    return found


def assert_sound(links: Links) -> None:
    """Every index of the arrays leads where it says."""
    iris = [links.iri(node) for node in range(links.node_count)]
    assert iris == sorted(set(iris))
    assert [links.node(iri) for iri in iris] == list(range(links.node_count))
    ends = [(links.link(n).subject, links.link(n).object) for n in range(links.link_count)]
    for node, iri in enumerate(iris):
        outward, inward = (part.tolist() for part in links.links_of(node))
        assert outward == [n for n, (subject, _) in enumerate(ends) if subject == iri]
        assert sorted(inward) == [n for n, (_, object_) in enumerate(ends) if object_ == iri]
        assert links.degree(node) == len(outward) + len(inward)


@settings(max_examples=60, deadline=None)
@given(some_links)
def test_the_arrays_hold_each_triple_with_its_strongest_basis_and_all_its_origins(links: list[Link]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        built = write_links(Path(folder) / "links", links)
        assert held(built) == merged(links)
        assert_sound(built)


def rows_of_the_query(release: Release) -> Iterable[Link]:
    bases = {"source": Basis.SAID, "curated": Basis.JUDGED, "inferred": Basis.INFERRED, "reference": Basis.REFERENCE}
    for row in release.source.select(release.library.program("links").text).rows:
        subject, link, object_, kind, origin = (term.value if isinstance(term, NamedNode) else "" for term in row)
        basis = bases[kind.removeprefix(CODE).removesuffix("-graph")]
        yield Link(subject, link, object_, basis, (origin,) if origin else ())


def test_the_real_arrays_are_the_rows_of_the_query(release: Release) -> None:
    found = held(release.links)
    assert found == merged(rows_of_the_query(release))
    assert len(found) > 1000
    assert {basis for basis, _ in found.values()} == set(Basis)
    assert_sound(release.links)


def test_a_link_of_reference_has_no_origins_and_every_other_has_some(release: Release) -> None:
    for basis, origins in held(release.links).values():
        assert bool(origins) == (basis is not Basis.REFERENCE)


def test_types_codes_and_passages_are_no_links(release: Release) -> None:
    triples = set(held(release.links))
    assert not {link for _, link, _ in triples} & {RDF_TYPE, PEV + "evidence", OA + "hasSource", SKOS + "inScheme"}
    ends = {iri for subject, _, object_ in triples for iri in (subject, object_)}
    assert not [iri for iri in ends if "#char=" in iri or "#selector=" in iri or iri.startswith(CODE)]


def test_a_triple_said_in_two_texts_is_one_link_with_both_origins(tmp_path: Path) -> None:
    triple = (BASE + "a", TYPES[0], BASE + "b")
    said = [Link(*triple, Basis.SAID, (DOC + "2",)), Link(*triple, Basis.SAID, (DOC + "1",))]
    judged = Link(*triple, Basis.JUDGED, (DOC + "3",))
    built = write_links(tmp_path / "links", [judged, *said])
    assert held(built) == {triple: (Basis.SAID, (DOC + "1", DOC + "2", DOC + "3"))}


@pytest.mark.parametrize("name", ["", BASE, BASE + "a", BASE + "abcd", BASE + "zz", "~", BASE + "é́"])
def test_a_node_that_has_no_links_is_not_found(tmp_path: Path, name: str) -> None:
    links = write_links(tmp_path / "links", [Link(BASE + "ab", TYPES[0], BASE + "é", Basis.REFERENCE)])
    assert links.node(name) is None


def test_no_links_are_no_trouble(tmp_path: Path) -> None:
    links = write_links(tmp_path / "links", [])
    assert (links.node_count, links.link_count, links.types) == (0, 0, ())
    assert links.node(BASE + "a") is None


@settings(max_examples=40, deadline=None)
@given(some_links, st.randoms(use_true_random=False))
def test_the_order_in_which_links_come_makes_no_difference(links: list[Link], chance: random.Random) -> None:
    shuffled = chance.sample(links, len(links))
    with tempfile.TemporaryDirectory() as folder:
        for name, order in (("one", links), ("two", shuffled)):
            write_links(Path(folder) / name, order)
        assert bytes_in(Path(folder) / "one") == bytes_in(Path(folder) / "two")


def bytes_in(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_link_takes_19_bytes_and_4_for_each_origin_and_a_node_20(release: Release) -> None:
    arrays = release.links.arrays
    of_links = ("subject", "object", "type", "basis", "origins", "in_link")
    of_nodes = ("node_at", "out_at", "in_at", "said_at")
    assert sum(arrays[name].itemsize for name in of_links) == 19
    assert sum(arrays[name].itemsize for name in of_nodes) == 20
    assert {len(arrays[name]) for name in of_links} == {release.links.link_count}
    assert {len(arrays[name]) for name in of_nodes} == {release.links.node_count + 1}
    assert len(arrays["said"]) == sum(len(release.links.origins(n)) for n in range(release.links.link_count))
    of_documents = {"origin_at", "origin", "independent", "covers", "adopts"}
    assert set(arrays) == {*of_links, *of_nodes, "said", *of_documents}


def test_the_arrays_are_mapped_and_cannot_be_written(release: Release) -> None:
    for array in (*release.links.arrays.values(), release.links.nodes):
        assert isinstance(array, np.memmap) and not array.flags.writeable


@pytest.mark.parametrize("name", ["subject.npy", "in_link.npy", "nodes.bin", "types.json"])
def test_arrays_that_are_missing_or_cut_are_an_error_of_the_release(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "links"
    write_links(folder, [Link(BASE + "a", TYPES[0], BASE + "b", Basis.REFERENCE)])
    path = folder / name
    if name != "nodes.bin":
        path.write_bytes(path.read_bytes()[:-3])
        with pytest.raises(ReleaseError, match="the link arrays cannot be read"):
            open_links(folder)
    path.unlink()
    with pytest.raises(ReleaseError, match="the link arrays cannot be read") as error:
        open_links(folder)
    assert error.value.path == folder


def test_the_questions_name_the_columns_the_arrays_are_made_of() -> None:
    declared = [column.name for column in questions().program("links").columns]
    assert declared == ["from", "link", "to", "kind", "origin"]
