"""What a file gave becomes its sheet; a corrected version takes over what still holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kg.errors import DataError
from kg.ingest.blocks import Document
from kg.ingest.candidates import Candidate, CandidateLink, Decision
from kg.ingest.held import held, keep
from kg.ingest.pipeline import Ingested
from kg.ingest.sheet import ENDING, Sheet, read_sheet, write_sheet
from kg.names import Prefixes, slug


@dataclass(frozen=True)
class Taken:
    """What became of a file's sheet."""

    sheet: Sheet
    state: str
    carried: int = 0


@dataclass(frozen=True)
class Intake:
    """Where sheets and texts go."""

    folder: Path
    library: Path
    prefixes: Prefixes

    def sheet_paths(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{ENDING}"))

    def done(self) -> dict[str, str]:
        """Returns the SHA-256 of the files whose sheets stand, with the names of the sheets."""
        return {str(self.read(path, checked=False).about.get("sha256")): path.name for path in self.sheet_paths()}

    def read(self, path: Path, checked: bool = True) -> Sheet:
        """Returns a sheet, its passages checked with the text that is held."""
        sheet = read_sheet(path, None, self.prefixes)
        return read_sheet(path, self.text(sheet), self.prefixes) if checked else sheet

    def document(self, sheet: Sheet) -> Document:
        """Returns the held document of a sheet."""
        return held(sheet.text_sha256, self.library)

    def text(self, sheet: Sheet) -> str:
        return self.document(sheet).text

    def take(self, ingested: Ingested, again: bool = False) -> Taken:
        """Puts what a file gave into library and sheet; the text first, so that every sheet has its text.

        Args:
            ingested: what the file gave.
            again: the sheet that stands is of the same text and is to be made anew, decisions kept.
        """
        document = ingested.document
        keep(document, self.library)
        path = self._path(document)
        sheet = _new_sheet(path, ingested)
        before = self.read(path, checked=False) if path.exists() else None
        if before is not None and before.text_sha256 == document.text_sha256 and not again:
            return Taken(before, "as before")
        carried = 0
        if before is not None:
            sheet, carried = carried_over(before, held(before.text_sha256, self.library).text, sheet, document.text)
            sheet = replace(sheet, about={**sheet.about, **_facts_by_hand(before), **_previous(before, document)})
        write_sheet(sheet, document.text, self.prefixes)
        same = before is not None and before.text_sha256 == document.text_sha256
        return Taken(sheet, "new" if before is None else "read again" if same else "corrected", carried)

    def take_table(self, ingested: Ingested) -> Taken:
        """Puts the items of a table into library and sheet: the table is what counts, names once given stay."""
        document = ingested.document
        keep(document, self.library)
        path = self._path(document)
        sheet = _new_sheet(path, ingested)
        before = self.read(path, checked=False) if path.exists() else None
        if before is not None:
            named = {(c.kind, c.sha256): c.iri for c in before.candidates}
            kept = [replace(c, iri=named.get((c.kind, c.sha256))) for c in sheet.candidates]
            sheet = replace(sheet.with_(*kept), about={**sheet.about, **_previous(before, document)})
        write_sheet(sheet, document.text, self.prefixes)
        return Taken(sheet, "new" if before is None else "read again")

    def _path(self, document: Document) -> Path:
        """Returns where a document's sheet stands: by the file's name."""
        name = slug(Path(document.file).stem)[:60] or document.sha256[:12]
        return self.folder / f"{name}{ENDING}"


def _facts_by_hand(before: Sheet) -> dict[str, Any]:
    """Returns what a person corrected about the document, which a new reading does not take back."""
    told = {
        name: value
        for name, value in before.about.items()
        if isinstance(value, dict) and value.get("where") == "by hand"
    }
    return told | {name: before.about[name] for name in ("slug", "reviews") if name in before.about}


def _previous(before: Sheet, document: Document) -> dict[str, Any]:
    """Returns the texts that the sheet was of before."""
    texts = [*before.about.get("previous", []), before.text_sha256]
    other = [digest for digest in dict.fromkeys(texts) if digest != document.text_sha256]
    return {"previous": other} if other else {}


def _new_sheet(path: Path, ingested: Ingested) -> Sheet:
    document = ingested.document
    about: dict[str, Any] = {
        "slug": path.name.removesuffix(ENDING),
        "file": document.file,
        "sha256": document.sha256,
        "text_sha256": document.text_sha256,
        "characters": len(document.text),
        "pages": document.pages,
        "parser": f"{document.parser} {document.parser_version}",
        "type": ingested.type.value,
        "publisher_iri": ingested.publisher,
        "relays": ingested.origin,
        "same_as": ingested.same_as,
        **{name: {"value": found.value, "where": found.where} for name, found in document.properties.items()},
    }
    bodies = tuple(
        {
            "iri": b.iri,
            "label": b.label,
            "known": b.known,
            "generic": b.generic,
            **({"suggested": True} if b.suggested else {}),
            "mentions": [list(m) for m in b.mentions],
        }
        for b in ingested.bodies
    )
    return Sheet(path, {k: v for k, v in about.items() if v is not None}, bodies, ingested.candidates)


def carried_over(before: Sheet, old: str, sheet: Sheet, new: str) -> tuple[Sheet, int]:
    """Returns the sheet of a corrected text with the decisions on passages that still stand, and how many.

    A passage is carried over when its words occur exactly once in the new text. Decisions on any
    other become orphans, which are listed with the old words' place; nothing is placed by guess.
    """
    carried: list[Candidate] = []
    orphans: list[dict[str, Any]] = [dict(orphan) for orphan in before.orphans]
    for candidate in before.candidates:
        if candidate.decision is Decision.OPEN and candidate.drafted:
            continue
        words = old[candidate.start : candidate.end]
        at = new.find(words)
        if at >= 0 and new.find(words, at + 1) < 0:
            carried.append(candidate.moved(new, at, at + len(words)))
        else:
            orphans.append(_orphan(candidate, before.text_sha256))
    taken = {c.id for c in carried}
    fresh = [c for c in sheet.candidates if not any(_covers(c, known) for known in carried)]
    names = _free_names(taken | {c.id for c in before.candidates})
    renamed = {c.id: next(names) if c.id in taken else c.id for c in fresh}
    return replace(sheet, candidates=(), orphans=tuple(orphans)).with_(*carried, *_renamed(fresh, renamed)), len(
        carried
    )


def _orphan(candidate: Candidate, text_sha256: str) -> dict[str, Any]:
    kept = ("id", "label", "paraphrase", "start", "end", "sha256", "iri")
    told = {name: getattr(candidate, name) for name in kept if getattr(candidate, name) is not None}
    return told | {"kind": candidate.kind.value, "decision": candidate.decision.value, "text_sha256": text_sha256}


def _covers(one: Candidate, other: Candidate) -> bool:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return one.kind is other.kind and shared * 2 >= min(one.end - one.start, other.end - other.start)


def _free_names(taken: set[str]) -> Iterator[str]:
    number = 1
    while True:
        if f"c{number}" not in taken:
            yield f"c{number}"
        number += 1


def _renamed(candidates: list[Candidate], names: dict[str, str]) -> list[Candidate]:
    """Returns candidates under other ids, and their links to each other with them."""

    def pointed(link: CandidateLink) -> CandidateLink:
        return (
            replace(link, target=f"#{names.get(link.target[1:], link.target[1:])}") if link.target[0] == "#" else link
        )

    return [replace(c, id=names[c.id], links=tuple(map(pointed, c.links))) for c in candidates]


def nearest_lines(old: str, start: int, end: int, new: str) -> list[tuple[float, int, int]]:
    """Returns the lines of a new text that look most like an old passage, for a person to compare: likeness, range."""
    from rapidfuzz import fuzz

    words = old[start:end]
    at = 0
    found = []
    for line in new.split("\n"):
        if line.strip():
            found.append((fuzz.partial_ratio(words, line), at, at + len(line)))
        at += len(line) + 1
    return sorted(found, key=lambda entry: (-entry[0], entry[1]))[:2]


def find_sheets(intake: Intake) -> list[Sheet]:
    """Returns the sheets of a folder.

    Raises:
        DataError: it has none.
    """
    paths = intake.sheet_paths()
    if not paths:
        raise DataError("holds no sheets of candidates; `kg ingest FILE --out DIR` makes them.", intake.folder)
    return [intake.read(path) for path in paths]
