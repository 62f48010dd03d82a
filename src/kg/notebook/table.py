"""The rows of an answer as a table: HTML with labels and links, pandas, polars."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from kg.errors import BadParameter
from kg.names import XSD
from kg.notebook.markup import table
from kg.notebook.records import Record

if TYPE_CHECKING:
    import pandas
    import polars

_PYTHON: Mapping[str, Callable[[str], object]] = {
    XSD + "integer": int,
    XSD + "decimal": float,
    XSD + "double": float,
    XSD + "float": float,
    XSD + "boolean": lambda t: t == "true",
    XSD + "date": date.fromisoformat,
    XSD + "dateTime": datetime.fromisoformat,
}
_SHOWN_ROWS = 200


class Table(Sequence[Mapping[str, object]]):
    """The rows of an answer: Python values by column; entities are their IRIs.

    Attributes:
        columns: the names, in order.
        answer: everything else that came with it: release, query, labels, whether it was cut.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = Record(answer)
        self.columns: tuple[str, ...] = tuple(answer["columns"])
        self._cells: Sequence[Mapping[str, Any]] = answer["results"]
        self._rows = [{name: _value(row.get(name)) for name in self.columns} for row in self._cells]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        return iter(self._rows)

    @property
    def iris(self) -> list[str]:
        """The things in the rows, each once, in their order."""
        cells = (row[name] for row in self._cells for name in self.columns if name in row)
        return list(dict.fromkeys(cell["value"] for cell in cells if cell["type"] == "uri"))

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
        # A column of labels is folded into the column of things that it names.
        shown = [c for c in self.columns if not (c.endswith("Label") and c.removesuffix("Label") in self.columns)]
        rows = ([_shown(row.get(name), row.get(f"{name}Label")) for name in shown] for row in self._cells[:_SHOWN_ROWS])
        more = len(self) - _SHOWN_ROWS
        foot = f"<p>{len(self)} rows{f', {more} not shown' if more > 0 else ''}; release {self.answer.release[:12]}</p>"
        return table(map(html.escape, shown), rows) + foot

    def __repr__(self) -> str:
        return f"Table of {len(self)} rows: {', '.join(self.columns)}"


def _value(cell: Mapping[str, Any] | None) -> object:
    """Returns a cell as Python has it; a text that is no value of its datatype stays a text."""
    if cell is None:
        return None
    convert = _PYTHON.get(cell.get("datatype") or "")
    if convert is not None:
        with suppress(ValueError):
            return convert(cell["value"])
    return cell["value"]


def _shown(cell: Mapping[str, Any] | None, named: Mapping[str, Any] | None) -> str:
    if cell is None:
        return ""
    value, label = cell["value"], named["value"] if named else cell.get("label")
    # Only an address that opens a page is a link: a value may be any IRI.
    if cell["type"] != "uri" or not value.startswith(("http://", "https://")):
        return html.escape(label or value)
    return f'<a href="{html.escape(value)}">{html.escape(label or value)}</a>'
