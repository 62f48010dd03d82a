"""A file becomes a document: one frozen text, its blocks, and what is known about it.

What a file is, its first bytes tell, not its ending; the ending decides only between plain
text and Markdown. Each kind has one reader.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kg.errors import DataError
from kg.ingest.blocks import Block, Document, Found, lines_and_letters
from kg.ingest.metadata import properties_of
from kg.ingest.plain import blocks_of_plain

ENDINGS = (".pdf", ".html", ".htm", ".xhtml", ".docx", ".txt", ".text", ".md", ".markdown")
MOST_CHARACTERS = 5_000_000
_BINARY = {
    b"\xd0\xcf\x11\xe0": "is an old Office file (.doc, .xls) or an encrypted one; save it as .docx without a password.",
    b"\x89PNG": "is a picture; run text recognition and ingest what it gives.",
    b"\xff\xd8\xff": "is a picture; run text recognition and ingest what it gives.",
    b"GIF8": "is a picture; run text recognition and ingest what it gives.",
    b"\x1f\x8b": "is a compressed file; unpack it first.",
    b"{\\rtf": "is RTF; save it as .docx, .pdf or .txt.",
}


def read_document(path: Path, most_bytes: int) -> Document:
    """Returns the document in a file.

    Args:
        path: PDF, HTML, DOCX, plain text or Markdown.
        most_bytes: a larger file is refused.

    Raises:
        DataError: it cannot be read, and why; what to do instead.
    """
    content = _bytes(path, most_bytes)
    try:
        document = _reader(path, content)(path, content)
    except DataError as error:
        raise DataError(str(error), path) from error
    if not document.text.strip():
        raise DataError("holds no text.", path)
    if len(document.text) > MOST_CHARACTERS:
        raise DataError(
            f"has {len(document.text)} characters; at most {MOST_CHARACTERS} are read. Ingest it in parts.", path
        )
    return replace(document, properties=properties_of(document))


def _bytes(path: Path, most_bytes: int) -> bytes:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise DataError("is no file.", path)
        if size > most_bytes:
            raise DataError(f"has {size} bytes; at most {most_bytes} are read (KG_MAX_DOCUMENT_BYTES).", path)
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}.", path) from error
    if not content.strip():
        raise DataError("is empty.", path)
    return content


_Reader = Callable[[Path, bytes], Document]


def _reader(path: Path, content: bytes) -> _Reader:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise DataError(f"ends in {ending or 'nothing'!r}; {', '.join(ENDINGS)} are read.")
    for magic, complaint in _BINARY.items():
        if content.startswith(magic):
            raise DataError(complaint)
    if b"%PDF-" in content[:1024]:
        kind: _Reader = _pdf
        fits = ending == ".pdf"
    elif content.startswith(b"PK"):
        kind, fits = _docx, ending == ".docx"
    elif ending in (".html", ".htm", ".xhtml"):
        kind, fits = _html, True
    else:
        kind, fits = _plain, ending not in (".pdf", ".docx")
    if not fits:
        raise DataError(f"is not what its ending {ending} says ({_NAMES[kind]}); give it the right one.")
    return kind


def _pdf(path: Path, content: bytes) -> Document:
    from kg.ingest import pdf

    text, blocks, properties, pages = pdf.read_pdf(content)
    return _document(path, content, text, blocks, properties, (pdf.PARSER, pdf.version()), pages)


def _docx(path: Path, content: bytes) -> Document:
    from kg.ingest import docx

    text, blocks, properties = docx.read_docx(content)
    return _document(path, content, text, blocks, properties, (docx.PARSER, docx.version()))


def _html(path: Path, content: bytes) -> Document:
    from kg.ingest import html

    if b"\0" in content[:4096] and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError("is binary, no HTML.")
    text, blocks, properties = html.read_html(content)
    return _document(path, content, text, blocks, properties, (html.PARSER, html.VERSION))


def _plain(path: Path, content: bytes) -> Document:
    # Control characters stay: the file itself is the frozen text, but for line ends and composed letters.
    text = lines_and_letters(_decoded(content))
    strange = sum(ord(c) < 32 and c not in "\n\t\f" for c in text)
    if strange * 100 > len(text):
        raise DataError("is binary, no text.")
    markdown = path.suffix.lower() in (".md", ".markdown")
    return _document(path, content, text, blocks_of_plain(text, markdown), {}, ("plain", "1"))


_NAMES: dict[_Reader, str] = {_pdf: "a PDF", _docx: "a ZIP archive such as DOCX", _html: "HTML", _plain: "text"}


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"\0" in content:
        raise DataError("is binary, no text.")
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 (byte {error.start}); save it as UTF-8.") from error


def _document(
    path: Path, content: bytes, text: str, blocks: list[Block], properties: dict[str, Found],
    parser: tuple[str, str], pages: int | None = None,
) -> Document:  # fmt: skip
    digest = hashlib.sha256(content).hexdigest()
    return Document(path.name, digest, text, *parser, tuple(blocks), properties, pages)
