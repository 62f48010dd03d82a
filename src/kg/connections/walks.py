"""What is asked of the links of a release: connections and neighbourhoods, with what explains them."""

from __future__ import annotations

from functools import cached_property

from kg.connections.connecting import Connections
from kg.connections.explain import Explainer
from kg.connections.neighbourhood import Neighbourhood
from kg.evidence import Texts
from kg.release.opened import Release


class Walks:
    """Asks the links of one release, or a part of them."""

    def __init__(self, release: Release, texts: Texts, max_expansions: int) -> None:
        self._release = release
        self._texts = texts
        self._max_expansions = max_expansions
        self.explainer = Explainer(release, texts)

    def on(self, release: Release) -> Walks:
        """Returns the same on another part of the links; on the same release, itself."""
        return self if release is self._release else Walks(release, self._texts, self._max_expansions)

    @cached_property
    def connections(self) -> Connections:
        return Connections(self._release, self.explainer, self._max_expansions)

    @cached_property
    def neighbourhood(self) -> Neighbourhood:
        return Neighbourhood(self._release, self.explainer)
