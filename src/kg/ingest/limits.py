"""What an accepted candidate must be: labelled and paraphrased in words of our own, within limits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from kg.ingest.candidates import Candidate
from kg.ingest.gate import plain_words
from kg.ingest.labels import Kind
from kg.ingest.sheet import Sheet
from kg.names import PEV

LONGEST_LABEL = 80
LONGEST_PARAPHRASE = 300
RUN = 6


@lru_cache(maxsize=4)
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = plain_words(text)
    return frozenset(tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))


def copied_runs(sentence: str, text: str, names: Iterable[str] = ()) -> list[str]:
    """Returns the runs of six words that a sentence shares with a text, names and titles aside.

    >>> copied_runs("They say that the common budget is late", "the report finds that the common budget is late")
    ['that the common budget is late']
    """
    forbidden = _runs(text)
    allowed = {run for name in names for run in _runs(name)}
    words = plain_words(sentence)
    found = (tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
    return [" ".join(run) for run in found if run in forbidden and run not in allowed]


def names_of(sheet: Sheet) -> list[str]:
    """Returns the official names and titles that may be written as they are."""
    title = sheet.about.get("title")
    return [str(body["label"]) for body in sheet.bodies] + ([str(title["value"])] if isinstance(title, dict) else [])


def faults(candidate: Candidate, text: str, sheet: Sheet) -> list[str]:
    """Returns why a candidate cannot be accepted as it stands, in words for the person who reviews."""
    found = []
    names = names_of(sheet)
    for what, words, most in (
        ("label", candidate.label, LONGEST_LABEL),
        ("paraphrase", candidate.paraphrase, LONGEST_PARAPHRASE),
    ):
        if not words.strip():
            found.append(f"{candidate.id} has no {what}")
        if len(words) > most:
            found.append(f"{candidate.id}: the {what} has {len(words)} characters; at most {most}")
        # A document's own topic is called by its official name.
        if candidate.kind is not Kind.THEME and (runs := copied_runs(words, text, names)):
            found.append(f"{candidate.id}: the {what} repeats the text: “{runs[0]}”")
    return found + _missing_links(candidate)


def _missing_links(candidate: Candidate) -> list[str]:
    types = {link.type for link in candidate.links}
    needed = {
        Kind.BARRIER: (("blocks", "affects"), "does not say what it blocks or affects"),
        Kind.ENABLER: (("enables", "affects"), "does not say what it enables or affects"),
        Kind.POSITION: (("stanceTowards",), "does not say what its stance is towards"),
    }.get(candidate.kind)
    if needed is None or types & {PEV + name for name in needed[0]}:
        return []
    return [f"{candidate.id} {needed[1]}; add it, as in `link {needed[0][-1]} theme:finance`"]
