"""Chains of numbers become paths that explain themselves: who says each hop, and where.

A hop reads as one plain sentence made from the labels of the graph and the phrases of the
ontology: "Audit Scotland says that high turnover in leadership teams blocks strategic planning."
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal as OneOf

from pyoxigraph import Literal, NamedNode

from kg.connections.paths import Chain, Step
from kg.connections.stretches import stretches_of, told, verdict
from kg.connections.values import Hop, Path, ScoreParts
from kg.evidence import Texts, read_passages
from kg.model import Basis, Entity, Link, Passage
from kg.names import CODE, DCTERMS, PEV
from kg.release.opened import Release
from kg.release.wording import Wording, Wordings, called, capitalised, entity_of, listed

# Links that tell who asserts an item or where it stands; put before "says that" they would repeat it.
ATTRIBUTIONS = frozenset(PEV + name for name in ("assertedBy", "statedIn", "reportedIn", "inCapacity"))
_ASSERTED_BY, _MODE, _ISSUED = PEV + "assertedBy", PEV + "attributionMode", DCTERMS + "issued"
Manner = OneOf["own text", "quoted", "relayed"]
_MANNERS: Mapping[str, Manner] = {
    CODE + "own-text": "own text",
    CODE + "direct-quotation": "quoted",
    CODE + "indirect-report": "relayed",
}


@dataclass(frozen=True)
class _Voice:
    """Who asserts an item and how the texts carry it."""

    agents: tuple[str, ...]
    mode: Manner | None


@dataclass(frozen=True)
class _Grounds:
    """What the sentences of some links are made of, read at once for all of them."""

    entities: Mapping[str, Entity]
    voices: Mapping[str, _Voice]
    issued: Mapping[str, str]
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

    def query_of(self, links: Iterable[Link]) -> str:
        """Returns a query that finds some links again, with the basis of each; empty for none."""
        triples = sorted({(link.subject, link.predicate, link.object) for link in links})
        if not triples:
            return ""
        rows = [[NamedNode(part) for part in triple] for triple in triples]
        return self._release.library.program("hops").bound({"from link to": rows})

    def paths(self, chains: Sequence[Chain]) -> tuple[Path, ...]:
        """Returns the chains as paths, each hop with its sentence and passages."""
        links = {step.link: self._release.links.link(step.link) for c in chains for step in c.steps}
        grounds = self._grounds(links.values())
        return tuple(self._path(chain, links, grounds) for chain in chains)

    def hops(self, steps: Sequence[Step]) -> tuple[Hop, ...]:
        """Returns steps with their sentences and passages, in their order."""
        links = [self._release.links.link(step.link) for step in steps]
        grounds = self._grounds(links)
        return tuple(self._hop(step, link, grounds) for step, link in zip(steps, links, strict=True))

    def sentence(self, link: Link) -> str:
        """Returns the sentence of one link."""
        return self._sentence(link, self._grounds([link]))

    def _path(self, chain: Chain, links: Mapping[int, Link], grounds: _Grounds) -> Path:
        hops = tuple(self._hop(step, links[step.link], grounds) for step in chain.steps)
        parts = ScoreParts(*(part / 100 for part in (chain.parts.basis, chain.parts.origins, chain.parts.hubs)))
        stretches = stretches_of(hops, lambda iri: self.entity(iri, grounds.entities))
        independent = self._release.links.independent([step.link for step in chain.steps])
        nodes = (hops[0].start, *(hop.end for hop in hops))
        whose = verdict(hops, stretches, grounds.issued)
        return Path(nodes, hops, chain.score, parts, stretches, independent, tuple(map(told, hops)), whose)

    def _hop(self, step: Step, link: Link, grounds: _Grounds) -> Hop:
        start, end = self._release.links.iri(step.start), self._release.links.iri(step.end)
        item = _item(link, grounds.voices)
        voice = self._voice(link, grounds)
        return Hop(
            self.entity(start, grounds.entities),
            self.entity(end, grounds.entities),
            link.predicate,
            self.wording(link.predicate).label,
            "forward" if link.subject == start else "backward",
            link.basis,
            link.origins,
            self._sentence(link, grounds),
            tuple(self._texts.quoted(p) for p in grounds.passages.get(item, ())),
            self._release.links.independent([step.link]),
            tuple(self.entity(agent, grounds.entities) for agent in voice.agents) if voice else (),
            voice.mode if voice else None,
            min((grounds.issued[o] for o in link.origins if o in grounds.issued), default=None),
        )

    def _grounds(self, links: Iterable[Link]) -> _Grounds:
        every = list(links)
        ends = sorted({iri for link in every for iri in (link.subject, link.object)})
        origins = {origin for link in every for origin in link.origins}
        if not ends:
            return _Grounds({}, {}, {}, {})
        source, library = self._release.source, self._release.library
        question = library.program("voices").bound({"item": [[NamedNode(iri)] for iri in sorted({*ends, *origins})]})
        found: dict[tuple[str, str], list[str]] = {}
        for item, property_, value in source.select(question).rows:
            found.setdefault((_value(item), _value(property_)), []).append(_value(value))
        voices = {
            iri: _Voice(tuple(agents), _manner(found.get((iri, _MODE), ())))
            for (iri, property_), agents in found.items()
            if property_ == _ASSERTED_BY
        }
        issued = {iri: dates[0] for (iri, property_), dates in found.items() if property_ == _ISSUED}
        agents = {agent for voice in voices.values() for agent in voice.agents}
        entities = self._release.search.entities({*ends, *origins, *agents})
        items = {_item(link, voices) for link in every}
        return _Grounds(entities, voices, issued, read_passages(source, library, sorted(items)))

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
        voice = self._voice(link, grounds)
        if voice is None:
            return ""
        names = [self.entity(agent, grounds.entities).label for agent in voice.agents]
        return f"{listed(names)} {'say' if len(names) > 1 else 'says'} that "

    def _voice(self, link: Link, grounds: _Grounds) -> _Voice | None:
        """Returns who says what a link says; None for what nobody says, or what only tells who says something."""
        said = link.basis is Basis.SAID and link.predicate not in ATTRIBUTIONS
        return grounds.voices.get(_item(link, grounds.voices)) if said else None

    def _called(self, iri: str, grounds: _Grounds) -> str:
        return called(self.entity(iri, grounds.entities))


def _item(link: Link, voices: Mapping[str, _Voice]) -> str:
    """Returns which end of a link carries its provenance: the item it was recorded with; else its subject."""
    return next((iri for iri in (link.subject, link.object) if iri in voices), link.subject)


def _value(term: object) -> str:
    assert isinstance(term, NamedNode | Literal)
    return term.value


def _manner(codes: Sequence[str]) -> Manner | None:
    """Returns how texts carry an item; where they do so in several ways, the closest to its origin."""
    return next((manner for code, manner in _MANNERS.items() if code in codes), None)
