"""The commands that make a release of files, check it, and write it out."""

from __future__ import annotations

from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kg import wire
from kg.cli.console import finding_line, out, print_findings, print_json, progress_shown, write_bytes
from kg.cli.program import (
    ReleaseOption,
    TextShape,
    TextsOption,
    WorkspaceOption,
    app,
    opened_answers,
    read_text,
    release_folder,
    settings_in_force,
)
from kg.errors import BadParameter
from kg.workspace import SETTINGS, init_workspace, open_workspace, read_settings_and_origins


class Check(StrEnum):
    """Which rules a build checks."""

    all = "all"
    changed = "changed"
    none = "none"


class ExportShape(StrEnum):
    """What a release can be written as."""

    nquads = "nquads"
    trig = "trig"
    turtle = "turtle"
    jsonld = "jsonld"
    csv = "csv"
    graphml = "graphml"
    gexf = "gexf"
    parquet = "parquet"
    datacite = "datacite"
    tables = "tables"
    ro_crate = "ro-crate"


@app.command()
def build(
    workspace: WorkspaceOption = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="A folder that becomes the release.")] = None,
    check: Annotated[
        Check | None, typer.Option(help="What to check; default: what changed, when the rest has been checked.")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Take nothing over from the release before.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Leave out what is no violation.")] = False,
) -> None:
    """Make a release: check, apply rules, index, publish. What did not change is taken over."""
    from kg.release import build as building

    with progress_shown() as progress:
        wanted: building.Check | None = None if check is None else check.value
        built = building.build(open_workspace(workspace), settings_in_force(), out_dir, wanted, progress, anew=anew)
    if not quiet:
        print_findings(built.findings)
    out.print(f"release {built.directory.id}")
    for name, count in sorted(built.counts.items()):
        out.print(f"{name} {count}")


@app.command("check")
def check_files(
    workspace: WorkspaceOption = None,
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
) -> None:
    """Check the files against every shape and rule. One line per finding; exit 1 on a violation."""
    from kg.release.build import check

    with progress_shown() as progress:
        progress("checking")
        findings = check(open_workspace(workspace))
    violations = sum(finding.severity == "violation" for finding in findings)
    if shape is TextShape.json:
        print_json(wire.findings(findings))
    else:
        for finding in findings:
            out.print(finding_line(finding))
        out.print(f"{violations} violations, {len(findings) - violations} to look at")
    raise typer.Exit(1 if violations else 0)


@app.command()
def verify(
    texts: TextsOption = None,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
) -> None:
    """Check every passage against the texts at hand. Exit 1 if any is bad."""
    settings = settings_in_force(texts)
    if settings.texts is None:
        raise BadParameter("--texts: name the folder that holds the texts.")
    with opened_answers(workspace, release, settings) as answers:
        outcome = answers.verify()
    for passage in outcome.bad:
        out.print(f"bad {passage.iri}", markup=False)
    out.print(str(outcome))
    raise typer.Exit(1 if outcome.bad else 0)


@app.command("init")
def init(folder: Annotated[Path, typer.Argument(help="A new or empty folder.")]) -> None:
    """Make a new workspace: ontology, questions, no texts."""
    made = init_workspace(folder)
    out.print(
        f"{made.root} is ready: write what a text says as graph/sources/NAME.trig, then kg build --workspace {folder}",
        markup=False,
    )


@app.command("format")
def format_files(files: Annotated[list[Path], typer.Argument(help="Turtle or TriG files.")]) -> None:
    """Write Turtle and TriG files in the one sorted order."""
    from kg.release.turtle import format_file

    prefixes = open_workspace().prefixes
    for path in files:
        changed = format_file(path, prefixes)
        out.print(f"{path}: {'written anew' if changed else 'in order'}", markup=False)


@app.command("passage")
def passage(
    text: Annotated[Path, typer.Argument(help="A text, exactly as it is held.")],
    words: Annotated[str, typer.Argument(help="Words that stand in it once.")],
) -> None:
    """Print the Turtle of a passage, given its words. To be pasted into the file of that text."""
    from kg.evidence import passage_of_words, passage_quads
    from kg.release.turtle import write_turtle

    quads = passage_quads(passage_of_words(read_text(text), words))
    write_bytes(write_turtle(quads, open_workspace().prefixes).encode())


@app.command("export")
def export(
    shape: Annotated[ExportShape, typer.Argument(help="What to write.")],
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="A file; by default standard output. tables, ro-crate: a new folder.")
    ] = None,
) -> None:
    """Write the release in a format other tools read."""
    from kg.release.export import write_export, write_export_to
    from kg.release.folders import FOLDERS, write_folder
    from kg.release.opened import open_release

    if shape.value in FOLDERS and out_file is None:
        raise BadParameter(f"--out: {shape.value} is a folder; name it.")
    opened = open_release(release_folder(workspace, release, settings_in_force()))
    with closing(opened):
        if shape.value in FOLDERS and out_file is not None:
            write_folder(opened, shape.value, out_file)
        elif out_file is None:
            write_bytes(write_export(opened, shape.value))
        else:
            with out_file.open("wb") as file:
                write_export_to(opened, shape.value, file)


@app.command("settings")
def show_settings(shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text) -> None:
    """List the settings in force. For each: variable, value, unit, meaning, and where the value comes from."""
    values, origins = read_settings_and_origins()
    rows = [
        {
            "variable": s.variable,
            # A secret is not shown, only that there is one.
            "value": "set" if s.unit == "secret" and getattr(values, s.name) else getattr(values, s.name),
            "origin": origins[s.name],
            "default": s.default,
            "unit": s.unit,
            "help": s.help,
        }
        for s in SETTINGS
    ]
    if shape is TextShape.json:
        print_json({"results": rows, "truncated": False})
        return
    for row in rows:
        value = "not set" if row["value"] is None else row["value"]
        out.print(f"{row['variable']} = {value} ({row['unit']})  {row['help']}  [{row['origin']}]", markup=False)
