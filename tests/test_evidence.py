"""Passages: found, verified and quoted. The texts here are invented; those of the graph are asked last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode, Quad, Store

from kg.engines.local import LocalSource
from kg.errors import BadParameter, DataError
from kg.evidence import (
    Texts,
    Verification,
    passage_of_words,
    passage_quads,
    read_passages,
    read_texts,
    sha256,
    verify,
)
from kg.model import Passage
from kg.names import BASE, PEV
from kg.release.opened import Release
from kg.release.turtle import write_turtle
from workspaces import BARRIER, PREFIXES, questions, write_workspace

PLAIN = "The kettle sings. The kettle boils, and the cook listens."
# An emoji of three code points, an e with its accent apart, a letter outside of the basic plane.
ODD = "Tea 👩\u200d🚒 cafe\u0301 𝔱ea: the cup is full."
CRLF = "First line\r\nsecond line\r\n\r\nthird line\r\n"


def texts(*contents: str) -> Texts:
    return Texts({sha256(content): content for content in contents})


# finding the passage of some words


@pytest.mark.parametrize(
    ("text", "words", "start", "end"),
    [
        (PLAIN, "The kettle boils", 18, 34),
        (PLAIN, "listens.", 49, 57),
        (PLAIN, PLAIN, 0, 57),
        (ODD, "the cup is full.", 19, 35),
        (ODD, "👩\u200d🚒", 4, 7),
        (ODD, "cafe\u0301", 8, 13),
        (CRLF, "second line", 12, 23),
        (CRLF, "second line third", 12, 32),
        ("a.c abc", "a.c", 0, 3),
        ("one\u00a0two", "one two", 0, 7),
        ("one two", "  one \n two  ", 0, 7),
    ],
)
def test_words_are_found_by_code_points_with_white_space_aside(text: str, words: str, start: int, end: int) -> None:
    passage = passage_of_words(text, words)

    assert (passage.start, passage.end) == (start, end)
    assert passage.quote == text[start:end]
    assert passage.sha256 == sha256(text[start:end])
    assert passage.text_sha256 == sha256(text)


def test_the_range_counts_code_points_not_bytes_and_not_utf16_units() -> None:
    passage = passage_of_words(ODD, "the cup is full.")
    before = ODD[: passage.start]

    assert passage.start == len(before) < len(before.encode("utf-16-le")) // 2 < len(before.encode())


def test_a_passage_is_named_by_its_text_and_range() -> None:
    assert passage_of_words(PLAIN, "sings.").iri == f"{BASE}id/text/{sha256(PLAIN)[:16]}#char=11,17"


@pytest.mark.parametrize("words", ["the kettle sings", "kettle  sung", "Kettle", "listens. And"])
def test_words_that_do_not_stand_there_are_refused(words: str) -> None:
    with pytest.raises(BadParameter, match="the words do not occur"):
        passage_of_words(PLAIN, words)


@pytest.mark.parametrize("words", ["", " \n"])
def test_no_words_stand_nowhere(words: str) -> None:
    with pytest.raises(BadParameter, match="do not occur"):
        passage_of_words(PLAIN, words)


@pytest.mark.parametrize(
    ("text", "words", "times"),
    [(PLAIN, "The kettle", 2), ("tea tea tea", "tea tea", 2), ("aaa", "a", 3), (CRLF, "line", 3)],
)
def test_words_that_stand_there_more_than_once_are_refused_with_their_number(text: str, words: str, times: int) -> None:
    with pytest.raises(BadParameter, match=f"occur {times} times"):
        passage_of_words(text, words)


@given(st.text(alphabet="ab .\r\n\u0301👩é", min_size=1), st.data())
def test_any_passage_that_is_found_verifies_and_quotes_itself(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    try:
        passage = passage_of_words(text, text[start:end])
    except BadParameter:
        return

    held = texts(text)
    assert verify([passage], held) == Verification(1, (), 0)
    assert held.quoted(replace(passage, quote=None)) == passage
    assert passage.quote is not None
    assert passage.quote.split() == text[start:end].split()


# verifying and quoting


def test_passages_are_ok_bad_or_not_held() -> None:
    good = passage_of_words(PLAIN, "The kettle sings.")
    moved = replace(good, start=good.start + 1, end=good.end + 1)
    changed = replace(good, sha256=sha256("The kettle hums."))
    elsewhere = passage_of_words(ODD, "the cup is full.")

    found = verify([good, moved, changed, elsewhere], texts(PLAIN))

    assert found == Verification(ok=1, bad=(moved, changed), not_held=1)
    assert str(found) == "passages ok 1, bad 2, text not held 1"


def test_a_text_that_differs_in_one_character_is_another_text() -> None:
    passage = passage_of_words(PLAIN, "The kettle sings.")

    assert verify([passage], texts(PLAIN + " ")).not_held == 1


def test_nothing_to_verify_is_nothing_bad() -> None:
    assert verify([], texts(PLAIN)) == Verification(0, (), 0)


@pytest.mark.parametrize("beyond", [1, 10, 10**9])
def test_a_range_that_reaches_past_the_end_is_bad_even_if_the_rest_fits_its_hash(beyond: int) -> None:
    last = passage_of_words(PLAIN, "listens.")
    passage = replace(last, end=last.end + beyond, quote=None)

    assert verify([passage], texts(PLAIN)).bad == (passage,)
    assert texts(PLAIN).quoted(passage).quote is None


def test_a_range_that_begins_past_the_end_is_bad_even_with_the_hash_of_nothing() -> None:
    passage = Passage("urn:x", "", sha256(PLAIN), 100, 101, sha256(""))

    assert verify([passage], texts(PLAIN)).bad == (passage,)


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (-1, 5)])
def test_a_passage_of_no_characters_cannot_be_made(start: int, end: int) -> None:
    with pytest.raises(ValueError, match=f"urn:x: range {start},{end} is empty or negative"):
        Passage("urn:x", "", sha256(PLAIN), start, end, sha256("x"))


@pytest.mark.parametrize("digest", ["", "ab", "G" * 64, "A" * 64, "a" * 65, "a" * 64 + "\n"])
def test_a_passage_with_what_is_no_sha256_cannot_be_made(digest: str) -> None:
    with pytest.raises(ValueError, match="64 lower-case hexadecimal digits"):
        Passage("urn:x", "", sha256(PLAIN), 0, 1, digest)
    with pytest.raises(ValueError, match="64 lower-case hexadecimal digits"):
        Passage("urn:x", "", digest, 0, 1, sha256("x"))


def test_a_quote_is_given_only_where_the_text_is_held_and_the_passage_is_what_it_says() -> None:
    held = replace(passage_of_words(ODD, "cafe\u0301"), quote=None)
    wrong = replace(held, end=held.end + 1)

    assert texts(ODD).quoted(held).quote == "cafe\u0301"
    assert texts(ODD).quoted(wrong).quote is None
    assert texts(PLAIN).quoted(held).quote is None
    assert texts().quoted(held).quote is None


# reading texts


@pytest.mark.parametrize("content", [PLAIN, ODD, CRLF, "\ufeffwith a mark", ""])
def test_a_text_is_read_exactly_as_it_is_held(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.txt").write_bytes(content.encode())

    assert read_texts(tmp_path).by_sha256 == {sha256(content): content}


def test_texts_are_found_in_folders_below_and_other_files_are_not_texts(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.txt").write_text(PLAIN, encoding="utf-8")
    (tmp_path / "b.md").write_text(ODD, encoding="utf-8")

    assert list(read_texts(tmp_path).by_sha256.values()) == [PLAIN]


def test_without_a_folder_no_text_is_held() -> None:
    assert read_texts(None).by_sha256 == {}


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: is no folder"):
        read_texts(tmp_path / "nowhere")


def test_a_text_that_is_not_utf8_is_named_with_the_byte(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")

    with pytest.raises(DataError, match=r"a\.txt: is not UTF-8 \(byte 3\)"):
        read_texts(tmp_path)


def test_the_digest_names_the_set_of_texts_whatever_their_order() -> None:
    assert texts(PLAIN, ODD).digest == texts(ODD, PLAIN).digest
    assert len({texts().digest, texts(PLAIN).digest, texts(ODD).digest, texts(PLAIN, ODD).digest}) == 4


# passages in a graph


def source_of(tmp_path: Path, *more: Quad) -> LocalSource:
    """Returns the default graph of the invented workspace, with further triples."""
    made = write_workspace(tmp_path / "w")
    store = Store()
    for path in made.data_files:
        store.bulk_load(path=str(path))
    store.bulk_extend([Quad(*quad.triple) for quad in store] + [Quad(*quad.triple) for quad in more])
    return LocalSource(store, PREFIXES)


def evidence(item: str, *passages: Passage) -> list[Quad]:
    links = [Quad(NamedNode(item), NamedNode(PEV + "evidence"), NamedNode(passage.iri)) for passage in passages]
    return links + [quad for passage in passages for quad in passage_quads(passage)]


def test_what_is_written_of_a_passage_is_read_back_in_reading_order(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    ((first,),) = read_passages(source, questions(), [BARRIER]).values()
    later = replace(first, iri=first.iri.replace("0,40", "100,101"), start=100, end=101)
    longer = replace(first, iri=first.iri.replace("0,40", "99,101"), start=99, end=101)

    source = source_of(tmp_path / "again", *evidence(BARRIER, later, longer))
    found = read_passages(source, questions(), [BARRIER])

    assert found == {BARRIER: (first, longer, later)}


def test_for_no_items_nothing_is_asked_and_for_none_everything(tmp_path: Path) -> None:
    source = source_of(tmp_path)

    assert read_passages(source, questions(), []) == {}
    assert len(read_passages(source, questions())) > 1
    assert read_passages(source, questions(), ["http://x.example/nothing"]) == {}


def test_the_turtle_of_a_passage_points_at_text_range_and_hash() -> None:
    written = write_turtle(passage_quads(passage_of_words(PLAIN, "sings.")), PREFIXES)
    text = f"{BASE}id/text/{sha256(PLAIN)[:16]}"

    assert f"<{text}#char=11,17> a pev:Passage" in written
    assert f"oa:hasSelector <{text}#selector=11,17>" in written
    assert f'pev:sha256 "{sha256("sings.")}"' in written
    assert "oa:start 11" in written and "oa:end 17" in written
    assert "sings" not in written


# the texts of the graph


def test_every_passage_of_the_graph_is_what_its_text_says(release: Release, texts_folder: Path) -> None:
    passages = {p for found in read_passages(release.source, release.library).values() for p in found}

    assert len(passages) > 100
    assert verify(passages, read_texts(texts_folder)) == Verification(len(passages), (), 0)
