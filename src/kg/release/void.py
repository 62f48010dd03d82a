"""What a release says of itself as a dataset: VoID, and its questions as executable SPARQL.

Source: Describing Linked Datasets with the VoID Vocabulary (W3C Note, 3 March 2011), with its
section 6.2 for the place /.well-known/void; SHACL Advanced Features, section 8 (sh:SPARQLExecutable),
with schema:target for the endpoint as published collections of example queries give it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from kg.engines.source import GRAPH_FORMATS
from kg.library import Question
from kg.names import BASE, DCTERMS, FOAF, RDF, RDF_TYPE, RDFS, VOID, XSD
from kg.release.documents import dataset_of
from kg.release.opened import Release
from kg.tokens import verb

VOID_DOCUMENT = BASE + ".well-known/void"
EXAMPLES_DOCUMENT = BASE + ".well-known/sparql-examples"
DATASET = VOID_DOCUMENT + "#dataset"

TITLE = "Policy evidence"
PURPOSE = (
    "What policy reports and the people around them state, who says so, and the passage each statement "
    "rests on. What a text says, what a curator judges and what follows by rule stand in different graphs."
)

_SH = "http://www.w3.org/ns/shacl#"
_SCHEMA = "https://schema.org/"
_FORMATS = "http://www.w3.org/ns/formats/"
_FORMAT_NAMES = {
    "text/turtle": "Turtle",
    "application/n-triples": "N-Triples",
    "application/rdf+xml": "RDF_XML",
    "application/ld+json": "JSON-LD",
}
# The class of an executable and the property that holds its text, by the form of the query.
_EXECUTABLES = {
    "SELECT": ("SPARQLSelectExecutable", "select"),
    "ASK": ("SPARQLAskExecutable", "ask"),
    "CONSTRUCT": ("SPARQLConstructExecutable", "construct"),
}
# Namespaces of the RDF language itself are no vocabularies of a dataset.
_LANGUAGE = (RDF, RDFS, XSD)

_Term = NamedNode | BlankNode | Literal


def describe_dataset(release: Release) -> list[Triple]:
    """Returns what is true of the release wherever it is served: counts, partitions, vocabularies.

    Raises:
        SourceError: the store failed.
    """
    dataset = NamedNode(dataset_of(release))
    classes, properties = _rows(release, "dataset-classes"), _rows(release, "dataset-properties")
    return [
        *_titles(release, dataset),
        *_counts(release, dataset),
        *_graphs(release, dataset),
        *_class_partitions(dataset, classes),
        *_property_partitions(dataset, properties),
        *_examples(dataset, classes),
        *_vocabularies(release, dataset, [row[0] for row in (*classes, *properties)]),
    ]


def describe_access(release: Release, service: str) -> list[Triple]:
    """Returns how the dataset is reached at a service.

    Args:
        service: the address of the service, without a slash at its end.
    """
    dataset = NamedNode(dataset_of(release))
    return [
        _triple(dataset, VOID + "sparqlEndpoint", NamedNode(f"{service}/sparql")),
        _triple(dataset, VOID + "uriLookupEndpoint", NamedNode(f"{service}/data?iri=")),
    ]


def describe_questions(release: Release, service: str) -> list[Triple]:
    """Returns the questions as executables that run at a service.

    Args:
        service: the address of the service, without a slash at its end.
    """
    document = NamedNode(EXAMPLES_DOCUMENT)
    triples = [
        _triple(document, RDF_TYPE, NamedNode(FOAF + "Document")),
        _triple(document, DCTERMS + "title", _english("The questions, as executable SPARQL")),
        _triple(document, VOID + "inDataset", NamedNode(dataset_of(release))),
    ]
    for question in release.library.listed:
        triples += _executable(question, NamedNode(f"{service}/sparql"))
    return triples


def _titles(release: Release, dataset: NamedNode) -> Iterable[Triple]:
    document, general = NamedNode(VOID_DOCUMENT), NamedNode(DATASET)
    info = release.info()
    yield _triple(document, RDF_TYPE, NamedNode(VOID + "DatasetDescription"))
    yield _triple(document, DCTERMS + "title", _english("A description of this dataset"))
    yield _triple(document, FOAF + "primaryTopic", dataset)
    yield _triple(document, RDFS + "seeAlso", NamedNode(EXAMPLES_DOCUMENT))
    yield _triple(general, RDF_TYPE, NamedNode(VOID + "Dataset"))
    yield _triple(general, DCTERMS + "title", _english(TITLE))
    yield _triple(dataset, RDF_TYPE, NamedNode(VOID + "Dataset"))
    yield _triple(dataset, DCTERMS + "title", _english(f"{TITLE}, release {release.id[:12]}"))
    yield _triple(dataset, DCTERMS + "description", _english(PURPOSE))
    yield _triple(dataset, DCTERMS + "identifier", Literal(release.id))
    yield _triple(dataset, DCTERMS + "isVersionOf", general)
    yield _triple(dataset, VOID + "uriSpace", Literal(BASE))
    yield _triple(dataset, RDFS + "seeAlso", NamedNode(EXAMPLES_DOCUMENT))
    if info.built:
        yield _triple(dataset, DCTERMS + "created", Literal(info.built, datatype=NamedNode(XSD + "dateTime")))
    for (licence,) in _rows(release, "dataset-licences"):
        yield _triple(dataset, DCTERMS + "license", licence)
    for name in GRAPH_FORMATS:
        yield _triple(dataset, VOID + "feature", NamedNode(_FORMATS + _FORMAT_NAMES[name]))


def _counts(release: Release, dataset: NamedNode) -> Iterable[Triple]:
    names = ("triples", "distinctSubjects", "distinctObjects", "properties", "classes", "entities")
    (row,) = _rows(release, "dataset-counts")
    return [_triple(dataset, VOID + name, value) for name, value in zip(names, row, strict=True)]


def _graphs(release: Release, dataset: NamedNode) -> Iterable[Triple]:
    for name, triples in sorted(release.info().graphs.items()):
        graph = NamedNode(name)
        yield _triple(dataset, VOID + "subset", graph)
        yield _triple(graph, RDF_TYPE, NamedNode(VOID + "Dataset"))
        yield _triple(graph, VOID + "triples", Literal(triples))


def _class_partitions(dataset: NamedNode, classes: list[tuple[_Term, ...]]) -> Iterable[Triple]:
    for number, (kind, entities, _) in enumerate(classes):
        part = BlankNode(f"class{number}")
        yield _triple(dataset, VOID + "classPartition", part)
        yield _triple(part, VOID + "class", kind)
        yield _triple(part, VOID + "entities", entities)


def _property_partitions(dataset: NamedNode, properties: list[tuple[_Term, ...]]) -> Iterable[Triple]:
    for number, (name, triples, subjects, objects) in enumerate(properties):
        part = BlankNode(f"property{number}")
        yield _triple(dataset, VOID + "propertyPartition", part)
        yield _triple(part, VOID + "property", name)
        yield _triple(part, VOID + "triples", triples)
        yield _triple(part, VOID + "distinctSubjects", subjects)
        yield _triple(part, VOID + "distinctObjects", objects)


def _examples(dataset: NamedNode, classes: list[tuple[_Term, ...]]) -> Iterable[Triple]:
    """Yields one member of each class that has a name of our own to be looked up under."""
    for _, _, example in classes:
        iri = str(getattr(example, "value", ""))
        if iri.startswith(BASE) and "#" not in iri and "/.well-known/" not in iri:
            yield _triple(dataset, VOID + "exampleResource", NamedNode(iri))


def _vocabularies(release: Release, dataset: NamedNode, terms: Iterable[_Term]) -> Iterable[Triple]:
    iris = {str(getattr(term, "value", "")) for term in terms}
    for namespace in sorted(set(release.library.prefixes.namespaces.values())):
        if namespace not in _LANGUAGE and any(_stands_in(iri, namespace) for iri in iris):
            yield _triple(dataset, VOID + "vocabulary", NamedNode(namespace))


def _stands_in(iri: str, namespace: str) -> bool:
    local = iri.removeprefix(namespace)
    return local != iri and "/" not in local and "#" not in local


def _executable(question: Question, endpoint: NamedNode) -> Iterable[Triple]:
    kind, text = _EXECUTABLES.get(verb(question.text) or "", ("SPARQLExecutable", None))
    query = NamedNode(f"{EXAMPLES_DOCUMENT}#{question.name}")
    yield _triple(query, RDF_TYPE, NamedNode(_SH + "SPARQLExecutable"))
    yield _triple(query, RDF_TYPE, NamedNode(_SH + kind))
    yield _triple(query, RDFS + "label", _english(question.name.replace("-", " ").capitalize()))
    yield _triple(query, RDFS + "comment", _english(question.summary or ""))
    if text is not None:
        yield _triple(query, f"{_SH}{text}", Literal(question.text))
    yield _triple(query, _SCHEMA + "target", endpoint)


def _rows(release: Release, name: str) -> list[tuple[_Term, ...]]:
    rows = release.source.select(release.library.program(name).text).rows
    return [tuple(row) for row in rows]  # type: ignore[arg-type]  # these queries bind every column


def _english(text: str) -> Literal:
    return Literal(text, language="en")


def _triple(subject: NamedNode | BlankNode, predicate: str, value: _Term) -> Triple:
    return Triple(subject, NamedNode(predicate), value)
