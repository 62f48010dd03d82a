"""How two things hang together, as it is told: sentences, evidence, threads, reasons, addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from kg.answers import Answers
from kg.engines.source import Request
from kg.evidence import read_texts
from kg.model import Basis, Hop, Link, Paths
from kg.names import PEV
from kg.release.build import build
from kg.release.links import Links
from kg.release.opened import Release, open_release
from kg.workspace import Settings
from workspaces import BARRIER, RECOMMENDATION, REPORT, WORKFORCE, write_workspace


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
