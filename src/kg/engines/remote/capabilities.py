"""What tells one engine from another, as data: where it is reached, what it takes, what it lacks.

Oxigraph's server and Virtuoso are run by the tests. Of the others the makers' documentation was read;
what it leaves open is set to what the most careful one takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kg.errors import BadParameter

# A write in parts that every engine met so far takes whole.
_CAREFUL_LINES = 1000


@dataclass(frozen=True)
class Capabilities:
    """One kind of engine.

    Attributes:
        query_path, update_path, store_path: where it is reached, below its address; None where it has
            no such place.
        server: what its `Server` header begins with.
        store_lines: so many triples are sent to the graph store at once.
        update_lines: so many triples are sent in one update.
        table_rows: so many triples of several graphs are asked for at once.
        values: so many terms may stand in one VALUES block.
        cut_header: the header that names a limit on rows, at which a table may have been cut.
        cut_setting: what its own documentation calls that limit; it cuts graphs too, without a word.
        cut_query: a SELECT whose one value is that limit.
        rewrites_literals: it keeps some literals by value, and their form is restored (`literals`).
        mends_group_concat: it departs from the standard as our own store does (`mending`).
        updates_data: INSERT DATA and DELETE DATA take every literal; else each graph is written through the
            graph store, and one that holds too much is written anew.
        keeps_plans: it answers a query by the plan that it made when it first saw that text, also when another
            release stands there now, by which rows go missing.
        lacks: functions that it does not have, each with the reason.
        most_selects: so deep a SELECT may stand within others; None where it may stand at any depth.
    """

    name: str
    query_path: str = ""
    update_path: str | None = None
    store_path: str | None = None
    server: str = "\x00"
    store_lines: int = _CAREFUL_LINES
    update_lines: int = _CAREFUL_LINES
    table_rows: int = _CAREFUL_LINES
    values: int = 1000
    cut_header: str | None = None
    cut_setting: str | None = None
    cut_query: str | None = None
    rewrites_literals: bool = False
    mends_group_concat: bool = False
    updates_data: bool = True
    keeps_plans: bool = False
    lacks: Mapping[str, str] = field(default_factory=dict)
    most_selects: int | None = None


KINDS = {
    kind.name: kind
    for kind in (
        Capabilities("generic"),
        Capabilities(
            "oxigraph",
            "/query",
            "/update",
            "/store",
            server="Oxigraph",
            store_lines=50_000,
            update_lines=5000,
            table_rows=5000,
            values=5000,
            mends_group_concat=True,
        ),
        Capabilities(
            "virtuoso",
            "/sparql",
            "/sparql-auth",
            "/sparql-graph-crud-auth",
            server="Virtuoso",
            # One upload of 139 MB was answered with 201 and lost a tenth; parts of this size were complete.
            store_lines=20_000,
            # Half of the rows at which it cuts an answer as Debian sets it up.
            table_rows=5000,
            cut_header="X-SPARQL-MaxRows",
            cut_setting="ResultSetMaxRows in its virtuoso.ini",
            cut_query="SELECT (bif:virtuoso_ini_item_value('SPARQL', 'ResultSetMaxRows') AS ?most) {}",
            rewrites_literals=True,
            # A duration in them is an error of its SQL: "No column P90DD".
            updates_data=False,
            keeps_plans=True,
            lacks={"BNODE": "Virtuoso 7 has no such function"},
            # Deeper ones made its compiler fail, gave rows too many, or ended the whole engine.
            most_selects=2,
        ),
        Capabilities("fuseki", "/query", "/update", "/data", server="Apache-Jena-Fuseki", store_lines=50_000),
        # An address of a repository: …/repositories/NAME.
        Capabilities("graphdb", "", "/statements", "/rdf-graphs/service", server="GraphDB", store_lines=50_000),
        Capabilities("stardog", "/query", "/update", None),
        Capabilities("neptune", "/sparql", "/sparql", "/sparql/gsp/"),
        # One address for queries and updates; its default graph is the union, so every read names its own.
        Capabilities("qlever", "", "", None, server="QLever"),
    )
}


def kind_named(name: str) -> Capabilities:
    """Returns the kind of that name.

    Raises:
        BadParameter: there is none.
    """
    if name not in KINDS:
        raise BadParameter(f"KG_ENGINE_KIND: {name!r} is none of {', '.join(sorted(KINDS))}.")
    return KINDS[name]


def kind_that_says(server: str) -> Capabilities:
    """Returns the kind that a `Server` header tells of; one that says nothing is generic.

    >>> kind_that_says("Virtuoso/07.20.3229 (Linux) x86_64-pc-linux-gnu").name
    'virtuoso'
    >>> kind_that_says("nginx").name
    'generic'
    """
    return next((kind for kind in KINDS.values() if server.startswith(kind.server)), KINDS["generic"])
