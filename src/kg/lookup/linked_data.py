"""Linked Data: what stands for a name of ours, its page of statements and its data document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from pyoxigraph import Literal, NamedNode, Triple

from kg.connections.explain import Explainer
from kg.engines.source import Term
from kg.errors import UnknownName
from kg.evidence import Texts
from kg.lookup.naming import Names, did_you_mean
from kg.model import Basis, Entity, Passage, Statement, Vocabulary
from kg.names import RDFS, folded
from kg.release.documents import (
    is_document,
    is_ontology,
    read_document,
    read_graph_things,
    read_ontology,
    read_text_passages,
    vocabulary_of,
    write_document,
)
from kg.release.jsonld import Context
from kg.release.opened import Release
from kg.release.void import describe_access, describe_dataset, describe_questions
from kg.release.wording import cell_of


class LinkedData:
    """The things and documents of one release, by name."""

    def __init__(self, release: Release, texts: Texts, explainer: Explainer, names: Names, max_rows: int) -> None:
        self._release = release
        self._texts = texts
        self._explainer = explainer
        self._names = names
        self._max_rows = max_rows

    def thing(self, iris: Sequence[str]) -> Entity:
        """Returns the first of some IRIs that the release mentions.

        Raises:
            UnknownName: it mentions none; the labels nearest to the last part of the name are given.
        """
        for iri in iris:
            if is_ontology(self._release, iri):
                return self._names.described(iri) or self._explainer.entity(iri, {})
            found = self._names.described(iri) or self._names.mentioned(iri)
            if found is not None:
                return found
        words = re.split(r"[/#=]", iris[0])[-1].replace("-", " ")
        nearest = self._release.search.alike(words) if words.strip() else ()
        raise UnknownName(f"{iris[0]} is not in this release.{did_you_mean(nearest)}", nearest)

    def is_document(self, iri: str) -> bool:
        """Tells whether an IRI names a document of ours (a graph, the ontology) and not a thing."""
        return is_document(self._release, iri)

    def document(self, iri: str, media_type: str) -> bytes:
        """Returns the data document for an IRI that `thing` knows, in an RDF format.

        Raises:
            NotAcceptable: a character cannot be written in that format.
            LimitError: there are too many triples.
        """
        return self._written(read_document(self._release, iri), media_type, iri)

    def statements(self, iri: str) -> tuple[Statement, ...]:
        """Returns every triple in which a thing stands, the best founded first, each once."""
        question = self._release.library.program("statements").bound({"thing": [[NamedNode(iri)]]})
        rows = self._release.source.select(question, self._max_rows).rows
        known = self._release.search.entities(t.value for _, _, t, _ in rows if isinstance(t, NamedNode))
        found = sorted((self._statement(row, known) for row in rows), key=_by_basis)
        first = {(s.direction, s.link, s.value): s for s in reversed(found)}
        return tuple(sorted(first.values(), key=_by_basis))

    def _statement(self, row: Sequence[Term | None], known: Mapping[str, Entity]) -> Statement:
        direction, link, value, basis = row
        assert isinstance(direction, Literal) and isinstance(link, NamedNode) and value is not None
        return Statement(
            link.value,
            self.term_labels.get(link.value) or self._explainer.wording(link.value).label,
            self._explainer.phrase(link.value),
            "forward" if direction.value == "forward" else "backward",
            cell_of(value, known),
            self._explainer.entity(value.value, known) if isinstance(value, NamedNode) else None,
            Basis(basis.value) if isinstance(basis, Literal) else None,
        )

    def passages_of_text(self, iri: str) -> dict[Passage, tuple[Entity, ...]]:
        """Returns the passages cut from a text, in reading order, each with what it shows."""
        found = read_text_passages(self._release, iri)
        called = self._names.entities(item for items in found.values() for item in items)
        return {self._texts.quoted(cut): tuple(called[item] for item in items) for cut, items in found.items()}

    def things_in_graph(self, iri: str) -> dict[Entity, int]:
        """Returns what a named graph describes, by label, and in how many triples."""
        counts = read_graph_things(self._release, iri)
        entities = sorted(self._names.entities(counts).values(), key=lambda e: (folded(e.label), e.iri))
        return {entity: counts[entity.iri] for entity in entities}

    def ontology(self) -> list[Triple]:
        """Returns the triples of the ontology."""
        return read_ontology(self._release)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The prefixes, classes, properties and documents, for who writes queries or filters."""
        found = vocabulary_of(self._release, self.ontology())
        every = self._release.library.program("dates-of-documents").bound({"document": []})
        rows = self._release.source.select(every).rows
        dates = {
            document.value: date.value
            for document, date in rows
            if isinstance(document, NamedNode) and isinstance(date, Literal)
        }
        origins = self._release.links.all_origins()
        called = self._names.entities(origins)
        documents = tuple((called[iri], dates.get(iri)) for iri in origins)
        prefixes = dict(self._release.library.prefixes.namespaces)
        return Vocabulary(self._release.id, prefixes, *found, documents)

    def dataset(self, service: str, media_type: str) -> bytes:
        """Returns the VoID description of the release as it is reached at a service."""
        return self._written([*self._dataset, *describe_access(self._release, service)], media_type)

    def examples(self, service: str, media_type: str) -> bytes:
        """Returns the questions as executable SPARQL that runs at a service."""
        return self._written(describe_questions(self._release, service), media_type)

    @cached_property
    def term_labels(self) -> dict[str, str]:
        """What the ontology calls its terms, and those of others that it uses."""
        labels = [(t.subject, t.object) for t in self.ontology() if t.predicate.value == RDFS + "label"]
        return {s.value: o.value for s, o in labels if isinstance(s, NamedNode) and isinstance(o, Literal)}

    @cached_property
    def _dataset(self) -> list[Triple]:
        return describe_dataset(self._release)

    @cached_property
    def _context(self) -> Context:
        return Context(self._release.directory.terms, self._release.library.prefixes)

    def _written(self, triples: Iterable[Triple], media_type: str, first: str | None = None) -> bytes:
        return write_document(triples, media_type, self._release, self._context, first)


def _by_basis(statement: Statement) -> tuple[object, ...]:
    """Orders statements: the best founded first, then by what stands at the other end."""
    rank = len(Basis) if statement.basis is None else statement.basis.rank
    value = statement.value
    return (
        rank,
        folded(value.label or value.value),
        value.value,
        value.lang or "",
        statement.link,
        statement.direction,
    )
