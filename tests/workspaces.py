"""Small worlds for tests: a workspace with an invented text, and link arrays from a list of links.

The audit office of Elsewhere reports that empty posts block the planning of staff, that a shared
register helps it, and asks the council to fill the posts.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path

from pyoxigraph import NamedNode, Quad, Store

from kg.engines.local import LocalSource
from kg.library import Library, read_library
from kg.model import Basis, Link
from kg.names import BASE, CODE, DCTERMS, GRAPH, PEV, PROV, SKOS, prefixes_of_context
from kg.release.links import Links, build_links, open_links
from kg.workspace import Workspace, open_workspace

ROOT = Path(__file__).parents[1]
GENERATE = ROOT / "benchmarks" / "generate.py"
CONTEXT = json.loads((ROOT / "ontology" / "context.jsonld").read_text(encoding="utf-8"))
PREFIXES = prefixes_of_context(CONTEXT)

AUDIT = BASE + "id/agent/elsewhere-audit"
COUNCIL = BASE + "id/agent/elsewhere-council"
REPORT = BASE + "id/doc/elsewhere-report"
BARRIER = BASE + "id/barrier/elsewhere-empty-posts"
ENABLER = BASE + "id/enabler/elsewhere-register"
RECOMMENDATION = BASE + "id/recommendation/elsewhere-fill-posts"
PLACE = BASE + "id/place/elsewhere"
WORKFORCE = BASE + "theme/workforce"
FINANCE = BASE + "theme/finance"
BLOCKS = PEV + "blocks"
AFFECTS = PEV + "affects"
HAS_THEME = PEV + "hasTheme"
BROADER = SKOS + "broader"

_HEADER = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in sorted(PREFIXES.namespaces.items()))

_ENTITIES = """
graph:entities a prov:Entity ;
    dcterms:title "Who and where"@en ;
    dcterms:type code:reference-graph .

agent:elsewhere-council a org:Organization ;
    dcterms:spatial place:elsewhere ;
    rdfs:label "Council of Élsewhere"@en ;
    skos:altLabel "The town hall"@en .

place:elsewhere a dcterms:Location ;
    rdfs:label "Elsewhere"@en .
"""

_SAID = """
graph:source-{slug} {{
    graph:source-{slug} a prov:Entity ;
        dcterms:title "What an invented text says"@en ;
        dcterms:type code:source-graph ;
        prov:wasDerivedFrom text:{short} .

    agent:{slug}-audit a org:Organization ;
        rdfs:label "{name} Audit Office"@en .

    doc:{slug}-report a pev:Report ;
        dcterms:creator agent:{slug}-audit ;
        dcterms:issued "2021-05-01"^^xsd:date ;
        dcterms:title "Report on reform in {name}"@en ;
        dcterms:type code:audit-report ;
        pev:reviews initiative:{slug}-reform ;
        rdfs:label "Report on reform in {name}"@en .

    initiative:{slug}-reform a pev:Initiative ;
        rdfs:label "Reform in {name}"@en .

    text:{short} a pev:TextSnapshot ;
        pev:characterCount 900 ;
        pev:sha256 "{digest}" ;
        pev:snapshotOf doc:{slug}-report .

    <{base}id/text/{short}#char=0,40> a pev:Passage ;
        oa:hasSelector <{base}id/text/{short}#selector=0,40> ;
        oa:hasSource text:{short} ;
        pev:sha256 "{digest}" .

    <{base}id/text/{short}#selector=0,40> a oa:TextPositionSelector ;
        oa:start 0 ;
        oa:end 40 .

    barrier:{slug}-empty-posts a pev:Barrier ;
        pev:assertedBy agent:{slug}-audit ;
        pev:attributionMode code:own-text ;
        pev:blocks theme:workforce ;
        pev:evidence <{base}id/text/{short}#char=0,40> ;
        pev:paraphrase "Too many posts stand empty."@en ;
        pev:statedIn doc:{slug}-report ;
        rdfs:label "Empty posts in {name}"@en .

    enabler:{slug}-register a pev:Enabler ;
        pev:assertedBy agent:{slug}-audit ;
        pev:attributionMode code:own-text ;
        pev:enables theme:workforce ;
        pev:evidence <{base}id/text/{short}#char=0,40> ;
        pev:paraphrase "One register of all staff helps."@en ;
        pev:statedIn doc:{slug}-report ;
        rdfs:label "A shared register in {name}"@en .

    recommendation:{slug}-fill-posts a pev:Recommendation ;
        pev:addresses barrier:{slug}-empty-posts ;
        pev:assertedBy agent:{slug}-audit ;
        pev:attributionMode code:own-text ;
        pev:directedTo agent:elsewhere-council ;
        pev:evidence <{base}id/text/{short}#char=0,40> ;
        pev:paraphrase "The council should fill the empty posts."@en ;
        pev:statedIn doc:{slug}-report ;
        pev:timeframe "P1Y"^^xsd:duration ;
        rdfs:label "Fill the posts in {name}"@en .
}}

graph:curated-{slug} {{
    graph:curated-{slug} a prov:Entity ;
        dcterms:title "What is judged of an invented text"@en ;
        dcterms:type code:curated-graph ;
        prov:wasDerivedFrom text:{short} .

    barrier:{slug}-empty-posts pev:affects theme:finance ;
        pev:hasTheme theme:workforce .

    enabler:{slug}-register pev:hasTheme theme:workforce .

    recommendation:{slug}-fill-posts pev:hasTheme theme:workforce .
}}
"""


def turtle(body: str) -> str:
    """Returns Turtle or TriG with every prefix of the context declared above it."""
    return f"{_HEADER}\n{body}"


def invented_text(slug: str = "elsewhere") -> str:
    """Returns the TriG of an invented text, with one report, barrier, enabler and recommendation."""
    digest = hashlib.sha256(slug.encode()).hexdigest()
    return turtle(_SAID.format(slug=slug, name=slug.capitalize(), short=digest[:16], digest=digest, base=BASE))


def write_workspace(root: Path, *slugs: str) -> Workspace:
    """Returns a new workspace at `root` with an invented text for each slug ("elsewhere" by default)."""
    for part in ("ontology", "queries"):
        shutil.copytree(ROOT / part, root / part)
    (root / "graph" / "sources").mkdir(parents=True)
    (root / "graph" / "entities.ttl").write_text(turtle(_ENTITIES), encoding="utf-8")
    for slug in slugs or ("elsewhere",):
        text_file(root, slug).write_text(invented_text(slug), encoding="utf-8")
    return open_workspace(root)


def text_file(root: Path, slug: str = "elsewhere") -> Path:
    """Returns where the file of an invented text stands."""
    return root / "graph" / "sources" / f"{slug}.trig"


def edit(path: Path, old: str, new: str) -> None:
    """Replaces the one place in a file where `old` stands."""
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1, f"{old!r} stands {content.count(old)} times in {path.name}"
    path.write_text(content.replace(old, new), encoding="utf-8")


def add(path: Path, text: str) -> None:
    """Adds text at the end of a file."""
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


_KINDS = {
    Basis.SAID: "source-graph",
    Basis.JUDGED: "curated-graph",
    Basis.INFERRED: "inferred-graph",
    Basis.REFERENCE: "reference-graph",
}


@cache
def questions() -> Library:
    """Returns the questions of this repository."""
    return read_library(ROOT / "queries", PREFIXES)


def write_links(folder: Path, links: Iterable[Link]) -> Links:
    """Returns the link arrays of a store that holds just these links, built into a new folder.

    A link stands once in the graph of each of its origins; one without origins in a graph of none.
    """
    store = Store()
    for link in links:
        for origin in link.origins or ("",):
            graph = NamedNode(f"{GRAPH}{link.basis}-{hashlib.sha256(origin.encode()).hexdigest()[:8]}")
            triple = (NamedNode(link.subject), NamedNode(link.predicate), NamedNode(link.object))
            store.add(Quad(*triple, graph))
            store.add(Quad(*triple))
            store.add(Quad(graph, NamedNode(DCTERMS + "type"), NamedNode(CODE + _KINDS[link.basis])))
            if origin:
                text = NamedNode(f"{graph.value}#text")
                store.add(Quad(graph, NamedNode(PROV + "wasDerivedFrom"), text))
                store.add(Quad(text, NamedNode(PEV + "snapshotOf"), NamedNode(origin)))
    build_links(LocalSource(store, PREFIXES), questions(), folder)
    return open_links(folder)


def generated(folder: Path, reports: int, *options: str) -> Workspace:
    """Returns an invented workspace of so many reports, as `benchmarks/generate.py` writes it."""
    command = [sys.executable, str(GENERATE), str(folder), "--reports", str(reports), *options]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return open_workspace(folder)


def dumped(index: Path) -> list[tuple[object, ...]]:
    """Returns what a text index holds."""
    with closing(sqlite3.connect(index)) as db:
        return [row for table in ("entity", "class", "name", "words") for row in db.execute(f"SELECT * FROM {table}")]
