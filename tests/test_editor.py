"""The SPARQL editor in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from conftest import running_service

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from browsing import Watched

pytestmark = pytest.mark.slow

COUNTS = (
    "SELECT ?theme (COUNT(?b) AS ?barriers) WHERE { ?b pev:blocks ?theme } GROUP BY ?theme ORDER BY DESC(?barriers)"
)


@pytest.fixture
def watch(browser: Browser, service: str) -> Iterator[Watched]:
    from browsing import watched

    with watched(browser, service) as made:
        yield made


def _write(page: Page, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def test_an_example_is_run_and_things_are_called_by_their_labels(watch: Watched) -> None:
    page = watch.open("/sparql")
    page.get_by_label("Examples").select_option(label=_summary(page, "blocked by a barrier", "Barriers that block"))
    page.get_by_role("table").wait_for()
    page.get_by_role("status").filter(has_text="rows in").wait_for()
    assert page.locator("table.rows tbody a").first.inner_text().strip()
    watch.look("sparql-table")


def _summary(page: Page, *parts: str) -> str:
    page.get_by_label("Examples").wait_for()
    options = page.get_by_label("Examples").locator("option").all_inner_texts()
    return next((text for text in options if any(part in text for part in parts)), options[3])


def test_prefixes_terms_and_things_are_completed(watch: Watched) -> None:
    page = watch.open("/sparql")
    _write(page, "SELECT ?b WHERE { ?b pev:bloc")
    page.locator(".cm-tooltip-autocomplete li").filter(has_text="pev:blocks").first.click()
    assert "pev:blocks" in page.locator(".cm-content").inner_text()
    page.keyboard.type(" strategic")
    thing = page.locator(".cm-tooltip-autocomplete li").filter(has_text="Strategic planning").first
    thing.wait_for()
    watch.look("sparql-completion")
    thing.click()
    assert "theme:strategic-planning" in page.locator(".cm-content").inner_text()


def test_an_error_is_underlined_at_its_place(watch: Watched) -> None:
    page = watch.open("/sparql")
    _write(page, "SELECT ?b WHERE {{ ?b pev:blocks }")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.get_by_role("alert").wait_for()
    assert "line 1" in page.get_by_role("alert").inner_text().lower()
    page.locator(".cm-lintRange-error").wait_for()
    watch.look("sparql-error")
    _write(page, "SELECT ?b WHERE { ?b a pev:Barrier }")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.get_by_role("table").wait_for()
    page.locator(".cm-lintRange-error").first.wait_for(state="detached")


def test_a_result_is_a_chart_and_a_graph_and_its_address_brings_it_back(watch: Watched) -> None:
    page = watch.open("/sparql?" + urlencode({"edit": COUNTS}))
    page.get_by_role("tab", name="Chart").click()
    page.locator(".bars rect").nth(3).wait_for()
    watch.look("sparql-chart")
    page.get_by_role("tab", name="Graph").click()
    watch.settled()
    assert int(page.locator("canvas.picture").get_attribute("data-drawn") or 0) > 3
    assert parse_qs(urlsplit(page.url).query)["edit"] == [COUNTS]


def test_constructed_triples_are_drawn(watch: Watched) -> None:
    query = "CONSTRUCT { ?b pev:blocks ?t } WHERE { ?b pev:blocks ?t }"
    page = watch.open("/sparql?" + urlencode({"edit": query}))
    page.get_by_role("tab", name="Graph").wait_for()
    watch.settled()
    assert int(page.locator("canvas.picture").get_attribute("data-drawn") or 0) > 5
    watch.look("sparql-graph")


def test_a_truth_is_said_and_a_limit_is_named(watch: Watched) -> None:
    page = watch.open("/sparql?" + urlencode({"edit": "ASK { ?b pev:blocks ?t }"}))
    page.get_by_text("Yes", exact=True).wait_for()
    _write(page, "ASK " + "{" * 150 + "}" * 150)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.get_by_role("alert").wait_for()
    assert "KG_MAX_NESTING" in page.get_by_role("alert").inner_text()


def test_the_editor_works_on_a_plain_dataset_too(browser: Browser, tmp_path: Path) -> None:
    from browsing import watched

    with running_service("--scratch", str(tmp_path / "scratch")) as address, watched(browser, address) as watch:
        page = watch.open("/sparql?" + urlencode({"edit": "SELECT (1 + 1 AS ?two) {}"}))
        page.get_by_role("cell", name="2").wait_for()


def test_nothing_serious_stands_in_the_way_of_people_with_disabilities(watch: Watched) -> None:
    page = watch.open("/sparql?" + urlencode({"edit": COUNTS}))
    page.get_by_role("table").wait_for()
    assert watch.barriers() == []
