"""The command line: every command, and no logic of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kg import wire
from kg.errors import BadParameter, DataError, KgError
from kg.model import bases
from kg.release.directory import find_release, fresh_release
from kg.workspace import (
    SETTINGS,
    Settings,
    Workspace,
    init_workspace,
    open_workspace,
    read_settings,
    read_settings_and_origins,
)

if TYPE_CHECKING:
    from kg.answers import Answers
    from kg.model import Answer, Description, Entity, Finding, Passage, Paths
    from kg.web.access import Tokens
    from kg.web.editing import WritableServing

app = typer.Typer(
    name="kg",
    help="A knowledge graph of what policy reports say: build it, serve it, ask it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class _ReaderLeft(Exception):
    """The reader of our output has gone, as `| head` does; nothing is wrong."""


class _Output(Console):
    """A console whose reader may leave."""

    def on_broken_pipe(self) -> None:
        raise _ReaderLeft


out = _Output(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

WorkspaceOption = Annotated[Path | None, typer.Option(help="Folder with ontology/, graph/ and queries/.")]
ReleaseOption = Annotated[Path | None, typer.Option(help="A release, instead of building one.")]
TextsOption = Annotated[Path | None, typer.Option(help="Folder of held texts, for quotes.")]


class Check(StrEnum):
    """Which rules a build checks."""

    all = "all"
    changed = "changed"
    none = "none"


class Shape(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"


class TextShape(StrEnum):
    """How everything else is printed."""

    text = "text"
    json = "json"


class SparqlShape(StrEnum):
    """How the answer to free SPARQL is printed."""

    table = "table"
    json = "json"
    xml = "xml"
    csv = "csv"
    tsv = "tsv"
    turtle = "turtle"
    ntriples = "ntriples"
    jsonld = "jsonld"


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


_MEDIA = {
    SparqlShape.json: "application/sparql-results+json",
    SparqlShape.xml: "application/sparql-results+xml",
    SparqlShape.csv: "text/csv",
    SparqlShape.tsv: "text/tab-separated-values",
    SparqlShape.turtle: "text/turtle",
    SparqlShape.ntriples: "application/n-triples",
    SparqlShape.jsonld: "application/ld+json",
}


def main() -> None:
    """Runs a command; an error that names its cause is one line and exit code 1, never a traceback."""
    try:
        _refuse_bytes(sys.argv)
        app()
    except KgError as error:
        for finding in getattr(error, "findings", ()):
            err.print(_finding(finding))
        err.print(f"{error.title}: {error}", style="red" if err.is_terminal else None, markup=False)
        sys.exit(1)
    except _ReaderLeft:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        # A folder that may not be written, a full disk: what the system says names the cause.
        err.print(f"Cannot be done: {error}", style="red" if err.is_terminal else None, markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _refuse_bytes(arguments: Sequence[str]) -> None:
    """Refuses arguments that are not text in the terminal's encoding: no name or query can hold such bytes."""
    for place, argument in enumerate(arguments):
        if any("\udc80" <= character <= "\udcff" for character in argument):
            raise BadParameter(f"argument {place} is not UTF-8: {os.fsencode(argument)!r}")


# Serving


@app.command()
def serve(
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    scratch: Annotated[Path | None, typer.Option(help="Serve a plain dataset kept in this folder.")] = None,
    writable: Annotated[bool, typer.Option("--writable", help="Let graphs of the workspace be written.")] = False,
    token_file: Annotated[Path | None, typer.Option(help="Who may write: one `name token` a line.")] = None,
) -> None:
    """Build if needed, then serve the explorer, SPARQL and the API; or a scratch dataset."""
    from kg.web.access import read_tokens
    from kg.web.app import create_app, create_scratch_app
    from kg.web.scratch import ScratchServing
    from kg.web.server import listen, run
    from kg.web.serving import Serving

    settings, tokens = _settings(texts), read_tokens(token_file)
    if writable and (token_file is None or release is not None or scratch is not None):
        raise BadParameter("--writable: goes with --token-file, and with neither --release nor --scratch.")
    # The port is taken first, so that a taken one is said before a build is made.
    with closing(listen(host, port)) as socket:
        if scratch is not None:
            app = create_scratch_app(ScratchServing(scratch, settings, tokens))
        elif writable:
            app = create_app(_writable(open_workspace(workspace), settings, tokens))
        else:
            app = create_app(Serving(_served_folder(workspace, release, settings), settings))
        run(socket, app, started=lambda address: out.print(f"Serving on {address}"))


# Building


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
    """Check the files, apply the rules, index, and publish a release; what did not change is taken over."""
    from kg.release import build as building

    with _progress() as progress:
        wanted: building.Check | None = None if check is None else check.value
        built = building.build(open_workspace(workspace), _settings(), out_dir, wanted, progress, anew=anew)
    if not quiet:
        _print_findings(built.findings)
    out.print(f"release {built.directory.id}")
    for name, count in sorted(built.counts.items()):
        out.print(f"{name} {count}")


@app.command("check")
def check_files(
    workspace: WorkspaceOption = None,
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
) -> None:
    """Check every shape and every rule; one line per finding, exit 1 on a violation."""
    from kg.release.build import check

    with _progress() as progress:
        progress("checking")
        findings = check(open_workspace(workspace))
    violations = sum(finding.severity == "violation" for finding in findings)
    if shape is TextShape.json:
        _print_json(wire.findings(findings))
    else:
        for finding in findings:
            out.print(_finding(finding))
        out.print(f"{violations} violations, {len(findings) - violations} to look at")
    raise typer.Exit(1 if violations else 0)


@app.command()
def verify(
    texts: TextsOption = None,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
) -> None:
    """Check every passage against the texts at hand; exit 1 if any is bad."""
    settings = _settings(texts)
    if settings.texts is None:
        raise BadParameter("--texts: name the folder that holds the texts.")
    with _answers(workspace, release, settings) as answers:
        outcome = answers.verify()
    for passage in outcome.bad:
        out.print(f"bad {passage.iri}", markup=False)
    out.print(str(outcome))
    raise typer.Exit(1 if outcome.bad else 0)


@app.command("init")
def init(folder: Annotated[Path, typer.Argument(help="A new or empty folder.")]) -> None:
    """Make a new, empty workspace with the ontology and the questions."""
    made = init_workspace(folder)
    out.print(f"{made.root} is ready: put texts in graph/sources/, then kg build --workspace {folder}", markup=False)


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
    """Print the Turtle of the passage of a text in which some words stand."""
    from kg.evidence import passage_of_words, passage_quads
    from kg.release.turtle import write_turtle

    try:
        held = text.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as UTF-8 text: {error}", text) from error
    quads = passage_quads(passage_of_words(held, words))
    _write(write_turtle(quads, open_workspace().prefixes).encode())


@app.command("export")
def export(
    shape: Annotated[ExportShape, typer.Argument(help="What to write.")],
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="A file; by default standard output.")] = None,
) -> None:
    """Write the release in a format other tools read."""
    from kg.release.export import write_export
    from kg.release.opened import open_release

    opened = open_release(_release_folder(workspace, release, _settings()))
    try:
        content = write_export(opened, shape.value)
    finally:
        opened.close()
    if out_file is None:
        _write(content)
    else:
        out_file.write_bytes(content)


# Asking


@app.command()
def sparql(
    query: Annotated[str | None, typer.Argument(help="A SPARQL query.")] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="A file that holds it.")] = None,
    shape: Annotated[SparqlShape, typer.Option("--format")] = SparqlShape.table,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
) -> None:
    """Answer a SPARQL query; the graph's prefixes are known."""
    from kg.engines.source import Request
    from kg.tokens import is_graph_form, verb

    if (query is None) == (file is None):
        raise typer.BadParameter("give a query or a file (-f), one of the two")
    text = query if query is not None else _read_text(file)
    with _answers(workspace, release) as answers:
        if shape is SparqlShape.table and verb(text) == "SELECT":
            _print_table(answers.select(text))
            return
        plain = "text/turtle" if is_graph_form(text) else "application/sparql-results+json"
        reply = answers.sparql(Request(text), _MEDIA.get(shape, plain))
    _write(reply if reply.endswith(b"\n") else reply + b"\n")


@app.command()
def ask(
    name: Annotated[str | None, typer.Argument(help="A question; without it, they are listed.")] = None,
    values: Annotated[list[str] | None, typer.Argument(help="param=value …")] = None,
    shape: Annotated[Shape, typer.Option("--format")] = Shape.table,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
) -> None:
    """Answer one of the questions of queries/, or list them."""
    with _answers(workspace, release) as answers:
        if name is None:
            _print_questions(answers, shape)
            return
        answer = answers.ask(name, _parameters(values or []))
    if shape is Shape.json:
        _print_json(wire.answer(answer))
    elif shape is Shape.csv:
        _print_csv(answer)
    else:
        _print_table(answer)


@app.command()
def connect(
    start: Annotated[str, typer.Argument(metavar="A")],
    end: Annotated[str, typer.Argument(metavar="B")],
    max_hops: Annotated[int, typer.Option(help="The longest path that counts.")] = 6,
    limit: Annotated[int, typer.Option(help="How many paths at most.")] = 10,
    basis: Annotated[str, typer.Option(help="said,judged,inferred,reference: which links count.")] = "",
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show how two things hang together, and who says so."""
    with _answers(workspace, release, _settings(texts)) as answers:
        found = answers.connect(start, end, max_hops, limit, bases(basis))
    if shape is TextShape.json:
        _print_json(wire.paths(found))
    else:
        _print_paths(found)


@app.command()
def describe(
    entity: Annotated[str, typer.Argument(help="IRI, CURIE or label.")],
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show what is known of one thing, and what it rests on."""
    with _answers(workspace, release, _settings(texts)) as answers:
        found = answers.describe(entity)
    if shape is TextShape.json:
        _print_json(wire.description(found))
    else:
        _print_description(found)


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="Words of a label or description.")],
    kind: Annotated[str | None, typer.Option("--type", help="A class, such as pev:Theme.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 20,
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
) -> None:
    """Find things by their labels and descriptions; typing errors are forgiven."""
    with _answers(workspace, release) as answers:
        found = answers.search(" ".join(words), kind, limit)
    if shape is TextShape.json:
        _print_json(wire.matches(found))
        return
    for entity in found.results:
        out.print(_named(entity), markup=False)
    if not found.results:
        out.print("nothing found")


@app.command("settings")
def show_settings(shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text) -> None:
    """List the settings: variable, value in force, unit, meaning, and where the value comes from."""
    values, origins = read_settings_and_origins()
    rows = [
        {
            "variable": s.variable,
            "value": getattr(values, s.name),
            "origin": origins[s.name],
            "default": s.default,
            "unit": s.unit,
            "help": s.help,
        }
        for s in SETTINGS
    ]
    if shape is TextShape.json:
        _print_json({"results": rows, "truncated": False})
        return
    for row in rows:
        value = "not set" if row["value"] is None else row["value"]
        out.print(f"{row['variable']} = {value} ({row['unit']})  {row['help']}  [{row['origin']}]", markup=False)


# What commands share


def _settings(texts: Path | None = None) -> Settings:
    settings = read_settings()
    return settings if texts is None else replace(settings, texts=str(texts))


def _release_folder(workspace: Path | None, release: Path | None, settings: Settings) -> Path:
    """Returns the folder of the release to read: the one named, else the workspace's, built when stale."""
    if release is not None:
        return find_release(release).root
    found = open_workspace(workspace)
    releases = found.releases(settings)
    fresh = fresh_release(releases, found.fingerprint())
    if fresh is not None:
        return fresh.root
    from kg.release import build as building

    with _progress() as progress:
        building.build(found, settings, progress=progress)
    return find_release(releases).root


def _served_folder(workspace: Path | None, release: Path | None, settings: Settings) -> Path:
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
    _served_folder(workspace.root, None, settings)
    return WritableServing(workspace, settings, tokens)


def _build_in_child(root: Path) -> None:
    """Builds in a process of its own, so that a service does not keep what only the build needs."""
    command = [sys.executable, "-m", "kg", "build", "--quiet", "--workspace", str(root)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)


@contextmanager
def _answers(workspace: Path | None, release: Path | None, settings: Settings | None = None) -> Iterator[Answers]:
    from kg.answers import open_answers

    settings = settings or _settings()
    opened = open_answers(_release_folder(workspace, release, settings), settings)
    try:
        yield opened
    finally:
        opened.close()


def _parameters(values: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r} is not of the form param=value")
        found.setdefault(name, []).append(value)
    return found


def _read_text(path: Path | None) -> str:
    assert path is not None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", path) from error


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Yields a function that shows the step at hand, on a terminal only."""
    if not err.is_terminal:
        yield _silent
        return
    with err.status("starting") as status:
        yield lambda step: status.update(step)


def _silent(step: str) -> None:
    """Shows no progress: a pipe or a log has no use for it."""
    del step


def _write(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        raise _ReaderLeft from error


def _print_json(value: object) -> None:
    _write((json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        err.print(_finding(finding))


def _finding(finding: Finding) -> Text:
    styles = {"violation": "red", "warning": "yellow", "info": "dim"}
    return Text.assemble((finding.severity, styles[finding.severity]), f" {finding}")


def _print_questions(answers: Answers, shape: Shape) -> None:
    listed = answers.questions()
    if shape is Shape.json:
        _print_json(wire.questions(answers.release_id, listed))
        return
    for question in listed:
        parameters = "".join(
            f" {p.name}={p.type}" if p.mode == "required" else f" [{p.name}={p.type}]" for p in question.parameters
        )
        out.print(Text.assemble((question.name, "bold"), parameters))
        out.print(f"    {question.summary}", markup=False)


def _print_table(answer: Answer) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    hidden = {name for name in answer.columns if f"{name}Label" in answer.columns}
    columns = [name for name in answer.columns if name not in hidden]
    for name in columns:
        table.add_column(name.removesuffix("Label") if name.removesuffix("Label") in hidden else name, overflow="fold")
    for row in answer.results:
        cells = (row.get(name) for name in columns)
        table.add_row(*(Text("" if cell is None else cell.label or cell.value) for cell in cells))
    if out.is_terminal:
        out.print(table)
    else:
        # A pipe has no width; a column is then as wide as its widest cell.
        _Output(highlight=False, width=10_000).print(table)
    cut = " (cut by KG_MAX_ROWS)" if answer.truncated else ""
    out.print(f"{len(answer.results)} rows{cut}; release {answer.release[:12]}", markup=False)


def _print_csv(answer: Answer) -> None:
    import csv

    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in answer.results:
        writer.writerow([row[name].value if name in row else "" for name in answer.columns])
    _write(text.getvalue().encode())


def _print_paths(found: Paths) -> None:
    out.print(f"{found.start.label} to {found.end.label}: {len(found.paths)} paths", markup=False)
    if found.why_none is not None:
        out.print(found.why_none.reason, markup=False)
        for entity in found.why_none.nearest:
            out.print(f"  reached: {_named(entity)}", markup=False)
    for number, path in enumerate(found.paths, start=1):
        origins = f" in {', '.join(path.origins)}" if path.origins else ""
        head = f"{number}. {path.length} hops, {path.thread}{origins}, score {path.score}"
        out.print(f"\n{head}", style="bold", markup=False)
        for hop in path.hops:
            out.print(f"   [{hop.basis}] {hop.sentence}", markup=False)
            for passage in hop.evidence:
                out.print(f"      {_reference(passage)}", markup=False, style="dim")
    if found.truncated:
        out.print("\nThere are further paths; raise --limit to see them.")
    if not found.searched.complete:
        out.print("\nThe search was cut by its budget (KG_MAX_EXPANSIONS).")


def _print_description(found: Description) -> None:
    out.print(_named(found.entity), style="bold", markup=False)
    if found.says:
        out.print(found.says, markup=False)
    for fact in found.facts:
        out.print(f"  {fact.label}: {fact.value}", markup=False)
    for relation in found.results:
        arrow = "→" if relation.direction == "forward" else "←"
        out.print(f"  {arrow} {relation.label} {_named(relation.other)} [{relation.basis}]", markup=False)
    for passage in found.evidence:
        out.print(f"  {_reference(passage)}", markup=False, style="dim")


def _named(entity: Entity) -> str:
    kind = "" if entity.type is None else f", {entity.type}"
    return f"{entity.label} ({entity.curie}{kind})"


def _reference(passage: Passage) -> str:
    quote = f": “{passage.quote}”" if passage.quote else ""
    return f"{passage.document} characters {passage.start} to {passage.end}{quote}"
