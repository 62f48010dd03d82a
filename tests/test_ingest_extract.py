"""What sentences, headings, lists and tables are taken for; texts and bodies are invented."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import unseen
from kg.ingest.attribution import type_of
from kg.ingest.blocks import Document
from kg.ingest.candidates import Candidate, Mode
from kg.ingest.cues import hits_in
from kg.ingest.extract import extract
from kg.ingest.known import Known, read_known, without
from kg.ingest.labels import Kind, label_of, lead_in_of, mark_of
from kg.ingest.metadata import properties_of
from kg.ingest.pipeline import Ingested, ingest_document, ingest_file
from kg.ingest.plain import blocks_of_plain
from kg.ingest.themes import Themes
from kg.names import BASE, PEV
from kg.release.opened import Release


def document_of(text: str, markdown: bool = True) -> Document:
    found = Document("a.md", "0" * 64, text, "plain", "1", tuple(blocks_of_plain(text, markdown)))
    return Document(**{**vars(found), "properties": properties_of(found)})


NOTHING = Known({})


def read(text: str, known: Known = NOTHING) -> Ingested:
    return ingest_document(document_of(text), known)


def shown(ingested: Ingested) -> list[tuple[str, str]]:
    return [(c.kind.value, ingested.document.text[c.start : c.end]) for c in ingested.candidates]


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("We recommend that the port opens at six.", Kind.RECOMMENDATION),
        ("The committee urges the ministry to publish its plan.", Kind.RECOMMENDATION),
        ("Municipalities should appoint one coordinator each.", Kind.RECOMMENDATION),
        ("Contracts must not be renewed without a tender.", Kind.RECOMMENDATION),
        ("The agency needs to test its systems every year.", Kind.RECOMMENDATION),
        ("It is essential that operators share their ducts.", Kind.RECOMMENDATION),
        ("There is a need for clearer rules on fares.", Kind.RECOMMENDATION),
        ("Schools are encouraged to keep a register.", Kind.RECOMMENDATION),
        ("Old rolling stock hampers the timetable.", Kind.BARRIER),
        ("A shortage of drivers makes it difficult to run night buses.", Kind.BARRIER),
        ("One of the most serious problems has been the turnover of staff.", Kind.BARRIER),
        ("High fees prevent small firms from bidding.", Kind.BARRIER),
        ("Local plans are held back by unclear rules.", Kind.BARRIER),
        ("Paper files limit the ability of clinics to plan.", Kind.BARRIER),
        ("Rivalry stands in the way of joint purchasing.", Kind.BARRIER),
        ("Mutual trust is crucial for the exchange of data.", Kind.ENABLER),
        ("One shared register enabled faster permits.", Kind.ENABLER),
        ("Joint purchasing works best where one office leads it.", Kind.ENABLER),
        ("Reform will not succeed without local support.", Kind.ENABLER),
        ("The ministry has committed to a new register.", Kind.COMMITMENT),
        ("Auditors found that half of the files were missing.", Kind.FINDING),
        ("Only 12 per cent of homes have been insulated.", Kind.FINDING),
    ],
)
def test_a_sentence_shows_what_it_does(sentence: str, kind: Kind) -> None:
    assert [hit.cue.kind for hit in hits_in(sentence)][:1] == [kind]


@pytest.mark.parametrize(
    "sentence",
    [
        "This does not hamper the timetable at all.",
        "There is no obstacle to joint purchasing.",
        "The port removed the last barriers to trade.",
        "It should be noted that the port is old.",
        "If the port should close, ships sail on.",
        "The ministry does not need to change the law.",
        "Should the port open at six?",
        "The fleet sails from the old harbour on Mondays.",
    ],
)
def test_what_is_denied_supposed_or_asked_is_no_call_and_no_obstacle(sentence: str) -> None:
    assert not {hit.cue.kind for hit in hits_in(sentence)} & {Kind.RECOMMENDATION, Kind.BARRIER}


def test_what_is_softened_is_marked_and_counts_less() -> None:
    (plain,), (soft,) = hits_in("Old files hamper the work."), hits_in("Old files may hamper the work.")

    assert soft.hedged and not plain.hedged and soft.confidence < plain.confidence


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Key messages", Kind.KEY_MESSAGE),
        ("Main findings of the inspection", Kind.KEY_MESSAGE),
        ("At a glance", Kind.KEY_MESSAGE),
        ("What we found", Kind.FINDING),
        ("3.2 Obstacles to reform", Kind.BARRIER),
        ("What gets in the way", Kind.BARRIER),
        ("Why progress is slow", Kind.BARRIER),
        ("Success factors", Kind.ENABLER),
        ("What helped", Kind.ENABLER),
        ("Our recommendations", Kind.RECOMMENDATION),
        ("What the government should do", Kind.RECOMMENDATION),
        ("Next steps", Kind.RECOMMENDATION),
        ("Progress on earlier recommendations", None),
        ("Overcoming the barriers", None),
        ("Findings and recommendations", Kind.FINDING),
        ("The history of the port", None),
    ],
)
def test_a_heading_says_what_stands_below_it(text: str, kind: Kind | None) -> None:
    assert label_of(text) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The review makes six recommendations:", Kind.RECOMMENDATION),
        ("To speed this up, the ministry should do the following:", Kind.RECOMMENDATION),
        ("Things that stood in the way were:", Kind.BARRIER),
        ("It makes recommendations under three headings:", Kind.THEME),
        ("The crew consists of:", None),
    ],
)
def test_a_lead_in_says_what_its_list_holds(text: str, kind: Kind | None) -> None:
    assert lead_in_of(text) == kind


def test_marks_of_single_items_are_known() -> None:
    assert mark_of("Recommendation no. 4 – Publish the plan") == (Kind.RECOMMENDATION, 23, "4")
    assert mark_of("Key message 2: Trains are late.") == (Kind.KEY_MESSAGE, 15, "2")
    assert mark_of("R3. Open the port", short_forms=True) == (Kind.RECOMMENDATION, 4, "3")
    assert mark_of("Recommendations were ignored.") is None


PORTS = """# Ports of Eastmark

## Contents

- Key findings

## Key findings

**Half of the ports lack a plan.** They were told so in 2020.

Main obstacles are: a lack of staff; old cranes; and unclear rules.

## Barriers

- Cranes from the last century
- Too few pilots

## What should happen

The port authority should:

- train pilots
- replace cranes by 2026

**Recommendation 3**

Publish all tariffs.

## Method

We should say that we read files.
"""


def test_structure_is_believed_and_silent_sections_are_left_out() -> None:
    assert shown(read(PORTS)) == [
        ("KeyMessage", "**Half of the ports lack a plan.** They were told so in 2020."),
        ("KeyMessage", "Main obstacles are: a lack of staff; old cranes; and unclear rules."),
        ("Barrier", "a lack of staff"),
        ("Barrier", "old cranes"),
        ("Barrier", "unclear rules"),
        ("Barrier", "Cranes from the last century"),
        ("Barrier", "Too few pilots"),
        ("Recommendation", "train pilots"),
        ("Recommendation", "replace cranes by 2026"),
        ("Recommendation", "Publish all tariffs."),
    ]


def test_a_list_that_lost_its_marks_is_still_a_list() -> None:
    text = "Main barriers are:\nLack of trust between ports\nOutdated maps\n\nHowever, some ports do well."
    document = document_of(text, markdown=False)

    kinds = [(c.kind.value, text[c.start : c.end]) for c in extract(document, type_of(document))]
    assert kinds == [("Barrier", "Lack of trust between ports"), ("Barrier", "Outdated maps")]


TABLE = """| Finding | Recommendation | Responsible | By when |
|--|--|--|--|
| Maps are old | Draw new maps | Eastmark Survey Office | June 2025 |
"""


def links_of(candidate: Candidate, *types: str) -> list[tuple[str, str]]:
    return [(x.label, x.basis) for x in candidate.links if x.type.removeprefix(PEV) in types]


def test_a_table_says_who_is_to_act_and_by_when() -> None:
    call = next(c for c in read(TABLE).candidates if c.kind is Kind.RECOMMENDATION)

    assert links_of(call, "directedTo") == [("Eastmark Survey Office", "said")]
    assert links_of(call, "deadline") == [("2025-06-30", "said")]


def test_a_table_whose_rows_are_labelled_is_read_by_row() -> None:
    found = read("| Barrier | Schools have no store |\n|--|--|\n| Barrier | Rules differ from town to town |\n")

    assert shown(found) == [("Barrier", "Schools have no store"), ("Barrier", "Rules differ from town to town")]


NEWS = """# Trams late again

A new report by the Eastmark Audit Office found that trams are late. It says the city must replace old tracks.

The mayor, Ada Finch, said: "We need to repair the tracks together. The lack of money hampers us."

"I welcome the report," she added.
"""


def by_words(found: Ingested, words: str) -> Candidate:
    return next(c for c in found.candidates if words in found.document.text[c.start : c.end])


def test_an_article_relays_a_report_and_quotes_people_in_their_roles() -> None:
    found = read(NEWS)

    assert by_words(found, "found that trams").attribution.mode is Mode.RELAYED
    assert by_words(found, "must replace").attribution.mode is Mode.RELAYED
    call, obstacle = by_words(found, "repair the tracks"), by_words(found, "lack of money")
    assert (call.kind, call.attribution.mode, call.attribution.who) == (Kind.POSITION, Mode.QUOTED, "Ada Finch")
    assert (obstacle.kind, obstacle.attribution.who) == (Kind.BARRIER, "Ada Finch")
    assert found.document.text[call.start : call.end] == "We need to repair the tracks together."


def test_a_short_quotation_is_said_by_whom_its_sentence_names() -> None:
    found = read(f'{NEWS}\nBo Reed, chair of the Eastmark Drivers Union, said: "I welcome the report."\n')
    said = [c.attribution for c in found.candidates if c.attribution.who == "Bo Reed"]

    assert [(by.mode, by.role, by.body) for by in said] == [
        (Mode.QUOTED, "chair of the Eastmark Drivers Union", "Eastmark Drivers Union")
    ]


def test_a_line_after_a_marked_list_is_not_of_the_list() -> None:
    found = read("# A review\n\nThe main barriers are:\n\n- old maps\n- new rules\n\nTrams run on Mondays\n")

    assert shown(found) == [("Barrier", "old maps"), ("Barrier", "new rules")]


def test_a_report_speaks_for_itself() -> None:
    parts = (
        "# An audit of trams",
        "This audit found that trams are late.",
        "## A",
        "x",
        "## B",
        "Cities should act.",
        "## C",
    )

    assert {c.attribution.mode for c in read("\n\n".join(parts)).candidates} == {Mode.OWN}


@pytest.fixture(scope="module")
def known(release: Release) -> Known:
    return read_known(release.source, release.library)


def test_bodies_of_the_graph_are_found_before_new_ones_are_made(known: Known) -> None:
    words = "Audit Scotland and the Scottish Parliament met the Ministry of Ferries (MoF). The MoF and Cosla agreed."
    found = read(f"# A report\n\n{words}\n", known)

    assert {b.label: (b.iri.removeprefix(f"{BASE}id/agent/"), b.known, len(b.mentions)) for b in found.bodies} == {
        "Audit Scotland": ("audit-scotland", True, 1),
        "Scottish Parliament": ("scottish-parliament", False, 1),
        "Ministry of Ferries": ("ministry-of-ferries", False, 3),
        "COSLA": ("cosla", True, 1),
    }


def test_a_body_of_another_country_is_not_taken_for_one_of_the_graph(known: Known) -> None:
    (body,) = read("# A report\n\nLocal authorities should act.\n", known).bodies

    assert body.iri == f"{BASE}id/group/local-authorities" and not body.known


def test_a_barrier_blocks_what_its_sentence_names_and_else_affects_its_theme(known: Known) -> None:
    sentences = ("Old habits hamper strategic planning.", "A shortage of staff is a major problem.")
    said, judged = read("# A report\n\n" + "\n\n".join(sentences), known).candidates

    assert links_of(said, "blocks", "affects") == [("Strategic planning", "said")]
    assert links_of(judged, "blocks", "affects") == [("Staff time and capacity", "judged")]
    assert [a.label for x in judged.links if x.type == PEV + "hasTheme" for a in x.alternatives] == ["Workforce"]


@pytest.mark.parametrize(
    ("passage", "theme"),
    [
        ("Funding cuts close day centres and slow hospital discharge.", "Funding level and pressure"),
        ("Hospital discharge is slow where funding cuts close day centres.", "Shift from hospital"),
        ("New charges for help such as lunch clubs, befriending and peer support.", "Charges and client income"),
        ("Lunch clubs, befriending and peer support lost their rooms.", "Community resilience"),
    ],
)
def test_a_passage_is_about_what_stands_at_its_head_and_not_about_its_examples(
    known: Known, passage: str, theme: str
) -> None:
    assert Themes(known).ranked(passage)[0].theme.label == theme


def test_the_name_of_a_body_says_less_of_a_theme_than_other_words(known: Known) -> None:
    words = "Finance Board training"
    plain, named = (Themes(known).ranked(words, (), names) for names in ((), [(0, len("Finance Board"))]))

    assert (plain[0].theme.label, named[0].theme.label) == ("Finance", "Workforce")


def test_an_item_like_one_of_another_report_is_proposed_as_similar_and_not_merged(known: Known) -> None:
    item = known.things[f"{BASE}id/barrier/as2018-leadership-turnover"]
    text = f"# A report\n\n## Barriers\n\n- {item.labels[0]}: {item.words[0]}\n"

    (link,) = [x for c in read(text, known).candidates for x in c.links if x.type == PEV + "similarTo"]
    assert (link.target, link.basis) == (item.iri, "judged")
    others = read(text, without(known, [item.iri])).candidates
    assert not [x for c in others for x in c.links if x.target == item.iri]


def test_the_annotated_texts_reach_their_targets(
    known: Known, texts_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = os.environ.get("KG_TEST_GOLD")
    if not folder:
        pytest.skip("the annotations are not at hand: KG_TEST_GOLD is not set")
    documents = json.loads((Path(folder) / "gold.json").read_text(encoding="utf-8"))["documents"]
    done = [ingest_file(texts_folder / document["file"], known, 10**7) for document in documents]

    benchmark = unseen.benchmark()
    assert benchmark.held(benchmark.report(documents, done, 1.0, {}, misses=False)) == 0, capsys.readouterr().out
