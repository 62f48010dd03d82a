"""Names of things: namespaces, CURIE <-> IRI, slugs.

The prefixes of a workspace stand in one place, its `ontology/context.jsonld`; a
`Prefixes` is read from there, and everything that shortens or expands a name uses it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

BASE = "https://w3id.org/policy-evidence/"
ONTOLOGY = BASE + "ns"
PEV = BASE + "ns#"
GRAPH = BASE + "graph/"
SCHEME = BASE + "scheme/"
CODE = BASE + "code/"
GENID = BASE + ".well-known/genid/"

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
DCTERMS = "http://purl.org/dc/terms/"
OA = "http://www.w3.org/ns/oa#"
PROV = "http://www.w3.org/ns/prov#"
OWL = "http://www.w3.org/2002/07/owl#"
FOAF = "http://xmlns.com/foaf/0.1/"
VOID = "http://rdfs.org/ns/void#"

RDF_TYPE = RDF + "type"
MERGED_GRAPH = GRAPH + "merged"
INFERRED_GRAPH = GRAPH + "inferred"

_CURIE = re.compile(r"(?P<prefix>[A-Za-z][A-Za-z0-9_.-]*):(?P<local>[^\s<>\"{}|\\^`]*)")
# The local names that Turtle and SPARQL take without an escape; others are written as full IRIs.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?")


@dataclass(frozen=True)
class Prefixes:
    """The prefixes of one workspace, and the two directions between CURIE and IRI.

    >>> p = Prefixes({"theme": BASE + "theme/", "as2018": BASE + "theme/as2018/"})
    >>> p.curie(BASE + "theme/as2018/governance")
    'as2018:governance'
    >>> p.iri("theme:finance")
    'https://w3id.org/policy-evidence/theme/finance'
    """

    namespaces: Mapping[str, str]

    @cached_property
    def _longest_first(self) -> list[tuple[str, str]]:
        by_length = sorted(self.namespaces.items(), key=lambda item: (-len(item[1]), item[0]))
        return [(namespace, prefix) for prefix, namespace in by_length]

    def curie(self, iri: str) -> str:
        """Returns the shortest prefixed form of an IRI, or the IRI itself when no prefix fits."""
        for namespace, prefix in self._longest_first:
            if iri.startswith(namespace) and len(iri) > len(namespace):
                local = iri[len(namespace) :]
                return f"{prefix}:{local}" if _PLAIN_LOCAL.fullmatch(local) else iri
        return iri

    def iri(self, name: str) -> str | None:
        """Returns the IRI of a CURIE or of an IRI (angle brackets allowed), None for any other text."""
        text = name.strip()
        if text.startswith("<") and text.endswith(">"):
            return text[1:-1]
        match = _CURIE.fullmatch(text)
        if match and match["prefix"] in self.namespaces:
            return self.namespaces[match["prefix"]] + match["local"]
        return text if re.fullmatch(r"(https?|urn):[^\s<>\"{}|\\^`]+", text) else None

    def turtle(self, iri: str) -> str:
        """Returns the IRI as Turtle and SPARQL write it: prefixed when that is plain, else in brackets."""
        short = self.curie(iri)
        return short if short != iri else f"<{iri}>"

    def sparql_header(self) -> str:
        """Returns the PREFIX lines of a query, one prefix a line, sorted."""
        lines = (f"PREFIX {prefix}: <{iri}>" for prefix, iri in sorted(self.namespaces.items()))
        return "\n".join(lines) + "\n"


def prefixes_of_context(context: Mapping[str, object]) -> Prefixes:
    """Returns the prefixes that a JSON-LD context declares: its keys that stand for a namespace."""
    terms = context.get("@context", {})
    assert isinstance(terms, Mapping)
    return Prefixes(
        {
            str(key): value
            for key, value in terms.items()
            if not str(key).startswith("@") and isinstance(value, str) and re.fullmatch(r"[a-z]+:[^\s]*[/#]", value)
        }
    )


def folded(text: str) -> str:
    """Returns text as labels are compared: no accents, no case, single spaces.

    >>> folded("  Café  NOIR ")
    'cafe noir'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def slug(text: str) -> str:
    """Returns the form in which a new name enters an IRI.

    >>> slug("Distrust between professions!")
    'distrust-between-professions'
    """
    return re.sub(r"[^a-z0-9]+", "-", folded(text)).strip("-")
