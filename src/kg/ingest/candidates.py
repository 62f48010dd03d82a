"""A candidate: what a text may say, with its passage, who says it, why it was taken, and its links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from kg.evidence import sha256
from kg.ingest.labels import Kind


class Decision(StrEnum):
    """What a person decided on a candidate."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Mode(StrEnum):
    """How the text carries an item: the codes of scheme:attribution-mode."""

    OWN = "own-text"
    QUOTED = "direct-quotation"
    RELAYED = "indirect-report"


@dataclass(frozen=True)
class Attribution:
    """Who says it: `who` a body or person by name, `role` and `body` the capacity, `origin` the report relayed.

    `iri` and `origin_iri` are those of the graph, when it knows the speaker and the report.
    """

    mode: Mode = Mode.OWN
    who: str | None = None
    iri: str | None = None
    role: str | None = None
    body: str | None = None
    origin: str | None = None
    origin_iri: str | None = None


@dataclass(frozen=True)
class Alternative:
    """Another target that a link may have."""

    target: str
    label: str


@dataclass(frozen=True)
class CandidateLink:
    """A link that is proposed. `target` is an IRI of the graph, another candidate's id (`#…`), or a value."""

    type: str
    target: str
    label: str
    basis: str
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """What a text may say. Offsets are code points of the frozen text."""

    id: str
    kind: Kind
    start: int
    end: int
    sha256: str
    basis: str
    rule: str
    confidence: float
    attribution: Attribution = Attribution()
    links: tuple[CandidateLink, ...] = ()
    label: str = ""
    paraphrase: str = ""
    page: int | None = None
    hedged: bool = False
    drafted: bool = True
    decision: Decision = Decision.OPEN
    # What the structure around the passage says of it: headings, lead-in, the other cells of its row.
    context: tuple[str, ...] = ()
    hints: Mapping[str, str] | None = None
    # The name under which it was recorded first; it is never changed again.
    iri: str | None = None

    def moved(self, text: str, start: int, end: int) -> Candidate:
        """Returns the candidate with another passage of the text."""
        return replace(self, start=start, end=end, sha256=sha256(text[start:end]))

    def linked(self, *links: CandidateLink) -> Candidate:
        """Returns the candidate with further links; a link of the same type and target is not added twice."""
        known = {(link.type, link.target) for link in self.links}
        return replace(self, links=(*self.links, *(x for x in links if (x.type, x.target) not in known)))


def candidate_json(candidate: Candidate) -> dict[str, object]:
    """Returns a candidate as `kg ingest --format json` prints it."""
    attribution = candidate.attribution
    return {
        "id": candidate.id,
        "kind": candidate.kind.value,
        "start": candidate.start,
        "end": candidate.end,
        "sha256": candidate.sha256,
        "page": candidate.page,
        "label": candidate.label,
        "paraphrase": candidate.paraphrase,
        "basis": candidate.basis,
        "rule": candidate.rule,
        "confidence": round(candidate.confidence, 2),
        "hedged": candidate.hedged,
        "attribution": {
            name: value.value if isinstance(value, Mode) else value
            for name, value in vars(attribution).items()
            if value is not None
        },
        "links": [
            {
                "type": link.type,
                "target": link.target,
                "label": link.label,
                "basis": link.basis,
                "alternatives": [{"target": a.target, "label": a.label} for a in link.alternatives],
            }
            for link in candidate.links
        ],
    }
