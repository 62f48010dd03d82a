"""The views of the whole in a real browser: gaps, comparison, timeline, what if."""

from __future__ import annotations

import csv
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from browsing import Watched

pytestmark = pytest.mark.slow

# The address of each view, and what it draws one of for every result.
VIEWS = {
    "compare&theme=theme:finance": "table.matrix tbody .cell",
    "gaps": "table.matrix tbody .cell",
    "timeline": "table.matrix tbody svg circle",
    "whatif&barrier=barrier:piru-firefighting": ".effects li",
}


@pytest.fixture
def watch(browser: Browser, service: str) -> Iterator[Watched]:
    from browsing import watched

    try:
        urllib.request.urlopen(f"{service}/api/gaps", timeout=20).close()
    except urllib.error.HTTPError:
        pytest.skip("the service does not answer /api/gaps")
    with watched(browser, service) as made:
        yield made


def test_a_gap_leads_to_the_passages_of_its_barrier(watch: Watched) -> None:
    page = watch.open("/?view=gaps")
    page.locator("table.matrix button.cell").first.click()
    page.get_by_role("heading", name="Passages of the barrier").wait_for()
    page.locator(".gap figure.passage").first.wait_for()
    watch.look("gaps")
    assert watch.barriers() == []


def test_documents_are_compared_and_a_cell_opens_its_items(watch: Watched) -> None:
    page = watch.open("/?view=compare&theme=theme:finance")
    assert page.get_by_role("combobox", name="Theme").input_value() in {"theme:finance", "Finance"}
    page.locator("table.matrix button.cell").first.click()
    page.locator(".claims a").first.wait_for()
    watch.look("compare")
    assert watch.barriers() == []


def test_the_timeline_opens_the_items_of_a_year(watch: Watched) -> None:
    page = watch.open("/?view=timeline")
    page.locator("button.bubble").first.click()
    page.locator(".claims a").first.wait_for()
    watch.look("timeline")
    assert watch.barriers() == []


def test_what_if_says_what_would_be_free(watch: Watched) -> None:
    page = watch.open("/?view=whatif&barrier=barrier:piru-firefighting")
    page.get_by_text("would be free of barriers").first.wait_for()
    watch.look("whatif")
    assert watch.barriers() == []


def _taken(page: Page, name: str, file: Path) -> Path:
    """Presses a button of the menu of exports and returns the file that came."""
    page.get_by_text("Share and export").click()
    with page.expect_download() as started:
        page.get_by_role("button", name=name).click()
    started.value.save_as(file)
    return file


@pytest.mark.parametrize(("view", "mark"), VIEWS.items(), ids=[view.split("&")[0] for view in VIEWS])
def test_a_view_of_the_whole_is_taken_away_as_rows_as_json_and_as_one_page(
    watch: Watched, tmp_path: Path, view: str, mark: str
) -> None:
    page = watch.open(f"/?view={view}")
    page.locator(mark).first.wait_for()
    rows = list(csv.reader(_taken(page, "CSV", tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()))
    assert len({len(row) for row in rows}) == 1
    held = json.loads(_taken(page, "JSON", tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert len(rows) > len(held["results"]) > 0
    drawn = page.locator(mark).count()
    file = _taken(page, "Web page (one file", tmp_path / "view.html")
    page.context.set_offline(True)
    alone = page.context.new_page()
    asked: list[str] = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(file.as_uri())
    assert alone.locator(mark).count() == drawn > 0
    assert alone.locator("button, script, a[href], blockquote").count() == 0
    assert asked == [file.as_uri()]
    alone.screenshot(path=tmp_path / "view.png")


@pytest.mark.parametrize("view", [view for view in VIEWS if not view.startswith("whatif")])
def test_the_question_behind_a_view_opens_in_the_editor(watch: Watched, view: str) -> None:
    page = watch.open(f"/?view={view}")
    page.locator(VIEWS[view]).first.wait_for()
    page.get_by_text("Share and export").click()
    page.get_by_role("button", name="SPARQL").click()
    page.wait_for_url("**/sparql?edit=*")
    page.locator("table tbody tr").first.wait_for()


def test_quotes_leave_with_a_page_only_when_they_are_asked_for(
    browser: Browser, release_folder: Path, texts_folder: Path, tmp_path: Path
) -> None:
    from browsing import watched

    with (
        running_service("--release", str(release_folder), "--texts", str(texts_folder)) as held,
        watched(browser, held) as watch,
    ):
        page = watch.open("/?view=whatif&barrier=barrier:piru-firefighting")
        page.locator("blockquote").first.wait_for()
        without = _taken(page, "Web page (one file", tmp_path / "without.html").read_text(encoding="utf-8")
        along = _taken(page, "Web page with quotes", tmp_path / "along.html").read_text(encoding="utf-8")
        quote = page.locator("blockquote").first.inner_html()
    assert quote
    assert quote not in without
    assert quote in along
