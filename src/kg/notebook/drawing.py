"""A graph to look at: a still picture, and a page of its own that needs no network.

What is shown is the same JSON that the API gives; the page's script and style are those of the
explorer's graph view, built into this package.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, RdfFormat, parse

from kg.errors import KgError, UnknownName
from kg.notebook.doors import Door, Json
from kg.notebook.picture import picture
from kg.tokens import is_graph_form

# So many links are explained in a page; a larger graph says what it says without passages.
_MOST_DETAILS = 600
# The longest path there is has so many hops.
_MOST_COLUMNS = 12
# A page loads nothing, and nothing can make it.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; worker-src blob:; img-src data: blob:"
)


@dataclass(frozen=True)
class Drawing:
    """Things and the links between them, as they are drawn.

    Attributes:
        entities: `{iri, curie, label, type}` each.
        links: `{from, link, to, label, basis, origins}` each.
        flow: for a drawing from left to right, which thing stands left of which.
    """

    door: Door = field(repr=False)
    title: str
    entities: Sequence[Json]
    links: Sequence[Json]
    flow: Sequence[tuple[str, str]] = ()

    @property
    def graph(self) -> dict[str, Any]:
        """What the interactive view is given."""
        return {
            "release": self.door.release,
            "title": self.title,
            "entities": list(self.entities),
            "links": list(self.links),
            "arrangement": {"kind": "layered", "flow": list(self.flow)} if self.flow else {"kind": "force"},
        }

    def to_svg(self) -> str:
        """Returns a still picture."""
        return picture(self.entities, self.links, columns=_columns(self.flow))

    def to_html(self, path: str | Path | None = None, *, quotes: bool = False) -> str:
        """Returns a page that shows the graph by itself, offline, and writes it to a file if one is named.

        Args:
            path: the file.
            quotes: whether the words of passages go with it; they may not be yours to pass on.
        """
        iris = [entity["iri"] for entity in self.entities]
        data = self.graph | {
            "steps": [{"op": "add", "nodes": iris}],
            "places": {},
            "details": self._details(quotes=quotes),
            "dates": {},
        }
        page = page_of(self.title, self.door.release, data, self.to_svg())
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page

    def _details(self, *, quotes: bool) -> dict[str, Any]:
        """Returns what each link rests on, by its three names."""
        found = {}
        for link in self.links[:_MOST_DETAILS]:
            detail = self.door.get("link", from_=link["from"], link=link["link"], to=link["to"])
            evidence = [p if quotes else {**p, "quote": None} for p in detail["evidence"]]
            found[f"{link['from']} {link['link']} {link['to']}"] = {**detail, "evidence": evidence}
        return found

    def _repr_html_(self) -> str:
        return f'<figure class="kg-picture">{self.to_svg()}<figcaption>{escape(self.title)}</figcaption></figure>'


def built(name: str) -> Path:
    """Returns a file of the built front end.

    Raises:
        KgError: it has not been built.
    """
    path = Path(str(files("kg"))) / "web" / "static" / "app" / name
    if not path.is_file():
        raise KgError("the graph view is not built into this package; install it again with node on the PATH.")
    return path


def iris_of_query(door: Door, query: str) -> list[str]:
    """Returns the things that a query finds, each once, in their order.

    Raises:
        BadSparql: it does not parse, or is an ASK.
    """
    if is_graph_form(query):
        triples = parse(door.sparql(query, "application/n-triples"), format=RdfFormat.N_TRIPLES)
        terms: Iterable[object] = (term for quad in triples for term in (quad.subject, quad.object))
    else:
        rows = door.select(query)
        cells = (row[name] for row in rows["results"] for name in rows["columns"] if name in row)
        terms = (NamedNode(cell["value"]) for cell in cells if cell["type"] == "uri")
    return list(dict.fromkeys(term.value for term in terms if isinstance(term, NamedNode)))


def of_subgraph(door: Door, title: str, iris: Iterable[str]) -> Drawing:
    """Returns the drawing of some things and every link between them; what the graph does not hold is left out.

    Raises:
        UnknownName: it holds none of them.
    """
    found = door.get("subgraph", entities=list(iris))
    if found["unknown"] and not found["entities"]:
        raise UnknownName(f"{', '.join(found['unknown'][:3])}: nothing like that is in this release.")
    return Drawing(door, title, found["entities"], found["links"])


def of_neighbours(door: Door, name: str, limit: int) -> Drawing:
    """Returns the drawing of a thing and what it is linked to."""
    found = door.get("neighbours", entity=name, limit=limit)
    around = dict.fromkeys([found["entity"]["iri"], *(relation["entity"]["iri"] for relation in found["results"])])
    return of_subgraph(door, found["entity"]["label"], around)


def of_paths(door: Door, found: Json) -> Drawing:
    """Returns the drawing of paths, from left to right."""
    nodes = {node["iri"]: node for path in found["paths"] for node in path["nodes"]}
    flow: dict[tuple[str, str], None] = {}
    links: dict[tuple[str, str, str], Json] = {}
    for path in found["paths"]:
        for hop in path["hops"]:
            ends = (hop["from"], hop["to"])
            flow[ends] = None
            start, end = ends if hop["direction"] == "forward" else ends[::-1]
            shown = {name: hop[name] for name in ("link", "label", "basis", "origins")}
            links[start, hop["link"], end] = {"from": start, "to": end, **shown}
    title = f"{found['from']['label']} to {found['to']['label']}"
    return Drawing(door, title, list(nodes.values()), list(links.values()), tuple(flow))


def _columns(flow: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Returns in which column each thing stands: one further right than all that it follows, as far as that goes."""
    columns = {iri: 0 for pair in flow for iri in pair}
    # Paths may run past one another in both directions; so many rounds settle all that can be settled.
    for _ in range(min(len(columns), _MOST_COLUMNS)):
        for left, right in flow:
            columns[right] = min(max(columns[right], columns[left] + 1), _MOST_COLUMNS)
    return columns


def page_of(title: str, release: str, data: Mapping[str, Any], svg: str) -> str:
    """Returns a page that shows some data by itself, with a still picture until its script runs."""
    # Neither data nor script can end the element that it stands in.
    held = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    script = built("standalone.js").read_text(encoding="utf-8").replace("</script", "<\\/script")
    style = built("view.css").read_text(encoding="utf-8").replace("</style", "<\\/style")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body class="standalone">
<header><h1>{escape(title)}</h1><p>Release <code>{escape(release[:12])}</code></p></header>
<main id="graph">{svg}</main>
<script type="application/json" id="graph-data">{held}</script>
<script>{script}</script>
</body>
</html>
"""
