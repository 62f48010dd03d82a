"""Turtle and TriG in one fixed order, so that a diff shows only what changed.

Graphs, subjects, predicates and objects are sorted by their written form (`a` first), only
the prefixes in use are declared, and numbers and booleans take their short form.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Triple, parse

from kg.errors import DataError
from kg.names import RDF_TYPE, XSD, Prefixes

_SHORT_LITERALS = {
    XSD + "integer": re.compile(r"[+-]?[0-9]+"),
    XSD + "decimal": re.compile(r"[+-]?[0-9]*\.[0-9]+"),
    XSD + "boolean": re.compile(r"true|false"),
}

_Statement = tuple[str, str, str]


def write_turtle(triples: Iterable[Triple | Quad], prefixes: Prefixes) -> str:
    """Returns the triples as sorted Turtle; of quads the graph name is dropped."""
    statements = _written(triples, prefixes)
    return _with_prefixes(_blocks(statements, indent=""), prefixes)


def write_trig(quads: Iterable[Quad], prefixes: Prefixes) -> str:
    """Returns the quads as sorted TriG, the default graph (if any) first."""
    ordered = sorted(quads, key=lambda quad: (quad.graph_name != DefaultGraph(), str(quad.graph_name)))
    parts = []
    for _, group in itertools.groupby(ordered, key=lambda quad: quad.graph_name):
        members = list(group)
        graph = members[0].graph_name
        if isinstance(graph, DefaultGraph):
            parts.append(_blocks(_written(members, prefixes), indent=""))
        else:
            inner = _blocks(_written(members, prefixes), indent="    ")
            parts.append(f"{_term(graph, prefixes)} {{\n{inner}}}\n")
    return _with_prefixes("\n".join(parts), prefixes)


def _written(triples: Iterable[Triple | Quad], prefixes: Prefixes) -> list[_Statement]:
    """Returns (subject, predicate, object) as text, distinct and sorted, `a` before other predicates."""
    rows = {(_term(t.subject, prefixes), _predicate(t.predicate, prefixes), _term(t.object, prefixes)) for t in triples}
    return sorted(rows, key=lambda row: (row[0], row[1] != "a", row[1], _object_key(row[2])))


def _object_key(text: str) -> tuple[int, str]:
    # Numbers by value would need a datatype; by length then text is stable and reads in order.
    return (len(text), text) if text.isdigit() else (0, text)


def _predicate(predicate: NamedNode, prefixes: Prefixes) -> str:
    return "a" if predicate.value == RDF_TYPE else prefixes.turtle(predicate.value)


def _term(term: object, prefixes: Prefixes) -> str:
    if isinstance(term, NamedNode):
        return prefixes.turtle(term.value)
    if isinstance(term, Literal):
        return _literal(term, prefixes)
    if isinstance(term, Triple):
        inner = (_term(term.subject, prefixes), _term(term.predicate, prefixes), _term(term.object, prefixes))
        return f"<<( {' '.join(inner)} )>>"
    assert isinstance(term, BlankNode)
    return str(term)


def _literal(literal: Literal, prefixes: Prefixes) -> str:
    datatype = literal.datatype.value
    short = _SHORT_LITERALS.get(datatype)
    if short and short.fullmatch(literal.value):
        return literal.value
    if literal.language or datatype == XSD + "string":
        return str(literal)
    lexical = str(Literal(literal.value))
    return f"{lexical}^^{prefixes.turtle(datatype)}"


def _blocks(statements: list[_Statement], indent: str) -> str:
    blocks = []
    for subject, rows in itertools.groupby(statements, key=lambda row: row[0]):
        lines = [
            f"{predicate} " + f",\n{indent}        ".join(row[2] for row in group)
            for predicate, group in _by_predicate(rows)
        ]
        blocks.append(f"{indent}{subject} " + f" ;\n{indent}    ".join(lines) + " .\n")
    return "\n".join(blocks)


def _by_predicate(rows: Iterable[_Statement]) -> Iterable[tuple[str, Iterable[_Statement]]]:
    predicate_of: Callable[[_Statement], str] = lambda row: row[1]  # noqa: E731 (mypy infers no type inline)
    return itertools.groupby(rows, key=predicate_of)


def _with_prefixes(body: str, prefixes: Prefixes) -> str:
    # A prefix inside a string literal would only declare one prefix too many, never one too few.
    used = sorted(p for p in prefixes.namespaces if re.search(rf"(?<![\w.-]){re.escape(p)}:", body))
    head = "".join(f"@prefix {p}: <{prefixes.namespaces[p]}> .\n" for p in used)
    return f"{head}\n{body}" if head else body


def parse_turtle(path: Path, shown: str) -> list[Quad]:
    """Returns the quads of a Turtle or (by its ending) TriG file.

    Args:
        path: the file.
        shown: the path as messages name it.

    Raises:
        DataError: the file cannot be read, or does not parse (path and line).
    """
    try:
        return list(parse(path=str(path), format=RdfFormat.TRIG if path.suffix == ".trig" else RdfFormat.TURTLE))
    except SyntaxError as error:
        what = str(error.args[0]).removeprefix("Parser error ")
        raise DataError(f"does not parse: {what}", shown, error.lineno) from error
    except OSError as error:
        raise DataError.unreadable(error, shown) from error


def format_file(path: Path, prefixes: Prefixes) -> bool:
    """Writes a Turtle or TriG file in the one order; tells whether that changed it.

    Comments are not RDF and do not survive: what should stay is said with skos:editorialNote.

    Raises:
        DataError: the file is missing or does not parse.
    """
    before = _read(path)
    trig = path.suffix == ".trig"
    try:
        quads = list(parse(before, format=RdfFormat.TRIG if trig else RdfFormat.TURTLE))
    except SyntaxError as error:
        raise DataError(f"does not parse: {error.args[0]}", path, error.lineno) from error
    after = write_trig(quads, prefixes) if trig else write_turtle(quads, prefixes)
    if after == before:
        return False
    replacement = path.with_name(f".{path.name}.new")
    replacement.write_bytes(after.encode())
    replacement.replace(path)
    return True


def _read(path: Path) -> str:
    try:
        # As bytes: a line end inside a literal is data, and must not be translated.
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError.unreadable(error, path) from error
