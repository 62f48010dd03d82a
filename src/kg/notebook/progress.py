"""Long work tells a notebook which step it is at."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_shown(work: str) -> Iterator[Callable[[str], None]]:
    """Yields a function that shows the step at hand in a notebook, until the work is done; in a script nothing.

    Args:
        work: what is being done, in a word or two.
    """
    if not _in_notebook():
        yield _silent
        return
    # A notebook has loaded it; a script should not pay for it.
    from IPython.display import display

    line = display({"text/plain": work}, raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython's own
    try:
        yield lambda step: line.update({"text/plain": f"{work}: {step} …"}, raw=True)
    finally:
        line.update({"text/plain": ""}, raw=True)


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    # In a terminal there is a shell without a kernel.
    return hasattr(get_ipython(), "kernel")


def _silent(step: str) -> None:
    """Shows no progress."""
    del step
