"""`import kg` in a notebook: opening, asking, and answers as tables."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
import polars
import pytest
import rdflib
from matplotlib.collections import PathCollection

import kg
from kg import wire
from kg.answers import Answers
from kg.connections.values import Mode, Restriction
from kg.errors import BadParameter, BadSparql, DataError, KgError, UnknownName
from kg.evidence import sha256
from kg.model import Answer, Basis, Cell
from kg.names import PEV, XSD
from kg.notebook import Graph, Table
from kg.notebook.analyses import Gaps, Timeline
from workspaces import edit, text_file, write_workspace

if TYPE_CHECKING:
    from kg.notebook.charts import Chart


@pytest.fixture(scope="module")
def graph(release_folder: Path) -> Iterator[Graph]:
    opened = kg.open(release_folder)
    yield opened
    opened.close()


def _table(*rows: dict[str, Cell], columns: tuple[str, ...] = ("thing", "n")) -> Table:
    return Table(wire.answer(Answer("0" * 64, "", {}, columns, rows, False, "")))


def _number(value: str, datatype: str = "integer") -> Cell:
    return Cell(value, "literal", datatype=XSD + datatype)


# Opening


def test_every_name_that_the_package_offers_is_there() -> None:
    assert sorted(kg.__all__) == ["Graph", "Table", "__version__", "open"]
    for name in kg.__all__:
        assert getattr(kg, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        kg.nonesuch  # noqa: B018 (that it is not there is the point)


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "pyoxigraph, numpy, rdflib, networkx, pandas, polars, fastapi, matplotlib"
    code = f"import sys, kg; print([name for name in '{heavy}'.split(', ') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_a_release_is_opened_by_its_folder(graph: Graph, answers: Answers, release_folder: Path) -> None:
    assert graph.release == answers.release_id
    by_text = kg.open(str(release_folder))
    assert by_text.release == graph.release
    by_text.close()


@pytest.mark.slow
def test_a_workspace_is_built_when_it_is_opened_and_again_when_it_has_changed(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    before = kg.open(workspace.root)
    assert before.describe("Empty posts in Elsewhere").says == "Too many posts stand empty."
    before.close()
    again = kg.open(workspace.root)
    assert again.release == before.release
    again.close()
    edit(text_file(workspace.root), "Too many posts stand empty.", "Hardly a post stands empty.")
    after = kg.open(workspace.root)
    assert after.describe("Empty posts in Elsewhere").says == "Hardly a post stands empty."
    assert after.release != before.release
    after.close()


def test_the_workspace_of_the_current_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    monkeypatch.chdir(workspace.root)
    opened = kg.open()
    assert [entity.label for entity in opened.search("empty posts")][:1] == ["Empty posts in Elsewhere"]
    opened.close()


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no workspace"):
        kg.open(tmp_path)
    with pytest.raises(DataError, match="is no workspace"):
        kg.open(tmp_path / "nonesuch")


def test_a_folder_of_texts_brings_quotes(release_folder: Path, texts_folder: Path) -> None:
    opened = kg.open(release_folder, texts=texts_folder)
    evidence = opened.describe("barrier:as2018-data-sharing").evidence
    opened.close()
    assert evidence
    assert all(passage.quote and sha256(passage.quote) == passage.sha256 for passage in evidence)


def test_a_closed_graph_says_that_it_is_closed(release_folder: Path) -> None:
    opened = kg.open(release_folder)
    opened.close()
    with pytest.raises(Exception, match="closed"):
        opened.sparql("SELECT * { ?s ?p ?o } LIMIT 1")


# Asking


def test_a_question_gives_a_table_of_python_values(graph: Graph) -> None:
    table = graph.ask("barriers-blocking-theme", theme="Strategic planning")
    assert isinstance(table, Table)
    assert table.columns[:2] == ("barrier", "barrierLabel")
    assert len(table) == len(list(table)) >= 4
    assert table[0]["origins"] == 1
    assert str(table[0]["barrier"]).startswith("https://w3id.org/policy-evidence/id/barrier/")
    assert table.answer.release == graph.release


def test_a_question_takes_lists_where_it_takes_many(graph: Graph) -> None:
    items = ["barrier:as2018-data-sharing", "barrier:piru-distrust"]
    assert len({row["item"] for row in graph.ask("evidence-of-item", item=items)}) == 2


def test_the_questions_are_named(graph: Graph) -> None:
    assert "barriers-blocking-theme" in graph.questions()
    assert graph.questions() == sorted(graph.questions())


def test_free_sparql_knows_the_prefixes(graph: Graph) -> None:
    table = graph.sparql("SELECT (COUNT(*) AS ?n) { ?barrier a pev:Barrier }")
    (row,) = table
    assert isinstance(row["n"], int)
    assert row["n"] > 0


def test_errors_say_what_to_do(graph: Graph) -> None:
    with pytest.raises(UnknownName, match=r"theme:finance"):
        graph.ask("barriers-blocking-theme", theme="Finanse")
    with pytest.raises(BadParameter, match="theme: is missing"):
        graph.ask("barriers-blocking-theme")
    with pytest.raises(BadSparql, match="line 1, column"):
        graph.sparql("SELEC")


def test_connections_descriptions_and_searches_are_those_of_the_front_door(graph: Graph, answers: Answers) -> None:
    ends = ("COSLA", "Distrust between professions")
    assert graph.connect(*ends).answer.to_dict() == wire.paths(answers.connect(*ends))
    narrow = graph.connect(*ends, max_hops=5, limit=2, basis="said, judged")
    assert narrow.answer.to_dict() == wire.paths(answers.connect(*ends, 5, 2, frozenset({Basis.SAID, Basis.JUDGED})))
    around = graph.connect(*ends, mode="shortest", avoid=["Finance", "Workforce"], since="2018")
    restriction = Restriction(avoid=("Finance", "Workforce"), since="2018")
    assert around.answer.to_dict() == wire.paths(answers.connect(*ends, mode=Mode.SHORTEST, restriction=restriction))
    assert graph.describe("COSLA").to_dict() == wire.description(answers.describe("COSLA"))
    assert graph.search("leadership", limit=3).answer.to_dict() == wire.matches(answers.search("leadership", limit=3))


def test_paths_say_whose_chain_they_are_and_no_path_what_would_make_one(graph: Graph) -> None:
    chain = graph.connect("COSLA", "barrier:piru-community-cuts", limit=1)
    assert "No single source makes this chain; it is stitched, joined at Local communities" in repr(chain)
    assert chain[0].verdict in chain._repr_html_()
    none = graph.connect("COSLA", "Finance", place="England")
    assert not none
    assert re.search(r"\nThey would be connected in 2 hops if it were so: .* concerns COSLA\.$", repr(none))
    assert "They would be connected in 2 hops" in none._repr_html_()


# Tables


def test_a_table_is_a_sequence_of_rows() -> None:
    table = _table(*({"thing": Cell(f"http://x/{n}", "uri"), "n": _number(str(n))} for n in range(5)))
    assert len(table) == 5
    assert [row["n"] for row in table] == [0, 1, 2, 3, 4]
    assert table[-1] == {"thing": "http://x/4", "n": 4}
    assert [row["n"] for row in table[1:3]] == [1, 2]
    assert [row["n"] for row in reversed(table)] == [4, 3, 2, 1, 0]
    assert {"thing": "http://x/2", "n": 2} in table
    assert repr(table) == "Table of 5 rows: thing, n"
    with pytest.raises(IndexError):
        table[5]


def test_an_unbound_cell_is_none() -> None:
    assert list(_table({"n": _number("1")})) == [{"thing": None, "n": 1}]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (_number("42"), 42),
        (_number("2.50", "decimal"), 2.5),
        (_number("1e3", "double"), 1000.0),
        (_number("true", "boolean"), True),
        (_number("false", "boolean"), False),
        (_number("2024", "gYear"), "2024"),
        (Cell("mot", "literal", lang="fr"), "mot"),
        (Cell("http://x/1", "uri", label="One"), "http://x/1"),
    ],
)
def test_a_value_is_of_the_python_type_of_its_datatype(cell: Cell, value: object) -> None:
    (row,) = _table({"n": cell}, columns=("n",))
    assert row["n"] == value
    assert type(row["n"]) is type(value)


MIXED = _table(
    {
        "thing": Cell("http://x/1", "uri"),
        "n": _number("1"),
        "share": _number("0.5", "decimal"),
        "is": _number("true", "boolean"),
    },
    {"thing": Cell("http://x/2", "uri"), "n": _number("2")},
    columns=("thing", "n", "share", "is"),
)


def test_a_pandas_frame_keeps_columns_types_and_what_is_missing() -> None:
    frame = MIXED.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["thing", "n", "share", "is"]
    assert [str(kind) for kind in frame.dtypes[1:]] == ["Int64", "Float64", "boolean"]
    assert pandas.api.types.is_string_dtype(frame["thing"])
    assert frame["n"].sum() == 3
    assert frame["share"].isna().tolist() == [False, True]


def test_a_polars_frame_keeps_columns_types_and_what_is_missing() -> None:
    frame = MIXED.to_polars()
    assert dict(frame.schema) == {
        "thing": polars.String,
        "n": polars.Int64,
        "share": polars.Float64,
        "is": polars.Boolean,
    }
    assert frame["share"].to_list() == [0.5, None]


def test_an_empty_table_keeps_its_columns_in_every_form(graph: Graph) -> None:
    table = graph.ask("barriers-blocking-theme", theme="theme:charging")
    assert len(table) == 0
    assert list(table.to_pandas().columns) == table.to_polars().columns == list(table.columns)
    assert "0 rows" in table._repr_html_()


def test_a_real_answer_becomes_a_frame_with_numbers_in_it(graph: Graph) -> None:
    table = graph.ask("recurring-themes")
    assert str(table.to_pandas()["origins"].dtype) == "Int64"
    assert table.to_polars()["origins"].dtype == polars.Int64
    assert table.to_pandas()["themeLabel"].tolist() == table.to_polars()["themeLabel"].to_list()


def test_html_shows_labels_links_and_escapes_everything() -> None:
    table = _table(
        {"thing": Cell('http://x/"><script>', "uri", label="<b>Tea</b> & cake"), "<n>": Cell("<i>1</i>", "literal")},
        columns=("thing", "<n>"),
    )
    page = table._repr_html_()
    assert "&lt;b&gt;Tea&lt;/b&gt; &amp; cake</a>" in page
    assert "<th>&lt;n&gt;</th>" in page
    assert "<td>&lt;i&gt;1&lt;/i&gt;</td>" in page
    assert 'href="http://x/&quot;&gt;&lt;script&gt;"' in page
    assert not re.search("<(script|b|i|n)>", page)
    assert "1 rows; release 000000000000" in page


def test_html_shows_no_more_than_a_page_holds_and_says_so() -> None:
    page = _table(*({"n": _number(str(n))} for n in range(250)), columns=("n",))._repr_html_()
    assert page.count("<tr>") == 201
    assert "250 rows, 50 not shown" in page


# Whole graphs


def test_the_rdflib_dataset_has_every_graph_and_their_union(graph: Graph, answers: Answers) -> None:
    dataset = graph.to_rdflib()
    counts = answers.release()
    named = {str(g.identifier): len(g) for g in dataset.graphs() if str(g.identifier).startswith("https://w3id.org/")}
    assert named == dict(counts.graphs)
    (row,) = dataset.query("SELECT (COUNT(*) AS ?n) { SELECT DISTINCT ?s ?p ?o { ?s ?p ?o } }").bindings
    assert str(row[rdflib.Variable("n")]) == str(counts.counts["triples"])


def test_the_networkx_graph_has_every_link_with_its_basis(graph: Graph, answers: Answers) -> None:
    network = graph.to_networkx()
    assert network.graph["release"] == graph.release
    assert network.number_of_edges() == answers.release().counts["links"]
    start = "https://w3id.org/policy-evidence/id/barrier/as2018-data-sharing"
    end = "https://w3id.org/policy-evidence/theme/strategic-planning"
    assert network.nodes[start] == {"label": "Data not shared safely", "type": "pev:Barrier"}
    edge = network[start][end][PEV + "blocks"]
    assert (edge["basis"], edge["origins"]) == ("said", "https://w3id.org/policy-evidence/id/doc/as2018-report")


# Charts


def _cells(chart: Chart) -> list[float]:
    held: np.ma.MaskedArray[Any, Any] = np.ma.masked_invalid(np.ma.asarray(chart.axes[0].images[0].get_array()))
    return [float(value) for value in held.compressed()]


def test_the_gap_matrix_draws_every_pair_by_what_it_lacks(graph: Graph) -> None:
    for answer, what in ((graph.gaps(), "barrier"), (graph.gaps(reverse=True), "recommendation")):
        chart = answer.plot()
        axes = chart.axes[0]
        assert len(axes.get_yticklabels()) == len({row[what].iri for row in answer.results})
        assert len(axes.get_xticklabels()) == len({row.theme.iri for row in answer.results})
        lacking = Counter(row.gap for row in answer.results)
        assert sorted(Counter(_cells(chart)).values()) == sorted(lacking.values())
        assert len(lacking) > 1
        signs = Counter(text.get_text() for text in axes.texts)
        assert sorted(signs.values()) == sorted(lacking.values())
        assert chart._repr_png_().startswith(b"\x89PNG")


def test_the_timeline_draws_every_year_that_names_a_theme_and_every_silence(graph: Graph) -> None:
    answer = graph.timeline()
    chart = answer.plot()
    axes = chart.axes[0]
    years = [year for row in answer.results for year in row.years]
    assert [label.get_text() for label in axes.get_yticklabels()] == [row.theme.label for row in answer.results]
    assert len(axes.collections) == sum(year["items"] > 0 for year in years) > 0
    assert sum(text.get_text() == "–" for text in axes.texts) == sum(year["items"] == 0 for year in years) > 0
    circles = [circle for circle in axes.collections if isinstance(circle, PathCollection)]
    sizes = {circle.get_gid(): circle.get_sizes()[0] for circle in circles}
    most = max(years, key=lambda year: int(year["items"]))
    assert max(sizes.values()) == sizes[next(f"{r.theme.iri} {most.year}" for r in answer.results if most in r.years)]
    assert chart._repr_png_().startswith(b"\x89PNG")


def test_an_answer_that_holds_nothing_is_drawn_empty(graph: Graph) -> None:
    nothing = {"release": graph.release, "results": [], "truncated": False, "reverse": False}
    for answer in (Gaps(nothing), Timeline(nothing)):
        assert answer.plot()._repr_png_().startswith(b"\x89PNG")


def test_without_matplotlib_a_chart_says_what_is_missing(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(KgError, match="matplotlib is not installed"):
        graph.timeline().plot()
