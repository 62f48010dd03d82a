"""The graphs of background facts: bodies, people, places, plans, documents, and the themes of series."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from invented.reports import article_title
from invented.statements import Statements, capital, said
from invented.words import REPORT_TYPES, ROLES
from invented.world import World
from kg.names import slug


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
    for role in ROLES:
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
        (f"report-{n:06}", "Report", REPORT_TYPES[n % len(REPORT_TYPES)], world.outline(n).title)
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
