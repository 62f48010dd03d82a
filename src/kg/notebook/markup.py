"""HTML that looks alike wherever a notebook is shown."""

from __future__ import annotations

from collections.abc import Iterable

# Some programs leave tables without room between their columns.
_STYLE = "<style>.kg-table th, .kg-table td { padding: 0.3em 0.75em; text-align: left; vertical-align: top }</style>"


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a table of cells that are HTML already; without columns it has no head."""
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f'{_STYLE}<table class="kg-table">{top}<tbody>{body}</tbody></table>'
