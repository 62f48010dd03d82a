"""The Model Context Protocol, spoken by the SDK's own client, on standard input and output and over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.server._otel import OpenTelemetryMiddleware
from mcp.server.lowlevel import Server

from kg.agents.resources import DOCUMENTS
from kg.answers import Answers
from kg.errors import Forbidden
from kg.web.agents import guard_sender
from kg.web.mcp import agent_server
from kg.web.serving import Serving
from kg.workspace import Settings
from services import started


def spoken(server: str | StdioServerParameters, talk: Callable[[Client], Awaitable[None]], mode: str = "auto") -> None:
    """Runs a talk of the SDK's client with a server."""

    async def run() -> None:
        async with Client(server, mode=mode) as client:
            await talk(client)

    anyio.run(run)


def on_stdio(release_folder: Path) -> StdioServerParameters:
    arguments = ["-m", "kg", "mcp", "--release", str(release_folder)]
    return StdioServerParameters(command=sys.executable, args=arguments, env={**os.environ, "KG_LOG_LEVEL": "error"})


def arguments_of(answers: Answers, name: str) -> dict[str, object]:
    """Returns arguments for a tool: of a question those of its own example."""
    fixed: dict[str, dict[str, object]] = {
        "search": {"words": "leadrship"},
        "describe": {"entity": "COSLA"},
        "connect": {"from": "COSLA", "to": "Finance"},
        "sparql": {"query": "SELECT ?b ?t { ?b pev:blocks ?t }"},
    }
    if name in fixed:
        return fixed[name]
    question = next(question for question in answers.questions() if question.name == name)
    numbers = {"xsd:integer": int, "xsd:decimal": float}
    return {
        p.name: list(p.example) if p.mode == "many" else numbers.get(p.type, str)(p.example[0])
        for p in question.parameters
        if p.example
    }


def all_of_it(answers: Answers) -> Callable[[Client], Awaitable[None]]:
    """Returns a talk that lists and calls every tool, and lists and reads every resource."""

    async def talk(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == {"search", "describe", "connect", "sparql"} | {
            question.name for question in answers.questions()
        }
        for tool in tools:
            found = await client.call_tool(tool.name, arguments_of(answers, tool.name))
            content: Any = found.content[0]
            assert not found.is_error, (tool.name, content.text)
            assert json.loads(content.text) == found.structured_content
            assert found.structured_content["release"] == answers.release_id[:12]
            assert found.structured_content.get("results") or found.structured_content.get("statements"), tool.name
        listed = (await client.list_resources()).resources
        assert {str(resource.uri) for resource in listed} == {document.address for document in DOCUMENTS}
        for resource in listed:
            contents: Any = (await client.read_resource(str(resource.uri))).contents[0]
            assert answers.release_id in contents.text

    return talk


@pytest.mark.slow
def test_the_client_lists_and_calls_every_tool_on_standard_input_and_output(
    release_folder: Path, answers: Answers
) -> None:
    spoken(on_stdio(release_folder), all_of_it(answers))


@pytest.mark.slow
def test_the_client_lists_and_calls_every_tool_over_http(service: str, answers: Answers) -> None:
    spoken(f"{service}/mcp", all_of_it(answers))


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_what_goes_wrong_is_told_in_the_shape_of_all_errors(service: str, mode: str) -> None:
    async def talk(client: Client) -> None:
        for name, arguments, status in (
            ("sparql", {"query": "INSERT DATA { <a:a> <a:b> <a:c> }"}, 403),
            ("sparql", {"query": "SELECT nonsense"}, 400),
            ("describe", {"entity": "Finanse"}, 404),
            ("search", {}, 400),
            ("no-such-tool", {}, 404),
        ):
            found = await client.call_tool(name, arguments)
            assert found.is_error and found.structured_content is not None
            assert (found.structured_content["status"], bool(found.structured_content["detail"])) == (status, True)
        with pytest.raises(MCPError, match="kg://schema"):
            await client.read_resource("kg://secrets")
        assert client.instructions and "basis" in client.instructions

    spoken(f"{service}/mcp", talk, mode)


def posted(service: str, method: str = "tools/list", **headers: str) -> httpx2.Response:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}
    accept = {"Accept": "application/json, text/event-stream"}
    return httpx2.post(f"{service}/mcp", json=message, headers=accept | headers)


def test_an_answer_is_one_json_object_and_no_session_is_kept(service: str) -> None:
    reply = posted(service)

    assert reply.status_code == 200 and reply.headers["content-type"] == "application/json"
    assert "mcp-session-id" not in reply.headers
    assert len(reply.json()["result"]["tools"]) > 50
    assert httpx2.get(f"{service}/mcp").status_code == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Host": "localhost:1", "Origin": "http://localhost:1"}, 200),
        ({}, 200),
    ],
)
def test_pages_of_others_and_made_up_names_are_refused(service: str, headers: dict[str, str], status: int) -> None:
    reply = posted(service, **headers)

    assert reply.status_code == status
    if status == 403:
        assert reply.headers["content-type"] == "application/problem+json"


def scope(server: str, **headers: str) -> dict[str, Any]:
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "scheme": "https", "server": (server, 8000), "headers": named}


def test_who_may_ask_follows_the_settings(settings: Settings) -> None:
    guard_sender(scope("192.0.2.7", host="kg.example", origin="https://kg.example"), settings)
    guard_sender(scope("127.0.0.1", host="kg.example"), replace(settings, trust_proxy="127.0.0.1"))
    allowed = replace(settings, cors_origins="https://notes.example")
    guard_sender(scope("192.0.2.7", host="kg.example", origin="https://notes.example"), allowed)
    with pytest.raises(Forbidden, match="KG_CORS_ORIGINS"):
        guard_sender(scope("192.0.2.7", host="kg.example", origin="https://other.example"), allowed)
    with pytest.raises(Forbidden, match="KG_TRUST_PROXY"):
        guard_sender(scope("127.0.0.1", host="kg.example"), settings)


@pytest.mark.parametrize("body", [b"[" * 200, b'{"jsonrpc": "2.0", "x": "\xff"}'])
def test_a_body_that_must_not_be_parsed_is_refused(service: str, body: bytes) -> None:
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    reply = httpx2.post(f"{service}/mcp", content=body, headers=headers)

    assert reply.status_code in {400, 413}
    assert reply.headers["content-type"] == "application/problem+json"


@contextmanager
def narrow_service(release_folder: Path) -> Iterator[str]:
    limits = {"KG_QUERY_TIME_LIMIT_MS": "300", "KG_MAX_QUERY_BYTES": "2000", "KG_RATE_LIMIT": "8/minute"}
    with started("--release", release_folder, **limits) as service:
        yield service.address


@pytest.mark.slow
def test_the_limits_of_the_service_hold_for_models(release_folder: Path) -> None:
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"

    def told(address: str, query: str) -> Any:
        params = {"name": "sparql", "arguments": {"query": query}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        accept = {"Accept": "application/json, text/event-stream"}
        return httpx2.post(f"{address}/mcp", json=message, headers=accept, timeout=30)

    with narrow_service(release_folder) as address:
        assert told(address, endless).json()["result"]["structuredContent"]["limit"] == "KG_QUERY_TIME_LIMIT_MS"
        assert told(address, "#" * 2001).json()["result"]["structuredContent"]["limit"] == "KG_MAX_QUERY_BYTES"
        assert told(address, "#" * 12_000).json()["limit"] == "KG_MAX_QUERY_BYTES"
        statuses = [posted(address).status_code for _ in range(8)]
        assert statuses[0] == 200 and statuses[-1] == 429


def test_nothing_is_traced(release_folder: Path, settings: Settings) -> None:
    traced = Server("a server as the kit makes it").middleware
    assert [type(part) for part in traced] == [OpenTelemetryMiddleware]
    assert agent_server(Serving(release_folder, settings)).middleware == []


def test_the_sdk_is_loaded_by_the_first_request_and_not_by_the_start() -> None:
    code = "import sys, kg.web.app; print('mcp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.slow
def test_an_sdk_that_cannot_be_loaded_is_told_by_name_and_takes_nothing_else_with_it(
    release_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "mcp.py").write_text("raise ImportError('of another version')\n", encoding="utf-8")
    found_first = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    with started("--release", release_folder, PYTHONPATH=found_first) as service:
        for _ in range(2):
            told = posted(service.address)
            assert (told.status_code, told.headers["content-type"]) == (500, "application/problem+json")
            assert "SDK cannot be loaded" in told.json()["detail"]
        assert httpx2.get(f"{service.address}/api/release").status_code == 200
