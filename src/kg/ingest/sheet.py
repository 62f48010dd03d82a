"""The sheet of a document: a TOML file of its candidates that a person can read and edit.

It holds every decision. It is replaced whole at each, so that nothing accepted is ever lost.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kg.errors import DataError
from kg.evidence import sha256
from kg.ingest.candidates import Alternative, Attribution, Candidate, CandidateLink, Decision, Mode
from kg.ingest.held import write_whole
from kg.ingest.labels import Kind
from kg.ingest.normal import view
from kg.names import Prefixes

ENDING = ".candidates.toml"
_HEAD = """\
# Candidates of {file}. `kg review {folder}` walks through them; this file may also be edited by hand.
# decision: open, accepted or rejected. Only accepted ones enter the graph.
# label (at most 80 characters) and paraphrase (at most 300) are your words: not six in a row from the text.
# A passage is start and end, in characters of the frozen text; leave sha256 empty after changing them.
# A link's target is a name of the graph, another candidate (#c4), or a value; choose among its alternatives.
"""
_LONGEST_QUOTE = 240


@dataclass(frozen=True)
class Sheet:
    """A document's candidates, with what is known about the document."""

    path: Path
    about: Mapping[str, Any]
    bodies: tuple[Mapping[str, Any], ...]
    candidates: tuple[Candidate, ...]
    orphans: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def slug(self) -> str:
        return str(self.about["slug"])

    @property
    def text_sha256(self) -> str:
        return str(self.about["text_sha256"])

    def candidate(self, identifier: str) -> Candidate:
        """Returns the candidate with an id.

        Raises:
            DataError: there is none.
        """
        found = next((c for c in self.candidates if c.id == identifier), None)
        if found is None:
            raise DataError(f"has no candidate {identifier}.", self.path)
        return found

    def with_(self, *changed: Candidate) -> Sheet:
        """Returns the sheet with candidates changed or, where their id is new, added in the order of the text."""
        by_id = {c.id: c for c in self.candidates} | {c.id: c for c in changed}
        ordered = sorted(by_id.values(), key=lambda c: (c.start, -c.end, c.kind, c.id))
        return replace(self, candidates=tuple(ordered))

    def without(self, *identifiers: str) -> Sheet:
        """Returns the sheet without some candidates."""
        return replace(self, candidates=tuple(c for c in self.candidates if c.id not in identifiers))


def write_sheet(sheet: Sheet, text: str, prefixes: Prefixes) -> None:
    """Writes a sheet in place of the one before, whole."""
    write_whole(sheet.path, sheet_text(sheet, text, prefixes).encode())


def sheet_text(sheet: Sheet, text: str, prefixes: Prefixes) -> str:
    """Returns a sheet as it is written; the same sheet always as the same text."""
    parts = [_HEAD.format(file=sheet.about.get("file", ""), folder=sheet.path.parent.name or ".")]
    parts.append("\n[document]\n" + _table({k: v for k, v in sheet.about.items() if not isinstance(v, Mapping)}))
    for name, value in sheet.about.items():
        if isinstance(value, Mapping):
            parts.append(f"\n[document.{name}]\n" + _table(value))
    parts += ["\n[[body]]\n" + _table(body) for body in sheet.bodies]
    parts += ["\n[[orphan]]\n" + _table(orphan) for orphan in sheet.orphans]
    parts += [_candidate_text(candidate, text, prefixes) for candidate in sheet.candidates]
    return "".join(parts)


def _candidate_text(candidate: Candidate, text: str, prefixes: Prefixes) -> str:
    quote = view(text, candidate.start, candidate.end).text
    shown = quote if len(quote) <= _LONGEST_QUOTE else f"{quote[:_LONGEST_QUOTE]} …"
    # What a comment may hold: no control characters.
    shown = "".join(c for c in shown if c.isprintable())
    where = f"page {candidate.page}: " if candidate.page else ""
    return f"\n[[candidate]]  # {where}“{shown}”\n" + _table(candidate_table(candidate, prefixes))


def candidate_table(candidate: Candidate, prefixes: Prefixes) -> dict[str, object]:
    """Returns a candidate as a table of plain values, as a sheet holds it."""
    return {
        "id": candidate.id,
        "decision": candidate.decision.value,
        "iri": candidate.iri,
        "kind": candidate.kind.value,
        "label": candidate.label,
        "paraphrase": candidate.paraphrase,
        "drafted": candidate.drafted,
        "start": candidate.start,
        "end": candidate.end,
        "sha256": candidate.sha256,
        "page": candidate.page,
        "basis": candidate.basis,
        "rule": candidate.rule,
        "confidence": round(candidate.confidence, 3),
        "hedged": candidate.hedged,
        "context": list(candidate.context),
        "hints": dict(candidate.hints) if candidate.hints else None,
        "attribution": {k: str(v) for k, v in vars(candidate.attribution).items() if v is not None},
        "links": [_link_table(link, prefixes) for link in candidate.links],
    }


def _link_table(link: CandidateLink, prefixes: Prefixes) -> dict[str, object]:
    table: dict[str, object] = {
        "type": prefixes.curie(link.type),
        "target": prefixes.curie(link.target),
        "label": link.label,
        "basis": link.basis,
    }
    if link.alternatives:
        table["alternatives"] = [{"target": prefixes.curie(a.target), "label": a.label} for a in link.alternatives]
    return table


def _table(values: Mapping[str, object]) -> str:
    return "".join(
        f"{name} = {_value(value, name == 'links')}\n" for name, value in values.items() if value is not None
    )


def _value(value: object, a_line_each: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items() if inner is not None) + " }"
    if isinstance(value, list | tuple):
        inner = [_value(entry) for entry in value]
        return (
            "[\n" + "".join(f"    {entry},\n" for entry in inner) + "]"
            if a_line_each and inner
            else f"[{', '.join(inner)}]"
        )
    # JSON's strings are TOML's, but for one control character.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def read_sheet(path: Path, text: str | None, prefixes: Prefixes) -> Sheet:
    """Returns a sheet as it stands, edited by hand or not.

    Args:
        path: the file.
        text: the frozen text, with which passages are checked; None to leave them unchecked.
        prefixes: those of the workspace.

    Raises:
        DataError: it is no TOML, lacks something, or a passage is not what its hash says.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}.", path) from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise DataError(f"is not TOML: {error}.", path, int(line[1]) if line else None) from error
    if not isinstance(told.get("document"), dict) or "text_sha256" not in told["document"]:
        raise DataError("lacks its [document]; it is no sheet of candidates.", path)
    candidates = tuple(candidate_of(entry, text, prefixes, path) for entry in told.get("candidate", []))
    if len({c.id for c in candidates}) < len(candidates):
        raise DataError("has two candidates with one id.", path)
    sheet = Sheet(path, told["document"], tuple(told.get("body", [])), candidates, tuple(told.get("orphan", [])))
    return replace(sheet, candidates=tuple(sorted(candidates, key=lambda c: (c.start, -c.end, c.kind, c.id))))


def candidate_of(told: Mapping[str, Any], text: str | None, prefixes: Prefixes, path: Path) -> Candidate:
    """Returns the candidate that a table of plain values describes.

    Raises:
        DataError: it lacks something, or its passage is not what its hash says.
    """
    name = told.get("id", "a candidate without id")
    try:
        start, end = int(told["start"]), int(told["end"])
        digest = told.get("sha256") or (sha256(text[start:end]) if text is not None else "")
        if text is not None and not (0 <= start < end <= len(text) and sha256(text[start:end]) == digest):
            raise DataError(
                f"{name}: the passage {start} to {end} is not what its sha256 says; leave that empty for the new one.",
                path,
            )
        return Candidate(
            id=str(told["id"]),
            kind=Kind(told["kind"]),
            start=start,
            end=end,
            sha256=digest,
            basis=told.get("basis", "hand"),
            rule=told.get("rule", "by hand"),
            confidence=float(told.get("confidence", 1.0)),
            attribution=_attribution(told.get("attribution", {})),
            links=tuple(_link(link, prefixes) for link in told.get("links", [])),
            decision=Decision(told.get("decision", "open")),
            context=tuple(told.get("context", ())),
            hedged=bool(told.get("hedged", False)),
            drafted=bool(told.get("drafted", False)),
            **{name: told[name] for name in ("label", "paraphrase", "page", "hints", "iri") if name in told},
        )
    except (KeyError, ValueError, TypeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(f"{name}: {what}.", path) from error


def _attribution(told: Mapping[str, Any]) -> Attribution:
    return Attribution(**{**told, "mode": Mode(told.get("mode", Mode.OWN))})


def _link(told: Mapping[str, Any], prefixes: Prefixes) -> CandidateLink:
    others = tuple(Alternative(_iri(a["target"], prefixes), a["label"]) for a in told.get("alternatives", ()))
    return CandidateLink(
        _iri(told["type"], prefixes),
        _iri(told["target"], prefixes),
        told.get("label", ""),
        told.get("basis", "judged"),
        others,
    )


def _iri(name: str, prefixes: Prefixes) -> str:
    return name if name.startswith("#") else prefixes.iri(name) or name
