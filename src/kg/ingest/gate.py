"""The one gate between proposals and review: words that stand in the text, or nothing.

Rules and models pass the same gate. A quote must occur exactly once, letter for letter; only
quotation marks, dashes, ligatures and white space may be written differently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kg.evidence import sha256
from kg.ingest.candidates import Candidate
from kg.ingest.cues import denied
from kg.ingest.normal import view

SHORTEST_QUOTE = 12
_DENIAL = re.compile(r"\b(?:not|no|never|without|nor|neither|cannot|hardly)\b|n't\b", re.IGNORECASE)


@dataclass(frozen=True)
class Rejected:
    """A proposal that is not let through, and why."""

    reason: str
    proposal: str


def range_of_quote(text: str, quote: str, start: int = 0, end: int | None = None) -> tuple[int, int] | Rejected:
    """Returns the range of a frozen text in which a quote stands.

    Args:
        text: the frozen text.
        quote: the words, as somebody copied them.
        start: where the stretch begins that was shown.
        end: where it ends; None for the end of the text.

    >>> range_of_quote("The “ﬁrst” rule holds.", 'The "first" rule')
    (0, 15)
    """
    wanted = view(quote).text
    if len(wanted) < SHORTEST_QUOTE:
        return Rejected(f"quote shorter than {SHORTEST_QUOTE} characters", quote)
    shown = view(text, start, end)
    places = [match.start() for match in re.finditer(f"(?={re.escape(wanted)})", shown.text)]
    if not places:
        return Rejected("quote does not stand in the text that was shown", quote)
    if len(places) > 1:
        return Rejected(f"quote stands {len(places)} times in the text that was shown", quote)
    if _cuts_denial(shown.text, places[0], wanted):
        return Rejected("quote leaves out the words that deny it", quote)
    return shown.range(places[0], places[0] + len(wanted))


def _cuts_denial(shown: str, at: int, quote: str) -> bool:
    """Tells whether the words just before a quote, in its sentence, turn it into its opposite."""
    before = re.split(r"[.!?;:]\s", shown[:at])[-1]
    return denied(before) and not _DENIAL.search(quote[:40])


_NEGATIVE = re.compile(
    r"\b(?:lack|absen|missing|too (?:few|little)|fail|unable|unwilling|insufficient|inadequate|hardly|short of|refus|"
    r"un\w+|in(?:ability|sufficien)\w*)",
    re.IGNORECASE,
)


def denial_differs(quote: str, paraphrase: str) -> bool:
    """Tells whether a paraphrase denies what its quote says, or says what the quote denies.

    >>> denial_differs("Budgets are pooled", "Budgets are not pooled")
    True
    >>> denial_differs("Data is not shared", "Sharing is lacking")
    False
    """
    said, told = bool(_DENIAL.search(quote)), bool(_DENIAL.search(paraphrase))
    if told and not said:
        return not _NEGATIVE.search(quote)
    return said and not told and bool(paraphrase) and not _NEGATIVE.search(paraphrase)


def verified(candidate: Candidate, text: str) -> Candidate | Rejected:
    """Returns a candidate whose passage is what it says, else why it is refused."""
    words = text[candidate.start : candidate.end]
    if not 0 <= candidate.start < candidate.end <= len(text):
        return Rejected("range outside of the text", candidate.id)
    if sha256(words) != candidate.sha256:
        return Rejected("hash of the passage is not that of the text", candidate.id)
    if words != words.strip():
        return Rejected("passage begins or ends with white space", candidate.id)
    return candidate


def longest_copied_run(sentence: str, passage: str) -> int:
    """Returns how many words in a row a sentence shares with a passage.

    >>> longest_copied_run("Budgets are planned apart", "the budgets are planned apart from care")
    4
    """
    one, other = plain_words(sentence), plain_words(passage)
    longest = 0
    for i in range(len(one)):
        for j in range(len(other)):
            length = 0
            while i + length < len(one) and j + length < len(other) and one[i + length] == other[j + length]:
                length += 1
            longest = max(longest, length)
    return longest


def plain_words(text: str) -> list[str]:
    """Returns the words of a text as copies are looked for: lower case, without punctuation."""
    return [word.lower() for word in re.findall(r"(?:[^\W_]|£)+", text)]
