"""The commands that ask a release."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import typer

from kg import wire
from kg.cli.console import (
    err,
    named,
    out,
    print_csv,
    print_description,
    print_diff,
    print_json,
    print_paths,
    print_questions,
    print_table,
    write_bytes,
)
from kg.cli.program import (
    ReleaseOption,
    Shape,
    TextShape,
    TextsOption,
    WorkspaceOption,
    app,
    opened_answers,
    opened_release,
    parameters_of,
    read_text,
    settings_in_force,
)
from kg.connections.values import Mode, Restriction, bases, parts_of
from kg.errors import BadParameter, KgError
from kg.workspace import Settings


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


_MEDIA = {
    SparqlShape.json: "application/sparql-results+json",
    SparqlShape.xml: "application/sparql-results+xml",
    SparqlShape.csv: "text/csv",
    SparqlShape.tsv: "text/tab-separated-values",
    SparqlShape.turtle: "text/turtle",
    SparqlShape.ntriples: "application/n-triples",
    SparqlShape.jsonld: "application/ld+json",
}


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

    text = _query_text(query, file)
    with opened_answers(workspace, release) as answers:
        if shape is SparqlShape.table and verb(text) == "SELECT":
            print_table(answers.select(text))
            return
        plain = "text/turtle" if is_graph_form(text) else "text/csv"  # true or false
        reply = answers.sparql(Request(text), _MEDIA.get(shape, plain))
    write_bytes(reply if reply.endswith(b"\n") else reply + b"\n")


def _query_text(query: str | None, file: Path | None) -> str:
    if query is not None and file is None:
        return query
    if file is not None and query is None:
        return read_text(file)
    raise typer.BadParameter("give a query or a file (-f), one of the two")


@app.command()
def ask(
    name: Annotated[str | None, typer.Argument(help="A question; without it, they are listed.")] = None,
    values: Annotated[list[str] | None, typer.Argument(help="param=value …")] = None,
    shape: Annotated[Shape, typer.Option("--format")] = Shape.table,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
) -> None:
    """Answer one of the questions of queries/, or list them."""
    with opened_answers(workspace, release) as answers:
        if name is None:
            print_questions(answers, as_json=shape is Shape.json)
            return
        answer = answers.ask(name, parameters_of(values or []))
    if shape is Shape.json:
        print_json(wire.answer(answer))
    elif shape is Shape.csv:
        print_csv(answer)
    else:
        print_table(answer)


@app.command()
def connect(
    start: Annotated[str, typer.Argument(metavar="A", help="IRI, CURIE or label.")],
    end: Annotated[str, typer.Argument(metavar="B", help="IRI, CURIE or label.")],
    max_hops: Annotated[int, typer.Option(help="The longest path that counts.")] = 6,
    limit: Annotated[int, typer.Option(help="How many paths at most.")] = 10,
    basis: Annotated[str, typer.Option(help="said,judged,inferred,reference: which links count.")] = "",
    shortest: Annotated[bool, typer.Option("--shortest", help="All shortest paths, instead of the best.")] = False,
    every: Annotated[bool, typer.Option("--all", help="The best of all paths up to --max-hops.")] = False,
    via: Annotated[list[str] | None, typer.Option(help="What every path passes; again for more, in order.")] = None,
    avoid: Annotated[list[str] | None, typer.Option(help="What no path passes; again for more.")] = None,
    links: Annotated[str, typer.Option(help="Types of link that count, such as blocks,pev:affects.")] = "",
    types: Annotated[str, typer.Option(help="Classes of what stands between, such as pev:Barrier.")] = "",
    direction: Annotated[str, typer.Option(help="any, or forward: links in their own direction only.")] = "any",
    place: Annotated[list[str] | None, typer.Option(help="Origins are about it; again for more.")] = None,
    document: Annotated[list[str] | None, typer.Option(help="Origins are among these; again for more.")] = None,
    since: Annotated[str | None, typer.Option(help="Origins were issued then or later, such as 2018-11.")] = None,
    until: Annotated[str | None, typer.Option(help="Origins were issued then or earlier.")] = None,
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
    opens: Annotated[bool, typer.Option("--open", help="Open it in a browser, and serve it until Ctrl-C.")] = False,
    service: Annotated[str | None, typer.Option(help="With --open: a service that runs, to open there.")] = None,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show how two things hang together, and who says so."""
    if service is not None and (not opens or urlsplit(service).scheme not in ("http", "https")):
        raise BadParameter("--service: takes an http(s) address, and goes with --open.")
    wanted = Mode.SHORTEST if shortest else Mode.ALL if every else Mode.BEST
    restriction = Restriction(
        tuple(via or ()), tuple(avoid or ()), parts_of(links), parts_of(types), direction,
        tuple(place or ()), tuple(document or ()), since, until,
    )  # fmt: skip
    ends = {"from": start, "to": end, "max_hops": max_hops, "limit": limit, "basis": basis}
    view = _address(ends, wanted, restriction)
    if service is not None:
        _open(service.rstrip("/") + view)
        return
    settings = settings_in_force(texts)
    with opened_answers(workspace, release, settings) as answers:
        found = answers.connect(start, end, max_hops, limit, bases(basis), wanted, restriction)
        folder = answers.opened.directory.root
    if shape is TextShape.json:
        print_json(wire.paths(found))
    else:
        print_paths(found)
    if opens:
        _serve_and_open(view, folder, settings)


def _address(ends: Mapping[str, object], mode: Mode, restriction: Restriction) -> str:
    """Returns the address of an answer in the explorer, within a service; it says what differs from the usual."""
    usual = {"mode": Mode.BEST, **asdict(Restriction())}
    others = {name: v for name, v in {"mode": mode, **asdict(restriction)}.items() if v != usual[name]}
    return "/?" + urlencode({"view": "connect", **ends, **others}, doseq=True)


def _serve_and_open(view: str, folder: Path, settings: Settings) -> None:
    """Serves a release on a free port until it is told to stop, and opens a view of it."""
    from kg.web.app import create_app
    from kg.web.pages import is_built
    from kg.web.server import listen, run
    from kg.web.serving import Serving

    if not is_built():
        raise KgError("--open: the explorer is not built into this package; run python hatch_build.py.")
    with closing(listen("127.0.0.1", 0)) as socket:
        run(socket, create_app(Serving(folder, settings)), started=lambda address: _open(address.rstrip("/") + view))


def _open(address: str) -> None:
    """Opens an address in the browser, and says it, should there be none; standard output is the answer's."""
    err.print(f"Opening {address}", markup=False)
    # A browser of the terminal comes back only when it is left, and asks the service before that.
    threading.Thread(target=webbrowser.open, args=[address]).start()


@app.command()
def describe(
    entity: Annotated[str, typer.Argument(help="IRI, CURIE or label.")],
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show what is known of one thing, and what it rests on."""
    with opened_answers(workspace, release, settings_in_force(texts)) as answers:
        found = answers.describe(entity)
    if shape is TextShape.json:
        print_json(wire.description(found))
    else:
        print_description(found)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A release: its id, 8 or more digits of it, or a folder.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The release to compare it with, likewise.")],
    limit: Annotated[int, typer.Option(help="How many things are shown one by one.")] = 50,
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
    workspace: WorkspaceOption = None,
) -> None:
    """Tell in domain words what changed from one release to another."""
    with opened_release(before, workspace) as first, opened_release(after, workspace) as second:
        found = first.diff(second, limit)
    if shape is TextShape.json:
        print_json(wire.diff(found))
    else:
        print_diff(found)


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="Words of a label or description.")],
    kind: Annotated[str | None, typer.Option("--type", help="A class, such as pev:Theme.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 20,
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
) -> None:
    """Find things by their labels and descriptions. Typing errors are forgiven."""
    with opened_answers(workspace, release) as answers:
        found = answers.search(" ".join(words), kind, limit)
    if shape is TextShape.json:
        print_json(wire.matches(found))
        return
    for entity in found.results:
        out.print(named(entity), markup=False)
    if not found.results:
        out.print("nothing found")
