"""Reports of our own making in the manner of other bodies and countries, with what a reader finds in them.

    python tests/unseen.py FOLDER     # the reports as PDF, HTML and DOCX, and gold.json beside them

Each stands in `unseen_reports/` in a small markup: blocks parted by blank lines, the first word says what a
block is (h1 to h4, p, n for a numbered paragraph, li, ol, box…, tr, furn). What is found is marked where it
stands: `{B@finance|words}` is a barrier of that theme, `{K/B|…}` a key message that may also count as a
barrier, `{R?|…}` a recommendation that counts neither way, `{O|…}` a body. Marks may stand in each other.
"""

from __future__ import annotations

import html
import importlib.util
import io
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parent / "unseen_reports"
CLASSES = {"K": "key_messages", "B": "barriers", "E": "enablers", "R": "recommendations", "O": "organisations"}
ALSO = {"K": "key_message", "B": "barrier", "E": "enabler", "R": "recommendation"}
_MARK = re.compile(r"\{(?P<kinds>[A-Z](?:\?)?(?:/[A-Z])?)(?:@(?P<theme>[a-z-]+))?\|")
# What WinAnsi has beyond Latin-1, which the standard fonts of a PDF are written in.
_WINDOWS = {"•": "\x95", "–": "\x96", "’": "\x92"}


@dataclass(frozen=True)
class Part:
    """A block of a report: what it is, its words with bold marked by two stars."""

    kind: str
    text: str

    @property
    def number(self) -> str:
        return self.text.split(" ", 1)[0] if self.kind in ("n", "ol") else ""

    @property
    def words(self) -> str:
        return self.text.split(" ", 1)[1] if self.number else self.text

    @property
    def cells(self) -> list[str]:
        return self.text.split(" | ")

    def runs(self) -> list[tuple[str, bool]]:
        """Returns the words in pieces, each with whether it is bold."""
        return [(text, at % 2 == 1) for at, text in enumerate(self.words.split("**")) if text]


@dataclass
class Unseen:
    """A report with its annotation."""

    name: str
    format: str
    parts: list[Part]
    spans: list[dict[str, Any]] = field(default_factory=list)

    @property
    def file(self) -> str:
        return f"{self.name}.{self.format.removesuffix('2')}"

    def content(self) -> bytes:
        """Returns the file."""
        return {"pdf": pdf_of, "pdf2": pdf_of, "html": html_of, "docx": docx_of}[self.format](self)

    def annotation(self) -> dict[str, Any]:
        """Returns what is found in it, in the form of the development set; words instead of ranges."""
        told: dict[str, Any] = {"id": self.name, "file": self.file, "themes": [], "links": []}
        for name in CLASSES.values():
            told[name] = []
        for number, span in enumerate(self.spans):
            kind, theme = span.pop("kind"), span.pop("theme")
            span["id"] = f"{kind.lower()}{number}"
            if kind == "O":
                told["organisations"].append({"name": span["words"], "core": True, "mentions": [span]})
                continue
            told[CLASSES[kind]].append(span)
            if theme:
                told["links"].append({"type": "addresses", "source": span["id"], "target": theme, "core": True})
        return told


def read_unseen() -> list[Unseen]:
    """Returns the reports of the folder, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.txt"))]


def _read(path: Path) -> Unseen:
    first, *blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    report = Unseen(path.stem, first.removeprefix("= format "), [])
    for block in blocks:
        kind, text = block.split(" ", 1)
        plain, spans = _unmarked(text)
        report.parts.append(Part(kind, plain))
        report.spans += spans
    return report


def _unmarked(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Returns words without marks, and what was marked, from the outside in."""
    plain: list[str] = []
    opened: list[tuple[re.Match[str], int]] = []
    found: list[tuple[int, dict[str, Any]]] = []
    at = 0
    while at < len(text):
        if mark := _MARK.match(text, at):
            opened.append((mark, len(plain)))
            at = mark.end()
        elif text[at] == "}":
            mark, start = opened.pop()
            words = "".join(plain[start:]).replace("**", "")
            kinds = [part.rstrip("?") for part in mark["kinds"].split("/")]
            also = {"also": [ALSO[k] for k in kinds[1:]]} if len(kinds) > 1 else {}
            span = {"kind": kinds[0], "theme": mark["theme"], "words": words, "core": "?" not in mark["kinds"]}
            found.append((start, span | {"paraphrase": words[:40]} | also))
            at += 1
        else:
            plain.append(text[at])
            at += 1
    return "".join(plain), [span for _, span in sorted(found, key=lambda entry: entry[0])]


def html_of(report: Unseen) -> bytes:
    """Returns a page as a browser saves it, with its menus; boxes are panels, what is bold is strong."""
    body = "\n".join(_element(parts) for parts in _together(report.parts))
    title = report.parts[[p.kind for p in report.parts].index("h1")].words
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
        f"<body>{body}</body></html>"
    ).encode()


def _together(parts: list[Part]) -> Iterator[list[Part]]:
    """Yields blocks that make one element: the items of a list, the rows of a table, a box."""
    held: list[Part] = []
    for part in parts:
        shape = part.kind[:3] if part.kind.startswith("box") else part.kind
        before = held and (held[0].kind[:3] if held[0].kind.startswith("box") else held[0].kind)
        if held and (shape != before or shape not in ("li", "ol", "tr", "box", "furn") or part.kind == "boxh"):
            yield held
            held = []
        held.append(part)
    yield held


def _element(parts: list[Part]) -> str:
    kind = parts[0].kind
    inner = [_strong(part) for part in parts]
    if kind == "li":
        return "<ul>" + "".join(f"<li>{text}</li>" for text in inner) + "</ul>"
    if kind == "ol":
        return "<ol>" + "".join(f"<li>{text}</li>" for text in inner) + "</ol>"
    if kind == "furn":
        return "<nav>" + "".join(f'<a href="#">{text}</a> ' for text in inner) + "</nav>"
    if kind == "tr":
        rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in part.cells) for part in parts)
        return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    if kind.startswith("box"):
        return '<div class="panel">' + "".join(f"<p>{text}</p>" for text in inner) + "</div>"
    number = f"{parts[0].number}. " if kind == "n" else ""
    return f"<{kind}>{inner[0]}</{kind}>" if kind[0] == "h" else f"<p>{number}{inner[0]}</p>"


def _strong(part: Part) -> str:
    return "".join(f"<strong>{html.escape(t)}</strong>" if bold else html.escape(t) for t, bold in part.runs())


def docx_of(report: Unseen) -> bytes:
    """Returns the report as a word processor writes it; a box is a table of one cell."""
    import docx

    document = docx.Document()
    for parts in _together(report.parts):
        kind = parts[0].kind
        if kind == "tr":
            table = document.add_table(rows=0, cols=len(parts[0].cells))
            for part in parts:
                for cell, text in zip(table.add_row().cells, part.cells, strict=True):
                    cell.text = text
        elif kind.startswith("box"):
            cell = document.add_table(rows=1, cols=1).cell(0, 0)
            for at, part in enumerate(parts):
                (cell.paragraphs[0] if at == 0 else cell.add_paragraph()).add_run(part.words).bold = at == 0
        else:
            for part in parts:
                _add_paragraph(document, part)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _add_paragraph(document: Any, part: Part) -> None:
    if part.kind[0] == "h":
        document.add_heading(part.words, int(part.kind[1]) - 1)
        return
    style = {"li": "List Bullet", "ol": "List Number"}.get(part.kind)
    paragraph = document.add_paragraph(style=style)
    for text, bold in part.runs():
        paragraph.add_run(text).bold = bold


_SIZES = {"h1": 20, "h2": 14, "h3": 12, "h4": 10.5}


def pdf_of(report: Unseen) -> bytes:
    """Returns the report as a printed one: running head, page numbers, hanging numbers, shaded boxes, two columns."""
    from fpdf import FPDF

    class Printed(FPDF):
        def header(self) -> None:
            self.set_font("Helvetica", size=8)
            self.cell(0, 5, report.parts[0].words[:50], new_x="LMARGIN", new_y="NEXT")
            self.ln(4)

        def footer(self) -> None:
            self.set_y(-12)
            self.set_font("Helvetica", size=8)
            self.cell(0, 5, str(self.page_no()), align="R")

    pdf = Printed()
    pdf.set_auto_page_break(True, 20)
    pdf.add_page()
    groups = list(_together(report.parts))
    single = next(
        (n for n, g in enumerate(groups) if report.format == "pdf2" and g[0].text == "Background"), len(groups)
    )
    for parts in groups[:single]:
        _print(pdf, parts)
    if single < len(groups):
        pdf.add_page()
        with pdf.text_columns(ncols=2, gutter=10, line_height=1.2) as columns:
            for part in (part for group in groups[single:] for part in group):
                size = _SIZES.get(part.kind, 10)
                with columns.paragraph(bottom_margin=2, top_margin=2) as paragraph:
                    for text, bold in part.runs():
                        pdf.set_font("Helvetica", style="B" if bold or part.kind[0] == "h" else "", size=size)
                        paragraph.write(_encoded(text))
    return bytes(pdf.output())


def _print(pdf: Any, parts: list[Part]) -> None:
    kind = parts[0].kind
    if kind == "tr":
        pdf.set_font("Helvetica", size=9)
        with pdf.table() as table:
            for part in parts:
                table.row([_encoded(cell) for cell in part.cells])
        pdf.ln(3)
    elif kind.startswith("box"):
        _print_box(pdf, parts)
    else:
        for part in parts:
            _print_part(pdf, part)


def _print_part(pdf: Any, part: Part) -> None:
    size = _SIZES.get(part.kind, 10)
    pdf.set_font("Helvetica", style="B" if part.kind[0] == "h" else "", size=size)
    lead = {"li": "\x95", "n": f"{part.number}" if part.number.isalpha() else f"{part.number}.", "ol": f"{part.number}"}
    if part.kind in lead:
        pdf.cell(10, size * 0.5, lead[part.kind])
    pdf.multi_cell(
        0, size * 0.5, _encoded(part.words), align="L", markdown="**" in part.words, new_x="LMARGIN", new_y="NEXT"
    )
    pdf.ln(2)


def _print_box(pdf: Any, parts: list[Part]) -> None:
    text = "\n".join(_encoded(f"**{p.words}**" if p.kind == "boxh" else p.words) for p in parts)
    pdf.set_font("Helvetica", size=10)
    pdf.set_fill_color(225, 235, 245)
    pdf.multi_cell(0, 5, text, border=1, fill=True, align="L", markdown=True, new_x="LMARGIN", new_y="NEXT", padding=3)
    pdf.ln(4)


def _encoded(text: str) -> str:
    for letter, code in _WINDOWS.items():
        text = text.replace(letter, code)
    return text


def write_unseen(folder: Path) -> list[Path]:
    """Writes the reports and gold.json; returns the reports' paths."""
    folder.mkdir(parents=True, exist_ok=True)
    reports = read_unseen()
    for report in reports:
        (folder / report.file).write_bytes(report.content())
    gold = {"documents": [report.annotation() for report in reports]}
    (folder / "gold.json").write_text(json.dumps(gold, indent=1, ensure_ascii=False), encoding="utf-8")
    return [folder / report.file for report in reports]


def benchmark() -> ModuleType:
    """Returns the benchmark that scores candidates against an annotation."""
    path = Path(__file__).parents[1] / "benchmarks" / "extraction.py"
    spec = importlib.util.spec_from_file_location("extraction", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.stdout.writelines(f"{path}\n" for path in write_unseen(Path(sys.argv[1])))
