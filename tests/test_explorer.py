"""The explorer in a real browser: from a word with a typing error to a picture that can be sent on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from browsing import Watched

pytestmark = pytest.mark.slow

COSLA = "https://w3id.org/policy-evidence/id/agent/cosla"
TURNOVER = "https://w3id.org/policy-evidence/id/barrier/as2018-leadership-turnover"
PLANNING = "https://w3id.org/policy-evidence/theme/strategic-planning"
BLOCKS = "https://w3id.org/policy-evidence/ns#blocks"
MOST_FIRST_PAGE_BYTES = 300_000


@pytest.fixture
def watch(browser: Browser, service: str) -> Iterator[Watched]:
    from browsing import watched

    with watched(browser, service) as made:
        yield made


def test_a_word_with_a_typing_error_leads_to_a_page_that_says_who_says_it(watch: Watched) -> None:
    page = watch.open("/")
    page.get_by_role("combobox", name="Find a body").fill("strategic planing")
    watch.look("home")
    page.get_by_role("option").filter(has_text="Strategic planning").first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="found for").wait_for()
    watch.look("search")
    page.get_by_role("link", name="Strategic planning", exact=True).first.click()
    page.get_by_role("heading", level=1, name="Strategic planning").wait_for()
    watch.settled()
    watch.look("entity")
    page.get_by_role("link", name="High turnover in leadership teams").first.wait_for()


def test_a_thing_is_expanded_by_menu_undone_and_found_again_after_loading_anew(watch: Watched) -> None:
    page = watch.open("/?view=entity&entity=theme:strategic-planning")
    watch.settled()
    before = int(page.locator("canvas.picture").get_attribute("data-drawn") or 0)
    page.mouse.click(*watch.place(TURNOVER))
    menu = page.get_by_role("list", name="Expand").get_by_role("button")
    row = menu.filter(has_text="place →")
    assert row.locator(".count").inner_text() == "1"
    row.click()
    page.wait_for_function(f"() => Number(document.querySelector('canvas').dataset.drawn) > {before}")
    watch.settled()
    after = page.locator("canvas.picture").get_attribute("data-drawn")
    page.reload()
    watch.settled(int(after or 0))
    page.get_by_role("button", name="Undo").click()
    watch.settled(before)
    page.get_by_role("button", name="Redo").click()
    watch.settled(int(after or 0))


def test_a_double_click_opens_a_thing_and_a_key_closes_it(watch: Watched) -> None:
    page = watch.open("/?view=graph&nodes=" + TURNOVER)
    watch.settled(1)
    page.mouse.dblclick(*watch.place(TURNOVER))
    page.wait_for_function("() => Number(document.querySelector('canvas').dataset.drawn) > 5")
    watch.settled()
    watch.look("graph")
    page.locator("canvas.picture").press("c")
    watch.settled(1)


def test_everything_can_be_done_with_the_keyboard_and_is_said_in_the_list(watch: Watched) -> None:
    page = watch.open("/?view=graph&nodes=" + TURNOVER)
    watch.settled(1)
    canvas = page.locator("canvas.picture")
    canvas.press("ArrowRight")
    page.get_by_role("status").get_by_text("High turnover in leadership teams", exact=True).wait_for()
    canvas.press("Enter")
    page.wait_for_function("() => document.activeElement.closest('.relations') !== null")
    page.keyboard.press("Enter")
    page.wait_for_function("() => Number(document.querySelector('canvas').dataset.drawn) > 1")
    page.get_by_role("tab", name="List").click()
    listed = page.get_by_label("What is drawn, as a list")
    listed.get_by_role("button", name="High turnover").click()
    listed.locator(".nested button").first.wait_for()
    watch.look("list")


def test_a_link_shows_who_says_it_the_passage_and_the_quote(browser: Browser, held: str) -> None:
    from browsing import watched

    with watched(browser, held) as watch:
        page = watch.open(f"/?view=graph&nodes={TURNOVER},{PLANNING}")
        watch.settled(2)
        page.mouse.click(*watch.place(f"{TURNOVER} {BLOCKS} {PLANNING}", "linkPlace"))
        page.get_by_text("Audit Scotland says that high turnover in leadership teams blocks").wait_for()
        assert page.locator("blockquote").first.inner_text().strip()
        page.get_by_text("Stated in").wait_for()
        watch.look("link")


def test_two_things_are_connected_and_a_hop_shows_its_passage(browser: Browser, held: str) -> None:
    from browsing import watched

    with watched(browser, held) as watch:
        page = watch.open("/?view=connect")
        page.get_by_role("combobox", name="From").fill("COSLA")
        page.get_by_role("option").first.wait_for()
        page.get_by_role("combobox", name="From").press("Escape")
        page.get_by_role("combobox", name="To").fill("Distrust between professions")
        page.get_by_role("button", name="Connect").click()
        page.get_by_role("heading", name="best paths").wait_for()
        watch.settled()
        assert page.get_by_role("option").filter(visible=True).count() == 0
        watch.look("connect")
        page.locator(".hop summary").first.click()
        assert page.locator(".hop blockquote").first.inner_text().strip()
        page.get_by_role("button", name="3 hops").first.click()
        watch.settled(4)
        assert parse_qs(urlsplit(page.url).query)["path"] == ["1"]
        address = page.url
        page.goto(address)
        watch.settled(4)
        watch.look("connect-one")


@pytest.mark.parametrize("waits", [True, False], ids=["open", "still looking"])
@pytest.mark.parametrize("how", ["Enter", "Escape", "Tab", "Connect", "choice"])
def test_the_list_of_suggestions_closes_and_stays_closed(watch: Watched, how: str, waits: bool) -> None:
    page = watch.open("/?view=connect")
    field = page.get_by_role("combobox", name="To")
    field.fill("Distrust")
    if waits or how == "choice":
        page.get_by_role("option").first.wait_for()
    if how == "choice":
        page.get_by_role("option").first.click()
    elif how == "Connect":
        page.get_by_role("button", name="Connect").click()
    else:
        field.press(how)
    # Longer than the field waits before it looks.
    watch.quiet(300)
    assert page.get_by_role("option").filter(visible=True).count() == 0
    assert field.get_attribute("aria-expanded") == "false"


def test_what_is_not_connected_says_why(watch: Watched) -> None:
    asked = "from=COSLA&to=Distrust between professions&max_hops=2&basis=reference"
    page = watch.open(f"/?view=connect&{asked}")
    page.get_by_role("heading", name="No connection").wait_for()
    answer = page.request.get(f"{watch.service}/api/connections?{asked}").json()
    page.get_by_text(answer["why_none"]["reason"]).wait_for()


def test_a_question_is_a_form_whose_address_brings_the_answer_back(watch: Watched) -> None:
    page = watch.open("/")
    page.locator(".questions a[href*='name=barriers-blocking-theme']").click()
    field = page.get_by_role("combobox", name="theme")
    field.wait_for()
    # The form is drawn anew when what it asks for has come; one that is filled meanwhile may have the text twice.
    watch.quiet(300)
    field.fill("Strategic planning")
    page.get_by_role("option").first.wait_for()
    field.press("Escape")
    assert field.input_value() == "Strategic planning"
    page.get_by_role("button", name="Ask").click()
    page.get_by_role("heading", name="rows").wait_for()
    watch.look("question")
    rows = page.locator("table.rows tbody tr").count()
    page.reload()
    page.get_by_role("heading", name="rows").wait_for()
    assert page.locator("table.rows tbody tr").count() == rows > 0


def test_a_name_that_is_not_in_the_graph_names_the_nearest(watch: Watched) -> None:
    page = watch.open("/?view=entity&entity=Strategic planing")
    page.get_by_role("alert").get_by_role("link", name="Strategic planning").first.click()
    page.get_by_role("heading", level=1, name="Strategic planning").wait_for()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?q=planning",
        "/?view=entity&entity=theme:strategic-planning",
        "/?view=connect&from=COSLA&to=Distrust between professions",
        "/?view=question&name=barriers-blocking-theme&theme=theme:finance",
    ],
)
def test_nothing_serious_stands_in_the_way_of_people_with_disabilities(watch: Watched, path: str) -> None:
    page = watch.open(path)
    page.locator("h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert watch.barriers() == []


@pytest.mark.parametrize(
    "path",
    [
        "/?q=planning",
        "/?view=entity&entity=barrier:as2018-leadership-turnover",
        "/?view=compare&theme=theme:finance",
        "/?view=gaps",
        "/sparql?edit=SELECT * { ?barrier pev:blocks ?theme }",
    ],
)
def test_in_a_narrow_window_nothing_sticks_out(watch: Watched, path: str) -> None:
    watch.page.set_viewport_size({"width": 400, "height": 800})
    page = watch.open(path)
    page.get_by_text("Share and export").click()
    menu = page.locator(".menu-body").bounding_box()
    assert menu and menu["x"] >= 0 and menu["x"] + menu["width"] <= 400
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_first_page_is_light(watch: Watched) -> None:
    sizes: dict[str, int] = {}
    watch.page.on("response", lambda answer: sizes.update({answer.url: len(gzip.compress(answer.body()))}))
    page = watch.open("/")
    page.get_by_role("heading", name="Questions").wait_for()
    page.wait_for_load_state("networkidle")
    assert len(sizes) > 3
    assert sum(sizes.values()) < MOST_FIRST_PAGE_BYTES, sizes


def test_the_explorer_names_the_release_it_shows(watch: Watched, release_folder: Path) -> None:
    page = watch.open("/")
    shown = page.locator(".release-note code").inner_text()
    assert json.loads((release_folder / "manifest.json").read_text())["release"].startswith(shown)
