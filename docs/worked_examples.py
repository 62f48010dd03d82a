"""Runs the worked examples of docs/questions.md and writes their output into it: `python docs/worked_examples.py`.

An example is a fenced block that begins with `$ kg …`. It is run on this repository's release without texts,
so that no quote of a source stands in the output.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

from kg.cli import app

PAGE = Path(__file__).parent / "questions.md"
_EXAMPLE = re.compile(r"```console\n\$ kg (?P<arguments>[^\n]*)\n.*?```", re.DOTALL)


def page_as_run(text: str, release: Path | None = None) -> str:
    """Returns the page with the output of each example as it is now."""
    return _EXAMPLE.sub(lambda found: _block(found["arguments"], release), text)


def _block(arguments: str, release: Path | None) -> str:
    where = [] if release is None else ["--release", str(release)]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        app([*shlex.split(arguments), *where], standalone_mode=False)
    return f"```console\n$ kg {arguments}\n{printed.getvalue()}```"


if __name__ == "__main__":
    PAGE.write_text(page_as_run(PAGE.read_text(encoding="utf-8"), *map(Path, sys.argv[1:])), encoding="utf-8")
