"""Chains of numbers become paths that explain themselves: who says each hop, and where.

A hop reads as one plain sentence made from the labels of the graph and the phrases of the
ontology: "Audit Scotland says that high turnover in leadership teams blocks strategic planning."
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode

from kg.connections.paths import Chain, Step
from kg.evidence import Texts, read_passages
from kg.model import Basis, Entity, Hop, Link, Passage, Path
from kg.names import PEV
from kg.release.opened import Release
from kg.release.wording import Wording, Wordings, called, capitalised, entity_of, listed

# Links that tell who asserts an item or where it stands; put before "says that" they would repeat it.
_ATTRIBUTIONS = frozenset(PEV + name for name in ("assertedBy", "statedIn", "reportedIn", "inCapacity"))


@dataclass(frozen=True)
class _Grounds:
    """What the sentences of some links are made of, read at once for all of them."""

    entities: Mapping[str, Entity]
    asserters: Mapping[str, Sequence[str]]
    passages: Mapping[str, Sequence[Passage]]


class Explainer:
    """Explains the links and paths of one release."""

    def __init__(self, release: Release, texts: Texts) -> None:
        self._release = release
        self._texts = texts
        self._wordings = Wordings(release)

    def wording(self, link: str) -> Wording:
        """Returns how a link reads; for one without a phrase of its own, its name in plain words."""
        return self._wordings.wording(link)

    def phrase(self, link: str) -> str | None:
        """Returns how a link reads between its ends, None when the ontology has no words for it."""
        return self._wordings.phrase(link)

    def entity(self, iri: str, known: Mapping[str, Entity]) -> Entity:
        """Returns the entity, or for an IRI without a label one that is called by its CURIE."""
        return entity_of(iri, known, self._release.library.prefixes)

    def paths(self, chains: Sequence[Chain]) -> tuple[Path, ...]:
        """Returns the chains as paths, each hop with its sentence and passages."""
        links = {step.link: self._release.links.link(step.link) for c in chains for step in c.steps}
        grounds = self._grounds(links.values())
        return tuple(self._path(chain, links, grounds) for chain in chains)

    def sentence(self, link: Link) -> str:
        """Returns the sentence of one link."""
        return self._sentence(link, self._grounds([link]))

    def _path(self, chain: Chain, links: Mapping[int, Link], grounds: _Grounds) -> Path:
        hops = tuple(self._hop(step, links[step.link], grounds) for step in chain.steps)
        return Path((hops[0].start, *(hop.end for hop in hops)), hops, chain.score)

    def _hop(self, step: Step, link: Link, grounds: _Grounds) -> Hop:
        start, end = self._release.links.iri(step.start), self._release.links.iri(step.end)
        item = _item(link, grounds)
        return Hop(
            self.entity(start, grounds.entities),
            self.entity(end, grounds.entities),
            link.predicate,
            self.wording(link.predicate).label,
            "forward" if link.subject == start else "backward",
            link.basis,
            link.origins,
            self._sentence(link, grounds),
            tuple(self._texts.quoted(p) for p in grounds.passages.get(item or "", ())),
        )

    def _grounds(self, links: Iterable[Link]) -> _Grounds:
        ends = sorted({iri for link in links for iri in (link.subject, link.object)})
        source, library = self._release.source, self._release.library
        if not ends:
            return _Grounds({}, {}, {})
        asserters: dict[str, list[str]] = {}
        question = library.program("asserters").bound({"item": [[NamedNode(iri)] for iri in ends]})
        for item, agent in source.select(question).rows:
            asserters.setdefault(_value(item), []).append(_value(agent))
        agents = {agent for group in asserters.values() for agent in group}
        entities = self._release.search.entities({*ends, *agents})
        return _Grounds(entities, asserters, read_passages(source, library, ends))

    def _sentence(self, link: Link, grounds: _Grounds) -> str:
        subject = self._called(link.subject, grounds)
        object_ = self._called(link.object, grounds)
        said = f"{subject} {self.wording(link.predicate).phrase} {object_}."
        return capitalised(self._attribution(link, grounds) + said)

    def _attribution(self, link: Link, grounds: _Grounds) -> str:
        """Returns who stands behind the claim, as the beginning of its sentence."""
        if link.basis is Basis.JUDGED:
            return "by this project's judgement, "
        if link.basis is Basis.INFERRED:
            return "by rule, "
        item = _item(link, grounds)
        names = [self.entity(a, grounds.entities).label for a in grounds.asserters.get(item or "", ())]
        if link.basis is Basis.REFERENCE or link.predicate in _ATTRIBUTIONS or not names:
            return ""
        return f"{listed(names)} {'say' if len(names) > 1 else 'says'} that "

    def _called(self, iri: str, grounds: _Grounds) -> str:
        return called(self.entity(iri, grounds.entities))


def _item(link: Link, grounds: _Grounds) -> str | None:
    """Returns which end of a link carries its provenance: the item it was recorded with."""
    for iri in (link.subject, link.object):
        if iri in grounds.asserters:
            return iri
    return link.subject if link.subject in grounds.passages else None


def _value(term: object) -> str:
    assert isinstance(term, NamedNode | Literal)
    return term.value
