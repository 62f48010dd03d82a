"""`kg serve`."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kg.cli.console import out
from kg.cli.program import ReleaseOption, TextsOption, WorkspaceOption, app, settings_in_force
from kg.errors import BadParameter
from kg.release.directory import find_release, fresh_release
from kg.workspace import Settings, Workspace, open_workspace

if TYPE_CHECKING:
    from kg.web.access import Tokens
    from kg.web.editing import WritableServing


@app.command()
def serve(
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    scratch: Annotated[Path | None, typer.Option(help="Serve a plain dataset kept in this folder.")] = None,
    engine: Annotated[str | None, typer.Option(help="Serve the release that stands in an engine.")] = None,
    writable: Annotated[bool, typer.Option("--writable", help="Let graphs of the workspace be written.")] = False,
    token_file: Annotated[Path | None, typer.Option(help="Who may write: one `name token` a line.")] = None,
) -> None:
    """Serve SPARQL, the API and pages. Builds first if needed; --scratch serves a plain dataset instead."""
    from kg.web.access import read_tokens
    from kg.web.app import create_app, create_scratch_app
    from kg.web.remote import EngineServing
    from kg.web.scratch import ScratchServing
    from kg.web.server import listen, run
    from kg.web.serving import Serving

    settings, tokens = settings_in_force(texts), read_tokens(token_file)
    if writable and (token_file is None or release is not None or scratch is not None):
        raise BadParameter("--writable: goes with --token-file, and with neither --release nor --scratch.")
    if engine is not None and (writable or release is not None or scratch is not None):
        raise BadParameter(
            "--engine: goes with none of --release, --scratch and --writable; `kg publish` writes to it."
        )
    # The port is taken first, so that a taken one is said before a build is made.
    with closing(listen(host, port)) as socket:
        if scratch is not None:
            app = create_scratch_app(ScratchServing(scratch, settings, tokens))
        elif engine is not None:
            releases = open_workspace(workspace).releases(settings)
            app = create_app(EngineServing(engine, releases, settings))
        elif writable:
            app = create_app(_writable(open_workspace(workspace), settings, tokens))
        else:
            app = create_app(Serving(served_folder(workspace, release, settings), settings))
        run(socket, app, started=lambda address: out.print(f"Serving on {address}"))


def served_folder(workspace: Path | None, release: Path | None, settings: Settings) -> Path:
    """Returns what a service follows: the release named, else the folder of the workspace's releases."""
    if release is not None:
        return find_release(release).root
    found = open_workspace(workspace)
    releases = found.releases(settings)
    if fresh_release(releases, found.fingerprint()) is None:
        _build_in_child(found.root)
    return releases


def _writable(workspace: Workspace, settings: Settings, tokens: Tokens) -> WritableServing:
    """Returns a workspace to be served and written; a write that was cut off is ended first."""
    from kg.release.editing import locked, recover
    from kg.web.editing import WritableServing

    with locked(workspace) as alone:
        # Whoever else holds it is alive and ends its own writes.
        if alone:
            recover(workspace, settings)
    served_folder(workspace.root, None, settings)
    return WritableServing(workspace, settings, tokens)


def _build_in_child(root: Path) -> None:
    """Builds in a process of its own, so that a service does not keep what only the build needs."""
    command = [sys.executable, "-m", "kg", "build", "--quiet", "--workspace", str(root)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
