"""Which theme a passage belongs to: by the words of the themes' labels, alternatives and definitions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kg.ingest.known import Known, Thing
from kg.ingest.words import stems_of

_HEAD, _HEAD_LENGTH = 1.5, 5
_LABEL, _ALTERNATIVE, _DEFINITION, _CONTEXT = 3.0, 2.0, 0.8, 0.3


@dataclass(frozen=True)
class Scored:
    """A theme and how well it fits."""

    theme: Thing
    score: float


class Themes:
    """The themes of a workspace, ready to be compared with passages."""

    def __init__(self, known: Known) -> None:
        self._themes = known.themes
        self._profiles = [_profile(theme) for theme in self._themes]
        self._phrases = [sorted({tuple(stems_of(name)) for name in theme.names}) for theme in self._themes]
        counts = Counter(stem for profile in self._profiles for stem in profile)
        self._rarity = {stem: math.log(1 + len(self._themes) / count) for stem, count in counts.items()}

    def ranked(self, passage: str, context: Sequence[str] = ()) -> list[Scored]:
        """Returns the themes that share words with a passage, the best first.

        Args:
            passage: the words of the item.
            context: headings and lead-in around it, which count less.
        """
        inner, outer = stems_of(passage), stems_of(" ".join(context))
        scored = []
        for theme, profile, phrases in zip(self._themes, self._profiles, self._phrases, strict=True):
            score = self._score(inner, profile, phrases) + _CONTEXT * self._score(outer, profile, phrases)
            if score > 0:
                scored.append(Scored(theme, score))
        return sorted(scored, key=lambda s: (-s.score, s.theme.iri))

    def _score(self, stems: Sequence[str], profile: dict[str, float], phrases: Sequence[tuple[str, ...]]) -> float:
        places = {stem: at for at, stem in reversed(list(enumerate(stems)))}
        # What a passage is about stands at its head; what follows is where and with what effect.
        single = sum(
            profile[stem] * self._rarity[stem] * (_HEAD if at < _HEAD_LENGTH else 1.0)
            for stem, at in sorted(places.items())
            if stem in profile
        )
        # Several names of one theme are one sign of it, as examples that are listed are.
        text = f" {' '.join(stems)} "
        whole = max((sum(self._rarity[s] for s in p) for p in phrases if p and f" {' '.join(p)} " in text), default=0.0)
        return single + _LABEL * whole


def _profile(theme: Thing) -> dict[str, float]:
    weights: dict[str, float] = {}
    for texts, weight in ((theme.words, _DEFINITION), (theme.alternatives, _ALTERNATIVE), (theme.labels, _LABEL)):
        for stem in {s for text in texts for s in stems_of(text)}:
            weights[stem] = max(weight, weights.get(stem, 0.0))
    return weights
