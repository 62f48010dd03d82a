"""One file from end to end: document, candidates, links, gate. Pure but for reading the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kg.ingest.aids import NO_AIDS, Aids, names_of, vectors_of
from kg.ingest.attribution import Type, type_of
from kg.ingest.blocks import BlockKind, Document, Found
from kg.ingest.candidates import Candidate
from kg.ingest.documents import read_document
from kg.ingest.extract import extract
from kg.ingest.gate import Rejected, verified
from kg.ingest.known import Known, Thing
from kg.ingest.link import Reading, linked
from kg.ingest.model import Model, proposals
from kg.ingest.normal import view
from kg.ingest.organisations import Bodies, Body
from kg.ingest.spreadsheet import read_table
from kg.ingest.themes import Themes
from kg.names import folded


@dataclass(frozen=True)
class Ingested:
    """What a file gave: its document, the bodies it names, its candidates, and what was refused."""

    document: Document
    type: Type
    bodies: tuple[Body, ...]
    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]
    origin: str | None
    publisher: str | None
    same_as: str | None = None


def ingest_file(
    path: Path, known: Known, most_bytes: int, model: Model | None = None, aids: Aids = NO_AIDS
) -> Ingested:
    """Returns what a file gives.

    Raises:
        DataError: the file cannot be read.
        SourceError: the model that was asked for cannot be reached.
    """
    return ingest_document(read_document(path, most_bytes), known, model, aids)


def ingest_table(path: Path, known: Known, most_bytes: int) -> list[Ingested]:
    """Returns what a spreadsheet gives: one document for each title in it.

    Raises:
        DataError: a row is wrong; sheet, row and column are named.
    """
    return [
        Ingested(
            table.document, Type.REVIEW, (), table.candidates, (), None, table.publisher, _same(table.document, known)
        )
        for table in read_table(path, known, most_bytes)
    ]


def ingest_document(document: Document, known: Known, model: Model | None = None, aids: Aids = NO_AIDS) -> Ingested:
    """Returns what a document gives: candidates of rules and structure, and of a model where one is set."""
    kind = type_of(document)
    bodies = Bodies(document, known, names_of(aids.names) if aids.names else None)
    document = _with_publisher(document, bodies, kind)
    origin = None if kind.is_report else _relayed(document, known)
    candidates = extract(document, kind)
    rejected: list[Rejected] = []
    if model is not None:
        further, refused = proposals(document, candidates, model)
        candidates, rejected = _numbered([*candidates, *further]), list(refused)
    reading = Reading(
        document, known, bodies, Themes(known, vectors_of(aids.vectors) if aids.vectors else None), origin
    )
    done: list[Candidate] = []
    for candidate in linked(candidates, reading):
        outcome = verified(candidate, document.text)
        if isinstance(outcome, Rejected):
            rejected.append(outcome)
        else:
            done.append(outcome)
    return Ingested(
        document, kind, tuple(bodies.by_iri.values()), tuple(done), tuple(rejected),
        origin.iri if origin else None, _publisher_iri(document, bodies), _same(document, known),
    )  # fmt: skip


def _numbered(candidates: Sequence[Candidate]) -> list[Candidate]:
    ordered = sorted(candidates, key=lambda c: (c.start, -c.end, c.kind, c.basis))
    return [replace(candidate, id=f"c{number}") for number, candidate in enumerate(ordered, start=1)]


def _with_publisher(document: Document, bodies: Bodies, kind: Type) -> Document:
    """Returns the document with the publisher that its first or last lines name, where nothing else tells."""
    if "publisher" in document.properties:
        return document
    blocks = list(document.blocks)
    # A report names it on its first page; under an article stands who put it there.
    head, tail = blocks[:6], list(reversed(blocks[-6:]))
    for block in [*head, *tail] if kind.is_report else [*tail, *head]:
        words = view(document.text, block.start, block.end).text
        if "title" in document.properties and words == document.properties["title"].value:
            continue
        named = bodies.within(block.start, block.end)
        alone = named and len(words.split()) <= len(named[0].label.split()) + 2
        # Under a title it may stand first of several things.
        first = (
            named and re.match(rf"{re.escape(named[0].label)}\s*(?:[-|.,;:]\s|$)", words) and len(words.split()) <= 25
        )
        if (
            (alone or first)
            and not named[0].generic
            and block.kind in (BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.FURNITURE)
        ):
            found = Found(named[0].label, f"text {block.start} to {block.end}, a body alone on its line")
            return replace(document, properties={**document.properties, "publisher": found})
    return document


def _publisher_iri(document: Document, bodies: Bodies) -> str | None:
    publisher = document.properties.get("publisher")
    return bodies.of_name(publisher.value).iri if publisher else None


def _relayed(document: Document, known: Known) -> Thing | None:
    """Returns the report of the graph that an article names by its title."""
    whole = folded(view(document.text).text)
    named = [
        (len(name), thing)
        for thing in known.documents
        for name in map(folded, thing.names)
        if len(name.split()) >= 4 and name in whole and not whole.startswith(name)
    ]
    return max(named, key=lambda entry: (entry[0], entry[1].iri))[1] if named else None


def _same(document: Document, known: Known) -> str | None:
    """Returns the document of the graph that carries the same title, None when there is none."""
    title = document.properties.get("title")
    if title is None:
        return None
    wanted = folded(title.value)
    return next((thing.iri for thing in known.documents if wanted in map(folded, thing.names)), None)
