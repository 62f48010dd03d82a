"""The questions on the whole of a graph, as methods (docs/questions.md defines each)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kg.errors import KgError
from kg.notebook.doors import Door
from kg.notebook.markup import table
from kg.notebook.records import Record

if TYPE_CHECKING:
    from kg.notebook.charts import Chart

_SHOWN_ROWS = 100


class Analysed(Record):
    """The answer to a question on the whole: what the API returns; its `results` are shown as a table."""

    def _repr_html_(self) -> str:
        rows = [row for row in self._held.get("results", ()) if isinstance(row, Mapping)]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        cells = ([_cell(row.get(name)) for name in columns] for row in rows[:_SHOWN_ROWS])
        more = len(rows) - _SHOWN_ROWS
        left = f", {more} not shown" if more > 0 else ""
        cut = "; there are more: ask for a higher limit" if self._held.get("truncated") else ""
        foot = f"<p><small>{len(rows)} results{left}{cut}; release {escape(self.release[:12])}</small></p>"
        return table((escape(name.replace("_", " ")) for name in columns), cells) + foot


class Timeline(Analysed):
    """Themes by year, which can be drawn."""

    def plot(self) -> Chart:
        """Returns a matplotlib figure: themes by year.

        Raises:
            KgError: matplotlib is not installed.
        """
        _need_matplotlib()
        from kg.notebook.charts import timeline

        return timeline(self)


class Gaps(Analysed):
    """Barriers (reverse: recommendations) by themes, which can be drawn."""

    def plot(self) -> Chart:
        """Returns a matplotlib figure: barriers or recommendations by themes, each pair by what it lacks.

        Raises:
            KgError: matplotlib is not installed.
        """
        _need_matplotlib()
        from kg.notebook.charts import gap_matrix

        return gap_matrix(self)


class Analyses:
    """What can be asked of the whole; every statement in an answer has its basis and its passages."""

    _door: Door

    def blockers(self, entity: str, max_hops: int = 6, limit: int = 100, basis: str = "") -> Analysed:
        """Returns what stands in the way of a thing, upstream, as a graph with depth."""
        return self._analysed("blockers", entity=entity, max_hops=max_hops, limit=limit, basis=basis)

    def keystones(self, limit: int = 20, basis: str = "") -> Analysed:
        """Returns the barriers whose going frees most themes."""
        return self._analysed("keystones", limit=limit, basis=basis)

    def what_if(self, barrier: str, limit: int = 50, basis: str = "") -> Analysed:
        """Returns what would change if a barrier went."""
        return self._analysed("whatif", barrier=barrier, limit=limit, basis=basis)

    def compare(self, theme: str, limit: int = 50) -> Analysed:
        """Returns what each document says on a theme, kind by kind, and what its silence means."""
        return self._analysed("compare", theme=theme, limit=limit)

    def gaps(self, theme: str | None = None, reverse: bool = False, limit: int = 200) -> Gaps:
        """Returns which barriers (reverse: recommendations) lack evidence, an answer or a follow-up."""
        return Gaps(self._door.get("gaps", theme=theme, reverse=reverse, limit=limit))

    def tensions(self, theme: str | None = None, limit: int = 100) -> Analysed:
        """Returns where claims on a theme disagree, each typed by rule."""
        return self._analysed("tensions", theme=theme, limit=limit)

    def lineage(self, item: str, limit: int = 200) -> Analysed:
        """Returns what became of a recommendation or other item, and who says so."""
        return self._analysed("lineage", item=item, limit=limit)

    def timeline(self, theme: str | None = None, limit: int = 50) -> Timeline:
        """Returns in which years themes are named, silent or said resolved."""
        return Timeline(self._door.get("timeline", theme=theme, limit=limit))

    def fragile(self, document: str | None = None, limit: int = 50) -> Analysed:
        """Returns what rests on one passage, and what falls with it."""
        return self._analysed("fragile", document=document, limit=limit)

    def news(self, document: str, limit: int = 200) -> Analysed:
        """Returns what a document says first, what it repeats and what it drops."""
        return self._analysed("news", document=document, limit=limit)

    def central(self, limit: int = 10) -> Analysed:
        """Returns the bodies asked most and the barriers that matter most."""
        return self._analysed("central", limit=limit)

    def _analysed(self, name: str, **parameters: Any) -> Analysed:
        return Analysed(self._door.get(name, **parameters))


def _need_matplotlib() -> None:
    if find_spec("matplotlib") is None:
        raise KgError("plot: matplotlib is not installed; pip install 'policy-evidence-kg[jupyter]' brings it.")


def _cell(value: Any) -> str:
    """Returns a part of an answer as a cell shows it: things by their labels, lists by what is in them."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        if "label" in value and "iri" in value:
            return f'<a href="{escape(value["iri"])}">{escape(str(value["label"]))}</a>'
        if "sha256" in value:
            return f"<small>{escape(value['document'])}, {value['start']} to {value['end']}</small>"
        return "<br>".join(
            f"{escape(name)}: {_cell(part)}" for name, part in value.items() if part not in (None, [], {})
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "<br>".join(map(_cell, value))
    return escape(str(value))
