"""Which theme a passage belongs to: by the words of the themes' labels, alternatives and definitions."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kg.ingest.aids import Vectors
from kg.ingest.known import Known, Thing
from kg.ingest.words import placed_stems, stems_of

# What a passage is about stands at its head; what follows is where and with what effect.
_FIRST, _LOSS, _LAST = 2.0, 0.15, 0.5
# A body's name says who, and an example stands for something wider.
_OF_NAME, _OF_EXAMPLE = 0.5, 0.3
_LABEL, _ALTERNATIVE, _DEFINITION, _CONTEXT = 3.0, 2.0, 0.8, 0.3
# Below this the words say little; how much a standard deviation of nearness counts then.
_LITTLE, _NEAR = 6.0, 3.0
_EXAMPLES = re.compile(
    r"\b(?:such as|for example|for instance|e\.g\.|including)\b[^;:.]*?(?=\b(?:which|that|has|have|is|are)\b|[;:.]|$)",
    re.IGNORECASE,
)

_Weighed = list[tuple[str, float]]  # stems in order, each with how much it counts


@dataclass(frozen=True)
class Scored:
    """A theme and how well it fits."""

    theme: Thing
    score: float


class Themes:
    """The themes of a workspace, ready to be compared with passages."""

    def __init__(self, known: Known, vectors: Vectors | None = None) -> None:
        self._themes = known.themes
        self._vectors = vectors
        self._means = vectors([_told(theme) for theme in self._themes]) if vectors is not None else None
        self._profiles = [_profile(theme) for theme in self._themes]
        self._phrases = [sorted({tuple(stems_of(name)) for name in theme.names}) for theme in self._themes]
        counts = Counter(stem for profile in self._profiles for stem in profile)
        self._rarity = {stem: math.log(1 + len(self._themes) / count) for stem, count in counts.items()}

    def ranked(self, passage: str, context: Sequence[str] = (), names: Iterable[tuple[int, int]] = ()) -> list[Scored]:
        """Returns the themes that share words with a passage, the best first.

        Args:
            passage: the words of the item.
            context: headings and lead-in around it, which count less.
            names: the ranges of the passage in which bodies are named.
        """
        inner, outer = _weighed(passage, names), _weighed(" ".join(context), ())
        scores = [
            self._score(inner, profile, phrases) + _CONTEXT * self._score(outer, profile, phrases)
            for profile, phrases in zip(self._profiles, self._phrases, strict=True)
        ]
        # Nearness of meaning is a guess, for passages whose words say little.
        if self._vectors is not None and max(scores, default=0.0) < _LITTLE:
            scores = [score + near for score, near in zip(scores, self._nearness(passage), strict=True)]
        scored = [Scored(theme, score) for theme, score in zip(self._themes, scores, strict=True) if score > 0]
        return sorted(scored, key=lambda s: (-s.score, s.theme.iri))

    def _nearness(self, passage: str) -> list[float]:
        """Returns for each theme how much nearer than usual its meaning is to that of a passage."""
        assert self._vectors is not None and self._means is not None
        cosines = self._means @ self._vectors([passage])[0]
        spread = float(cosines.std()) or 1.0
        return [_NEAR * max(0.0, float(cosine - cosines.mean()) / spread) for cosine in cosines]

    def _score(self, weighed: _Weighed, profile: dict[str, float], phrases: Sequence[tuple[str, ...]]) -> float:
        best: dict[str, float] = {}
        for stem, weight in weighed:
            best[stem] = max(weight, best.get(stem, 0.0))
        single = sum(
            profile[stem] * self._rarity[stem] * weight for stem, weight in sorted(best.items()) if stem in profile
        )
        # Several names of one theme are one sign of it, as examples that are listed are.
        whole = (self._whole(phrase, weighed) for phrase in phrases if best.keys() >= set(phrase))
        return single + _LABEL * max(whole, default=0.0)

    def _whole(self, phrase: tuple[str, ...], weighed: _Weighed) -> float:
        """Returns what it counts that a name of a theme stands in a passage as a whole."""
        size = len(phrase)
        rarity = sum(self._rarity[stem] for stem in phrase)
        places = (
            weighed[at : at + size]
            for at in range(len(weighed) - size + 1)
            if phrase and all(weighed[at + n][0] == stem for n, stem in enumerate(phrase))
        )
        return max((rarity * sum(weight for _, weight in place) / size for place in places), default=0.0)


def _told(theme: Thing) -> str:
    return ". ".join([*theme.labels, *theme.alternatives, *theme.words])


def _weighed(text: str, names: Iterable[tuple[int, int]]) -> _Weighed:
    """Returns the stems of a text in order, each with how much it counts."""
    examples = [match.span() for match in _EXAMPLES.finditer(text)]
    less = [(span, _OF_NAME) for span in names] + [(span, _OF_EXAMPLE) for span in examples]
    found = []
    for at, (stem, start) in enumerate(placed_stems(text)):
        weight = max(_LAST, _FIRST - _LOSS * at)
        for (first, last), share in less:
            weight *= share if first <= start < last else 1.0
        found.append((stem, weight))
    return found


def _profile(theme: Thing) -> dict[str, float]:
    weights: dict[str, float] = {}
    for texts, weight in ((theme.words, _DEFINITION), (theme.alternatives, _ALTERNATIVE), (theme.labels, _LABEL)):
        for stem in {s for text in texts for s in stems_of(text)}:
            weights[stem] = max(weight, weights.get(stem, 0.0))
    return weights
