"""Statements as a model is given them: each with its basis, its passages and the release, or with why it has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

from kg.answers import Answers
from kg.connections.values import Hop
from kg.model import Basis, Cell, Passage, Statement
from kg.names import PEV
from kg.wire import Json

# So many digits of a release's id name it everywhere.
SHORT = 12
_STATED_IN = PEV + "statedIn"
_WITHOUT: Mapping[Basis, str] = {
    Basis.SAID: "none: it is recorded as said, and no passage of a text is cut for it",
    Basis.JUDGED: "none: it is this project's judgement; no text says it",
    Basis.INFERRED: "none: a rule concludes it; no text says it",
    Basis.REFERENCE: "none: it is background, recorded without a passage",
}
NOTHING_SAID = "none: no statement of the graph joins what stands in this row; cite the query, not a text"

Triple = tuple[str, str, str]


class Statements:
    """The statements of one answer, each once, in the order in which they are first needed."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._curie = answers.opened.library.prefixes.curie
        self._numbers: dict[Triple, int] = {}
        self.listed: list[Json] = []

    def add(self, hops: Iterable[Hop]) -> list[int]:
        """Returns the numbers of some statements in the list."""
        return [self._number(hop) for hop in hops]

    def _number(self, hop: Hop) -> int:
        triple = triple_of(hop)
        if triple not in self._numbers:
            self._numbers[triple] = len(self.listed)
            self.listed.append({"n": len(self.listed), **self._shown(hop, triple)})
        return self._numbers[triple]

    def _shown(self, hop: Hop, triple: Triple) -> Json:
        found: Json = {
            "sentence": hop.sentence,
            "triple": " ".join(map(self._curie, triple)),
            "basis": hop.basis.value,
            "origins": [self._curie(origin) for origin in hop.origins],
        }
        if hop.date:
            found["date"] = hop.date
        return found | self.grounds(hop.basis, hop.evidence)

    def grounds(self, basis: Basis, passages: Sequence[Passage]) -> Json:
        """Returns {evidence, release}: passages, or in words why there are none."""
        shown = [self.passage(passage) for passage in passages]
        return {"evidence": shown or _WITHOUT[basis], "release": self._answers.release_id[:SHORT]}

    def passage(self, passage: Passage) -> Json:
        """Returns a passage: its name, whose text it is cut from, where, and the quote if the text is held."""
        found: Json = {
            "passage": self._curie(passage.iri),
            "document": self._curie(passage.document),
            "characters": [passage.start, passage.end],
        }
        return found | ({"quote": passage.quote} if passage.quote is not None else {})

    def of_rows(self, rows: Sequence[Mapping[str, Cell]]) -> list[list[int]]:
        """Returns for each row the numbers of the statements that it rests on.

        These are the links between the things in the row; where there are none, that its items are
        stated in their origins.
        """
        things = [list(dict.fromkeys(c.value for c in row.values() if c.type == "uri")) for row in rows]
        between = self._between({iri for row in things for iri in row})
        wanted = [[t for pair in permutations(row, 2) for t in between.get(pair, ())] for row in things]
        stated = self._stated({iri for row, links in zip(things, wanted, strict=True) if not links for iri in row})
        wanted = [
            links or [t for iri in row for t in stated.get(iri, ())] for row, links in zip(things, wanted, strict=True)
        ]
        hops = self._answers.hops(list(dict.fromkeys(t for links in wanted for t in links)))
        known = {triple_of(hop): hop for hop in hops}
        return [self.add(known[t] for t in links if t in known) for links in wanted]

    def _between(self, iris: set[str]) -> dict[tuple[str, str], list[Triple]]:
        found: dict[tuple[str, str], list[Triple]] = {}
        for link in self._answers.subgraph(sorted(iris)).links:
            if link.subject != link.object:
                found.setdefault((link.subject, link.object), []).append((link.subject, link.predicate, link.object))
        return found

    def _stated(self, iris: set[str]) -> dict[str, list[Triple]]:
        """Returns for each item that it is stated in its origins."""
        found: dict[str, list[Triple]] = {}
        for link in self._answers.links_from(sorted(iris)):
            if link.predicate == _STATED_IN:
                found.setdefault(link.subject, []).append((link.subject, link.predicate, link.object))
        return found

    def fact(self, subject: str, statement: Statement, passages: Sequence[Passage]) -> Json:
        """Returns a statement whose object is a value: {property, value, basis, evidence, release}.

        An item's passages stand behind what its text says, not behind what was judged of it.
        """
        basis = statement.basis or Basis.REFERENCE
        found: Json = {
            "triple": f"{self._curie(subject)} {self._curie(statement.link)}",
            "says": f"{statement.label}: {statement.value.value}",
            "basis": basis.value,
        }
        return found | self.grounds(basis, passages if basis is Basis.SAID else ())


def triple_of(hop: Hop) -> Triple:
    """Returns the link of a hop as it stands in the graph, whichever way it was walked."""
    ends = (hop.start.iri, hop.end.iri)
    subject, object_ = ends if hop.direction == "forward" else ends[::-1]
    return subject, hop.link, object_
