"""Charts of the answers on the whole, with matplotlib; nothing is fetched and no window is opened."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kg.notebook.records import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# By gap: its colour (told apart with any colour vision), its sign and the colour of the sign, as in the explorer.
_GAPS = {
    None: ("#0072b2", "●", "white"),
    "no follow-up": ("#56b4e9", "◐", "#10202c"),
    "no recommendation": ("#f5c04a", "○", "#2b2000"),
    "no barrier": ("#f5c04a", "○", "#2b2000"),
    "no evidence": ("#b23a00", "×", "white"),
}
_STATES = {"named": "#0072b2", "said resolved": "#009e73"}
_SILENT = "#566070"
# Inches, and the area of the largest circle in square points.
_ROW, _COLUMN, _MARGIN = 0.28, 0.45, 4.0
_LARGEST = 220.0


class Chart(Figure):
    """A figure that a notebook shows as it is, whatever it makes of other figures."""

    def _repr_png_(self) -> bytes:
        content = BytesIO()
        self.savefig(content, format="png", dpi=110)
        return content.getvalue()


def gap_matrix(answer: Record) -> Chart:
    """Returns barriers (reverse: recommendations) by themes, each pair coloured and marked by what it lacks."""
    what = "recommendation" if answer.reverse else "barrier"
    found = {(row[what].iri, row.theme.iri): row.gap for row in answer.results}
    items, themes = (_labels([row[name] for row in answer.results]) for name in (what, "theme"))
    chart, axes = _grid(list(items.values()), list(themes.values()))
    kinds = [gap for gap in _GAPS if gap in found.values()]
    # What is no pair is no number, and is left white.
    cells = np.full((len(items), len(themes)), np.nan)
    for (y, item), (x, theme) in product(enumerate(items), enumerate(themes)):
        if (item, theme) in found:
            _, sign, ink = _GAPS[found[item, theme]]
            cells[y, x] = kinds.index(found[item, theme])
            axes.text(x, y, sign, color=ink, ha="center", va="center")
    colours = ListedColormap([_GAPS[gap][0] for gap in kinds] or ["white"])
    axes.imshow(cells, cmap=colours, vmin=-0.5, vmax=max(len(kinds), 1) - 0.5, aspect="auto")
    axes.tick_params(axis="x", rotation=90)
    legend = [Patch(color=_GAPS[gap][0], label=f"{_GAPS[gap][1]} {gap or 'followed up'}") for gap in kinds]
    return _told(chart, f"Gaps: {what}s by theme", legend, answer)


def timeline(answer: Record) -> Chart:
    """Returns themes by year: a circle for the items that name a theme, a dash where it is passed over."""
    themes = _labels([row.theme for row in answer.results], in_order=True)
    years = sorted({year.year for row in answer.results for year in row.years})
    chart, axes = _grid(list(themes.values()), years)
    most = max((year["items"] for row in answer.results for year in row.years), default=1) or 1
    for y, row in enumerate(answer.results):
        for year in row.years:
            x = years.index(year.year)
            if year["items"]:
                colour = _STATES.get(year.state, _SILENT)
                axes.scatter(x, y, s=_LARGEST * year["items"] / most, color=colour, gid=f"{row.theme.iri} {year.year}")
            else:
                axes.text(x, y, "–", color=_SILENT, ha="center", va="center")
    states = {year.state for row in answer.results for year in row.years}
    legend = [_mark(state, "o", colour) for state, colour in _STATES.items() if state in states]
    legend += [_mark("silent", "_", _SILENT)] if "silent" in states else []
    return _told(chart, f"Themes by year; the largest circle is {most} items", legend, answer)


def _labels(things: Sequence[Record], in_order: bool = False) -> dict[str, str]:
    """Returns the labels by IRI, in their own order or in the order of the answer."""
    found = {thing.iri: thing.label for thing in things}
    return found if in_order else dict(sorted(found.items(), key=lambda one: (one[1], one[0])))


def _grid(rows: Sequence[str], columns: Sequence[str]) -> tuple[Chart, Axes]:
    size = (_MARGIN + _COLUMN * max(len(columns), 4), _MARGIN / 2 + _ROW * max(len(rows), 4))
    chart = Chart(figsize=size, layout="constrained")
    axes = chart.add_subplot()
    axes.set_xticks(range(len(columns)), labels=columns)
    axes.set_yticks(range(len(rows)), labels=rows)
    axes.set_xlim(-0.5, max(len(columns), 1) - 0.5)
    # The first row stands at the top.
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    return chart, axes


def _mark(label: str, marker: str, colour: str) -> Line2D:
    return Line2D([], [], linestyle="none", marker=marker, color=colour, label=label)


def _told(chart: Chart, title: str, legend: Sequence[Patch | Line2D], answer: Record) -> Chart:
    """Returns the chart with what one must know to read it: its title, signs, release, and whether it was cut."""
    cut = "; there are more, ask for a higher limit" if answer.truncated else ""
    chart.suptitle(f"{title}\nrelease {answer.release[:12]}{cut}", x=0.01, ha="left", fontsize="medium")
    if legend:
        chart.legend(handles=list(legend), loc="outside lower left", ncols=len(legend), frameon=False)
    return chart
