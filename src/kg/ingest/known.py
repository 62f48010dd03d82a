"""What the graph knows by name: bodies, groups, people, documents, initiatives, themes, items.

A new document is read against it, so that the same body, theme or report is found before a new
one is made.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pyoxigraph import Literal, NamedNode

from kg.engines.source import Source
from kg.ingest.words import stems_of
from kg.library import Library
from kg.names import FOAF, PEV, SCHEME, folded

_ORGANISATION = "http://www.w3.org/ns/org#Organization"
_GROUP = PEV + "StakeholderGroup"
_DOCUMENTS = {PEV + name for name in ("Document", "Report", "Article")}
_ITEMS = {
    PEV + name for name in ("KeyMessage", "Finding", "Barrier", "Enabler", "Recommendation", "Position", "Commitment")
}
_THEMES = SCHEME + "themes"
_TOKEN = re.compile(r"[\w&]+(?:[’'][a-z]+)?")


@dataclass
class Thing:
    """Something the graph describes."""

    iri: str
    labels: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    types: set[str] = field(default_factory=set)
    scheme: str | None = None

    @property
    def label(self) -> str:
        return min(self.labels, default=self.iri)

    @property
    def names(self) -> list[str]:
        return [*self.labels, *self.alternatives]


@dataclass(frozen=True)
class Mention:
    """A place in a text where something is named: range in the view that was read."""

    start: int
    end: int
    iri: str
    label: str


@dataclass(frozen=True)
class Known:
    """What the graph knows, by IRI."""

    things: Mapping[str, Thing]

    def of(self, *types: str) -> list[Thing]:
        """Returns the things of the given types, by IRI."""
        return [thing for _, thing in sorted(self.things.items()) if thing.types & set(types)]

    @cached_property
    def themes(self) -> list[Thing]:
        """The common themes; where a workspace has none of that scheme, all themes."""
        themes = self.of(PEV + "Theme")
        return [theme for theme in themes if theme.scheme == _THEMES] or themes

    @cached_property
    def bodies(self) -> list[Thing]:
        return [t for t in self.of(_ORGANISATION, _GROUP) if not t.label.lower().startswith("unnamed ")]

    @cached_property
    def people(self) -> dict[str, Thing]:
        return {folded(name): thing for thing in self.of(FOAF + "Person") for name in thing.names}

    @cached_property
    def documents(self) -> list[Thing]:
        return self.of(*_DOCUMENTS)

    @cached_property
    def items(self) -> list[Thing]:
        return self.of(*_ITEMS)

    @cached_property
    def item_stems(self) -> list[tuple[Thing, list[str]]]:
        """The items with the stems of their labels and paraphrases."""
        return [(item, stems_of(" ".join([*item.labels, *item.words]))) for item in self.items]

    @cached_property
    def targets(self) -> list[Thing]:
        """What may be blocked or helped: initiatives, outcomes, common themes."""
        return [*self.of(PEV + "Initiative", PEV + "Outcome"), *self.themes]

    @cached_property
    def rarity(self) -> dict[str, float]:
        """How much a stem tells, by how few items hold it."""
        counts = Counter(s for _, stems in self.item_stems for s in sorted(set(stems)))
        total = len(self.items) + 1
        return {s: math.log(1 + total / (1 + count)) for s, count in counts.items()}

    def body(self, name: str) -> Thing | None:
        """Returns the body or group that carries a name, None when the graph has none."""
        return self._by_name.get(_plain(name))

    @cached_property
    def _by_name(self) -> dict[str, Thing]:
        found: dict[str, Thing] = {}
        for thing in self.bodies:
            for name in thing.names:
                found.setdefault(_plain(name), thing)
        return found

    @cached_property
    def _first_words(self) -> dict[str, list[tuple[tuple[str, ...], Thing]]]:
        index: dict[str, list[tuple[tuple[str, ...], Thing]]] = {}
        for thing in self.bodies:
            for name in {*thing.names, *(_without_place(n) for n in thing.labels)}:
                tokens = tuple(_token(t) for t in _TOKEN.findall(name))
                if tokens and (len(tokens) > 1 or thing.types & {_ORGANISATION} or len(tokens[0]) > 3):
                    index.setdefault(tokens[0], []).append((tokens, thing))
        for entries in index.values():
            entries.sort(key=lambda entry: (-len(entry[0]), entry[1].iri))
        return index

    def mentions(self, text: str, whole: str) -> Iterator[Mention]:
        """Yields where the bodies of the graph are named in a text, the longest name first at each place.

        Args:
            text: a stretch of a document, in one form.
            whole: the folded text of the document: a body of another place is not meant by its bare name.
        """
        tokens = [(match.start(), match.end(), _token(match[0])) for match in _TOKEN.finditer(text)]
        at = 0
        while at < len(tokens):
            step = 1
            for words, thing in self._first_words.get(tokens[at][2], ()):
                span = tokens[at : at + len(words)]
                if tuple(t for _, _, t in span) == words and _fits(text, span[0][0], thing, words, whole):
                    yield Mention(span[0][0], span[-1][1], thing.iri, thing.label)
                    step = len(words)
                    break
            at += step


def _token(word: str) -> str:
    return re.sub(r"'s$", "", folded(word.replace("’", "'")))


def _plain(name: str) -> str:
    return re.sub(r"^the ", "", folded(name)).strip(" .")


def _without_place(name: str) -> str:
    """Returns the name of a kind of bodies without the country: "Councils in X" are called councils in X."""
    return re.sub(r" in [A-Z]\w+$", "", re.sub(r"^The ", "", name))


def _fits(text: str, start: int, thing: Thing, words: tuple[str, ...], whole: str) -> bool:
    place = re.search(r" in ([A-Z]\w+)$", thing.label)
    if place and folded(place[1]) not in whole:
        return False
    # One word may be a common one: a name begins with a capital.
    return len(words) > 1 or bool(thing.types & {_GROUP}) or text[start].isupper()


def read_known(source: Source, library: Library) -> Known:
    """Returns what a release knows by name.

    Raises:
        SourceError: the store failed.
    """
    things: dict[str, Thing] = {}
    for entity, kind, value in source.select(library.program("labels").text).rows:
        assert isinstance(entity, NamedNode) and isinstance(kind, Literal) and isinstance(value, NamedNode | Literal)
        _note(things.setdefault(entity.value, Thing(entity.value)), kind.value, value.value)
    for thing in things.values():
        for names in (thing.labels, thing.alternatives, thing.words):
            names.sort()
    return Known({iri: things[iri] for iri in sorted(things) if things[iri].labels})


def _note(thing: Thing, kind: str, value: str) -> None:
    if kind == "type":
        thing.types.add(value)
    elif kind == "scheme":
        thing.scheme = value if thing.scheme is None else min(thing.scheme, value)
    else:
        {"label": thing.labels, "alternative": thing.alternatives, "words": thing.words}[kind].append(value)


def without(known: Known, iris: Iterable[str]) -> Known:
    """Returns what is known but for some things."""
    gone = set(iris)
    return Known({iri: thing for iri, thing in known.things.items() if iri not in gone})
