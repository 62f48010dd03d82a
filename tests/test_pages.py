"""The pages for people: they list what can be asked, and show text as text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from conftest import application
from kg.answers import Answers
from kg.release.build import build
from kg.release.opened import open_release
from kg.workspace import Settings, init_workspace

LABEL = 'Tea & <b onmouseover="alert(1)">cake</b> “5 o\'clock”'
SNEAKY = f"""
@prefix agent: <https://w3id.org/policy-evidence/id/agent/> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

agent:sneaky a org:Organization ; rdfs:label '''{LABEL}'''@en .
"""
SNEAKY_QUESTION = """#+ summary: Is <i>this</i> & that "so"?
#+ column label: text
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?label WHERE { ?thing rdfs:label ?label . FILTER(?label < "</pre><script>") }
"""


class _Page(HTMLParser):
    """Reads a page as a browser does: its tags, its links, its fields and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.fields: dict[str, str] = {}
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "script" and found.get("src", "").startswith("/static/app/"):
            return  # the explorer's own script; there is one where the front end is built
        self.tags.append(tag)
        self.attributes |= set(found)
        if tag == "a":
            self.links.append(found["href"])
        if tag == "input":
            self.fields[found["name"]] = found.get("value", "")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def client(answers: Answers) -> Iterator[TestClient]:
    with TestClient(application(answers.opened, answers.settings)) as opened:
        yield opened


@pytest.fixture(scope="module")
def sneaky(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[TestClient]:
    """A service over a graph and a question whose words are full of HTML."""
    folder = tmp_path_factory.mktemp("sneaky")
    workspace = init_workspace(folder / "workspace")
    (workspace.root / "graph" / "entities.ttl").write_text(SNEAKY, encoding="utf-8")
    (workspace.root / "queries" / "sneaky.rq").write_text(SNEAKY_QUESTION, encoding="utf-8")
    release = open_release(build(workspace, settings, folder / "release", check="none").directory.root)
    with TestClient(application(release, settings)) as opened:
        yield opened
    release.close()


def test_the_start_page_lists_every_question_with_its_summary(client: TestClient, answers: Answers) -> None:
    response = client.get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    page = _Page(response.text)
    for question in answers.questions():
        assert (question.summary or "") in page.text
        assert [link for link in page.links if re.fullmatch(rf"/api/queries/{question.name}(\?.*)?", link)], (
            question.name
        )


def test_every_link_of_the_start_page_leads_somewhere(client: TestClient) -> None:
    for link in _Page(client.get("/?q=finance").text).links:
        assert link.startswith("/"), link
        assert client.get(link).status_code == 200, link


def test_every_question_is_linked_with_an_example_that_has_an_answer(client: TestClient) -> None:
    for link in _Page(client.get("/").text).links:
        if link.startswith("/api/queries/"):
            assert client.get(link).json()["results"], link


def test_a_page_names_the_release_it_shows(client: TestClient, answers: Answers) -> None:
    assert answers.release_id[:12] in client.get("/").text


def test_a_search_links_what_it_finds_to_its_description(client: TestClient) -> None:
    page = _Page(client.get("/", params={"q": "Audit Scotland"}).text)
    (first, *_) = [link for link in page.links if link.startswith("/api/describe")]
    assert client.get(first).json()["curie"] == "agent:audit-scotland"
    assert page.fields["q"] == "Audit Scotland"


def test_a_search_that_finds_nothing_says_so(client: TestClient) -> None:
    assert "0 found" in client.get("/", params={"q": "xyzzyxq"}).text


def test_an_empty_search_is_the_plain_start_page(client: TestClient) -> None:
    assert client.get("/", params={"q": "  "}).status_code == 200
    assert " found for " not in client.get("/", params={"q": "  "}).text


@pytest.mark.parametrize(
    "words",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'; --", "a & b &lt;", "\u202e\0", "é" * 500],
)
def test_what_was_searched_for_is_shown_as_text(client: TestClient, words: str) -> None:
    response = client.get("/", params={"q": words})
    assert response.status_code == 200
    page = _Page(response.text)
    assert page.fields["q"] == words.replace("\0", "\ufffd") or page.fields["q"] == words
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on")]


def test_labels_are_shown_as_text(sneaky: TestClient) -> None:
    page = _Page(sneaky.get("/", params={"q": "cake"}).text)
    assert LABEL in page.text
    assert not {"b", "script"} & set(page.tags)
    assert "onmouseover" not in page.attributes


def test_summaries_and_queries_are_shown_as_text(sneaky: TestClient) -> None:
    start = _Page(sneaky.get("/").text)
    editor = _Page(sneaky.get("/sparql", headers={"Accept": "text/html"}).text)
    for page in (start, editor):
        assert 'Is <i>this</i> & that "so"?' in page.text
        assert not {"i", "script"} & set(page.tags)
    assert SNEAKY_QUESTION.strip() in editor.text


def test_the_form_of_the_endpoint_shows_every_question_as_an_example(client: TestClient, answers: Answers) -> None:
    page = client.get("/sparql", headers={"Accept": "text/html"}).text
    for question in answers.questions():
        assert (question.summary or "") in _Page(page).text
    assert page.count("<pre>") == len(answers.questions())


def test_the_form_of_the_endpoint_sends_a_query_that_is_answered(client: TestClient) -> None:
    page = client.get("/sparql", headers={"Accept": "text/html"}).text
    example = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert example
    response = client.get("/sparql", params={"query": html.unescape(example[1])})
    assert response.json()["results"]["bindings"]


def test_pages_have_what_readers_of_all_kinds_need(client: TestClient) -> None:
    for path in ("/", "/sparql"):
        page = client.get(path, headers={"Accept": "text/html"}).text
        assert '<html lang="en">' in page
        assert "<title>" in page
        assert 'name="viewport"' in page
        for name in re.findall(r'<(?:input|textarea)[^>]* id="(\w+)"|<(?:input|textarea) id="(\w+)"', page):
            assert f'<label for="{"".join(name)}"' in page


def test_the_style_sheet_is_served_and_nothing_outside_its_folder(client: TestClient) -> None:
    response = client.get("/static/pages.css")
    assert response.headers["content-type"].startswith("text/css")
    assert "@import" not in response.text
    assert client.get("/static/%2e%2e/app.py").status_code == 404
    assert client.get("/static/..%2f..%2f..%2f..%2ftests%2ftest_pages.py").status_code == 404
