"""What all reports share, and what each report is about, as a function of the seed and its number."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import pyoxigraph as ox

from invented.statements import capital
from invented.words import (
    BAD,
    BASE_KINDS,
    BODIES,
    CHANGES,
    FEWEST,
    FIRST_NAMES,
    GOOD,
    GROUPS,
    KIND_WEIGHTS,
    KINDS,
    LAST_NAMES,
    MOST,
    OUTCOMES,
    PER_ARTICLE,
    PLACE_HEADS,
    PLACE_KINDS,
    PLACE_TAILS,
    PROGRAMMES,
    ROLES,
    SERVICES,
    THINGS,
    VERBS,
    WHERE,
)
from kg.names import BASE, SKOS, slug

FIRST_DAY, DAYS = date(2001, 1, 8), 9000


class Pool:
    """Names of which the first is drawn most often: the n-th with a weight of 1 / n ** exponent."""

    def __init__(self, members: Iterable[str], exponent: float) -> None:
        self.members = tuple(members)
        self._sums = list(itertools.accumulate((rank + 1) ** -exponent for rank in range(len(self.members))))

    def one(self, rng: random.Random) -> str:
        """Returns one member."""
        return rng.choices(self.members, cum_weights=self._sums)[0]

    def some(self, rng: random.Random, count: int) -> list[str]:
        """Returns up to `count` different members."""
        return list(dict.fromkeys(rng.choices(self.members, cum_weights=self._sums, k=count)))


@dataclass(frozen=True)
class Item:
    """What other reports may know of an item."""

    name: str
    kind: str
    label: str
    themes: tuple[str, ...]


@dataclass(frozen=True)
class Outline:
    """What other documents may know of a report."""

    number: int
    document: str
    title: str
    issued: date
    place: str
    authors: tuple[str, ...]
    initiative: str
    series: int | None
    items: tuple[Item, ...]

    def of(self, *kinds: str) -> list[Item]:
        """Returns the items of some kinds."""
        return [item for item in self.items if item.kind in kinds]


class World:
    """The bodies, people, places and themes that all reports share, and the outline of each report."""

    def __init__(self, reports: int, seed: int, bodies: int | None, themes: Path) -> None:
        self.reports, self.seed = reports, seed
        self.articles = max(1, reports // PER_ARTICLE)
        rng = self.chances("world")
        self.broader = _broader_themes(themes)
        ranked = sorted(self.broader)
        rng.shuffle(ranked)
        self.themes = Pool(ranked, 1.1)
        self.place_names = dict(_place_names(rng, 24 + reports // 10))
        names = list(self.place_names)
        self.countries, self.places = names[:4], Pool(names[4:], 0.8)
        self.country_of = {place: rng.choice(self.countries) for place in self.places.members}
        self.bodies = dict(_bodies(self.place_names, bodies or max(30, reports // 10)))
        shuffled = list(self.bodies)
        rng.shuffle(shuffled)
        self.askable = Pool(shuffled, 1.0)
        self.media = Pool([b for b in shuffled if self.bodies[b][1] == "news-agency"], 1.0)
        self.authors = Pool([b for b in shuffled if self.bodies[b][1] != "news-agency"], 1.0)
        self.people = dict(_people(max(20, reports // 4)))
        self.roles = {person: (self.askable.one(rng), rng.choice(ROLES)) for person in self.people}
        self.speakers = Pool(self.people, 0.9)
        self.group_names = {f"group:{slug(label)}": label for label in _labels(GROUPS)}
        self.outcome_names = {f"outcome:{slug(label)}": label for label in _labels(OUTCOMES)}
        self.groups, self.outcomes = Pool(self.group_names, 1.0), Pool(self.outcome_names, 1.0)
        self.initiatives = dict(_initiatives(rng, self.places.members, max(12, reports // 6)))
        self.programmes = Pool(self.initiatives, 0.9)
        self.series = [self._scheme(number) for number in range(max(2, reports // 60))]
        self.outline = lru_cache(maxsize=4096)(self._outline)

    def chances(self, *what: object) -> random.Random:
        """Returns the chances of one thing: they depend on the seed and its name alone."""
        return random.Random("/".join(map(str, (self.seed, *what))))

    def covered(self, article: int) -> Outline:
        """Returns the report that an article is about: one of those that follow each other."""
        return self.outline(
            min(self.reports, PER_ARTICLE * article - self.chances("covered", article).randrange(PER_ARTICLE))
        )

    def membership(self, person: str) -> str:
        """Returns the name of the one role that a person holds."""
        return f"membership:{person.partition(':')[2]}"

    def _scheme(self, number: int) -> tuple[str, dict[str, str]]:
        """Returns the body behind a series, and the themes of its reports with their common themes."""
        rng = self.chances("series", number)
        own = (f"<{BASE}theme/series-{number:04}/{slug(theme)}>" for theme in rng.sample(SERVICES, 6))
        return self.authors.one(rng), dict(zip(own, self.themes.some(rng, 6), strict=False))

    def item_themes(self, rng: random.Random, focus: Sequence[str]) -> tuple[str, ...]:
        """Returns one or two themes, never one with a theme above it."""
        drawn = set(rng.choices(focus, k=rng.choice((1, 2, 2))))
        return tuple(sorted(drawn - {self.broader[theme] for theme in drawn}))

    def _outline(self, number: int) -> Outline:
        rng = self.chances("report", number)
        series = rng.randrange(len(self.series)) if rng.random() < 0.2 else None
        place = self.places.one(rng)
        if series is None:
            authors, focus = self.authors.some(rng, rng.choice((1, 2, 2))), self.themes.some(rng, 5)
        else:
            authors, focus = [self.series[series][0]], list(self.series[series][1].values())
        count = min(MOST, FEWEST + int(0.8 * (rng.paretovariate(1.2) - 1)))
        extra = rng.choices(KINDS, weights=KIND_WEIGHTS, k=count - len(BASE_KINDS))
        items: dict[str, Item] = {}
        for kind in (*BASE_KINDS, *extra):
            item = self.item(rng, kind, f"r{number:06}", place, focus)
            while item.name in items:
                item = self.item(rng, kind, f"r{number:06}", place, focus)
            items[item.name] = item
        issued = FIRST_DAY + timedelta(days=DAYS * number // self.reports)
        topic = capital(f"{rng.choice(SERVICES)} in {self.place_names[place]}")
        title = f"{topic}, {rng.choice(('a review', 'an audit', 'an evaluation', 'progress so far'))} (paper {number})"
        return Outline(
            number,
            f"doc:report-{number:06}",
            title,
            issued,
            place,
            tuple(authors),
            self.programmes.one(rng),
            series,
            tuple(items.values()),
        )

    def item(self, rng: random.Random, kind: str, origin: str, place: str, focus: Sequence[str]) -> Item:
        """Returns a new item of a kind, named after its origin and gist."""
        thing, service = rng.choice(THINGS), rng.choice(SERVICES)
        gist = {
            "keymessage": f"{capital(rng.choice(GOOD))} {thing} matter most to {service}",
            "finding": f"{capital(thing)} for {service} {rng.choice(CHANGES)}",
            "barrier": f"{capital(rng.choice(BAD))} {thing} for {service}",
            "enabler": f"{capital(rng.choice(GOOD))} {thing} for {service}",
            "recommendation": f"{rng.choice(VERBS)} {thing} for {service}",
            "position": f"A view of {rng.choice(GOOD)} {thing} for {service}",
            "commitment": f"{capital(rng.choice(GOOD))} {thing} promised for {service}",
        }[kind]
        label = f"{gist}, {self.place_names[place]}"
        return Item(f"{kind}:{origin}-{slug(gist)}", kind, label, self.item_themes(rng, focus))

    def earlier(self, rng: random.Random, number: int) -> Outline | None:
        """Returns an earlier report: a recent one, or one of the few that all cite; None for the first."""
        if number == 1:
            return None
        recent = rng.random() < 0.5
        back = 1 + int(rng.expovariate(1 / 40)) if recent else number - 1 - int((number - 1) * rng.random() ** 4)
        return self.outline(max(1, number - max(1, back)))


def _broader_themes(file: Path) -> dict[str, str | None]:
    """Returns the common themes as the ontology has them, each with the one above it."""
    found: dict[str, str | None] = {}
    start = BASE + "theme/"
    for quad in ox.parse(path=str(file)):
        subject = getattr(quad.subject, "value", "")
        if subject.startswith(start):
            name = "theme:" + subject.removeprefix(start)
            found.setdefault(name, None)
            if quad.predicate.value == SKOS + "broader":
                found[name] = "theme:" + quad.object.value.removeprefix(start)
    return found


def _labels(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{word} {place}" for place in WHERE for word in words)]


def _place_names(rng: random.Random, count: int) -> Iterator[tuple[str, str]]:
    plain = [head + tail for head in PLACE_HEADS for tail in PLACE_TAILS]
    rng.shuffle(plain)
    names = (kind + name for kind in PLACE_KINDS for name in plain)
    return ((f"place:{slug(name)}", name) for name in itertools.islice(names, count))


def _bodies(places: dict[str, str], count: int) -> Iterator[tuple[str, tuple[str, str, str]]]:
    every = ((place, name, kind) for place in places for name, kind in BODIES)
    for place, name, kind in itertools.islice(every, count):
        label = f"{places[place]} {name}"
        yield f"agent:{slug(label)}", (label, kind, place)


def _people(count: int) -> Iterator[tuple[str, str]]:
    middle = ("", *(f"{letter}. " for letter in "ABCDEFGHIJKLMNOPRSTUVW"))
    every = ((first, initial, last) for initial in middle for last in LAST_NAMES for first in FIRST_NAMES)
    for first, initial, last in itertools.islice(every, count):
        name = f"{first} {initial}{last}"
        yield f"person:{slug(name)}", name


def _initiatives(rng: random.Random, places: Sequence[str], count: int) -> Iterator[tuple[str, tuple[str, str]]]:
    every = [(place, programme) for place in places for programme in PROGRAMMES]
    for place, programme in rng.sample(every, min(count, len(every))):
        yield f"initiative:{place.partition(':')[2]}-{slug(programme)}", (programme, place)
