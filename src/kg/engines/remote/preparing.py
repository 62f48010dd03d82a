"""A query as an engine is sent it: its prefixes declared, its dataset named, and nothing in it that it lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from pyoxigraph import NamedNode, QuerySolutions, Store

from kg.engines.mending import mended
from kg.engines.remote.capabilities import Capabilities
from kg.engines.source import Request
from kg.engines.syntax import bad_query
from kg.errors import BadParameter, Forbidden
from kg.library import within_graph
from kg.names import GRAPH, MERGED_GRAPH
from kg.tokens import Token, tokens

# A graph that nobody writes, for a dataset whose default graph, or whose named graphs, are none.
NOTHING = GRAPH + "nothing"

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# From where to where in a query, and what stands there instead.
_Change = tuple[int, int, str]


@dataclass(frozen=True)
class Dataset:
    """What a query sees that names no graph itself: on an engine the default graph is a named one.

    Attributes:
        everywhere: GRAPH looks into whatever graphs the engine has; for queries of ours which say themselves
            what kinds of graph they mean. Naming hundreds of graphs beside them took up to ten times as long.
        edition: names what stands in the engine, so that a plan made for something else is not used again.
    """

    default: str = MERGED_GRAPH
    named: Sequence[str] = ()
    everywhere: bool = False
    edition: str = ""


@dataclass(frozen=True)
class Prepared:
    """A query to be sent, and the graphs that are to be named beside it."""

    query: str
    default_graphs: Sequence[str]
    named_graphs: Sequence[str]

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields of the protocol's form."""
        return [
            ("query", self.query),
            *(("default-graph-uri", graph) for graph in self.default_graphs),
            *(("named-graph-uri", graph) for graph in self.named_graphs),
        ]


def prepared(request: Request, prefixes: Mapping[str, str], dataset: Dataset, engine: Capabilities) -> Prepared:
    """Returns a query as it is sent; every read names its whole dataset, as engines differ in what is there else.

    Raises:
        BadParameter: a graph's name is no IRI.
        Forbidden: it calls a function that the engine lacks, or nests deeper than that can take.
    """
    for name in (*request.default_graphs, *request.named_graphs):
        _check_name(name)
    cut = list(tokens(request.query))
    for token in cut:
        reason = engine.lacks.get(token.keyword or "")
        if reason:
            raise Forbidden(f"{token.keyword} is refused: {reason}.")
    if engine.most_selects is not None and _selects(cut) > engine.most_selects:
        words = f"SELECT within SELECT over {engine.most_selects} deep"
        raise Forbidden(f"{words} is refused: on this kind of engine ({engine.name}) such queries fail or mislead.")
    declared = _prologue(cut, request.base)
    known = {**prefixes, **declared.prefixes}
    used = [name for name in prefixes if f"{name}:" in request.query and name not in declared.prefixes]
    head = "" if declared.base is None else f"BASE <{declared.base}> "
    head += "".join(f"PREFIX {name}: <{prefixes[name]}> " for name in used)
    clauses = _from_clauses(cut, known, declared.base)
    default, named = _graphs(request, cut, clauses, dataset)
    missing = [] if dataset.everywhere else _missing(cut, known, declared.base, named)
    changes = (*declared.changes, *((clause.start, clause.end, "") for clause in clauses), *missing)
    text = _rewritten(request.query, cut, known, changes)
    text = mended(text) if engine.mends_group_concat else text
    text = f"{text}\n# {dataset.edition}" if engine.keeps_plans and dataset.edition else text
    if dataset.everywhere:
        return Prepared(head + within_graph(text, dataset.default), (), ())
    return Prepared(head + text, default, (*named, NOTHING) if missing and NOTHING not in named else named)


def _selects(cut: Sequence[Token]) -> int:
    """Returns how many SELECTs stand within one another at most, the outermost counted."""
    # Of each group that is open: how many SELECTs stand in it directly.
    groups, within, most = [0], 0, 0
    for token in cut:
        if token.text == "{":
            groups.append(0)
        elif token.text == "}" and len(groups) > 1:
            within -= groups.pop()
        elif token.keyword == "SELECT":
            groups[-1] += 1
            within += 1
            most = max(most, within)
    return most


def check_syntax(request: Request, prefixes: Mapping[str, str]) -> None:
    """Returns when our own parser reads the query, so that every engine refuses the same, at the same place.

    The query has passed the guards. It is asked of an empty store, which comes to no rows.

    Raises:
        BadSparql: it does not parse.
    """
    try:
        Store().query(request.query, base_iri=request.base, prefixes=dict(prefixes))
    except SyntaxError as error:
        raise bad_query(request.query, str(error), prefixes, request.base) from error


@dataclass(frozen=True)
class _Clause:
    """A FROM or FROM NAMED: the graph that it names, and where it stands in the query."""

    graph: str
    is_named: bool
    start: int
    end: int


def _graphs(
    request: Request, cut: Sequence[Token], clauses: Sequence[_Clause], dataset: Dataset
) -> tuple[Sequence[str], Sequence[str]]:
    """Returns the default and the named graphs of a query: those of the request, of its FROM, or of the release."""
    if request.default_graphs or request.named_graphs:
        return _ours(request.default_graphs, dataset), _ours(request.named_graphs, dataset)
    if clauses:
        default = [clause.graph for clause in clauses if not clause.is_named]
        return _ours(default, dataset), _ours([clause.graph for clause in clauses if clause.is_named], dataset)
    # To name hundreds of graphs costs an engine time, and without GRAPH nothing looks at them.
    asks_for_graphs = any(token.keyword == "GRAPH" for token in cut)
    return (dataset.default,), (dataset.named if asks_for_graphs and dataset.named else (NOTHING,))


def _missing(cut: Sequence[Token], known: Mapping[str, str], base: str | None, named: Sequence[str]) -> list[_Change]:
    """Returns what lets GRAPH look into an empty graph where it names one that the query does not see.

    Of a graph that is not named beside a query Virtuoso says that ASK holds there, and that it counts one row.
    """
    return [
        (name.start, name.end, f"<{NOTHING}>")
        for word, name in pairwise(cut)
        if word.keyword == "GRAPH" and name.kind in {"iri", "pname"} and _named(name, known, base) not in named
    ]


def _ours(graphs: Sequence[str], dataset: Dataset) -> Sequence[str]:
    """Returns those that belong to the release: what else the engine holds is not for those who ask of it.

    The default graph is none of them: it has a name only here, since an engine wants one.
    """
    known = set(dataset.named) - {dataset.default}
    return [graph for graph in graphs if graph in known] or (NOTHING,)


@dataclass(frozen=True)
class _Prologue:
    """The base and the prefixes that a query declares, and what its text is changed to, so that no BASE stands in it.

    Not all engines take a BASE behind another one or behind a PREFIX; so one is sent, before all else.
    """

    base: str | None
    prefixes: Mapping[str, str]
    changes: Sequence[_Change]


def _prologue(cut: Sequence[Token], base: str | None) -> _Prologue:
    prefixes, changes = dict[str, str](), list[_Change]()
    for word, name, after in zip(cut, cut[1:], cut[2:], strict=False):
        if word.keyword == "BASE" and name.kind == "iri":
            base = _whole_iri(name, base)
            changes.append((word.start, name.end, ""))
        elif word.keyword == "PREFIX" and name.kind == "pname" and after.kind == "iri":
            iri = prefixes[name.text.partition(":")[0]] = _whole_iri(after, base)
            changes.append((after.start, after.end, f"<{iri}>"))
    return _Prologue(base, prefixes, changes)


def _whole_iri(token: Token, base: str | None) -> str:
    """Returns an IRI as our own store reads it; `urljoin` would drop the stroke at the end of `<#>`."""
    iri = token.text[1:-1]
    if base is None or _ABSOLUTE.match(iri):
        return iri
    found = Store().query(f"SELECT (<{iri}> AS ?iri) {{}}", base_iri=base)
    assert isinstance(found, QuerySolutions)
    (term,) = next(found)
    assert isinstance(term, NamedNode)
    return term.value


def _rewritten(query: str, cut: Sequence[Token], known: Mapping[str, str], changes: Sequence[_Change]) -> str:
    """Returns the query with changes made, and each name that has an escape in it as a whole IRI.

    Not all engines read the escapes, nor leave FROM alone where the request itself names the graphs.
    """
    escaped = (token for token in cut if token.kind == "pname" and "\\" in token.text)
    every = [(token.start, token.end, f"<{_whole_name(token, known)}>") for token in escaped]
    parts, at = list[str](), 0
    for start, end, instead in sorted([*changes, *every], key=itemgetter(0)):
        # A name that is changed already, or that a clause holds, goes with it.
        if start >= at:
            parts += [query[at:start], instead]
            at = end
    return "".join([*parts, query[at:]])


def _named(token: Token, known: Mapping[str, str], base: str | None) -> str:
    return _whole_iri(token, base) if token.kind == "iri" else _whole_name(token, known)


def _whole_name(token: Token, known: Mapping[str, str]) -> str:
    prefix, _, local = token.text.partition(":")
    return known[prefix] + local.replace("\\", "")


def _from_clauses(cut: Sequence[Token], known: Mapping[str, str], base: str | None) -> list[_Clause]:
    """Returns the clauses that name the graphs of a query."""
    clauses = list[_Clause]()
    for at, token in enumerate(cut):
        if token.keyword != "FROM":
            continue
        is_named = at + 1 < len(cut) and cut[at + 1].keyword == "NAMED"
        name = cut[at + 1 + is_named]
        clauses.append(_Clause(_named(name, known, base), is_named, token.start, name.end))
    return clauses


def _check_name(name: str) -> None:
    try:
        NamedNode(name)
    except ValueError as error:
        raise BadParameter(f"default-graph-uri and named-graph-uri: not an absolute IRI: {error}") from error
