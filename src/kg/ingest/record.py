"""Accepted candidates become a file of the graph: sorted, the same bytes every time, no word of the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad

from kg.errors import BrokenRules, Conflict, DataError
from kg.evidence import passage_quads
from kg.ingest.attribution import Type
from kg.ingest.candidates import Attribution, Candidate, CandidateLink, Decision, Mode
from kg.ingest.labels import Kind
from kg.ingest.limits import faults
from kg.ingest.sheet import Sheet
from kg.model import Passage
from kg.names import BASE, CODE, DCTERMS, FOAF, GRAPH, PEV, PROV, RDF_TYPE, RDFS, SKOS, XSD, slug
from kg.release import editing
from kg.release.staging import stage_file
from kg.release.turtle import parse_turtle
from kg.workspace import Settings, Workspace

ORG = "http://www.w3.org/ns/org#"
_ID = BASE + "id/"
_DATE_TYPES = {4: "gYear", 7: "gYearMonth", 10: "date"}
_SAID_ONLY = {
    PEV + "blocks",
    PEV + "enables",
    PEV + "directedTo",
    PEV + "identifies",
    PEV + "stance",
    PEV + "stanceTowards",
}
_VALUES = {PEV + "deadline": "date", PEV + "timeframe": "duration"}


@dataclass
class _Graphs:
    """The two graphs of a text, being filled."""

    slug: str
    said: list[Quad] = field(default_factory=list)
    judged: list[Quad] = field(default_factory=list)
    made: set[str] = field(default_factory=set)

    def say(self, subject: str, link: str, value: NamedNode | Literal) -> None:
        self.said.append(Quad(NamedNode(subject), NamedNode(link), value, NamedNode(f"{GRAPH}source-{self.slug}")))

    def judge(self, subject: str, link: str, value: NamedNode | Literal) -> None:
        self.judged.append(Quad(NamedNode(subject), NamedNode(link), value, NamedNode(f"{GRAPH}curated-{self.slug}")))

    @property
    def quads(self) -> list[Quad]:
        return [*self.said, *self.judged]


@dataclass(frozen=True)
class Recorded:
    """What was recorded: the sheet with the names given, the file, how many items, what is left."""

    sheet: Sheet
    path: Path
    items: int
    release: str


def source_path(workspace: Workspace, slug_: str) -> Path:
    """Returns the file in which a text's graphs stand.

    Raises:
        DataError: the slug is none.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug_):
        raise DataError(f"{slug_!r} is no slug: small letters, digits and single hyphens.")
    return workspace.root / "graph" / "sources" / f"{slug_}.trig"


def named(sheet: Sheet, taken: Iterable[str] = ()) -> Sheet:
    """Returns the sheet whose accepted candidates all have the name under which they enter the graph.

    A name says kind, origin and gist; one that was given stays.
    """
    used = {c.iri for c in sheet.candidates if c.iri} | set(taken)
    changed = []
    for candidate in sheet.candidates:
        if candidate.decision is Decision.ACCEPTED and candidate.iri is None and candidate.kind is not Kind.THEME:
            iri = _free(
                f"{_ID}{candidate.kind.value.lower()}/{sheet.slug}-{slug(candidate.label)[:48].strip('-')}", used
            )
            used.add(iri)
            changed.append(replace(candidate, iri=iri))
    return sheet.with_(*changed)


def _free(iri: str, used: set[str]) -> str:
    number, free = 2, iri
    while free in used:
        free, number = f"{iri}-{number}", number + 1
    return free


def quads_of(sheet: Sheet, text: str, known: Mapping[str, Sequence[str]]) -> list[Quad]:
    """Returns what a sheet's accepted candidates say and what is judged of them.

    Args:
        sheet: named, see `named`.
        text: the frozen text.
        known: for each IRI that the graph already describes, the authors it gives (of documents; else none).

    Raises:
        BrokenRules: a label or paraphrase is missing, too long or copied; a link lacks its target.
    """
    accepted = [c for c in sheet.candidates if c.decision is Decision.ACCEPTED]
    wrong = [fault for candidate in accepted for fault in faults(candidate, text, sheet)]
    if wrong:
        raise BrokenRules("The sheet is not ready: " + "; ".join(wrong[:10]))
    writer = _Writer(sheet, known)
    for candidate in accepted:
        writer.add(candidate)
    return writer.finished()


class _Writer:
    def __init__(self, sheet: Sheet, known: Mapping[str, Sequence[str]]) -> None:
        self._sheet, self._known = sheet, known
        self._graphs = _Graphs(sheet.slug)
        self._names = {f"#{c.id}": c.iri for c in sheet.candidates if c.decision is Decision.ACCEPTED and c.iri}
        self._text = f"{_ID}text/{sheet.text_sha256[:16]}"
        about = sheet.about
        self._title = _fact(about, "title") or str(about["file"])
        self._document = str(about.get("same_as") or f"{_ID}doc/{slug(self._title)[:60].strip('-')}")
        self._type = Type(about.get("type", Type.REVIEW))
        self._authors = self._author_iris()
        self._themes = 0

    def _author_iris(self) -> list[str]:
        publisher = _fact(self._sheet.about, "publisher")
        if publisher:
            iri = str(self._sheet.about.get("publisher_iri") or f"{_ID}agent/{slug(publisher)[:60].strip('-')}")
            self._agent(iri, publisher)
            return [iri]
        if self._known.get(self._document):
            return list(self._known[self._document])
        iri = f"{_ID}agent/unnamed-author-{self._sheet.slug}"
        self._agent(iri, f"Unnamed author of {self._sheet.slug}", FOAF + "Agent")
        return [iri]

    def add(self, candidate: Candidate) -> None:
        """Adds an item with its passage and links."""
        if candidate.kind is Kind.THEME:
            self._theme(candidate)
            return
        say, item = self._graphs.say, candidate.iri
        assert item is not None
        say(item, RDF_TYPE, NamedNode(PEV + candidate.kind.value))
        say(item, RDFS + "label", Literal(candidate.label, language="en"))
        say(item, PEV + "paraphrase", Literal(candidate.paraphrase, language="en"))
        say(item, PEV + "evidence", NamedNode(self._passage(candidate)))
        self._attribute(item, candidate.attribution)
        for link in candidate.links:
            self._link(item, link)
        if candidate.hedged:
            self._graphs.judge(item, SKOS + "editorialNote", Literal("The text puts this with reserve.", language="en"))

    def _passage(self, candidate: Candidate) -> str:
        iri = f"{self._text}#char={candidate.start},{candidate.end}"
        passage = Passage(
            iri, self._document, self._sheet.text_sha256, candidate.start, candidate.end, candidate.sha256
        )
        graph = NamedNode(f"{GRAPH}source-{self._sheet.slug}")
        self._graphs.said += [Quad(q.subject, q.predicate, q.object, graph) for q in passage_quads(passage)]
        return iri

    def _attribute(self, item: str, by: Attribution) -> None:
        say = self._graphs.say
        say(item, PEV + "attributionMode", NamedNode(CODE + by.mode.value))
        origin = self._origin(by) if by.mode is not Mode.OWN and (by.origin or by.origin_iri) and not by.role else None
        say(item, PEV + "statedIn", NamedNode(origin or self._document))
        if origin:
            say(item, PEV + "reportedIn", NamedNode(self._document))
        if by.mode is not Mode.OWN and by.who:
            self._speaker(item, by)
        else:
            for author in (self._known.get(origin) or [self._unnamed(origin)]) if origin else self._authors:
                say(item, PEV + "assertedBy", NamedNode(author))

    def _speaker(self, item: str, by: Attribution) -> None:
        assert by.who is not None
        person = by.mode is Mode.QUOTED and (by.iri is None or "/person/" in by.iri)
        iri = by.iri or f"{_ID}{'person' if person else 'agent'}/{slug(by.who)[:60].strip('-')}"
        self._agent(iri, by.who, FOAF + "Person" if person else None)
        self._graphs.say(item, PEV + "assertedBy", NamedNode(iri))
        if person and by.role and by.body:
            self._graphs.say(item, PEV + "inCapacity", NamedNode(self._membership(iri, by)))

    def _membership(self, person: str, by: Attribution) -> str:
        assert by.role is not None and by.body is not None and by.who is not None
        body = next(
            (str(b["iri"]) for b in self._sheet.bodies if b["label"] == by.body), f"{_ID}agent/{slug(by.body)[:60]}"
        )
        self._agent(body, by.body)
        short = " ".join(by.role.split()[:5])
        role = f"{_ID}role/{slug(short)[:50].strip('-')}"
        iri = f"{_ID}membership/{person.rsplit('/', 1)[1]}-{body.rsplit('/', 1)[1]}"[:160]
        self._describe(role, ORG + "Role", short)
        if self._describe(iri, ORG + "Membership", f"{by.who}, {short}, {by.body}"):
            for link, value in (("member", person), ("organization", body), ("role", role)):
                self._graphs.say(iri, ORG + link, NamedNode(value))
        return iri

    def _origin(self, by: Attribution) -> str:
        if by.origin_iri:
            return by.origin_iri
        iri = f"{_ID}doc/report-relayed-by-{self._sheet.slug}"
        title = f"Report relayed by {self._title} (title not given in held text)"
        if self._describe(iri, PEV + "Document", title):
            self._graphs.say(iri, DCTERMS + "title", Literal(title, language="en"))
            self._graphs.say(iri, DCTERMS + "type", NamedNode(CODE + Type.REVIEW))
        return iri

    def _unnamed(self, origin: str | None) -> str:
        iri = f"{_ID}agent/unnamed-author-{(origin or '').rsplit('/', 1)[-1]}"
        self._agent(iri, f"Unnamed author of {(origin or '').rsplit('/', 1)[-1]}", FOAF + "Agent")
        return iri

    def _link(self, item: str, link: CandidateLink) -> None:
        if link.type in _VALUES:
            self._graphs.say(item, link.type, Literal(link.target, datatype=NamedNode(XSD + _VALUES[link.type])))
            return
        target = self._names.get(link.target) if link.target.startswith("#") else link.target
        if target is None:
            # The other candidate was not accepted.
            return
        self._target(target, link.label)
        said = link.basis == "said" or link.type in _SAID_ONLY
        (self._graphs.say if said else self._graphs.judge)(item, link.type, NamedNode(target))

    def _target(self, iri: str, label: str) -> None:
        """Describes what a link points at, where the graph does not know it."""
        kind = iri.removeprefix(_ID).split("/", 1)[0] if iri.startswith(_ID) else ""
        classes = {"initiative": PEV + "Initiative", "outcome": PEV + "Outcome"}
        if kind in ("agent", "group", "person"):
            self._agent(iri, label)
        elif kind in classes:
            self._describe(iri, classes[kind], label)

    def _agent(self, iri: str, label: str, class_: str | None = None) -> None:
        kind = {"group": PEV + "StakeholderGroup", "person": FOAF + "Person"}.get(
            iri.removeprefix(_ID).split("/", 1)[0]
        )
        self._describe(iri, class_ or kind or ORG + "Organization", label)

    def _describe(self, iri: str, class_: str, label: str) -> bool:
        if iri in self._known or iri in self._graphs.made:
            return False
        self._graphs.made.add(iri)
        self._graphs.say(iri, RDF_TYPE, NamedNode(class_))
        self._graphs.say(iri, RDFS + "label", Literal(label[:160], language="en"))
        if class_ == FOAF + "Person":
            self._graphs.say(iri, FOAF + "name", Literal(label[:160]))
        return True

    def _theme(self, candidate: Candidate) -> None:
        """Adds a topic of the document's own, tied to a common theme."""
        scheme = f"{BASE}scheme/{self._sheet.slug}"
        iri = f"{BASE}theme/{self._sheet.slug}/{slug(candidate.label)[:60].strip('-')}"
        say = self._graphs.say
        for class_ in (PEV + "Theme", SKOS + "Concept"):
            say(iri, RDF_TYPE, NamedNode(class_))
        say(iri, SKOS + "inScheme", NamedNode(scheme))
        say(iri, SKOS + "prefLabel", Literal(candidate.label, language="en"))
        say(iri, PEV + "evidence", NamedNode(self._passage(candidate)))
        say(scheme, RDF_TYPE, NamedNode(SKOS + "ConceptScheme"))
        say(scheme, DCTERMS + "title", Literal(f"Topics of {self._title}", language="en"))
        self._graphs.say(self._document, PEV + "hasTheme", NamedNode(iri))
        for link in candidate.links:
            self._graphs.judge(iri, link.type, NamedNode(link.target))

    def finished(self) -> list[Quad]:
        """Returns all quads, with the document, its text and the two graphs described."""
        self._describe_document()
        say, sheet = self._graphs.say, self._sheet
        say(self._text, RDF_TYPE, NamedNode(PEV + "TextSnapshot"))
        say(self._text, PEV + "sha256", Literal(sheet.text_sha256))
        say(self._text, PEV + "characterCount", Literal(int(sheet.about["characters"])))
        say(self._text, PEV + "snapshotOf", NamedNode(self._document))
        for graph, kind, add, what in (
            (f"{GRAPH}source-{sheet.slug}", "source-graph", say, f"What the text says ({sheet.slug})"),
            (
                f"{GRAPH}curated-{sheet.slug}",
                "curated-graph",
                self._graphs.judge,
                f"What is judged of the text ({sheet.slug})",
            ),
        ):
            add(graph, RDF_TYPE, NamedNode(PROV + "Entity"))
            add(graph, DCTERMS + "title", Literal(what, language="en"))
            add(graph, DCTERMS + "type", NamedNode(CODE + kind))
            add(graph, PROV + "wasDerivedFrom", NamedNode(self._text))
        return sorted(set(self._graphs.quads), key=str)

    def _describe_document(self) -> None:
        about = self._sheet.about
        if self._document in self._known:
            return
        say, document = self._graphs.say, self._document
        reviewed = about.get("reviews")
        class_ = (
            "Document" if self._type.is_report and not reviewed else "Report" if self._type.is_report else "Article"
        )
        if self._describe(document, PEV + class_, self._title):
            say(document, DCTERMS + "title", Literal(self._title, language=_fact(about, "language") or "en"))
            say(document, DCTERMS + "type", NamedNode(CODE + self._type.value))
        for author in self._authors:
            say(document, DCTERMS + "creator", NamedNode(author))
        if _fact(about, "publisher"):
            say(document, DCTERMS + "publisher", NamedNode(self._authors[0]))
        date = _fact(about, "date")
        if date and len(date) in _DATE_TYPES:
            say(document, DCTERMS + "issued", Literal(date, datatype=NamedNode(XSD + _DATE_TYPES[len(date)])))
        if reviewed:
            iri = (
                str(reviewed)
                if str(reviewed).startswith("http")
                else f"{_ID}initiative/{slug(str(reviewed))[:60].strip('-')}"
            )
            self._target(iri, str(reviewed))
            say(document, PEV + "reviews", NamedNode(iri))


def _fact(about: Mapping[str, Any], name: str) -> str | None:
    told = about.get(name)
    value = told.get("value") if isinstance(told, Mapping) else told
    return str(value) if value else None


def described(workspace: Workspace, but: Path) -> dict[str, list[str]]:
    """Returns what the files of a workspace describe, but for one: for each IRI the authors it gives."""
    found: dict[str, list[str]] = {}
    for path in workspace.data_files:
        if path != but:
            for quad in parse_turtle(path, workspace.shown(path)):
                if isinstance(quad.subject, NamedNode) and quad.predicate.value in (
                    RDF_TYPE,
                    RDFS + "label",
                    DCTERMS + "creator",
                ):
                    authors = found.setdefault(quad.subject.value, [])
                    if quad.predicate.value == DCTERMS + "creator" and isinstance(quad.object, NamedNode):
                        authors.append(quad.object.value)
    return {iri: sorted(authors) for iri, authors in found.items()}


def record(workspace: Workspace, settings: Settings, sheet: Sheet, text: str) -> Recorded:
    """Writes what was accepted to graph/sources/, checked and published as a release; whole or not at all.

    Raises:
        BrokenRules: the sheet is not ready, or a rule would not hold.
        Conflict: the file belongs to another text, the text is encoded in another file, or another process writes.
        Forbidden: the workspace is read-only.
    """
    editing.refuse_unwritable(workspace)
    path = source_path(workspace, sheet.slug)
    with editing.locked(workspace) as mine:
        if not mine:
            raise Conflict("Another process writes to this workspace; try again when it is done.")
        editing.recover(workspace, settings)
        _refuse_foreign(workspace, path, sheet)
        known = described(workspace, but=path)
        sheet = named(sheet, known)
        accepted = sum(c.decision is Decision.ACCEPTED for c in sheet.candidates)
        quads = quads_of(sheet, text, known) if accepted else []
        journal = editing.finish(workspace, settings, stage_file(workspace, settings, path, quads, "kg record"))
    return Recorded(sheet, path, accepted, journal.entry.release_after)


def _refuse_foreign(workspace: Workspace, path: Path, sheet: Sheet) -> None:
    text = f"{_ID}text/{sheet.text_sha256[:16]}"
    ours = {text, *(f"{_ID}text/{digest[:16]}" for digest in sheet.about.get("previous", []))}
    for other in workspace.data_files:
        snapshots = _snapshots(workspace, other)
        if other == path and snapshots and not snapshots & ours:
            raise Conflict(f"{workspace.shown(path)} holds another text; give the sheet another slug.")
        if other != path and text in snapshots:
            raise Conflict(f"This text is encoded already, in {workspace.shown(other)}.")


def _snapshots(workspace: Workspace, path: Path) -> set[str]:
    if path.suffix != ".trig":
        return set()
    return {
        q.subject.value
        for q in parse_turtle(path, workspace.shown(path))
        if q.predicate.value == PEV + "snapshotOf" and isinstance(q.subject, NamedNode)
    }
