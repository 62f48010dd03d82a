"""The two graphs of a report, or of an article on one: its items, and their links to those of others."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from invented.statements import HeldText, Statements, day, header, said
from invented.words import CLASSES, STANCES, STATUSES, TIMEFRAMES
from invented.world import Item, Outline, World
from kg.names import Prefixes


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
            a=f"pev:{CLASSES[item.kind]}",
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
            pev_stance=f"code:{self.rng.choice(STANCES)}",
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
        return header(used, prefixes) + "\n".join(parts), self.held.content


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
            writer.relayed(asked, one, [citation], rng.choice(STATUSES))
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
        writer.source.add(item.name, pev_timeframe=f'"{writer.rng.choice(TIMEFRAMES)}"^^xsd:duration')
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
