"""The values that pass between the rooms. All frozen; impossible ones cannot be built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Basis(StrEnum):
    """Where a link comes from, strongest first: the order is the order of trust."""

    SAID = "said"
    JUDGED = "judged"
    INFERRED = "inferred"
    REFERENCE = "reference"

    @property
    def rank(self) -> int:
        """0 for said, up to 3 for reference; also the code in the link arrays."""
        return list(Basis).index(self)


@dataclass(frozen=True)
class Entity:
    """A named thing: how it is written, called and classed."""

    iri: str
    curie: str
    label: str
    type: str | None = None
    scheme: str | None = None


@dataclass(frozen=True)
class Passage:
    """A character range of one exact text: code points, zero-based, end exclusive."""

    iri: str
    document: str
    text_sha256: str
    start: int
    end: int
    sha256: str
    quote: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"passage {self.iri}: range {self.start},{self.end} is empty or negative")
        if not (_SHA256.fullmatch(self.sha256) and _SHA256.fullmatch(self.text_sha256)):
            raise ValueError(f"passage {self.iri}: a SHA-256 has 64 lower-case hexadecimal digits")


@dataclass(frozen=True)
class Finding:
    """A rule that does not hold, as a curator reads it."""

    severity: Literal["violation", "warning", "info"]
    rule: str
    message: str
    path: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = "" if self.path is None else f"{self.path}:{self.line}: " if self.line else f"{self.path}: "
        return place + self.message


@dataclass(frozen=True)
class Cell:
    """One value of a table: a term, and for an entity its label.

    `type` is `uri`, `literal` or `bnode`, as in the SPARQL results formats.
    """

    value: str
    type: Literal["uri", "literal", "bnode"]
    label: str | None = None
    datatype: str | None = None
    lang: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a question returns: rows of cells in the order of the columns; an unbound cell is absent."""

    release: str
    name: str
    parameters: Mapping[str, object]
    columns: tuple[str, ...]
    results: tuple[Mapping[str, Cell], ...]
    truncated: bool
    sparql: str


@dataclass(frozen=True)
class Link:
    """A triple between two entities, with where it comes from.

    `origins` are the documents in which its item was stated; a reference link has none.
    """

    subject: str
    predicate: str
    object: str
    basis: Basis
    origins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relation:
    """A link seen from one of its ends; `label` is what it is called, `phrase` how it reads between its ends."""

    link: str
    label: str
    phrase: str
    direction: Literal["forward", "backward"]
    other: Entity
    basis: Basis
    origins: tuple[str, ...]


@dataclass(frozen=True)
class RelationCount:
    """How many links of one kind leave (`forward`) or reach (`backward`) a thing, and on what basis."""

    link: str
    label: str
    direction: Literal["forward", "backward"]
    count: int
    by_basis: Mapping[Basis, int]


@dataclass(frozen=True)
class Statement:
    """A triple seen from one of its ends, whatever kind it is; `basis` is None in a vocabulary.

    `label` is how the link is called ("directed to"), `phrase` how it reads between its ends
    ("is directed to"), None when the ontology has no words for that.
    """

    link: str
    label: str
    phrase: str | None
    direction: Literal["forward", "backward"]
    value: Cell
    other: Entity | None
    basis: Basis | None


@dataclass(frozen=True)
class Neighbours:
    """What an entity is linked to: how many links of each kind in all, and those asked for."""

    release: str
    entity: Entity
    total: int
    relations: tuple[RelationCount, ...]
    results: tuple[Relation, ...]
    truncated: bool


@dataclass(frozen=True)
class Subgraph:
    """Some entities and the links between them; `labels` says what each kind of link is called.

    `unknown` are the IRIs that were asked for and are not in the release; `sparql` finds the links again.
    """

    release: str
    entities: tuple[Entity, ...]
    links: tuple[Link, ...]
    labels: Mapping[str, str]
    unknown: tuple[str, ...]
    truncated: bool
    sparql: str


@dataclass(frozen=True)
class VocabularyTerm:
    """A class or property of the ontology, or one of others that it uses."""

    iri: str
    curie: str
    label: str
    definition: str | None = None


@dataclass(frozen=True)
class Vocabulary:
    """The words in which a release can be asked; the documents with the date of their issue, if known."""

    release: str
    prefixes: Mapping[str, str]
    classes: tuple[VocabularyTerm, ...]
    properties: tuple[VocabularyTerm, ...]
    documents: tuple[tuple[Entity, str | None], ...]


@dataclass(frozen=True)
class Fact:
    """What is recorded about a thing in words, numbers or codes."""

    property: str
    label: str
    value: str


@dataclass(frozen=True)
class Description:
    """What is known of one entity: facts, links out and in, the passages it rests on, and the query that tells it."""

    release: str
    entity: Entity
    says: str | None
    facts: tuple[Fact, ...]
    results: tuple[Relation, ...]
    evidence: tuple[Passage, ...]
    truncated: bool
    sparql: str = ""


@dataclass(frozen=True)
class Matches:
    """The entities that fit a search, best first; `sparql` says what each of them is called."""

    release: str
    query: str
    results: tuple[Entity, ...]
    truncated: bool
    sparql: str


@dataclass(frozen=True)
class Evidence:
    """The passages that an item rests on."""

    release: str
    entity: Entity
    results: tuple[Passage, ...]
    truncated: bool = False


@dataclass(frozen=True)
class ReleaseInfo:
    """What a release is and when it was built."""

    release: str
    built: str | None
    commit: str | None
    counts: Mapping[str, int]
    graphs: Mapping[str, int] = field(default_factory=dict)


Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class StatementChange:
    """What one release says of a thing and another does not, or on another basis.

    `basis` is that of what holds now, or held before it was removed; None in a vocabulary.
    `basis_before` differs from it where the same is now said, judged or inferred otherwise.
    """

    change: Change
    link: str
    label: str
    basis: Basis | None
    basis_before: Basis | None
    before: tuple[Cell, ...]
    after: tuple[Cell, ...]
    sentence: str


@dataclass(frozen=True)
class ThingChange:
    """A thing that came, went, or is described otherwise."""

    change: Change
    entity: Entity
    statements: tuple[StatementChange, ...]


@dataclass(frozen=True)
class KindChange:
    """How many things of a class came, went, or are described otherwise."""

    kind: str
    label: str
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class Diff:
    """What tells two releases apart.

    Attributes:
        start, end: the ids of the releases, from which and to which.
        summary: all of it in one sentence.
        graphs: the named graphs that differ, and how.
        questions: the files of queries/ that differ, and how.
        context_changed: whether the prefixes and terms of JSON-LD differ.
        total: how many things differ, of which `results` shows the first ones.
        complete: False where so much differs that not every graph was looked at.
    """

    start: str
    end: str
    summary: str
    kinds: tuple[KindChange, ...]
    graphs: Mapping[str, Change]
    questions: Mapping[str, Change]
    context_changed: bool
    results: tuple[ThingChange, ...]
    total: int
    complete: bool

    @property
    def truncated(self) -> bool:
        return not self.complete or len(self.results) < self.total
