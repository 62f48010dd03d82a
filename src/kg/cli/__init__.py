"""The command line: every command, and no logic of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# Each module adds its commands to the program.
from kg.cli import (  # noqa: F401
    agents,
    analysing,
    asking,
    citing,
    files,
    ingesting,
    publishing,
    reviewing,
    serving,
)
from kg.cli.console import ReaderLeft, err, finding_line
from kg.cli.program import app
from kg.errors import BadParameter, KgError

__all__ = ["app", "main"]


def main() -> None:
    """Runs a command; an error that names its cause is one line and exit code 1, never a traceback."""
    try:
        _refuse_bytes(sys.argv)
        app()
    except KgError as error:
        for finding in getattr(error, "findings", ()):
            err.print(finding_line(finding))
        err.print(f"{error.title}: {error}", style="red" if err.is_terminal else None, markup=False)
        sys.exit(1)
    except ReaderLeft:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        # A folder that may not be written, a full disk: what the system says names the cause.
        place = f"{error.filename}: " if error.filename else ""
        err.print(
            f"Cannot be done: {place}{error.strerror or error}", style="red" if err.is_terminal else None, markup=False
        )
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _refuse_bytes(arguments: Sequence[str]) -> None:
    """Refuses arguments that are not text in the terminal's encoding: no name or query can hold such bytes."""
    for place, argument in enumerate(arguments):
        if any("\udc80" <= character <= "\udcff" for character in argument):
            raise BadParameter(f"argument {place} is not UTF-8: {os.fsencode(argument)!r}")
