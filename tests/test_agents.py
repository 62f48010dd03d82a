"""What language models are given: tools, resources, statements with their grounds, and why a query finds nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from kg.agents.diagnosis import MOST_PROBES, Diagnosis, Diagnostician
from kg.agents.patterns import cut_query
from kg.agents.resources import DOCUMENTS, INSTRUCTIONS, read_document
from kg.agents.toolbox import Toolbox
from kg.agents.tools import FIXED, MOST_ROWS, tools_of
from kg.answers import Answers
from kg.errors import BadParameter, Forbidden, LimitError, UnknownName
from kg.evidence import read_texts
from kg.model import Basis


@pytest.fixture(scope="module")
def toolbox(answers: Answers) -> Toolbox:
    return Toolbox(answers, answers.opened.source, read_texts(None))


def call(toolbox: Toolbox, name: str, **arguments: object) -> dict[str, Any]:
    return toolbox.call(name, arguments)


# Statements and their grounds


def grounds(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*found["statements"], *found.get("facts", ())]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("describe", {"entity": "COSLA"}),
        ("connect", {"from": "COSLA", "to": "Finance"}),
        ("barriers-blocking-theme", {"theme": "Finance"}),
        ("sparql", {"query": "SELECT ?b ?t { ?b pev:blocks ?t }"}),
        ("sparql", {"query": "CONSTRUCT { ?b pev:hasTheme ?t } WHERE { ?b a pev:Barrier ; pev:hasTheme ?t }"}),
    ],
)
def test_every_statement_has_basis_evidence_and_release(
    toolbox: Toolbox, answers: Answers, name: str, arguments: dict[str, object]
) -> None:
    listed = grounds(toolbox.call(name, arguments))

    assert listed
    for statement in listed:
        assert statement["basis"] in set(Basis)
        assert answers.release_id.startswith(statement["release"])
        # Passages, or in words why there are none.
        assert statement["evidence"]
        if isinstance(statement["evidence"], str):
            assert statement["evidence"].startswith("none: ")
        else:
            assert all(p["passage"] and p["document"].startswith("doc:") for p in statement["evidence"])


def test_what_is_said_is_told_apart_from_what_is_judged_and_inferred(toolbox: Toolbox) -> None:
    found = call(toolbox, "sparql", query="SELECT ?b ?t { ?b pev:blocks ?t ; pev:affects ?t } LIMIT 1")
    by_link = {s["triple"].split()[1]: s for s in found["statements"]}

    assert by_link["pev:blocks"]["basis"] == "said"
    assert by_link["pev:blocks"]["evidence"][0]["characters"]
    assert by_link["pev:affects"]["basis"] == "inferred"


def test_a_row_of_one_item_rests_on_where_it_is_stated(toolbox: Toolbox) -> None:
    found = call(toolbox, "sparql", query="SELECT ?b ?p { ?b a pev:Barrier ; pev:paraphrase ?p } LIMIT 3")

    for row in found["results"]:
        stated = [found["statements"][n] for n in row["rests_on"]]
        assert [s["triple"].split()[:2] for s in stated] == [[row["b"]["id"], "pev:statedIn"]] * len(stated)
        assert stated


def test_a_row_that_no_statement_stands_behind_says_so(toolbox: Toolbox) -> None:
    found = call(toolbox, "sparql", query="SELECT (COUNT(*) AS ?n) { ?b a pev:Barrier }")

    assert found["results"][0]["rests_on"].startswith("none: ") and found["statements"] == []


def test_quotes_stand_in_the_statements_where_the_texts_are_held(answers: Answers, texts_folder: Any) -> None:
    texts = read_texts(texts_folder)
    held = Toolbox(Answers(answers.opened, texts, answers.settings), answers.opened.source, texts)
    found = call(held, "describe", entity="barrier:as2018-data-sharing")

    passages = [p for s in grounds(found) if not isinstance(s["evidence"], str) for p in s["evidence"]]
    assert passages and all(len(p["quote"]) == p["characters"][1] - p["characters"][0] for p in passages)


def test_paths_tell_whose_chain_they_are(toolbox: Toolbox) -> None:
    found = call(toolbox, "connect", **{"from": "COSLA", "to": "Finance", "limit": 2})

    for path in found["paths"]:
        assert path["thread"] in {"single", "stitched"} and path["verdict"]
        assert len(path["rests_on"]) == path["length"]


def test_what_is_not_connected_is_told_with_its_reason(toolbox: Toolbox) -> None:
    found = call(toolbox, "connect", **{"from": "COSLA", "to": "Finance", "max_hops": 1})

    assert found["paths"] == [] and found["why_none"]["reason"]


def test_rows_are_cut_at_the_limit_and_the_answer_says_so(toolbox: Toolbox) -> None:
    found = call(toolbox, "sparql", query="SELECT ?s { ?s ?p ?o }", limit=7)

    assert len(found["results"]) == 7 and found["truncated"]


# Tools


def test_each_question_is_a_tool_with_its_own_parameters(toolbox: Toolbox, answers: Answers) -> None:
    tools = {tool.name: tool for tool in toolbox.tools}
    questions = {question.name: question for question in answers.questions()}

    assert set(tools) == {tool.name for tool in FIXED} | set(questions)
    for name, question in questions.items():
        schema: Any = tools[name].schema
        assert tools[name].description == question.summary
        assert set(schema["properties"]) == {p.name for p in question.parameters}
        assert schema.get("required", []) == [p.name for p in question.parameters if p.mode == "required"]
        many = {n for n, shape in schema["properties"].items() if shape["type"] == "array"}
        assert many == {p.name for p in question.parameters if p.mode == "many"}


@pytest.mark.parametrize(
    ("name", "arguments", "named"),
    [
        ("search", {}, "words"),
        ("search", {"words": "money", "size": 3}, "size"),
        ("search", {"words": 3}, "words"),
        ("sparql", {"query": "ASK {}", "limit": MOST_ROWS + 1}, "limit"),
        ("barriers-blocking-theme", {"theme": ["Finance"]}, "theme"),
    ],
)
def test_arguments_that_do_not_fit_are_named(
    toolbox: Toolbox, name: str, arguments: dict[str, object], named: str
) -> None:
    with pytest.raises(BadParameter, match=named):
        toolbox.call(name, arguments)


def test_a_tool_that_is_not_there_and_a_thing_that_is_not_there_are_unknown(toolbox: Toolbox) -> None:
    with pytest.raises(UnknownName, match="no tool"):
        toolbox.call("drop-table", {})
    with pytest.raises(UnknownName) as caught:
        call(toolbox, "describe", entity="Finanse")
    assert "theme:finance" in [entity.curie for entity in caught.value.nearest]


@pytest.mark.parametrize(
    "query", ["INSERT DATA { <a:a> <a:b> <a:c> }", "SELECT * { SERVICE <http://x/> { ?s ?p ?o } }"]
)
def test_a_model_may_neither_write_nor_send_queries_elsewhere(toolbox: Toolbox, query: str) -> None:
    with pytest.raises(Forbidden):
        call(toolbox, "sparql", query=query)


# Resources


def test_tools_and_resources_fit_in_eight_thousand_tokens(toolbox: Toolbox, answers: Answers) -> None:
    """A token counts as 3.75 characters; of these texts, a tokenizer in use takes 4.0 a token."""
    tools = [{"name": t.name, "description": t.description, "inputSchema": t.schema} for t in toolbox.tools]
    texts = [
        json.dumps(tools, separators=(",", ":")),
        INSTRUCTIONS,
        *(document.read(answers) for document in DOCUMENTS),
    ]

    assert sum(map(len, texts)) / 3.75 < 8000


def test_the_schema_names_every_kind_of_link_with_what_it_joins(answers: Answers) -> None:
    text = read_document(answers, "kg://schema")[1]
    curie = answers.opened.library.prefixes.curie

    lines = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and " > " in line)
    assert set(lines) == {curie(link) for link in answers.opened.links.types}
    assert lines["pev:directedTo"] == "pev:Recommendation > org:Organization, pev:StakeholderGroup"
    assert answers.release_id in text


def test_the_examples_run_and_find_something(toolbox: Toolbox, answers: Answers) -> None:
    text = read_document(answers, "kg://examples")[1]
    queries = text.split("\n# ")[1:]

    assert len(queries) == 3
    for query in queries:
        assert call(toolbox, "sparql", query="# " + query)["results"]


def test_a_resource_that_is_not_there_is_unknown(answers: Answers) -> None:
    with pytest.raises(UnknownName, match="kg://schema"):
        read_document(answers, "kg://secrets")


# Why a query finds nothing


def why(answers: Answers, query: str, time_limit_s: float = 30) -> Diagnosis:
    opened = answers.opened
    assert not opened.source.select(query).rows, "only a query that finds nothing has something to be found out"
    return Diagnostician(opened.source.ask, opened.search.alike, opened.library.prefixes, time_limit_s).why_empty(query)


@pytest.mark.parametrize(
    ("query", "part", "reason"),
    [
        ("SELECT * { ?b a pev:Barrier ; pev:blocks theme:finanse }", "?b pev:blocks theme:finanse", "by itself"),
        ("SELECT * { ?b a pev:Barrier . ?b pev:directedTo ?x }", "?b pev:directedTo ?x", "together"),
        ("SELECT * { ?b a pev:Barrier FILTER(?b = 1) OPTIONAL { ?b ?p ?o } }", "FILTER(?b = 1)", "removes"),
        ("SELECT * { GRAPH ?g { ?b a pev:Barrier . ?b pev:directedTo ?x } }", "?b pev:directedTo ?x", "together"),
        ("SELECT * { ?t a pev:Theme { SELECT ?b { ?b a pev:Barrier , pev:None } } }", "?b a pev:None", "by itself"),
        ("SELECT * { { ?b a pev:X } UNION { ?b a pev:Y } }", "{ ?b a pev:X } UNION { ?b a pev:Y }", "by itself"),
        ("SELECT * { ?b a pev:Barrier } VALUES ?b { theme:finance }", "VALUES ?b { theme:finance }", "together"),
        ("SELECT * { ?b a pev:Barrier MINUS { ?b ?p ?o } }", "MINUS { ?b ?p ?o }", "removes"),
        ("SELECT * { ?b a/rdfs:subClassOf* pev:None }", "?b a/rdfs:subClassOf* pev:None", "by itself"),
        ("PREFIX x: <http://x/> SELECT * FROM x:g { ?s ?p ?o }", "?s ?p ?o", "by itself"),
        ("SELECT * { ?t skos:prefLabel 'Finance' }", "?t skos:prefLabel 'Finance'", "'Finance'@en"),
        ("SELECT ?b { ?b a pev:Barrier } GROUP BY ?b HAVING(COUNT(*) > 99)", None, "HAVING"),
    ],
)
def test_the_part_that_empties_a_query_is_named(answers: Answers, query: str, part: str | None, reason: str) -> None:
    found = why(answers, query)

    assert found.part == part
    assert reason in found.reason


def test_a_name_that_is_not_known_is_told_with_the_nearest(answers: Answers) -> None:
    found = why(answers, "SELECT * { ?b pev:blocks theme:finanse }")

    assert found.unknown is not None
    assert [entity.curie for entity in found.unknown["theme:finanse"]][:1] == ["theme:finance"]


def test_an_empty_answer_of_a_question_is_diagnosed_too(toolbox: Toolbox) -> None:
    found = call(toolbox, "enablers-of-theme", theme="Finance")

    assert found["results"] == [] and found["why_empty"]["reason"]


def test_an_ask_that_does_not_hold_is_diagnosed(toolbox: Toolbox) -> None:
    found = call(toolbox, "sparql", query="ASK { ?b a pev:Barrier ; pev:directedTo ?x }")

    assert found["answer"] is False
    assert found["why_empty"]["part"] == "?b pev:directedTo ?x"
    assert "why_empty" not in call(toolbox, "sparql", query="ASK { ?b a pev:Barrier }")


def test_looking_for_the_reason_ends_at_the_limits(answers: Answers) -> None:
    query = f"SELECT * {{ {' '.join('?b a pev:Barrier .' for _ in range(MOST_PROBES + 1))} ?b a pev:None }}"
    tried: list[str] = []

    def ask(probe: str) -> bool:
        tried.append(probe)
        return answers.opened.source.ask(probe)

    opened = answers.opened
    found = Diagnostician(ask, opened.search.alike, opened.library.prefixes, 30).why_empty(query)
    assert found.part is None and "limits" in found.reason
    assert len(tried) == MOST_PROBES
    assert "limits" in why(answers, "SELECT * { ?b a pev:None }", time_limit_s=0).reason


def test_a_probe_that_passes_a_limit_is_no_failure_of_the_call(answers: Answers) -> None:
    def ask(_: str) -> bool:
        raise LimitError("too long", limit="KG_QUERY_TIME_LIMIT_MS")

    opened = answers.opened
    found = Diagnostician(ask, opened.search.alike, opened.library.prefixes, 30).why_empty("ASK { ?s ?p ?o }")
    assert found == Diagnosis(None, "It was not found out within the limits: too long")


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        (
            "SELECT * WHERE { ?s a ?c ; ex:p ?o , 'x;y'@en , 1.5 . }",
            ["?s a ?c", "?s ex:p ?o", "?s ex:p 'x;y'@en", "?s ex:p 1.5"],
        ),
        (
            "ASK { [ a ?c ] ex:p ( 1 2 ) . ?s ^ex:p/ex:q*|!(ex:r|^ex:s) ?o }",
            ["[ a ?c ] ex:p ( 1 2 )", "?s ^ex:p/ex:q*|!(ex:r|^ex:s) ?o"],
        ),
        ("CONSTRUCT { ?a ?b ?c } WHERE { ?c ?b ?a }", ["?c ?b ?a"]),
        ("CONSTRUCT WHERE { ?c ?b ?a }", ["?c ?b ?a"]),
        ("DESCRIBE ?s { ?s a ?c FILTER EXISTS { ?s ?p ?o } }", ["?s a ?c", "FILTER EXISTS { ?s ?p ?o }"]),
        (
            "SELECT * { BIND(1 AS ?x) VALUES (?a ?b) { (1 2) } ?s ?p ?a FILTER regex(?s, '}') }",
            ["BIND(1 AS ?x)", "VALUES (?a ?b) { (1 2) }", "?s ?p ?a", "FILTER regex(?s, '}')"],
        ),
    ],
)
def test_a_query_is_cut_into_what_was_written(query: str, parts: list[str]) -> None:
    cut = cut_query(query)

    assert cut is not None
    assert [part.text for part in cut.parts] == parts


@pytest.mark.parametrize("query", ["DESCRIBE theme:finance", "nothing", ""])
def test_a_query_without_a_where_clause_has_no_parts(query: str) -> None:
    assert cut_query(query) is None


def test_questions_never_hide_a_tool_of_another_kind(answers: Answers) -> None:
    names = [tool.name for tool in tools_of(answers.questions())]

    assert len(names) == len(set(names))
