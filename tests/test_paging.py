"""Long answers in pages: every row of them, or an error that says why not."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import Store

from kg.engines.local import LocalSource
from kg.engines.source import Rows
from kg.errors import EngineCut, EngineError
from kg.release.opened import Release
from kg.release.paging import every_row, pages
from kg.release.search import build_search
from workspaces import dumped


def test_pages_hold_every_row_and_the_text_index_made_of_them_is_the_same(release: Release, tmp_path: Path) -> None:
    query = release.library.program("labels").text
    every = release.source.select(query).rows
    paged = list(every_row(release.source, query, "entity", 300))

    assert len(paged) > len(every) / 300
    assert max(map(len, paged)) <= 300
    assert {row for part in paged for row in part} == set(every)
    build_search(release.source, release.library, tmp_path / "whole")
    build_search(release.source, release.library, tmp_path / "paged", most_rows=300)
    assert dumped(tmp_path / "paged") == dumped(tmp_path / "whole")


def test_a_value_with_more_rows_than_come_at_once_is_an_error_not_a_part(release: Release) -> None:
    query = "SELECT DISTINCT ?link ?thing WHERE { ?thing ?link ?other }"
    with pytest.raises(EngineCut, match="has more than 20 rows"):
        list(pages(release.source, query, "link", 20))


class Unsorted(LocalSource):
    """A store that answers in an order of its own."""

    def select(self, query: str, max_rows: int | None = None) -> Rows:
        found = super().select(query, max_rows)
        return replace(found, rows=found.rows[::-1])


def test_pages_of_an_engine_that_does_not_sort_are_an_error_not_a_part(release: Release) -> None:
    query = release.library.program("labels").text
    with (
        closing(Unsorted(Store.read_only(str(release.directory.store)), release.directory.prefixes)) as source,
        pytest.raises(EngineError, match=r"order of the text of \?entity"),
    ):
        list(pages(source, query, "entity", 100))
