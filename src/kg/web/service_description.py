"""What the SPARQL endpoint says of itself.

Source: SPARQL 1.1 Service Description.
"""

from __future__ import annotations

from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple, serialize

from kg.engines.source import GRAPH_FORMATS, TABLE_FORMATS
from kg.names import RDF_TYPE

_SD = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS = "http://www.w3.org/ns/formats/"
_FORMAT_NAMES = {
    "application/sparql-results+json": "SPARQL_Results_JSON",
    "application/sparql-results+xml": "SPARQL_Results_XML",
    "text/csv": "SPARQL_Results_CSV",
    "text/tab-separated-values": "SPARQL_Results_TSV",
    "text/turtle": "Turtle",
    "application/n-triples": "N-Triples",
    "application/rdf+xml": "RDF_XML",
    "application/ld+json": "JSON-LD",
}


def service_description(endpoint: str, shape: RdfFormat, writable: bool = False) -> bytes:
    """Returns the description of the endpoint at an address, in an RDF format.

    Args:
        writable: updates are taken too, as in a scratch dataset.
    """
    service, dataset, default = BlankNode("service"), BlankNode("dataset"), BlankNode("default")
    facts: list[tuple[BlankNode, str, NamedNode | BlankNode]] = [
        (service, RDF_TYPE, NamedNode(_SD + "Service")),
        (service, _SD + "endpoint", NamedNode(endpoint)),
        (service, _SD + "supportedLanguage", NamedNode(_SD + "SPARQL11Query")),
        (service, _SD + "defaultDataset", dataset),
        (dataset, RDF_TYPE, NamedNode(_SD + "Dataset")),
        (dataset, _SD + "defaultGraph", default),
        (default, RDF_TYPE, NamedNode(_SD + "Graph")),
    ]
    facts += [
        (service, _SD + "resultFormat", NamedNode(_FORMATS + _FORMAT_NAMES[name]))
        for name in (*TABLE_FORMATS, *GRAPH_FORMATS)
    ]
    if writable:
        facts.append((service, _SD + "supportedLanguage", NamedNode(_SD + "SPARQL11Update")))
    triples = [Triple(subject, NamedNode(predicate), value) for subject, predicate, value in facts]
    prefixes = {"sd": _SD, "formats": _FORMATS} if shape == RdfFormat.TURTLE else None
    return serialize(triples, format=shape, prefixes=prefixes) or b""
