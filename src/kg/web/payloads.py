"""RDF from strangers, looked at before a parser sees it."""

from __future__ import annotations

import re

from kg.errors import BadParameter, LimitError
from kg.workspace import Settings

_JSON_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
# A document type can declare entities that grow without bound; RDF/XML needs none.
_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


def guard_payload(media_type: str, content: bytes, settings: Settings) -> None:
    """Refuses what a parser must not see.

    Raises:
        BadParameter: it is not UTF-8, or is XML with a document type.
        LimitError: it nests too deep.
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadParameter(f"The body is not UTF-8 (byte {error.start}).") from error
    if media_type == "application/rdf+xml" and _DOCTYPE.search(content):
        raise BadParameter("The RDF/XML has a document type; send it without DOCTYPE and ENTITY.")
    if media_type == "application/ld+json":
        _guard_nesting(_JSON_MARKS, content, settings)
    elif media_type != "application/rdf+xml":
        _guard_nesting(_TURTLE_MARKS, content, settings)


_TURTLE_MARKS = re.compile(
    rb'"""(?:"{0,2}(?:[^"\\]|\\.))*"""|\'\'\'(?:\'{0,2}(?:[^\'\\]|\\.))*\'\'\'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''
    rb"|<[^<>\s]*>|\#[^\n]*|[\[\](){}]",
    re.DOTALL,
)


def _guard_nesting(marks: re.Pattern[bytes], content: bytes, settings: Settings) -> None:
    depth = 0
    for match in marks.finditer(content):
        mark = match.group()
        depth += (mark in b"[{(") - (mark in b"]})") if len(mark) == 1 else 0
        if depth > settings.max_nesting:
            limit = "KG_MAX_NESTING"
            raise LimitError(f"The body nests over {settings.max_nesting} deep ({limit}).", limit=limit)
