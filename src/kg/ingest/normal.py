"""Text as rules and models read it, with the way back to every character of the frozen text.

Quotation marks, dashes, ligatures and white space take one form, and a word that a line end
broke is whole again. Nothing else is changed, so that a quote is found or is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_ALIKE = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"',
    "»": '"', "″": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
    "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st",
    "…": "...", "\u00ad": "", "\u200b": "", "\u2060": "", "\ufeff": "",
}  # fmt: skip
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-‐\u00ad]\n[ \t]*(?=[a-zà-ÿ])")


@dataclass(frozen=True)
class View:
    """A stretch of text in one form; `places[i]` is where its i-th character stands in the frozen text."""

    text: str
    places: tuple[int, ...]
    ends: tuple[int, ...]

    def range(self, start: int, end: int) -> tuple[int, int]:
        """Returns the range of the frozen text that stands behind a (not empty) range of the view."""
        return self.places[start], self.ends[end - 1]


@lru_cache(maxsize=4096)
def view(text: str, start: int = 0, end: int | None = None) -> View:
    r"""Returns a stretch of a frozen text in one form.

    >>> view("The ﬁrst “long-\nterm”  plan").text
    'The first "longterm" plan'
    """
    end = len(text) if end is None else end
    broken = {at for match in _BROKEN_WORD.finditer(text, start, end) for at in range(*match.span())}
    letters: list[str] = []
    places: list[int] = []
    ends: list[int] = []
    for at in range(start, end):
        if at in broken:
            continue
        for letter in _ALIKE.get(text[at], text[at]):
            white = letter.isspace()
            if white and (not letters or letters[-1] == " "):
                continue
            letters.append(" " if white else letter)
            places.append(at)
            ends.append(at + 1)
    while letters and letters[-1] == " ":
        del letters[-1], places[-1], ends[-1]
    return View("".join(letters), tuple(places), tuple(ends))
