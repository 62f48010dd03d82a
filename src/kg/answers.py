"""The one front door: what the web, the command line and the notebook ask.

Every method takes what a person writes (an IRI, a CURIE, a label) and returns values of
`kg.model` that carry the release they come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Triple

from kg.analysis.questions import Analysis
from kg.connections.connecting import Connections
from kg.connections.explain import Explainer
from kg.connections.neighbourhood import Neighbourhood, Page
from kg.engines.federation import federation_of
from kg.engines.guards import guard_query
from kg.engines.source import Request, Term
from kg.errors import AmbiguousName, BadParameter, UnknownName
from kg.evidence import Texts, Verification, read_passages, read_texts, verify
from kg.library import Parameter, Question, literal_of
from kg.model import (
    Answer,
    Basis,
    Description,
    Diff,
    Entity,
    Evidence,
    Fact,
    LinkFound,
    Matches,
    Mode,
    Neighbours,
    Passage,
    PathQuery,
    Paths,
    ReleaseInfo,
    Restriction,
    Statement,
    Subgraph,
    Vocabulary,
)
from kg.names import PEV, RDFS, folded
from kg.release.diff import compare
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
from kg.release.opened import Release, open_release
from kg.release.void import describe_access, describe_dataset, describe_questions
from kg.release.wording import cell_of
from kg.workspace import Settings

MAX_HOPS = 12
MAX_LIMIT = 1000
# Of a name that is not known, a message repeats this much.
_SHOWN_CHARACTERS = 80
MAX_OFFSET = 10_000_000
MAX_ENTITIES = 6000
MAX_LINKS = 20_000
UNRESTRICTED = Restriction()


class Answers:
    """Everything that can be asked of one release."""

    def __init__(self, release: Release, texts: Texts, settings: Settings) -> None:
        self._release = release
        self._texts = texts
        self.settings = settings
        self._explainer = Explainer(release, texts)

    @property
    def opened(self) -> Release:
        """The release itself, for who writes it out whole."""
        return self._release

    @property
    def release_id(self) -> str:
        return self._release.id

    def close(self) -> None:
        """Lets go of the release."""
        self._release.close()

    def release(self) -> ReleaseInfo:
        """Returns what is served: id, counts, when and from which commit it was built."""
        return self._release.info()

    def probe(self) -> None:
        """Returns when the store answers.

        Raises:
            SourceError: it does not.
        """
        self._release.source.ask("ASK { ?s ?p ?o }")

    # Free SPARQL

    def sparql(self, request: Request, media_type: str) -> bytes:
        """Returns the answer to a query as bytes in a media type.

        Raises:
            Forbidden: the query is an update or names SERVICE.
            LimitError: it is too long, too deep or too large.
            BadSparql: it does not parse (line and column).
            NotAcceptable: the format does not fit the kind of answer.
        """
        guard_query(request.query, self.settings)
        return self._release.source.reply(request, media_type)

    def select(self, query: str) -> Answer:
        """Returns the rows of a free SELECT, as a question's answer is returned.

        Raises:
            As `sparql`.
        """
        guard_query(query, self.settings)
        return self._answer("", {}, query)

    # Questions

    def questions(self) -> list[Question]:
        """Returns the questions of queries/, by name."""
        return self._release.library.listed

    def ask(self, name: str, parameters: Mapping[str, Sequence[str]]) -> Answer:
        """Returns the answer to a question of queries/.

        Args:
            name: the name of its file.
            parameters: for each parameter the texts given for it.

        Raises:
            UnknownName: there is no such question, or no entity of that name.
            AmbiguousName: a label names several entities.
            BadParameter: a parameter is missing, unknown, given twice or of the wrong type.
        """
        question = self._question(name)
        known = {parameter.name for parameter in question.parameters}
        for given in parameters:
            if given not in known:
                raise BadParameter(f"{given}: {name} has no such parameter; it has {_listed(known)}.")
        terms = {p.name: self._terms(p, parameters.get(p.name, ())) for p in question.parameters}
        query = question.bound({name: [[term] for term in values] for name, values in terms.items()})
        shown = {p.name: _shown(p, terms[p.name]) for p in question.parameters if terms[p.name]}
        return self._answer(name, shown, query)

    def _question(self, name: str) -> Question:
        for question in self.questions():
            if question.name == name:
                return question
        raise UnknownName(f"There is no question {name!r}; /api/queries and `kg ask` list them.")

    def _terms(self, parameter: Parameter, texts: Sequence[str]) -> list[NamedNode | Literal]:
        if not texts and parameter.mode == "required":
            example = ", ".join(parameter.example)
            raise BadParameter(f"{parameter.name}: is missing; give a {parameter.type}, such as {example}.")
        if len(texts) > 1 and parameter.mode != "many":
            raise BadParameter(f"{parameter.name}: takes one value; {len(texts)} were given.")
        return [self._term(parameter, text) for text in texts]

    def _term(self, parameter: Parameter, text: str) -> NamedNode | Literal:
        if not parameter.is_entity:
            return literal_of(parameter, text)
        try:
            return NamedNode(self.entity(text, parameter.type, parameter.name).iri)
        except ValueError as error:
            raise BadParameter(f"{parameter.name}: {text!r} is no IRI: {error}") from error

    def _answer(self, name: str, parameters: Mapping[str, object], query: str) -> Answer:
        found = self._release.source.select(query, self.settings.max_rows)
        iris = {term.value for row in found.rows for term in row if isinstance(term, NamedNode)}
        entities = self._release.search.entities(iris)
        rows = tuple(
            {
                column: cell_of(term, entities)
                for column, term in zip(found.variables, row, strict=True)
                if term is not None
            }
            for row in found.rows
        )
        return Answer(self.release_id, name, parameters, found.variables, rows, found.truncated, query)

    # Names

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
        found = None if iri is None else self._described(iri)
        if found is not None and iri is not None:
            if class_iri and not self._release.search.is_a(iri, class_iri):
                raise BadParameter(f"{parameter}: {found.curie} is no {kind} but a {found.type}.")
            return found
        return self._labelled(text, kind, class_iri, parameter)

    def _described(self, iri: str) -> Entity | None:
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
            names = _listed(e.curie for e in candidates)
            raise AmbiguousName(
                f"{parameter}: {given} is the label of several: {names}. Give one of these.", candidates
            )
        nearest = self._release.search.alike(text, class_iri)
        raise UnknownName(f"{parameter}: {given} is not the name of {what}.{_did_you_mean(nearest)}", nearest)

    def search(self, text: str, kind: str | None = None, limit: int = 20) -> Matches:
        """Returns the entities that fit some words, best first.

        Raises:
            BadParameter: there are no words, the class is unknown, or the limit is out of range.
        """
        _within("limit", limit, 1, MAX_LIMIT)
        if not text.strip():
            raise BadParameter("q: is empty; give a word or a label.")
        found = self._release.search.search(text, self._class(kind) if kind else None, limit + 1)
        return Matches(self.release_id, text, tuple(found[:limit]), len(found) > limit)

    def _class(self, kind: str, parameter: str = "type") -> str:
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

    # Things and what they are linked to

    def describe(self, name: str, limit: int = 200) -> Description:
        """Returns what is known of an entity: facts, links out and in with basis, and passages.

        Raises:
            UnknownName, AmbiguousName: as `entity`.
            BadParameter: the limit is out of range.
        """
        around = self.neighbours(name, limit)
        facts = self._facts(around.entity.iri)
        says = next((fact.value for fact in facts if fact.property == PEV + "paraphrase"), None)
        passages = self._passages(around.entity.iri)
        query = self._release.library.program("statements").bound({"thing": [[NamedNode(around.entity.iri)]]})
        found = (self.release_id, around.entity, says, facts, around.results, passages, around.truncated, query)
        return Description(*found)

    def neighbours(self, name: str, limit: int = 50, page: Page | None = None) -> Neighbours:
        """Returns the links of an entity, those said first: all of them counted, those of a page listed.

        Args:
            name: an IRI, a CURIE or a label.
            limit: how many are listed at most; a `page` says it itself.
            page: which links are listed; their kind as a CURIE or IRI.

        Raises:
            UnknownName, AmbiguousName: as `entity`.
            BadParameter: a number is out of range, or the kind of link is unknown.
        """
        page = page or Page(limit)
        _within("limit", page.limit, 1, MAX_LIMIT)
        _within("offset", page.offset, 0, MAX_OFFSET)
        entity = self.entity(name)
        if page.link is not None:
            page = replace(page, link=self._link(page.link))
        found = self._neighbourhood.around(entity.iri, page)
        truncated = page.offset + len(found.relations) < found.matching
        return Neighbours(self.release_id, entity, found.total, found.counts, found.relations, truncated)

    def subgraph(self, iris: Sequence[str], limit: int = MAX_LINKS) -> Subgraph:
        """Returns some entities, by IRI or CURIE, and every link between them; and which are not in the release.

        Raises:
            BadParameter: there are too many.
        """
        if len(iris) > MAX_ENTITIES:
            raise BadParameter(f"entities: {len(iris)} are more than {MAX_ENTITIES}.")
        names = [self._release.library.prefixes.iri(iri) or iri for iri in iris]
        found = self._neighbourhood.entities(names)
        unknown = {e.iri for e in found if e.type is None and not self._describes(e.iri)}
        entities = tuple(entity for entity in found if entity.iri not in unknown)
        links, truncated = self._neighbourhood.between(names, limit)
        labels = {link.predicate: self._neighbourhood.label(link.predicate) for link in links}
        return Subgraph(self.release_id, entities, links, labels, tuple(sorted(unknown)), truncated)

    def _describes(self, iri: str) -> bool:
        return (self._described(iri) or self._mentioned(iri)) is not None

    def link(self, start: str, link: str, end: str) -> LinkFound:
        """Returns one link with the sentence it reads as, and the passages it rests on.

        Raises:
            UnknownName, AmbiguousName: as `entity`; also when there is no such link.
            BadParameter: the kind of link is unknown.
        """
        from_, to = self.entity(start, parameter="from"), self.entity(end, parameter="to")
        hop = self._neighbourhood.hop(from_.iri, self._link(link), to.iri)
        if hop is None:
            raise UnknownName(f"There is no link {link} from {from_.curie} to {to.curie} in this release.")
        documents = (*hop.origins, *(passage.document for passage in hop.evidence))
        return LinkFound(self.release_id, hop, self._neighbourhood.entities(documents))

    @cached_property
    def _neighbourhood(self) -> Neighbourhood:
        return Neighbourhood(self._release, self._explainer)

    def vocabulary(self) -> Vocabulary:
        """Returns the prefixes, classes, properties and documents, for who writes queries or filters."""
        return self._vocabulary

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        found = vocabulary_of(self._release, self.ontology())
        every = self._release.library.program("dates-of-documents").bound({"document": []})
        rows = self._release.source.select(every).rows
        dates = {
            document.value: date.value
            for document, date in rows
            if isinstance(document, NamedNode) and isinstance(date, Literal)
        }
        origins = self._neighbourhood.entities(self._release.links.all_origins())
        documents = tuple((entity, dates.get(entity.iri)) for entity in origins)
        prefixes = dict(self._release.library.prefixes.namespaces)
        return Vocabulary(self.release_id, prefixes, *found, documents)

    def evidence(self, name: str) -> Evidence:
        """Returns the passages an item or a fact rests on, with quotes where the text is held.

        Raises:
            UnknownName, AmbiguousName: as `entity`.
        """
        entity = self.entity(name, parameter="item")
        return Evidence(self.release_id, entity, self._passages(entity.iri))

    def _passages(self, iri: str) -> tuple[Passage, ...]:
        found = read_passages(self._release.source, self._release.library, [iri])
        return tuple(self._texts.quoted(passage) for passage in found.get(iri, ()))

    def _facts(self, iri: str) -> tuple[Fact, ...]:
        question = self._release.library.program("facts").bound({"entity": [[NamedNode(iri)]]})
        rows = self._release.source.select(question).rows
        values = {term.value for _, term in rows if isinstance(term, NamedNode)}
        known = self._release.search.entities(values)
        return tuple(
            Fact(prop.value, self._explainer.wording(prop.value).label, _fact_value(term, known))
            for prop, term in rows
            if isinstance(prop, NamedNode)
        )

    # Linked Data

    def thing(self, iris: Sequence[str]) -> Entity:
        """Returns the first of some IRIs that the release mentions.

        Raises:
            UnknownName: it mentions none; the labels nearest to the last part of the name are given.
        """
        for iri in iris:
            if is_ontology(self._release, iri):
                return self._described(iri) or self._explainer.entity(iri, {})
            found = self._described(iri) or self._mentioned(iri)
            if found is not None:
                return found
        words = re.split(r"[/#=]", iris[0])[-1].replace("-", " ")
        nearest = self._release.search.alike(words) if words.strip() else ()
        raise UnknownName(f"{iris[0]} is not in this release.{_did_you_mean(nearest)}", nearest)

    def _mentioned(self, iri: str) -> Entity | None:
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
        rows = self._release.source.select(question, self.settings.max_rows).rows
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
        called = self.entities(item for items in found.values() for item in items)
        return {self._texts.quoted(cut): tuple(called[item] for item in items) for cut, items in found.items()}

    def things_in_graph(self, iri: str) -> dict[Entity, int]:
        """Returns what a named graph describes, by label, and in how many triples."""
        counts = read_graph_things(self._release, iri)
        entities = sorted(self.entities(counts).values(), key=lambda e: (folded(e.label), e.iri))
        return {entity: counts[entity.iri] for entity in entities}

    def ontology(self) -> list[Triple]:
        """Returns the triples of the ontology."""
        return read_ontology(self._release)

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

    # Connections

    def connect(
        self,
        start: str,
        end: str,
        max_hops: int = 6,
        limit: int = 10,
        basis: frozenset[Basis] = frozenset(Basis),
        mode: Mode = Mode.BEST,
        restriction: Restriction = UNRESTRICTED,
    ) -> Paths:
        """Returns how two entities hang together: paths, the best first, each hop explained.

        Raises:
            UnknownName, AmbiguousName: as `entity`, also for what the restriction names.
            BadParameter: both are the same, a number is out of range, or the restriction contradicts itself.
        """
        _within("max_hops", max_hops, 1, MAX_HOPS)
        _within("limit", limit, 1, MAX_LIMIT)
        from_, to = self.entity(start, parameter="from"), self.entity(end, parameter="to")
        if from_ == to:
            raise BadParameter(f"to: {to.curie} is the same as from; give two different entities.")
        named = self._named(restriction)
        for parameter, iris, others in (
            ("via", named.via, (from_.iri, to.iri)),
            ("avoid", named.avoid, (from_.iri, to.iri, *named.via)),
        ):
            for iri in set(iris) & set(others):
                raise BadParameter(f"{parameter}: {self._curie(iri)} is where paths begin, end or are to pass.")
        return self._connections.between(PathQuery(from_, to, max_hops, limit, mode, basis, named))

    @cached_property
    def _connections(self) -> Connections:
        return Connections(self._release, self._explainer, self.settings.max_expansions)

    def _named(self, restriction: Restriction) -> Restriction:
        """Returns a restriction with IRIs in the place of names, each once."""

        def iris(parameter: str, kind: str | None = None) -> tuple[str, ...]:
            texts: tuple[str, ...] = getattr(restriction, parameter)
            return tuple(dict.fromkeys(self.entity(text, kind, parameter).iri for text in texts))

        return replace(
            restriction,
            via=iris("via"),
            avoid=iris("avoid"),
            links=tuple(sorted({self._link(text, "links") for text in restriction.links})),
            types=tuple(sorted({self._class(kind, "types") for kind in restriction.types})),
            place=iris("place", "dcterms:Location"),
            document=iris("document", "pev:Document"),
        )

    def _link(self, text: str, parameter: str = "link") -> str:
        """Returns the type of link that a person means: an IRI, a CURIE or what it is called."""
        types = self._release.links.types
        called = {folded(self._explainer.wording(link).label): link for link in reversed(types)}
        iri = self._release.library.prefixes.iri(text.strip()) or called.get(folded(text))
        if iri not in types:
            raise BadParameter(
                f"{parameter}: {text!r} is no type of link here; there are {_listed(map(self._curie, types))}."
            )
        return iri

    def _curie(self, iri: str) -> str:
        return self._release.library.prefixes.curie(iri)

    # Releases side by side

    def diff(self, other: Answers, limit: int = 50) -> Diff:
        """Returns what changed from this release to another, in domain words.

        Raises:
            BadParameter: the limit is out of range.
            LimitError: a graph that differs is larger than an answer may be.
        """
        _within("limit", limit, 1, MAX_LIMIT)
        return compare(self._release, other._release, limit, self.settings.max_compared)

    # The whole

    @cached_property
    def analysis(self) -> Analysis:
        """The questions on the whole: what blocks what, what is missing, disputed, new or fragile."""
        return Analysis(self._release, self._texts, self.entity)

    # Evidence as a whole

    def verify(self) -> Verification:
        """Returns how the release's passages stand against the texts at hand."""
        return verify(self._all_passages, self._texts)

    @cached_property
    def _all_passages(self) -> list[Passage]:
        found = read_passages(self._release.source, self._release.library)
        return sorted({p for group in found.values() for p in group}, key=lambda p: p.iri)


def open_answers(folder: Path, settings: Settings) -> Answers:
    """Returns the front door of the release in a folder, with the texts that the settings name.

    Raises:
        ReleaseError, SourceError: the release cannot be opened.
        DataError: the folder of texts is missing.
    """
    texts = read_texts(Path(settings.texts) if settings.texts else None)
    return Answers(open_release(folder, federation_of(settings)), texts, settings)


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise BadParameter(f"{name}: {value} is not between {least} and {most}.")


def _shown(parameter: Parameter, terms: Sequence[NamedNode | Literal]) -> object:
    values = [term.value for term in terms]
    return values if parameter.mode == "many" else values[0]


def _fact_value(term: object, known: Mapping[str, Entity]) -> str:
    assert isinstance(term, NamedNode | Literal)
    entity = known.get(term.value)
    return entity.label if entity else term.value


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


def _listed(names: object) -> str:
    assert hasattr(names, "__iter__")
    return ", ".join(sorted(str(name) for name in names)) or "none"


def _did_you_mean(nearest: Sequence[Entity]) -> str:
    return "" if not nearest else " Nearest: " + "; ".join(f"{e.label} ({e.curie})" for e in nearest) + "."
