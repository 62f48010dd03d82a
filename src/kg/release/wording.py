"""How things, links and values are called: the labels of a release, and the phrases of its ontology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyoxigraph import BlankNode, Literal, NamedNode

from kg.engines.source import Term
from kg.model import Cell, Entity
from kg.names import SKOS, XSD, Prefixes
from kg.release.opened import Release

# Kinds whose labels are phrases and read in lower case within a sentence; names keep their capital.
_PHRASES = frozenset({"pev:Barrier", "pev:Enabler", "pev:Theme", "pev:Outcome", "pev:StakeholderGroup"})
_QUOTED = frozenset({"pev:KeyMessage", "pev:Finding", "pev:Recommendation", "pev:Position", "pev:Commitment"})

# Names of others that are no words.
_SHORTENED = {SKOS + "prefLabel": "label", SKOS + "altLabel": "alternative label"}


@dataclass(frozen=True)
class Wording:
    """How a link is called, and how it reads between subject and object."""

    label: str
    phrase: str


class Wordings:
    """How the links of one release are called and read."""

    def __init__(self, release: Release) -> None:
        self._release = release

    @cached_property
    def _known(self) -> dict[str, Wording]:
        rows = self._release.source.select(self._release.library.program("phrases").text).rows
        return {_value(link): Wording(_value(label), _value(phrase)) for link, label, phrase in rows}

    def wording(self, link: str) -> Wording:
        """Returns how a link reads; for one without a phrase of its own, its name in plain words."""
        known = self._known.get(link)
        return known if known is not None else _wording_of_name(link)

    def phrase(self, link: str) -> str | None:
        """Returns how a link reads between its ends, None when the ontology has no words for it."""
        known = self._known.get(link)
        return None if known is None else known.phrase


def _value(term: object) -> str:
    assert isinstance(term, NamedNode | Literal)
    return term.value


def _wording_of_name(link: str) -> Wording:
    words = words_of_name(link)
    return Wording(words, words)


def words_of_name(iri: str) -> str:
    """Returns the last part of a name in plain words.

    >>> words_of_name("http://www.w3.org/2004/02/skos/core#editorialNote")
    'editorial note'
    """
    if iri in _SHORTENED:
        return _SHORTENED[iri]
    name = iri.replace("#", "/").rpartition("/")[2]
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


def entity_of(iri: str, known: Mapping[str, Entity], prefixes: Prefixes) -> Entity:
    """Returns the entity, or for an IRI without a label one that is called by its CURIE."""
    curie = prefixes.curie(iri)
    return known.get(iri) or Entity(iri, curie, curie)


def cell_of(term: Term, known: Mapping[str, Entity]) -> Cell:
    """Returns a term as a table shows it; an entity with its label."""
    if isinstance(term, NamedNode):
        entity = known.get(term.value)
        return Cell(term.value, "uri", entity.label if entity else None)
    if isinstance(term, Literal):
        plain = term.language or term.datatype.value == XSD + "string"
        return Cell(term.value, "literal", None, None if plain else term.datatype.value, term.language)
    if isinstance(term, BlankNode):
        return Cell(term.value, "bnode")
    return Cell(str(term), "literal")


def called(entity: Entity) -> str:
    """Returns a thing as it is called within a sentence."""
    if entity.type in _QUOTED:
        return f"“{entity.label}”"
    return lowered(entity.label) if entity.type in _PHRASES else entity.label


def lowered(label: str) -> str:
    """Returns a label as it stands within a sentence; an abbreviation keeps its capitals."""
    first = label.partition(" ")[0]
    return label[0].lower() + label[1:] if first[1:].islower() or len(first) == 1 else label


def capitalised(sentence: str) -> str:
    """Returns a sentence with its first letter as it stands at the beginning; a CURIE stays what it is."""
    return sentence if ":" in sentence.partition(" ")[0] else sentence[0].upper() + sentence[1:]


def listed(names: Sequence[str]) -> str:
    """Returns names as a sentence lists them.

    >>> listed(["one"]), listed(["one", "two", "three"])
    ('one', 'one, two and three')
    """
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def counted(number: int, noun: str) -> str:
    """Returns a number of things.

    >>> counted(1, "barrier"), counted(2, "body"), counted(3, "day"), counted(2, "process")
    ('1 barrier', '2 bodies', '3 days', '2 processes')
    """
    if number == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{number} {noun[:-1]}ies"
    return f"{number} {noun}{'es' if noun.endswith(('s', 'x', 'ch', 'sh')) else 's'}"
