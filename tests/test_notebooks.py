"""The notebooks run as they stand, hold no outputs, and show their pictures where nothing runs."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
pytest.importorskip("nbclient")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_outputs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert any(cell["cell_type"] == "code" for cell in cells)
    assert all(cell.get("outputs", []) == [] and cell.get("execution_count") is None for cell in cells)


@pytest.mark.slow
def test_the_notebooks_run() -> None:
    pytest.importorskip("nbmake")
    command = [sys.executable, "-m", "pytest", "--nbmake", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *map(str, NOTEBOOKS)], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:]
    assert f"{len(NOTEBOOKS)} passed" in done.stdout


@pytest.mark.slow
def test_a_notebook_as_a_page_shows_the_picture(tmp_path: Path) -> None:
    pytest.importorskip("nbconvert")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute"]
    # The state of widgets would be drawn by a script of another server; without it the picture stands.
    command += ["--ExecutePreprocessor.store_widget_state=False", "--output-dir", str(tmp_path)]
    notebook = ROOT / "notebooks" / "bring-your-own-report.ipynb"
    done = subprocess.run([*command, str(notebook)], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    page = (tmp_path / "bring-your-own-report.html").read_text(encoding="utf-8")
    pictures = [
        base64.b64decode(found).decode() for found in re.findall(r"data:image/svg\+xml;base64,([\w+/=\s]+)", page)
    ]
    assert any("Harbour office" in picture for picture in pictures + re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert "application/vnd.jupyter.widget-view+json" not in page
