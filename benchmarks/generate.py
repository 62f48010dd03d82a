"""Writes an invented workspace of any size: reports that cite, restate and contradict each other.

    python benchmarks/generate.py DIR --reports 5000 --seed 1

Everything is made up, and made as the real files are: source and curated graphs, passages with
hashes of texts (written with --texts), articles that relay reports, people who speak in a role.
Bodies, themes, places and citations follow power laws. The same seed and size give the same bytes.

No report is kept in memory: what a later one needs of an earlier one (its items, not their links)
is a function of the seed and the number, and is worked out again where it is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import random
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import pyoxigraph as ox

from kg.errors import KgError
from kg.names import BASE, SKOS, Prefixes, slug
from kg.workspace import init_workspace

FIRST_DAY, DAYS = date(2001, 1, 8), 9000
MOST_NUMBERED = 999_999


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split(","))


# The invented words. None of them names a real body, person or place.
_PLACE_HEADS = _listed(
    "Ald,Bram,Cald,Dun,Eld,Farn,Glen,Hart,Ing,Kel,Lang,Mar,Nor,Oak,Pen,Quar,Rav,Sel,Thorn,Ul,Wes,Yar"
)
_PLACE_TAILS = _listed(
    "brook,by,combe,dale,fell,ford,garth,ham,holm,hurst,ley,mere,moor,ness,stead,thwaite,ton,wick,worth"
)
_PLACE_KINDS = _listed(",Upper ,Nether ,Great ,Little ,East ,West ")
_FIRST_NAMES = _listed(
    "Ada,Bilal,Cora,Dev,Edda,Faye,Gus,Hana,Ivo,Jonas,Kit,Leila,Moses,Nell,Omar,Pia,Rhys,Sana,Tam,Una,Viggo,Wren,Zora"
)
_LAST_NAMES = _listed(
    "Abara,Birch,Clough,Dray,Ekwall,Finch,Garrow,Hale,Imrie,Jarvey,Keld,Lomas,Marr,Nisbet,Orde,Pell,Quill,Rook,"
    "Salter,Thane,Umber,Vane,Wray,Yate,Zeller"
)
_ROLES = _listed("Chair,Chief executive,Clinical lead,Convener,Director of finance,Leader,Minister,Spokesperson")
_BODIES = (
    ("Council", "local-government-association"),
    ("Health Board", "health-service"),
    ("Audit Office", "public-audit-body"),
    ("Care Partnership", "integration-partnership"),
    ("Carers' League", "third-sector-body"),
    ("Institute for Care Research", "research-unit"),
    ("Assembly", "government"),
    ("Ministers' Forum on Care", "ministerial-group"),
    ("Gazette", "news-agency"),
)
_PROGRAMMES = _listed(
    "care at home plan,joint timetable,shared records project,night nursing scheme,family hub pilot,falls programme,"
    "single front door,carers' charter,rural outreach plan,discharge compact,telecare trial,link worker scheme,"
    "pooled budget,training academy,housing with care plan,early help offer,palliative network,volunteer bank"
)
_SERVICES = _listed(
    "home visits,day centres,falls clinics,respite stays,hospital discharge,youth support,night care,memory clinics,"
    "carers' breaks,community meals,home adaptations,minor injuries,school nursing,stroke rehabilitation,hospices,"
    "crisis lines,addiction services,foot care,foster care,supported housing,eye clinics,transport to care,"
    "advice desks,diabetes groups,wound care,speech therapy,winter beds,out-of-hours care,sheltered work,hearing aids"
)
_THINGS = _listed(
    "budgets,staffing plans,data rules,job descriptions,targets,contracts,case records,premises,handovers,rotas,"
    "audits,registers,referral forms,travel rules,pay scales,waiting lists,complaint routes,training days,"
    "board papers,eligibility rules,purchase orders,care plans,telephone systems,risk logs,fee levels,leases,"
    "shift patterns,consent forms,reporting lines,reserve funds"
)
_BAD = _listed(
    "short-term,unclear,separate,late,scarce,rigid,untested,conflicting,outdated,thin,uneven,unspoken,lapsed,costly,"
    "fragile,hidden,overlapping,unfunded,narrow,slow,unsigned,patchy,tangled,mistrusted"
)
_GOOD = _listed(
    "shared,stable,early,open,simple,trusted,pooled,local,tested,joint,long-term,plain,flexible,public,common,"
    "well-kept,timely,agreed,visible,balanced,steady,paired,lasting,modest"
)
_CHANGES = _listed(
    "cost more than planned,reach fewer people,have improved,differ by district,have doubled,are seldom reviewed,"
    "run behind,are valued by families,have not changed,cover half the need,rest on goodwill,are back on course,"
    "save bed days,depend on one team,are easier to find,have grown unevenly"
)
_VERBS = _listed(
    "Agree,Publish,Pool,Review,Simplify,Fund,Merge,Test,Renew,Share,Align,Protect,Extend,Inspect,Replace,Settle"
)
_OUTCOMES = _listed(
    "Shorter waits,Fewer falls,More time at home,Safer discharge,Less paperwork,Steadier teams,Fairer charges,"
    "Earlier help,Fewer readmissions,Better sleep,Stronger families,Clearer advice,Lower costs,Wider choice"
)
_GROUPS = _listed(
    "Unpaid carers,Home care staff,Ward nurses,Councillors,Tenants,Older people,Young adults,Family doctors,"
    "Care home owners,Volunteers,Board members,Social workers,Taxpayers,Patients,Therapists,Housing officers,"
    "Pharmacists,Trade unions,Managers,Parents"
)
_WHERE = _listed("in towns,in villages,on the coast,near the border")
_STANCES = ("welcomes", "supportive", "mixed", "cautionary", "critical")
_STATUSES = ("open", "in-progress", "implemented", "closed-not-implemented", "superseded", "status-unknown")
_REPORT_TYPES = ("audit-report", "review-report", "evaluation-study")
_TIMEFRAMES = ("P6M", "P1Y", "P1Y6M", "P2Y", "P3Y", "P90D")

# Of every report at least these; the rest by weight.
_BASE_KINDS = (
    "keymessage",
    "finding",
    "barrier",
    "barrier",
    "enabler",
    "recommendation",
    "recommendation",
    "position",
    "commitment",
)
_KINDS = ("keymessage", "finding", "barrier", "enabler", "recommendation", "position", "commitment")
_KIND_WEIGHTS = (6, 24, 24, 12, 24, 3, 7)
_FEWEST, _MOST = 10, 60
_PER_ARTICLE = 7
_CLASSES = dict(
    zip(
        _KINDS, ("KeyMessage", "Finding", "Barrier", "Enabler", "Recommendation", "Position", "Commitment"), strict=True
    )
)


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


class Statements:
    """Triples as text, written in the order of `kg format`."""

    def __init__(self) -> None:
        self._rows: set[tuple[str, str, str]] = set()

    def add(self, subject: str, **objects: str | Iterable[str] | None) -> None:
        """Adds triples of one subject; a keyword is a predicate, `pev_hasTheme` for pev:hasTheme."""
        for name, values in objects.items():
            predicate = "a" if name == "a" else name.replace("_", ":", 1)
            for value in (values,) if isinstance(values, str) else values or ():
                self._rows.add((subject, predicate, value))

    def prefixes(self) -> set[str]:
        """Returns the prefixes in use."""
        terms = {term for row in self._rows for term in row}
        names = (re.match(r"(?:\"[^\"]*\"\^\^)?([a-z0-9]+):", term) for term in terms)
        return {found[1] for found in names if found}

    def text(self, indent: str = "") -> str:
        """Returns the triples as Turtle, without prefix lines."""
        rows = sorted(self._rows, key=lambda r: (r[0], r[1] != "a", r[1], (len(r[2]) if r[2].isdigit() else 0, r[2])))
        blocks = []
        for subject, group in itertools.groupby(rows, key=lambda row: row[0]):
            lines = [
                f"{predicate} " + f",\n{indent}        ".join(row[2] for row in same)
                for predicate, same in itertools.groupby(group, key=lambda row: row[1])
            ]
            blocks.append(f"{indent}{subject} " + f" ;\n{indent}    ".join(lines) + " .\n")
        return "\n".join(blocks)


def said(words: str) -> str:
    """Returns an English literal; the invented words hold nothing that needs an escape."""
    return f'"{words}"@en'


def day(when: date) -> str:
    """Returns a date literal."""
    return f'"{when.isoformat()}"^^xsd:date'


def capital(words: str) -> str:
    """Returns the words with a capital first letter, the others as they are."""
    return words[0].upper() + words[1:]


class HeldText:
    """An invented text that grows by sentences, and the passages on it once it is whole."""

    def __init__(self, title: str) -> None:
        self._parts, self._length, self._ranges = [title + "\n"], len(title) + 1, [(0, len(title))]

    def sentence(self, words: str) -> int:
        """Adds a sentence and returns the number of its passage; passage 0 is the title."""
        start = self._length + 1
        self._parts.append("\n" + words + "\n")
        self._length += len(words) + 2
        self._ranges.append((start, start + len(words)))
        return len(self._ranges) - 1

    def freeze(self) -> None:
        """Fixes the text, so that it has a name."""
        self.content = "".join(self._parts)
        self.sha256 = hashlib.sha256(self.content.encode()).hexdigest()
        self.name = f"text:{self.sha256[:16]}"
        self._iri = f"{BASE}id/text/{self.sha256[:16]}"
        self._used: set[int] = set()

    def passages(self, *numbers: int) -> list[str]:
        """Returns the names of passages, which are then described."""
        self._used.update(numbers)
        return [f"<{self._iri}#char={start},{end}>" for start, end in map(self._ranges.__getitem__, numbers)]

    def describe(self, graph: Statements, document: str) -> None:
        """Adds the snapshot and the passages in use."""
        graph.add(
            self.name,
            a="pev:TextSnapshot",
            dcterms_format='"text/plain; charset=utf-8"',
            pev_characterCount=str(len(self.content)),
            pev_sha256=f'"{self.sha256}"',
            pev_snapshotOf=document,
        )
        for number in sorted(self._used):
            start, end = self._ranges[number]
            selector = f"<{self._iri}#selector={start},{end}>"
            digest = hashlib.sha256(self.content[start:end].encode()).hexdigest()
            graph.add(
                *self.passages(number),
                a="pev:Passage",
                oa_hasSelector=selector,
                oa_hasSource=self.name,
                pev_sha256=f'"{digest}"',
            )
            graph.add(selector, a="oa:TextPositionSelector", oa_start=str(start), oa_end=str(end))


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
        self.articles = max(1, reports // _PER_ARTICLE)
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
        self.roles = {person: (self.askable.one(rng), rng.choice(_ROLES)) for person in self.people}
        self.speakers = Pool(self.people, 0.9)
        self.group_names = {f"group:{slug(label)}": label for label in _labels(_GROUPS)}
        self.outcome_names = {f"outcome:{slug(label)}": label for label in _labels(_OUTCOMES)}
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
            min(self.reports, _PER_ARTICLE * article - self.chances("covered", article).randrange(_PER_ARTICLE))
        )

    def membership(self, person: str) -> str:
        """Returns the name of the one role that a person holds."""
        return f"membership:{person.partition(':')[2]}"

    def _scheme(self, number: int) -> tuple[str, dict[str, str]]:
        """Returns the body behind a series, and the themes of its reports with their common themes."""
        rng = self.chances("series", number)
        own = (f"<{BASE}theme/series-{number:04}/{slug(theme)}>" for theme in rng.sample(_SERVICES, 6))
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
        count = min(_MOST, _FEWEST + int(0.8 * (rng.paretovariate(1.2) - 1)))
        extra = rng.choices(_KINDS, weights=_KIND_WEIGHTS, k=count - len(_BASE_KINDS))
        items: dict[str, Item] = {}
        for kind in (*_BASE_KINDS, *extra):
            item = self.item(rng, kind, f"r{number:06}", place, focus)
            while item.name in items:
                item = self.item(rng, kind, f"r{number:06}", place, focus)
            items[item.name] = item
        issued = FIRST_DAY + timedelta(days=DAYS * number // self.reports)
        topic = capital(f"{rng.choice(_SERVICES)} in {self.place_names[place]}")
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
        thing, service = rng.choice(_THINGS), rng.choice(_SERVICES)
        gist = {
            "keymessage": f"{capital(rng.choice(_GOOD))} {thing} matter most to {service}",
            "finding": f"{capital(thing)} for {service} {rng.choice(_CHANGES)}",
            "barrier": f"{capital(rng.choice(_BAD))} {thing} for {service}",
            "enabler": f"{capital(rng.choice(_GOOD))} {thing} for {service}",
            "recommendation": f"{rng.choice(_VERBS)} {thing} for {service}",
            "position": f"A view of {rng.choice(_GOOD)} {thing} for {service}",
            "commitment": f"{capital(rng.choice(_GOOD))} {thing} promised for {service}",
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
    return [*words, *(f"{word} {place}" for place in _WHERE for word in words)]


def _place_names(rng: random.Random, count: int) -> Iterator[tuple[str, str]]:
    plain = [head + tail for head in _PLACE_HEADS for tail in _PLACE_TAILS]
    rng.shuffle(plain)
    names = (kind + name for kind in _PLACE_KINDS for name in plain)
    return ((f"place:{slug(name)}", name) for name in itertools.islice(names, count))


def _bodies(places: dict[str, str], count: int) -> Iterator[tuple[str, tuple[str, str, str]]]:
    every = ((place, name, kind) for place in places for name, kind in _BODIES)
    for place, name, kind in itertools.islice(every, count):
        label = f"{places[place]} {name}"
        yield f"agent:{slug(label)}", (label, kind, place)


def _people(count: int) -> Iterator[tuple[str, str]]:
    middle = ("", *(f"{letter}. " for letter in "ABCDEFGHIJKLMNOPRSTUVW"))
    every = ((first, initial, last) for initial in middle for last in _LAST_NAMES for first in _FIRST_NAMES)
    for first, initial, last in itertools.islice(every, count):
        name = f"{first} {initial}{last}"
        yield f"person:{slug(name)}", name


def _initiatives(rng: random.Random, places: Sequence[str], count: int) -> Iterator[tuple[str, tuple[str, str]]]:
    every = [(place, programme) for place in places for programme in _PROGRAMMES]
    for place, programme in rng.sample(every, min(count, len(every))):
        yield f"initiative:{place.partition(':')[2]}-{slug(programme)}", (programme, place)


class ReportWriter:
    """The two graphs of one text, report or article, as they grow."""

    def __init__(self, world: World, name: str, title: str, rng: random.Random) -> None:
        self.world, self.name, self.rng = world, name, rng
        self.document = f"doc:{name}"
        self.source, self.curated, self.held = Statements(), Statements(), HeldText(title)

    def sentence(self, about: str) -> int:
        """Adds a sentence of the invented text; none of its words are those of a label."""
        rng = self.rng
        which = f"Paragraph {len(self.held._ranges)} of {self.name}"
        return self.held.sentence(
            f"{which} – “{rng.getrandbits(40):x}” – turns on {about}, says café nº {rng.randrange(900)}."
        )

    def sentences(self, items: Sequence[Item], about: str) -> dict[str, tuple[int, ...]]:
        """Adds a sentence for every four items, as texts say much in one breath; of ten items one needs two."""
        at: dict[str, tuple[int, ...]] = {}
        for start in range(0, len(items), 4):
            number = self.sentence(about)
            for item in items[start : start + 4]:
                at[item.name] = (number - 1, number) if start and self.rng.random() < 0.1 else (number,)
        return at

    def item(
        self, item: Item, origin: str, asserted: Iterable[str], mode: str, places: Iterable[str], *at: int
    ) -> None:
        """Adds what every item has."""
        words = f"The origin has it that {item.label[0].lower()}{item.label[1:]} (so we put it)."
        self.source.add(
            item.name,
            a=f"pev:{_CLASSES[item.kind]}",
            dcterms_spatial=places,
            pev_assertedBy=asserted,
            pev_attributionMode=f"code:{mode}",
            pev_evidence=self.held.passages(*at),
            pev_paraphrase=said(words),
            pev_statedIn=origin,
            rdfs_label=said(item.label),
        )
        self.curated.add(item.name, pev_hasTheme=item.themes)

    def relayed(self, item: Item, outline: Outline, at: Iterable[int], status: str | None = None) -> None:
        """Adds that this text relays an item of a report."""
        mode = self.rng.choice(("indirect-report", "indirect-report", "direct-quotation"))
        self.source.add(
            item.name,
            pev_assertedBy=outline.authors,
            pev_attributionMode=f"code:{mode}",
            pev_evidence=self.held.passages(*at),
            pev_reportedIn=self.document,
            pev_statedIn=outline.document,
            pev_implementationStatus=status and f"code:{status}",
        )

    def position(self, item: Item, towards: str) -> None:
        """Adds a speaker and a stance."""
        person = self.world.speakers.one(self.rng)
        self.source.add(
            item.name,
            pev_assertedBy=person,
            pev_inCapacity=self.world.membership(person),
            pev_stance=f"code:{self.rng.choice(_STANCES)}",
            pev_stanceTowards=towards,
        )

    def files(self, prefixes: Prefixes) -> tuple[str, str]:
        """Returns the TriG file and the text."""
        self.held.describe(self.source, self.document)
        titles = {"curated": "What we make of", "source": "What is said in"}
        parts = []
        for kind, graph in (("curated", self.curated), ("source", self.source)):
            graph.add(
                f"graph:{kind}-{self.name}",
                a="prov:Entity",
                dcterms_type=f"code:{kind}-graph",
                dcterms_title=said(f"{titles[kind]} {self.name}"),
                prov_wasAttributedTo="agent:project",
                prov_wasDerivedFrom=self.held.name,
            )
            parts.append(f"graph:{kind}-{self.name} {{\n{graph.text('    ')}}}\n")
        used = self.curated.prefixes() | self.source.prefixes() | {"graph"}
        return _header(used, prefixes) + "\n".join(parts), self.held.content


def _header(used: Iterable[str], prefixes: Prefixes) -> str:
    return "".join(f"@prefix {name}: <{prefixes.namespaces[name]}> .\n" for name in sorted(used)) + "\n"


def report(world: World, number: int) -> ReportWriter:
    """Returns a report with its items, and their links to those of earlier reports."""
    rng, outline = world.chances("links", number), world.outline(number)
    writer = ReportWriter(world, f"report-{number:06}", outline.title, rng)
    at = writer.sentences(outline.items, world.place_names[outline.place])
    followed = [world.earlier(rng, number) for _ in range(rng.choice((0, 1, 1, 2, 4)))]
    cited = list({one.number: one for one in followed if one}.values())
    citation = writer.sentence("earlier papers")
    writer.held.freeze()
    country = world.country_of[outline.place]
    _report_facts(writer, outline, cited, citation)
    for item in outline.items:
        places = (outline.place, country)
        writer.item(
            item,
            outline.document,
            () if item.kind == "position" else outline.authors,
            "own-text",
            places,
            *at[item.name],
        )
        _content(writer, outline, item)
        _own_themes(writer, outline, item)
        _likeness(writer, number, item)
    _within(writer, outline)
    for one in cited[:1]:
        for asked in one.of("recommendation")[:2]:
            writer.relayed(asked, one, [citation], rng.choice(_STATUSES))
    return writer


def _report_facts(writer: ReportWriter, outline: Outline, cited: Iterable[Outline], citation: int) -> None:
    world, rng = writer.world, writer.rng
    series = None if outline.series is None else f"doc:series-{outline.series:04}"
    writer.source.add(
        outline.document,
        dcterms_creator=outline.authors,
        dcterms_issued=day(outline.issued),
        dcterms_isPartOf=series,
        dcterms_publisher=outline.authors[0],
        dcterms_spatial=outline.place,
        dcterms_references=[one.document for one in cited],
        pev_reviews=outline.initiative,
        pev_evidence=writer.held.passages(0, citation),
    )
    if rng.random() < 0.3:
        writer.source.add(outline.initiative, pev_aimsAt=world.outcomes.one(rng), pev_evidence=writer.held.passages(0))


def _content(writer: ReportWriter, outline: Outline, item: Item) -> None:
    """Adds what an item of a kind says, beyond what every item has."""
    world, rng, add = writer.world, writer.rng, writer.source.add
    if item.kind in ("barrier", "enabler"):
        known = (outline.initiative, world.programmes.one(rng), world.outcomes.one(rng), world.themes.one(rng))
        targets = rng.sample(known, rng.choice((1, 1, 2)))
        if rng.random() < 0.15:
            writer.curated.add(item.name, pev_affects=targets)
        elif item.kind == "barrier":
            add(item.name, pev_blocks=targets)
        else:
            add(item.name, pev_enables=targets)
    elif item.kind == "recommendation":
        add(
            item.name, pev_directedTo=_asked(writer), pev_aimsAt=world.outcomes.one(rng) if rng.random() < 0.7 else None
        )
        _time(writer, outline.issued, item)
    elif item.kind == "commitment":
        add(item.name, pev_aimsAt=world.outcomes.one(rng), pev_amount=_money(writer) if rng.random() < 0.4 else None)
    elif item.kind == "position":
        writer.position(item, rng.choice((outline.initiative, world.outcomes.one(rng), world.themes.one(rng))))
    about = (world.groups.one(rng), world.programmes.one(rng), world.askable.one(rng))
    add(item.name, pev_concerns=rng.sample(about, rng.choice((1, 2, 3, 3))))


def _asked(writer: ReportWriter) -> list[str]:
    bodies = writer.world.askable.some(writer.rng, writer.rng.choice((1, 2, 3, 4)))
    return [*bodies, writer.world.groups.one(writer.rng)] if writer.rng.random() < 0.4 else bodies


def _time(writer: ReportWriter, issued: date, item: Item) -> None:
    chance = writer.rng.random()
    if chance < 0.5:
        writer.source.add(item.name, pev_timeframe=f'"{writer.rng.choice(_TIMEFRAMES)}"^^xsd:duration')
    elif chance < 0.6:
        writer.source.add(item.name, pev_deadline=day(issued + timedelta(days=writer.rng.randrange(60, 1500))))


def _money(writer: ReportWriter) -> str:
    millions = writer.rng.choice((1, 2, 3, 5, 8, 12, 20, 45, 130, 400))
    name = f"money:gbp-{millions}000000"
    writer.source.add(
        name,
        a="schema:MonetaryAmount",
        rdfs_label=said(f"GBP {millions} million"),
        schema_currency='"GBP"',
        schema_value=f'"{millions}000000"^^xsd:decimal',
    )
    return name


def _own_themes(writer: ReportWriter, outline: Outline, item: Item) -> None:
    """Files an item under the themes of the report's own series."""
    if outline.series is not None:
        own = writer.world.series[outline.series][1]
        writer.source.add(item.name, pev_hasTheme=[theme for theme, common in own.items() if common in item.themes])


def _likeness(writer: ReportWriter, number: int, item: Item) -> None:
    """Judges an item like, or against, one of its kind and theme in an earlier report."""
    rng = writer.rng
    if rng.random() > 0.9 or item.kind in ("keymessage", "position"):
        return
    earlier = writer.world.earlier(rng, number)
    near = [one for one in earlier.of(item.kind) if set(one.themes) & set(item.themes)] if earlier else []
    if not near:
        return
    chance, other = rng.random(), rng.choice(near).name
    if item.kind == "recommendation" and chance < 0.6:
        writer.curated.add(item.name, pev_reiterates=other)
    elif item.kind == "finding" and chance < 0.25:
        writer.curated.add(item.name, pev_contradicts=other)
    elif item.kind in ("finding", "enabler") and chance < 0.6:
        writer.curated.add(item.name, pev_supports=other)
    else:
        writer.curated.add(item.name, pev_similarTo=other)


def _within(writer: ReportWriter, outline: Outline) -> None:
    """Ties the items of one report together: messages to factors, answers to barriers, findings to messages."""
    rng = writer.rng
    messages, barriers, factors = outline.of("keymessage"), outline.of("barrier"), outline.of("barrier", "enabler")
    for factor in factors:
        if rng.random() < 0.8:
            writer.source.add(rng.choice(messages).name, pev_identifies=factor.name)
    for answer in outline.of("recommendation", "commitment"):
        chance, barrier = rng.random(), rng.choice(barriers).name
        if chance < 0.5:
            writer.source.add(answer.name, pev_addresses=barrier)
        elif chance < 0.75:
            writer.curated.add(answer.name, pev_addresses=barrier)
    for finding in outline.of("finding"):
        if rng.random() < 0.5:
            writer.curated.add(finding.name, pev_supports=rng.choice(messages).name)


def article(world: World, number: int) -> ReportWriter:
    """Returns an article: it relays some items of one report, with a speaker's view and a finding of its own."""
    rng = world.chances("article", number)
    outline = world.covered(number)
    writer = ReportWriter(world, f"article-{number:06}", article_title(outline, number), rng)
    items = rng.sample([item for item in outline.items if item.kind != "position"], rng.randrange(3, 9))
    at = writer.sentences(items, "the paper")
    own = [
        world.item(rng, kind, f"a{number:06}", outline.place, item.themes)
        for kind, item in zip(("position", "finding"), items, strict=False)
    ]
    own_at = [writer.sentence("a remark") for _ in own]
    writer.held.freeze()
    author, publisher = world.speakers.one(rng), world.media.one(rng)
    writer.source.add(
        writer.document,
        dcterms_creator=author,
        dcterms_publisher=publisher,
        pev_reportsOn=outline.document,
        dcterms_issued=day(outline.issued + timedelta(days=rng.randrange(1, 15))),
        pev_evidence=writer.held.passages(0),
    )
    for item in items:
        writer.relayed(item, outline, at[item.name])
    places = (outline.place, world.country_of[outline.place])
    writer.item(own[0], writer.document, (), "direct-quotation", places, own_at[0])
    writer.position(own[0], outline.document)
    writer.item(own[1], writer.document, [author], "own-text", places, own_at[1])
    writer.source.add(own[1].name, pev_concerns=outline.initiative)
    return writer


def article_title(outline: Outline, number: int) -> str:
    """Returns the title of an article on a report."""
    return f"News of {outline.title[0].lower()}{outline.title[1:].partition(' (')[0]} (item {number})"


def shared(world: World) -> tuple[Statements, Statements]:
    """Returns the bodies, people, places and plans: what stands before the documents in the file, and after."""
    before, after = Statements(), Statements()
    laws = [f"<https://law.example/id/act/{year}/{year % 17 + 1}>" for year in range(1999, 2020, 4)]
    for law in laws:
        title = said(f"Care Act of {law.split('/')[-2]}")
        before.add(law, a="eli:LegalResource", dcterms_title=title, rdfs_label=title)
    _bodies_of(world, before)
    _people_of(world, after)
    rng = world.chances("initiatives")
    for name, (programme, place) in world.initiatives.items():
        act = rng.choice(laws) if rng.random() < 0.2 else None
        label = said(f"{world.place_names[place]} {programme}")
        after.add(name, a="pev:Initiative", dcterms_spatial=place, pev_establishedUnder=act, rdfs_label=label)
    for place, label in world.place_names.items():
        after.add(place, a="dcterms:Location", dcterms_isPartOf=world.country_of.get(place), rdfs_label=said(label))
    for kind, names in (("StakeholderGroup", world.group_names), ("Outcome", world.outcome_names)):
        for name, label in names.items():
            after.add(name, a=f"pev:{kind}", rdfs_label=said(label))
    describe_reference(after, "entities", "Invented bodies, people, places and plans")
    return before, after


def _bodies_of(world: World, graph: Statements) -> None:
    rng = world.chances("bodies")
    at: dict[tuple[str, str], str] = {(place, kind): body for body, (_, kind, place) in world.bodies.items()}
    for body, (label, kind, place) in world.bodies.items():
        partners = ("local-government-association", "health-service") if kind == "integration-partnership" else ()
        joined = [at[place, partner] for partner in partners if (place, partner) in at]
        spoken_for = world.groups.one(rng) if kind in ("third-sector-body", "local-government-association") else None
        graph.add(
            body,
            a="org:Organization",
            dcterms_spatial=place,
            org_classification=f"code:{kind}",
            pev_bringsTogether=joined,
            pev_represents=spoken_for,
            rdfs_label=said(label),
        )


def _people_of(world: World, graph: Statements) -> None:
    for role in _ROLES:
        graph.add(f"role:{slug(role)}", a="org:Role", rdfs_label=said(role), skos_prefLabel=said(role))
    for person, name in world.people.items():
        body, role = world.roles[person]
        graph.add(person, a="foaf:Person", foaf_name=f'"{name}"', rdfs_label=said(name))
        graph.add(
            world.membership(person),
            a="org:Membership",
            org_member=person,
            org_organization=body,
            org_role=f"role:{slug(role)}",
            rdfs_label=said(f"{name}, {role.lower()}, {world.bodies[body][0]}"),
        )


def describe_reference(graph: Statements, name: str, title: str) -> None:
    """Adds what a graph of background facts says of itself."""
    graph.add(
        f"graph:{name}",
        a="prov:Entity",
        dcterms_title=said(title),
        dcterms_type="code:reference-graph",
        prov_wasAttributedTo="agent:project",
    )


def documents(world: World) -> Iterator[Statements]:
    """Yields the description of each document, in the order of the file."""
    articles = (
        (f"article-{n:06}", "Article", "news-article", article_title(world.covered(n), n))
        for n in range(1, world.articles + 1)
    )
    reports = (
        (f"report-{n:06}", "Report", _REPORT_TYPES[n % len(_REPORT_TYPES)], world.outline(n).title)
        for n in range(1, world.reports + 1)
    )
    series = (
        (f"series-{n:04}", "Document", "report-series", f"Papers on care, series {n}") for n in range(len(world.series))
    )
    for name, kind, genre, title in itertools.chain(articles, reports, series):
        one = Statements()
        one.add(
            f"doc:{name}",
            a=f"pev:{kind}",
            dcterms_title=said(title),
            dcterms_type=f"code:{genre}",
            rdfs_label=said(title),
        )
        yield one


def schemes(world: World) -> Statements:
    """Returns the themes that series of reports bring with them."""
    graph = Statements()
    describe_reference(graph, "schemes", "The themes that series of reports bring with them")
    for number, (_, own) in enumerate(world.series):
        scheme = f"scheme:series-{number:04}"
        graph.add(scheme, a="skos:ConceptScheme", dcterms_title=said(f"Headings of series {number}"))
        for place, (theme, common) in enumerate(own.items()):
            label = capital(theme.rpartition("/")[2].rstrip(">").replace("-", " "))
            graph.add(
                theme,
                a=("pev:Theme", "skos:Concept"),
                skos_closeMatch=common if place % 3 else None,
                skos_definition=said(f"What papers of series {number} file under this heading."),
                skos_exactMatch=None if place % 3 else common,
                skos_inScheme=scheme,
                skos_prefLabel=said(label),
                skos_topConceptOf=scheme,
            )
    return graph


def write_workspace(root: Path, reports: int, seed: int, bodies: int | None, texts: Path | None) -> None:
    """Writes the whole workspace, one text at a time."""
    workspace = init_workspace(root)
    prefixes = workspace.prefixes
    world = World(reports, seed, bodies, root / "ontology" / "themes.ttl")
    _write_entities(root / "graph" / "entities.ttl", world, prefixes)
    own = schemes(world)
    (root / "graph" / "schemes.ttl").write_text(_header(own.prefixes(), prefixes) + own.text(), encoding="utf-8")
    if texts:
        texts.mkdir(parents=True, exist_ok=True)
    # An article stands beside its report, so that both find the report's outline at hand.
    articles = {world.covered(number).number: number for number in range(1, world.articles + 1)}
    for number in range(1, reports + 1):
        written = [report(world, number)]
        if number in articles:
            written.append(article(world, articles[number]))
        for one in written:
            trig, text = one.files(prefixes)
            (root / "graph" / "sources" / f"{one.name}.trig").write_text(trig, encoding="utf-8")
            if texts:
                (texts / f"{one.name}.txt").write_text(text, encoding="utf-8", newline="")


def _write_entities(path: Path, world: World, prefixes: Prefixes) -> None:
    before, after = shared(world)
    used = before.prefixes() | after.prefixes() | {"doc"}
    with path.open("w", encoding="utf-8") as file:
        file.write(_header(used, prefixes) + before.text())
        for one in documents(world):
            file.write("\n" + one.text())
        file.write("\n" + after.text())


def _above_zero(text: str) -> int:
    number = int(text)
    if not 0 < number <= MOST_NUMBERED:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and {MOST_NUMBERED}")
    return number


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    parser.add_argument("--reports", type=_above_zero, default=5000, help="how many reports (default 5000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other reports (default 1)")
    parser.add_argument(
        "--shared-bodies", type=_above_zero, help="how many bodies the reports share (default: a tenth of the reports)"
    )
    parser.add_argument("--texts", type=Path, help="also write the invented texts into this folder")
    given = parser.parse_args()
    begun = time.perf_counter()
    try:
        write_workspace(given.folder, given.reports, given.seed, given.shared_bodies, given.texts)
    except KgError as error:
        sys.exit(f"{error.title}: {error}")
    print(f"{given.folder}: {given.reports} reports in {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
