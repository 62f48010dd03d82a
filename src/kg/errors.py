"""The errors this package raises, and nothing else it raises on purpose.

    KgError                  one line that names the cause and what to do next
    ├── AskError             the asker can mend it
    │   ├── UnknownName      no such entity, question, graph or release (with the nearest ones)
    │   ├── AmbiguousName    several entities answer to that label
    │   ├── BadParameter     a parameter is missing, unknown or of the wrong type
    │   ├── BadSparql        the query does not parse (line and column)
    │   ├── Unauthorised     writing needs a token that was not sent
    │   ├── Forbidden        the request is understood and refused (update, SERVICE, LOAD)
    │   ├── Conflict         what is derived, or was changed meanwhile, is not written
    │   ├── OutOfDate        what the request was made from is no longer what stands
    │   ├── BrokenRules      what was sent breaks a rule (with the findings)
    │   ├── NotAcceptable    no format that is asked for can be made
    │   └── UnsupportedMedia the request's body is of a type that is not read here
    ├── LimitError           an answer would pass a limit (names limit and setting)
    │   └── OverloadError    it would cost too much time or memory, or too many wait: try again
    ├── SourceError          a store or engine failed
    │   ├── EngineError      a remote engine refused, or did what no engine may (with its own words)
    │   │   └── EngineCut    it cut its answer at a limit of its own
    │   ├── EngineSilent     it was not reached, or broke off
    │   ├── EngineTimeout    it did not answer in time
    │   ├── Publishing       a release is being written to it: try again
    │   └── NotAtHand        the question needs all links, and they are in an engine that does not give them all
    └── DataError            a file is wrong (path, line)
        └── ReleaseError     a release is missing, locked, or of another format

Errors know facts, not HTTP: `web/app.py` has one table of statuses, `cli.py` one of exit codes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from kg.model import Entity, Finding

# The parser's own words, and our own when they come back from a worker.
_POSITION = re.compile(r"(?:error at (?=\d+:)|line )(\d+)(?::|, column )(\d+): (.*)", re.DOTALL)


class KgError(Exception):
    """An error whose text is meant for the person who asked."""

    title = "Error"

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else self.title


class AskError(KgError):
    """The request cannot be answered as it stands; changing it helps."""

    title = "The request cannot be answered"


class UnknownName(AskError):
    """Nothing in the release has that name."""

    title = "Unknown name"

    def __init__(self, message: str, nearest: Sequence[Entity] = ()) -> None:
        super().__init__(message)
        self.nearest = tuple(nearest)


class AmbiguousName(AskError):
    """Several entities answer to a label; `nearest` lists them."""

    title = "Ambiguous name"

    def __init__(self, message: str, nearest: Sequence[Entity] = ()) -> None:
        super().__init__(message)
        self.nearest = tuple(nearest)


class BadParameter(AskError):
    """A parameter is missing, unknown, or does not fit its declared type."""

    title = "Bad parameter"


class BadSparql(AskError):
    """A query that the grammar does not accept; line and column count from 1."""

    title = "SPARQL syntax error"

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column

    @classmethod
    def read(cls, complaint: str) -> BadSparql:
        """Returns the parser's complaint with its place in front; the parser counts from 1."""
        match = _POSITION.fullmatch(complaint.strip())
        if match is None:
            return cls(complaint)
        line, column, expected = int(match[1]), int(match[2]), " ".join(match[3].split())
        return cls(f"line {line}, column {column}: {expected}", line, column)


class Unauthorised(AskError):
    """The request needs a token that it does not carry."""

    title = "Not authorised"


class Forbidden(AskError):
    """Understood, and not allowed here."""

    title = "Forbidden"


class Conflict(AskError):
    """The state of what is asked for does not allow it."""

    title = "Conflict"


class OutOfDate(AskError):
    """The condition that the request sets does not hold (any more)."""

    title = "Out of date"


class BrokenRules(AskError):
    """What was sent breaks rules, so nothing was changed; `findings` says which."""

    title = "The graph breaks a rule"

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class NotAcceptable(AskError):
    """None of the formats asked for can be made from this answer."""

    title = "Not acceptable"


class UnsupportedMedia(AskError):
    """The body is of a media type that is not read at this address."""

    title = "Unsupported media type"


class LimitError(KgError):
    """An answer that would pass a limit is refused whole, never cut silently."""

    title = "Limit reached"

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class OverloadError(LimitError):
    """A query took its time, its memory or its place in the queue from others."""

    title = "The service cannot spend that much"


class SourceError(KgError):
    """The store or engine behind the service failed."""

    title = "The store failed"


class EngineError(SourceError):
    """A remote engine refused, or answered what cannot be relied on; the message has its own words."""

    title = "The engine failed"


class EngineCut(EngineError):
    """A remote engine allows fewer rows than an answer has; less asked at once may help."""


class EngineSilent(SourceError):
    """A remote engine was not reached, or broke off in the middle of a word."""

    title = "The engine does not answer"


class EngineTimeout(SourceError):
    """A remote engine did not answer in time."""

    title = "The engine is too slow"

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class Publishing(SourceError):
    """A release is being written to the engine; until it stands, nothing is answered from it."""

    title = "A release is being published"


class NotAtHand(SourceError):
    """What is asked needs all links of the release at once, and only those around a thing can be fetched here."""

    title = "The links are not at hand"


class DataError(KgError):
    """A file is wrong.

    Args:
        message: what is wrong and what was expected.
        path: the file, as it is shown to the person.
        line: counted from 1; None when the whole file is meant.
    """

    title = "A file is wrong"

    def __init__(self, message: str, path: Path | str | None = None, line: int | None = None) -> None:
        place = "" if path is None else f"{path}:{line}: " if line else f"{path}: "
        super().__init__(place + message)
        self.path = path
        self.line = line

    @classmethod
    def unreadable(cls, error: Exception, path: Path | str) -> Self:
        """Returns the error for a file that cannot be read: the reason, without the number and name the system adds."""
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        if isinstance(error, UnicodeDecodeError):
            reason = f"it is not UTF-8 (byte {error.start + 1})"
        return cls(f"cannot be read: {reason.rstrip('.')}.", path)


class ReleaseError(DataError):
    """A release directory cannot be opened."""

    title = "No usable release"
