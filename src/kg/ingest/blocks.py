"""A document as it is held: one frozen text, the blocks in it, and what is known about it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum

from kg.evidence import sha256


class BlockKind(StrEnum):
    """What a stretch of text is on its page."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list item"
    TABLE_CELL = "table cell"
    QUOTE = "quote"
    FOOTNOTE = "footnote"
    FURNITURE = "page furniture"


@dataclass(frozen=True)
class Block:
    """A stretch of the frozen text: code points, zero-based, end exclusive.

    `level` is that of a heading or of a list item's indentation, `number` what a list item or
    heading is numbered with, `column` the header over a table cell, `table` and `row` count from 0,
    `lead` is how many characters at the start are set in bold, `boxed` tells of a box or panel.
    """

    kind: BlockKind
    start: int
    end: int
    page: int | None = None
    level: int | None = None
    number: str | None = None
    column: str | None = None
    table: int | None = None
    row: int | None = None
    lead: int = 0
    boxed: bool = False


@dataclass(frozen=True)
class Found:
    """A fact about a document, with where it was found."""

    value: str
    where: str


@dataclass(frozen=True)
class Document:
    """A document, frozen: the same file and parser always give the same one."""

    file: str
    sha256: str
    text: str
    parser: str
    parser_version: str
    blocks: tuple[Block, ...]
    properties: dict[str, Found] = field(default_factory=dict)
    pages: int | None = None

    @property
    def text_sha256(self) -> str:
        return sha256(self.text)

    def content(self) -> Iterator[Block]:
        """Yields the blocks that say something: all but page furniture."""
        return (block for block in self.blocks if block.kind is not BlockKind.FURNITURE)

    def block_table(self) -> list[dict[str, object]]:
        """Returns the blocks as they are kept beside the text; what is at its default is left out."""
        usual = {f.name: f.default for f in fields(Block)}
        return [{n: v for n, v in asdict(block).items() if v is not usual[n]} for block in self.blocks]


def canonical(text: str) -> str:
    r"""Returns text as it is frozen: LF, NFC, no control characters; nothing else is changed.

    >>> canonical("a\r\nb\x00")
    'a\nb'
    """
    return "".join(c for c in lines_and_letters(text) if c in "\n\t" or ord(c) >= 32)


def lines_and_letters(text: str) -> str:
    """Returns text with LF for every line end, and letters composed (NFC)."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


class Composer:
    """Puts a text together out of blocks, for formats whose file is not itself the text."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []

    def add(self, text: str, block: Block) -> None:
        """Adds a block; `block` says all of it but the range. Empty text is left out."""
        words = canonical(text).strip()
        if not words:
            return
        gap = "" if not self._parts else "\n" if self._joins(block) else "\n\n"
        self._parts += [gap, words]
        start = self._length + len(gap)
        self._length = start + len(words)
        self.blocks.append(replace(block, start=start, end=self._length, lead=min(block.lead, len(words))))

    def _joins(self, block: Block) -> bool:
        """Tells whether a block stands on the next line, as the cells of one row do."""
        before = self.blocks[-1]
        return before.kind is block.kind is BlockKind.TABLE_CELL and (before.table, before.row) == (
            block.table,
            block.row,
        )

    @property
    def text(self) -> str:
        # Normalised piece by piece; a gap of line feeds never composes with a letter.
        return "".join(self._parts)
