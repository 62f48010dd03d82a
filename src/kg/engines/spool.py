"""What an answer is written to: it refuses to hold more bytes, or more rows of a table, than it may."""

from __future__ import annotations

import re
import tempfile
from typing import IO, Literal

_JSON = "application/sparql-results+json"
_XML = "application/sparql-results+xml"
_TSV = "text/tab-separated-values"
_CSV = "text/csv"

# Answers up to this size stay in memory.
INLINE_BYTES = 1 << 20

# What stands before each row of a table (in JSON, between two) and can stand in no value. In JSON a
# quotation mark within a value is escaped, so a bare one after a brace and before a letter opens a
# name. Each begins with one certain byte: the search for that is ten times as fast as for a choice.
_ROWS = {
    _JSON: (re.compile(rb',\{"\w'), 3),
    _XML: (re.compile(rb"<result>"), 7),
    _TSV: (re.compile(rb"\n"), 0),
}


class BoundedSpool:
    """Holds an answer, in memory or where it outgrows that in a file, and stops a writer that goes too far.

    Counting of rows is exact but for rows of JSON in which no variable is bound, which count
    nothing and are held by the bytes alone.

    Attributes:
        full: which limit stopped the writer, "rows" or "bytes"; None while none did.
        size: how many bytes are held.
        file: the file that holds them, None while they are in memory.
    """

    def __init__(self, media_type: str, max_bytes: int, max_rows: int) -> None:
        self._media_type = media_type
        self._max_bytes = max_bytes
        # A TSV or CSV table has a line for its header; rows of JSON have one comma less than there are rows.
        self._rows_left = max_rows + (media_type in {_TSV, _CSV}) - (media_type == _JSON)
        self._tail = b""
        self._quoted = False
        self._parts: list[bytes] = []
        self.full: Literal["rows", "bytes"] | None = None
        self.size = 0
        self.file: IO[bytes] | None = None

    def write(self, content: bytes) -> int:
        """Takes in a further part.

        Raises:
            OSError: a limit is passed; the writer has to give up.
        """
        self.size += len(content)
        self._rows_left -= self._rows_in(content)
        if self.size > self._max_bytes or self._rows_left < 0:
            self.full = "bytes" if self.size > self._max_bytes else "rows"
            raise OSError(f"too many {self.full}")
        if self.file is not None:
            return self.file.write(content)
        self._parts.append(content)
        if self.size > INLINE_BYTES:
            self.file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
            self.file.write(b"".join(self._parts))
            self._parts.clear()
        return len(content)

    def flush(self) -> None:
        """Does what a file does for whoever reads it."""
        if self.file is not None:
            self.file.flush()

    def in_memory(self) -> bytes:
        """Returns what is held, where that is in no file."""
        return b"".join(self._parts)

    def close(self) -> None:
        """Lets go of the file, if there is one."""
        if self.file is not None:
            self.file.close()

    def _rows_in(self, content: bytes) -> int:
        if self._media_type == _CSV:
            return self._csv_rows_in(content)
        if self._media_type not in _ROWS:
            return 0
        pattern, overlap = _ROWS[self._media_type]
        seen = self._tail + content
        self._tail = seen[-overlap:] if overlap else b""
        return len(pattern.findall(seen))

    def _csv_rows_in(self, content: bytes) -> int:
        rows = 0
        for place, part in enumerate(content.split(b'"')):
            if place:
                self._quoted = not self._quoted
            if not self._quoted:
                rows += part.count(b"\n")
        return rows
