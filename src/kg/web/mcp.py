"""The graph for language models: what the Model Context Protocol's SDK is told, and its server on standard input.

A call is answered from the release that is current when it begins, as a request of the API is: our
own questions by the workers for these, SPARQL that a model wrote by those for strangers' queries,
under the same guards, limits and rates. No session is kept, and nothing is traced.

Source: Model Context Protocol, revision 2026-07-28, "Streamable HTTP" (with its duty to check
Origin) and "stdio"; the SDK also speaks the revisions before it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError

from kg import __version__, wire
from kg.agents.resources import DOCUMENTS, INSTRUCTIONS, read_document
from kg.agents.toolbox import Toolbox
from kg.engines.pooled import PooledSource
from kg.errors import AskError, KgError
from kg.web.problems import status_of
from kg.web.serving import Served, Serving
from kg.workspace import Settings

T = TypeVar("T")
_Context = Any


def agent_server(serving: Serving) -> Server[Any]:
    """Returns the server that gives models what is served: tools and resources of the current release."""

    async def list_tools(_: _Context, __: object) -> types.ListToolsResult:
        with _told():
            async with _toolbox(serving) as toolbox:
                listed = toolbox.tools
        tools = [
            types.Tool(
                name=tool.name,
                description=tool.description,
                input_schema=tool.schema,
                annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
            )
            for tool in listed
        ]
        return types.ListToolsResult(tools=tools)

    async def call_tool(_: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            async with _toolbox(serving) as toolbox:
                found = await _aside(lambda: toolbox.call(params.name, params.arguments or {}))
        except KgError as error:
            # A model reads what went wrong, and mends its call.
            return _result(wire.problem(error, status_of(error)), is_error=True)
        return _result(found)

    async def list_resources(_: _Context, __: object) -> types.ListResourcesResult:
        listed = [
            types.Resource(uri=d.address, name=d.address.rpartition("/")[2], title=d.title, mime_type=d.media_type)
            for d in DOCUMENTS
        ]
        return types.ListResourcesResult(resources=listed)

    async def read_resource(_: _Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        with _told(), await serving.taken() as served:
            document, text = await _aside(lambda: read_document(served.answers, str(params.uri)))
        contents = types.TextResourceContents(uri=document.address, mime_type=document.media_type, text=text)
        return types.ReadResourceResult(contents=[contents])

    server: Server[Any] = Server(
        "policy-evidence",
        version=__version__,
        title="Policy evidence",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )
    # What the SDK puts there by itself is a tracer.
    server.middleware.clear()
    return server


@contextmanager
def _told() -> Iterator[None]:
    """Tells what goes wrong as an error of the protocol, with the problem document as its data."""
    try:
        yield
    except KgError as error:
        code = types.INVALID_PARAMS if isinstance(error, AskError) else types.INTERNAL_ERROR
        raise MCPError(code, str(error), wire.problem(error, status_of(error))) from error


@asynccontextmanager
async def _toolbox(serving: Serving) -> AsyncIterator[Toolbox]:
    with await serving.taken() as served:
        yield toolbox_of(served, serving.settings)


def toolbox_of(served: Served, settings: Settings) -> Toolbox:
    """Returns the tools over one release: what a model writes is evaluated where strangers' queries are."""
    return Toolbox(served.answers, PooledSource(served.free, settings), served.texts)


async def _aside(work: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(work)


def _result(found: wire.Json, *, is_error: bool = False) -> types.CallToolResult:
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    content = types.TextContent(type="text", text=text)
    return types.CallToolResult(content=[content], structured_content=found, is_error=is_error)


def manager_of(serving: Serving, max_body_bytes: int) -> StreamableHTTPSessionManager:
    """Returns what answers the protocol's requests over HTTP: each by itself, with one JSON object."""
    return StreamableHTTPSessionManager(
        agent_server(serving), json_response=True, stateless=True, max_request_body_size=max_body_bytes
    )


async def serve_on_stdio(serving: Serving) -> None:
    """Serves one client on standard input and output until it leaves.

    Raises:
        ReleaseError, SourceError, DataError: what is served cannot be opened.
    """
    await serving.open()
    try:
        server = agent_server(serving)
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())
    finally:
        await serving.close()
