"""What the command line prints, and how: tables, paths, findings, JSON, progress."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kg import wire

if TYPE_CHECKING:
    from kg.answers import Answers
    from kg.connections.values import MissingLink, Path, Paths, WhyNone
    from kg.model import Answer, Description, Diff, Entity, Finding, Passage


class ReaderLeft(Exception):
    """The reader of our output has gone, as `| head` does; nothing is wrong."""


class Output(Console):
    """A console whose reader may leave."""

    def on_broken_pipe(self) -> None:
        raise ReaderLeft


out = Output(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress_shown() -> Iterator[Callable[[str], None]]:
    """Yields a function that shows the step at hand, on a terminal only."""
    if not err.is_terminal:
        yield _silent
        return
    with err.status("starting") as status:
        yield lambda step: status.update(step)


def _silent(step: str) -> None:
    """Shows no progress: a pipe or a log has no use for it."""
    del step


def write_bytes(content: bytes) -> None:
    """Writes an answer to standard output as it is."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        raise ReaderLeft from error


def print_json(value: object) -> None:
    """Prints a value as indented JSON."""
    write_bytes((json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())


def print_findings(findings: Sequence[Finding]) -> None:
    """Prints findings on standard error, a line each."""
    for finding in findings:
        err.print(finding_line(finding))


def finding_line(finding: Finding) -> Text:
    """Returns a finding as one line, its severity coloured."""
    styles = {"violation": "red", "warning": "yellow", "info": "dim"}
    return Text.assemble((finding.severity, styles[finding.severity]), f" {finding}")


def print_questions(answers: Answers, as_json: bool) -> None:
    """Prints the questions, each with its parameters and summary."""
    listed = answers.questions()
    if as_json:
        print_json(wire.questions(answers.release_id, listed))
        return
    for question in listed:
        parameters = "".join(
            f" {p.name}={p.type}" if p.mode == "required" else f" [{p.name}={p.type}]" for p in question.parameters
        )
        out.print(Text.assemble((question.name, "bold"), parameters))
        out.print(f"    {question.summary}", markup=False)


def print_table(answer: Answer) -> None:
    """Prints the rows of an answer as a table; an entity by its label."""
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
        Output(highlight=False, width=10_000).print(table)
    cut = " (cut by KG_MAX_ROWS)" if answer.truncated else ""
    out.print(f"{counted(len(answer.results), 'row')}{cut}; release {answer.release[:12]}", markup=False)


def print_csv(answer: Answer) -> None:
    """Prints the rows of an answer as CSV, values as they are."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in answer.results:
        writer.writerow([row[name].value if name in row else "" for name in answer.columns])
    write_bytes(text.getvalue().encode())


def print_paths(found: Paths) -> None:
    """Prints paths with a sentence and the passages for each hop, and whose chain each is."""
    out.print(f"{found.start.label} to {found.end.label}: {counted(len(found.paths), 'path')}", markup=False)
    if found.why_none is not None:
        _print_why_none(found.why_none)
    for number, path in enumerate(found.paths, start=1):
        _print_path(number, path)
    if found.truncated:
        out.print("\nThere are further paths; raise --limit to see them.")
    if not found.searched.complete:
        out.print("\nThe search was cut by its budget (KG_MAX_EXPANSIONS).")


def _print_why_none(why: WhyNone) -> None:
    out.print(why.reason, markup=False)
    for entity in why.nearest:
        out.print(f"  reached: {named(entity)}", markup=False)
    if why.missing is not None:
        out.print(f"  {missing(why.missing)}", markup=False)


def _print_path(number: int, path: Path) -> None:
    counts = f"origins {len(path.sources)}, independent {path.independent}"
    head = f"{number}. {counted(path.length, 'hop')}, {path.thread}, score {path.score}, {counts}"
    out.print(f"\n{head}", style="bold", markup=False)
    for hop, sentence in zip(path.hops, path.sentences, strict=True):
        out.print(f"   [{hop.basis}] {sentence}", markup=False)
        for passage in hop.evidence:
            out.print(f"      {reference(passage)}", markup=False, style="dim")
    out.print(f"   {path.verdict}", markup=False)


def print_description(found: Description) -> None:
    """Prints what is known of a thing."""
    out.print(named(found.entity), style="bold", markup=False)
    if found.says:
        out.print(found.says, markup=False)
    for fact in found.facts:
        out.print(f"  {fact.label}: {fact.value}", markup=False)
    for relation in found.results:
        arrow = "→" if relation.direction == "forward" else "←"
        out.print(f"  {arrow} {relation.label} {named(relation.other)} [{relation.basis}]", markup=False)
    for passage in found.evidence:
        out.print(f"  {reference(passage)}", markup=False, style="dim")


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun: 1 row, 2 rows."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_diff(found: Diff) -> None:
    """Prints what tells two releases apart: all in one sentence, then thing by thing."""
    out.print(f"from {found.start[:12]} to {found.end[:12]}", markup=False)
    out.print(found.summary, markup=False)
    for thing in found.results:
        out.print(f"\n{thing.change} {named(thing.entity)}", style="bold", markup=False)
        for statement in thing.statements:
            out.print(f"   [{statement.basis or 'vocabulary'}] {statement.sentence}", markup=False)
    for name, change in found.questions.items():
        out.print(f"\n{change} question {name}", style="bold", markup=False)
    if len(found.results) < found.total:
        out.print(f"\n{len(found.results)} of {found.total} things are shown; raise --limit to see more.")
    if not found.complete:
        out.print("\nNot all that differs was looked at (KG_MAX_COMPARED).")


def named(entity: Entity) -> str:
    """Returns a thing as it is listed: label, CURIE, class."""
    kind = "" if entity.type is None else f", {entity.type}"
    return f"{entity.label} ({entity.curie}{kind})"


def missing(link: MissingLink) -> str:
    """Returns the link that is not there and would connect two things."""
    ends = f"{named(link.subject)} {link.label} {named(link.object)}"
    known = "" if link.fits == "ontology" else " (such links join such things here; the ontology leaves it open)"
    return f"would be connected in {counted(link.hops, 'hop')} if it were so: {ends}{known}"


def reference(passage: Passage) -> str:
    """Returns where a passage stands, with its quote when the text is held."""
    quote = f": “{passage.quote}”" if passage.quote else ""
    return f"{passage.document} characters {passage.start} to {passage.end}{quote}"
