"""The graph view in marimo, in a real browser with real mouse events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
TURNOVER = "barrier:as2018-leadership-turnover"
PLANNING = "https://w3id.org/policy-evidence/theme/strategic-planning"
_NOTEBOOK = f"""
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import kg

    view = mo.ui.anywidget(kg.open({{release!r}}).explore({TURNOVER!r}))
    view
    return mo, view


@app.cell
def _(mo, view):
    mo.md(f"chosen: {{{{' '.join(view.selected)}}}}")
    return
"""


@pytest.fixture
def notebook(tmp_path: Path, release_folder: Path, browser: Browser) -> Iterator[str]:
    """The address of a notebook that marimo runs."""
    pytest.importorskip("marimo")
    pytest.importorskip("anywidget")
    from browsing import running_notebooks

    file = tmp_path / "x.py"
    file.write_text(_NOTEBOOK.format(release=str(release_folder)), encoding="utf-8")
    with running_notebooks(
        "marimo", "run", str(file), "--headless", "--no-token", "--port={port}", health="/health"
    ) as address:
        yield address


def test_a_view_draws_expands_and_gives_its_selection_to_the_cells_that_use_it(browser: Browser, notebook: str) -> None:
    from browsing import watched

    with watched(browser, notebook, complaints=False) as watch:
        page = watch.open("/")
        watch.settled()
        before = watch.drawn
        assert before > 5
        page.mouse.dblclick(*watch.place(PLANNING))
        watch.more_than(before)
        page.get_by_text(f"chosen: {PLANNING}").wait_for()
        watch.look("marimo")
