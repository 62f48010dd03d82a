"""A knowledge graph of what policy reports say.

    import kg
    g = kg.open()
    g.ask("barriers-blocking-theme", theme="Finance")

Names are loaded when they are first used, so that `import kg` and the command line start fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kg.notebook import Graph, Table, open

__version__ = "0.1.0"
__all__ = ["Graph", "Table", "__version__", "open"]


def load_ipython_extension(shell: object) -> None:
    """Makes `%kg` and `%%sparql` known to a notebook: `%load_ext kg`."""
    from kg.notebook.magics import load

    load(shell)  # type: ignore[arg-type]  # the shell's class is not loaded until then


def __getattr__(name: str) -> object:
    if name in {"Graph", "Table", "open"}:
        from kg import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'kg' has no attribute {name!r}")
