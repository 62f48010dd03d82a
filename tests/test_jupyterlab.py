"""The graph view in JupyterLab, in a real browser with real mouse events."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
PATIENCE_MS = 40_000
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
def lab(tmp_path: Path, release_folder: Path) -> Iterator[str]:
    """The address of a JupyterLab with one notebook in it."""
    pytest.importorskip("jupyterlab")
    pytest.importorskip("anywidget")
    opening = f"import kg\ng = kg.open({str(release_folder)!r})\nview = g.explore({TURNOVER!r})\nview"
    (tmp_path / "x.ipynb").write_text(_notebook(opening, "print('chosen', view.selected)"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}"]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}", "--LabApp.extension_manager=readonly"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/api/status")
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_for(address: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    pytest.fail("JupyterLab did not start")


def test_a_view_draws_expands_by_double_click_and_gives_its_selection_back(browser: Browser, lab: str) -> None:
    from browsing import SCREENSHOTS

    context = browser.new_context(viewport={"width": 1440, "height": 1100})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{lab}/lab/tree/x.ipynb")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.locator(".jp-Cell").first.click()
    page.keyboard.press("Shift+Enter")
    canvas = page.locator("canvas.picture[data-at-rest='true']")
    canvas.wait_for()
    before = int(canvas.get_attribute("data-drawn") or 0)
    assert before > 5
    find = """name => {
        let at = document.querySelector('canvas.picture');
        const box = at.getBoundingClientRect();
        while (!at.graphPicture) at = at.parentElement;
        const place = at.graphPicture.place(name);
        return [box.x + place.x, box.y + place.y];
    }"""
    page.mouse.dblclick(*page.evaluate(find, PLANNING))
    page.wait_for_function(f"() => Number(document.querySelector('canvas.picture').dataset.drawn) > {before}")
    canvas.wait_for()
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "jupyterlab.png")
    page.get_by_text("print(", exact=False).first.click()
    page.keyboard.press("Shift+Enter")
    said = page.locator(".jp-OutputArea-output", has_text="chosen")
    said.wait_for()
    assert PLANNING in said.inner_text()
    context.close()
