"""Questions on the whole of the five texts; each answer was checked by hand against the texts."""

from __future__ import annotations

import importlib.util
import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from fastapi.testclient import TestClient

import kg
from conftest import ROOT, application
from kg.analysis import comparison, fragility, news, tensions, timeline
from kg.analysis.centrality import CONTENT, DIRECTED_TO, Network
from kg.analysis.independence import Independence, Sources
from kg.analysis.questions import Analysis
from kg.analysis.reading import Reader
from kg.answers import Answers
from kg.evidence import read_texts
from kg.model import Basis, Entity, Passage
from kg.names import PEV
from kg.release.opened import Release
from kg.workspace import Settings

SAID = frozenset({Basis.SAID})


@pytest.fixture(scope="module")
def analysis(answers: Answers) -> Analysis:
    return answers.analysis


@pytest.fixture(scope="module")
def client(answers: Answers) -> Iterator[TestClient]:
    with TestClient(application(answers.opened, answers.settings)) as opened:
        yield opened


def _curies(entities: Sequence[Entity]) -> set[str]:
    return {entity.curie for entity in entities}


# blockers


def test_four_barriers_of_the_third_key_message_block_strategic_planning_and_one_origin_says_so(
    analysis: Analysis,
) -> None:
    found = analysis.blockers("Strategic planning")
    assert {(b.barrier.curie, b.depth, b.basis) for b in found.results} == {
        ("barrier:as2018-leadership-capacity", 1, Basis.SAID),
        ("barrier:as2018-leadership-turnover", 1, Basis.SAID),
        ("barrier:as2018-governance-disagreement", 1, Basis.SAID),
        ("barrier:as2018-data-sharing", 1, Basis.SAID),
    }
    assert (found.total, found.origins, found.independent, found.complete) == (4, 1, 1, True)


def test_what_blocks_a_narrower_theme_is_one_step_further_and_its_conclusion_is_not_told_beside_it(
    analysis: Analysis,
) -> None:
    found = analysis.blockers("theme:finance")
    assert {(b.barrier.curie, b.against.curie) for b in found.results} == {
        ("barrier:as2018-financial-planning", "theme:integrated-finance"),
        ("barrier:as2018-financial-pressure", "theme:funding-level"),
        ("barrier:johnston-unscheduled-budgets", "theme:integrated-finance"),
        ("barrier:piru-community-cuts", "theme:funding-level"),
        ("barrier:piru-no-dedicated-funding", "theme:funding-level"),
    }
    assert {b.depth for b in found.results} == {2}
    assert (found.origins, found.independent) == (3, 3)
    into_goal = {link.from_ for link in found.links if link.to == found.entity.iri}
    assert all("/theme/" in iri for iri in into_goal)


def test_an_english_outcome_is_blocked_through_the_initiative_that_aims_at_it(analysis: Analysis) -> None:
    found = analysis.blockers("initiative:hospital-cost-containment")
    assert {(b.depth, b.against.curie) for b in found.results} == {(2, "initiative:england-integration")}
    assert found.total == 5, "the study names five barriers to integration in England"


def test_by_said_links_alone_nothing_stands_in_the_way_of_finance_because_no_text_says_so(analysis: Analysis) -> None:
    assert analysis.blockers("theme:finance", basis=SAID).results == ()


def test_a_search_that_stops_short_says_that_chains_may_go_on(analysis: Analysis) -> None:
    near = analysis.blockers("theme:finance", max_hops=1)
    assert not near.complete
    assert analysis.blockers("theme:finance", max_hops=6).complete


def test_a_thing_that_nothing_blocks_has_an_empty_list(analysis: Analysis) -> None:
    found = analysis.blockers("COSLA")
    assert (found.results, found.links, found.total, found.truncated) == ((), (), 0, False)


# keystones and what if


def test_staff_too_stretched_is_the_keystone_because_no_other_barrier_is_filed_under_staff_or_engagement(
    analysis: Analysis,
) -> None:
    first = analysis.keystones().results[0]
    assert first.barrier.curie == "barrier:piru-firefighting"
    assert {freed.entity.curie for freed in first.frees} == {
        "theme:engagement",
        "theme:staff-capacity",
        "theme:staff-engagement",
        "theme:workforce",
    }
    assert {freed.basis for freed in first.frees} == {Basis.INFERRED}


def test_by_what_is_said_the_funding_barrier_alone_holds_service_change_in_england(analysis: Analysis) -> None:
    found = {k.barrier.curie: k for k in analysis.keystones(basis=SAID).results}
    assert [f.entity.curie for f in found["barrier:piru-no-dedicated-funding"].frees] == ["theme:service-change"]
    assert "theme:strategic-planning" not in {f.entity.curie for k in found.values() for f in k.frees}


def test_shares_of_a_theme_add_up_to_one(analysis: Analysis) -> None:
    found = analysis.keystones(limit=1000)
    blocked = {e.entity.iri for k in found.results for e in analysis.what_if(k.barrier.iri, limit=1000).results}
    themes = [iri for iri in blocked if "/theme/" in iri]
    assert sum(k.share for k in found.results) == pytest.approx(len(themes), abs=0.01)


def test_without_stretched_staff_four_barriers_are_left_against_integration_in_england(analysis: Analysis) -> None:
    found = analysis.what_if("barrier:piru-firefighting")
    effects = {effect.entity.curie: effect for effect in found.results}
    england = effects["initiative:england-integration"]
    assert (england.before, england.after, england.freed) == (5, 4, False)
    assert england.cut_size == 4 and _curies(england.cut) == _curies(england.left)
    assert effects["theme:workforce"].freed and found.freed == 4


def test_the_question_in_sparql_finds_what_the_analysis_finds(analysis: Analysis, answers: Answers) -> None:
    for keystone in analysis.keystones(limit=1000).results:
        found = analysis.what_if(keystone.barrier.iri, limit=1000)
        rows = answers.ask("what-if-a-barrier-went", {"barrier": [keystone.barrier.iri]}).results
        asked = sorted((row["thing"].value, int(row["before"].value), int(row["after"].value)) for row in rows)
        assert asked == sorted((e.entity.iri, e.before, e.after) for e in found.results)


def test_costs_can_be_freed_by_clearing_two_initiatives_rather_than_fourteen_barriers(analysis: Analysis) -> None:
    found = analysis.what_if("barrier:piru-firefighting")
    costs = next(e for e in found.results if e.entity.curie == "outcome:lower-costs")
    assert costs.after == 14
    assert _curies(costs.cut) == {"initiative:england-integration", "initiative:scotland-integration"}


# compare


def test_the_audit_report_is_silent_on_democracy_and_the_english_study_has_it_out_of_scope(analysis: Analysis) -> None:
    cells = analysis.compare("Democratic accountability").results
    states = {(c.document.curie, c.kind): c.state for c in cells}
    assert states["doc:as2018-report", "pev:Barrier"] == "silent", "others raise it about integration in Scotland"
    assert states["doc:piru-study", "pev:Barrier"] == "out of scope", "nobody raises it about England"


def test_one_councillor_in_the_room_and_the_mandate_from_both_governments_contradict_each_other(
    analysis: Analysis,
) -> None:
    cells = {(c.document.curie, c.kind): c for c in analysis.compare("Democratic accountability").results}
    newsletter = cells["doc:newsletter-piru-item", "pev:Finding"]
    johnston = cells["doc:johnston2018-opinion", "pev:Enabler"]
    assert newsletter.state == johnston.state == "contradicts"
    assert _curies(newsletter.contradictions[0].contradicted_by) == {"enabler:johnston-dual-mandate"}
    assert cells["doc:johnston2018-opinion", "pev:Finding"].state == "says"


def test_an_article_that_carries_the_proposals_relays_them_and_is_no_source_of_them(analysis: Analysis) -> None:
    found = analysis.compare("Community engagement")
    cells = {(c.document.curie, c.kind): c for c in found.results}
    assert cells["doc:white2019-article", "pev:Recommendation"].state == "relays"
    assert cells["doc:msg2019-report", "pev:Recommendation"].state == "says"
    assert (found.origins, found.independent) == (3, 1), "both later recommendations say the auditors' one again"


# gaps


def test_nobody_recommends_anything_against_cuts_distrust_and_stretched_staff_in_england(analysis: Analysis) -> None:
    rows = analysis.gaps(limit=1000).results
    lacking = {row.barrier.curie for row in rows if row.gap == "no recommendation"}  # type: ignore[union-attr]
    assert lacking == {
        "barrier:as2018-financial-pressure",
        "barrier:piru-community-cuts",
        "barrier:piru-distrust",
        "barrier:piru-firefighting",
        "barrier:piru-no-dedicated-funding",
        "barrier:piru-professional-boundaries",
    }, "the only answer to missing money is a promise, which is no recommendation"


def test_the_call_for_joint_planning_of_finance_is_not_taken_up_in_what_is_recorded_of_the_later_review(
    analysis: Analysis,
) -> None:
    rows = [r for r in analysis.gaps("theme:integrated-finance").results if r.gap == "no follow-up"]
    planning = next(r for r in rows if r.barrier.curie == "barrier:as2018-financial-planning")  # type: ignore[union-attr]
    assert {claim.item.curie for claim in planning.recommendation} == {  # type: ignore[union-attr]
        "recommendation:as2018-3",
        "recommendation:msg2019-outcome-spending",
        "recommendation:msg2019-total-resources",
    }
    assert planning.follow_up == ()


def test_governance_is_recommended_on_and_the_later_review_says_it_again(analysis: Analysis) -> None:
    rows = analysis.gaps("Governance and accountability").results
    row = next(r for r in rows if r.barrier.curie == "barrier:as2018-governance-disagreement")  # type: ignore[union-attr]
    assert row.gap is None
    assert {later.item.curie for later in row.follow_up} == {"recommendation:msg2019-governance"}  # type: ignore[union-attr]


def test_the_reverse_list_names_recommendations_that_answer_no_barrier(analysis: Analysis) -> None:
    rows = analysis.gaps(reverse=True, limit=1000).results
    lacking = {row.recommendation.curie for row in rows if row.gap == "no barrier"}  # type: ignore[union-attr]
    assert "recommendation:msg2019-third-sector" in lacking, "no text calls relations with charities a barrier"
    assert "recommendation:as2018-5" not in lacking, "the auditors name unshared data as a barrier"


def test_the_five_texts_tell_of_no_recommendation_how_far_it_has_come(analysis: Analysis) -> None:
    counts = analysis.lineage("recommendation:as2018-6").counts
    assert counts["self-reported"] == counts["verified"] == counts["unknown"] == 0


# tensions


def test_the_only_said_or_judged_contradiction_is_about_councillors(analysis: Analysis) -> None:
    found = analysis.tensions()
    assert found.counts == {
        "contradicts": 1,
        "opposite stance": 0,
        "changed over time": 0,
        "differs by addressee": 2,
        "differs by place": 1,
    }
    contradiction = found.results[0]
    assert (contradiction.type, contradiction.basis) == ("contradicts", Basis.JUDGED)
    assert "theme:democratic-accountability" in _curies(contradiction.themes)


def test_staff_engagement_is_hindered_in_england_and_only_helped_in_scotland(analysis: Analysis) -> None:
    place = next(t for t in analysis.tensions().results if t.type == "differs by place")
    assert [(s.place and s.place.curie, s.stance, [c.item.curie for c in s.claims]) for s in place.sides] == [
        ("place:england", "hindered", ["barrier:piru-firefighting"]),
        ("place:scotland", "helped", ["enabler:as2018-engagement"]),
    ]


def test_engagement_is_asked_of_named_bodies_by_the_auditors_and_of_all_authorities_by_the_members_body(
    analysis: Analysis,
) -> None:
    pairs = [
        {claim.item.curie for side in t.sides for claim in side.claims}
        for t in analysis.tensions().results
        if t.type == "differs by addressee"
    ]
    assert {"recommendation:as2018-6", "recommendation:sdss-full-engagement"} in pairs


# lineage


def test_the_call_for_engagement_is_restated_twice_and_stays_one_independent_source(analysis: Analysis) -> None:
    found = analysis.lineage("recommendation:as2018-6")
    restating = {h.item.curie for h in found.results if h.event == "restated" and h.item}
    assert restating == {"recommendation:msg2019-engagement", "recommendation:sdss-full-engagement"}
    assert (found.origins, found.independent) == (3, 1)
    assert found.results[0].event == "stated" and _curies(found.results[0].by) == {"agent:audit-scotland"}


def test_cosla_accepts_the_proposals_by_welcoming_the_report_that_makes_them(analysis: Analysis) -> None:
    found = analysis.lineage("recommendation:msg2019-engagement")
    accepting = [h for h in found.results if h.event == "accepted" and h.issued == "2019"]
    assert [_curies(h.by) for h in accepting] == [{"agent:cosla", "person:stuart-currie"}]


def test_better_relationships_within_a_year_extends_the_auditors_call_by_a_time(analysis: Analysis) -> None:
    found = analysis.lineage("recommendation:as2018-stronger-commitment")
    details = {d.curie for h in found.results if h.event == "extended" for d in h.details}
    assert "pev:timeframe" in details


# timeline


def test_pace_of_change_recurs_in_both_years_and_integrated_finance_too(analysis: Analysis) -> None:
    found = {theme.theme.curie: theme for theme in analysis.timeline().results}
    assert found["theme:pace-of-change"].recurs and found["theme:integrated-finance"].recurs
    assert [(y.year, y.state) for y in found["theme:pace-of-change"].years] == [("2018", "named"), ("2019", "named")]


def test_information_sharing_is_named_by_the_auditors_and_passed_over_in_silence_a_year_later(
    analysis: Analysis,
) -> None:
    (theme,) = analysis.timeline("Information sharing").results
    assert [(y.year, y.state, y.barriers) for y in theme.years] == [("2018", "named", 1), ("2019", "silent", 0)]
    assert not theme.recurs


# fragile


def test_the_held_back_budgets_rest_on_one_passage_and_nothing_else_stands_against_autonomy(
    analysis: Analysis,
) -> None:
    found = analysis.fragile("doc:johnston2018-opinion", limit=1000)
    one = next(f for f in found.results if f.claims[0].item.curie == "barrier:johnston-unscheduled-budgets")
    assert (one.passage.start, one.passage.end) == (2053, 2151)
    assert _curies(one.frees) == {"outcome:integration-authority-autonomy"}
    assert one.falls["said"] == 7, "who asserts it and in which role, where, about what, against what"


def test_an_item_with_two_passages_is_not_fragile(analysis: Analysis) -> None:
    items = {c.item.curie for f in analysis.fragile(limit=1000).results for c in f.claims}
    assert "barrier:piru-firefighting" not in items, "the heading of the list of barriers shows it too"


# news


def test_the_review_of_2019_repeats_eight_items_and_is_first_to_ask_for_understanding_between_partners(
    analysis: Analysis,
) -> None:
    found = analysis.news("doc:msg2019-report")
    assert found.counts == {"new": 7, "repeats": 8, "drops": 9}
    new = {one.item.item.curie for one in found.results if one.news == "new"}
    assert "recommendation:msg2019-understand-partners" in new
    assert "recommendation:msg2019-engagement" not in new, "the auditors asked for it the year before"


def test_what_is_recorded_of_the_review_drops_data_sharing_and_does_not_drop_governance(analysis: Analysis) -> None:
    dropped = {one.item.item.curie for one in analysis.news("doc:msg2019-report").results if one.news == "drops"}
    assert {"barrier:as2018-data-sharing", "recommendation:as2018-5"} <= dropped
    assert not {"barrier:as2018-governance-disagreement", "recommendation:as2018-4"} & dropped


def test_an_undated_document_has_no_news_and_says_why(analysis: Analysis) -> None:
    found = analysis.news("doc:newsletter-piru-item")
    assert (found.dated, found.results) == (False, ())


# central


def test_councils_are_asked_three_times_by_two_independent_origins(analysis: Analysis) -> None:
    first = analysis.central().results[0]
    assert (first.entity.curie, first.kind, first.asked) == ("group:councils", "body", 3)
    assert (first.origins, first.independent) == (2, 2), "the auditors twice, a councillor once"


def test_the_barriers_of_most_weight_come_first_with_who_answers_them(analysis: Analysis) -> None:
    barriers = [one for one in analysis.central(limit=20).results if one.kind == "barrier"]
    assert [one.pagerank for one in barriers] == sorted((one.pagerank for one in barriers), reverse=True)
    leading = {one.entity.curie for one in barriers[:3]}
    assert "barrier:johnston-professional-gap" in leading, "three others resemble it or its kind, four answer it"


def test_weights_are_those_that_networkx_finds(release: Release) -> None:
    reader = Reader(release, read_texts(None))
    links = release.links
    graph: nx.DiGraph[int] = nx.DiGraph()
    for number in reader.links_of_type(*CONTENT).tolist():
        graph.add_edge(int(links.arrays["subject"][number]), int(links.arrays["object"][number]))
    # networkx's own pagerank() asks for SciPy; its Google matrix does not, and PageRank is where that comes to rest.
    matrix = np.linalg.matrix_power(nx.google_matrix(graph), 400)
    ours = Network(reader).pagerank
    assert matrix[0] == pytest.approx(np.array([ours[node] for node in graph]), abs=1e-9)


def test_betweenness_is_that_of_networkx_between_themes_and_bodies(release: Release) -> None:
    reader = Reader(release, read_texts(None))
    links = release.links
    graph: nx.Graph[int] = nx.Graph()
    for number in reader.links_of_type(*CONTENT).tolist():
        graph.add_edge(int(links.arrays["subject"][number]), int(links.arrays["object"][number]))
    numbers = (links.node(row["theme"]) for row in reader.rows("common-themes"))
    themes = [node for node in numbers if node is not None and node in graph]
    asked = {int(links.arrays["object"][n]) for n in reader.links_of_type(DIRECTED_TO)}
    theirs = nx.betweenness_centrality_subset(graph, themes, list(asked))
    ways = sum(nx.has_path(graph, theme, body) for theme in themes for body in asked)
    ours = Network(reader).betweenness
    # networkx halves the sum for undirected graphs and does not divide by the number of ways.
    assert {n: pytest.approx(2 * value / ways, abs=1e-9) for n, value in theirs.items()} == {n: ours[n] for n in graph}


# independence


def _naive(
    items: Sequence[str], graph: nx.DiGraph[str], origin: dict[str, str], covers: set[tuple[str, str]]
) -> Sources:
    """Counts as docs/connections.md has it, by trying each document beside each other one."""
    of: dict[str, list[str]] = {}
    for item, document in origin.items():
        of.setdefault(document, []).append(item)

    def depends(one: str, other: str) -> bool:
        says_again = any(nx.has_path(graph, a, b) for a in of[one] for b in of[other])
        both_cover = {c for d, c in covers if d == one} & {c for d, c in covers if d == other}
        return (one, other) in covers or says_again or (bool(both_cover) and other < one)

    stated = {origin[item] for item in items}
    free = {one for one in stated if not any(depends(one, other) for other in stated if other != one)}
    return Sources(len(stated), max(len(free), min(len(stated), 1)))


def test_sources_of_any_items_are_those_that_a_naive_count_finds(release: Release) -> None:
    reader = Reader(release, read_texts(None))
    independence = Independence(reader)
    links = [release.links.link(n) for n in range(release.links.link_count)]
    origin = {link.subject: link.object for link in links if link.predicate == PEV + "statedIn"}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(origin)
    graph.add_edges_from((k.subject, k.object) for k in links if k.predicate == PEV + "reiterates")
    covers = {(k.subject, k.object) for k in links if k.predicate == PEV + "reportsOn"}
    rng = random.Random(4)
    for size in (1, 2, 5, 20, len(origin)) * 4:
        items = rng.sample(sorted(origin), size)
        assert independence.sources(items) == _naive(items, graph, origin, covers)


def test_bodies_are_counted_in_sparql_as_in_python(answers: Answers) -> None:
    reader = Reader(answers.opened, read_texts(None))
    independence = Independence(reader)
    for row in answers.ask("bodies-asked-most", {}).results:
        items = reader.starts(row["body"].value, DIRECTED_TO)
        assert (int(row["origins"].value), int(row["independent"].value)) == (
            (s := independence.sources(items)).origins,
            s.independent,
        )


def test_recurring_themes_are_counted_in_sparql_as_in_python(answers: Answers) -> None:
    reader = Reader(answers.opened, read_texts(None))
    independence = Independence(reader)
    rows = answers.ask("recurring-themes", {}).results
    assert any(row["independent"].value != row["origins"].value for row in rows)
    stated = {reader.release.links.iri(n) for n in range(reader.release.links.node_count) if reader.origins[n] >= 0}
    placed = {i for i in stated if reader.ends(i, "http://purl.org/dc/terms/spatial")}
    for row in rows:
        items = [i for i in reader.starts(row["theme"].value, PEV + "hasTheme") if i in placed]
        sources = independence.sources(items)
        assert (int(row["origins"].value), int(row["independent"].value)) == (sources.origins, sources.independent)


def test_barriers_to_a_theme_and_those_like_them_are_counted_in_sparql_as_in_python(answers: Answers) -> None:
    reader = Reader(answers.opened, read_texts(None))
    independence = Independence(reader)
    barriers = reader.members("Barrier")
    counted = 0
    blocked = {theme for barrier in barriers for theme in reader.ends(barrier, PEV + "blocks", PEV + "affects")}
    for theme in sorted(blocked & _common(reader)):
        for row in answers.ask("barriers-blocking-theme", {"theme": [theme]}).results:
            node = reader.node(row["barrier"].value)
            assert node is not None
            alike = [iri for n in independence.alike(node) if (iri := reader.release.links.iri(n)) in barriers]
            assert int(row["independent"].value) == independence.sources(alike).independent
            counted += len(alike) > 1
    assert counted


def test_blocked_themes_are_counted_in_sparql_as_in_python(answers: Answers) -> None:
    reader = Reader(answers.opened, read_texts(None))
    independence = Independence(reader)
    rows = answers.ask("blocked-themes", {}).results
    barriers = {b for b in reader.members("Barrier") if reader.ends(b, "http://purl.org/dc/terms/spatial")}
    for row in rows:
        items = [b for b in reader.starts(row["theme"].value, PEV + "blocks", PEV + "affects") if b in barriers]
        sources = independence.sources(items)
        assert (int(row["origins"].value), int(row["independent"].value)) == (sources.origins, sources.independent)
    assert any(int(row["origins"].value) > 1 for row in rows)


def test_answers_to_barriers_are_counted_in_sparql_as_in_python(answers: Answers) -> None:
    reader = Reader(answers.opened, read_texts(None))
    independence = Independence(reader)
    rows = answers.ask("barriers-with-the-widest-reach", {}).results
    for row in rows:
        sources = independence.sources(reader.starts(row["barrier"].value, PEV + "addresses"))
        found = (int(row["answerOrigins"].value), int(row["independent"].value))
        assert found == (sources.origins, sources.independent)
    assert any(int(row["answers"].value) == 0 for row in rows)


def _common(reader: Reader) -> set[str]:
    return {row["theme"] for row in reader.rows("common-themes")}


# rows that are sorted here


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("compare-documents-on-theme", comparison.COLUMNS),
        ("news-of-document", news.COLUMNS),
        ("tensions-between-items", tensions.BETWEEN_ITEMS),
        ("tensions-between-places", tensions.BETWEEN_PLACES),
        ("timeline-of-themes", timeline.COLUMNS),
        ("items-resting-on-one-passage", fragility.COLUMNS),
    ],
)
def test_some_columns_of_a_question_come_in_the_order_in_which_it_gives_its_rows(
    release: Release, name: str, columns: Sequence[str]
) -> None:
    reader = Reader(release, read_texts(None))
    question = release.library.program(name)
    given = {
        p.name: release.library.prefixes.iri(p.example[0]) or "" for p in question.parameters if p.mode == "required"
    }
    whole = [tuple(row.get(column) for column in columns) for row in reader.rows(name, **given)]
    assert [tuple(row.get(c) for c in columns) for row in reader.rows(name, columns, **given)] == list(
        dict.fromkeys(whole)
    )


# every question, everywhere

CALLS: tuple[tuple[str, dict[str, Any], list[str]], ...] = (
    ("blockers", {"entity": "Finance"}, ["Finance"]),
    ("keystones", {}, []),
    ("whatif", {"barrier": "Staff too stretched"}, ["Staff too stretched"]),
    ("compare", {"theme": "Finance"}, ["Finance"]),
    ("gaps", {"theme": "Finance"}, ["Finance"]),
    ("gaps", {"reverse": "true"}, ["--reverse"]),
    ("tensions", {}, []),
    ("lineage", {"item": "recommendation:as2018-6"}, ["recommendation:as2018-6"]),
    ("timeline", {}, []),
    ("fragile", {"document": "doc:sdss-notice"}, ["doc:sdss-notice"]),
    ("news", {"document": "doc:msg2019-report"}, ["doc:msg2019-report"]),
    ("central", {}, []),
)


@pytest.mark.parametrize(("name", "parameters", "arguments"), CALLS)
def test_command_api_and_python_give_one_answer(
    client: TestClient,
    release_folder: Path,
    kg_command: Callable[..., dict[str, object]],
    name: str,
    parameters: dict[str, Any],
    arguments: list[str],
) -> None:
    sent = client.get(f"/api/{name}", params=parameters)
    assert sent.status_code == 200, sent.text
    found = sent.json()
    assert {"release", "results", "truncated"} <= set(found) and found["results"]
    assert kg_command(name, *arguments, "--format", "json", "--release", release_folder) == found
    opened = kg.open(release_folder)
    method = getattr(opened, "what_if" if name == "whatif" else name)
    given = {key: value == "true" if key == "reverse" else value for key, value in parameters.items()}
    assert json.loads(json.dumps(method(**given).to_dict())) == found
    opened.close()


@pytest.mark.parametrize(("name", "parameters", "arguments"), CALLS)
def test_a_limit_of_one_cuts_the_answer_and_says_so(
    client: TestClient, name: str, parameters: dict[str, Any], arguments: list[str]
) -> None:
    found = client.get(f"/api/{name}", params={**parameters, "limit": 1}).json()
    most = {"compare": 7, "central": 2}.get(name, 1)
    assert 1 <= len(found["results"]) <= most
    assert found["truncated"] is True
    assert client.get(f"/api/{name}", params={**parameters, "limit": 0}).status_code == 400


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("blockers", "entity"),
        ("whatif", "barrier"),
        ("compare", "theme"),
        ("gaps", "theme"),
        ("tensions", "theme"),
        ("lineage", "item"),
        ("timeline", "theme"),
        ("fragile", "document"),
        ("news", "document"),
    ],
)
def test_a_name_that_is_not_in_the_graph_is_404_with_the_nearest(client: TestClient, name: str, parameter: str) -> None:
    sent = client.get(f"/api/{name}", params={parameter: "Strategc planing"})
    assert sent.status_code == 404
    assert isinstance(sent.json()["nearest"], list)


def test_a_barrier_is_no_theme_and_is_refused_as_one(client: TestClient) -> None:
    assert client.get("/api/compare", params={"theme": "barrier:as2018-data-sharing"}).status_code == 400


def test_each_statement_is_shown_with_its_passage_and_the_quote_where_the_text_is_held(
    release: Release, settings: Settings, texts_folder: Path
) -> None:
    held = Answers(release, read_texts(texts_folder), settings).analysis
    found = held.blockers("Strategic planning")
    quotes = [passage.quote for blocker in found.results for passage in blocker.evidence]
    assert quotes and all(quotes)


def _passages(value: object) -> Iterator[Passage]:
    if isinstance(value, Passage):
        yield value
    elif isinstance(value, tuple):
        yield from itertools.chain.from_iterable(map(_passages, value))
    elif hasattr(value, "__dataclass_fields__"):
        yield from itertools.chain.from_iterable(_passages(getattr(value, f)) for f in value.__dataclass_fields__)


def test_every_answer_rests_on_passages(analysis: Analysis) -> None:
    for found in (
        analysis.keystones(),
        analysis.what_if("barrier:piru-firefighting"),
        analysis.compare("Finance"),
        analysis.gaps(),
        analysis.tensions(),
        analysis.lineage("recommendation:as2018-6"),
        analysis.timeline(),
        analysis.fragile(),
        analysis.news("doc:msg2019-report"),
        analysis.central(),
    ):
        assert next(_passages(found), None) is not None, type(found)


def test_the_examples_of_the_page_on_questions_are_what_the_commands_print(release_folder: Path) -> None:
    spec = importlib.util.spec_from_file_location("worked_examples", ROOT / "docs" / "worked_examples.py")
    assert spec and spec.loader
    examples = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(examples)
    page = examples.PAGE.read_text(encoding="utf-8")
    assert page.count("```console\n$ kg ") == 12
    assert examples.page_as_run(page, release_folder) == page
