"""Reports of our own making, as PDF, DOCX and HTML: an audit of home insulation in an invented country.

Each has what real reports have: a running head (or a menu), two columns, a word that is broken, ligatures,
a footnote, a box with a recommendation, a table of findings with who is to act and by when.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

TITLE = "Warm homes: an audit of the insulation programme"
OFFICE = "Court of Audit of Westmark"

MESSAGES = (
    "The programme reached fewer than half of the homes that were planned. Costs per home rose by 18 per cent.",
    "A shortage of trained installers hampers the work in rural districts.",
    "Households trust the scheme most where local advice centres visit them.",
)
BARRIERS = (
    "Grant rules that change every year make it difficult for firms to plan.",
    "Landlords have no incentive to invest, because tenants receive the savings.",
)
RECOMMENDATIONS = (
    "The Ministry of Housing should fix the grant rules for five years.",
    "District councils should open an advice centre in every town by the end of 2027.",
)
ROWS = (
    ("Inspections are not documented", "Keep a register of all inspections", "Energy Agency of Westmark", "June 2026"),
    ("Complaints are answered late", "Answer every complaint within a month", "District councils", "2026"),
)
HEADERS = ("Finding", "Recommendation", "Responsible", "By when")
WRAPPED = (
    (
        "Inspections are not documented in most of the ports",
        "Keep one register of all inspections and publish it",
        "Port Agency",
        "2026",
    ),
    (
        "Cranes are old and often break down in winter",
        "Replace the cranes in the two largest ports",
        "Ministry of Ports",
        "2027",
    ),
)
BOX = "The Energy Agency of Westmark must publish the results of every inspection."
LEFT = (
    "The audit covers the years from 2019 to 2023. We looked at files of the ministry and the agency, and we visited "
    "nine districts. The audit found that only four dis-",
    "tricts had a plan. Two others had begun to write one.",
)
RIGHT = (
    "Advice is offered in most towns but not in villages.",
    "The lack of a common register is a major obstacle to checking the work. Nobody knows which homes are done.",
)
NOTE = "1 The figures are those of the ministry at the end of the year."
# What LEFT breaks at a line end, with the mark at which a page or a word processor may break it.
SOFT = LEFT[0].removesuffix("-") + "\u00ad" + LEFT[1]
# The standard fonts have the ligature, their usual encoding does not: this code is given to it.
_CODE = "¤"


def pdf_report(pages: int = 1) -> bytes:
    """Returns the report as PDF; more pages repeat its second page."""
    from fpdf import FPDF
    from fpdf.enums import XPos, YPos

    class Report(FPDF):
        def header(self) -> None:
            self.set_font("Helvetica", size=8)
            self.cell(0, 5, "Warm homes 2024", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.ln(4)

        def footer(self) -> None:
            self.set_y(-12)
            self.set_font("Helvetica", size=8)
            self.cell(0, 5, f"Page {self.page_no()}")

    pdf = Report()
    pdf.set_creation_date(datetime(2024, 3, 1, tzinfo=UTC))
    pdf.set_auto_page_break(True, 20)
    pdf.add_page()
    _heading(pdf, TITLE, 20)
    _paragraph(pdf, f"Published by: {OFFICE}")
    _paragraph(pdf, "Published: 12 March 2024")
    _heading(pdf, "Key messages", 14)
    for number, message in enumerate(MESSAGES, start=1):
        _paragraph(pdf, f"{number}. {message}")
    _heading(pdf, "What gets in the way", 14)
    for barrier in BARRIERS:
        _paragraph(pdf, f"- {barrier}")
    _heading(pdf, "Recommendations", 14)
    for number, recommendation in enumerate(RECOMMENDATIONS, start=1):
        _paragraph(pdf, f"{number}. {recommendation}")
    _boxed(pdf, "Recommendation 3", BOX)
    for _ in range(pages):
        pdf.add_page()
        _heading(pdf, "What we saw", 14)
        _columns(pdf, LEFT, RIGHT)
        _heading(pdf, "Findings and what should follow", 14)
        with pdf.table(col_widths=(30, 30, 25, 15)) as table:
            for row in (HEADERS, *ROWS):
                table.row(row)
        pdf.set_y(-30)
        pdf.set_font("Helvetica", size=7)
        pdf.multi_cell(0, 4, NOTE)
    return bytes(pdf.output(output_producer_class=_with_ligature()))


def pdf_of_pages(pages: int) -> bytes:
    """Returns a report of many pages: the last page of the report again and again, which is quick to write."""
    import pypdfium2

    written = io.BytesIO()
    report = pypdfium2.PdfDocument(pdf_report())
    long = pypdfium2.PdfDocument.new()
    long.import_pages(report)
    for _ in range(pages - len(report)):
        long.import_pages(report, [len(report) - 1])
    long.save(written)
    return written.getvalue()


def _with_ligature() -> Any:
    """Returns how a PDF is written whose fonts show the ligature of f and i for the code of a currency sign."""
    from fpdf.output import OutputProducer, PDFFont

    class WithLigature(OutputProducer):
        def _add_fonts(self, *parts: Any) -> Any:
            fonts = super()._add_fonts(*parts)
            for font in fonts.values():
                if isinstance(font, PDFFont):
                    names: Any = f"<</Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [{ord(_CODE)} /fi]>>"
                    font.encoding = names
            return fonts

    return WithLigature


def pdf_table(borders: str) -> bytes:
    """Returns a page with a table of findings whose cells wrap, between two paragraphs.

    Args:
        borders: which lines are drawn, as fpdf2 calls it.
    """
    from fpdf import FPDF

    pdf = FPDF()
    pdf.add_page()
    _paragraph(pdf, "The table lists what was seen in the ports that were visited in the two years of the programme.")
    pdf.set_font("Helvetica", size=10)
    with pdf.table(borders_layout=borders, col_widths=(30, 30, 25, 15)) as table:
        for row in (HEADERS, *WRAPPED):
            table.row(row)
    _paragraph(pdf, "The ministry should report on progress every year.")
    return bytes(pdf.output())


def _heading(pdf: Any, text: str, size: int) -> None:
    from fpdf.enums import XPos, YPos

    pdf.ln(3)
    pdf.set_font("Helvetica", style="B", size=size)
    pdf.multi_cell(0, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(2)


def _paragraph(pdf: Any, text: str) -> None:
    from fpdf.enums import XPos, YPos

    pdf.set_font("Helvetica", size=11)
    pdf.multi_cell(0, 5, text.replace("fi", _CODE), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(2)


def _boxed(pdf: Any, head: str, text: str) -> None:
    from fpdf.enums import XPos, YPos

    pdf.ln(2)
    pdf.rect(pdf.get_x(), pdf.get_y(), 180, 18)
    pdf.ln(2)
    pdf.set_font("Helvetica", style="B", size=11)
    pdf.cell(0, 6, head, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_font("Helvetica", size=11)
    pdf.multi_cell(175, 5, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(5)


def _columns(pdf: Any, left: tuple[str, ...], right: tuple[str, ...]) -> None:
    """Sets two columns side by side; a word broken at a line end is set with its hyphen."""
    top, end = pdf.get_y(), 0.0
    for x, paragraphs in ((10.0, left), (110.0, right)):
        pdf.set_xy(x, top)
        pdf.set_font("Helvetica", size=10)
        for text in paragraphs:
            pdf.set_x(x)
            pdf.multi_cell(85, 5, text, align="L")
            pdf.set_x(x)
        end = max(end, pdf.get_y())
    pdf.set_xy(10, end + 4)


def docx_report() -> bytes:
    """Returns the report as DOCX, with a box that is a table of one cell."""
    import docx
    from docx.enum.section import WD_SECTION

    document = docx.Document()
    document.core_properties.title = TITLE
    document.sections[0].header.paragraphs[0].text = "Warm homes 2024"
    document.add_paragraph(TITLE, style="Title")
    document.add_paragraph(f"Published by: {OFFICE}")
    document.add_paragraph("Published: 12 March 2024")
    document.add_heading("Key messages", 1)
    for message in MESSAGES:
        document.add_paragraph(_joined(message), style="List Number")
    document.add_heading("What gets in the way", 1)
    for barrier in BARRIERS:
        document.add_paragraph(_joined(barrier), style="List Bullet")
    document.add_heading("Recommendations", 1)
    for recommendation in RECOMMENDATIONS:
        document.add_paragraph(_joined(recommendation), style="List Number 2")
    box = document.add_table(rows=1, cols=1).cell(0, 0)
    box.paragraphs[0].add_run("Recommendation 3: ").bold = True
    box.paragraphs[0].add_run(BOX)
    document.add_heading("What we saw", 1)
    document.add_section(WD_SECTION.CONTINUOUS)
    for text in (SOFT, *RIGHT):
        document.add_paragraph(text)
    _two_columns(document.sections[-1])
    _footnote(document, document.paragraphs[-1], NOTE)
    document.add_section(WD_SECTION.CONTINUOUS)
    document.add_heading("Findings and what should follow", 1)
    table = document.add_table(rows=1, cols=4)
    for cell, text in zip(table.rows[0].cells, HEADERS, strict=True):
        cell.text = text
    for row in ROWS:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _joined(text: str) -> str:
    return text.replace("fi", "ﬁ")


def _two_columns(section: Any) -> None:
    from docx.oxml.ns import qn

    section._sectPr.find(qn("w:cols")).set(qn("w:num"), "2")


def _footnote(document: Any, paragraph: Any, words: str) -> None:
    """Adds a footnote to the end of a paragraph; the library has no function for it."""
    from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    notes = (
        f'<w:footnotes {nsdecls("w")}><w:footnote w:type="separator" w:id="0"><w:p><w:r><w:separator/></w:r></w:p>'
        f'</w:footnote><w:footnote w:id="1"><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    place = PackURI("/word/footnotes.xml")
    part = Part(place, CONTENT_TYPE.WML_FOOTNOTES, notes.encode(), document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    paragraph._p.append(parse_xml(f'<w:r {nsdecls("w")}><w:footnoteReference w:id="1"/></w:r>'))


def html_report() -> bytes:
    """Returns the report as a saved page, with menus."""
    items = "".join(f"<li>{_joined(text)}</li>" for text in MESSAGES)
    barriers = "".join(
        f"<li><strong>{_joined(lead)}</strong>{comma}{_joined(rest)}</li>"
        for lead, comma, rest in (text.partition(",") for text in BARRIERS)
    )
    calls = "".join(f"<li>{_joined(text)}</li>" for text in RECOMMENDATIONS)
    head = "".join(f"<th>{text}</th>" for text in HEADERS)
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in ROWS)
    seen = "".join(f"<p>{text}</p>" for text in (SOFT, *RIGHT))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{TITLE} | {OFFICE}</title>
<meta property="og:site_name" content="{OFFICE}"><meta name="dcterms.issued" content="2024-03-12"></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/about">About us</a></li></ul></nav>
<main><article><h1>{TITLE}</h1>
<h2>Key messages</h2><ol>{items}</ol>
<h2>What gets in the way</h2><ul>{barriers}</ul>
<h2>Recommendations</h2><ol>{calls}</ol>
<aside class="box"><p><b>Recommendation 3:</b> {BOX}</p></aside>
<h2>What we saw</h2><div style="column-count: 2">{seen}</div>
<h2>Findings and what should follow</h2><table><tr>{head}</tr>{rows}</table>
<div class="footnotes"><p>{NOTE}</p></div></article></main>
<footer><p>All rights reserved. You should accept our cookies.</p></footer></body></html>""".encode()
