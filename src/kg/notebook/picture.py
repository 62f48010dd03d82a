"""A still picture of a graph, as SVG: what a page, a PDF or a review shows where no script runs.

Colours, shapes and lines are those of the interactive view; both read them from one file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from textwrap import wrap
from typing import Any

import networkx as nx

Point = tuple[float, float]

_WIDTH, _MARGIN, _RADIUS = 900, 70, 9
_LINE_HEIGHT, _LABEL_LETTERS, _LABEL_LINES = 14, 26, 3
# Above this many links their names would cover the picture.
_NAMED_LINKS = 40
_UNKNOWN = {"colour": "#7a7f87", "shape": "circle"}


def picture(
    entities: Sequence[Mapping[str, Any]],
    links: Sequence[Mapping[str, Any]],
    *,
    columns: Mapping[str, int] | None = None,
) -> str:
    """Returns an SVG document of things and the links between them.

    Args:
        entities: `{iri, label, type, …}`, as the API gives them.
        links: `{from, to, label, basis, …}`; those whose ends are not among the entities are left out.
        columns: for a drawing from left to right, the column of each IRI; else things that are
            linked lie near each other.
    """
    known = {entity["iri"]: entity for entity in entities}
    drawn = [link for link in links if link["from"] in known and link["to"] in known]
    places, height = _in_columns(known, columns) if columns else _by_links(known, drawn)
    title = ", ".join(entity["label"] for entity in entities[:5]) + ("" if len(entities) <= 5 else " …")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" style="max-width:100%">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        *(_line(link, places, named=len(drawn) <= _NAMED_LINKS) for link in drawn),
        *(_node(entity, places[iri]) for iri, entity in known.items()),
        "</svg>",
    ]
    return "\n".join(parts)


@cache
def _look() -> Mapping[str, Any]:
    found = json.loads((Path(str(files("kg"))) / "web" / "static" / "look.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def _in_columns(known: Iterable[str], columns: Mapping[str, int]) -> tuple[dict[str, Point], int]:
    """Returns where things stand, column by column from the left, and the height of the picture."""
    by_column: dict[int, list[str]] = {}
    for iri in known:
        by_column.setdefault(columns.get(iri, 0), []).append(iri)
    most, last = max(map(len, by_column.values())), max(max(by_column), 1)
    height = max(160, 2 * _MARGIN + 70 * (most - 1))
    places = {}
    for column, iris in by_column.items():
        x = _MARGIN + (_WIDTH - 2 * _MARGIN) * column / last
        for row, iri in enumerate(iris, start=1):
            places[iri] = (x, height * row / (len(iris) + 1))
    return places, height


def _by_links(known: Iterable[str], links: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Point], int]:
    """Returns where things stand when links pull them together, and the height of the picture."""
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(known)
    graph.add_edges_from((link["from"], link["to"]) for link in links)
    count = len(graph)
    height = int(min(1200, 240 + 60 * math.sqrt(count)))
    # Seeded, so that the same graph gives the same picture.
    spread = nx.spring_layout(graph, seed=1, k=1.6 / math.sqrt(max(count, 1)), iterations=120) if count > 1 else {}
    across, down = (_WIDTH - 2 * _MARGIN) / 2, (height - 2 * _MARGIN) / 2
    centre = (_WIDTH / 2, height / 2)
    return {
        iri: (centre[0] + float(spread[iri][0]) * across, centre[1] + float(spread[iri][1]) * down)
        if iri in spread
        else centre
        for iri in graph
    }, height


def _line(link: Mapping[str, Any], places: Mapping[str, Point], *, named: bool) -> str:
    (x1, y1), (x2, y2) = places[link["from"]], places[link["to"]]
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    x1, y1, x2, y2 = x1 + ux * _RADIUS, y1 + uy * _RADIUS, x2 - ux * (_RADIUS + 2), y2 - uy * (_RADIUS + 2)
    look = _look()["lines"].get(link.get("basis"), _look()["lines"]["reference"])
    dash = f' stroke-dasharray="{" ".join(map(str, look["dash"]))}"' if look["dash"] else ""
    colour, width = look["colour"], look["width"]
    head = f"M{x2:.1f} {y2:.1f}L{x2 - 9 * ux - 4 * uy:.1f} {y2 - 9 * uy + 4 * ux:.1f}"
    head += f"L{x2 - 9 * ux + 4 * uy:.1f} {y2 - 9 * uy - 4 * ux:.1f}Z"
    words = _text(((x1 + x2) / 2, (y1 + y2) / 2), [link["label"]], "#5b6675", 10) if named else ""
    return (
        f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width="{width}"{dash}/>'
        f'<path d="{head}" fill="{colour}"/>{words}'
    )


def _node(entity: Mapping[str, Any], place: Point) -> str:
    look = _look()["classes"].get(entity.get("type") or "", _UNKNOWN)
    x, y = place
    corners = _corners(look["shape"])
    drawn = f'fill="{look["colour"]}" stroke="#ffffff" stroke-width="1.5"'
    if corners:
        points = " ".join(f"{x + cx:.1f},{y + cy:.1f}" for cx, cy in corners)
        shape = f'<polygon points="{points}" {drawn}/>'
    else:
        shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS}" {drawn}/>'
    lines = wrap(entity["label"], _LABEL_LETTERS, max_lines=_LABEL_LINES, placeholder=" …") or [""]
    return shape + _text((x, y + _RADIUS + _LINE_HEIGHT), lines, "#1c2430", 12)


def _text(place: Point, lines: Sequence[str], colour: str, size: int) -> str:
    x, y = place
    spans = "".join(
        f'<tspan x="{x:.1f}" y="{y + _LINE_HEIGHT * row:.1f}">{escape(line)}</tspan>' for row, line in enumerate(lines)
    )
    return (
        f'<text text-anchor="middle" font-size="{size}" fill="{colour}" stroke="#ffffff" stroke-width="3" '
        f'paint-order="stroke">{spans}</text>'
    )


def _corners(shape: str) -> list[Point]:
    """Returns the corners of a shape around 0, 0; none for a circle."""
    regular = {"diamond": (4, -90), "triangle": (3, -90), "wedge": (3, 90), "pentagon": (5, -90), "hexagon": (6, 0)}
    if shape in regular:
        count, first = regular[shape]
        return [_polar(_RADIUS * 1.15, first + 360 * i / count) for i in range(count)]
    if shape == "star":
        return [_polar(_RADIUS * (1.3, 0.65)[i % 2], -90 + 36 * i) for i in range(10)]
    wide, high = {"square": (0.85, 0.85), "bar": (1.1, 0.55)}.get(shape, (0, 0))
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1)) if wide else ()
    return [(sx * wide * _RADIUS, sy * high * _RADIUS) for sx, sy in signs]


def _polar(radius: float, degrees: float) -> Point:
    return radius * math.cos(math.radians(degrees)), radius * math.sin(math.radians(degrees))
