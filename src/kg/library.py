"""The questions: `queries/*.rq`, read with their headers, and values bound into them.

A question is a file that runs unchanged in any SPARQL tool. Its header says what it asks, its
`VALUES` blocks are example, declaration and only entry point of its parameters at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal as OneOf

from pyoxigraph import Literal, NamedNode

from kg.errors import BadParameter, DataError
from kg.names import XSD, Prefixes
from kg.tokens import Token, tokens
from kg.workspace import read_utf8

Term = NamedNode | Literal
Mode = OneOf["required", "optional", "many"]

_HEADER = re.compile(r"#\+\s*(?P<key>\w+)\s*(?P<name>[\w ]*?)\s*:\s*(?P<value>.*\S)\s*")
_PARAMETER = re.compile(r"(?:iri of\s+)?(?P<type>[\w-]+:[\w-]+)(?:\s*,\s*(?P<mode>optional|many))?(?:\s*,.*)?")
_WRITTEN_LITERAL = re.compile(r"""(["'])(?P<text>[^"'\\]*)\1(?:@.*|\^\^.*)?""")
_MODES: dict[str | None, Mode] = {None: "required", "optional": "optional", "many": "many"}


@dataclass(frozen=True)
class Parameter:
    """A value that a question asks for.

    `type` is the CURIE of a class (the value is an entity of it) or of an XSD datatype;
    `example` holds values as a person gives them, a literal without quotation marks or datatype.
    """

    name: str
    type: str
    mode: Mode
    example: tuple[str, ...]

    @property
    def is_entity(self) -> bool:
        return not self.type.startswith("xsd:")


@dataclass(frozen=True)
class Column:
    """A result column as its header declares it."""

    name: str
    type: str
    help: str


@dataclass(frozen=True)
class Question:
    """One query file.

    Attributes:
        summary: the question in one sentence; None for a query that only the program uses.
        facts: every header line as (key, value), in order.
        text: the file, as it is.
    """

    name: str
    summary: str | None
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    facts: tuple[tuple[str, str], ...]
    text: str

    def fact(self, key: str, default: str = "") -> str:
        """Returns the first header value of that key."""
        return next((value for name, value in self.facts if name == key), default)

    def bound(self, values: Mapping[str, Sequence[Sequence[Term]]]) -> str:
        """Returns the query with the rows of its VALUES blocks replaced.

        Args:
            values: for each block, named by its variables ("theme", "from link to"), the rows.
                A block that is not named keeps its example; one with no rows is removed.

        Raises:
            KeyError: the question has no such block.
        """
        text = self.text
        for block in reversed(_values_blocks(self.text)):
            if block.name in values:
                text = text[: block.start] + _written(block, values[block.name]) + text[block.end :]
        for name in values:
            if name not in {block.name for block in _values_blocks(self.text)}:
                raise KeyError(name)
        return text

    def about(self, variable: str, iris: Iterable[str]) -> str:
        """Returns the query asked of some things only: its own text, with a VALUES block for a variable.

        The block stands first in the outermost group, where an engine begins with it.
        """
        return about(self.text, variable, iris)


def about(query: str, variable: str, iris: Iterable[str]) -> str:
    """Returns a query asked of some things only, as `Question.about`."""
    at = _outermost_group(query)
    return f"{query[:at]} VALUES ?{variable} {{ {' '.join(f'<{iri}>' for iri in iris)} }}{query[at:]}"


def narrowed(query: str, columns: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Returns a SELECT query for some of its columns, in no order; and the columns by which it orders, to sort by.

    An engine that reads a term anew at each comparison takes several times as long to sort as to find.

    Raises:
        ValueError: its SELECT clause or its ORDER BY, which stands last, has more than variables and their text.

    >>> narrowed("SELECT DISTINCT ?a ?b WHERE { ?a ?p ?b } ORDER BY STR(?b) ?a", ["a"])
    ('SELECT DISTINCT ?a WHERE { ?a ?p ?b }', ('b', 'a'))
    """
    outer = list(_outermost(query))
    words = [token.keyword for token in outer]
    group = next(at for at, token in enumerate(outer) if token.text == "{")
    clause = [t for t in outer[words.index("SELECT") + 1 : group] if t.keyword not in ("DISTINCT", "WHERE")]
    ordered = words.index("ORDER", group) if "ORDER" in words[group:] else len(outer)
    order = [token for token in outer[ordered + 2 :] if token.text not in ("STR", "(", ")")]
    if any(token.kind != "var" for token in (*clause, *order)):
        raise ValueError("a query that selects or orders by more than variables and their text")
    end = outer[ordered].start if ordered < len(outer) else len(query)
    listed = " ".join(f"?{name}" for name in columns)
    text = f"{query[: clause[0].start]}{listed}{query[clause[-1].end : end].rstrip()}"
    return text, tuple(token.text[1:] for token in order)


def paged(query: str, variable: str, after: str, rows: int) -> str:
    """Returns a query for some of its rows: so many, in the order of the text of a variable, from a text on.

    >>> paged("SELECT ?a WHERE { ?a ?p ?b } ORDER BY ?b", "a", "http://x", 10)
    'SELECT ?a WHERE { FILTER(STR(?a) >= "http://x") ?a ?p ?b } ORDER BY STR(?a) LIMIT 10'
    """
    at = _outermost_group(query)
    ordered = next((t.start for t in _outermost(query) if t.keyword == "ORDER"), len(query))
    begun = f" FILTER(STR(?{variable}) >= {Literal(after)})" if after else ""
    return f"{query[:at]}{begun}{query[at:ordered].rstrip()} ORDER BY STR(?{variable}) LIMIT {rows}"


def within_graph(query: str, graph: str) -> str:
    """Returns a query whose patterns outside of any GRAPH look into a named graph.

    >>> within_graph("SELECT ?a { ?a ?p ?b GRAPH ?g { ?b ?q ?a } } LIMIT 1", "http://x")
    'SELECT ?a { GRAPH <http://x> { ?a ?p ?b GRAPH ?g { ?b ?q ?a } } } LIMIT 1'
    """
    at = _outermost_group(query)
    end = next(t.start for t in _outermost(query) if t.text == "}" and t.start >= at)
    return f"{query[:at]} GRAPH <{graph}> {{{query[at:end]}}} {query[end:]}"


def _outermost(query: str) -> Iterator[Token]:
    """Yields the tokens that stand in no group, and the braces of the outermost one."""
    depth = 0
    for token in tokens(query):
        depth -= token.text == "}"
        if not depth:
            yield token
        depth += token.text == "{"


@dataclass(frozen=True)
class _Block:
    """A VALUES block: its variables, where it stands, and the rows it holds as text."""

    variables: tuple[str, ...]
    start: int
    end: int
    rows: tuple[str, ...]

    @property
    def name(self) -> str:
        return " ".join(self.variables)


def _outermost_group(text: str) -> int:
    """Returns where the outermost group of a query begins, behind its brace; braces in expressions come in brackets."""
    depth = 0
    for token in tokens(text):
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "{" and not depth:
            return token.end
    raise ValueError("a query without a group")


def _values_blocks(text: str) -> list[_Block]:
    found: list[_Block] = []
    stream = iter(tokens(text))
    for token in stream:
        if token.keyword == "VALUES":
            variables = _variables(stream)
            rows, end = _until_brace(stream)
            found.append(_Block(variables, token.start, end, rows))
    return found


def _variables(stream: Iterable[Token]) -> tuple[str, ...]:
    names: list[str] = []
    for token in stream:
        if token.kind == "var":
            names.append(token.text[1:])
        elif token.text == "{":
            break
    return tuple(names)


def _until_brace(stream: Iterable[Token]) -> tuple[tuple[str, ...], int]:
    rows: list[str] = []
    for token in stream:
        if token.text == "}":
            return tuple(rows), token.end
        # A language tag or datatype belongs to the literal before it.
        if rows and (token.kind == "lang" or token.text == "^^" or rows[-1].endswith("^^")):
            rows[-1] += token.text
        else:
            rows.append(token.text)
    raise ValueError("a VALUES block is not closed")


def _written(block: _Block, rows: Sequence[Sequence[Term]]) -> str:
    if not rows:
        return ""
    if len(block.variables) == 1:
        inner = " ".join(str(term) for row in rows for term in row)
        return f"VALUES ?{block.variables[0]} {{ {inner} }}"
    heads = " ".join(f"?{name}" for name in block.variables)
    inner = " ".join("(" + " ".join(str(term) for term in row) + ")" for row in rows)
    return f"VALUES ({heads}) {{ {inner} }}"


def read_question(path: Path, shown: str) -> Question:
    """Returns the question in a file.

    Args:
        path: the file.
        shown: the path as messages name it.

    Raises:
        DataError: the file, a header line or a VALUES block cannot be read, or a parameter has no block.
    """
    text = read_utf8(path, shown)
    try:
        blocks = {block.name: block for block in _values_blocks(text)}
    except ValueError as error:
        raise DataError(f"does not parse: {error}.", shown) from error
    facts: list[tuple[str, str]] = []
    parameters: list[Parameter] = []
    columns: list[Column] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("#+"):
            continue
        match = _HEADER.fullmatch(line)
        if match is None:
            raise DataError("a header line reads `#+ key: value` or `#+ key name: value`.", shown, number)
        key, name, value = match["key"], match["name"], match["value"]
        facts.append((key, value))
        if key == "param":
            parameters.append(_parameter(name, value, blocks, shown, number))
        elif key == "column":
            kind, _, words = value.partition(",")
            columns.append(Column(name, kind.strip(), words.strip()))
    summary = next((value for key, value in facts if key == "summary"), None)
    return Question(path.stem, summary, tuple(parameters), tuple(columns), tuple(facts), text)


def _parameter(name: str, value: str, blocks: Mapping[str, _Block], shown: str, line: int) -> Parameter:
    match = _PARAMETER.fullmatch(value)
    if match is None:
        expected = "expected `iri of CLASS` or an xsd type, then `, optional` or `, many`"
        raise DataError(f"parameter {name!r}: {expected}; found {value!r}.", shown, line)
    if name not in blocks:
        raise DataError(f"parameter {name!r} has no block `VALUES ?{name} {{ … }}`.", shown, line)
    return Parameter(name, match["type"], _MODES[match["mode"]], tuple(map(_as_given, blocks[name].rows)))


def _as_given(term: str) -> str:
    literal = _WRITTEN_LITERAL.fullmatch(term)
    return literal["text"] if literal else term


@dataclass(frozen=True)
class Library:
    """The query files of a workspace or release, by name."""

    questions: Mapping[str, Question]
    prefixes: Prefixes

    @property
    def listed(self) -> list[Question]:
        """The questions that people ask, by name; those that only the program uses are left out."""
        return [q for _, q in sorted(self.questions.items()) if q.summary is not None]

    def program(self, name: str) -> Question:
        """Returns a query that the program itself relies on.

        Raises:
            DataError: the file is missing.
        """
        try:
            return self.questions[name]
        except KeyError as error:
            raise DataError("is missing; the program needs it.", f"queries/{name}.rq") from error


def read_library(folder: Path, prefixes: Prefixes) -> Library:
    """Returns the questions of a folder `queries/`.

    Raises:
        DataError: as `read_question`.
    """
    paths = sorted(folder.glob("*.rq"))
    return Library({path.stem: read_question(path, f"queries/{path.name}") for path in paths}, prefixes)


def literal_of(parameter: Parameter, text: str) -> Literal:
    """Returns a typed literal for a parameter whose type is a datatype.

    Raises:
        BadParameter: the text is not a value of that datatype.
    """
    datatype = parameter.type.removeprefix("xsd:")
    fits = _LEXICAL.get(datatype)
    if fits is None or not fits(text):
        raise BadParameter(f"{parameter.name}: {text!r} is no {parameter.type}.")
    if datatype == "string":
        return Literal(text)
    return Literal(text, datatype=NamedNode(XSD + datatype))


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_LEXICAL: Mapping[str, Callable[[str], object]] = {
    "string": lambda text: text is not None,
    "integer": re.compile(r"[+-]?[0-9]{1,18}").fullmatch,
    "decimal": re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?").fullmatch,
    "gYear": re.compile(r"[0-9]{4}").fullmatch,
    "boolean": re.compile(r"true|false").fullmatch,
    "date": _is_date,
}
