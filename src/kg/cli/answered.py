"""How the answers to questions on the whole are printed: a line a finding, its passages under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from kg.cli.console import named, out, reference

if TYPE_CHECKING:
    from kg.analysis.blockers import Blockers
    from kg.analysis.centrality import Centrality
    from kg.analysis.comparison import Comparison
    from kg.analysis.fragility import Fragility
    from kg.analysis.gaps import Gaps
    from kg.analysis.keystones import Keystones, WhatIf
    from kg.analysis.lineage import Lineage
    from kg.analysis.news import NewsOfDocument
    from kg.analysis.reading import Claim
    from kg.analysis.tensions import Tensions
    from kg.analysis.timeline import Timeline
    from kg.model import Entity, Passage


def _line(text: str, depth: int = 0, style: str = "") -> None:
    out.print("   " * depth + text, markup=False, style=style or None)


def _passages(passages: Iterable[Passage], depth: int) -> None:
    for passage in passages:
        _line(reference(passage), depth, "dim")


def _claims(claims: Iterable[Claim], depth: int, total: int | None = None) -> None:
    shown = 0
    for claim in claims:
        where = "" if claim.origin is None else f", in {claim.origin.label}"
        _line(f"[{claim.basis}] {named(claim.item)}{where}", depth)
        _passages(claim.evidence, depth + 1)
        shown += 1
    if total is not None and total > shown:
        _line(f"and {total - shown} more", depth)


def _names(entities: Iterable[Entity]) -> str:
    return ", ".join(entity.label for entity in entities)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _sources(origins: int, independent: int) -> str:
    return f"{origins} origin{'' if origins == 1 else 's'}, {independent} independent"


def _cut(truncated: bool) -> None:
    if truncated:
        _line("There is more; raise --limit to see it.")


def print_blockers(found: Blockers) -> None:
    """Prints the barriers against a thing, the nearest first."""
    head = f"{found.total} barriers stand in the way of {found.entity.label}"
    _line(f"{head} ({_sources(found.origins, found.independent)})", style="bold")
    for blocker in found.results:
        verb = blocker.link.rpartition("#")[2]
        _line(f"{blocker.depth}. [{blocker.basis}] {named(blocker.barrier)} {verb} {blocker.against.label}")
        _passages(blocker.evidence, 2)
    if not found.complete:
        _line("Chains may go on beyond --max-hops.")
    _cut(found.truncated)


def print_keystones(found: Keystones) -> None:
    """Prints barriers and what each holds alone."""
    for keystone in found.results:
        _line(f"{named(keystone.barrier)}: {keystone.themes} themes, share {keystone.share}", style="bold")
        for freed in (*keystone.frees, *keystone.frees_goals):
            _line(f"alone holds [{freed.basis}] {named(freed.entity)}", 1)
        _passages(keystone.evidence, 1)
    _cut(found.truncated)


def print_what_if(found: WhatIf) -> None:
    """Prints what becomes of everything that a barrier stands against."""
    _line(f"Without {named(found.barrier)}, {found.freed} would be free", style="bold")
    _passages(found.evidence, 1)
    for effect in found.results:
        left = "freed" if effect.freed else f"{effect.after} of {effect.before} barriers left"
        _line(f"[{effect.basis}] {named(effect.entity)}: {left}", 1)
        if effect.cut:
            _line(f"would need to go as well ({effect.cut_size}): {_names(effect.cut)}", 2)
    _cut(found.truncated)


def print_comparison(found: Comparison) -> None:
    """Prints for each document what it says on the theme, and the kinds on which it is silent."""
    sources = _sources(found.origins, found.independent)
    _line(f"{found.theme.label}: {found.documents} documents ({sources})", style="bold")
    for document, cells in groupby(found.results, key=lambda cell: cell.document):
        _line(named(document), style="bold")
        for state, members in groupby(sorted(cells, key=lambda c: c.state), key=lambda cell: cell.state):
            some = list(members)
            _line(f"{state}: {', '.join(cell.kind for cell in some)}", 1)
            for cell in some:
                _claims(cell.claims, 2, cell.items)
                for contradiction in cell.contradictions:
                    _line(f"contradicted by {_names(contradiction.contradicted_by)}", 3)
    _cut(found.truncated)


def print_gaps(found: Gaps) -> None:
    """Prints pairs with what is missing, and what is there."""
    from kg.analysis.gaps import Gap

    _line(_counts(found.counts), style="bold")
    for pair in found.results:
        first, across = (
            (pair.barrier, pair.recommendation) if isinstance(pair, Gap) else (pair.recommendation, pair.barrier)
        )
        _line(f"{pair.gap or 'no gap'}: [{pair.basis}] {named(first)} / {pair.theme.label}")
        _passages(pair.evidence, 1)
        _claims(across, 1)
        for later in pair.follow_up:
            said = f"status {later.status.label}" if hasattr(later, "status") else named(later.item)
            _line(f"followed up [{later.basis}]: {said}", 2)
    _cut(found.truncated)


def print_tensions(found: Tensions) -> None:
    """Prints tensions with both sides."""
    _line(_counts(found.counts), style="bold")
    for tension in found.results:
        what = _names((*tension.themes, *tension.about))
        _line(f"{tension.type} [{tension.basis}]: {what} ({_sources(tension.origins, tension.independent)})")
        for side in tension.sides:
            if side.place is not None:
                _line(f"{side.stance} in {side.place.label}", 1)
            _claims(side.claims, 1 if side.place is None else 2, side.items)
    _cut(found.truncated)


def print_lineage(found: Lineage) -> None:
    """Prints what became of an item, the oldest first."""
    _line(f"{named(found.item)} ({_sources(found.origins, found.independent)})", style="bold")
    for happening in found.results:
        by = f" by {_names(happening.by)}" if happening.by else ""
        what = "" if happening.item is None else f": {named(happening.item)}"
        details = f" ({_names(happening.details)})" if happening.details else ""
        verified = f", {happening.verified}" if happening.verified else ""
        _line(f"{happening.issued or 'undated'} {happening.event}{verified} [{happening.basis}]{by}{what}{details}")
        _line(f"in {happening.document.label}, of {happening.of.label}", 1)
        _passages(happening.evidence, 2)
    _line(_counts({event: count for event, count in found.counts.items() if count}))
    _cut(found.truncated)


def print_timeline(found: Timeline) -> None:
    """Prints the years of each theme."""
    for theme in found.results:
        recurs = "recurs" if theme.recurs else "does not recur"
        _line(f"{named(theme.theme)} {recurs} ({_sources(theme.origins, theme.independent)})", style="bold")
        for year in theme.years:
            sources = f" by {_sources(year.origins, year.independent)}" if year.items else ""
            counted = f": {year.items} items, {year.barriers} barriers{sources}" if year.items else ""
            _line(f"{year.year} {year.state}{counted}", 1)
            _claims(year.claims, 2, year.items)
    _cut(found.truncated)


def print_fragility(found: Fragility) -> None:
    """Prints passages with what rests on each alone."""
    _line(f"{found.items} of {found.of_items} items rest on one passage", style="bold")
    for one in found.results:
        _line(f"{reference(one.passage)}: {sum(one.falls.values())} links fall ({_counts(one.falls)})")
        for claim in one.claims:
            _line(named(claim.item), 1)
        if one.frees:
            _line(f"frees {_names(one.frees)}", 1)
    _cut(found.truncated)


def print_news(found: NewsOfDocument) -> None:
    """Prints what is new, repeated and dropped."""
    _line(f"{named(found.document)}: {_counts(found.counts)}", style="bold")
    if not found.dated:
        _line("It has no date, so it cannot be put in order.")
    for one in found.results:
        _line(f"{one.news}: {named(one.item.item)}")
        _passages(one.item.evidence, 1)
        _claims(one.earlier, 1)
    _cut(found.truncated)


def print_centrality(found: Centrality) -> None:
    """Prints the bodies asked most and the barriers of most weight."""
    for kind, members in groupby(found.results, key=lambda one: one.kind):
        _line("Bodies asked most" if kind == "body" else "Barriers that matter most", style="bold")
        for one in members:
            made = f"asked by {one.asked}" if kind == "body" else f"addressed by {one.addressed}"
            measures = f"PageRank {one.pagerank}, betweenness {one.betweenness}"
            _line(f"{named(one.entity)}: {made} ({_sources(one.origins, one.independent)}), {measures}", 1)
            _claims(one.claims, 2, one.asked or one.addressed)
    _cut(found.truncated)
