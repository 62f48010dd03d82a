"""The log: one JSON object a line on standard error.

Each line has `time`, `level`, `logger` and `message`; a line written during a request has its
`request_id`; a line of the access log has method, path, status, bytes, milliseconds and client.
What people ask is theirs: queries and the part of an address after `?` are logged at `debug` only,
and headers, so tokens too, are not logged at all.
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache

from kg.errors import BadParameter

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# The request that is being answered, for every line that is written meanwhile.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


class JsonLines(logging.Formatter):
    """Formats a record as one line; further fields come as `extra={"fields": {...}}`.

    The access log costs every request its share, so only what is needed is looked at.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        second, fraction = divmod(record.created, 1)
        line: dict[str, object] = {
            "time": f"{_second(second)}.{int(fraction * 1000):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        current = request_id.get()
        if current is not None:
            line["request_id"] = current
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        return _encode(line)


@lru_cache(maxsize=1)
def _second(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def level_of(name: str) -> int:
    """Returns the level that a setting names.

    >>> level_of("Warning")
    30

    Raises:
        BadParameter: there is no such level.
    """
    if name.lower() not in LEVELS:
        raise BadParameter(f"KG_LOG_LEVEL: {name!r} is none of {', '.join(LEVELS)}.")
    return LEVELS[name.lower()]


def start_log(level_name: str) -> None:
    """Sends the log of this process, the web server's too, to standard error as JSON lines.

    Raises:
        BadParameter: there is no such level.
    """
    level = level_of(level_name)
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    # No line tells these, so none has to find them out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # Nor the place in the code (the way that the library's own documentation gives).
    logging._srcfile = None
    # The server's own words about start and stop repeat ours, and an HTTP client's tell each request to an
    # engine, of which there are two a second at rest; what they complain of stays.
    if level > logging.DEBUG:
        for name in ("uvicorn", "asyncio", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(max(level, logging.WARNING))
