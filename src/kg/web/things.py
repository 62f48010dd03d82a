"""What the page of a thing shows: who says so, on what, its links both ways, and what is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kg.answers import Answers
from kg.model import Entity, Statement
from kg.names import DCTERMS, GRAPH, OA, PEV, RDF_TYPE, SKOS

# A group with more is cut on the page, and says so; the data document has them all.
MOST_SHOWN = 100
# Who stands behind an item, where, and in what manner, in the order in which one asks.
_ATTRIBUTION = tuple(PEV + name for name in ("assertedBy", "inCapacity", "statedIn", "attributionMode", "reportedIn"))
_SAYS = (PEV + "paraphrase", SKOS + "definition", DCTERMS + "description")
_EVIDENCE, _HAS_SOURCE, _SNAPSHOT_OF = PEV + "evidence", OA + "hasSource", PEV + "snapshotOf"


@dataclass(frozen=True)
class Group:
    """The statements of one link in one direction; `total` counts those that are not shown too."""

    link: str
    heading: str
    shown: tuple[Statement, ...]
    total: int


def thing_page(answers: Answers, iri: str) -> dict[str, object]:
    """Returns what the template thing.html needs for an IRI that the release mentions."""
    statements = answers.linked_data.statements(iri)
    forward = [s for s in statements if s.direction == "forward"]
    backward = [s for s in statements if s.direction == "backward"]
    title = _title(answers.linked_data.thing([iri]), forward)
    says = next((s.value for link in _SAYS for s in forward if s.link == link), None)
    passages = answers.evidence(iri).results if any(s.link == _EVIDENCE for s in forward) else ()
    cut = answers.linked_data.passages_of_text(iri) if any(s.link == _HAS_SOURCE for s in backward) else {}
    things = list(answers.linked_data.things_in_graph(iri).items()) if iri.startswith(GRAPH) else []
    links = [s for s in forward if s.other is not None and s.link not in {RDF_TYPE, _EVIDENCE, *_ATTRIBUTION}]
    others = [s for s in backward if not (cut and s.link == _HAS_SOURCE)]
    return {
        "title": title,
        "terms": answers.linked_data.term_labels,
        "types": sorted((s for s in forward if s.link == RDF_TYPE and s.other is not None), key=_foreign),
        "says": says,
        "attribution": sorted(_groups(s for s in forward if s.link in _ATTRIBUTION), key=_asked),
        "passages": passages,
        "texts": answers.entities(p.document for p in passages),
        "cut": cut,
        "things": things[:MOST_SHOWN],
        "things_total": len(things),
        "links_out": _groups(links),
        "links_in": _groups(others),
        "facts": _groups(s for s in forward if s.other is None and s.value.value != title and s.value != says),
    }


def _title(entity: Entity, forward: Sequence[Statement]) -> str:
    """Returns what the page is called; a text has no name but that of what it is the text of."""
    held = next((s.other for s in forward if s.link == _SNAPSHOT_OF), None)
    return f"Text of “{held.label}”" if held is not None and entity.label == entity.curie else entity.label


def _foreign(statement: Statement) -> bool:
    """Our own class says more than the general one it stands beside."""
    return not statement.value.value.startswith(PEV)


def _asked(group: Group) -> int:
    return _ATTRIBUTION.index(group.link)


def _groups(statements: Iterable[Statement]) -> list[Group]:
    """Returns the statements by link; the links that are best founded come first."""
    found: dict[str, list[Statement]] = {}
    for statement in statements:
        found.setdefault(statement.link, []).append(statement)
    return [
        Group(link, _heading(members[0]), tuple(members[:MOST_SHOWN]), len(members)) for link, members in found.items()
    ]


def _heading(statement: Statement) -> str:
    """Returns how a group begins: "Is directed to", or seen from the other end "What is directed to this"."""
    if statement.direction == "backward":
        if not statement.phrase:
            return f"What points here as “{statement.label}”"
        # "belongs to the theme" ends with what this is.
        named = re.sub(r"\bthe (\w+)$", r"this \1", statement.phrase)
        return f"What {named}" if named != statement.phrase else f"What {statement.phrase} this"
    words = statement.phrase or statement.label
    return words[:1].upper() + words[1:]
