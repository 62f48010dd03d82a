"""The links of a release as GraphML and GEXF, written as they are read.

Nodes have a label and a type; edges an `id`, their `link`, `basis` and `origins` (IRIs joined by a
space, since neither format has lists).

Source: http://graphml.graphdrawing.org/specification.html; https://gexf.net/1.2/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from kg.model import Entity
from kg.release.opened import Release
from kg.release.tables import entities_of, tables_of

_NODE_FIELDS = ("label", "type")
_EDGE_FIELDS = ("link", "basis", "origins")
_XML = '<?xml version="1.0" encoding="utf-8"?>\n'

Edge = tuple[int, str, str, str, str, str]


def write_graphml(release: Release, file: IO[bytes]) -> None:
    """Writes the links as GraphML."""
    keys = [
        f'<key id="{name}" for="{kind}" attr.name="{name}" attr.type="string"/>\n'
        for kind, names in (("graph", ("release",)), ("node", _NODE_FIELDS), ("edge", _EDGE_FIELDS))
        for name in names
    ]
    head = f'{_XML}<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    _write(file, [head, *keys, '<graph edgedefault="directed">\n', _data("release", release.id), "\n"])
    _write(file, (_graphml_node(entity) for entity in entities_of(release.links, release.search)))
    _write(file, (_graphml_edge(edge) for edge in _edges(release)))
    _write(file, ["</graph></graphml>\n"])


def _graphml_node(entity: Entity) -> str:
    data = _data("label", entity.label) + _data("type", entity.type or "")
    return f"<node id={quoteattr(entity.iri)}>{data}</node>\n"


def _graphml_edge(edge: Edge) -> str:
    number, start, end, *values = edge
    data = "".join(map(_data, _EDGE_FIELDS, values))
    return f'<edge source={quoteattr(start)} target={quoteattr(end)} id="e{number}">{data}</edge>\n'


def _data(key: str, value: str) -> str:
    return f'<data key="{key}">{escape(value)}</data>'


def write_gexf(release: Release, file: IO[bytes]) -> None:
    """Writes the links as GEXF."""
    head = (
        f'{_XML}<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">\n'
        f"<meta><description>release {release.id}</description></meta>\n"
        '<graph defaultedgetype="directed" mode="static">\n'
    )
    _write(file, [head, _declared("node", ("type",)), _declared("edge", _EDGE_FIELDS), "<nodes>\n"])
    _write(file, (_gexf_node(entity) for entity in entities_of(release.links, release.search)))
    _write(file, ["</nodes>\n<edges>\n"])
    _write(file, (_gexf_edge(edge) for edge in _edges(release)))
    _write(file, ["</edges>\n</graph>\n</gexf>\n"])


def _declared(kind: str, names: Iterable[str]) -> str:
    rows = "".join(f'<attribute id="{name}" title="{name}" type="string"/>' for name in names)
    return f'<attributes class="{kind}" mode="static">{rows}</attributes>\n'


def _gexf_node(entity: Entity) -> str:
    values = _values({"type": entity.type or ""})
    return f"<node id={quoteattr(entity.iri)} label={quoteattr(entity.label)}>{values}</node>\n"


def _gexf_edge(edge: Edge) -> str:
    number, start, end, *values = edge
    shown = _values(dict(zip(_EDGE_FIELDS, values, strict=True)))
    return f'<edge source={quoteattr(start)} target={quoteattr(end)} id="e{number}">{shown}</edge>\n'


def _values(values: dict[str, str]) -> str:
    rows = "".join(f"<attvalue for={quoteattr(name)} value={quoteattr(value)}/>" for name, value in values.items())
    return f"<attvalues>{rows}</attvalues>"


def _edges(release: Release) -> Iterator[Edge]:
    number = 0
    for table in tables_of(release.links):
        for start, end, link, basis, origins in table.iter_rows():
            yield number, start, end, link, basis, " ".join(origins)
            number += 1


def _write(file: IO[bytes], parts: Iterable[str]) -> None:
    for part in parts:
        file.write(part.encode())
