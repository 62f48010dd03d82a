"""The commands that bring a report in: ingest, review, record, withdraw, template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kg.cli.console import err, out, write_bytes
from kg.cli.program import TextShape, WorkspaceOption, app, release_folder, settings_in_force
from kg.errors import BadParameter, DataError
from kg.workspace import Settings, Workspace, open_workspace

if TYPE_CHECKING:
    from kg.ingest.folder import Outcome
    from kg.ingest.intake import Intake, Taken
    from kg.ingest.known import Known
    from kg.ingest.model import Model
    from kg.ingest.review import Review

FolderArgument = Annotated[Path, typer.Argument(help="The folder that `kg ingest --out` filled.")]


@app.command("ingest")
def ingest(
    files: Annotated[
        list[Path], typer.Argument(help="PDF, HTML, DOCX, TXT, Markdown, CSV or XLSX files, or folders of them.")
    ],
    out_dir: Annotated[Path, typer.Option("--out", help="A folder for the candidates, outside of the workspace.")],
    shape: Annotated[TextShape, typer.Option("--format")] = TextShape.text,
    workspace: WorkspaceOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read files anew that were read before; decisions are kept.")
    ] = False,
) -> None:
    """Read reports into passages and candidates; publish nothing."""
    from kg.ingest.aids import Aids
    from kg.ingest.folder import Help, Limits, files_in, ingest_all
    from kg.ingest.held import claimed
    from kg.ingest.spreadsheet import ENDINGS as TABLES

    settings, found = settings_in_force(), open_workspace(workspace)
    intake = intake_of(out_dir, found, settings)
    aids = Aids(settings.theme_vectors, settings.names_model)
    aids.check()
    with claimed(out_dir):
        done = {} if again else intake.done()
        found_files = files_in(files)
        tables = [path for path in found_files if path.suffix.lower() in TABLES]
        waiting, standing = _sorted_by_done([path for path in found_files if path not in tables], done)
        known = known_of(workspace, settings)
        limits = Limits(settings.max_document_bytes, settings.document_time_limit_ms, settings.document_memory_limit_mb)
        report = _Report(intake, shape is TextShape.json, len(waiting) + len(tables))
        for path in tables:
            report.add_table(path, known, settings.max_document_bytes)
        for path, sheet in standing:
            report.standing(path, sheet)
        for outcome in ingest_all(waiting, known, limits, Help(model_of(settings), aids)):
            report.add(outcome, again)
    report.close()


def _sorted_by_done(files: list[Path], done: dict[str, str]) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Returns the files that are to be read, and those whose sheet stands."""
    import hashlib

    waiting, standing = [], []
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.stat().st_size < 2**30 else ""
        if digest in done:
            standing.append((path, done[digest]))
        else:
            waiting.append(path)
    return waiting, standing


def known_of(workspace: Path | None, settings: Settings) -> Known:
    """Returns what the workspace's release knows by name."""
    from kg.ingest.known import read_known
    from kg.release.opened import open_release

    release = open_release(release_folder(workspace, None, settings))
    try:
        return read_known(release.source, release.library)
    finally:
        release.close()


def model_of(settings: Settings) -> Model | None:
    """Returns the model that is set, None where none is.

    Raises:
        BadParameter: an address without a name.
    """
    from kg.ingest.model import Model

    if settings.model_address is None:
        return None
    if settings.model_name is None:
        raise BadParameter("KG_MODEL_ADDRESS is set without KG_MODEL_NAME: which model is to be asked?")
    return Model(settings.model_address, settings.model_name, settings.model_key, settings.model_time_limit_ms)


def intake_of(folder: Path, workspace: Workspace, settings: Settings) -> Intake:
    """Returns the intake of a folder; neither it nor the library may lie in the workspace."""
    from kg.ingest.held import library_folder, refuse_inside
    from kg.ingest.intake import Intake

    library = library_folder(settings)
    refuse_inside(folder, workspace, "candidates with their passages")
    refuse_inside(library, workspace, "the texts")
    return Intake(folder, library, workspace.prefixes)


class _Report:
    """Prints what became of each file, and a summary."""

    def __init__(self, intake: Intake, as_json: bool, files: int) -> None:
        self._intake, self._json, self._files = intake, as_json, files
        self._read = self._refused = self._candidates = self._standing = 0

    def standing(self, path: Path, sheet: str) -> None:
        """Tells of a file that was read before."""
        self._standing += 1
        if self._json:
            read = self._intake.read(self._intake.folder / sheet)
            self._line(self._value(read, self._intake.document(read).file, ()))
        else:
            out.print(f"{path}: read before, {sheet}", markup=False)

    def add(self, outcome: Outcome, again: bool) -> None:
        """Takes what a file gave, and tells of it."""
        done = self._read + self._refused + 1
        if outcome.ingested is None:
            self._refused += 1
            err.print(f"{outcome.path}: {outcome.error}", markup=False)
            if self._json:
                self._line({"document": {"file": outcome.path.name}, "error": outcome.error, "candidates": []})
            return
        self._read += 1
        self._candidates += len(outcome.ingested.candidates)
        taken = self._intake.take(outcome.ingested, again)
        for refused in outcome.ingested.rejected:
            err.print(f"{outcome.path}: not taken: {refused.reason}: {refused.proposal[:120]}", markup=False)
        if self._json:
            self._line(self._value(taken.sheet, outcome.ingested.document.file, outcome.ingested.rejected))
            err.print(f"{done} of {self._files}: {outcome.path}", markup=False)
        else:
            self._text(outcome.path, taken)

    def add_table(self, path: Path, known: Known, most_bytes: int) -> None:
        """Takes what a spreadsheet gave, and tells of it."""
        from kg.ingest.pipeline import ingest_table

        try:
            given = ingest_table(path, known, most_bytes)
        except DataError as error:
            self._refused += 1
            err.print(str(error), markup=False)
            return
        self._read += 1
        for ingested in given:
            taken = self._intake.take_table(ingested)
            self._candidates += len(ingested.candidates)
            if self._json:
                self._line(self._value(taken.sheet, path.name, ()))
            else:
                self._text(path, taken)

    def _text(self, path: Path, taken: Taken) -> None:
        counts: dict[str, int] = {}
        for candidate in taken.sheet.candidates:
            counts[candidate.kind.value] = counts.get(candidate.kind.value, 0) + 1
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "no candidates"
        carried = (
            f"; {taken.carried} decisions carried over, {len(taken.sheet.orphans)} without their passage"
            if taken.state == "corrected"
            else ""
        )
        out.print(f"{path}: {taken.sheet.path.name} ({taken.state}{carried}): {listed}", markup=False)

    def _value(self, sheet: object, file: str, rejected: object) -> dict[str, object]:
        from kg.ingest.wire import sheet_json

        return sheet_json(sheet, file, rejected)  # type: ignore[arg-type]

    def _line(self, value: dict[str, object]) -> None:
        write_bytes((json.dumps(value, ensure_ascii=False) + "\n").encode())

    def close(self) -> None:
        """Prints the summary; exit 1 when a file was refused."""
        line = (
            f"{self._read} read, {self._standing} read before, {self._refused} refused; {self._candidates} candidates"
        )
        (err if self._json else out).print(line, markup=False)
        raise typer.Exit(1 if self._refused else 0)


def record_review(session: Review, workspace: Workspace, settings: Settings) -> None:
    """Records what a review accepted, and tells what came of it."""
    from kg.ingest.record import record

    if not session.counts()["accepted"]:
        out.print("Nothing accepted, nothing recorded.")
        return
    recorded = record(workspace, settings, session.sheet, session.text)
    session.replace_sheet(recorded.sheet)
    out.print(
        f"{workspace.shown(recorded.path)}: {recorded.items} items; release {recorded.release[:12]}", markup=False
    )


@app.command("record")
def record(folder: FolderArgument, workspace: WorkspaceOption = None) -> None:
    """Write what was accepted to graph/sources/, and publish it."""
    from kg.ingest.held import claimed
    from kg.ingest.intake import find_sheets
    from kg.ingest.review import Review

    settings, found = settings_in_force(), open_workspace(workspace)
    intake = intake_of(folder, found, settings)
    with claimed(folder):
        for sheet in find_sheets(intake):
            record_review(Review(intake, sheet.path), found, settings)


@app.command("withdraw")
def withdraw(
    slug: Annotated[str, typer.Argument(help="A source: the name of its file in graph/sources/, without the ending.")],
    workspace: WorkspaceOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, only what would fall is listed.")] = False,
) -> None:
    """Remove a source, and say what falls with it."""
    from kg.ingest import withdraw as withdrawing

    settings, found = settings_in_force(), open_workspace(workspace)
    falls = withdrawing.withdraw(found, settings, slug) if yes else withdrawing.withdrawal(found, slug)
    curie = found.prefixes.curie
    for item in falls.items:
        out.print(f"falls: {curie(item)}", markup=False)
    for subject, link, target in falls.pointing:
        out.print(f"points at what falls: {curie(subject)} {curie(link)} {curie(target)}", markup=False)
    done = "withdrawn" if yes else "would fall; --yes withdraws it"
    out.print(f"{found.shown(falls.path)}: {len(falls.items)} items {done}", markup=False)


@app.command("template")
def template(out_file: Annotated[Path, typer.Argument(help="A new file that ends in .csv or .xlsx.")]) -> None:
    """Write an empty table for `kg ingest`, a row an item."""
    from kg.ingest.held import write_whole
    from kg.ingest.spreadsheet import template_csv, template_xlsx

    made = {".csv": template_csv, ".xlsx": template_xlsx}.get(out_file.suffix.lower())
    if made is None:
        raise BadParameter(f"{out_file}: ends in neither .csv nor .xlsx.")
    if out_file.exists():
        raise DataError("exists; name a new file.", out_file)
    write_whole(out_file, made())
    out.print(f"{out_file}: written", markup=False)
