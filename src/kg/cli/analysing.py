"""The commands that ask questions on the whole of a release (docs/questions.md defines each)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kg import wire
from kg.cli import answered
from kg.cli.console import print_json
from kg.cli.program import (
    ReleaseOption,
    TextShape,
    TextsOption,
    WorkspaceOption,
    app,
    opened_answers,
    settings_in_force,
)
from kg.connections.values import bases

if TYPE_CHECKING:
    from kg.analysis.questions import Analysis

ShapeOption = Annotated[TextShape, typer.Option("--format")]
LimitOption = Annotated[int, typer.Option(help="How many results at most.")]
BasisOption = Annotated[str, typer.Option(help="said,judged,inferred,reference: which links count.")]
ThemeArgument = Annotated[str | None, typer.Argument(help="IRI, CURIE or label; all themes without it.")]
DocumentArgument = Annotated[str, typer.Argument(help="IRI, CURIE or label.")]


def _answer(
    ask: Callable[[Analysis], Any],
    show: Callable[[Any], None],
    shape: TextShape,
    places: tuple[Path | None, Path | None, Path | None],
) -> None:
    workspace, release, texts = places
    with opened_answers(workspace, release, settings_in_force(texts)) as answers:
        found = ask(answers.analysis)
    if shape is TextShape.json:
        print_json(wire.analysed(found))
    else:
        show(found)


@app.command()
def blockers(
    entity: Annotated[str, typer.Argument(help="IRI, CURIE or label.")],
    max_hops: Annotated[int, typer.Option(help="The longest chain that counts.")] = 6,
    limit: LimitOption = 100,
    basis: BasisOption = "",
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show what stands in the way of a thing, upstream."""
    places = (workspace, release, texts)
    _answer(lambda a: a.blockers(entity, max_hops, limit, bases(basis)), answered.print_blockers, shape, places)


@app.command()
def keystones(
    limit: LimitOption = 20,
    basis: BasisOption = "",
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show which barriers hold most themes alone."""
    places = (workspace, release, texts)
    _answer(lambda a: a.keystones(limit, bases(basis)), answered.print_keystones, shape, places)


@app.command()
def whatif(
    barrier: Annotated[str, typer.Argument(help="IRI, CURIE or label.")],
    limit: LimitOption = 50,
    basis: BasisOption = "",
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show what would change if a barrier went."""
    places = (workspace, release, texts)
    _answer(lambda a: a.what_if(barrier, limit, bases(basis)), answered.print_what_if, shape, places)


@app.command()
def compare(
    theme: Annotated[str, typer.Argument(help="IRI, CURIE or label.")],
    limit: LimitOption = 50,
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show what each document says on a theme, or that it is silent."""
    _answer(lambda a: a.compare(theme, limit), answered.print_comparison, shape, (workspace, release, texts))


@app.command()
def gaps(
    theme: ThemeArgument = None,
    reverse: Annotated[bool, typer.Option(help="Recommendations that answer no barrier.")] = False,
    limit: LimitOption = 200,
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show which barriers lack evidence, answer or follow-up."""
    _answer(lambda a: a.gaps(theme, reverse, limit), answered.print_gaps, shape, (workspace, release, texts))


@app.command()
def tensions(
    theme: ThemeArgument = None,
    limit: LimitOption = 100,
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show where claims on a theme disagree."""
    _answer(lambda a: a.tensions(theme, limit), answered.print_tensions, shape, (workspace, release, texts))


@app.command()
def lineage(
    item: Annotated[str, typer.Argument(help="IRI, CURIE or label.")],
    limit: LimitOption = 200,
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show what became of an item, and who says so."""
    _answer(lambda a: a.lineage(item, limit), answered.print_lineage, shape, (workspace, release, texts))


@app.command()
def timeline(
    theme: ThemeArgument = None,
    limit: LimitOption = 50,
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show in which years themes are named, silent or said resolved."""
    _answer(lambda a: a.timeline(theme, limit), answered.print_timeline, shape, (workspace, release, texts))


@app.command()
def fragile(
    document: Annotated[str | None, typer.Argument(help="Whose text; all texts without it.")] = None,
    limit: LimitOption = 50,
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show what rests on one passage, and what falls with it."""
    _answer(lambda a: a.fragile(document, limit), answered.print_fragility, shape, (workspace, release, texts))


@app.command()
def news(
    document: DocumentArgument,
    limit: LimitOption = 200,
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show what a document says first, repeats and drops."""
    _answer(lambda a: a.news(document, limit), answered.print_news, shape, (workspace, release, texts))


@app.command()
def central(
    limit: LimitOption = 10,
    shape: ShapeOption = TextShape.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
    texts: TextsOption = None,
) -> None:
    """Show the bodies asked most and the barriers that matter most."""
    _answer(lambda a: a.central(limit), answered.print_centrality, shape, (workspace, release, texts))
