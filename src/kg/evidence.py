"""Stand-off evidence: passages, verified and quoted from the texts that are held.

A passage is the SHA-256 of a text, a character range, and the SHA-256 of the characters in it.
Whoever holds the text can check and show it; whoever does not sees the reference.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad

from kg.engines.source import Source
from kg.errors import BadParameter, DataError
from kg.library import Library
from kg.model import Passage
from kg.names import BASE, OA, PEV, RDF_TYPE


@dataclass(frozen=True)
class Texts:
    """The texts at hand, by the SHA-256 of their UTF-8 bytes."""

    by_sha256: dict[str, str]

    @cached_property
    def digest(self) -> str:
        """Names the set of texts held; answers with quotes depend on it."""
        return sha256("\n".join(sorted(self.by_sha256)))

    def cut(self, passage: Passage) -> str | None:
        """Returns the characters of the passage's range, None when the text is not held."""
        text = self.by_sha256.get(passage.text_sha256)
        return None if text is None else text[passage.start : passage.end]

    def quoted(self, passage: Passage) -> Passage:
        """Returns the passage with its quote, when the text is held and the passage is what it says."""
        words = self.cut(passage)
        return replace(passage, quote=words) if words is not None and _is(words, passage) else passage


@dataclass(frozen=True)
class Verification:
    """The outcome of checking passages against the texts at hand."""

    ok: int
    bad: tuple[Passage, ...]
    not_held: int

    def __str__(self) -> str:
        return f"passages ok {self.ok}, bad {len(self.bad)}, text not held {self.not_held}"


def sha256(text: str) -> str:
    """Returns the lower-case hexadecimal SHA-256 of the text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_texts(folder: Path | None) -> Texts:
    """Returns the texts (*.txt) of a folder and of the folders below it; none when no folder is given.

    Raises:
        DataError: the folder is missing, or a text is not UTF-8.
    """
    if folder is None:
        return Texts({})
    if not folder.is_dir():
        raise DataError("is no folder; name the folder that holds the texts.", folder)
    return Texts({hashlib.sha256(b).hexdigest(): _decoded(b, p) for p, b in _text_files(folder)})


def _text_files(folder: Path) -> Iterable[tuple[Path, bytes]]:
    return ((path, path.read_bytes()) for path in sorted(folder.rglob("*.txt")))


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 (byte {error.start}).", path) from error


def _is(words: str, passage: Passage) -> bool:
    # A range that reaches past the end of its text is cut short, and then wrong whatever its hash.
    return len(words) == passage.end - passage.start and sha256(words) == passage.sha256


def verify(passages: Iterable[Passage], texts: Texts) -> Verification:
    """Returns how many passages are what their hash says, which are not, and how many lack their text."""
    ok = not_held = 0
    bad = []
    for passage in passages:
        words = texts.cut(passage)
        if words is None:
            not_held += 1
        elif _is(words, passage):
            ok += 1
        else:
            bad.append(passage)
    return Verification(ok, tuple(bad), not_held)


def read_passages(
    source: Source, library: Library, items: Sequence[str] | None = None
) -> dict[str, tuple[Passage, ...]]:
    """Returns the passages that items and facts rest on.

    Args:
        items: IRIs; None for every passage in the release.

    Returns:
        A tuple of passages by the IRI of what rests on them, in the order of document and range.

    Raises:
        SourceError: the store failed.
    """
    if items is not None and not items:
        return {}
    question = library.program("passages")
    rows = [[NamedNode(iri)] for iri in items or ()]
    found: dict[str, list[Passage]] = {}
    for item, *cells in source.select(question.bound({"item": rows})).rows:
        assert isinstance(item, NamedNode)
        found.setdefault(item.value, []).append(_passage(cells))
    return {iri: tuple(passages) for iri, passages in found.items()}


def _passage(cells: Sequence[object]) -> Passage:
    iri, document, text, start, end, digest = (getattr(cell, "value", "") for cell in cells)
    try:
        return Passage(iri, document, text, int(start), int(end), digest)
    except ValueError as error:
        raise DataError(str(error)) from error


def passage_of_words(text: str, words: str) -> Passage:
    """Returns the passage of a text in which the words stand, white space aside.

    Raises:
        BadParameter: the words do not occur, or occur more than once.
    """
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    # Looking ahead finds places that overlap, too.
    found = list(re.finditer(f"(?=({pattern}))", text)) if pattern else []
    if len(found) != 1:
        how = "do not occur" if not found else f"occur {len(found)} times"
        raise BadParameter(f"the words {how} in the text; give words that occur once.")
    start, end = found[0].span(1)
    digest = sha256(text)
    iri = f"{BASE}id/text/{digest[:16]}#char={start},{end}"
    return Passage(iri, "", digest, start, end, sha256(text[start:end]), text[start:end])


def passage_quads(passage: Passage) -> list[Quad]:
    """Returns the triples that describe a passage, as a file in graph/sources holds them."""
    text_iri = passage.iri.partition("#")[0]
    node = NamedNode(passage.iri)
    selector = NamedNode(f"{text_iri}#selector={passage.start},{passage.end}")
    return [
        Quad(node, NamedNode(RDF_TYPE), NamedNode(PEV + "Passage")),
        Quad(node, NamedNode(OA + "hasSource"), NamedNode(text_iri)),
        Quad(node, NamedNode(OA + "hasSelector"), selector),
        Quad(node, NamedNode(PEV + "sha256"), Literal(passage.sha256)),
        Quad(selector, NamedNode(RDF_TYPE), NamedNode(OA + "TextPositionSelector")),
        Quad(selector, NamedNode(OA + "start"), Literal(passage.start)),
        Quad(selector, NamedNode(OA + "end"), Literal(passage.end)),
    ]
