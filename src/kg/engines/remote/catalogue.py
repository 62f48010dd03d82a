"""What an engine says that it holds: a graph of ours beside the data, written when a graph is known to be whole.

graph:catalogue    which release stands here, of which publication, and each graph with its digest;
                   and the files of the release that are no data: manifest, context, questions
graph:publishing   is there while a release is being written; nothing is answered meanwhile
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Triple

from kg.engines.remote.engine import Engine
from kg.engines.remote.graphs import texts
from kg.engines.remote.preparing import NOTHING
from kg.errors import SourceError
from kg.names import BASE, DCTERMS, GRAPH, RDF

CATALOGUE = GRAPH + "catalogue"
PUBLISHING = GRAPH + "publishing"
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
    found = {(s, p): o for s, p, o in _rows(engine, _STAMP, CATALOGUE, PUBLISHING)}
    return Stamp(
        found.get((CATALOGUE, _RELEASE)), found.get((CATALOGUE, _PUBLICATION)), found.get((PUBLISHING, _RELEASE))
    )


def read_digests(engine: Engine) -> dict[str, str]:
    """Returns the digest of every graph that was found to be whole.

    Raises:
        SourceError: the engine does not answer.
    """
    return {s: o for s, _, o in _rows(engine, _GRAPHS, CATALOGUE) if s not in {CATALOGUE, PUBLISHING}}


def read_files(engine: Engine) -> dict[str, str]:
    """Returns the files of the release that are no data, by their name.

    Raises:
        SourceError: the engine does not answer.
    """
    return {s.removeprefix(FILES): o for s, _, o in _rows(engine, _FILES, CATALOGUE) if s.startswith(FILES)}


def write_marker(engine: Engine, release: str) -> None:
    """Says that a release is being written.

    Raises:
        SourceError: the engine does not take it.
    """
    engine.clear(PUBLISHING)
    engine.add(PUBLISHING, _line(PUBLISHING, _RELEASE, release))


def remove_marker(engine: Engine) -> None:
    """Says that nothing is being written any more.

    Raises:
        SourceError: the engine does not take it.
    """
    engine.clear(PUBLISHING)


def write_digests(engine: Engine, digests: Mapping[str, str]) -> None:
    """Says that graphs are whole.

    Raises:
        SourceError: the engine does not take it.
    """
    engine.add(CATALOGUE, b"".join(_line(graph, _DIGEST, digest) for graph, digest in digests.items()))


def remove_digests(engine: Engine, digests: Mapping[str, str]) -> None:
    """Says that graphs are no longer known to be whole.

    Raises:
        SourceError: the engine does not take it.
    """
    every = [_line(graph, _DIGEST, digest) for graph, digest in digests.items()]
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
        *(_line(graph, _DIGEST, digest) for graph, digest in digests.items()),
        *(_line(FILES + name, _CONTENT, text) for name, text in files.items()),
        _line(CATALOGUE, _RELEASE, release),
        _line(CATALOGUE, _PUBLICATION, publication),
    ]
    for start in range(0, len(lines), 100):
        engine.add(CATALOGUE, b"".join(lines[start : start + 100]))


def _line(subject: str, predicate: str, text: str) -> bytes:
    return f"{Triple(NamedNode(subject), NamedNode(predicate), Literal(text))} .\n".encode()


def _rows(engine: Engine, query: str, *graphs: str) -> list[tuple[str, ...]]:
    form = [("query", query), *(("default-graph-uri", graph) for graph in graphs), ("named-graph-uri", NOTHING)]
    return texts(engine, form)


def unpublished(engine: Engine) -> SourceError:
    """Returns the error for an engine that holds no whole release."""
    return SourceError(f"{engine.name} holds no whole release; `kg publish --engine {engine.name}` writes one.")
