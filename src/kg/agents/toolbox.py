"""The tools at work on one release: arguments in, JSON out, every statement with its grounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kg.agents.diagnosis import Diagnosis, Diagnostician
from kg.agents.statements import NOTHING_SAID, SHORT, Statements
from kg.agents.tools import ROWS, Tool, checked, texts_of, tools_of
from kg.answers import Answers
from kg.connections.values import Paths, Restriction, WhyNone, bases
from kg.engines.guards import guard_query
from kg.engines.source import Source
from kg.errors import UnknownName
from kg.evidence import Texts
from kg.model import Answer, Cell, Entity
from kg.release.wording import cell_of
from kg.wire import Json


class Toolbox:
    """Everything that a model can do with one release.

    Args:
        answers: the front door, for our own questions.
        free: the source that evaluates what strangers write.
        texts: those at hand, for quotes.
    """

    def __init__(self, answers: Answers, free: Source, texts: Texts) -> None:
        self._answers = answers
        self._free = free
        self._texts = texts
        self._work: Mapping[str, Callable[[Mapping[str, object]], Json]] = {
            "search": self._search,
            "describe": self._describe,
            "connect": self._connect,
            "sparql": self._sparql,
        }

    @property
    def tools(self) -> list[Tool]:
        return tools_of(self._answers.questions())

    def call(self, name: str, arguments: Mapping[str, object]) -> Json:
        """Returns what a tool finds.

        Raises:
            UnknownName: there is no such tool, or no entity of a name.
            BadParameter: the arguments do not fit.
            KgError: as what the tool asks.
        """
        tool = next((tool for tool in self.tools if tool.name == name), None)
        if tool is None:
            raise UnknownName(f"There is no tool {name!r}; the list of tools has them all.")
        given = checked(tool, arguments)
        work = self._work.get(name)
        return self._ask(name, given) if work is None else work(given)

    def _search(self, given: Mapping[str, object]) -> Json:
        kind = given.get("type")
        found = self._answers.search(
            str(given["words"]), None if kind is None else str(kind), _number(given, "limit", 10)
        )
        return {
            "release": self._short,
            "results": [_named(entity) for entity in found.results],
            "truncated": found.truncated,
            "evidence": "none: these are names; describe one to see what is said of it",
        }

    def _describe(self, given: Mapping[str, object]) -> Json:
        found = self._answers.describe(str(given["entity"]), _number(given, "limit", ROWS))
        iri = found.entity.iri
        listed = Statements(self._answers)
        triples = [
            (iri, r.link, r.other.iri) if r.direction == "forward" else (r.other.iri, r.link, iri)
            for r in found.results
        ]
        listed.add(self._answers.hops(triples))
        facts = [
            listed.fact(iri, statement, found.evidence)
            for statement in self._answers.linked_data.statements(iri)
            if statement.direction == "forward" and statement.value.type == "literal"
        ]
        return {
            "release": self._short,
            "entity": _named(found.entity),
            "facts": facts,
            "statements": listed.listed,
            "truncated": found.truncated,
        }

    def _connect(self, given: Mapping[str, object]) -> Json:
        found = self._answers.connect(
            str(given["from"]),
            str(given["to"]),
            _number(given, "max_hops", 6),
            _number(given, "limit", 3),
            bases(_optional(given, "basis")),
            restriction=Restriction(
                via=_several(given, "via"),
                avoid=_several(given, "avoid"),
                direction=_optional(given, "direction") or "any",
                since=_optional(given, "since"),
                until=_optional(given, "until"),
            ),
        )
        return self._paths(found)

    def _paths(self, found: Paths) -> Json:
        listed = Statements(self._answers)
        paths = [
            {
                "length": path.length,
                "thread": path.thread,
                "verdict": path.verdict,
                "nodes": [node.curie for node in path.nodes],
                "rests_on": listed.add(path.hops),
            }
            for path in found.paths
        ]
        return {
            "release": self._short,
            "from": _named(found.start),
            "to": _named(found.end),
            "paths": paths,
            "statements": listed.listed,
            "why_none": None if found.why_none is None else _why_none(found.why_none),
            "truncated": found.truncated,
            "permalink": found.permalink,
        }

    def _ask(self, name: str, given: Mapping[str, object]) -> Json:
        return self._rows(self._answers.ask(name, texts_of(given)), ROWS)

    def _sparql(self, given: Mapping[str, object]) -> Json:
        query, most = str(given["query"]), _number(given, "limit", ROWS)
        verb = guard_query(query, self._answers.settings)
        if verb == "ASK":
            holds = self._free.ask(query)
            found: Json = {"release": self._short, "answer": holds, "evidence": NOTHING_SAID, "sparql": query}
            return found if holds else found | {"why_empty": self._why_empty(query)}
        if verb in {"CONSTRUCT", "DESCRIBE"}:
            return self._rows(self._triples(query, most), most)
        return self._rows(self._strangers(most).select(query), most)

    def _strangers(self, most: int) -> Answers:
        """Returns a front door whose queries run as those of strangers do, and give no more rows than that."""
        release = replace(self._answers.opened, source=self._free)
        return Answers(release, self._texts, replace(self._answers.settings, max_rows=most))

    def _triples(self, query: str, most: int) -> Answer:
        found = self._free.construct(query)
        columns = ("subject", "predicate", "object")
        kept = [(t.subject, t.predicate, t.object) for t in found[:most]]
        iris = {term.value for row in kept for term in row if hasattr(term, "value")}
        known = self._answers.opened.search.entities(iris)
        rows = tuple({c: cell_of(term, known) for c, term in zip(columns, row, strict=True)} for row in kept)
        return Answer(self._answers.release_id, "", {}, columns, rows, len(found) > most, query)

    def _rows(self, answer: Answer, most: int) -> Json:
        rows = answer.results[:most]
        listed = Statements(self._answers)
        rests_on = listed.of_rows(rows)
        results = [
            {**{name: self._cell(cell) for name, cell in row.items()}, "rests_on": numbers or NOTHING_SAID}
            for row, numbers in zip(rows, rests_on, strict=True)
        ]
        found: Json = {
            "release": self._short,
            "columns": list(answer.columns),
            "results": results,
            "statements": listed.listed,
            "truncated": answer.truncated or len(answer.results) > most,
            "sparql": answer.sparql,
        }
        return found if rows else found | {"why_empty": self._why_empty(answer.sparql)}

    def _cell(self, cell: Cell) -> object:
        if cell.type != "uri":
            return cell.value
        return _named(Entity(cell.value, self._answers.opened.library.prefixes.curie(cell.value), cell.label or ""))

    def _why_empty(self, query: str) -> Json:
        opened, settings = self._answers.opened, self._answers.settings
        limit_s = settings.query_time_limit_ms / 1000
        found = Diagnostician(self._free.ask, opened.search.alike, opened.library.prefixes, limit_s).why_empty(query)
        return _diagnosed(found)

    @property
    def _short(self) -> str:
        return self._answers.release_id[:SHORT]


def _why_none(found: WhyNone) -> Json:
    return {"reason": found.reason, "nearest": [_named(entity) for entity in found.nearest]}


def _diagnosed(found: Diagnosis) -> Json:
    unknown = {name: [_named(entity) for entity in nearest] for name, nearest in (found.unknown or {}).items()}
    shown: Json = {"part": found.part, "reason": found.reason, "matching_before": list(found.before)}
    return shown | ({"unknown": unknown} if unknown else {})


def _named(entity: Entity) -> Json:
    found: Json = {"id": entity.curie, "label": entity.label, "type": entity.type}
    return {key: value for key, value in found.items() if value}


def _number(given: Mapping[str, object], name: str, default: int) -> int:
    value = given.get(name, default)
    assert isinstance(value, int | float)
    return int(value)


def _optional(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    return None if value is None else str(value)


def _several(given: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = given.get(name, ())
    assert isinstance(value, Sequence)
    return tuple(map(str, value))
