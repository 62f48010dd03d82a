"""The graph view in JupyterLab, in a real browser with real mouse events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
TURNOVER = "barrier:as2018-leadership-turnover"
PLANNING = "https://w3id.org/policy-evidence/theme/strategic-planning"


def _notebook(*cells: str) -> str:
    made: list[dict[str, object]] = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
        for i, text in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def lab(tmp_path: Path, release_folder: Path, browser: Browser) -> Iterator[str]:
    """The address of a JupyterLab with one notebook in it."""
    pytest.importorskip("jupyterlab")
    pytest.importorskip("anywidget")
    from browsing import running_notebooks

    opening = f"import kg\ng = kg.open({str(release_folder)!r})\nview = g.explore({TURNOVER!r})\nview"
    (tmp_path / "x.ipynb").write_text(_notebook(opening, "print('chosen', view.selected)"))
    options = ["--no-browser", "--allow-root", "--ServerApp.port={port}", "--IdentityProvider.token="]
    options += [f"--ServerApp.root_dir={tmp_path}", "--LabApp.extension_manager=readonly", "--LabApp.news_url=None"]
    with running_notebooks("jupyterlab", *options, health="/api/status") as address:
        yield address


def test_a_view_draws_expands_by_double_click_and_gives_its_selection_back(browser: Browser, lab: str) -> None:
    from browsing import watched

    with watched(browser, lab, complaints=False) as watch:
        page = watch.open("/lab/tree/x.ipynb")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.locator(".jp-Cell").first.click()
        page.keyboard.press("Shift+Enter")
        watch.settled()
        before = watch.drawn
        assert before > 5
        page.mouse.dblclick(*watch.place(PLANNING))
        watch.more_than(before)
        page.locator(".jp-OutputArea div[class^='kg-still-']").wait_for(state="hidden")
        watch.look("jupyterlab")
        page.get_by_text("print(", exact=False).first.click()
        page.keyboard.press("Shift+Enter")
        said = page.locator(".jp-OutputArea-output", has_text="chosen")
        said.wait_for()
        assert PLANNING in said.inner_text()
