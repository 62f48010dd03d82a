"""`kg publish`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from kg.cli.console import out, print_json, progress_shown
from kg.cli.program import ReleaseOption, TextShape, WorkspaceOption, app, release_folder, settings_in_force
from kg.release.directory import find_release


@app.command()
def publish(
    engine: Annotated[str, typer.Option(help="Address of a SPARQL 1.1 engine.")],
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every triple, also of graphs known as whole.")
    ] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Go on where another publisher seems to be at work; that one stops.")
    ] = False,
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
) -> None:
    """Write the release to an engine, and verify it there.

    Only the graphs that differ are written, each is verified, and a publication that broke off is finished.
    One publisher at a time: another one is told who is at work.
    """
    from kg.engines.remote.engine import open_engine
    from kg.release import publish as publishing

    settings = settings_in_force()
    directory = find_release(release_folder(workspace, release, settings))
    with closing(open_engine(engine, settings)) as opened, progress_shown() as progress:
        done = publishing.publish(directory, opened, progress, verify, take_over)
    if shape is TextShape.json:
        found = {"written": done.written, "unchanged": done.unchanged, "removed": done.removed}
        print_json({"release": done.release, **found, "triples": done.triples})
        return
    out.print(f"release {done.release}")
    counts = f"written {len(done.written)}, unchanged {len(done.unchanged)}, removed {len(done.removed)}"
    out.print(f"graphs {counts}; triples {done.triples}")
