"""`kg mcp`."""

from __future__ import annotations

from kg.cli.program import ReleaseOption, TextsOption, WorkspaceOption, app, settings_in_force
from kg.cli.serving import served_folder


@app.command("mcp")
def mcp(workspace: WorkspaceOption = None, release: ReleaseOption = None, texts: TextsOption = None) -> None:
    """Serve a language model on standard input and output (MCP)."""
    import anyio

    from kg.web.logs import start_log
    from kg.web.mcp import serve_on_stdio
    from kg.web.serving import Serving

    settings = settings_in_force(texts)
    start_log(settings.log_level)
    anyio.run(serve_on_stdio, Serving(served_folder(workspace, release, settings), settings))
