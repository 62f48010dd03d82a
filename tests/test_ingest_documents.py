"""Files become frozen texts with blocks; what cannot be read is refused, and says what to do."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import reports
from kg.errors import DataError
from kg.evidence import sha256
from kg.ingest.blocks import Block, BlockKind, Document
from kg.ingest.documents import read_document
from kg.ingest.folder import Limits, files_in, ingest_all
from kg.ingest.held import held, keep
from kg.ingest.known import Known
from kg.ingest.normal import view

MOST = 33_554_432
MADE: dict[str, Callable[[], bytes]] = {
    "report.pdf": reports.pdf_report,
    "report.docx": reports.docx_report,
    "report.html": reports.html_report,
}


def document_of(folder: Path, name: str, content: bytes) -> Document:
    (folder / name).write_bytes(content)
    return read_document(folder / name, MOST)


def words(document: Document, block: Block) -> str:
    return view(document.text, block.start, block.end).text


@pytest.fixture(scope="module", params=sorted(MADE))
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Document:
    return document_of(tmp_path_factory.mktemp("reports"), request.param, MADE[request.param]())


def test_a_report_keeps_its_structure(report: Document) -> None:
    kinds = {kind: [words(report, b) for b in report.blocks if b.kind is kind] for kind in BlockKind}

    assert {"Key messages", "What gets in the way", "Recommendations", "What we saw"} <= set(kinds[BlockKind.HEADING])
    items = [b for b in report.blocks if b.kind is BlockKind.LIST_ITEM]
    numbered = [words(report, b) for b in items if b.number]
    assert numbered == [view(text).text for text in (*reports.MESSAGES, *reports.RECOMMENDATIONS)]
    assert [b.number for b in items if b.number] == ["1", "2", "3", "1", "2"]
    cells = [(b.row, b.column, words(report, b)) for b in report.blocks if b.kind is BlockKind.TABLE_CELL]
    table = [reports.HEADERS, *reports.ROWS]
    assert cells == [(at, reports.HEADERS[n], cell) for at, row in enumerate(table) for n, cell in enumerate(row)]
    assert any(b.boxed and reports.BOX in words(report, b) for b in report.blocks)
    assert not any("Warm homes 2024" in text or "cookies" in text for text in kinds[BlockKind.PARAGRAPH])
    assert kinds[BlockKind.FOOTNOTE] == [reports.NOTE]


def test_the_blocks_lie_in_the_text_in_order_and_without_white_space_at_their_ends(report: Document) -> None:
    ends = [0]
    for block in report.blocks:
        assert (
            block.start >= ends[-1]
            and report.text[block.start : block.end].strip() == report.text[block.start : block.end] != ""
        )
        ends.append(block.end)


def test_columns_are_read_one_after_the_other(report: Document) -> None:
    paragraphs = [words(report, b) for b in report.blocks if b.kind is BlockKind.PARAGRAPH]
    first = next(at for at, text in enumerate(paragraphs) if text.startswith("The audit covers"))

    seen = " ".join(paragraphs[first : first + 3])
    assert seen.startswith(" ".join([reports.LEFT[0][:-1] + reports.LEFT[1], *reports.RIGHT]))


def test_nothing_is_dehyphenated_in_the_text_and_words_are_whole_to_the_rules(report: Document) -> None:
    assert ("dis-\ntricts" if report.parser == "pypdfium2" else "dis\u00adtricts") in report.text
    assert "only four districts had a plan" in view(report.text).text


@pytest.mark.parametrize("borders", ["ALL", "NONE", "HORIZONTAL_LINES", "SINGLE_TOP_LINE"])
def test_a_table_is_read_row_by_row_with_and_without_lines(tmp_path: Path, borders: str) -> None:
    document = document_of(tmp_path, "table.pdf", reports.pdf_table(borders))

    cells = [(b.row, b.column, words(document, b)) for b in document.blocks if b.kind is BlockKind.TABLE_CELL]
    rows = [reports.HEADERS, *reports.WRAPPED]
    assert cells == [(at, reports.HEADERS[n], cell) for at, row in enumerate(rows) for n, cell in enumerate(row)]
    assert [b.kind for b in document.blocks if b.table is None] == [BlockKind.PARAGRAPH, BlockKind.PARAGRAPH]


def test_ligatures_are_whole_letters_to_the_rules(report: Document) -> None:
    assert "difficult for firms" in view(report.text).text


def test_ligatures_stay_in_the_text_where_the_file_gives_its_characters(report: Document) -> None:
    # A PDF gives glyphs; its reader has made letters of them.
    assert ("difficult for firms" if report.parser == "pypdfium2" else "difﬁcult for ﬁrms") in report.text


def test_a_plain_text_is_its_own_frozen_text(tmp_path: Path) -> None:
    content = "Findings\n\n1.\u00a0\u00a0Costs rose.\n\u2022 Staff left.\n".encode()
    document = document_of(tmp_path, "a.txt", content)

    assert document.text.encode() == content and document.text_sha256 == sha256(content.decode())
    assert [(b.kind, b.number, words(document, b)) for b in document.blocks] == [
        (BlockKind.HEADING, None, "Findings"),
        (BlockKind.LIST_ITEM, "1", "Costs rose."),
        (BlockKind.LIST_ITEM, None, "Staff left."),
    ]


def test_line_ends_and_letters_take_one_form(tmp_path: Path) -> None:
    assert document_of(tmp_path, "a.txt", "Cafe\u0301 one.\r\nTwo.\r".encode()).text == "Café one.\nTwo.\n"


def test_a_held_document_is_read_back_as_it_was_and_a_changed_one_is_refused(report: Document, tmp_path: Path) -> None:
    path = keep(report, tmp_path)

    assert held(report.text_sha256, tmp_path) == report
    assert json.loads(path.with_suffix(".json").read_text())["parser"] == report.parser
    path.write_text(report.text + "!", encoding="utf-8")
    with pytest.raises(DataError, match="has been changed since"):
        held(report.text_sha256, tmp_path)


def bomb() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<w/>" * 20_000_000)
    return written.getvalue()


def scan() -> bytes:
    from fpdf import FPDF

    pdf = FPDF()
    for _ in range(3):
        pdf.add_page()
        pdf.rect(10, 10, 100, 100, style="F")
    return bytes(pdf.output())


def encrypted() -> bytes:
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_encryption(owner_password="owner", user_password="user")
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.cell(0, 10, "Secret findings")
    return bytes(pdf.output())


REFUSED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": ("a.txt", lambda: b"", "is empty"),
    "white": ("a.md", lambda: b" \n\n ", "is empty"),
    "binary": ("a.txt", lambda: bytes(range(256)) * 20, "is binary"),
    "control characters": ("a.txt", lambda: b"\x01\x02\x03 words \x04\x05", "is binary"),
    "not UTF-8": ("a.txt", lambda: b"caf\xe9 au lait", "is not UTF-8"),
    "PDF called DOCX": ("a.docx", reports.pdf_report, "is not what its ending .docx says (a PDF)"),
    "DOCX called PDF": ("a.pdf", reports.docx_report, "is not what its ending .pdf says (a ZIP"),
    "text called PDF": ("a.pdf", lambda: b"just words", "is not what its ending .pdf says (text)"),
    "no ending": ("a", lambda: b"words", "'nothing'"),
    "old Word": ("a.docx", lambda: b"\xd0\xcf\x11\xe0" + b"x" * 900, "old Office file"),
    "damaged PDF": ("a.pdf", lambda: reports.pdf_report()[:700], "damaged PDF"),
    "damaged DOCX": ("a.docx", lambda: b"PK\x03\x04" + b"x" * 99, "damaged archive"),
    "other ZIP": ("a.docx", lambda: _zip(), "cannot be read as DOCX"),
    "bomb": ("a.docx", bomb, "packed over 200 to 1"),
    "scan": ("a.pdf", scan, "text recognition"),
    "encrypted": ("a.pdf", encrypted, "encrypted with a password"),
    "too large": ("a.html", lambda: b"<p>x</p>" * (MOST // 8 + 1), "KG_MAX_DOCUMENT_BYTES"),
    "picture": ("a.html", lambda: b"\x89PNG\r\n\x1a\n" + b"0" * 99, "picture"),
}  # fmt: skip


def _zip() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("hello.txt", "hello")
    return written.getvalue()


@pytest.mark.parametrize(("name", "content", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_in_words(
    tmp_path: Path, name: str, content: Callable[[], bytes], complaint: str
) -> None:
    (tmp_path / name).write_bytes(content())

    with pytest.raises(DataError) as raised:
        read_document(tmp_path / name, MOST)

    assert complaint in str(raised.value) and "\n" not in str(raised.value)


def test_an_odd_page_is_read_and_one_that_nests_too_deeply_is_refused(tmp_path: Path) -> None:
    odd = document_of(tmp_path, "b.html", b"<p>One<p>Two<table><tr><td>x<li>Three &bogus; <script>let x = 'Four'")

    assert "One" in odd.text and "Four" not in odd.text
    with pytest.raises(DataError, match="holds no text"):
        document_of(tmp_path, "a.html", b"<div>" * 5000 + b"Deep words are here." + b"</div>" * 5000)


LIMITS = Limits(MOST, 60_000, 2048)


def test_one_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Staff shortages hamper the ferries.", encoding="utf-8")
    (tmp_path / "b.pdf").write_bytes(encrypted())
    (tmp_path / "c.md").write_text("# Title\n\nThe office should publish a roster.", encoding="utf-8")
    (tmp_path / "d.zip").write_bytes(b"PK")

    outcomes = {o.path.name: o for o in ingest_all(files_in([tmp_path]), Known({}), LIMITS)}

    assert sorted(outcomes) == ["a.txt", "b.pdf", "c.md"]
    assert "encrypted" in str(outcomes["b.pdf"].error)
    kinds = [[c.kind.value for c in o.ingested.candidates] for _, o in sorted(outcomes.items()) if o.ingested]
    assert kinds == [["Barrier"], ["Recommendation"]]


def test_a_file_that_takes_too_long_or_too_much_memory_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Staff shortages hamper the ferries. " * 20_000, encoding="utf-8")

    (late,) = ingest_all([tmp_path / "a.txt"], Known({}), Limits(MOST, 50, 2048))
    (large,) = ingest_all([tmp_path / "a.txt"], Known({}), Limits(MOST, 60_000, 60))

    assert "KG_DOCUMENT_TIME_LIMIT_MS" in str(late.error)
    assert "KG_DOCUMENT_MEMORY_LIMIT_MB" in str(large.error)


@pytest.mark.slow
def test_a_pdf_of_500_pages_is_a_bounded_run(tmp_path: Path) -> None:
    (tmp_path / "long.pdf").write_bytes(reports.pdf_of_pages(500))

    (outcome,) = ingest_all([tmp_path / "long.pdf"], Known({}), Limits(MOST, 240_000, 2048))

    assert outcome.error is None and outcome.ingested is not None
    assert outcome.ingested.document.pages == 500
    assert len(outcome.ingested.candidates) > 2_000
