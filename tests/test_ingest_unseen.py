"""Reports in the manner of other bodies and countries, in the formats they come in: what is found in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import unseen
from kg.ingest.blocks import BlockKind, Document
from kg.ingest.documents import read_document
from kg.ingest.known import Known, read_known
from kg.ingest.labels import Kind
from kg.ingest.pipeline import ingest_file
from kg.release.opened import Release


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unseen")
    unseen.write_unseen(folder)
    return folder


@pytest.mark.slow
def test_most_of_what_a_reader_finds_is_found_and_little_else(
    folder: Path, release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = unseen.benchmark()
    known = benchmark.without_bodies(read_known(release.source, release.library))
    tops = benchmark.tops_of(known, release.source)
    gold = json.loads((folder / "gold.json").read_text(encoding="utf-8"))["documents"]
    done = [ingest_file(folder / document["file"], known, 10**7) for document in gold]
    documents = [benchmark.placed(d, i.document.text) for d, i in zip(gold, done, strict=True)]

    reached = benchmark.report(documents, done, 1.0, tops, misses=True)

    told = capsys.readouterr().out
    assert reached["evidence"] == 1.0
    assert reached["micro F1"] >= 0.85, told
    assert reached["theme top-1"] >= 0.6, told
    assert reached["organisations"] >= 0.88, told
    over = benchmark.counted(documents, done, benchmark.overlap)
    assert all(over.scores([name])[2] >= 0.7 for name in benchmark.CLASSES.values()), told


def test_the_line_under_a_title_names_body_and_date(folder: Path) -> None:
    told = {}
    for name in ("gao.pdf", "nao.pdf", "anao.html", "letter.docx"):
        properties = ingest_file(folder / name, Known({}), 10**7).document.properties
        told[name] = (properties["publisher"].value, properties["date"].value)

    assert {name: value for name, value in told.items() if name != "nao.pdf"} == {
        "gao.pdf": ("Office of Federal Accountability", "2023-09"),
        "anao.html": ("Australasian National Audit Bureau", "2023-02-14"),
        "letter.docx": ("Court of Audit of the Lowlands", "2023-01-19"),
    }
    assert told["nao.pdf"][0] == "National Audit Institution"
    assert read(folder, "watchdog.html").properties["date"].value == "2022-11"


def read(folder: Path, name: str) -> Document:
    return read_document(folder / name, 10**7)


def words(document: Document, kind: BlockKind) -> list[str]:
    return [" ".join(document.text[b.start : b.end].split()) for b in document.blocks if b.kind is kind]


def test_headings_of_a_pdf_have_the_level_of_their_size(folder: Path) -> None:
    document = read(folder, "nao.pdf")
    levels = {document.text[b.start : b.end]: b.level for b in document.blocks if b.kind is BlockKind.HEADING}

    assert (levels["Summary"], levels["Key findings"], levels["Causes"]) == (2, 3, 4)


def test_numbers_that_hang_before_a_paragraph_are_its_number(folder: Path) -> None:
    document = read(folder, "nao.pdf")
    numbers = [b.number for b in document.blocks if b.kind is BlockKind.LIST_ITEM]

    assert numbers == [*map(str, range(1, 11)), "a", "b", "c", "11", "d", "e"]
    assert [b.number for b in read(folder, "eca.pdf").blocks if b.number][:6] == ["I", "II", "III", "IV", "V", "VI"]


def test_what_is_bold_after_a_number_leads_its_paragraph(folder: Path) -> None:
    document = read(folder, "nao.pdf")
    leads = [document.text[b.start : b.start + b.lead].strip() for b in document.blocks if b.lead]

    assert "The backlog has grown by 38% since 2019." in leads


def test_a_short_second_column_is_read_after_the_first(folder: Path) -> None:
    headings = words(read(folder, "gao.pdf"), BlockKind.HEADING)

    assert headings[-4:] == [
        "Agencies Do Not Fully Follow Leading Practices for Collaboration",
        "Conclusions",
        "Recommendations for Executive Action",
        "Agency Comments and Our Evaluation",
    ]


def test_boxes_below_a_table_are_not_rows_of_it(folder: Path) -> None:
    document = read(folder, "eca.pdf")

    assert {b.row for b in document.blocks if b.kind is BlockKind.TABLE_CELL} == {0, 1, 2}
    assert "Recommendation 2 - Measure what is saved" in words(document, BlockKind.HEADING)


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("statefindings.html", Kind.BARRIER, "each inspector is responsible for 140 homes"),  # "Cause." in bold
        ("statefindings.html", Kind.RECOMMENDATION, "Adopt a written policy on penalties"),  # "Recommendation."
        ("gao.pdf", Kind.BARRIER, "a scarcity of fiber crews"),  # a list with commas in a box
        ("eca.pdf", Kind.RECOMMENDATION, "give Member States longer deadlines"),  # letters in a box
        ("riksrevision.pdf", Kind.RECOMMENDATION, "Develop the follow-up"),  # under "To the …" under "Recommendations"
        ("committee.html", Kind.KEY_MESSAGE, "is convinced that community growing"),  # conclusions and recommendations
        ("inspectorate.docx", Kind.RECOMMENDATION, "Collect destinations of learners"),  # a column "Action"
        ("ngo.html", Kind.BARRIER, "No one is in charge"),  # a bold lead with what follows it
    ],
)
def test_an_item_is_found_where_its_form_shows_it(folder: Path, name: str, kind: Kind, found: str) -> None:
    ingested = ingest_file(folder / name, Known({}), 10**7)
    passages = [(c.kind, " ".join(ingested.document.text[c.start : c.end].split())) for c in ingested.candidates]

    assert kind in {of for of, passage in passages if found in passage}


@pytest.mark.parametrize(
    ("name", "not_found"),
    [
        ("anao.html", "We made three recommendations"),  # tells of recommendations
        ("gao.pdf", "Leading practices call for"),  # what good practice asks
        ("committee.html", "call for views"),
        ("inspectorate.docx", "Inspectors should be contacted"),  # about the inspectorate itself
        ("statefindings.html", "State law requires one unannounced"),  # criteria
    ],
)
def test_what_only_sounds_like_a_call_is_none(folder: Path, name: str, not_found: str) -> None:
    ingested = ingest_file(folder / name, Known({}), 10**7)
    calls = [c for c in ingested.candidates if c.kind is Kind.RECOMMENDATION]

    assert not [c for c in calls if not_found in ingested.document.text[c.start : c.end]]
