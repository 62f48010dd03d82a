"""A release held in memory: who is asked what, and that nobody can tell but by the time it takes."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store

from kg.engines import nursery
from kg.engines.local import open_local
from kg.engines.pooled import PooledSource
from kg.engines.source import Request, Source
from kg.library import read_library
from kg.names import Prefixes
from kg.release.build import build
from kg.release.directory import ReleaseDirectory, find_release
from kg.tokens import is_graph_form
from kg.workspace import Settings, open_workspace, read_settings
from services import Service, children_of, running_pool, started, wait_until
from workspaces import edit, text_file, write_workspace

EX = "http://example.org/"
NONE = Prefixes({"ex": EX})
GRAPH = f"{EX}g"
JSON = "application/sparql-results+json"


def marked(folder: Path, mark: str) -> Path:
    """Returns a store that says the same in its default graph and in a named one: a mark."""
    store = Store(str(folder))
    statement = NamedNode(EX + "s"), NamedNode(EX + "p"), NamedNode(EX + mark)
    store.extend([Quad(*statement), Quad(*statement, NamedNode(GRAPH))])
    store.flush()
    return folder


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return marked(tmp_path_factory.mktemp("resident") / "disk", "disk")


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another store than the workers have on disk, so that a test sees which of the two was asked."""
    return marked(tmp_path_factory.mktemp("resident") / "memory", "memory")


@pytest.fixture(scope="module")
def two(disk: Path, memory: Path) -> Iterator[Source]:
    with running_pool(disk, NONE, holding=memory) as (pool, _):
        yield PooledSource(pool, read_settings())


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("SELECT ?o { ?s ?p ?o }", "memory"),
        ("SELECT ?o { ex:s ex:p ?o } ORDER BY ?o", "memory"),
        ("SELECT ?o { GRAPH ?g { ?s ?p ?o } }", "disk"),
        ("SELECT ?o { graph ex:g { ?s ?p ?o } }", "disk"),
        ("SELECT ?o {#\nGrApH<http://example.org/g>{ ?s ?p ?o } }", "disk"),
        ("SELECT ?o { ?s ?p ?o FILTER EXISTS{GRAPH ?g{?s ?p ?o}} }", "disk"),
        ("SELECT ?o { ?s ?p ?o FILTER(1=1&&1=1) {GRAPHex:g { ?s ?p ?o }} }", "disk"),
        ("SELECT*FROMNAMED ex:g{GRAPHex:g{ex:s ex:p ?o}}", "disk"),
        ("SELECT ?o { ?s ?p ?o } LIMIT 1", "disk"),
        ("SELECT (SAMPLE(?o) AS ?x) { ?s ?p ?o }", "disk"),
        ("SELECT ?o { ?s ?p ?o } GROUP BY ?o HAVING(SUM(1) > 0)", "disk"),
        ("SELECT ?o { ?s ?p ?o } GROUP BY ?o HAVING(avg #\n(1) > 0)", "disk"),
        ("SELECT (MIN(?o) AS ?least) { ?s ?p ?o }", "disk"),
        ("SELECT (Max\t(?o) AS ?most) { ?s ?p ?o }", "disk"),
        ("SELECT ?o { ?s ?p ?o } GROUP BY ?o HAVING(COUNT(*) > 0)", "memory"),
        ("SELECT ?o FROM ex:g { ?s ?p ?o }", "disk"),
        ("SELECT ?o FROM NAMED ex:g { GRAPH ?g { ?s ?p ?o } }", "disk"),
    ],
)
def test_memory_is_asked_by_queries_that_look_at_the_default_graph_alone(two: Source, query: str, asked: str) -> None:
    assert two.select(query).rows == ((NamedNode(EX + asked),),)


def test_what_is_rounded_in_the_order_of_the_rows_is_the_same_from_memory_and_from_disk(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    share, shares = NamedNode(EX + "share"), [(n * 0.37) % 3 for n in range(300)]
    store.extend(Quad(NamedNode(f"{EX}s{n}"), share, Literal(value)) for n, value in enumerate(shares))
    store.flush()
    on_disk = open_local(tmp_path / "store", NONE)
    with running_pool(tmp_path / "store", NONE, holding=tmp_path / "store") as (pool, _):
        for whole in ("SUM", "AVG"):
            query = f"SELECT ({whole}(?share) AS ?whole) {{ ?s ex:share ?share }}"
            assert PooledSource(pool, read_settings()).select(query) == on_disk.select(query)
    on_disk.close()


@pytest.mark.parametrize("graphs", [Request("ASK { ex:s ex:p ex:disk }", (GRAPH,)), Request("ASK {}", (), (GRAPH,))])
def test_a_dataset_named_beside_the_query_is_looked_up_on_disk(two: Source, graphs: Request) -> None:
    assert b"true" in two.reply(graphs, JSON)


def test_what_cannot_be_read_into_memory_is_asked_on_disk(
    disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.ERROR), running_pool(disk, NONE, holding=tmp_path / "nothing") as (pool, _):
        assert PooledSource(pool, read_settings()).ask("ASK { ?s ?p ex:disk }")

    assert "cannot be held in memory" in caplog.text
    assert "cannot be read into memory" in capfd.readouterr().err


def test_what_reads_a_store_into_memory_ends_without_a_word_when_nobody_waits_for_it(disk: Path) -> None:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "kg.engines.worker", str(theirs.fileno()), str(disk)]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE) as holding:
        ours.close()
        theirs.close()
        assert holding.communicate(timeout=30)[1] == b""
    assert holding.returncode == 0


KILLING = """
import os, signal, sys
from pathlib import Path
from kg.engines.resident import resident
from kg.errors import SourceError
from services import children_of

looks = []

def wanted() -> bool:
    looks.append(None)
    if len(looks) == 2:
        [os.kill(writer, signal.SIGKILL) for writer in children_of(os.getpid())]
    return True

try:
    resident(Path(sys.argv[1]), wanted)
except SourceError as error:
    print(error)
"""


def test_a_store_whose_reading_breaks_off_in_a_line_is_not_held(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    store.bulk_extend(Quad(NamedNode(f"{EX}{n}"), NamedNode(EX + "p"), Literal("x" * 200)) for n in range(20_000))
    store.flush()
    told = subprocess.run(
        [sys.executable, "-c", KILLING, str(tmp_path / "store")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.endswith("the store cannot be read into memory.\n")


# Of a release


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> ReleaseDirectory:
    return build(write_workspace(tmp_path_factory.mktemp("in-memory") / "workspace"), settings, check="none").directory


def test_when_what_holds_it_dies_the_disk_is_asked_and_then_memory_again(disk: Path, memory: Path) -> None:
    with running_pool(disk, NONE, holding=memory) as (pool, _):
        source, held = PooledSource(pool, read_settings()), pool._nursery
        assert held._process is not None
        held._process.kill()

        # Meanwhile each is answered, here or there.
        wait_until(lambda: source.ask("ASK { ?s ?p ?o }") and pool._premises.generation == 2)
        assert pool._nursery is not held
        assert source.select("SELECT ?o { ?s ?p ?o }").rows == ((NamedNode(EX + "memory"),),)
        # No worker of the first copy is left.
        assert all(worker.premises == pool._premises for worker in pool._idle)


def test_when_what_makes_the_workers_is_stopped_others_take_its_place(
    disk: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "BORN_WITHIN_S", 0.3)
    with running_pool(disk, NONE, holding=memory) as (pool, _):
        held = pool._nursery._process
        assert held is not None
        held.send_signal(signal.SIGSTOP)
        for worker in children_of(held.pid):
            os.kill(worker, signal.SIGKILL)

        assert PooledSource(pool, read_settings()).ask("ASK { ?s ?p ?o }")
        assert held.poll() == -signal.SIGKILL


def test_what_is_stopped_is_ended_by_force(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nursery, "END_WITHIN_S", 0.1)
    with running_pool(disk, NONE) as (pool, _):
        process = pool._nursery._process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
    assert process.returncode == -signal.SIGKILL


def test_every_question_gives_the_same_rows_from_memory_and_from_disk(release_folder: Path) -> None:
    directory = find_release(release_folder)
    library = read_library(directory.queries, directory.prefixes)
    on_disk = open_local(directory.store, directory.prefixes)
    with running_pool(directory.store, directory.prefixes, holding=directory.store) as (pool, _):
        in_memory = PooledSource(pool, read_settings())
        for question in library.listed:
            assert rows(in_memory, question.text) == rows(on_disk, question.text), question.name
    on_disk.close()


def rows(source: Source, query: str) -> Counter[object]:
    """Returns the rows of a table, or the triples of a graph, in no order."""
    return Counter(source.construct(query) if is_graph_form(query) else source.select(query).rows)


def held_by(service: Service) -> set[str]:
    """Returns the stores that the processes which make a service's workers hold."""
    return {store for store in service.nurseries().values() if store}


def test_the_release_that_is_served_is_held_and_an_older_one_is_not(
    built: ReleaseDirectory, settings: Settings
) -> None:
    workspace = built.root.parents[1]
    with started("--workspace", workspace) as service:
        assert held_by(service) == {str(built.store)}

        edit(text_file(workspace), '"Fill the posts in Elsewhere"', '"Fill posts in Elsewhere"')
        newer = build(open_workspace(workspace), settings, check="none").directory
        wait_until(lambda: held_by(service) == {str(newer.store)})
        older = {"query": "ASK {}", "release": built.id}
        assert httpx2.get(f"{service.address}/sparql", params=older).json()["boolean"]
        assert held_by(service) == {str(newer.store)}


@pytest.mark.slow
def test_the_default_graph_has_a_strong_tag_only_where_its_bytes_are_the_same(built: ReleaseDirectory) -> None:
    """In memory its triples stand in another order than on disk."""
    with started("--release", built.root) as held, started("--release", built.root, KG_MEMORY_STORE_MB="0") as on_disk:
        wait_until(lambda: "kg_release_in_memory 1.0" in httpx2.get(f"{held.address}/metrics").text)
        answers = [
            httpx2.get(f"{service.address}/graphs?default", headers={"Accept": "application/n-triples"})
            for service in (held, on_disk)
        ]
    first, second = answers
    assert sorted(first.text.splitlines()) == sorted(second.text.splitlines())
    assert first.headers["etag"] == second.headers["etag"]
    assert first.content == second.content or first.headers["etag"].startswith("W/")


def test_a_release_that_takes_more_memory_than_it_may_is_asked_on_disk(built: ReleaseDirectory) -> None:
    with started("--release", built.root, KG_MEMORY_STORE_MB="0") as service:
        assert not held_by(service)
