"""A file that refuses to hold more bytes, or more rows of a table, than it may."""

from __future__ import annotations

import re
from typing import IO, Literal

_JSON = "application/sparql-results+json"
_XML = "application/sparql-results+xml"
_TSV = "text/tab-separated-values"
_CSV = "text/csv"

# What stands before each row of a table (in JSON, between two) and can stand in no value. In JSON a
# quotation mark within a value is escaped, so a bare one after a brace and before a letter opens a
# name. Each begins with one certain byte: the search for that is ten times as fast as for a choice.
_ROWS = {
    _JSON: (re.compile(rb',\{"\w'), 3),
    _XML: (re.compile(rb"<result>"), 7),
    _TSV: (re.compile(rb"\n"), 0),
}


class BoundedSpool:
    """Counts what is written, and stops a writer that goes too far.

    `full` tells which limit stopped it. Counting is exact but for rows of JSON in which no
    variable is bound, which count nothing and are held by the bytes alone.
    """

    def __init__(self, file: IO[bytes], media_type: str, max_bytes: int, max_rows: int) -> None:
        self._file = file
        self._media_type = media_type
        self._bytes_left = max_bytes
        # A TSV or CSV table has a line for its header; rows of JSON have one comma less than there are rows.
        self._rows_left = max_rows + (media_type in {_TSV, _CSV}) - (media_type == _JSON)
        self._tail = b""
        self._quoted = False
        self.full: Literal["rows", "bytes"] | None = None

    def write(self, content: bytes) -> int:
        """Writes through to the file.

        Raises:
            OSError: a limit is passed; the writer has to give up.
        """
        self._bytes_left -= len(content)
        self._rows_left -= self._rows_in(content)
        if self._bytes_left < 0 or self._rows_left < 0:
            self.full = "bytes" if self._bytes_left < 0 else "rows"
            raise OSError(f"too many {self.full}")
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()

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
