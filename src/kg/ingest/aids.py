"""Models that may be installed beside and help where words end: vectors for themes, names of bodies.

Each is an extra of the package and is chosen by a setting. Nothing is fetched: the weights are in what is
installed, or in a folder that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import BadParameter

Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
Names = Callable[[str], list[tuple[int, int]]]

_WORDLLAMA = "wordllama"


@dataclass(frozen=True)
class Aids:
    """Which models help: the name of the vectors, and the package or folder of the names; None for none."""

    vectors: str | None = None
    names: str | None = None

    def check(self) -> None:
        """Looks whether what is chosen can be had.

        Raises:
            BadParameter: it cannot; the message says what to install.
        """
        if self.vectors is not None and self.vectors != _WORDLLAMA:
            raise BadParameter(f"KG_THEME_VECTORS: there is no {self.vectors!r}; there is {_WORDLLAMA}.")
        if self.vectors is not None and find_spec(_WORDLLAMA) is None:
            raise BadParameter(_missing("KG_THEME_VECTORS", self.vectors, "vectors"))
        if self.names is not None and (find_spec("spacy") is None or not _is_there(self.names)):
            raise BadParameter(_missing("KG_NAMES_MODEL", self.names, "names"))


NO_AIDS = Aids()


def _is_there(name: str) -> bool:
    return Path(name).is_dir() or (name.isidentifier() and find_spec(name) is not None)


def _missing(variable: str, value: str, extra: str) -> str:
    return f"{variable}: {value!r} is not installed; pip install 'policy-evidence-kg[{extra}]' brings what it needs."


@cache
def vectors_of(name: str) -> Vectors:
    """Returns what makes vectors of texts, each of length 1, from the weights in the installed package.

    Shape: a row a text.
    """
    assert name == _WORDLLAMA
    import wordllama

    # By default it would look in the user's home, and on the network.
    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    return lambda texts: np.asarray(model.embed(list(texts), norm=True), dtype=np.float32)


@cache
def names_of(name: str) -> Names:
    """Returns what finds the names of organisations in a text, as ranges, in reading order."""
    import spacy

    unused = ["tagger", "parser", "attribute_ruler", "lemmatizer"]
    model: Any = spacy.load(name, exclude=unused)
    return lambda text: [(e.start_char, e.end_char) for e in model(text).ents if e.label_ == "ORG"]
