"""The front door: what names mean, which parameters are taken, and what every answer carries.

Most of it is asked of a small invented workspace, about a harbour town that never was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kg.answers import Answers
from kg.errors import AmbiguousName, BadParameter, BadSparql, Forbidden, LimitError, UnknownName
from kg.evidence import read_texts
from kg.model import Basis
from kg.names import BASE, XSD
from kg.release.build import build
from kg.release.opened import Release, open_release
from kg.workspace import Settings, init_workspace

THEMES = """
@prefix pev:    <https://w3id.org/policy-evidence/ns#> .
@prefix theme:  <https://w3id.org/policy-evidence/theme/> .
@prefix scheme: <https://w3id.org/policy-evidence/scheme/> .
@prefix skos:   <http://www.w3.org/2004/02/skos/core#> .

scheme:themes a skos:ConceptScheme ; skos:prefLabel "Common themes"@en .
scheme:quay2020 a skos:ConceptScheme ; skos:prefLabel "Themes of the quay report"@en .
scheme:mole2021 a skos:ConceptScheme ; skos:prefLabel "Themes of the mole report"@en .

theme:dredging a pev:Theme ; skos:inScheme scheme:themes ; skos:prefLabel "Dredging"@en ;
    skos:altLabel "silt"@en , "Éperon"@en .
theme:lights a pev:Theme ; skos:inScheme scheme:themes ; skos:prefLabel "Harbour lights"@en .
theme:quay-dredging a pev:Theme ; skos:inScheme scheme:quay2020 ; skos:prefLabel "Dredging"@en .
theme:quay-tolls a pev:Theme ; skos:inScheme scheme:quay2020 ; skos:prefLabel "Tolls"@en .
theme:mole-tolls a pev:Theme ; skos:inScheme scheme:mole2021 ; skos:prefLabel "Tolls"@en .
"""

ENTITIES = """
@prefix pev:     <https://w3id.org/policy-evidence/ns#> .
@prefix agent:   <https://w3id.org/policy-evidence/id/agent/> .
@prefix barrier: <https://w3id.org/policy-evidence/id/barrier/> .
@prefix doc:     <https://w3id.org/policy-evidence/id/doc/> .
@prefix place:   <https://w3id.org/policy-evidence/id/place/> .
@prefix code:    <https://w3id.org/policy-evidence/code/> .
@prefix graph:   <https://w3id.org/policy-evidence/graph/> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix foaf:    <http://xmlns.com/foaf/0.1/> .
@prefix org:     <http://www.w3.org/ns/org#> .
@prefix rdfs:    <http://www.w3.org/2000/01/rdf-schema#> .

graph:entities dcterms:type code:reference-graph .

agent:pilots a org:Organization ; rdfs:label "Guild of Pilots"@en ; foaf:name "The Pilots"@en .
agent:silt a org:Organization ; rdfs:label "Silt"@en .
agent:wardens-north a org:Organization ; rdfs:label "Harbour wardens"@en .
agent:wardens-south a org:Organization ; rdfs:label "Harbour wardens"@en .
place:harbour dcterms:identifier "no label, and yet described" .
doc:logbook a pev:Report ; rdfs:label "Logbook"@en .
"""

TEXT = """
@prefix pev:     <https://w3id.org/policy-evidence/ns#> .
@prefix agent:   <https://w3id.org/policy-evidence/id/agent/> .
@prefix barrier: <https://w3id.org/policy-evidence/id/barrier/> .
@prefix doc:     <https://w3id.org/policy-evidence/id/doc/> .
@prefix theme:   <https://w3id.org/policy-evidence/theme/> .
@prefix code:    <https://w3id.org/policy-evidence/code/> .
@prefix graph:   <https://w3id.org/policy-evidence/graph/> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix rdfs:    <http://www.w3.org/2000/01/rdf-schema#> .

graph:source-logbook {
    graph:source-logbook dcterms:type code:source-graph .
    barrier:mud a pev:Barrier ; rdfs:label "Mud"@en ; pev:paraphrase "Mud lies in the channel."@en ;
        pev:statedIn doc:logbook ; pev:assertedBy agent:pilots ; pev:blocks theme:dredging .
}
graph:curated-logbook {
    graph:curated-logbook dcterms:type code:curated-graph .
    barrier:mud pev:affects theme:lights .
}
"""

# A question of each type of literal: what is given comes back, whatever stands in it.
ECHO = """#+ summary: What was given?
#+ param value: xsd:{type}
#+ column value: xsd:{type}
SELECT ?value WHERE {{ VALUES ?value {{ {example} }} }}
"""
EXAMPLES = {
    "string": '"plain"',
    "integer": "1",
    "decimal": "1.5",
    "gYear": '"2020"^^<http://www.w3.org/2001/XMLSchema#gYear>',
    "date": '"2020-02-29"^^<http://www.w3.org/2001/XMLSchema#date>',
    "boolean": "true",
}
TOGETHER = """#+ summary: Which of these things are there?
#+ param thing: iri of foaf:Agent, many
#+ param year: xsd:gYear, optional
#+ column thing: iri
PREFIX agent: <https://w3id.org/policy-evidence/id/agent/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
SELECT DISTINCT ?thing WHERE {
  VALUES ?thing { agent:pilots }
  VALUES ?year { "2020"^^xsd:gYear }
  ?thing ?p ?o .
} ORDER BY ?thing
"""


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Release]:
    folder = tmp_path_factory.mktemp("harbour")
    workspace = init_workspace(folder / "workspace")
    (workspace.root / "ontology" / "themes.ttl").write_text(THEMES, encoding="utf-8")
    (workspace.root / "graph" / "entities.ttl").write_text(ENTITIES, encoding="utf-8")
    (workspace.root / "graph" / "sources" / "logbook.trig").write_text(TEXT, encoding="utf-8")
    for kind, example in EXAMPLES.items():
        text = ECHO.format(type=kind, example=example)
        (workspace.root / "queries" / f"echo-{kind}.rq").write_text(text, encoding="utf-8")
    (workspace.root / "queries" / "together.rq").write_text(TOGETHER, encoding="utf-8")
    opened = open_release(build(workspace, settings, folder / "release", check="none").directory.root)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def town(harbour: Release, settings: Settings) -> Answers:
    return Answers(harbour, read_texts(None), settings)


def _value(town: Answers, kind: str, text: str) -> str:
    (row,) = town.ask(f"echo-{kind}", {"value": [text]}).results
    return row["value"].value


# Names


@pytest.mark.parametrize(
    "name",
    [
        f"{BASE}id/agent/pilots",
        f"<{BASE}id/agent/pilots>",
        "agent:pilots",
        "Guild of Pilots",
        "guild of pilots",
        "  Guild  of   Pilots ",
        "GUILD OF PILOTS",
        "Guild of Pílots",
        "The Pilots",
        "the pilots",
    ],
)
def test_a_thing_answers_to_its_iri_curie_label_and_alternative_label(town: Answers, name: str) -> None:
    found = town.entity(name)
    assert (found.iri, found.curie) == (f"{BASE}id/agent/pilots", "agent:pilots")
    assert (found.label, found.type) == ("Guild of Pilots", "org:Organization")


@pytest.mark.parametrize("name", ["Éperon", "eperon", "EPERON", "E\u0301peron"])
def test_accents_do_not_matter_in_either_direction(town: Answers, name: str) -> None:
    assert town.entity(name).curie == "theme:dredging"


def test_an_unknown_name_is_told_with_the_nearest(town: Answers) -> None:
    with pytest.raises(UnknownName) as caught:
        town.entity("Gild of Pilotts")
    assert caught.value.nearest[0].curie == "agent:pilots"
    assert "Gild of Pilotts" in str(caught.value)
    assert "Guild of Pilots (agent:pilots)" in str(caught.value)


@pytest.mark.parametrize("name", ["agent:nobody", f"{BASE}id/agent/nobody", "nobody:pilots", "\0", "<no iri>"])
def test_a_name_of_nothing_is_unknown_in_every_form(town: Answers, name: str) -> None:
    with pytest.raises(UnknownName):
        town.entity(name)


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_no_name(town: Answers, name: str) -> None:
    with pytest.raises(BadParameter, match="body: is empty; give an IRI, a CURIE or a label"):
        town.entity(name, parameter="body")


def test_of_a_long_name_a_part_is_repeated(town: Answers) -> None:
    with pytest.raises(UnknownName) as caught:
        town.entity("q" * 100_000)
    assert len(str(caught.value)) < 200


def test_the_nearest_names_are_of_the_class_asked_for(town: Answers) -> None:
    with pytest.raises(UnknownName) as caught:
        town.entity("Drudging", "pev:Theme")
    assert {entity.type for entity in caught.value.nearest} == {"pev:Theme"}


def test_a_label_is_looked_up_within_its_class(town: Answers) -> None:
    assert town.entity("Silt", "pev:Theme").curie == "theme:dredging"
    assert town.entity("Silt", "foaf:Agent").curie == "agent:silt"


def test_a_preferred_label_goes_before_an_alternative_one(town: Answers) -> None:
    assert town.entity("Silt").curie == "agent:silt"


def test_a_thing_of_a_class_below_the_one_asked_for_fits(town: Answers) -> None:
    assert town.entity("barrier:mud", "pev:Item").curie == "barrier:mud"
    assert town.entity("Mud", "pev:Factor").curie == "barrier:mud"


@pytest.mark.parametrize("name", ["agent:pilots", f"{BASE}id/agent/pilots"])
def test_a_thing_of_another_class_is_a_bad_parameter_that_names_both_classes(town: Answers, name: str) -> None:
    with pytest.raises(BadParameter, match=r"^theme: agent:pilots is no pev:Theme but a org:Organization"):
        town.entity(name, "pev:Theme", "theme")


def test_of_several_themes_with_one_label_the_common_one_is_taken(town: Answers) -> None:
    assert town.entity("Dredging").curie == "theme:dredging"
    assert town.entity("dredging", "pev:Theme").scheme == "scheme:themes"


def test_themes_of_reports_with_one_label_are_ambiguous(town: Answers) -> None:
    with pytest.raises(AmbiguousName) as caught:
        town.entity("Tolls", "pev:Theme")
    assert [entity.curie for entity in caught.value.nearest] == ["theme:mole-tolls", "theme:quay-tolls"]
    assert [entity.scheme for entity in caught.value.nearest] == ["scheme:mole2021", "scheme:quay2020"]


def test_an_ambiguous_label_is_told_with_its_candidates(town: Answers) -> None:
    with pytest.raises(AmbiguousName, match=r"agent:wardens-north, agent:wardens-south") as caught:
        town.describe("Harbour wardens")
    assert {entity.type for entity in caught.value.nearest} == {"org:Organization"}


def test_a_thing_without_a_label_is_called_by_its_curie(town: Answers) -> None:
    found = town.describe("place:harbour")
    assert (found.entity.label, found.entity.curie, found.entity.type) == ("place:harbour", "place:harbour", None)
    assert [fact.value for fact in found.facts] == ["no label, and yet described"]
    assert (found.says, found.results, found.evidence) == (None, (), ())


def test_every_name_of_the_real_graph_leads_back_to_its_thing(answers: Answers, release: Release) -> None:
    for (x,) in release.source.select("SELECT DISTINCT ?x { ?x a/rdfs:subClassOf* pev:Item }").rows:
        entity = answers.entity(str(getattr(x, "value", "")))
        assert answers.entity(entity.curie) == entity
        assert answers.entity(entity.label, entity.type) == entity


@pytest.mark.parametrize("word", ["finance", "money", "budgets"])
def test_the_words_that_people_use_find_the_theme_of_finance(answers: Answers, word: str) -> None:
    assert answers.entity(word, "pev:Theme").curie == "theme:finance"


# Parameters


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"theme: is missing; give a pev:Theme, such as theme:strategic-planning"),
        ({"theme": []}, r"theme: is missing"),
        ({"theme": ["Dredging", "Harbour lights"]}, r"theme: takes one value; 2 were given"),
        ({"theme": ["Dredging"], "colour": ["red"]}, r"colour: .* has no such parameter; it has theme"),
        ({"Theme": ["Dredging"]}, r"Theme: .* has no such parameter; it has theme"),
        ({"theme": ["agent:pilots"]}, r"theme: agent:pilots is no pev:Theme"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(town: Answers, given: dict[str, list[str]], message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        town.ask("barriers-blocking-theme", given)


def test_a_question_that_takes_nothing_says_so(town: Answers) -> None:
    with pytest.raises(BadParameter, match="it has none"):
        town.ask("contradictions", {"theme": ["Dredging"]})


def test_an_unknown_question_is_an_unknown_name(town: Answers) -> None:
    with pytest.raises(UnknownName, match="no question 'nonesuch'"):
        town.ask("nonesuch", {})


def test_a_query_that_only_the_program_uses_is_no_question(town: Answers) -> None:
    with pytest.raises(UnknownName, match="no question 'labels'"):
        town.ask("labels", {})


def test_a_parameter_may_take_many_values(town: Answers) -> None:
    found = town.ask("together", {"thing": ["Silt", "agent:pilots", "agent:pilots"]})
    assert [row["thing"].label for row in found.results] == ["Guild of Pilots", "Silt"]
    assert found.parameters == {"thing": [f"{BASE}id/agent/silt", *[f"{BASE}id/agent/pilots"] * 2]}


def test_an_optional_parameter_that_is_absent_takes_its_block_out(town: Answers) -> None:
    without = town.ask("together", {"thing": ["Silt"]})
    given = town.ask("together", {"thing": ["Silt"], "year": ["1999"]})
    assert "?year" not in without.sparql
    assert '"1999"' in given.sparql
    assert "2020" not in given.sparql
    assert given.parameters["year"] == "1999"


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("string", ["", "two words", "日本", "  kept  "]),
        ("integer", ["0", "-7", "123456789012345678"]),
        ("decimal", ["3", "-0.5"]),
        ("gYear", ["1899", "2024"]),
        ("date", ["2024-02-29"]),
        ("boolean", ["true", "false"]),
    ],
)
def test_a_literal_is_taken_in_its_declared_type(town: Answers, kind: str, good: list[str]) -> None:
    for text in good:
        (row,) = town.ask(f"echo-{kind}", {"value": [text]}).results
        cell = row["value"]
        assert (cell.value, cell.type) == (text, "literal")
        assert cell.datatype == (None if kind == "string" else f"{XSD}{kind}")


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("integer", ["", "one", "1.0", "1e3", "٣", "1" * 30, "1 2", "1\n"]),
        ("decimal", ["", ".5", "1.", "NaN", "1,5"]),
        ("gYear", ["", "18", "20244", "MMXX", "２０２４"]),
        ("date", ["", "2023-02-29", "2024-2-9", "29/02/2024", "2024-02-29T00:00:00", "20240229"]),
        ("boolean", ["", "yes", "1", "TRUE"]),
    ],
)
def test_a_literal_that_is_not_of_its_type_is_a_bad_parameter(town: Answers, kind: str, bad: list[str]) -> None:
    for text in bad:
        with pytest.raises(BadParameter) as caught:
            town.ask(f"echo-{kind}", {"value": [text]})
        assert str(caught.value) == f"value: {text!r} is no xsd:{kind}."


ESCAPES = [
    '"',
    '" } #',
    "\\",
    '\\" } SELECT * { ?s ?p ?o } #',
    '"""',
    "' } #",
    "} UNION { ?s ?p ?o } {",
    'x"@en "y',
    "line\nbreak\r\ttab",
    "\\u0022 } #",
    "?value",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_a_text_cannot_leave_its_values_block(town: Answers, text: str) -> None:
    assert _value(town, "string", text) == text


@pytest.mark.parametrize("text", [*ESCAPES, "theme:dredging } #", f"<{BASE}theme/dredging> }} #", "<http://x> } #"])
def test_a_name_cannot_leave_its_values_block(town: Answers, text: str) -> None:
    with pytest.raises(UnknownName):
        town.ask("barriers-blocking-theme", {"theme": [text]})


# Answers


def test_empty_is_not_unknown(town: Answers) -> None:
    found = town.ask("barriers-blocking-theme", {"theme": ["theme:quay-tolls"]})
    assert found.results == ()
    assert found.truncated is False
    with pytest.raises(UnknownName):
        town.ask("barriers-blocking-theme", {"theme": ["theme:piracy"]})


def test_an_answer_carries_release_columns_labels_and_the_query_that_reproduces_it(town: Answers) -> None:
    found = town.ask("barriers-blocking-theme", {"theme": ["Silt"]})
    assert found.release == town.release_id
    assert [(row["barrier"].label, row["how"].value) for row in found.results] == [("Mud", "said")]
    assert town.select(found.sparql).results == found.results


def test_said_and_judged_are_told_apart(town: Answers) -> None:
    (row,) = town.ask("barriers-blocking-theme", {"theme": ["Harbour lights"]}).results
    assert row["how"].value == "judged"


def test_a_table_that_is_cut_says_so(harbour: Release, settings: Settings) -> None:
    query = "SELECT ?s { ?s ?p ?o } ORDER BY ?s LIMIT 5"
    whole = Answers(harbour, read_texts(None), replace(settings, max_rows=5)).select(query)
    cut = Answers(harbour, read_texts(None), replace(settings, max_rows=4)).select(query)
    assert (len(whole.results), whole.truncated) == (5, False)
    assert (len(cut.results), cut.truncated) == (4, True)
    assert cut.results == whole.results[:4]


def test_a_question_that_is_cut_says_so_too(release: Release, settings: Settings) -> None:
    found = Answers(release, read_texts(None), replace(settings, max_rows=1)).ask("recurring-themes", {})
    assert (len(found.results), found.truncated) == (1, True)


def test_cells_keep_datatype_language_and_what_is_unbound(town: Answers) -> None:
    query = 'SELECT ?a ?b ?c ?d { VALUES (?a ?b ?c ?d) { (agent:pilots 7 "sept"@fr UNDEF) } }'
    (row,) = town.select(query).results
    assert (row["a"].type, row["a"].label) == ("uri", "Guild of Pilots")
    assert (row["b"].value, row["b"].datatype) == ("7", f"{XSD}integer")
    assert (row["c"].value, row["c"].lang, row["c"].datatype) == ("sept", "fr", None)
    assert "d" not in row


@pytest.mark.parametrize("query", ["ASK {}", "CONSTRUCT WHERE { ?s ?p ?o }", "DESCRIBE agent:pilots", "SELECT"])
def test_only_a_select_gives_a_table(town: Answers, query: str) -> None:
    with pytest.raises(BadSparql):
        town.select(query)


def test_free_queries_pass_the_same_guard_as_the_endpoint(town: Answers) -> None:
    with pytest.raises(Forbidden, match="KG_SERVICE_ALLOWED"):
        town.select("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }")
    with pytest.raises(Forbidden, match="read-only"):
        town.select("CLEAR ALL")
    with pytest.raises(LimitError, match="KG_MAX_NESTING"):
        town.select("SELECT * " + "{" * 200 + "}" * 200)


# Things and links


def test_a_description_says_what_is_recorded_and_by_whom(town: Answers) -> None:
    found = town.describe("Mud")
    assert found.says == "Mud lies in the channel."
    links = {(r.label, r.direction, r.other.curie, r.basis) for r in found.results}
    assert ("blocks", "forward", "theme:dredging", Basis.SAID) in links
    assert ("affects", "forward", "theme:lights", Basis.JUDGED) in links
    assert all(r.origins == (f"{BASE}id/doc/logbook",) for r in found.results)


def test_neighbours_are_cut_at_the_limit_and_say_how_many_there_are(town: Answers) -> None:
    whole, cut = town.neighbours("Mud", 1000), town.neighbours("Mud", 1)
    assert len(whole.results) == whole.total > 1
    assert whole.truncated is False
    assert (len(cut.results), cut.total, cut.truncated) == (1, whole.total, True)


def test_a_thing_without_links_has_no_neighbours(town: Answers) -> None:
    found = town.neighbours("place:harbour")
    assert (found.total, found.results, found.truncated) == (0, (), False)


def test_what_has_no_links_is_connected_to_nothing_and_the_reason_is_told(town: Answers) -> None:
    found = town.connect("place:harbour", "Mud")
    assert found.paths == ()
    assert found.why_none is not None
    assert "place:harbour has no links" in found.why_none.reason


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_a_bad_parameter(town: Answers, limit: int) -> None:
    for ask in (town.neighbours, town.describe):
        with pytest.raises(BadParameter, match=rf"^limit: {limit} is not between 1 and 1000"):
            ask("Mud", limit)
    with pytest.raises(BadParameter, match=rf"^limit: {limit} "):
        town.search("mud", limit=limit)
    with pytest.raises(BadParameter, match=rf"^limit: {limit} "):
        town.connect("Mud", "Dredging", limit=limit)


@pytest.mark.parametrize("max_hops", [0, 13])
def test_a_number_of_hops_out_of_range_is_a_bad_parameter(town: Answers, max_hops: int) -> None:
    with pytest.raises(BadParameter, match=rf"^max_hops: {max_hops} is not between 1 and 12"):
        town.connect("Mud", "Dredging", max_hops)


def test_a_thing_is_not_connected_to_itself(town: Answers) -> None:
    with pytest.raises(BadParameter, match="the same as from"):
        town.connect("Silt", "agent:silt")


# Searching


def test_an_exact_label_comes_first_and_a_typing_error_is_forgiven(town: Answers) -> None:
    assert town.search("dredging").results[0].label == "Dredging"
    assert "agent:pilots" in {entity.curie for entity in town.search("Gild of Pilotts").results}
    assert "theme:lights" in {entity.curie for entity in town.search("harbour lig").results}


def test_a_search_that_finds_nothing_is_empty_and_no_error(town: Answers) -> None:
    assert town.search("xyzzyx").results == ()


@pytest.mark.parametrize("words", ["", "   "])
def test_a_search_without_words_is_a_bad_parameter(town: Answers, words: str) -> None:
    with pytest.raises(BadParameter, match="q: is empty"):
        town.search(words)


@pytest.mark.parametrize("words", ['"', "*", "AND", "NEAR(", "label:x", "-", "^mud", "mud OR", "'; --", "\0"])
def test_the_marks_of_the_index_are_words_like_others(town: Answers, words: str) -> None:
    town.search(words)


@pytest.mark.parametrize("kind", ["pev:Nonesuch", "nonesuch", "http://example.org/Class", "<no iri>", "agent:pilots"])
def test_a_search_within_an_unknown_class_is_a_bad_parameter(town: Answers, kind: str) -> None:
    with pytest.raises(BadParameter, match=r"^type: "):
        town.search("mud", kind)


@pytest.mark.parametrize("kind", ["pev:Theme", "pev:Item", "foaf:Agent", "pev:Commitment"])
def test_a_known_class_may_have_no_match(town: Answers, kind: str) -> None:
    assert {entity.curie for entity in town.search("mud", kind).results} <= {"barrier:mud"}
