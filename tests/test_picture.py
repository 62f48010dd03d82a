"""The still picture of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree

import pytest

from kg.model import Basis
from kg.notebook.picture import picture

SVG = "{http://www.w3.org/2000/svg}"
A = {"iri": "http://x/a", "label": "Tea & <b>cake</b>", "type": "pev:Theme"}
B = {"iri": "http://x/b", "label": "Élan", "type": "pev:Barrier"}
C = {"iri": "http://x/c", "label": "Of no known class", "type": None}


def _link(start: Mapping[str, object], end: Mapping[str, object], basis: str = "said") -> Mapping[str, object]:
    return {"from": start["iri"], "to": end["iri"], "label": "blocks", "basis": basis}


def _places(svg: str) -> list[tuple[float, ...]]:
    root = ElementTree.fromstring(svg)
    labels = [text for text in root.iter(f"{SVG}text") if text.get("font-size") == "12"]
    return [tuple(float(part or 0) for part in (span.get("x"), span.get("y"))) for text in labels for span in text[:1]]


def test_it_is_well_formed_names_what_it_shows_and_runs_no_markup_of_a_label() -> None:
    root = ElementTree.fromstring(picture([A, B, C], [_link(B, A)]))
    assert root.findtext(f"{SVG}title") == "Tea & <b>cake</b>, Élan, Of no known class"
    assert [text for text in root.itertext() if text.startswith("Tea")] == [root.findtext(f"{SVG}title"), A["label"]]
    assert not list(root.iter(f"{SVG}b"))


def test_each_class_has_its_shape() -> None:
    root = ElementTree.fromstring(picture([A, B, C], []))
    assert len(list(root.iter(f"{SVG}circle"))) == 2
    assert len(list(root.iter(f"{SVG}polygon"))) == 1


def test_each_basis_has_a_line_of_its_own() -> None:
    looks = set()
    for basis in Basis:
        line = ElementTree.fromstring(picture([A, B], [_link(B, A, basis.value)])).find(f"{SVG}path")
        assert line is not None
        looks.add((line.get("stroke"), line.get("stroke-width"), line.get("stroke-dasharray")))
    assert len(looks) == len(Basis)


def test_the_same_graph_gives_the_same_picture() -> None:
    things = [{"iri": f"http://x/{n}", "label": str(n), "type": None} for n in range(30)]
    links = [_link(things[n], things[n // 3]) for n in range(1, 30)]
    assert picture(things, links) == picture(things, links)


def test_columns_run_from_left_to_right() -> None:
    first, second, third = _places(picture([A, B, C], [_link(A, B)], columns={"http://x/b": 1, "http://x/c": 2}))
    assert first[0] < second[0] < third[0]


def test_everything_stays_within_the_picture() -> None:
    things = [{"iri": f"http://x/{n}", "label": "word " * 30, "type": None} for n in range(80)]
    svg = picture(things, [_link(things[0], thing) for thing in things[1:]])
    width, height = map(float, str(ElementTree.fromstring(svg).get("viewBox")).split()[2:])
    assert all(0 < x < width and 0 < y < height for x, y in _places(svg))


@pytest.mark.parametrize("things", [[], [A]])
def test_nothing_and_one_thing_are_drawn_too(things: list[Mapping[str, object]]) -> None:
    root = ElementTree.fromstring(picture(things, []))
    assert len(list(root.iter(f"{SVG}circle"))) == len(things)


def test_a_link_to_what_is_not_shown_is_left_out() -> None:
    root = ElementTree.fromstring(picture([A], [_link(A, B)]))
    assert not list(root.iter(f"{SVG}path"))
