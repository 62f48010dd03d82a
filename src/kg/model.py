"""The values that pass between the rooms. All frozen; impossible ones cannot be built."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal

from kg.errors import BadParameter

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")


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


class Mode(StrEnum):
    """Which paths are wanted: the best, all shortest ones, or the best of all up to a length."""

    BEST = "best"
    SHORTEST = "shortest"
    ALL = "all"


def mode_of(text: str | None) -> Mode:
    """Returns the mode of that name; the best paths for None or empty text.

    Raises:
        BadParameter: there is no such mode.
    """
    try:
        return Mode(text or "best")
    except ValueError as error:
        raise BadParameter(f"mode: {text!r} is none of {', '.join(Mode)}.") from error


def parts_of(text: str) -> tuple[str, ...]:
    """Returns the words of comma-separated text.

    >>> parts_of("said, judged,")
    ('said', 'judged')
    """
    return tuple(word.strip() for word in text.split(",") if word.strip())


def bases(text: str | None) -> frozenset[Basis]:
    """Returns the bases named in comma-separated text; all of them for None or empty text.

    Raises:
        BadParameter: a word is not a basis.
    """
    words = parts_of(text or "")
    known = {basis.value: basis for basis in Basis}
    for word in words:
        if word not in known:
            raise BadParameter(f"basis: {word!r} is none of {', '.join(known)}.")
    return frozenset(known[word] for word in words) or frozenset(Basis)


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
class Restriction:
    """What a search for connections may use; what is left open restricts nothing.

    Things are texts that name them (IRI, CURIE, label), and IRIs once they are found.

    Attributes:
        via: things that every path passes, in this order.
        avoid: things that none passes.
        links: types of link that may be walked.
        types: classes; what stands between the ends is of one of them.
        direction: `forward` walks links in their own direction only.
        place, document: an origin of every hop is about one of these places, or is one of these documents.
        since, until: an origin of every hop was issued then: a date, a month or a year.

    Raises:
        BadParameter: a direction or date is none, or the dates are the wrong way round.
    """

    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    direction: str = "any"
    place: tuple[str, ...] = ()
    document: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        if self.direction not in ("any", "forward"):
            raise BadParameter(f"direction: {self.direction!r} is none of any, forward.")
        for name, text in (("since", self.since), ("until", self.until)):
            if text is not None and not _DATE.fullmatch(text):
                raise BadParameter(f"{name}: {text!r} is no date; give 2018, 2018-11 or 2018-11-15.")
        if self.since and self.until and not self.issued_in_time(self.until):
            raise BadParameter(f"until: {self.until} comes before since: {self.since}.")

    def issued_in_time(self, issued: str) -> bool:
        """Tells whether a document of that date counts; one known by year or month, when part of it does.

        >>> Restriction(since="2018-06").issued_in_time("2018"), Restriction(until="2017").issued_in_time("2018-01-01")
        (True, False)
        """
        late = self.since is None or issued[: len(self.since)] >= self.since[: len(issued)]
        return late and (self.until is None or issued[: len(self.until)] <= self.until[: len(issued)])


def restricted(given: Mapping[str, str | Sequence[str] | None]) -> Restriction:
    """Returns a restriction from what is given by name: one text, or several where there may be.

    Raises:
        BadParameter: there is no such restriction, one that takes a single text is given several, or it does not fit.
    """
    single = {"direction", "since", "until"}
    known = {row.name for row in fields(Restriction)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known or (name in single and not isinstance(value, str | None)):
            raise BadParameter(f"{name}: is no restriction, or takes one text; there are {', '.join(sorted(known))}.")
        if value is not None:
            values[name] = value if name in single else (value,) if isinstance(value, str) else tuple(value)
    return Restriction(**values)


@dataclass(frozen=True)
class PathQuery:
    """A search for connections as it was understood: everything that its answer depends on but the release."""

    start: Entity
    end: Entity
    max_hops: int
    limit: int
    mode: Mode
    basis: frozenset[Basis]
    restriction: Restriction


@dataclass(frozen=True)
class Hop:
    """One step of a path, read along the path; `backward` means the triple runs against it.

    Attributes:
        origins: the documents in which it was stated; `independent` is how many sources they come down to.
        asserted_by: who says it; empty for what is judged, follows, or is background.
        mode: how the texts that are known carry it: its origin's own text, quoted, or relayed.
        date: when the earliest of its origins was issued.
    """

    start: Entity
    end: Entity
    link: str
    label: str
    direction: Literal["forward", "backward"]
    basis: Basis
    origins: tuple[str, ...]
    sentence: str
    evidence: tuple[Passage, ...] = ()
    independent: int = 0
    asserted_by: tuple[Entity, ...] = ()
    mode: Literal["own text", "quoted", "relayed"] | None = None
    date: str | None = None


@dataclass(frozen=True)
class Stretch:
    """Hops of a path that follow each other and share an origin, or are background facts.

    Attributes:
        first, last: the numbers of its hops, from 1.
        origins: the documents behind all of them; none for background.
        joined_at: where it meets the stretch before; None for the first.
    """

    first: int
    last: int
    origins: tuple[Entity, ...]
    joined_at: Entity | None = None


@dataclass(frozen=True)
class ScoreParts:
    """What a path costs, by reason: the less, the more it is worth."""

    basis: float
    origins: float
    hubs: float


@dataclass(frozen=True)
class Path:
    """A chain of hops between two entities; a path of n nodes has length n - 1.

    Attributes:
        stretches: what it is made of: one stretch when one origin makes it all.
        independent: how many independent sources stand behind its hops together.
        sentences: one a hop, with how the texts carry it and when it was said.
        verdict: whose chain it is, and if nobody's, by what it is stitched.
    """

    nodes: tuple[Entity, ...]
    hops: tuple[Hop, ...]
    score: float
    parts: ScoreParts
    stretches: tuple[Stretch, ...]
    independent: int
    sentences: tuple[str, ...]
    verdict: str

    @property
    def text(self) -> str:
        """The path as a paragraph."""
        return " ".join((*self.sentences, self.verdict))

    @property
    def length(self) -> int:
        return len(self.hops)

    @property
    def origins(self) -> tuple[str, ...]:
        """The documents that stand behind every hop: empty when no single one does."""
        shared = set.intersection(*(set(hop.origins) for hop in self.hops)) if self.hops else set()
        return tuple(sorted(shared))

    @property
    def sources(self) -> tuple[str, ...]:
        """The documents that stand behind any hop."""
        return tuple(sorted({origin for hop in self.hops for origin in hop.origins}))

    @property
    def thread(self) -> Literal["single", "stitched"]:
        """`single` when one origin says the whole chain; else nobody does, and we stitched it."""
        return "single" if self.origins else "stitched"


@dataclass(frozen=True)
class Searched:
    """How far a search for connections went.

    Attributes:
        reached: how many things either side reached.
        complete: False when the budget ran out before the search was done.
        shortest: the hops of a shortest path.
        candidates: paths of up to so many hops were compared.
        expanded: how many links were looked at.
        levels_from, levels_to: how many things were first reached after 0, 1, 2 … hops, from either end.
    """

    max_hops: int
    reached: int
    complete: bool
    shortest: int | None = None
    candidates: int = 0
    expanded: int = 0
    levels_from: tuple[int, ...] = ()
    levels_to: tuple[int, ...] = ()


@dataclass(frozen=True)
class MissingLink:
    """A link that is not there and would connect two things: where it would stand, and how the ontology calls it."""

    subject: Entity
    link: str
    label: str
    object: Entity
    hops: int


@dataclass(frozen=True)
class WhyNone:
    """Why two entities are not connected, and what was reached nearest to the goal.

    Attributes:
        kind: `unlinked`: an end has no links at all; `unconnected`: no path of any length; `too far`: none
            within the hops that count; `cut`: the budget ran out.
        exhausted: the end all of whose surroundings were seen without meeting the other.
        links: the types of link that were allowed.
        missing: one link that would connect them, of a type that fits what it would join.
    """

    reason: str
    nearest: tuple[Entity, ...] = ()
    kind: Literal["unlinked", "unconnected", "too far", "cut"] = "unlinked"
    exhausted: Literal["from", "to"] | None = None
    links: tuple[str, ...] = ()
    missing: MissingLink | None = None


@dataclass(frozen=True)
class Paths:
    """The connections between two entities, best first."""

    release: str
    start: Entity
    end: Entity
    paths: tuple[Path, ...]
    searched: Searched
    why_none: WhyNone | None
    truncated: bool
    sparql: str
    permalink: str


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
class LinkFound:
    """One link with its sentence and passages, and what the documents it names are called."""

    release: str
    hop: Hop
    entities: tuple[Entity, ...]


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
