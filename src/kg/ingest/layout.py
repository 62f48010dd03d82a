"""Where things stand on a page: lines, columns in reading order, ruled tables and boxes.

Coordinates are PDF points, y upward.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_NARROWEST_GUTTER = 7.0
_FEWEST_ROWS = 4
# A number or letter that hangs before its paragraph, with no mark after it.
_HANGING = re.compile(r"\(?(?:\d{1,3}(?:\.\d{1,2})*|[a-z]|[ivx]{2,5}|[IVX]{1,6})\)?")
_WIDEST_HANG = 60.0


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    def holds(self, other: Box, slack: float = 2.0) -> bool:
        """Tells whether another box lies within this one."""
        across = self.left - slack <= other.left and other.right <= self.right + slack
        return across and self.bottom - slack <= other.bottom and other.top <= self.top + slack

    def with_(self, other: Box) -> Box:
        """Returns the smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.bottom, other.bottom),
            max(self.right, other.right),
            max(self.top, other.top),
        )


@dataclass(eq=False)
class Segment:
    """A run of letters on one line."""

    box: Box
    size: float
    text: str = ""
    hyphen: bool = False
    # How many letters at the start of a line are a hanging number.
    hanging: int = 0
    last: Box = field(init=False)
    _bold: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last = self.box

    def append(self, letter: str, box: Box, bold: bool) -> None:
        """Adds a letter at the end."""
        self.text += letter
        self._bold.append(bold or (letter.isspace() and bool(self._bold) and self._bold[-1]))
        self.box, self.last = self.box.with_(box), box

    def join(self, other: Segment) -> None:
        """Adds another run of the same line at the end."""
        if _HANGING.fullmatch(self.text.strip()) and other.box.left - self.box.left < _WIDEST_HANG:
            self.hanging = len(self.text.strip())
        self.text += " " + other.text
        self._bold += [bool(other._bold and other._bold[0] and self._bold and self._bold[-1]), *other._bold]
        self.box, self.last, self.hyphen = self.box.with_(other.box), other.last, other.hyphen

    @property
    def all_bold(self) -> bool:
        return all(self._bold)

    def bold_to(self, start: int = 0) -> int:
        """Returns where the bold letters end that begin at a place."""
        return next((at for at in range(start, len(self._bold)) if not self._bold[at]), len(self.text.rstrip()))


def lines_of(segments: Sequence[Segment]) -> list[Segment]:
    """Returns the lines that segments of one column make up, from the top down."""
    lines: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (-round(s.box.bottom + s.box.top), s.box.left)):
        line = next((known for known in lines[-3:] if _on_one_line(known, segment)), None)
        if line is None:
            lines.append(_copy(segment))
        elif segment.box.left >= line.box.left:
            line.join(segment)
        else:
            first = _copy(segment)
            first.join(line)
            lines[lines.index(line)] = first
    return lines


def _copy(segment: Segment) -> Segment:
    return Segment(segment.box, segment.size, segment.text, segment.hyphen, segment.hanging, _bold=list(segment._bold))


def _on_one_line(one: Segment, other: Segment) -> bool:
    low, high = max(one.box.bottom, other.box.bottom), min(one.box.top, other.box.top)
    return high - low > 0.5 * min(one.box.top - one.box.bottom, other.box.top - other.box.bottom)


@dataclass
class Rulings:
    """The lines and boxes drawn on a page."""

    across: list[Box] = field(default_factory=list)
    down: list[Box] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    def add(self, box: Box, width: float, height: float) -> None:
        """Adds something drawn, as line across, line down, or box (with its four sides)."""
        wide, high = box.right - box.left, box.top - box.bottom
        if high < 3 and wide > 15:
            self.across.append(box)
        elif wide < 3 and high > 5:
            self.down.append(box)
        elif wide > 15 and high > 8 and not (wide > 0.95 * width and high > 0.6 * height):
            self.boxes.append(box)
            self.across += [Box(box.left, y, box.right, y) for y in (box.bottom, box.top)]
            self.down += [Box(x, box.bottom, x, box.top) for x in (box.left, box.right)]

    def box_around(self, box: Box) -> Box | None:
        """Returns the smallest drawn box in which something stands."""
        around = [b for b in self.boxes if b.holds(box)]
        return min(around, key=lambda b: (b.right - b.left) * (b.top - b.bottom), default=None)


@dataclass
class Table:
    """A ruled table: rows of cells, each with its segments."""

    box: Box
    rows: list[list[list[Segment]]]

    @property
    def segments(self) -> list[Segment]:
        return [segment for row in self.rows for cell in row for segment in cell]


def tables_of(segments: Sequence[Segment], rulings: Rulings, is_label: Callable[[str], bool]) -> list[Table]:
    """Returns the tables of a page: those that rulings make, and those that stand under a row of labels.

    Args:
        segments: the runs of letters of the page.
        rulings: what is drawn on it.
        is_label: tells whether a text is what a column may be headed with.
    """
    headers = [row for row in _rows_of(segments) if len(row) > 1 and sum(is_label(s.text) for s in row) * 2 >= len(row)]
    # Lines between the rows only leave the header outside: such a table is read by its header.
    ruled = [
        table
        for table in _ruled_tables(segments, rulings)
        if not any(table.box.top < row[0].box.bottom + 2 < table.box.top + 40 for row in headers)
    ]
    taken = {id(s) for table in ruled for s in table.segments}
    found = list(ruled)
    for row in headers:
        if not taken & {id(s) for s in row}:
            table = _headed_table(row, [s for s in segments if id(s) not in taken])
            if len(table.rows) > 1:
                found.append(table)
                taken |= {id(s) for s in table.segments}
    return found


def _headed_table(header: list[Segment], segments: Sequence[Segment]) -> Table:
    """Returns the table below a row of labels: until a line crosses its columns, or a wide gap."""
    heads = sorted(header, key=lambda s: s.box.left)
    edges = [*(head.box.left - 4 for head in heads), max(s.box.right for s in segments) + 4]
    rows: list[list[list[Segment]]] = [[[head] for head in heads]]
    last = heads[0].box
    for line in _rows_of([s for s in segments if s.box.top < min(h.box.bottom for h in heads) + 2]):
        size = line[0].size
        if last.bottom - line[0].box.top > 2.2 * size or any(_crosses(s, edges) for s in line):
            break
        last = line[0].box
        cells: list[list[Segment]] = [[] for _ in heads]
        for segment in line:
            cells[_column(segment, edges)].append(segment)
        # A row begins where the first column goes on with a capital, and so do all others that do.
        begins = bool(cells[0]) and all(
            cell[0].text[:1].isupper() or cell[0].text[:1].isdigit() for cell in cells if cell
        )
        if begins or len(rows) == 1:
            rows.append(cells)
        else:
            rows[-1] = [before + more for before, more in zip(rows[-1], cells, strict=True)]
    box = heads[0].box
    for row in rows:
        for cell in row:
            for segment in cell:
                box = box.with_(segment.box)
    return Table(box, rows)


def _is_start(text: str) -> bool:
    return text[:1].isupper() or text[:1].isdigit()


def _column(segment: Segment, edges: Sequence[float]) -> int:
    return min(max(sum(edge <= segment.box.left + 1 for edge in edges) - 1, 0), len(edges) - 2)


def _crosses(segment: Segment, edges: Sequence[float]) -> bool:
    """Tells whether a segment starts outside of the columns, or runs into the next one."""
    return segment.box.left < edges[0] - 10 or segment.box.right > edges[_column(segment, edges) + 1] + 6


def _ruled_tables(segments: Sequence[Segment], rulings: Rulings) -> list[Table]:
    found = []
    for grid in _grids(rulings):
        levels = _levels([r.bottom for r in rulings.across if grid.holds(r, 4)])
        edges = _levels([r.left for r in rulings.down if grid.holds(r, 4)])
        inside = [s for s in segments if grid.holds(s.box, 4)]
        if len(edges) < 3:
            edges = _edges_of_text(inside, grid)
        if len(levels) >= 3 and len(edges) >= 3 and inside:
            rows = _rows(inside, sorted(levels, reverse=True), sorted(edges))
            if len(rows) >= 2:
                found.append(Table(grid, rows))
    return found


def _grids(rulings: Rulings) -> list[Box]:
    """Returns the boxes around lines across that belong together: stacked, of one extent."""
    merged: list[Box] = []
    for line in sorted(rulings.across, key=lambda r: (round(r.bottom), r.left)):
        if merged and abs(merged[-1].bottom - line.bottom) < 2 and line.left <= merged[-1].right + 4:
            merged[-1] = Box(
                min(merged[-1].left, line.left), merged[-1].bottom, max(merged[-1].right, line.right), merged[-1].bottom
            )
        else:
            merged.append(Box(line.left, line.bottom, line.right, line.bottom))
    grids: list[Box] = []
    counts: list[int] = []
    for line in merged:
        for at, grid in enumerate(grids):
            if abs(grid.left - line.left) < 6 and abs(grid.right - line.right) < 6 and line.bottom - grid.top < 260:
                grids[at] = grid.with_(line)
                counts[at] += 1
                break
        else:
            grids.append(line)
            counts.append(1)
    return [
        part
        for grid, count in zip(grids, counts, strict=True)
        if count >= 3 and grid.right - grid.left > 100
        for part in _parted_by_boxes(grid, rulings)
    ]


def _parted_by_boxes(grid: Box, rulings: Rulings) -> list[Box]:
    """Returns a grid without the boxes above and below that are as wide: those have no line down their middle."""
    inner = [r for r in rulings.down if grid.left + 6 < r.left < grid.right - 6 and grid.holds(r, 4)]
    if not inner:
        return [grid]
    runs: list[Box] = []
    for line in sorted(inner, key=lambda r: r.bottom):
        if runs and line.bottom <= runs[-1].top + 4:
            runs[-1] = runs[-1].with_(line)
        else:
            runs.append(line)
    return [Box(grid.left, run.bottom, grid.right, run.top) for run in runs]


def _levels(values: list[float]) -> list[float]:
    levels: list[float] = []
    for value in sorted(values):
        if not levels or value - levels[-1] > 4:
            levels.append(value)
    return levels


def _edges_of_text(segments: Sequence[Segment], grid: Box) -> list[float]:
    """Returns column edges where only lines across are drawn: where several segments start."""
    starts = sorted(s.box.left for s in segments)
    edges = [grid.left]
    for start in starts:
        if start - edges[-1] > 20 and sum(abs(other - start) < 3 for other in starts) >= 3:
            edges.append(start - 2)
    return [*edges, grid.right]


def _rows(segments: Sequence[Segment], levels: list[float], edges: list[float]) -> list[list[list[Segment]]]:
    rows = []
    for top, bottom in itertools.pairwise(levels):
        cells: list[list[Segment]] = [[] for _ in edges[1:]]
        for segment in segments:
            if bottom - 1 <= (segment.box.bottom + segment.box.top) / 2 <= top + 1:
                column = sum(edge <= segment.box.left + 1 for edge in edges) - 1
                cells[min(max(column, 0), len(cells) - 1)].append(segment)
        if any(cells):
            rows.append(cells)
    return rows


def columns_in_order(segments: Sequence[Segment], tables: Sequence[Table] = ()) -> list[list[Segment] | Table]:
    """Returns the text of a page in reading order: bands from the top, in each band column by column.

    Tables part the page into bands.
    """
    if not tables:
        return list(_flows(list(segments)))
    table = max(tables, key=lambda t: t.box.top)
    above = [s for s in segments if s.box.bottom >= table.box.top - 2]
    below = [s for s in segments if s.box.bottom < table.box.top - 2]
    rest = [t for t in tables if t is not table]
    return [*_flows(above), table, *columns_in_order(below, rest)]


def _flows(segments: list[Segment]) -> list[list[Segment]]:
    gutter = _gutter(segments)
    if gutter is None:
        return [segments] if segments else []
    flows: list[list[Segment]] = []
    band: list[Segment] = []
    crossing: list[Segment] = []
    for row in _rows_of(segments):
        crosses = _is_across(row, gutter)
        if crosses and band:
            flows += _sides(band, gutter)
            band = []
        if not crosses and crossing:
            flows.append(crossing)
            crossing = []
        (crossing if crosses else band).extend(row)
    return [*flows, *([crossing] if crossing else []), *(_sides(band, gutter) if band else [])]


def _sides(band: list[Segment], gutter: float) -> list[list[Segment]]:
    rows = _rows_of(band)
    usual = sorted(s.size for s in band)[len(band) // 2]
    end = len(rows)
    # A heading below both columns is short and so looks like one more line of the left one; where text follows
    # it in the band, it is one.
    last_right = max((at for at, row in enumerate(rows) if any(s.box.right > gutter for s in row)), default=0)
    while end > last_right + 1 and min(s.size for s in rows[end - 1]) > 1.1 * usual:
        end -= 1
    inside, below = [s for row in rows[:end] for s in row], [s for row in rows[end:] for s in row]
    left = [s for s in inside if s.box.right <= gutter]
    right = [s for s in inside if s.box.right > gutter]
    if not left or not right:
        return [band]
    return [*_flows(left), *_flows(right), *([below] if below else [])]


def _rows_of(segments: Sequence[Segment]) -> list[list[Segment]]:
    rows: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: -(s.box.bottom + s.box.top)):
        if rows and _on_one_line(rows[-1][0], segment):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return rows


def _gutter(segments: Sequence[Segment]) -> float | None:
    """Returns the x at which most rows have text on both sides and none across, None when few do."""
    if len(segments) < 2 * _FEWEST_ROWS:
        return None
    left, right = min(s.box.left for s in segments), max(s.box.right for s in segments)
    rows = _rows_of(segments)
    best, most, crossing = None, 0, len(rows)
    for step in range(20, 81, 2):
        x = left + (right - left) * step / 100
        count, across = sum(_parted(row, x) for row in rows), sum(_is_across(row, x) for row in rows)
        if (count, -across) > (most, -crossing):
            best, most, crossing = x, count, across
    fewest = (
        2.0 if best is not None and _stands_apart(segments, best) else max(_FEWEST_ROWS, 0.3 * (len(rows) - crossing))
    )
    return best if most >= fewest and most * 2 > crossing else None


def _stands_apart(segments: Sequence[Segment], x: float) -> bool:
    """Tells whether what is right of an x is a column of its own: of prose, from one edge on, and nothing crosses."""
    right = [s for s in segments if s.box.left >= x]
    edge = min((s.box.left for s in right), default=0.0)
    aligned = sum(s.box.left - edge < 3 for s in right) > 0.8 * len(right)
    prose = sum(len(s.text) for s in right) > 20 * len(right)
    return aligned and prose and not _is_across(segments, x)


def _is_across(row: Sequence[Segment], x: float) -> bool:
    return any(s.box.left < x < s.box.right for s in row)


def _parted(row: Sequence[Segment], x: float) -> bool:
    lefts = [s.box.right for s in row if s.box.right <= x]
    rights = [s.box.left for s in row if s.box.left >= x]
    return bool(lefts and rights and not _is_across(row, x) and min(rights) - max(lefts) >= _NARROWEST_GUTTER)
