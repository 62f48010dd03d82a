"""A sheet as JSON: what `kg ingest --format json` prints, a line a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kg.ingest.candidates import candidate_json
from kg.ingest.gate import Rejected
from kg.ingest.sheet import Sheet

_FACTS = ("title", "publisher", "authors", "date", "language", "series")


def sheet_json(sheet: Sheet, file: str, rejected: Sequence[Rejected] = ()) -> dict[str, object]:
    """Returns a document with its candidates.

    Shape: `document` has the file, its SHA-256, and title, publisher, authors, date, language and
    series (null where not found), with `found` telling where each was found.
    """
    about = sheet.about
    facts = {name: about[name] for name in _FACTS if isinstance(about.get(name), Mapping)}
    return {
        "document": {
            "file": file,
            "sha256": about["sha256"],
            **{name: facts[name]["value"] if name in facts else None for name in _FACTS},
            "found": {name: fact["where"] for name, fact in facts.items()},
            "type": about.get("type"),
            "pages": about.get("pages"),
            "parser": about.get("parser"),
            "same_as": about.get("same_as"),
            "relays": about.get("relays"),
        },
        "text_sha256": sheet.text_sha256,
        "sheet": sheet.path.name,
        "organisations": [dict(body) for body in sheet.bodies],
        "candidates": [candidate_json(candidate) for candidate in sheet.candidates],
        "orphans": [dict(orphan) for orphan in sheet.orphans],
        "rejected": [{"reason": refused.reason, "proposal": refused.proposal} for refused in rejected],
    }
