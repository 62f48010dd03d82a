"""What the page of the ontology shows: every class and property, and how each hangs together with others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode, Triple

from kg.answers import Answers
from kg.names import DCTERMS, GENID, ONTOLOGY, OWL, PEV, RDF_TYPE, RDFS, SKOS

_DCAM = "http://purl.org/dc/dcam/"
# How the rows of a term are called, in the order in which they are read.
_ROWS = {
    SKOS + "scopeNote": "How to use it",
    SKOS + "altLabel": "Also called",
    PEV + "phrase": "Reads",
    RDFS + "subClassOf": "A kind of",
    RDFS + "subPropertyOf": "Narrower than",
    RDFS + "domain": "Always of (domain)",
    _DCAM + "domainIncludes": "Used with (domain includes)",
    RDFS + "range": "Always points at (range)",
    _DCAM + "rangeIncludes": "Points at (range includes)",
    OWL + "disjointWith": "Never also",
    OWL + "propertyDisjointWith": "Never together with",
    RDFS + "seeAlso": "See also",
    SKOS + "example": "Example",
}
_BELOW = {RDFS + "subClassOf": "Kinds of it", RDFS + "subPropertyOf": "Narrower ones"}
_KINDS = {
    OWL + "FunctionalProperty": "at most one value",
    OWL + "SymmetricProperty": "holds both ways",
    OWL + "AsymmetricProperty": "never holds both ways",
    OWL + "IrreflexiveProperty": "never of a thing and itself",
    OWL + "ObjectProperty": "points at a thing",
    OWL + "DatatypeProperty": "has a value",
    OWL + "AnnotationProperty": "a note",
}
Value = NamedNode | Literal


@dataclass
class Term:
    """A class or property: what it is called and means, and its rows of values."""

    iri: str
    curie: str
    label: str = ""
    definition: str = ""
    kinds: list[str] = field(default_factory=list)
    rows: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)

    @property
    def anchor(self) -> str:
        return self.iri.partition("#")[2]


def ontology_page(answers: Answers) -> dict[str, object]:
    """Returns what the template ontology.html needs."""
    described: dict[str, dict[str, list[Value]]] = {}
    for subject, predicate, value in (_parts(triple) for triple in answers.linked_data.ontology()):
        if isinstance(value, NamedNode | Literal):
            described.setdefault(subject, {}).setdefault(predicate, []).append(value)
    prefixes = answers.opened.library.prefixes
    terms = {
        iri: _term(iri, prefixes.curie(iri), facts) for iri, facts in described.items() if not iri.startswith(GENID)
    }
    for link, name in _BELOW.items():
        _add_below(terms, described, link, name)
    ours = sorted((t for t in terms.values() if t.iri.startswith(PEV)), key=lambda t: t.label.casefold())
    classes = [t for t in ours if _is_class(described[t.iri])]
    about = described.get(ONTOLOGY, {})
    return {
        "title": _first(about, DCTERMS + "title"),
        "description": _first(about, DCTERMS + "description"),
        "version": _first(about, OWL + "versionInfo"),
        "modified": _first(about, DCTERMS + "modified"),
        "licence": _first(about, DCTERMS + "license"),
        "classes": classes,
        "properties": [t for t in ours if t not in classes],
        "borrowed": sorted(
            (t for t in terms.values() if not t.iri.startswith((PEV, ONTOLOGY)) and t.kinds),
            key=lambda t: t.curie.casefold(),
        ),
        "namespace": PEV,
        "curie": prefixes.curie,
    }


def _parts(triple: Triple) -> tuple[str, str, object]:
    return str(getattr(triple.subject, "value", "")), triple.predicate.value, triple.object


def _term(iri: str, curie: str, facts: Mapping[str, list[Value]]) -> Term:
    kinds = {value.value for value in facts.get(RDF_TYPE, ())}
    term = Term(iri, curie, _first(facts, RDFS + "label") or curie, _first(facts, SKOS + "definition"))
    term.kinds = ["class"] if _is_class(facts) else [words for kind, words in _KINDS.items() if kind in kinds]
    for link, name in _ROWS.items():
        if facts.get(link):
            term.rows[name] = sorted(_shown(facts[link]))
    return term


def _add_below(
    terms: Mapping[str, Term], described: Mapping[str, Mapping[str, list[Value]]], link: str, name: str
) -> None:
    for iri, facts in sorted(described.items()):
        for value in facts.get(link, ()):
            if value.value in terms:
                terms[value.value].rows.setdefault(name, []).append((iri, iri))


def _shown(values: Iterable[Value]) -> list[tuple[str, str | None]]:
    """Returns each value as (text, IRI); a literal has no IRI, an unnamed construct is left out."""
    pairs = [(v.value, v.value if isinstance(v, NamedNode) else None) for v in values]
    return [(text, iri) for text, iri in pairs if iri is None or not iri.startswith(GENID)]


def _is_class(facts: Mapping[str, list[Value]]) -> bool:
    return any(value.value == OWL + "Class" for value in facts.get(RDF_TYPE, ()))


def _first(facts: Mapping[str, list[Value]], link: str) -> str:
    return min((value.value for value in facts.get(link, ())), default="")
