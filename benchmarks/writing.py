"""Measures how long a change takes: one that is sent to the service, and one file of a large workspace.

    python benchmarks/writing.py                        PUTs to a release of the five texts
    python benchmarks/writing.py --reports 5000         and a build after one changed file of so many reports

A PUT is timed from its first byte to its acknowledgement: by then it is checked, built, and served, which is asked for
at once. The build is timed as a user starts it, beside a release of the state before.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from load import Marked, marked_workspace

from kg.names import GRAPH

ROOT = Path(__file__).parents[1]
KG = [sys.executable, "-m", "kg"]
TOKEN = "benchmark"
NOTE = "<http://www.w3.org/2004/02/skos/core#editorialNote>"


def main() -> int:
    """Prints one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how many changes of each kind")
    parser.add_argument("--reports", type=int, help="also build a workspace of so many reports after one changed file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        show("a PUT, acknowledged", writes(Path(folder) / "written", asked.rounds))
        if asked.reports:
            show(
                f"{asked.reports} reports, a build after one file",
                builds(Path(folder) / "large", asked.reports, asked.rounds),
            )
    return 0


def show(what: str, seconds: list[float]) -> None:
    """Prints the median and the longest."""
    print(f"{what}: median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s of {len(seconds)}")


def writes(workspace: Path, rounds: int) -> list[float]:
    """Returns the seconds of each PUT of a curated graph, one note longer each time, to the graph of this checkout."""
    for part in ("ontology", "graph", "queries"):
        shutil.copytree(ROOT / part, workspace / part)
    tokens = workspace / "tokens"
    tokens.write_text(f"benchmark {TOKEN}\n", encoding="utf-8")
    command = [*KG, "serve", "--workspace", workspace, "--writable", "--token-file", tokens, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as service:
        try:
            assert service.stdout is not None
            address = urlsplit(service.stdout.readline().split()[-1]).netloc
            with closing(HTTPConnection(address)) as connection:
                return [written(connection, number) for number in range(rounds)]
        finally:
            service.terminate()


def written(connection: HTTPConnection, number: int) -> float:
    """Returns the seconds of a PUT; what it wrote must be served when it is acknowledged."""
    graph = curated_graph(connection)
    place = f"/graphs?graph={quote(graph, safe='')}"
    content = asked(connection, "GET", place, {"Accept": "application/n-triples"})
    subject = content.split(b" ", 1)[0].decode()
    content += f'{subject} {NOTE} "note {number} of a benchmark"@en .\n'.encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/n-triples"}
    start = time.perf_counter()
    asked(connection, "PUT", place, headers, content)
    seconds = time.perf_counter() - start
    query = f'ASK {{ {subject} {NOTE} "note {number} of a benchmark"@en }}'
    assert b"true" in asked(connection, "GET", "/sparql?" + urlencode({"query": query}), {})
    return seconds


def curated_graph(connection: HTTPConnection) -> str:
    """Returns the first graph that people write by hand."""
    query = f'SELECT ?g {{ GRAPH ?g {{}} FILTER STRSTARTS(STR(?g), "{GRAPH}curated-") }} ORDER BY ?g LIMIT 1'
    table = asked(connection, "GET", "/sparql?" + urlencode({"query": query}), {"Accept": "text/csv"})
    return table.decode().split()[1]


def asked(
    connection: HTTPConnection, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> bytes:
    """Returns the body of an answer that has to be a success."""
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        sys.exit(f"{method} {path}: {answer.status} {content.decode()[:500]}")
    return content


def builds(workspace: Path, reports: int, rounds: int) -> list[float]:
    """Returns the seconds of each build after one file was changed."""
    marked = marked_workspace(workspace, reports)
    marked.publish()
    return [published(marked) for _ in range(rounds)]


def published(marked: Marked) -> float:
    """Returns the seconds of a build, of which all but a few milliseconds are the command's."""
    start = time.perf_counter()
    marked.publish()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
