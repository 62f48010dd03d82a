"""Questions on the whole of invented workspaces: what the five texts have no data for, and the edges."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest
from fastapi.testclient import TestClient

from conftest import application
from kg.analysis.questions import Analysis
from kg.answers import Answers
from kg.evidence import read_texts
from kg.model import Basis
from kg.names import DCTERMS, PEV, SKOS
from kg.release.build import build
from kg.release.opened import Release, open_release
from kg.workspace import Settings
from workspaces import add, text_file, turtle, write_workspace

FILL = "recommendation:elsewhere-fill-posts"
POSTS = "barrier:elsewhere-empty-posts"

# Two later texts tell how far the call to fill the posts has come: the council that was asked, and an auditor of
# another town, which also says the call again and gives it to its own council. One person changes their mind.
_COUNCIL = """
graph:source-council {{
    graph:source-council a prov:Entity ; dcterms:type code:source-graph ; dcterms:title "What the council says"@en ;
        prov:wasDerivedFrom text:{short} .
    text:{short} a pev:TextSnapshot ; pev:characterCount 900 ; pev:sha256 "{digest}" ;
        pev:snapshotOf doc:council-reply .
    doc:council-reply a pev:Report ; dcterms:creator agent:elsewhere-council ; dcterms:issued "2022-01-10"^^xsd:date ;
        dcterms:title "Reply of the council"@en ; rdfs:label "Reply of the council"@en .
    recommendation:elsewhere-fill-posts pev:implementationStatus code:in-progress .
    position:council-glad a pev:Position ; pev:assertedBy agent:elsewhere-council ;
        pev:attributionMode code:own-text ;
        pev:stance code:welcomes ; pev:stanceTowards recommendation:elsewhere-fill-posts ;
        pev:hasTheme theme:workforce ;
        pev:paraphrase "The council is glad of the call."@en ; pev:statedIn doc:council-reply ; rdfs:label "Glad"@en .
    commitment:council-hire a pev:Commitment ; pev:assertedBy agent:elsewhere-council ;
        pev:attributionMode code:own-text ;
        pev:concerns recommendation:elsewhere-fill-posts ; pev:hasTheme theme:workforce ;
        pev:paraphrase "The council will hire."@en ; pev:statedIn doc:council-reply ; rdfs:label "Hire"@en .
}}
"""
_LATER = """
graph:source-later {{
    graph:source-later a prov:Entity ; dcterms:type code:source-graph ; dcterms:title "What is said later"@en ;
        prov:wasDerivedFrom text:{short} .
    text:{short} a pev:TextSnapshot ; pev:characterCount 900 ; pev:sha256 "{digest}" ; pev:snapshotOf doc:later-report .
    agent:nowhere-audit a org:Organization ; rdfs:label "Nowhere Audit Office"@en .
    agent:nowhere-council a org:Organization ; rdfs:label "Council of Nowhere"@en .
    doc:later-report a pev:Report ; dcterms:creator agent:nowhere-audit ; dcterms:issued "2024"^^xsd:gYear ;
        dcterms:title "Three years on"@en ; rdfs:label "Three years on"@en ; pev:reviews initiative:elsewhere-reform .
    recommendation:elsewhere-fill-posts pev:implementationStatus code:implemented .
    recommendation:later-fill-posts a pev:Recommendation ; pev:assertedBy agent:nowhere-audit ;
        pev:attributionMode code:own-text ; pev:directedTo agent:nowhere-council ; pev:hasTheme theme:workforce ;
        pev:reiterates recommendation:elsewhere-fill-posts ; pev:paraphrase "Posts should be filled."@en ;
        pev:statedIn doc:later-report ; rdfs:label "Fill posts again"@en .
    position:council-sour a pev:Position ; pev:assertedBy agent:elsewhere-council ;
        pev:attributionMode code:own-text ;
        pev:stance code:critical ; pev:stanceTowards recommendation:elsewhere-fill-posts ;
        pev:hasTheme theme:workforce ;
        pev:paraphrase "The council no longer likes the call."@en ;
        pev:statedIn doc:later-report ; rdfs:label "Sour"@en .
    position:audit-wary a pev:Position ; pev:assertedBy agent:nowhere-audit ; pev:attributionMode code:own-text ;
        pev:stance code:cautionary ; pev:stanceTowards recommendation:elsewhere-fill-posts ;
        pev:hasTheme theme:workforce ;
        pev:paraphrase "It could cost too much."@en ; pev:statedIn doc:later-report ; rdfs:label "Wary"@en .
    barrier:later-bare a pev:Barrier ; pev:assertedBy agent:nowhere-audit ; pev:attributionMode code:own-text ;
        pev:blocks theme:charging ; pev:paraphrase "Nobody can show this."@en ; pev:statedIn doc:later-report ;
        rdfs:label "Bare"@en .
    barrier:later-answered a pev:Barrier ; pev:assertedBy agent:nowhere-audit ; pev:attributionMode code:own-text ;
        pev:blocks theme:charging ; pev:similarTo barrier:later-bare ; pev:paraphrase "Somebody can show this."@en ;
        pev:statedIn doc:later-report ; rdfs:label "Shown"@en ; pev:evidence <https://example.org/text#char=0,40> .
}}
"""


def _text(template: str, slug: str) -> str:
    digest = hashlib.sha256(slug.encode()).hexdigest()
    return turtle(template.format(short=digest[:16], digest=digest))


def _built(root: Path, settings: Settings) -> Release:
    from kg.workspace import open_workspace

    return open_release(build(open_workspace(root), settings, root / "out", check="none").directory.root)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Release]:
    root = tmp_path_factory.mktemp("followed") / "workspace"
    write_workspace(root)
    text_file(root, "council").write_text(_text(_COUNCIL, "council"), encoding="utf-8")
    text_file(root, "later").write_text(_text(_LATER, "later"), encoding="utf-8")
    opened = _built(root, settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def told(followed: Release, settings: Settings) -> Analysis:
    return Answers(followed, read_texts(None), settings).analysis


def test_progress_is_self_reported_by_who_was_asked_and_verified_by_another(told: Analysis) -> None:
    found = told.lineage(FILL)
    progress = [
        (h.document.curie, h.verified, [d.curie for d in h.details]) for h in found.results if h.event == "progress"
    ]
    assert progress == [
        ("doc:council-reply", "self-reported", ["code:in-progress"]),
        ("doc:later-report", "verified", ["code:implemented"]),
    ]
    assert (found.counts["self-reported"], found.counts["verified"]) == (1, 1)


def test_the_line_of_a_call_tells_who_promised_accepted_rejected_and_extended_it(told: Analysis) -> None:
    events = {(h.event, h.item.curie) for h in told.lineage(FILL).results if h.item}
    assert {
        ("stated", FILL),
        ("promised", "commitment:council-hire"),
        ("accepted", "position:council-glad"),
        ("rejected", "position:council-sour"),
        ("qualified", "position:audit-wary"),
        ("restated", "recommendation:later-fill-posts"),
        ("extended", "recommendation:later-fill-posts"),
    } <= events


def test_a_barrier_is_followed_up_when_a_later_text_reports_the_status_of_its_recommendation(told: Analysis) -> None:
    rows = {(r.barrier.curie, r.theme.curie): r for r in told.gaps(limit=1000).results}  # type: ignore[union-attr]
    posts = rows[POSTS, "theme:workforce"]
    assert posts.gap is None
    assert {later.status.curie for later in posts.follow_up if hasattr(later, "status")} == {
        "code:in-progress",
        "code:implemented",
    }


def test_a_barrier_without_a_passage_has_no_evidence(told: Analysis) -> None:
    rows = told.gaps("theme:charging").results
    assert [(r.barrier.curie, r.gap) for r in rows] == [  # type: ignore[union-attr]
        ("barrier:later-bare", "no evidence"),
        ("barrier:later-answered", "no recommendation"),
    ]


def test_who_changes_their_mind_is_told_apart_from_two_who_disagree(told: Analysis) -> None:
    found = told.tensions("theme:workforce")
    pairs = {(t.type, *(side.claims[0].item.curie for side in t.sides)) for t in found.results}
    assert ("changed over time", "position:council-glad", "position:council-sour") in pairs
    assert {frozenset(pair[1:]) for pair in pairs if pair[0] == "opposite stance"} == {
        frozenset({"position:council-glad", "position:audit-wary"})
    }
    assert {frozenset(pair[1:]) for pair in pairs if pair[0] == "differs by addressee"} == {
        frozenset({FILL, "recommendation:later-fill-posts"})
    }


def test_a_theme_is_said_resolved_in_the_year_of_the_text_that_says_so(told: Analysis) -> None:
    (theme,) = told.timeline("theme:workforce").results
    assert [(y.year, y.state) for y in theme.years] == [
        ("2021", "named"),
        ("2022", "named"),
        ("2024", "named"),
        ("2024", "said resolved"),
    ]


def test_a_theme_that_is_named_once_is_silent_after_and_not_before(told: Analysis) -> None:
    (theme,) = told.timeline("theme:charging").results
    assert [(y.year, y.state) for y in theme.years] == [("2024", "named")]


def test_a_passage_that_is_not_described_is_none_that_anything_rests_on(told: Analysis) -> None:
    items = {c.item.curie for found in told.fragile().results for c in found.claims}
    assert POSTS in items
    assert "barrier:later-answered" not in items


def test_a_report_that_only_adopts_a_call_is_no_second_source_of_it(told: Analysis) -> None:
    found = told.lineage(FILL)
    assert (found.origins, found.independent) == (2, 1)


def test_who_says_a_thing_again_brings_no_news_of_it(told: Analysis) -> None:
    news = {one.item.item.curie: one.news for one in told.news("doc:later-report").results}
    assert news["recommendation:later-fill-posts"] == "repeats"
    assert news["barrier:later-bare"] == "new"
    assert news["enabler:elsewhere-register"] == "drops"


# edges


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Release]:
    root = tmp_path_factory.mktemp("empty") / "workspace"
    write_workspace(root)
    text_file(root).unlink()
    opened = _built(root, settings)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "path",
    [
        "blockers?entity=Finance",
        "keystones",
        "compare?theme=Finance",
        "gaps",
        "gaps?reverse=true",
        "tensions",
        "timeline",
        "timeline?theme=Finance",
        "fragile",
        "central",
    ],
)
def test_a_graph_without_texts_answers_with_empty_lists(empty: Release, settings: Settings, path: str) -> None:
    with TestClient(application(empty, settings)) as client:
        sent = client.get(f"/api/{path}")
    assert sent.status_code == 200, sent.text
    assert (sent.json()["results"], sent.json()["truncated"]) == ([], False)


@pytest.fixture(scope="module")
def ringed(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Release]:
    """Finance is broader than funding, and funding, by mistake, than finance; workforce is broader than finance."""
    root = tmp_path_factory.mktemp("ringed") / "workspace"
    write_workspace(root)
    ring = "theme:finance skos:broader theme:funding-level , theme:workforce ."
    add(root / "graph" / "entities.ttl", f"\n{ring}\n")
    opened = _built(root, settings)
    yield opened
    opened.close()


def test_a_ring_of_broader_themes_ends_and_counts_a_barrier_once(ringed: Release, settings: Settings) -> None:
    analysis = Answers(ringed, read_texts(None), settings).analysis
    found = analysis.blockers("theme:funding-level")
    assert [b.barrier.curie for b in found.results] == [POSTS]
    assert found.complete
    effects = {e.entity.curie: e for e in analysis.what_if(POSTS).results}
    assert effects["theme:funding-level"].freed and effects["theme:finance"].freed
    assert analysis.compare("theme:finance").results
    assert analysis.timeline("theme:workforce").results


# against a naive recomputation


def test_what_is_freed_is_what_no_other_barrier_reaches(release: Release, answers: Answers) -> None:
    serving = {SKOS + n for n in ("broader", "exactMatch", "closeMatch")} | {DCTERMS + "isPartOf", PEV + "aimsAt"}
    links = [release.links.link(number) for number in range(release.links.link_count)]
    barriers = {k.subject for k in links if "/id/barrier/" in k.subject}
    graph: nx.DiGraph[str] = nx.DiGraph()
    for link in links:
        acting = link.predicate in {PEV + "blocks", PEV + "affects"} and link.subject in barriers
        if acting or link.predicate in serving:
            graph.add_edge(link.subject, link.object)
    chains = graph.copy()
    for link in links:
        if link.basis is Basis.INFERRED and link.subject in barriers and graph.has_edge(link.subject, link.object):
            graph.remove_edge(link.subject, link.object)
            if nx.has_path(graph, link.subject, link.object):
                chains.remove_edge(link.subject, link.object)
            graph.add_edge(link.subject, link.object)
    for barrier in sorted(barriers):
        found = answers.analysis.what_if(barrier, limit=1000)
        held = nx.descendants(graph, barrier)
        assert {e.entity.iri for e in found.results} == held
        for effect in found.results:
            against = nx.ancestors(graph, effect.entity.iri) & barriers
            assert (effect.before, effect.after) == (len(against), len(against) - 1)
            assert effect.freed == (against == {barrier})
            without = chains.copy()
            without.remove_nodes_from([barrier, *(e.iri for e in effect.cut)])
            assert not effect.cut_size or effect.cut_size == len(effect.cut)
            assert not (nx.ancestors(without, effect.entity.iri) & barriers), "the cut leaves no chain"


def test_chains_of_weaker_links_are_not_walked_when_only_stronger_count(answers: Answers) -> None:
    said = answers.analysis.blockers("outcome:lower-costs", basis=frozenset({Basis.SAID}))
    assert {link.basis for link in said.links} == {Basis.SAID}
    assert said.total == 6, "five barriers said against England's integration, one against Scotland's"
