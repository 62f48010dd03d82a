"""Services of every mode that are attacked, each with a bystander."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx2

from services import AUTHORISED, PATIENCE_S, TOKEN, Bystander, Service, started
from workspaces import write_workspace

# What a bystander asks; the empty path stands for a query that is new each time.
_OF_ALL = ("", "/healthz", "")
_OF_RELEASES = (
    "",
    "/api/queries/blocked-themes",
    "/api/search?q=finance",
    "/api/describe?entity=theme:finance",
    "/api/connections?from=theme:finance&to=theme:workforce",
)
# So many triples that three patterns side by side have no end.
_SCRATCH = "".join(f"<urn:s{n % 700}> <urn:p{n % 7}> <urn:s{n * 7 % 701}> ." for n in range(3000))
_WHOLE = ("SELECT * { ?s ?p ?o }", "SELECT * { GRAPH ?g { ?s ?p ?o } }", "SELECT * { GRAPH ?g {} }")
MOST_IN_ADDRESS = 4000


@dataclass(frozen=True)
class Target:
    """A service under attack: how it was started, a client that has no token of its own, and who stands by."""

    mode: str
    service: Service
    client: httpx2.Client
    bystander: Bystander
    folder: Path

    def asked_in_every_way(self, query: str) -> Iterator[tuple[str, httpx2.Response]]:
        """Yields the answers to a query sent in each way of the protocol."""
        accept = {"Accept": "application/sparql-results+json, application/n-triples;q=0.9"}
        if len(query) < MOST_IN_ADDRESS:
            yield "GET", self.client.get("/sparql", params={"query": query}, headers=accept)
        yield "form", self.client.post("/sparql", data={"query": query}, headers=accept)
        yield "body", self._posted(query, "application/sparql-query", accept)

    def updated_in_every_way(self, update: str) -> Iterator[tuple[str, httpx2.Response]]:
        """Yields the answers to an update sent, with a token, in each way of the protocol."""
        yield "form", self.client.post("/sparql", data={"update": update}, headers=AUTHORISED)
        yield "body", self._posted(update, "application/sparql-update", AUTHORISED)

    def _posted(self, text: str, media_type: str, headers: dict[str, str]) -> httpx2.Response:
        return self.client.post("/sparql", content=text.encode(), headers={**headers, "Content-Type": media_type})

    def state(self) -> set[str]:
        """Returns all that is held: of a dataset every triple, else the release and every file it is made of."""
        if self.mode == "scratch":
            return {line for query in _WHOLE for line in self._table(query)}
        files = [path for path in (self.folder / "workspace" / "graph").rglob("*") if path.is_file()]
        held = {f"{path} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files}
        return held | {self.client.get("/api/release").json()["release"]}

    def _table(self, query: str) -> list[str]:
        accept = {"Accept": "text/tab-separated-values"}
        answer = self.client.post("/sparql", data={"query": query}, headers=accept)
        assert answer.status_code == 200, answer.text
        return answer.text.splitlines()


@contextmanager
def open_target(
    mode: str, release: Path, folder: Path, patience_s: float = PATIENCE_S, /, **variables: str
) -> Iterator[Target]:
    """Yields a service to be attacked: of a `release`, of a `scratch` dataset, or of a `writable` workspace."""
    tokens = folder / "tokens"
    tokens.write_text(f"ada {TOKEN}\n", encoding="utf-8")
    if mode == "release":
        arguments: tuple[object, ...] = ("--release", release)
    elif mode == "scratch":
        arguments = ("--scratch", folder / "scratch", "--token-file", tokens)
    else:
        workspace = write_workspace(folder / "workspace")
        arguments = ("--writable", "--workspace", workspace.root, "--token-file", tokens)
    with started(*arguments, **variables) as service, httpx2.Client(base_url=service.address, timeout=60) as client:
        if mode == "scratch":
            headers = {**AUTHORISED, "Content-Type": "text/turtle"}
            assert client.put("/graphs?default", content=_SCRATCH, headers=headers).is_success
        if mode == "release":
            _wait_for_memory(client)
        with Bystander(service, _OF_ALL if mode == "scratch" else _OF_RELEASES, patience_s) as bystander:
            yield Target(mode, service, client, bystander, folder)


def _wait_for_memory(client: httpx2.Client) -> None:
    """Returns when a release is held: what reads it takes a processor, and its end exchanges the workers."""
    given_up = time.monotonic() + 60
    while "\nkg_release_in_memory 1.0\n" not in client.get("/metrics").text:
        assert time.monotonic() < given_up, "the release is not held in memory"
        time.sleep(0.05)


def addressed(path: str, **parameters: str) -> str:
    """Returns a path with parameters."""
    return f"{path}?{urlencode(parameters)}"
