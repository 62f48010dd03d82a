"""How two things hang together, as it is told: sentences, evidence, threads, reasons, addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path as Path_
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from pyoxigraph import NamedNode

from conftest import application
from kg import wire
from kg.answers import Answers
from kg.connections.values import Hop, Mode, Path, Paths, Restriction, restricted
from kg.engines.source import Request
from kg.errors import BadParameter, UnknownName
from kg.evidence import read_texts
from kg.model import Basis, Link
from kg.names import DCTERMS, PEV
from kg.release.build import build
from kg.release.links import Links
from kg.release.opened import Release, open_release
from kg.workspace import Settings
from workspaces import (
    AUDIT,
    BARRIER,
    BLOCKS,
    PLACE,
    RECOMMENDATION,
    REPORT,
    WORKFORCE,
    add,
    text_file,
    write_workspace,
)


def every_link(links: Links) -> list[Link]:
    return [links.link(number) for number in range(links.link_count)]


# The explanations, on an invented text


@pytest.fixture(scope="module")
def invented_release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    from kg.workspace import read_settings

    workspace = write_workspace(tmp_path_factory.mktemp("connections") / "workspace")
    built = build(workspace, read_settings(), check="none")
    with closing(open_release(built.directory.root)) as release:
        yield release


@pytest.fixture(scope="module")
def invented(invented_release: Release) -> Answers:
    from kg.workspace import read_settings

    return Answers(invented_release, read_texts(None), read_settings())


def hops_between(answers: Answers, start: str, goal: str, **options: object) -> tuple[Hop, ...]:
    """Returns the hops of the best path."""
    return answers.connect(start, goal, **options).paths[0].hops  # type: ignore[arg-type]  # passed on as they are


def test_a_hop_reads_as_a_sentence_of_who_says_it(invented: Answers) -> None:
    (hop,) = hops_between(invented, BARRIER, WORKFORCE, basis=frozenset({Basis.SAID}))
    assert hop.sentence == "Elsewhere Audit Office says that empty posts in Elsewhere blocks workforce."
    assert (hop.label, hop.direction, hop.basis, hop.origins) == ("blocks", "forward", Basis.SAID, (REPORT,))


def test_a_hop_walked_backwards_reads_the_same_and_says_its_direction(invented: Answers) -> None:
    (forth,) = hops_between(invented, BARRIER, WORKFORCE)
    (back,) = hops_between(invented, WORKFORCE, BARRIER)
    assert (back.start, back.end, back.direction) == (forth.end, forth.start, "backward")
    assert back == replace(forth, start=forth.end, end=forth.start, direction="backward")


def test_what_is_judged_and_what_follows_say_so_first(invented: Answers) -> None:
    (judged,) = hops_between(invented, BARRIER, "theme:finance", basis=frozenset({Basis.JUDGED}))
    assert judged.sentence == "By this project's judgement, empty posts in Elsewhere affects finance."
    (derived,) = hops_between(invented, REPORT, "theme:workforce", basis=frozenset({Basis.INFERRED}))
    assert derived.sentence.startswith("By rule, Report on reform in Elsewhere ")


def test_a_hop_of_reference_has_no_voice_and_no_origin(invented: Answers) -> None:
    (hop,) = hops_between(invented, "agent:elsewhere-council", "place:elsewhere")
    assert hop.basis is Basis.REFERENCE and hop.origins == ()
    assert hop.sentence.startswith("Council of Élsewhere ") and "says that" not in hop.sentence


def test_a_hop_carries_the_passages_of_its_item(invented: Answers) -> None:
    (hop,) = hops_between(invented, BARRIER, WORKFORCE)
    assert hop.evidence == invented.evidence(BARRIER).results
    assert [(passage.document, passage.start, passage.end) for passage in hop.evidence] == [(REPORT, 0, 40)]


def test_a_chain_that_one_origin_says_is_single(invented: Answers) -> None:
    path = invented.connect(RECOMMENDATION, WORKFORCE, basis=frozenset({Basis.SAID})).paths[0]
    assert [hop.link for hop in path.hops] == [PEV + "addresses", PEV + "blocks"]
    assert (path.thread, path.origins, path.length) == ("single", (REPORT,), 2)


def test_a_chain_with_a_hop_of_reference_is_stitched(invented: Answers) -> None:
    path = invented.connect(RECOMMENDATION, "place:elsewhere").paths[0]
    assert [hop.basis for hop in path.hops] == [Basis.SAID, Basis.REFERENCE]
    assert (path.thread, path.origins) == ("stitched", ())


def test_a_thing_without_links_is_why_there_is_none(invented: Answers) -> None:
    for ends in (("code:own-text", BARRIER), (BARRIER, "code:own-text")):
        found = invented.connect(*ends)
        assert found.paths == () and found.sparql == ""
        assert found.why_none is not None
        assert found.why_none.reason == f"{invented.entity('code:own-text').label} has no links in this release."


def test_too_few_hops_are_why_there_is_none(invented: Answers) -> None:
    found = invented.connect(RECOMMENDATION, "place:elsewhere", max_hops=1)
    assert found.paths == () and found.searched.complete
    assert found.why_none is not None
    assert found.why_none.reason.startswith("No path of at most 1 hop of the allowed links joins ")
    assert found.why_none.kind == "too far"
    assert [entity.curie for entity in found.why_none.nearest] == ["agent:elsewhere-council"]


def test_a_basis_that_is_not_allowed_is_why_there_is_none(invented: Answers) -> None:
    found = invented.connect(BARRIER, "place:elsewhere", basis=frozenset({Basis.SAID}))
    assert found.why_none is not None
    assert found.why_none.reason == "Elsewhere has no link of the allowed kind."
    assert (found.why_none.kind, found.why_none.exhausted) == ("unconnected", "to")


def test_a_budget_that_ran_out_is_why_there_is_none(invented_release: Release, settings: Settings) -> None:
    poor = Answers(invented_release, read_texts(None), replace(settings, max_expansions=1))
    found = poor.connect(RECOMMENDATION, "place:elsewhere")
    assert not found.searched.complete
    assert found.why_none is not None and "KG_MAX_EXPANSIONS" in found.why_none.reason


# The explanations, on the real graph

PAIRS = [
    ("COSLA", "Distrust between professions"),
    ("Audit Scotland", "theme:finance"),
    ("theme:workforce", "place:england"),
    ("barrier:as2018-leadership-turnover", "initiative:scotland-integration"),
]


def connected(answers: Answers, pair: tuple[str, str]) -> Paths:
    found = answers.connect(*pair, max_hops=5, limit=25)
    assert found.paths and found.why_none is None
    return found


def test_cosla_and_distrust_between_professions_hang_together(answers: Answers) -> None:
    found = connected(answers, PAIRS[0])
    path = found.paths[0]
    assert (path.nodes[0].label, path.nodes[-1].label) == PAIRS[0]
    assert path.thread in {"single", "stitched"}
    for hop in path.hops:
        assert isinstance(hop.basis, Basis)
        assert hop.sentence.endswith(".") and not hop.sentence[0].islower()


def test_the_sentence_of_the_docstring_is_a_real_one(answers: Answers) -> None:
    (hop,) = hops_between(answers, "barrier:as2018-leadership-turnover", "theme:strategic-planning")
    assert hop.sentence == "Audit Scotland says that high turnover in leadership teams blocks strategic planning."


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_a_path_is_single_exactly_when_one_origin_stands_behind_every_hop(
    answers: Answers, release: Release, pair: tuple[str, str]
) -> None:
    known = {(k.subject, k.predicate, k.object): set(k.origins) for k in every_link(release.links)}
    for path in connected(answers, pair).paths:
        shared = set.intersection(*(known[triple(hop)] for hop in path.hops))
        assert set(path.origins) == shared
        assert path.thread == ("single" if shared else "stitched")
        if any(hop.basis is Basis.REFERENCE for hop in path.hops):
            assert path.thread == "stitched"


def triple(hop: Hop) -> tuple[str, str, str]:
    ends = (hop.start.iri, hop.end.iri)
    subject, object_ = ends if hop.direction == "forward" else reversed(ends)
    return subject, hop.link, object_


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_the_query_of_an_answer_returns_exactly_its_hops(
    answers: Answers, release: Release, pair: tuple[str, str]
) -> None:
    found = connected(answers, pair)
    strongest: dict[tuple[str, ...], Basis] = {}
    for row in release.source.select(found.sparql).rows:
        *ends, basis = (str(getattr(term, "value", "")) for term in row)
        known = strongest.setdefault(tuple(ends), Basis(basis))
        strongest[tuple(ends)] = min(known, Basis(basis), key=lambda b: b.rank)
    assert strongest == {triple(hop): hop.basis for path in found.paths for hop in path.hops}
    assert answers.sparql(Request(found.sparql), "text/csv").startswith(b"from,link,to,basis")


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_a_path_is_a_chain_shortest_first_and_the_same_each_time(answers: Answers, pair: tuple[str, str]) -> None:
    found = connected(answers, pair)
    assert found == connected(answers, pair)
    assert [path.length for path in found.paths] == sorted(path.length for path in found.paths)
    for path in found.paths:
        assert path.nodes == (path.hops[0].start, *(hop.end for hop in path.hops))
        assert len({node.iri for node in path.nodes}) == path.length + 1
        assert 0 < path.score < 1


def test_a_path_of_said_links_only_is_told_by_who_says_them(answers: Answers) -> None:
    found = answers.connect("agent:audit-scotland", "theme:strategic-planning", basis=frozenset({Basis.SAID}))
    assert found.paths
    for hop in (hop for path in found.paths for hop in path.hops):
        assert hop.basis is Basis.SAID and hop.origins


def test_every_link_of_the_graph_reads_as_a_sentence(answers: Answers, release: Release) -> None:
    from kg.connections.explain import Explainer

    explainer = Explainer(release, read_texts(None))
    for link in every_link(release.links):
        sentence = explainer.sentence(link)
        assert sentence[0].isupper() or not sentence[0].isalpha()
        assert sentence.endswith(".") and "  " not in sentence
        assert PEV not in sentence


# Whose chain it is


def test_cosla_and_an_english_barrier_are_joined_by_a_stitched_chain_that_says_by_what(answers: Answers) -> None:
    found = answers.connect("COSLA", "barrier:piru-firefighting")
    best = found.paths[0]
    assert {path.thread for path in found.paths} == {"stitched"}
    assert [stretch.joined_at.curie for stretch in best.stretches if stretch.joined_at] == ["theme:workforce"]
    assert [(s.first, s.last) for s in best.stretches] == [(1, 2), (3, 3)]
    assert best.verdict == (
        "No single source makes this chain; it is stitched, joined at Workforce: hops 1 and 2 rest on Views from local"
        " government on integration (2018-06-17); hop 3 rests on Early study of integration in England (title not"
        " given in held text)."
    )
    assert best.text == " ".join((*best.sentences, best.verdict))


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_the_stretches_of_a_path_are_its_hops_in_order_and_each_has_an_origin_of_its_own(
    answers: Answers, pair: tuple[str, str]
) -> None:
    for path in connected(answers, pair).paths:
        numbers = [n for stretch in path.stretches for n in range(stretch.first, stretch.last + 1)]
        assert numbers == list(range(1, path.length + 1))
        for stretch in path.stretches:
            shared = set.intersection(*(set(hop.origins) for hop in path.hops[stretch.first - 1 : stretch.last]))
            assert [origin.iri for origin in stretch.origins] == sorted(shared)
        assert (path.thread == "single") == (len(path.stretches) == 1 and bool(path.stretches[0].origins))
        assert path.thread == "single" or "No s" in path.verdict


def test_what_an_article_covers_and_the_article_are_one_source(answers: Answers) -> None:
    found = answers.connect("COSLA", "group:councils", max_hops=1)
    (hop,) = found.paths[0].hops
    assert [origin.rpartition("/")[2] for origin in hop.origins] == [
        "johnston2018-opinion",
        "pa2019-article",
        "white2019-article",
    ]
    # Both articles are on the report of 2019, which is no origin of this itself.
    assert hop.independent == 2
    assert (len(found.paths[0].sources), found.paths[0].independent) == (3, 2)


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_independent_sources_are_counted_as_one_does_by_hand(
    answers: Answers, release: Release, pair: tuple[str, str]
) -> None:
    def pairs(query: str) -> list[tuple[str, str]]:
        rows = release.source.select(query).rows
        return [(a.value, b.value) for a, b in rows if isinstance(a, NamedNode) and isinstance(b, NamedNode)]

    covers = pairs("SELECT ?a ?d { ?a pev:reportsOn ?d }")
    again = pairs("SELECT DISTINCT ?d ?e { ?i pev:statedIn ?d ; pev:reiterates+ ?r . ?r pev:statedIn ?e }")
    both = {(a, b) for a, covered in covers for b, also in covers if covered == also and b < a}
    depends = {*covers, *again, *both}

    def count(origins: set[str]) -> int:
        own = [one for one in origins if not any((one, other) in depends for other in origins - {one})]
        return len(own) or min(len(origins), 1)

    for path in connected(answers, pair).paths:
        assert path.independent == count(set(path.sources)) <= len(path.sources)
        for hop in path.hops:
            assert hop.independent == count(set(hop.origins))


def test_a_hop_says_how_the_texts_carry_it_and_when_it_was_said(answers: Answers) -> None:
    path = answers.connect("barrier:as2018-leadership-turnover", "theme:strategic-planning").paths[0]
    (hop,) = path.hops
    assert (hop.mode, hop.date, [agent.curie for agent in hop.asserted_by]) == (
        "relayed",
        "2018",
        ["agent:audit-scotland"],
    )
    assert path.sentences == (
        "Audit Scotland says that high turnover in leadership teams blocks strategic planning (relayed, 2018).",
    )
    assert path.verdict.startswith("One source stands behind the whole chain: ")


# Restrictions, by name


def paths_of(answers: Answers, **given: str | list[str]) -> tuple[Path, ...]:
    return answers.connect("COSLA", "theme:workforce", 6, 30, restriction=restricted(given)).paths


def test_every_restriction_holds_on_every_path(answers: Answers) -> None:
    through = paths_of(answers, via="group:councils")
    assert through and all("group:councils" in {n.curie for n in path.nodes[1:-1]} for path in through)
    without = paths_of(answers, avoid="group:councils")
    assert without and all("group:councils" not in {n.curie for n in path.nodes} for path in without)
    linked = paths_of(answers, links=["asserted by", "pev:hasTheme"])
    assert linked and {hop.link for p in linked for hop in p.hops} == {PEV + "assertedBy", PEV + "hasTheme"}
    between = paths_of(answers, types="pev:Item")
    assert between and all(answers.entity(n.iri, "pev:Item") for path in between for n in path.nodes[1:-1])


def test_documents_places_and_dates_are_those_of_an_origin_of_every_hop(answers: Answers) -> None:
    document = "doc:johnston2018-opinion"
    said = paths_of(answers, document=document)
    iri = answers.entity(document).iri
    assert said and all(iri in hop.origins for path in said for hop in path.hops)
    late = answers.connect("COSLA", "theme:pace-of-change", restriction=Restriction(since="2019")).paths
    issued = {hop.date for path in late for hop in path.hops if len(hop.origins) == 1}
    assert issued and all(date is not None and date >= "2019" for date in issued)
    assert paths_of(answers, until="1999") == ()
    about = answers.connect("Audit Scotland", "theme:strategic-planning", restriction=Restriction(place=("Scotland",)))
    assert about.paths and {o for path in about.paths for o in path.sources} == {
        answers.entity("doc:as2018-report").iri
    }


def test_forward_walks_links_in_their_own_direction_only(answers: Answers) -> None:
    forward = Restriction(direction="forward")
    found = answers.connect("recommendation:as2018-4", "theme:governance-accountability", restriction=forward)
    assert found.paths and {hop.direction for path in found.paths for hop in path.hops} == {"forward"}
    back = answers.connect("theme:finance", "agent:cosla", restriction=forward)
    assert back.why_none is not None and back.why_none.exhausted == "from"


def test_all_shortest_paths_are_equally_long_and_all_up_to_a_length_are_more(answers: Answers) -> None:
    shortest = answers.connect("COSLA", "theme:workforce", 6, 1000, mode=Mode.SHORTEST)
    assert {path.length for path in shortest.paths} == {shortest.searched.shortest}
    every = answers.connect("COSLA", "theme:workforce", 4, 1000, mode=Mode.ALL)
    assert {path.length for path in every.paths} > {path.length for path in shortest.paths}
    assert every.searched.candidates == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"direction": "sideways"}, "direction: 'sideways' is none of any, forward"),
        ({"since": "2018-13"}, "since: '2018-13' is no date"),
        ({"since": "2019", "until": "2018"}, "until: 2018 comes before since: 2019"),
        ({"via": "COSLA"}, "via: agent:cosla is where paths begin"),
        ({"avoid": "Workforce"}, "avoid: theme:workforce is where paths begin"),
        ({"links": "hinders"}, "links: 'hinders' is no type of link here; there are "),
        ({"types": "pev:Bariers"}, "types: 'pev:Bariers' is no class"),
        ({"document": "theme:finance"}, "document: theme:finance is no pev:Document"),
        ({"beyond": "COSLA"}, "beyond: is no restriction"),
        ({"since": ["2018", "2019"]}, "since: is no restriction, or takes one text"),
    ],
)
def test_a_restriction_that_does_not_fit_says_why(answers: Answers, given: dict[str, str], words: str) -> None:
    with pytest.raises(BadParameter, match=re.escape(words)):
        paths_of(answers, **given)


def test_a_thing_to_pass_that_is_unknown_is_not_a_thing_without_links(answers: Answers) -> None:
    with pytest.raises(UnknownName, match=r"^via: "):
        paths_of(answers, via="Nobody at all")
    found = answers.connect("COSLA", "theme:workforce", restriction=Restriction(via=("code:own-text",)))
    assert found.why_none is not None and found.why_none.kind == "unlinked"


# Why there is none


def test_the_reason_tells_how_far_each_side_got_and_which_links_were_allowed(invented: Answers) -> None:
    found = invented.connect(BARRIER, "place:elsewhere", basis=frozenset({Basis.SAID}))
    why = found.why_none
    assert why is not None
    assert found.searched.levels_to == (1,) and found.searched.levels_from[0] == 1
    assert set(why.links) == set(invented.opened.links.types)
    # What may be about a place the ontology leaves open, and in this release no barrier is.
    assert why.missing is None


def test_where_the_ontology_leaves_open_what_a_link_joins_what_it_joins_in_the_release_counts(
    invented: Answers,
) -> None:
    found = invented.connect(AUDIT, "place:elsewhere", basis=frozenset({Basis.SAID}))
    assert found.why_none is not None and found.why_none.missing is not None
    missing = found.why_none.missing
    # The other body is about a place.
    assert (missing.subject.iri, missing.link, missing.object.iri) == (AUDIT, DCTERMS + "spatial", PLACE)
    assert (missing.hops, missing.fits) == (1, "release")
    assert json.loads(json.dumps(wire.paths(found)))["why_none"]["missing"]["fits"] == "release"


def test_the_missing_link_fits_what_it_would_join_and_connects_the_ends(tmp_path: Path_, settings: Settings) -> None:
    workspace = write_workspace(tmp_path / "workspace", "elsewhere", "nowhere")
    with closing(open_release(build(workspace, settings, check="none").directory.root)) as release:
        apart = Answers(release, read_texts(None), settings)
        allowed = Restriction(links=("blocks", "addresses"))
        found = apart.connect(RECOMMENDATION, "theme:finance", restriction=allowed)
        assert found.why_none is not None and found.why_none.missing is not None
        missing = found.why_none.missing
        assert (missing.link, missing.subject.iri, missing.object.curie) == (BLOCKS, BARRIER, "theme:finance")
        assert (missing.hops, missing.fits) == (2, "ontology")
        add(text_file(workspace.root), f"graph:source-elsewhere {{ <{BARRIER}> pev:blocks theme:finance . }}\n")
    with closing(open_release(build(workspace, settings, check="none").directory.root)) as release:
        joined = Answers(release, read_texts(None), settings)
        assert joined.connect(RECOMMENDATION, "theme:finance", restriction=allowed).searched.shortest == missing.hops


# The answer again


RESTRICTED: list[dict[str, str | list[str]]] = [
    {},
    {"via": ["group:councils"], "links": ["pev:represents", "pev:concerns", "pev:hasTheme"]},
    {"avoid": ["theme:finance"], "types": ["pev:Item", "pev:StakeholderGroup"]},
    {"document": ["doc:johnston2018-opinion"], "since": "2018", "until": "2018-12"},
]


@pytest.mark.parametrize("given", RESTRICTED)
def test_a_permalink_gives_the_same_answer_byte_for_byte(
    answers: Answers, release: Release, settings: Settings, given: dict[str, str | list[str]]
) -> None:
    basis = frozenset({Basis.SAID, Basis.JUDGED})
    found = answers.connect("COSLA", "Workforce", 5, 7, basis, restriction=restricted(given))
    assert found.paths and found.permalink.endswith(f"&release={answers.release_id}")
    asked = {"from": "COSLA", "to": "Workforce", "max_hops": 5, "limit": 7, "basis": "judged,said", **given}
    with TestClient(application(release, settings)) as client:
        first = client.get(f"/api/connections?{urlencode(asked, doseq=True)}")
        again = client.get(found.permalink)
    assert first.status_code == 200 and first.content == again.content
    assert first.json() == json.loads(json.dumps(wire.paths(found)))
