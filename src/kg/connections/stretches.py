"""What a path is stitched from, and the path as a paragraph that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from kg.connections.values import Hop, Stretch
from kg.model import Basis, Entity
from kg.release.wording import listed


def stretches_of(hops: Sequence[Hop], called: Callable[[str], Entity]) -> tuple[Stretch, ...]:
    """Returns the stretches of a path: as long as one origin, or background, reaches, then the next.

    Args:
        called: what a document is called, by its IRI.
    """
    found: list[Stretch] = []
    first, shared = 0, set(hops[0].origins)
    for number, hop in enumerate(hops[1:], start=1):
        common = shared & set(hop.origins)
        if common or not (shared or hop.origins):
            shared = common
            continue
        found.append(_stretch(hops, first, number, shared, called))
        first, shared = number, set(hop.origins)
    return (*found, _stretch(hops, first, len(hops), shared, called))


def _stretch(
    hops: Sequence[Hop], first: int, end: int, origins: Iterable[str], called: Callable[[str], Entity]
) -> Stretch:
    joined_at = hops[first].start if first else None
    return Stretch(first + 1, end, tuple(called(iri) for iri in sorted(origins)), joined_at)


def told(hop: Hop) -> str:
    """Returns the sentence of a hop, with how the texts carry it and when it was said."""
    details = [detail for detail in (hop.mode, hop.date if hop.basis is Basis.SAID else None) if detail]
    return f"{hop.sentence[:-1]} ({', '.join(details)})." if details else hop.sentence


def verdict(hops: Sequence[Hop], stretches: Sequence[Stretch], issued: Mapping[str, str]) -> str:
    """Returns whose chain a path is, and if nobody's, by what it is stitched.

    Args:
        issued: when documents were issued, by IRI.
    """
    ours = [n for n, hop in enumerate(hops, start=1) if hop.basis in (Basis.JUDGED, Basis.INFERRED)]
    if len(stretches) == 1 and stretches[0].origins:
        source = _documents(stretches[0], issued)
        added = f"; {_hops(ours)} {'is' if len(ours) == 1 else 'are'} our reading of it" if ours else ""
        return f"One source stands behind the whole chain: {source}{added}."
    parts = [_part(stretch, issued) for stretch in stretches]
    if len(stretches) == 1:
        return f"No source makes this chain: {parts[0]}."
    met = listed(list(dict.fromkeys(s.joined_at.label for s in stretches if s.joined_at is not None)))
    return f"No single source makes this chain; it is stitched, joined at {met}: {'; '.join(parts)}."


def _part(stretch: Stretch, issued: Mapping[str, str]) -> str:
    numbers = range(stretch.first, stretch.last + 1)
    verb = "is" if len(numbers) == 1 else "are"
    if not stretch.origins:
        return f"{_hops(numbers)} {verb} background that no document here states"
    return f"{_hops(numbers)} {'rests' if len(numbers) == 1 else 'rest'} on {_documents(stretch, issued)}"


def _documents(stretch: Stretch, issued: Mapping[str, str]) -> str:
    names = (f"{d.label} ({issued[d.iri]})" if d.iri in issued else d.label for d in stretch.origins)
    return listed(list(names))


def _hops(numbers: Sequence[int]) -> str:
    return f"hop {numbers[0]}" if len(numbers) == 1 else f"hops {listed(list(map(str, numbers)))}"
