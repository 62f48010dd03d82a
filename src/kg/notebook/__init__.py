"""The graph in a notebook or script: `kg.open()`, and answers as tables, paths and pages.

>>> import kg
>>> g = kg.open()  # doctest: +SKIP
>>> g.ask("barriers-blocking-theme", theme="Finance").to_pandas()  # doctest: +SKIP
"""

from kg.notebook.graph import Graph
from kg.notebook.opening import open
from kg.notebook.records import Paths, Record
from kg.notebook.table import Table

__all__ = ["Graph", "Paths", "Record", "Table", "open"]
