"""The views of the whole in a real browser: gaps, comparison, timeline, what if."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from browsing import Watched

pytestmark = pytest.mark.slow


@pytest.fixture
def watch(browser: Browser, service: str) -> Iterator[Watched]:
    from browsing import watched

    with watched(browser, service) as made:
        yield made


def test_a_gap_leads_to_the_passages_of_its_barrier(watch: Watched) -> None:
    page = watch.open("/?view=gaps")
    page.locator("table.matrix button.cell").first.click()
    page.get_by_role("heading", name="Passages of the barrier").wait_for()
    page.locator(".gap figure.passage").first.wait_for()
    opened = page.locator(".gap h2")
    words = opened.inner_text()
    assert opened.evaluate("it => it.getBoundingClientRect().bottom < innerHeight"), "it is brought into sight"
    watch.look("gaps")
    assert watch.barriers() == []
    page.reload()
    opened.wait_for()
    assert opened.inner_text() == words
    page.locator("table.matrix button.cell[aria-pressed='true']").wait_for()


def test_documents_are_compared_and_a_cell_opens_its_items(watch: Watched) -> None:
    page = watch.open("/?view=compare")
    page.get_by_role("link", name="Finance", exact=True).click()
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
    page.reload()
    page.locator(".claims a").first.wait_for()


def test_what_if_says_what_would_be_free(watch: Watched) -> None:
    page = watch.open("/?view=whatif")
    page.get_by_role("link", name="Staff too stretched").click()
    page.get_by_text("would be free of barriers").first.wait_for()
    watch.look("whatif")
    assert watch.barriers() == []
