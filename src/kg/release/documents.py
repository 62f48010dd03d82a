"""The data documents of a release: what is sent for the name of a thing, a graph or the ontology.

A thing's document holds every triple in which it stands, the names of what stands beside it, and
which release says so. A graph and the ontology are documents themselves: theirs hold them whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from kg.engines.source import GRAPH_FORMATS
from kg.errors import NotAcceptable
from kg.library import Question
from kg.model import Passage, VocabularyTerm
from kg.names import BASE, FOAF, GRAPH, ONTOLOGY, OWL, RDF_TYPE, RDFS, SKOS, VOID
from kg.release.jsonld import Context
from kg.release.opened import Release
from kg.release.turtle import write_turtle

# Characters that XML 1.0 has no way to write (section 2.2).
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def dataset_of(release: Release) -> str:
    """Returns the name of the release as a dataset; /.well-known/void describes it."""
    return f"{BASE}.well-known/void#release-{release.id}"


def is_ontology(release: Release, iri: str) -> bool:
    """Tells whether the IRI names the ontology, or the version of it that the release holds."""
    if iri == ONTOLOGY:
        return True
    if not iri.startswith(f"{ONTOLOGY}/"):
        return False
    # A stranger's text need not be an IRI, so it is only compared.
    return iri in {
        triple.object.value
        for triple in read_ontology(release)
        if triple.predicate == NamedNode(OWL + "versionIRI") and isinstance(triple.object, NamedNode)
    }


def is_document(release: Release, iri: str) -> bool:
    """Tells whether an IRI names a document of ours: a graph, or the ontology. Other names are of things."""
    return iri.startswith(GRAPH) or is_ontology(release, iri)


def read_document(release: Release, iri: str) -> list[Triple]:
    """Returns the triples of the data document for an IRI; none when the release does not mention it.

    Raises:
        LimitError: there are too many.
        SourceError: the store failed.
    """
    in_dataset = NamedNode(VOID + "inDataset")
    if iri.startswith(GRAPH):
        held = _triples(release, release.library.program("graph-triples"), graph=iri)
        about = _triples(release, release.library.program("document"), thing=iri) if held else []
        return [*held, *about, Triple(NamedNode(iri), in_dataset, NamedNode(dataset_of(release)))] if held else []
    if is_ontology(release, iri):
        return [*read_ontology(release), Triple(NamedNode(ONTOLOGY), in_dataset, NamedNode(dataset_of(release)))]
    found = _triples(release, release.library.program("document"), thing=iri)
    if not found:
        return []
    document = NamedNode(document_of(iri))
    return [
        *found,
        *_names(release, found),
        Triple(document, NamedNode(RDF_TYPE), NamedNode(FOAF + "Document")),
        Triple(document, NamedNode(FOAF + "primaryTopic"), NamedNode(iri)),
        Triple(document, in_dataset, NamedNode(dataset_of(release))),
    ]


def document_of(iri: str) -> str:
    """Returns the name of the data document of a thing, whatever format it is sent in."""
    if iri.startswith(BASE) and "#" not in iri and "?" not in iri:
        return f"{BASE}data/{iri.removeprefix(BASE)}"
    return f"{BASE}data?iri={quote(iri, safe='')}"


def read_ontology(release: Release) -> list[Triple]:
    """Returns the triples of the ontology's graph.

    Raises:
        SourceError: the store failed.
    """
    return _triples(release, release.library.program("ontology"), ontology=ONTOLOGY)


def vocabulary_of(
    release: Release, ontology: Iterable[Triple]
) -> tuple[tuple[VocabularyTerm, ...], tuple[VocabularyTerm, ...]]:
    """Returns the classes and the properties that an ontology describes, each by label."""
    facts: dict[str, dict[str, list[str]]] = {}
    for triple in ontology:
        if isinstance(triple.subject, NamedNode) and not isinstance(triple.object, Triple):
            facts.setdefault(triple.subject.value, {}).setdefault(triple.predicate.value, []).append(
                triple.object.value
            )
    classes, properties = [], []
    for iri, found in sorted(facts.items()):
        kinds = set(found.get(RDF_TYPE, ()))
        curie = release.library.prefixes.curie(iri)
        term = VocabularyTerm(
            iri, curie, min(found.get(RDFS + "label", [curie])), next(iter(found.get(SKOS + "definition", ())), None)
        )
        if OWL + "Class" in kinds:
            classes.append(term)
        elif kinds & {OWL + kind for kind in ("ObjectProperty", "DatatypeProperty", "AnnotationProperty")}:
            properties.append(term)
    return tuple(classes), tuple(properties)


def read_text_passages(release: Release, iri: str) -> dict[Passage, list[str]]:
    """Returns the passages cut from a text, in reading order, each with the IRIs of what it shows.

    Raises:
        SourceError: the store failed.
    """
    question = release.library.program("text-passages").bound({"text": [[NamedNode(iri)]]})
    found: dict[Passage, list[str]] = {}
    for row in release.source.select(question).rows:
        passage, document, text, start, end, digest, item = (getattr(term, "value", "") for term in row)
        shown = found.setdefault(Passage(passage, document, text, int(start), int(end), digest), [])
        shown += [item] if item else []
    return found


def read_graph_things(release: Release, iri: str) -> dict[str, int]:
    """Returns the IRIs that a named graph describes, each with its number of triples.

    Raises:
        SourceError: the store failed.
    """
    question = release.library.program("graph-things").bound({"graph": [[NamedNode(iri)]]})
    rows = release.source.select(question).rows
    return {str(getattr(thing, "value", "")): int(getattr(count, "value", 0)) for thing, count in rows}


def _triples(release: Release, question: Question, **values: str) -> list[Triple]:
    bound = question.bound({name: [[NamedNode(iri)]] for name, iri in values.items()})
    rows = release.source.select(bound).rows
    return [Triple(*row) for row in rows]  # type: ignore[arg-type]  # the query binds all three


def _names(release: Release, triples: Iterable[Triple]) -> list[Triple]:
    terms = {term for t in triples for term in (t.subject, t.predicate, t.object) if isinstance(term, NamedNode)}
    rows = [[term] for term in sorted(terms, key=str)]
    found = release.source.select(release.library.program("names").bound({"thing": rows})).rows
    return [Triple(*row) for row in found]  # type: ignore[arg-type]  # the query binds all three


def write_document(
    triples: Iterable[Triple], media_type: str, release: Release, context: Context, first: str | None = None
) -> bytes:
    """Returns triples in an RDF format, in a fixed order; in JSON-LD the node `first` leads.

    Raises:
        NotAcceptable: a character cannot be written in XML.
    """
    distinct = sorted(set(triples), key=str)
    shape = GRAPH_FORMATS[media_type]
    if shape == RdfFormat.TURTLE:
        return write_turtle(distinct, release.library.prefixes).encode()
    if shape == RdfFormat.JSON_LD:
        return context.write(distinct, first).encode()
    if shape == RdfFormat.RDF_XML:
        _refuse_no_xml(distinct)
        return serialize(distinct, format=shape, prefixes=dict(release.library.prefixes.namespaces)) or b""
    return serialize(distinct, format=shape) or b""


def _refuse_no_xml(triples: Iterable[Triple]) -> None:
    for triple in triples:
        found = _NO_XML.search(triple.object.value) if isinstance(triple.object, Literal) else None
        if found:
            raise NotAcceptable(f"U+{ord(found[0]):04X} cannot be written in XML; take another format.")
