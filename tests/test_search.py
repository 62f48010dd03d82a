"""The text index finds things by what people call them, whatever they type."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.errors import ReleaseError
from kg.model import Entity
from kg.names import BASE, PEV, SKOS
from kg.release.build import build
from kg.release.opened import Release, open_release
from kg.release.search import Search
from kg.workspace import read_settings
from workspaces import AUDIT, BARRIER, COUNCIL, FINANCE, PREFIXES, RECOMMENDATION, WORKFORCE, write_workspace

THEME = PEV + "Theme"


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    workspace = write_workspace(tmp_path_factory.mktemp("search") / "workspace")
    with closing(open_release(build(workspace, read_settings(), check="none").directory.root)) as release:
        yield release.search


@pytest.fixture(scope="module")
def real(release: Release) -> Search:
    return release.search


def iris(entities: list[Entity]) -> list[str]:
    return [entity.iri for entity in entities]


# What a label names


@pytest.mark.parametrize("text", ["Council of Élsewhere", "council of elsewhere", "  COUNCIL  of\tÉLSEWHERE ",
                                  "Council of E\u0301lsewhere"])  # fmt: skip
def test_a_label_is_found_whatever_its_case_accents_and_spaces(invented: Search, text: str) -> None:
    preferred, alternative = invented.named(text)
    assert (iris(preferred), alternative) == ([COUNCIL], [])
    assert iris(invented.search(text))[0] == COUNCIL


def test_an_alternative_label_is_told_apart_from_the_preferred_one(invented: Search) -> None:
    preferred, alternative = invented.named("the town hall")
    assert (preferred, iris(alternative)) == ([], [COUNCIL])


def test_part_of_a_label_does_not_name_it(invented: Search) -> None:
    assert invented.named("Council of") == ([], [])


def test_an_entity_is_written_called_and_classed(invented: Search) -> None:
    assert invented.entity(BARRIER) == Entity(
        BARRIER, "barrier:elsewhere-empty-posts", "Empty posts in Elsewhere", "pev:Barrier", None
    )
    theme = invented.entity(FINANCE)
    assert theme is not None and (theme.type, theme.scheme) == ("pev:Theme", "scheme:themes")
    assert invented.entity(BASE + "id/agent/nobody") is None


def test_entities_are_read_many_at_once_and_unknown_ones_left_out(real: Search) -> None:
    unknown = [f"{BASE}id/agent/nobody-{number}" for number in range(1200)]
    assert set(real.entities([*unknown, FINANCE, WORKFORCE, FINANCE])) == {FINANCE, WORKFORCE}


@pytest.mark.parametrize("text", ["money", "budgets", "Finance", "FUNDING"])
def test_the_words_people_use_find_the_theme_first(real: Search, text: str) -> None:
    assert iris(real.search(text))[0] == FINANCE
    assert iris(real.search(text, THEME))[0] == FINANCE


# Words, beginnings, and typing errors


def test_all_words_count_wherever_they_stand(invented: Search) -> None:
    found = iris(invented.search("posts council", limit=3))
    assert found[0] == RECOMMENDATION, "the council stands in its paraphrase, the posts in its label"


def test_the_last_word_may_be_begun_only(real: Search) -> None:
    for text in ("strategic plann", "strategic pl"):
        assert real.search(text)[0].label.casefold() == "strategic planning"
    assert iris(real.search("workf", THEME))[0] == WORKFORCE


@pytest.mark.parametrize(
    ("text", "label"),
    [("Colsa", "COSLA"), ("Audit Scotlnad", "Audit Scotland"), ("strategic planing", "Strategic planning"),
     ("finanse", "Finance")],
)  # fmt: skip
def test_a_typing_error_still_finds_its_thing(real: Search, text: str, label: str) -> None:
    assert label in [entity.label for entity in real.search(text, limit=3)]


def test_what_looks_alike_is_ranked_by_likeness(invented: Search) -> None:
    found = iris(invented.alike("Elsewhere Audit Ofice", limit=3))
    assert found[0] == AUDIT
    assert invented.alike("qqqqqqqq") == []


def test_a_label_of_ours_goes_before_a_title_that_is_also_anothers_name(real: Search) -> None:
    title = "Audit Scotland report: Health and social care integration: update on progress"
    preferred, alternative = real.named(title)
    assert preferred == []
    assert [entity.label for entity in alternative] == ["Notice on the Audit Scotland integration report"]


def test_of_labels_that_hold_what_was_typed_the_shortest_is_nearest(real: Search) -> None:
    assert [entity.curie for entity in real.alike("Cosl")][:2] == ["agent:cosla", "position:currie-welcome"]


def test_words_that_do_not_fit_at_all_find_nothing(invented: Search) -> None:
    assert invented.search("zzz qqq xxx") == []


# Narrowing


def test_a_class_narrows_to_its_members_and_those_of_classes_below(invented: Search) -> None:
    assert iris(invented.search("elsewhere", PEV + "Barrier")) == [BARRIER]
    factors = iris(invented.search("elsewhere", PEV + "Factor"))
    assert BARRIER in factors and RECOMMENDATION not in factors
    items = set(iris(invented.search("elsewhere", PEV + "Item")))
    assert {BARRIER, RECOMMENDATION} < items and not items & {AUDIT, COUNCIL}
    assert invented.search("elsewhere", BASE + "ns#NoSuchClass") == []


def test_a_thing_is_of_its_class_and_of_those_above(invented: Search) -> None:
    assert invented.is_a(BARRIER, PEV + "Barrier")
    assert invented.is_a(BARRIER, PEV + "Item")
    assert not invented.is_a(BARRIER, PEV + "Enabler")
    assert not invented.is_a(BASE + "id/agent/nobody", PEV + "Item")
    assert invented.is_a(FINANCE, SKOS + "Concept")


def test_a_label_is_looked_up_within_a_class(invented: Search) -> None:
    assert iris(invented.named("finance", THEME)[0]) == [FINANCE]
    assert invented.named("finance", PEV + "Barrier") == ([], [])


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_a_limit_keeps_the_best(real: Search, limit: int) -> None:
    assert real.search("planning", limit=limit) == real.search("planning", limit=20)[:limit]
    assert len(real.search("planning", limit=limit)) == limit


# Whatever is typed

ODD = ['"', "'", "*", "AND", "OR", "NOT", "NEAR(", "NEAR(a b, 2)", ":", "-", "^", "+", "{", "label:finance", "col : x",
       '"open', "fin*", "a AND", "-finance", "' OR 1=1 --", "a\x00b", "\udcff", "日本", "🙂", "%", "_", "\\", "\n",
       "e\u0301"]  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_signs_that_mean_something_to_the_index_are_taken_as_they_are(real: Search, text: str) -> None:
    assert isinstance(real.search(text), list)
    assert real.named(text) == ([], []) or text == "label:finance"
    assert isinstance(real.alike(text), list)


@pytest.mark.parametrize("text", ['"finance"', "finance*", "(finance)", "finance;", "-finance", "^finance"])
def test_signs_around_a_word_do_not_hide_it(real: Search, text: str) -> None:
    assert FINANCE in iris(real.search(text, limit=5))


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.text(max_size=40))
def test_any_text_is_answered_and_the_same_each_time(real: Search, text: str) -> None:
    first = real.search(text, limit=10)
    assert first == real.search(text, limit=10)
    assert len(set(iris(first))) == len(first) <= 10


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_no_words_find_nothing(real: Search, text: str) -> None:
    assert real.search(text) == []
    assert real.alike(text) == []


# With every word looked up, the last would take minutes.
@pytest.mark.parametrize(
    "text", ["x" * 100_000, " ".join(f"w{n}" for n in range(5_000)), "finance " * 2_000, "a-" * 30_000]
)
def test_a_very_long_text_is_answered(real: Search, text: str) -> None:
    assert isinstance(real.search(text, limit=5), list)


def test_threads_that_ask_at_once_are_answered_as_one_alone(real: Search) -> None:
    texts = ["money", "COSLA", "strategic plann", "Colsa", "workforce", '"', "leadership", "audit"] * 6
    alone = [real.search(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(real.search, texts)) == alone


# The file


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"search\.sqlite: is missing"):
        Search(tmp_path / "search.sqlite", PREFIXES)


def test_the_index_is_opened_read_only(release: Release) -> None:
    before = release.directory.search.stat()
    with closing(Search(release.directory.search, release.library.prefixes)) as index:
        assert index.search("finance")
    after = release.directory.search.stat()
    assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)
    assert not list(release.directory.root.glob("search.sqlite-*"))


def test_among_many_names_only_those_that_share_letters_are_compared(
    invented: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_every_name = invented.alike("Elsewhere Audit Ofice", limit=1)
    monkeypatch.setattr("kg.release.search._SCANNED", 0)
    assert invented.alike("Elsewhere Audit Ofice", limit=1) == by_every_name
    assert invented.alike("zz") == []
