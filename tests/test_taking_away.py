"""Every view is taken away in every form: query, rows, JSON, pictures, and a page that works offline."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from lxml import etree

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from browsing import Watched

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class View:
    """A view: its address, the mark by which one sees that it is there, and words that its picture must have."""

    address: str
    mark: str
    words: str


GRAPH = "canvas.picture[data-at-rest='true']:not([data-drawn='0'])"
TURNOVER = "https://w3id.org/policy-evidence/id/barrier/as2018-leadership-turnover"
PLANNING = "https://w3id.org/policy-evidence/theme/strategic-planning"
QUERY = "SELECT ?theme (COUNT(?b) AS ?barriers) { ?b pev:blocks ?theme } GROUP BY ?theme ORDER BY DESC(?barriers)"
VIEWS = {
    "search": View("/?q=strategic planing", "ul.results li", "Strategic planning"),
    "entity": View("/?view=entity&entity=theme:strategic-planning", GRAPH, "Strategic planning"),
    "connect": View("/?view=connect&from=COSLA&to=Distrust between professions", GRAPH, "Collaborative working"),
    "graph": View(f"/?view=graph&nodes={TURNOVER},{PLANNING}", GRAPH, "Strategic planning"),
    "question": View("/?view=question&name=barriers-blocking-theme&theme=theme:finance", "table.rows tr", "pressure"),
    "compare": View("/?view=compare&theme=theme:finance", "table.matrix tbody .cell", "Recommendation"),
    "gaps": View("/?view=gaps", "table.matrix tbody .cell", "evidence, but no answer"),
    "timeline": View("/?view=timeline", "table.matrix tbody svg circle", "Governance and accountability"),
    "whatif": View("/?view=whatif&barrier=barrier:piru-firefighting", ".effects li", "would be free of barriers"),
    "sparql": View("/sparql?" + urlencode({"edit": QUERY}), "table.rows tbody tr", "Strategic planning"),
}  # fmt: skip


@pytest.fixture
def watch(browser: Browser, service: str) -> Iterator[Watched]:
    from browsing import watched

    with watched(browser, service) as made:
        yield made


def _taken(page: Page, name: str, file: Path) -> bytes:
    """Presses a button of the menu of exports and returns the content of the file that came."""
    page.get_by_text("Share and export").click()
    with page.expect_download() as started:
        page.get_by_role("button", name=name, exact=name.isupper()).click()
    started.value.save_as(file)
    return file.read_bytes()


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_view_is_taken_away_in_every_form(watch: Watched, tmp_path: Path, view: View) -> None:
    page = watch.open(view.address)
    page.locator(view.mark).first.wait_for()
    drawn = page.locator(view.mark).count()
    _rows_are_whole(_taken(page, "CSV", tmp_path / "rows.csv"))
    assert json.loads(_taken(page, "JSON", tmp_path / "answer.json"))
    _picture_says(_taken(page, "SVG", tmp_path / "picture.svg"), view.words)
    _taken(page, "PNG", tmp_path / "picture.png")
    _is_no_blank_sheet(tmp_path / "picture.png")
    _taken(page, "Web page (one file", tmp_path / "page.html")
    _is_there_without_a_network(page, tmp_path / "page.html", view.mark, drawn)
    if "/sparql" not in view.address:
        page.get_by_text("Share and export").click()
        page.get_by_role("button", name="SPARQL").click()
        page.wait_for_url("**/sparql?edit=*")
        page.get_by_role("tab", name="Table").click()
        page.locator("table.rows tbody tr").first.wait_for()


def _rows_are_whole(content: bytes) -> None:
    rows = list(csv.reader(content.decode().splitlines()))
    assert len(rows) > 1 and len({len(row) for row in rows}) == 1


def _picture_says(content: bytes, words: str) -> None:
    """The picture is an SVG document for any program: text that says so, and nothing of a page in it."""
    root = etree.fromstring(content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    lines = [" ".join(" ".join(text.itertext()).split()) for text in root.iter("{*}text")]
    assert words in " ".join(lines)
    assert root.find(".//{*}foreignObject") is None
    for rect in root.iter("{*}rect"):
        assert rect.get("width", "").endswith("%") or float(rect.get("width", "0")) <= float(root.get("width", "0"))


def _is_no_blank_sheet(file: Path) -> None:
    image = pytest.importorskip("matplotlib.image").imread(file)
    height, width = image.shape[:2]
    assert width > 300 and height > 150
    colours = {tuple(pixel) for pixel in image[::7, ::7].reshape(-1, image.shape[2]).round(1).tolist()}
    assert len(colours) > 3


def _is_there_without_a_network(page: Page, file: Path, mark: str, drawn: int) -> None:
    page.context.set_offline(True)
    alone = page.context.new_page()
    asked: list[str] = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(file.as_uri())
    alone.locator(mark).first.wait_for()
    assert alone.locator(mark).count() == drawn > 0
    if mark != GRAPH:
        assert alone.locator("button, script, a[href], blockquote").count() == 0
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    alone.close()
    page.context.set_offline(False)


def test_quotes_leave_with_a_page_only_when_they_are_asked_for(browser: Browser, held: str, tmp_path: Path) -> None:
    from browsing import watched

    with watched(browser, held) as watch:
        page = watch.open("/?view=whatif&barrier=barrier:piru-firefighting")
        page.locator("blockquote").first.wait_for()
        quote = page.locator("blockquote").first.inner_text().split()
        without = _taken(page, "Web page (one file", tmp_path / "without.html").decode()
        along = _taken(page, "Web page with quotes", tmp_path / "along.html").decode()
        picture = etree.fromstring(_taken(page, "SVG", tmp_path / "picture.svg"))
    assert len(quote) > 3
    drawn = " ".join(text for text in picture.itertext() if text.strip())
    assert [" ".join(quote) in " ".join(taken.split()) for taken in (without, along, drawn)] == [False, True, False]


def test_a_query_too_long_for_an_address_is_brought_back_by_it_all_the_same(watch: Watched) -> None:
    query = f"SELECT (1 AS ?one) {{}} # {'very long ' * 900}"
    page = watch.open("/sparql")
    page.evaluate("text => { location.hash = new URLSearchParams({edit: text}) }", query)
    with page.expect_request(lambda asked: asked.method == "POST") as sent:
        page.reload()
    assert sent.value.post_data == query
    page.get_by_role("cell", name="1").wait_for()
