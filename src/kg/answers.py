"""The one front door: what the web, the command line and the notebook ask.

Every method takes what a person writes (an IRI, a CURIE, a label) and returns values of
`kg.model` and of the room asked, which carry the release they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pyoxigraph import Literal, NamedNode

from kg.analysis.questions import Analysis
from kg.connections.neighbourhood import Around, Page
from kg.connections.values import Hop, LinkFound, Mode, PathQuery, Paths, Restriction
from kg.connections.walks import Walks
from kg.engines.federation import federation_of
from kg.engines.guards import guard_query
from kg.engines.source import Request
from kg.errors import BadParameter, UnknownName
from kg.evidence import Texts, Verification, read_passages, read_texts, verify
from kg.library import Question
from kg.lookup.linked_data import LinkedData
from kg.lookup.naming import Names
from kg.lookup.questions import Questions
from kg.model import (
    Answer,
    Basis,
    Description,
    Diff,
    Entity,
    Evidence,
    Fact,
    Link,
    Matches,
    Neighbours,
    Passage,
    ReleaseInfo,
    Subgraph,
    Vocabulary,
)
from kg.names import PEV
from kg.release.diff import compare
from kg.release.opened import Release, open_release
from kg.workspace import Settings

MAX_HOPS = 12
MAX_LIMIT = 1000
MAX_OFFSET = 10_000_000
MAX_ENTITIES = 6000
MAX_LINKS = 20_000
UNRESTRICTED = Restriction()

T = TypeVar("T")


class Answers:
    """Everything that can be asked of one release."""

    def __init__(self, release: Release, texts: Texts, settings: Settings) -> None:
        self._release = release
        self._texts = texts
        self.settings = settings
        self._walks = Walks(release, texts, settings.max_expansions)
        self._explainer = self._walks.explainer

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
        return self._questions.answer("", {}, query)

    # Questions

    def questions(self) -> list[Question]:
        """Returns the questions of queries/, by name."""
        return self._release.library.listed

    @cached_property
    def _questions(self) -> Questions:
        return Questions(self._release, self.names, self.settings.max_rows)

    def ask(self, name: str, parameters: Mapping[str, Sequence[str]]) -> Answer:
        """Returns the answer to a question of queries/; arguments and errors are those of `Questions.ask`."""
        return self._questions.ask(name, parameters)

    def question_asked(self, name: str, parameters: Mapping[str, Sequence[str]]) -> Question:
        """Returns the question that `ask` would answer; the errors are the same."""
        self._questions.bound(name, parameters)
        return next(question for question in self.questions() if question.name == name)

    # Names

    @cached_property
    def names(self) -> Names:
        """What a person's names stand for."""
        return Names(self._release, self._explainer)

    def entity(self, text: str, kind: str | None = None, parameter: str = "entity") -> Entity:
        """Returns the entity that a person means, as `Names.entity` does."""
        return self.names.entity(text, kind, parameter)

    def entities(self, iris: Iterable[str]) -> dict[str, Entity]:
        """Returns what things are called, by IRI; one without a label by its CURIE."""
        return self.names.entities(iris)

    def search(self, text: str, kind: str | None = None, limit: int = 20) -> Matches:
        """Returns the entities that fit some words, best first.

        Raises:
            BadParameter: there are no words, the class is unknown, or the limit is out of range.
        """
        _within("limit", limit, 1, MAX_LIMIT)
        if not text.strip():
            raise BadParameter("q: is empty; give a word or a label.")
        found = self._release.search.search(text, self.names.class_iri(kind) if kind else None, limit + 1)
        shown = tuple(found[:limit])
        return Matches(self.release_id, text, shown, len(found) > limit, self._names_query(shown))

    def _names_query(self, entities: Sequence[Entity]) -> str:
        """Returns a query for what some entities are called; empty for none."""
        rows = [[NamedNode(entity.iri)] for entity in entities]
        return self._release.library.program("names").bound({"thing": rows}) if rows else ""

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
            page = replace(page, link=self.names.link(page.link))
        found: Around = self._walked(lambda walks: walks.neighbourhood.around(entity.iri, page))
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
        found = self._walks.neighbourhood.entities(names)
        unknown = {e.iri for e in found if e.type is None and not self._describes(e.iri)}
        entities = tuple(entity for entity in found if entity.iri not in unknown)
        links, truncated = self._walked(lambda walks: walks.neighbourhood.between(names, limit))
        labels = {link.predicate: self._explainer.wording(link.predicate).label for link in links}
        query = self._explainer.query_of(links)
        return Subgraph(self.release_id, entities, links, labels, tuple(sorted(unknown)), truncated, query)

    def _describes(self, iri: str) -> bool:
        return (self.names.described(iri) or self.names.mentioned(iri)) is not None

    def link(self, start: str, link: str, end: str) -> LinkFound:
        """Returns one link with the sentence it reads as, and the passages it rests on.

        Raises:
            UnknownName, AmbiguousName: as `entity`; also when there is no such link.
            BadParameter: the kind of link is unknown.
        """
        from_, to = self.entity(start, parameter="from"), self.entity(end, parameter="to")
        hop = next(iter(self.hops([(from_.iri, self.names.link(link), to.iri)])), None)
        if hop is None:
            raise UnknownName(f"There is no link {link} from {from_.curie} to {to.curie} in this release.")
        documents = (*hop.origins, *(passage.document for passage in hop.evidence))
        return LinkFound(self.release_id, hop, self._walks.neighbourhood.entities(documents))

    def hops(self, triples: Sequence[tuple[str, str, str]]) -> tuple[Hop, ...]:
        """Returns links (IRIs: subject, kind, object) with their sentences and passages; what is none is left out."""
        return self._walked(lambda walks: walks.neighbourhood.hops(triples))

    def links_from(self, iris: Sequence[str]) -> tuple[Link, ...]:
        """Returns the links that begin at some things."""
        return self._walked(lambda walks: walks.neighbourhood.outward(iris))

    def ends_of(self, link: str, most: int) -> list[tuple[str, str]]:
        """Returns what the first links of a kind (IRI) join, at most so many, in the order of both ends."""
        return self._release.walked(lambda release: release.links.ends_of(link, most))

    def vocabulary(self) -> Vocabulary:
        """Returns the prefixes, classes, properties and documents, for who writes queries or filters."""
        return self.linked_data.vocabulary

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

    @cached_property
    def linked_data(self) -> LinkedData:
        """The things and documents behind the names of ours."""
        return LinkedData(self._release, self._texts, self._explainer, self.names, self.settings.max_rows)

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
                raise BadParameter(f"{parameter}: {self.names.curie(iri)} is where paths begin, end or are to pass.")
        query = PathQuery(from_, to, max_hops, limit, mode, basis, named)
        return self._walked(lambda walks: walks.connections.between(query))

    def _walked(self, ask: Callable[[Walks], T]) -> T:
        """Returns what is asked of the links, those of the release or as many of them as it takes."""
        return self._release.walked(lambda release: ask(self._walks.on(release)))

    def _named(self, restriction: Restriction) -> Restriction:
        """Returns a restriction with IRIs in the place of names, each once."""

        def iris(parameter: str, kind: str | None = None) -> tuple[str, ...]:
            texts: tuple[str, ...] = getattr(restriction, parameter)
            return tuple(dict.fromkeys(self.entity(text, kind, parameter).iri for text in texts))

        return replace(
            restriction,
            via=iris("via"),
            avoid=iris("avoid"),
            links=tuple(sorted({self.names.link(text, "links") for text in restriction.links})),
            types=tuple(sorted({self.names.class_iri(kind, "types") for kind in restriction.types})),
            place=iris("place", "dcterms:Location"),
            document=iris("document", "pev:Document"),
        )

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


def _fact_value(term: object, known: Mapping[str, Entity]) -> str:
    assert isinstance(term, NamedNode | Literal)
    entity = known.get(term.value)
    return entity.label if entity else term.value
