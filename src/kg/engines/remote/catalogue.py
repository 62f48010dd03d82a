"""What an engine says that it holds: a graph of ours beside the data, written when a graph is known to be whole.

graph:catalogue    which release stands here, of which publication, and each graph with its digest;
                   and the files of the release that are no data: manifest, context, questions
graph:publishing   is there while a release is being written, and says by whom (`claims`); nothing is
                   answered meanwhile
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kg.engines.remote.claims import CLAIMS, PUBLISHING, claim_of
from kg.engines.remote.engine import Engine
from kg.engines.remote.graphs import line, rows
from kg.errors import SourceError
from kg.names import BASE, DCTERMS, GRAPH, RDF

CATALOGUE = GRAPH + "catalogue"
FILES = BASE + "catalogue/"

_RELEASE = DCTERMS + "identifier"
_PUBLICATION = DCTERMS + "hasVersion"
_DIGEST = DCTERMS + "identifier"
_CONTENT = RDF + "value"
_STAMP = f"SELECT ?s ?p ?o WHERE {{ VALUES ?s {{ <{CATALOGUE}> <{PUBLISHING}> }} ?s ?p ?o }}"
_GRAPHS = f"SELECT ?s ?p ?o WHERE {{ ?s ?p ?o FILTER(?p = <{_DIGEST}>) }}"
_FILES = f"SELECT ?s ?p ?o WHERE {{ ?s ?p ?o FILTER(?p = <{_CONTENT}>) }}"


@dataclass(frozen=True)
class Stamp:
    """What stands in an engine: equal stamps, before and after an answer, say that it came from one release.

    Attributes:
        release: its id, None when none was ever published whole.
        publication: names the run that wrote it.
        publishing: the release that is being written now.
    """

    release: str | None
    publication: str | None
    publishing: str | None


def read_stamp(engine: Engine) -> Stamp:
    """Returns which release an engine holds, and whether one is being written.

    Raises:
        SourceError: it does not answer.
    """
    found = {(s, p): o for s, p, o in rows(engine, _STAMP, CATALOGUE, PUBLISHING)}
    claim = found.get((PUBLISHING, CLAIMS))
    return Stamp(
        found.get((CATALOGUE, _RELEASE)),
        found.get((CATALOGUE, _PUBLICATION)),
        None if claim is None else claim_of(claim).release,
    )


def read_digests(engine: Engine) -> dict[str, str]:
    """Returns the digest of every graph that was found to be whole.

    Raises:
        SourceError: the engine does not answer.
    """
    return {s: o for s, _, o in rows(engine, _GRAPHS, CATALOGUE) if s not in {CATALOGUE, PUBLISHING}}


def read_files(engine: Engine) -> dict[str, str]:
    """Returns the files of the release that are no data, by their name.

    Raises:
        SourceError: the engine does not answer.
    """
    return {s.removeprefix(FILES): o for s, _, o in rows(engine, _FILES, CATALOGUE) if s.startswith(FILES)}


def write_digests(engine: Engine, digests: Mapping[str, str]) -> None:
    """Says that graphs are whole.

    Raises:
        SourceError: the engine does not take it.
    """
    engine.add(CATALOGUE, b"".join(line(graph, _DIGEST, digest) for graph, digest in digests.items()))


def remove_digests(engine: Engine, digests: Mapping[str, str]) -> None:
    """Says that graphs are no longer known to be whole.

    Raises:
        SourceError: the engine does not take it.
    """
    every = [line(graph, _DIGEST, digest) for graph, digest in digests.items()]
    for start in range(0, len(every), engine.kind.update_lines):
        engine.remove(CATALOGUE, b"".join(every[start : start + engine.kind.update_lines]))


def write_release(
    engine: Engine, release: str, publication: str, digests: Mapping[str, str], files: Mapping[str, str]
) -> None:
    """Says which release stands here, whole.

    Raises:
        SourceError: the engine does not take it.
    """
    engine.clear(CATALOGUE)
    lines = [
        *(line(graph, _DIGEST, digest) for graph, digest in digests.items()),
        *(line(FILES + name, _CONTENT, text) for name, text in files.items()),
        line(CATALOGUE, _RELEASE, release),
        line(CATALOGUE, _PUBLICATION, publication),
    ]
    for start in range(0, len(lines), 100):
        engine.add(CATALOGUE, b"".join(lines[start : start + 100]))


def unpublished(engine: Engine) -> SourceError:
    """Returns the error for an engine that holds no whole release."""
    return SourceError(f"{engine.name} holds no whole release; `kg publish --engine {engine.name}` writes one.")
