"""A release in an engine: whole or not at all, finished when it broke off, and compared to the last triple."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlencode

import httpx2
import pytest
from pyoxigraph import DefaultGraph, NamedNode, RdfFormat, Store

from conftest import ROOT
from engines import KINDS, Server, free_port, oxigraph, shared, virtuoso
from kg.engines.remote.capabilities import KINDS as CAPABILITIES
from kg.engines.remote.catalogue import (
    CATALOGUE,
    read_digests,
    read_files,
    read_stamp,
)
from kg.engines.remote.claims import PUBLISHING
from kg.engines.remote.engine import Engine, open_engine
from kg.engines.remote.graphs import count_triples
from kg.engines.remote.literals import restored_triples
from kg.errors import EngineError, EngineSilent, SourceError
from kg.names import GRAPH, MERGED_GRAPH
from kg.release.build import build
from kg.release.directory import ReleaseDirectory
from kg.release.publish import publish
from kg.workspace import Settings, open_workspace

ODD = "https://w3id.org/policy-evidence/graph/source-kettle"


def counts_of(release: ReleaseDirectory) -> dict[str, int]:
    graphs = cast(dict[str, dict[str, int]], release.manifest["graphs"])
    counts = cast(dict[str, int], release.manifest["counts"])
    return {name: entry["triples"] for name, entry in graphs.items()} | {MERGED_GRAPH: counts["triples"]}


def lines_in(engine: Engine, graph: str) -> set[bytes]:
    """Returns what an engine sends of a graph, as our store writes it."""
    store = Store()
    got = engine.read(graph, 1 << 28)
    with got.file:
        store.load(restored_triples(got.file.read()), RdfFormat.N_TRIPLES)
    return set((store.dump(format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph()) or b"").splitlines())


def assert_stands(release: ReleaseDirectory, engine: Engine) -> None:
    """The release stands in the engine: every count, every digest, and every triple of three graphs."""
    counts = counts_of(release)
    assert count_triples(engine, sorted(counts)) == counts
    digests = read_digests(engine)
    assert set(digests) == set(counts)
    assert {name: digests[name] for name in counts if name != MERGED_GRAPH} == {
        name: _digest(release, name) for name in counts if name != MERGED_GRAPH
    }
    stamp = read_stamp(engine)
    assert (stamp.release, stamp.publishing) == (release.id, None)
    store = Store.read_only(str(release.store))
    for name in (
        MERGED_GRAPH,
        sorted(counts)[0],
        max(counts, key=lambda graph: counts[graph] * (graph != MERGED_GRAPH)),
    ):
        graph = DefaultGraph() if name == MERGED_GRAPH else NamedNode(name)
        here = (store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) or b"").splitlines()
        assert lines_in(engine, name) == set(here)


def emptied(engine: Engine) -> Engine:
    """Returns the engine with nothing of ours in it, known to its catalogue or not."""
    # Counted, since Virtuoso takes seconds, and then minutes, for DISTINCT ?g.
    query = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    got = engine.ask([("query", query)], "application/sparql-results+json")
    with got.file:
        held = {row["g"]["value"] for row in json.loads(got.file.read())["results"]["bindings"]}
    for graph in held:
        if graph.startswith(GRAPH):
            engine.clear(graph)
    return engine


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The locks of publishers that break off are not left in the home of whoever runs the tests."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine without a release."""
    with closing(shared(request.param).open()) as opened:
        # What a test leaves there, the next one clears: to empty hundreds of graphs takes seconds.
        yield emptied(opened)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> ReleaseDirectory:
    """A release of eight invented reports."""
    return generated(tmp_path_factory.mktemp("small"), 8, settings)


def generated(folder: Path, reports: int, settings: Settings) -> ReleaseDirectory:
    command = [sys.executable, str(ROOT / "benchmarks/generate.py"), str(folder / "ws"), "--reports", str(reports)]
    subprocess.run(command, check=True, capture_output=True)
    return build(open_workspace(folder / "ws"), settings, folder / "release", check="none").directory


@pytest.mark.slow
def test_the_real_graph_stands_there_and_a_second_time_there_is_nothing_to_do(
    engine: Engine, release_folder: Path
) -> None:
    release = ReleaseDirectory(release_folder)
    first = publish(release, engine)

    assert set(first.written) == set(counts_of(release))
    assert_stands(release, engine)
    again = publish(release, engine)
    assert (again.written, set(again.unchanged)) == ((), set(counts_of(release)))
    assert publish(release, engine, every_line=True).written == ()


def test_only_graphs_that_differ_are_written_and_what_is_no_longer_there_is_removed(
    engine: Engine, small: ReleaseDirectory, tmp_path: Path, settings: Settings
) -> None:
    publish(small, engine)
    smaller = generated(tmp_path, 7, settings)
    before, after = counts_of(small), counts_of(smaller)

    done = publish(smaller, engine)

    assert set(done.removed) == set(before) - set(after) != set()
    same = {name for name in before.keys() & after.keys() if _digest(small, name) == _digest(smaller, name)}
    assert set(done.unchanged) == same and len(same) > 3
    assert set(done.written) == set(after) - same
    assert MERGED_GRAPH in done.written
    assert_stands(smaller, engine)


def _digest(release: ReleaseDirectory, graph: str) -> object:
    graphs = cast(dict[str, dict[str, object]], release.manifest["graphs"])
    return graphs.get(graph, {}).get("sha256", release.id)


def test_the_files_of_a_release_that_are_no_data_stand_there_too(engine: Engine, small: ReleaseDirectory) -> None:
    publish(small, engine)
    files = read_files(engine)

    assert set(files) == {"manifest.json", "build-info.json", "context.jsonld"} | {
        f"queries/{path.name}" for path in small.queries.iterdir()
    }
    for name, text in files.items():
        assert text == (small.root / name).read_text(encoding="utf-8")


def test_a_triple_that_was_lost_meanwhile_is_sent_again(engine: Engine, small: ReleaseDirectory) -> None:
    publish(small, engine)
    graph = next(name for name in counts_of(small) if "/source-" in name)
    lines = sorted(lines_in(engine, graph))
    engine.clear(graph)
    engine.add(graph, b"".join(line + b"\n" for line in lines[1:]))

    assert publish(small, engine).written == (graph,)
    assert_stands(small, engine)


def test_a_triple_that_was_exchanged_is_found_when_every_line_is_compared(
    engine: Engine, small: ReleaseDirectory
) -> None:
    publish(small, engine)
    graph = next(name for name in counts_of(small) if "/source-" in name)
    lines = sorted(lines_in(engine, graph))
    engine.clear(graph)
    engine.add(graph, b"".join(line + b"\n" for line in lines[1:]) + b'<http://a> <http://b> "kettle" .\n')

    assert publish(small, engine).written == ()
    assert publish(small, engine, every_line=True).written == (graph,)
    assert_stands(small, engine)


def test_while_a_release_is_written_the_marker_stands_there(engine: Engine, small: ReleaseDirectory) -> None:
    seen: list[tuple[str | None, str | None]] = []

    def look(step: str) -> None:
        stamp = read_stamp(engine)
        seen.append((stamp.release, stamp.publishing))

    publish(small, engine, look)

    assert len(seen) > 3 and set(seen) == {(None, small.id)}
    assert read_stamp(engine).publishing is None


class Broken(Exception):
    """The publisher was ended here."""


@pytest.mark.parametrize("place", [1, 4, -2, -1])
def test_one_that_broke_off_anywhere_is_finished_by_the_next(
    engine: Engine, small: ReleaseDirectory, place: int
) -> None:
    steps: list[str] = []
    publish(small, engine, steps.append)
    emptied(engine)
    last = steps[place]

    def break_off(step: str) -> None:
        if step == last:
            raise Broken

    with pytest.raises(Broken):
        publish(small, engine, break_off)
    assert read_stamp(engine).publishing == small.id

    publish(small, engine)
    assert_stands(small, engine)


# An engine that fails in the middle, or lies


class Between:
    """Stands between us and a real engine, and spoils what a test says."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.lose = b"\x00"
        self.count_by = 0
        self.lost = self.updates = self.reads = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer.pass_on(self)

            do_GET = do_POST  # noqa: N815 - the name is the library's

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._client = httpx2.Client(trust_env=False, timeout=60)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Between:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()

    def _spoilt(self, lines: bytes) -> bytes:
        kept = [line for line in lines.splitlines(keepends=True) if self.lose not in line]
        self.lost += lines.count(b"\n") - len(kept)
        return b"".join(kept)

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        if handler.command == "POST" and "/store" in handler.path:
            body = self._spoilt(body)
        elif handler.command == "POST" and body.startswith(b"update="):
            update = parse_qs(body.decode())["update"][0].encode()
            body = urlencode({"update": self._spoilt(update).decode()}).encode()
            self.updates += 1
        names = ("content-type", "accept", "authorization")
        headers = {name: value for name in names if (value := handler.headers.get(name))}
        got = self._client.request(handler.command, self._target + handler.path, content=body, headers=headers)
        content = got.content
        self.reads += handler.command == "GET" or b"BIND" in body
        if b"COUNT" in body and self.count_by:
            content = re.sub(rb'"value":"(\d+)"', lambda m: b'"value":"%d"' % (int(m[1]) + self.count_by), content)
        handler.send_response(got.status_code)
        handler.send_header("Content-Type", got.headers.get("content-type", "text/plain"))
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


@pytest.fixture
def between() -> Iterator[tuple[Between, Engine]]:
    server = shared("oxigraph")
    with Between(server.address) as proxy, closing(server.open()) as real:
        emptied(real)
        with closing(open_engine(proxy.address, replace(server.settings(), engine_kind="oxigraph"))) as opened:
            yield proxy, opened
        emptied(real)


def test_a_triple_that_an_engine_loses_again_and_again_is_named(
    between: tuple[Between, Engine], small: ReleaseDirectory
) -> None:
    proxy, engine = between
    proxy.lose = b"ns#blocks>"

    with pytest.raises(EngineError, match=r"graph/\S+ does not stand there .*\d+ lost: <\S+> <\S+ns#blocks> <\S+> \."):
        publish(small, engine)

    assert proxy.lost >= 3
    assert read_stamp(engine).publishing == small.id
    assert read_stamp(engine).release is None


def test_small_graphs_are_written_and_read_together(between: tuple[Between, Engine], small: ReleaseDirectory) -> None:
    proxy, engine = between
    done = publish(small, engine)

    # Each by itself would take a request to write and one to read; the marker and the catalogue take some too.
    assert len(done.written) > 15
    assert proxy.reads < len(done.written) / 3
    assert proxy.updates <= proxy.reads + 4
    assert_stands(small, engine)


def test_of_graphs_that_were_written_together_one_that_lost_a_triple_is_mended_by_itself(
    between: tuple[Between, Engine], small: ReleaseDirectory
) -> None:
    proxy, engine = between
    alone: list[str] = []

    def heal(step: str) -> None:
        if found := re.search(r"graphs .*, (http\S+): .*written", step):
            alone.append(found[1])
            proxy.lose = b"\x00"

    proxy.lose = b"ns#blocks>"
    done = publish(small, engine, heal)

    lost = {name for name in counts_of(small) if any(b"ns#blocks>" in line for line in lines_in(engine, name))}
    # The later lots were sent when nothing was lost any more.
    assert set() < set(alone) < lost
    assert set(done.written) == set(counts_of(small))
    assert_stands(small, engine)


def test_no_engine_is_asked_for_more_at_once_than_it_takes_in_one_update() -> None:
    for kind in CAPABILITIES.values():
        assert not kind.updates_data or kind.table_rows <= kind.update_lines, kind.name
        assert kind.table_rows <= kind.store_lines, kind.name


def test_an_engine_that_lies_about_its_counts_is_told_so(
    between: tuple[Between, Engine], small: ReleaseDirectory
) -> None:
    proxy, engine = between
    proxy.count_by = 7

    with pytest.raises(EngineError, match=r"has (\d+) triples; the engine counts \d+"):
        publish(small, engine)

    assert read_stamp(engine).publishing == small.id


@pytest.mark.slow
def test_an_engine_that_would_cut_what_is_read_back_is_named_before_anything_is_written(
    small: ReleaseDirectory,
) -> None:
    largest = max(counts_of(small).values())
    server = virtuoso(largest - 1)
    try:
        with closing(server.open()) as engine:
            with pytest.raises(EngineError, match=rf"at {largest - 1} triples \(ResultSetMaxRows.* {largest} at least"):
                publish(small, engine)
            assert not any(count_triples(engine, [*counts_of(small), CATALOGUE, PUBLISHING]).values())
        server.allow_rows(largest)
        with closing(server.open()) as engine:
            publish(small, engine)
            assert_stands(small, engine)
        # What is whole need not be read back.
        server.allow_rows(largest // 2)
        with closing(server.open()) as engine:
            assert publish(small, engine).written == ()
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_that_is_killed_in_the_middle_holds_all_when_it_is_back(kind: str, release_folder: Path) -> None:
    server: Server = {"oxigraph": oxigraph, "virtuoso": virtuoso}[kind]()
    release = ReleaseDirectory(release_folder)
    try:
        with closing(server.open()) as engine:

            def kill(step: str) -> None:
                if re.match(r"graph \d+ of .*merged.*written", step):
                    server.kill()

            with pytest.raises(SourceError):
                publish(release, engine, kill)
            with pytest.raises(EngineSilent):
                read_stamp(replace(engine, settings=replace(engine.settings, query_time_limit_ms=500)))
            server.start()
            assert read_stamp(engine).release is None
            publish(release, engine)
            assert_stands(release, engine)
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_thousand_triples_stand_there_in_every_count_and_digest(kind: str, large: ReleaseDirectory) -> None:
    # A server of its own: to empty hundreds of graphs takes longer than to start one.
    server: Server = {"oxigraph": oxigraph, "virtuoso": virtuoso}[kind]()
    try:
        with closing(server.open()) as engine:
            done = publish(large, engine)

            assert done.triples > 200_000 and len(done.written) > 700
            assert_stands(large, engine)
            assert publish(large, engine).written == ()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> ReleaseDirectory:
    return generated(tmp_path_factory.mktemp("large"), 330, settings)


# The command


@pytest.mark.slow
def test_kg_publish_says_what_it_did(small: ReleaseDirectory) -> None:
    server = shared("oxigraph")
    with closing(server.open()) as engine:
        emptied(engine)
        command = [sys.executable, "-m", "kg", "publish", "--engine", server.address, "--release", str(small.root)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        graphs = len(counts_of(small))

        assert done.stdout.splitlines() == [
            f"release {small.id}",
            f"graphs written {graphs}, unchanged 0, removed 0; triples {sum(counts_of(small).values())}",
        ]
        assert done.stderr == ""
        emptied(engine)


def test_kg_publish_names_an_engine_that_is_not_there(small: ReleaseDirectory) -> None:
    address = f"http://127.0.0.1:{free_port()}/"
    command = [sys.executable, "-m", "kg", "publish", "--engine", address, "--release", str(small.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith(f"The engine does not answer: {address} is not reached")
    assert len(done.stderr.splitlines()) == 1
