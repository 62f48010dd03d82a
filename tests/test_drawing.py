"""Graphs to look at: drawings, pages of their own, and the view of a notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.formatters import format_display_data
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import kg
from kg.errors import BadSparql, UnknownName
from kg.notebook import Graph
from kg.notebook.drawing import Drawing
from kg.notebook.progress import progress_shown
from kg.notebook.view import View

BARRIER = "https://w3id.org/policy-evidence/id/barrier/as2018-data-sharing"
THEME = "https://w3id.org/policy-evidence/theme/strategic-planning"
BLOCKS = "https://w3id.org/policy-evidence/ns#blocks"


@pytest.fixture(scope="module")
def graph(release_folder: Path) -> Iterator[Graph]:
    opened = kg.open(release_folder)
    yield opened
    opened.close()


@pytest.fixture
def view(graph: Graph, built_front_end: None) -> Iterator[View]:
    shown = graph.explore("COSLA", limit=5)
    assert isinstance(shown, View)
    yield shown
    shown.close()


def test_a_thing_is_explored_with_what_it_is_linked_to(view: View) -> None:
    iris = {entity["iri"] for entity in view.graph["entities"]}
    assert "https://w3id.org/policy-evidence/id/agent/cosla" in iris
    assert len(iris) <= 6
    assert {link[end] for link in view.graph["links"] for end in ("from", "to")} <= iris
    assert view.graph["arrangement"] == {"kind": "force"}


def test_paths_run_from_left_to_right(graph: Graph, built_front_end: None) -> None:
    paths = graph.connect("COSLA", "Distrust between professions", limit=3)
    view = paths.show()
    assert graph.show(paths).graph == view.graph
    flow = view.graph["arrangement"]["flow"] if isinstance(view, View) else []
    assert {tuple(pair) for pair in flow} == {(hop.from_, hop.to) for path in paths for hop in path.hops}
    assert {e["iri"] for e in view.graph["entities"]} == {node.iri for path in paths for node in path.nodes}


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT ?theme ?barrier {{ VALUES ?barrier {{ <{BARRIER}> }} ?barrier pev:blocks ?theme }}",
        f"CONSTRUCT WHERE {{ <{BARRIER}> pev:blocks ?theme }}",
    ],
)
def test_what_a_query_finds_is_shown_with_the_links_between(graph: Graph, query: str, built_front_end: None) -> None:
    shown = graph.show(query).graph
    assert {entity["iri"] for entity in shown["entities"]} == {BARRIER, THEME}
    assert (BARRIER, BLOCKS, THEME) in {(link["from"], link["link"], link["to"]) for link in shown["links"]}


def test_tables_things_and_names_can_be_shown(graph: Graph, built_front_end: None) -> None:
    table = graph.ask("barriers-blocking-theme", theme="Strategic planning")
    assert BARRIER in {entity["iri"] for entity in graph.show(table).graph["entities"]}
    thing = graph.show(graph.describe("COSLA")).graph
    assert thing["title"] == "COSLA"
    named = graph.show(["barrier:as2018-data-sharing", "theme:strategic-planning"]).graph
    assert [entity["iri"] for entity in named["entities"]] == [BARRIER, THEME]


def test_what_cannot_be_shown_says_why(graph: Graph) -> None:
    with pytest.raises(BadSparql):
        graph.show("ASK {}")
    with pytest.raises(UnknownName):
        graph.show(["barrier:nonesuch"])


def test_the_view_asks_its_kernel_what_the_api_answers(graph: Graph, view: View) -> None:
    asked = {"id": "7", "ask": "neighbours", "parameters": {"entity": BARRIER, "link": BLOCKS, "direction": "forward"}}
    reply = view.reply(asked)
    assert reply["id"] == "7"
    assert THEME in {relation["entity"]["iri"] for relation in reply["answer"]["results"]}
    detail = view.reply({"id": "8", "ask": "link", "parameters": {"from": BARRIER, "link": BLOCKS, "to": THEME}})
    assert detail["answer"]["evidence"]


@pytest.mark.parametrize("asked", ["close", "select", "nonesuch"])
def test_the_view_may_ask_no_more_than_it_needs(view: View, asked: str) -> None:
    assert "none of" in view.reply({"id": "1", "ask": asked, "parameters": {}})["problem"]["detail"]


def test_an_unknown_thing_is_a_problem_and_no_traceback(view: View) -> None:
    reply = view.reply({"id": "2", "ask": "neighbours", "parameters": {"entity": "barrier:nonesuch"}})
    assert reply["problem"]["title"] == "Unknown name"


def test_a_page_holds_everything_and_asks_nothing_of_a_network(view: View, tmp_path: Path) -> None:
    page = view.to_html(tmp_path / "graph.html")
    assert (tmp_path / "graph.html").read_text(encoding="utf-8") == page
    held = json.loads(page.split('id="graph-data">', 1)[1].split("</script>", 1)[0])
    assert {detail["sentence"] for detail in held["details"].values()}
    assert len(held["details"]) == len(held["links"])
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_quotes_go_with_a_page_only_when_asked_for(
    release_folder: Path, texts_folder: Path, built_front_end: None
) -> None:
    opened = kg.open(release_folder, texts=texts_folder)
    view = opened.show(["barrier:as2018-data-sharing", "theme:strategic-planning"])
    quote = opened.describe("barrier:as2018-data-sharing").evidence[0].quote
    assert quote
    spoken = json.dumps(quote, ensure_ascii=False).strip('"')
    assert spoken not in view.to_html()
    assert spoken in view.to_html(quotes=True)
    opened.close()


def test_a_label_cannot_end_the_element_it_stands_in(graph: Graph, built_front_end: None) -> None:
    odd = {"iri": "http://x/1", "curie": "x", "label": "</script><script>alert(1)</script>", "type": None}
    page = Drawing(graph._door, "</title><script>", [odd], []).to_html()
    assert "<script>alert" not in page
    assert "</title><script>" not in page


def test_where_no_script_runs_a_still_picture_is_shown(graph: Graph) -> None:
    drawing = Drawing(graph._door, "Things", [], [])
    data, _ = format_display_data(drawing)  # type: ignore[no-untyped-call]  # IPython's own
    assert "<svg" in data["text/html"]


def test_who_knows_no_widgets_is_shown_the_picture_and_no_program_is_named(view: View, shell: InteractiveShell) -> None:
    with capture_output() as shown:
        view._ipython_display_()
    first, below = (output.data for output in shown.outputs)
    assert {"application/vnd.jupyter.widget-view+json", "image/svg+xml", "text/plain"} <= set(first)
    assert "text/html" not in first, "it would be taken before the picture"
    assert "COSLA" in first["image/svg+xml"]
    assert f'class="{view.stands_in}"' in below["text/html"] and "<svg" in below["text/html"]
    assert "jp-" not in below["text/html"]


def test_long_work_tells_a_notebook_its_step_and_a_script_nothing(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[str]] = []
    for _ in ("script", "notebook"):
        with capture_output() as shown, progress_shown("Building") as progress:
            progress("checking")
        told.append([output.data["text/plain"] for output in shown.outputs])
        # What a notebook's shell has and a terminal's has not.
        monkeypatch.setattr(shell, "kernel", object(), raising=False)
    assert told == [[], ["Building", "Building: checking …", ""]]


# Magics


@pytest.fixture
def shell(release_folder: Path) -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "kg")
    made.run_line_magic("kg", f"open {release_folder}")
    yield made
    InteractiveShell.clear_instance()


def _completed(shell: InteractiveShell, text: str) -> list[str]:
    with provisionalcompleter():
        return [text[: found.start] + found.text for found in shell.Completer.completions(text, len(text))]


def test_magics_ask_the_graph(shell: InteractiveShell) -> None:
    table = shell.run_line_magic("kg", 'ask barriers-blocking-theme theme="Strategic planning"')
    assert len(table) >= 4
    paths = shell.run_line_magic("kg", 'connect COSLA "Distrust between professions"')
    assert paths[0].hops
    assert shell.run_line_magic("kg", "describe COSLA").label == "COSLA"
    assert shell.run_line_magic("kg", "search money")[0].label


def test_a_cell_of_sparql_keeps_its_table_under_a_name(shell: InteractiveShell) -> None:
    table = shell.run_cell_magic("sparql", "rows", "SELECT ?b { ?b a pev:Barrier } LIMIT 2")  # type: ignore[no-untyped-call]
    assert shell.user_ns["rows"] is table
    assert len(table) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonesuch", "none of"),
        ("connect COSLA", "connect A B"),
        ("ask", "questions lists"),
        ("ask barriers-blocking-theme Finance", "param=value"),
        ("describe Nonesuch-thing", "not the name"),
    ],
)
def test_a_mistake_in_a_magic_is_one_line(shell: InteractiveShell, line: str, words: str) -> None:
    done = shell.run_cell(f"%kg {line}")  # type: ignore[no-untyped-call]
    assert words in str(done.error_in_exec)


def test_names_are_completed(shell: InteractiveShell) -> None:
    assert "%kg connect" in _completed(shell, "%kg con")
    assert "%kg ask barriers-blocking-theme" in _completed(shell, "%kg ask barriers-b")
    query = "%%sparql\nSELECT * { ?barrier "
    assert f"{query}pev:blocks" in _completed(shell, f"{query}pev:blo")
    assert f"{query}theme:strategic-planning" in _completed(shell, f"{query}theme:strategic-pl")
