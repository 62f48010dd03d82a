"""Answers as JSON: exactly what the API returns and `--format json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, get_args

from kg.connections.values import Hop, LinkFound, Path, Paths, Searched, Stretch, WhyNone
from kg.errors import AmbiguousName, BadSparql, BrokenRules, EngineTimeout, KgError, LimitError, UnknownName
from kg.library import Question
from kg.model import (
    Answer,
    Cell,
    Change,
    Description,
    Diff,
    Entity,
    Evidence,
    Finding,
    Matches,
    Neighbours,
    Passage,
    Relation,
    ReleaseInfo,
    StatementChange,
    Subgraph,
    ThingChange,
    Vocabulary,
)

if TYPE_CHECKING:
    from kg.citations import Citation

Json = dict[str, object]


def entity(value: Entity) -> Json:
    """Returns {iri, curie, label, type}, and the scheme of a theme."""
    found: Json = {"iri": value.iri, "curie": value.curie, "label": value.label, "type": value.type}
    return found | ({"scheme": value.scheme} if value.scheme else {})


def passage(value: Passage) -> Json:
    """Returns a passage as hops and evidence show it; `quote` is null when the text is not held."""
    return {
        "passage": value.iri,
        "document": value.document,
        "start": value.start,
        "end": value.end,
        "sha256": value.sha256,
        "text_sha256": value.text_sha256,
        "quote": value.quote,
    }


def answer(value: Answer) -> Json:
    """Returns {release, name, parameters, columns, results, truncated, sparql}."""
    return {
        "release": value.release,
        "name": value.name,
        "parameters": dict(value.parameters),
        "columns": list(value.columns),
        "results": [{name: _cell(cell) for name, cell in row.items()} for row in value.results],
        "truncated": value.truncated,
        "sparql": value.sparql,
    }


def _cell(value: Cell) -> Json:
    found = asdict(value)
    return {key: part for key, part in found.items() if part is not None}


def questions(release: str, listed: Sequence[Question]) -> Json:
    """Returns {release, results: [{name, summary, parameters, columns}], truncated}."""
    results = [
        {
            "name": question.name,
            "summary": question.summary,
            "parameters": [asdict(p) | {"example": list(p.example)} for p in question.parameters],
            "columns": [asdict(column) for column in question.columns],
        }
        for question in listed
    ]
    return {"release": release, "results": results, "truncated": False}


def matches(value: Matches) -> Json:
    """Returns {release, query, results: [entity], truncated, sparql}."""
    return {
        "release": value.release,
        "query": value.query,
        "results": [entity(found) for found in value.results],
        "truncated": value.truncated,
        "sparql": value.sparql,
    }


def neighbours(value: Neighbours) -> Json:
    """Returns {release, entity, total, relations: [{link, label, direction, count, by_basis}], results, truncated}."""
    return {
        "release": value.release,
        "entity": entity(value.entity),
        "total": value.total,
        "relations": [asdict(found) for found in value.relations],
        "results": [relation(found) for found in value.results],
        "truncated": value.truncated,
    }


def relation(value: Relation) -> Json:
    """Returns {link, label, phrase, direction, entity, basis, origins}."""
    return {
        "link": value.link,
        "label": value.label,
        "phrase": value.phrase,
        "direction": value.direction,
        "entity": entity(value.other),
        "basis": value.basis.value,
        "origins": list(value.origins),
    }


def subgraph(value: Subgraph) -> Json:
    """Returns {release, entities, links: [{from, link, to, label, basis, origins}], unknown, truncated, sparql}."""
    links = [
        {
            "from": link.subject,
            "link": link.predicate,
            "to": link.object,
            "label": value.labels[link.predicate],
            "basis": link.basis.value,
            "origins": list(link.origins),
        }
        for link in value.links
    ]
    entities = [entity(found) for found in value.entities]
    return {
        "release": value.release,
        "entities": entities,
        "links": links,
        "unknown": list(value.unknown),
        "truncated": value.truncated,
        "sparql": value.sparql,
    }


def link(value: LinkFound) -> Json:
    """Returns a hop with {release, entities}: the documents that it names."""
    return {"release": value.release, **_hop(value.hop), "entities": [entity(found) for found in value.entities]}


def vocabulary(value: Vocabulary) -> Json:
    """Returns {release, prefixes, classes, properties, documents: [entity with date]}."""
    return {
        "release": value.release,
        "prefixes": dict(value.prefixes),
        "classes": [asdict(term) for term in value.classes],
        "properties": [asdict(term) for term in value.properties],
        "documents": [entity(document) | {"date": date} for document, date in value.documents],
    }


def description(value: Description) -> Json:
    """Returns the entity with {release, says, facts, results: [relation], evidence, truncated, sparql}."""
    return {
        "release": value.release,
        **entity(value.entity),
        "says": value.says,
        "facts": [asdict(fact) for fact in value.facts],
        "results": [relation(found) for found in value.results],
        "evidence": [passage(found) for found in value.evidence],
        "truncated": value.truncated,
        "sparql": value.sparql,
    }


def evidence(value: Evidence) -> Json:
    """Returns {release, item, results: [passage], truncated}."""
    return {
        "release": value.release,
        "item": entity(value.entity),
        "results": [passage(found) for found in value.results],
        "truncated": value.truncated,
    }


def paths(value: Paths) -> Json:
    """Returns {release, from, to, paths, searched, why_none, truncated, sparql, permalink}."""
    return {
        "release": value.release,
        "from": entity(value.start),
        "to": entity(value.end),
        "paths": [_path(found) for found in value.paths],
        "searched": _searched(value.searched),
        "why_none": None if value.why_none is None else _why_none(value.why_none),
        "truncated": value.truncated,
        "sparql": value.sparql,
        "permalink": value.permalink,
    }


def _searched(value: Searched) -> Json:
    return {
        "max_hops": value.max_hops,
        "reached": value.reached,
        "complete": value.complete,
        "shortest": value.shortest,
        "candidates": value.candidates,
        "expanded": value.expanded,
        "levels": {"from": list(value.levels_from), "to": list(value.levels_to)},
    }


def _why_none(value: WhyNone) -> Json:
    missing = value.missing
    return {
        "reason": value.reason,
        "kind": value.kind,
        "exhausted": value.exhausted,
        "nearest": [entity(found) for found in value.nearest],
        "links": list(value.links),
        "missing": None
        if missing is None
        else {
            "from": entity(missing.subject),
            "link": missing.link,
            "label": missing.label,
            "to": entity(missing.object),
            "hops": missing.hops,
            "fits": missing.fits,
        },
    }


def _path(value: Path) -> Json:
    return {
        "length": value.length,
        "score": value.score,
        "parts": asdict(value.parts),
        "thread": value.thread,
        "origins": list(value.origins),
        "counts": {"origins": len(value.sources), "independent": value.independent},
        "stretches": [_stretch(found) for found in value.stretches],
        "nodes": [entity(node) for node in value.nodes],
        "hops": [_hop(hop) for hop in value.hops],
        "verdict": value.verdict,
        "text": value.text,
    }


def _stretch(value: Stretch) -> Json:
    return {
        "hops": [value.first, value.last],
        "origins": [entity(origin) for origin in value.origins],
        "joined_at": None if value.joined_at is None else entity(value.joined_at),
    }


def _hop(value: Hop) -> Json:
    return {
        "from": value.start.iri,
        "to": value.end.iri,
        "link": value.link,
        "label": value.label,
        "direction": value.direction,
        "basis": value.basis.value,
        "origins": list(value.origins),
        "counts": {"origins": len(value.origins), "independent": value.independent},
        "asserted_by": [entity(agent) for agent in value.asserted_by],
        "mode": value.mode,
        "date": value.date,
        "sentence": value.sentence,
        "evidence": [passage(found) for found in value.evidence],
    }


def analysed(value: object) -> Json:
    """Returns an answer to a question on the whole: its fields by name, entities and passages as everywhere.

    A field that is named for a word of Python (`from_`) loses its underscore.
    """
    found = _plain(value)
    assert isinstance(found, dict)
    return found


def _plain(value: object) -> object:
    if isinstance(value, Entity):
        return entity(value)
    if isinstance(value, Passage):
        return passage(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name.rstrip("_"): _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    return value.value if isinstance(value, StrEnum) else value


def release(value: ReleaseInfo) -> Json:
    """Returns {release, built, commit, counts, graphs}."""
    return asdict(value)


def citation(value: Citation) -> Json:
    """Returns {release, title, query, permalink, built, accessed, text, bibtex, csl}."""
    found: Json = {"release": value.release, "title": value.title, "query": value.query, "permalink": value.permalink}
    found |= {"built": value.built, "accessed": value.accessed.isoformat()}
    return found | {"text": value.text, "bibtex": value.bibtex, "csl": value.csl}


def diff(value: Diff) -> Json:
    """Returns {release, from, to, summary, kinds, graphs, questions, context_changed, results, total, truncated}.

    Shape: `release` is the one compared to; `graphs` and `questions` have under added, removed and
    changed the names of those that are.
    """
    return {
        "release": value.end,
        "from": value.start,
        "to": value.end,
        "summary": value.summary,
        "kinds": [asdict(kind) for kind in value.kinds],
        "graphs": _by_change(value.graphs),
        "questions": _by_change(value.questions),
        "context_changed": value.context_changed,
        "results": [_thing_change(thing) for thing in value.results],
        "total": value.total,
        "complete": value.complete,
        "truncated": value.truncated,
    }


def _by_change(changes: Mapping[str, Change]) -> Json:
    return {wanted: [n for n, change in changes.items() if change == wanted] for wanted in get_args(Change)}


def _thing_change(value: ThingChange) -> Json:
    return {
        "change": value.change,
        **entity(value.entity),
        "statements": [_statement_change(statement) for statement in value.statements],
    }


def _statement_change(value: StatementChange) -> Json:
    return {
        "change": value.change,
        "link": value.link,
        "label": value.label,
        "basis": value.basis,
        "basis_before": value.basis_before,
        "before": [_cell(cell) for cell in value.before],
        "after": [_cell(cell) for cell in value.after],
        "sentence": value.sentence,
    }


def findings(value: Sequence[Finding]) -> Json:
    """Returns {results: [{severity, rule, message, path, line}], truncated}."""
    return {"results": [asdict(finding) for finding in value], "truncated": False}


def problem(error: KgError, status: int) -> Json:
    """Returns the one JSON shape of an error.

    Source: RFC 9457, section 3.1; `nearest`, `findings`, `limit`, `line` and `column` are extension members.
    """
    found: Json = {"type": "about:blank", "title": error.title, "status": status, "detail": str(error)}
    extra: Mapping[str, object] = {}
    if isinstance(error, UnknownName | AmbiguousName):
        extra = {"nearest": [entity(e) for e in error.nearest]}
    elif isinstance(error, BrokenRules):
        extra = {"findings": [asdict(finding) for finding in error.findings]}
    elif isinstance(error, LimitError | EngineTimeout):
        extra = {"limit": error.limit}
    elif isinstance(error, BadSparql) and error.line:
        extra = {"line": error.line, "column": error.column}
    return {**found, **extra}
