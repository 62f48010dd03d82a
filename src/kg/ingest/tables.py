"""What the cells of a table are, by the headers of its columns or the labels of its rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kg.ingest.blocks import Block
from kg.ingest.choices import LISTED, beginning_of
from kg.ingest.labels import Kind, label_of, role_of


@dataclass(frozen=True)
class Item:
    """A cell that is an item: where its words begin, and what other cells of its row say of it."""

    cell: Block
    kind: Kind
    start: int
    hints: dict[str, str] | None


def items_of_table(cells: Sequence[Block], words: Callable[[Block], str], section: Kind | None) -> Iterator[Item]:
    """Yields the cells that are items.

    Args:
        cells: of one table.
        words: tells the words of a cell.
        section: what the section around the table holds.
    """
    rows: dict[int, list[Block]] = {}
    for cell in cells:
        rows.setdefault(cell.row or 0, []).append(cell)
    headers = {cell.column for cell in cells if cell.column}
    # Where every row begins with a label, the rows are labelled and not the columns.
    by_row = all(label_of(words(row[0])) for row in rows.values())
    known = not by_row and any(label_of(h) or role_of(h) for h in headers)
    for number, row in sorted(rows.items()):
        if number > 0 or not known:
            yield from _row(row, words, section, known)


def _row(row: Sequence[Block], words: Callable[[Block], str], section: Kind | None, known: bool) -> Iterator[Item]:
    hints = {str(role): words(c) for c in row if c.column and (role := role_of(c.column)) is not None}
    label_cell = None if known else label_of(words(row[0]))
    for cell in row:
        kind = label_of(cell.column or "") if known else label_cell if cell is not row[0] else None
        if kind is None and not known and section is not None and len(words(cell).split()) > 6:
            kind = section
        if kind in LISTED and role_of(cell.column or "") is None:
            start = beginning_of(words(cell))
            told = words(cell)[start:]
            if len(told.split()) >= 2 and not re.fullmatch(r"[\d\W]+", told):
                yield Item(cell, kind, start, hints or None)
