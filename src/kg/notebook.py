"""The graph in a notebook or script: `kg.open()`, and answers as tables.

>>> import kg
>>> g = kg.open()  # doctest: +SKIP
>>> g.ask("barriers-blocking-theme", theme="Finance").to_pandas()  # doctest: +SKIP
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.answers import Answers, open_answers
from kg.errors import BadParameter
from kg.model import Answer, Basis, Cell, Description, Entity, Paths, bases, mode_of, restricted
from kg.names import XSD
from kg.release.build import build
from kg.release.directory import find_release, fresh_release
from kg.release.export import quads, to_networkx
from kg.workspace import open_workspace, read_settings

if TYPE_CHECKING:
    import networkx as nx
    import pandas
    import polars
    import rdflib

_PYTHON: Mapping[str, Callable[[str], object]] = {
    XSD + "integer": int,
    XSD + "decimal": float,
    XSD + "double": float,
    XSD + "boolean": lambda t: t == "true",
}
_SHOWN_ROWS = 200


class Table(Sequence[Mapping[str, object]]):
    """The rows of an answer: Python values by column; entities are their IRIs.

    Attributes:
        columns: the names, in order.
        answer: everything else that came with it: release, query, labels, whether it was cut.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.columns = answer.columns
        self._rows = [{name: _value(row.get(name)) for name in answer.columns} for row in answer.results]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        return iter(self._rows)

    def to_pandas(self) -> pandas.DataFrame:
        """Returns the rows as a pandas DataFrame (pandas is not installed with this package)."""
        try:
            import pandas
        except ImportError as error:
            raise BadParameter("pandas is not installed; `pip install pandas`, or use .to_polars().") from error
        return pandas.DataFrame(self._rows, columns=list(self.columns)).convert_dtypes()

    def to_polars(self) -> polars.DataFrame:
        """Returns the rows as a polars DataFrame."""
        import polars

        return polars.DataFrame(self._rows, schema=list(self.columns), infer_schema_length=None, strict=False)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        rows = (
            "<tr>" + "".join(f"<td>{_shown(row.get(name))}</td>" for name in self.columns) + "</tr>"
            for row in self.answer.results[:_SHOWN_ROWS]
        )
        more = len(self) - _SHOWN_ROWS
        foot = f"<p>{len(self)} rows{f', {more} not shown' if more > 0 else ''}; release {self.answer.release[:12]}</p>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{foot}"

    def __repr__(self) -> str:
        return f"Table of {len(self)} rows: {', '.join(self.columns)}"


class Graph:
    """One release, to ask."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @property
    def release(self) -> str:
        """The id of the release that answers."""
        return self._answers.release_id

    def sparql(self, query: str) -> Table:
        """Returns the rows of a SELECT; the graph's prefixes are known without being declared."""
        return Table(self._answers.select(query))

    def questions(self) -> list[str]:
        """Returns the names of the questions."""
        return [question.name for question in self._answers.questions()]

    def ask(self, name: str, **parameters: str | Sequence[str]) -> Table:
        """Returns the rows of a question; a value is an IRI, a CURIE, a label or a list of these."""
        given = {k: [v] if isinstance(v, str) else list(v) for k, v in parameters.items()}
        return Table(self._answers.ask(name, given))

    def connect(
        self,
        start: str,
        end: str,
        max_hops: int = 6,
        limit: int = 10,
        basis: str = "",
        mode: str = "best",
        **restriction: str | Sequence[str] | None,
    ) -> Paths:
        """Returns how two things hang together, each hop with its sentence and passages.

        Args:
            mode: `best`, `shortest` (all shortest paths) or `all` (up to `max_hops`).
            restriction: via, avoid, links, types, direction, place, document, since, until, as
                `kg.model.Restriction` tells; a name or several.

        Raises:
            BadParameter: a restriction is none of these, or does not fit.
        """
        wanted: frozenset[Basis] = bases(basis)
        return self._answers.connect(start, end, max_hops, limit, wanted, mode_of(mode), restricted(restriction))

    def describe(self, entity: str) -> Description:
        """Returns what is known of a thing."""
        return self._answers.describe(entity)

    def search(self, words: str, limit: int = 20) -> tuple[Entity, ...]:
        """Returns the things that fit the words, best first."""
        return self._answers.search(words, limit=limit).results

    def to_rdflib(self) -> rdflib.Dataset:
        """Returns every named graph as an rdflib Dataset (its default graph is their union)."""
        import rdflib
        from pyoxigraph import RdfFormat, serialize

        content = serialize(quads(self._answers.opened), format=RdfFormat.N_QUADS)
        return rdflib.Dataset(default_union=True).parse(data=content or b"", format="nquads")

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Returns the links as a networkx graph: nodes by IRI, edges with basis and origins."""
        return to_networkx(self._answers.opened)

    def close(self) -> None:
        """Lets go of the release."""
        self._answers.close()


def open(place: str | Path | None = None, *, texts: str | Path | None = None) -> Graph:
    """Returns the graph of a workspace or release.

    Args:
        place: a workspace or a release; by default the workspace of the current folder, else
            the one that comes with this package. A workspace is built when it has changed.
        texts: a folder of held texts, for quotes.

    Raises:
        DataError: the folder is neither, or a file in it is wrong.
    """
    if isinstance(place, str) and place.startswith(("http://", "https://")):
        raise BadParameter("a served graph is asked over HTTP: use its /api or a SPARQL client, or open a folder.")
    settings = read_settings()
    if texts is not None:
        settings = replace(settings, texts=str(texts))
    root = None if place is None else Path(place)
    if root is not None and (root / "manifest.json").is_file():
        return Graph(open_answers(root, settings))
    workspace = open_workspace(root)
    folder = workspace.releases(settings)
    if fresh_release(folder, workspace.fingerprint()) is None:
        build(workspace, settings)
    return Graph(open_answers(find_release(folder).root, settings))


def _value(cell: Cell | None) -> object:
    if cell is None:
        return None
    convert = _PYTHON.get(cell.datatype or "")
    return convert(cell.value) if convert else cell.value


def _shown(cell: Cell | None) -> str:
    if cell is None:
        return ""
    if cell.type != "uri":
        return html.escape(cell.value)
    return f'<a href="{html.escape(cell.value)}">{html.escape(cell.label or cell.value)}</a>'
