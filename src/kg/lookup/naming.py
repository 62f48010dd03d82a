"""What a person means by a name: an IRI, a CURIE or a label becomes the thing that it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyoxigraph import NamedNode

from kg.connections.explain import Explainer
from kg.errors import AmbiguousName, BadParameter, UnknownName
from kg.model import Entity
from kg.names import folded
from kg.release.opened import Release

# Of a name that is not known, a message repeats this much.
_SHOWN_CHARACTERS = 80


class Names:
    """The names of one release."""

    def __init__(self, release: Release, explainer: Explainer) -> None:
        self._release = release
        self._explainer = explainer

    def entity(self, text: str, kind: str | None = None, parameter: str = "entity") -> Entity:
        """Returns the entity that a person means.

        Args:
            text: an IRI, a CURIE, or a label (case and accents aside, alternative labels too).
            kind: the CURIE of a class; a label is looked up among its members only.
            parameter: what messages call the argument.

        Raises:
            UnknownName: nothing answers to it; the nearest labels are named.
            AmbiguousName: several things do.
            BadParameter: it is empty, or an IRI or CURIE names a thing of another class.
        """
        text = text.strip()
        if not text:
            raise BadParameter(f"{parameter}: is empty; give an IRI, a CURIE or a label.")
        class_iri = None if kind is None else self._release.library.prefixes.iri(kind)
        iri = self._release.library.prefixes.iri(text)
        found = None if iri is None else self.described(iri)
        if found is not None and iri is not None:
            if class_iri and not self._release.search.is_a(iri, class_iri):
                raise BadParameter(f"{parameter}: {found.curie} is no {kind} but a {found.type}.")
            return found
        return self._labelled(text, kind, class_iri, parameter)

    def described(self, iri: str) -> Entity | None:
        """Returns the entity of an IRI; one without a label is called by its CURIE."""
        known = self._release.search.entity(iri)
        if known is not None:
            return known
        try:
            query = f"ASK {{ {NamedNode(iri)} ?p ?o }}"
        except ValueError:
            return None
        return self._explainer.entity(iri, {}) if self._release.source.ask(query) else None

    def _labelled(self, text: str, kind: str | None, class_iri: str | None, parameter: str) -> Entity:
        preferred, alternative = self._release.search.named(text, class_iri)
        candidates = preferred or alternative
        if len(candidates) == 1:
            return candidates[0]
        common = [e for e in candidates if e.scheme == "scheme:themes"]
        if len(common) == 1 and all(e.type == "pev:Theme" for e in candidates):
            return common[0]
        what = f"a {kind}" if kind else "anything in this release"
        given = repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")
        if candidates:
            names = listed(e.curie for e in candidates)
            raise AmbiguousName(
                f"{parameter}: {given} is the label of several: {names}. Give one of these.", candidates
            )
        nearest = self._release.search.alike(text, class_iri)
        raise UnknownName(f"{parameter}: {given} is not the name of {what}.{did_you_mean(nearest)}", nearest)

    def mentioned(self, iri: str) -> Entity | None:
        """Returns what something points at, although nothing is said of it."""
        try:
            query = f"ASK {{ ?s ?p {NamedNode(iri)} }}"
        except ValueError:
            return None
        return self._explainer.entity(iri, {}) if self._release.source.ask(query) else None

    def entities(self, iris: Iterable[str]) -> dict[str, Entity]:
        """Returns what things are called, by IRI; one without a label by its CURIE."""
        wanted = set(iris)
        known = self._release.search.entities(wanted)
        return {iri: self._explainer.entity(iri, known) for iri in wanted}

    def class_iri(self, kind: str, parameter: str = "type") -> str:
        """Returns the class that a person means by its CURIE or IRI.

        Raises:
            BadParameter: there is no such class.
        """
        iri = self._release.library.prefixes.iri(kind)
        try:
            name = NamedNode(iri or "")
            query = f"ASK {{ {{ ?x a|rdfs:subClassOf {name} }} UNION {{ {name} a owl:Class }} }}"
            known = self._release.source.ask(query)
        except ValueError:
            known = False
        if iri is None or not known:
            raise BadParameter(f"{parameter}: {kind!r} is no class; give a CURIE such as pev:Theme.")
        return iri

    def link(self, text: str, parameter: str = "link") -> str:
        """Returns the type of link that a person means: an IRI, a CURIE or what it is called.

        Raises:
            BadParameter: there is no such type of link.
        """
        types = self._release.links.types
        called = {folded(self._explainer.wording(link).label): link for link in reversed(types)}
        iri = self._release.library.prefixes.iri(text.strip()) or called.get(folded(text))
        if iri not in types:
            raise BadParameter(
                f"{parameter}: {text!r} is no type of link here; there are {listed(map(self.curie, types))}."
            )
        return iri

    def curie(self, iri: str) -> str:
        """Returns an IRI as it is written shortly."""
        return self._release.library.prefixes.curie(iri)


def listed(names: object) -> str:
    """Returns names in a row, in alphabetical order."""
    assert hasattr(names, "__iter__")
    return ", ".join(sorted(str(name) for name in names)) or "none"


def did_you_mean(nearest: Sequence[Entity]) -> str:
    """Returns the end of a message about a name that is not known: what it may have meant."""
    if not nearest:
        return " /api/search and `kg search` find by words."
    return " Nearest: " + "; ".join(f"{e.label} ({e.curie})" for e in nearest) + "."
