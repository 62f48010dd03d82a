"""The views of the whole in a real browser: gaps, comparison, timeline, what if."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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
