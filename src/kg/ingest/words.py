"""Words as they are compared: stems, without the words that say nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from kg.names import folded

_SILENT = frozenset(
    re.findall(
        r"\w+",
        "a about above after again all also am an and any are as at be because been before being between both "
        "but by can could did do does doing down during each few for from further had has have having he her "
        "here hers him his how i if in into is it its itself just more most must need needs no nor not now of "
        "off on once only or other our ours out over own same she should so some such than that the their "
        "theirs them then there these they this those through to too under until up us very was we were what "
        "when where which while who whom why will with would you your yours may might across among within "
        "without however said says report review found find one two three four five first second third half quarter ",
    )
)


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@cache
def stem(word: str) -> str:
    """Returns the stem of a lower-case English word."""
    return str(_stemmer().stemWord(word))


def words_of(text: str) -> list[str]:
    """Returns the words of a text, lower case, accents aside, without those that say nothing.

    >>> words_of("The councils’ long-term plans")
    ['councils', 'long', 'term', 'plans']
    """
    return [word for word in re.findall(r"[a-z0-9]+", folded(text)) if word not in _SILENT and len(word) > 1]


def stems_of(text: str) -> list[str]:
    """Returns the stems of the words of a text, in order."""
    return [stem(word) for word in words_of(text)]


def placed_stems(text: str) -> list[tuple[str, int]]:
    """Returns the stems of the words of a text, in order, each with where its word begins."""
    return [(found, match.start()) for match in re.finditer(r"[^\W_]+", text) for found in stems_of(match[0])]


def likeness(one: Iterable[str], other: Iterable[str], weights: dict[str, float]) -> float:
    """Returns how alike two bags of stems are, from 0 to 1: cosine with the given weights (1 for a stem without)."""
    a, b = Counter(one), Counter(other)
    shared = sum(a[w] * b[w] * weights.get(w, 1.0) ** 2 for w in a.keys() & b.keys())
    sizes = [sum((n * weights.get(w, 1.0)) ** 2 for w, n in bag.items()) ** 0.5 for bag in (a, b)]
    return shared / (sizes[0] * sizes[1]) if all(sizes) else 0.0
