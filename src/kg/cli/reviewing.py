"""The review in the terminal: one passage after the other, keyboard only, resumed where it stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from kg.cli.console import err, out
from kg.cli.ingesting import FolderArgument, intake_of, record_review
from kg.cli.program import WorkspaceOption, app, settings_in_force
from kg.errors import AskError, KgError
from kg.workspace import Settings, Workspace, open_workspace

if TYPE_CHECKING:
    from kg.ingest.candidates import Candidate
    from kg.ingest.review import Review

_HELP = """\
a            accept: asks for label and paraphrase in your words; Enter keeps the draft shown
r            reject                         s            skip for now
e            edit label and paraphrase      u            undo the last step
k KIND       change the kind                p WORDS      take the passage in which these words stand
split WORDS  part the passage there         merge ID     make one with another candidate
l N M        of link N take alternative M   link TYPE TARGET, unlink N
doc NAME VALUE   correct title, publisher, date, type, reviews (what a report reviews)
list         all candidates and decisions   go ID        look at one of them
?            this help                      q            stop; `kg review` goes on from here"""


class _Stop(Exception):
    """The person stops, or the input ends."""


class _Next(Exception):
    """On to the candidate that is named, else to the next open one."""

    def __init__(self, identifier: str | None = None) -> None:
        super().__init__()
        self.identifier = identifier


@app.command("review")
def review(
    folder: FolderArgument,
    web: Annotated[bool, typer.Option("--web", help="Review on a page in the browser instead.")] = False,
    port: Annotated[int, typer.Option(help="With --web: the port; 0 for any that is free.")] = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Walk through the candidates, and record the accepted ones."""
    from kg.ingest.held import claimed

    found, settings = open_workspace(workspace), settings_in_force()
    if web:
        from kg.web.review import serve_review

        serve_review(
            intake_of(folder, found, settings), found, settings, port, lambda line: out.print(line, markup=False)
        )
        return
    with claimed(folder):
        for path in _sheets(folder, found, settings):
            _review_one(path, folder, found, settings)


def _sheets(folder: Path, workspace: Workspace, settings: Settings) -> list[Path]:
    from kg.ingest.intake import find_sheets

    return [sheet.path for sheet in find_sheets(intake_of(folder, workspace, settings))]


def _review_one(path: Path, folder: Path, workspace: Workspace, settings: Settings) -> None:
    from kg.ingest.review import Review

    session = Review(intake_of(folder, workspace, settings), path)
    _show_document(session)
    try:
        _Walk(session).through()
    except _Stop:
        out.print(f"Stopped; {len(session.open)} open. Every decision is kept.")
        raise typer.Exit(0) from None
    out.print(
        f"{path.name}: nothing open; {session.counts()['accepted']} accepted, {session.counts()['rejected']} rejected.",
        markup=False,
    )
    record_review(session, workspace, settings)


def _show_document(session: Review) -> None:
    about = session.sheet.about
    facts = {
        n: (about[n]["value"] if isinstance(about.get(n), dict) else about.get(n))
        for n in ("title", "publisher", "date", "type", "reviews")
    }
    out.print(Text(f"\n{about['file']}", style="bold"))
    for name, value in facts.items():
        out.print(f"  {name}: {value or 'not found; `doc ' + name + ' VALUE` sets it'}", markup=False)
    for orphan in session.sheet.orphans:
        old, *lines = session.orphan_places(orphan)
        out.print(
            f"  without its passage: {orphan['id']} {orphan['kind']} {orphan['label']}\n    was: {old}", markup=False
        )
        for line in lines:
            out.print(f"    now perhaps: {line}", markup=False)


class _Walk:
    """The walk through the open candidates of one document."""

    def __init__(self, session: Review) -> None:
        self._session = session
        self._skipped: set[str] = set()
        self._at: str | None = None
        self._commands: dict[str, Callable[[Candidate, str], None]] = {
            "a": self._accept, "r": self._reject, "s": self._skip, "e": self._edit, "u": self._undo, "k": self._kind,
            "p": self._passage, "split": self._split, "merge": self._merge, "l": self._choose, "link": self._link,
            "unlink": self._unlink, "doc": self._doc, "list": self._list, "go": self._go,
            "?": self._help, "q": self._quit,
        }  # fmt: skip

    def through(self) -> None:
        """Walks until nothing is open that was not skipped."""
        while (candidate := self._current()) is not None:
            self._show(candidate)
            try:
                self._at_one(candidate.id)
            except _Next as next_:
                self._at = next_.identifier
        if self._skipped & {c.id for c in self._session.open}:
            raise _Stop

    def _current(self) -> Candidate | None:
        if self._at is not None:
            return self._session.sheet.candidate(self._at)
        return next((c for c in self._session.open if c.id not in self._skipped), None)

    def _at_one(self, identifier: str) -> None:
        while True:
            word, _, rest = _asked("> ").strip().partition(" ")
            command = self._commands.get(word)
            try:
                if command is None:
                    out.print(f"{word!r} is no command; ? lists them.", markup=False)
                else:
                    command(self._session.sheet.candidate(identifier), rest.strip())
            except KgError as error:
                # What cannot be done is said, and the walk goes on from where it stood.
                err.print(f"{error}", style="red" if err.is_terminal else None, markup=False)
                if not isinstance(error, AskError):
                    raise

    def _show(self, candidate: Candidate) -> None:
        before, passage, after = self._session.context(candidate)
        left = len(self._session.open)
        where = f", page {candidate.page}" if candidate.page else ""
        hedged = " (hedged)" if candidate.hedged else ""
        why = f"{candidate.rule}, {candidate.confidence:.2f}"
        head = f"\n{candidate.id} {candidate.kind}{hedged}{where}; {why}; {left} open"
        out.print(Text(head, style="bold"))
        out.print(Text.assemble((f"… {before} ", "dim"), (f"[{passage}]", "bold"), (f" {after} …", "dim")))
        by = candidate.attribution
        if by.mode != "own-text":
            out.print(
                f"  by {by.who or by.origin or 'another'}{f', {by.role}' if by.role else ''} ({by.mode})", markup=False
            )
        for number, link in enumerate(candidate.links):
            others = "".join(f"  [{n}] {a.label}" for n, a in enumerate(link.alternatives))
            out.print(
                f"  {number}: {self._session.prefixes.curie(link.type)} {link.label} ({link.basis}){others}",
                markup=False,
            )
        out.print(f"  label: {candidate.label}\n  paraphrase: {candidate.paraphrase}", markup=False)

    def _accept(self, candidate: Candidate, rest: str) -> None:
        label, paraphrase = self._worded(candidate)
        self._session.accept(candidate.id, label, paraphrase)
        del rest
        raise _Next

    def _worded(self, candidate: Candidate) -> tuple[str, str]:
        """Asks for label and paraphrase, again while six words in a row are those of the text."""
        return self._own_words("label", candidate.label), self._own_words("paraphrase", candidate.paraphrase)

    def _own_words(self, what: str, draft: str) -> str:
        from kg.ingest.limits import copied_runs, names_of

        while True:
            words = _asked(f"{what}: ").strip() or draft
            runs = copied_runs(words, self._session.text, names_of(self._session.sheet))
            if not runs:
                return words
            out.print(f"  in your own words, please; the text says “{runs[0]}”", markup=False)

    def _reject(self, candidate: Candidate, rest: str) -> None:
        del rest
        self._session.reject(candidate.id)
        raise _Next

    def _skip(self, candidate: Candidate, rest: str) -> None:
        del rest
        self._skipped.add(candidate.id)
        raise _Next

    def _edit(self, candidate: Candidate, rest: str) -> None:
        del rest
        self._session.edit(candidate.id, *self._worded(candidate))
        raise self._again(candidate.id)

    def _undo(self, candidate: Candidate, rest: str) -> None:
        del candidate, rest
        step = self._session.undo()
        out.print(f"undone: {step}" if step else "nothing to undo", markup=False)
        raise _Next

    def _kind(self, candidate: Candidate, rest: str) -> None:
        self._session.change_kind(candidate.id, rest)
        raise self._again(candidate.id)

    def _passage(self, candidate: Candidate, rest: str) -> None:
        self._session.move_to_words(candidate.id, rest)
        raise self._again(candidate.id)

    def _split(self, candidate: Candidate, rest: str) -> None:
        self._session.split(candidate.id, rest)
        raise self._again(candidate.id)

    def _merge(self, candidate: Candidate, rest: str) -> None:
        self._session.merge(candidate.id, rest)
        raise self._again(candidate.id)

    def _choose(self, candidate: Candidate, rest: str) -> None:
        link, alternative = _numbers(rest, 2)
        self._session.choose(candidate.id, link, alternative)
        raise self._again(candidate.id)

    def _link(self, candidate: Candidate, rest: str) -> None:
        type_, _, target = rest.partition(" ")
        self._session.add_link(candidate.id, type_, target.strip())
        raise self._again(candidate.id)

    def _unlink(self, candidate: Candidate, rest: str) -> None:
        (link,) = _numbers(rest, 1)
        self._session.unlink(candidate.id, link)
        raise self._again(candidate.id)

    def _doc(self, candidate: Candidate, rest: str) -> None:
        del candidate
        name, _, value = rest.partition(" ")
        self._session.set_fact(name, value.strip())
        _show_document(self._session)

    def _list(self, candidate: Candidate, rest: str) -> None:
        del candidate, rest
        for one in self._session.sheet.candidates:
            out.print(f"{one.id:>5} {one.decision:<9} {one.kind:<15} {one.label}", markup=False)

    def _go(self, candidate: Candidate, rest: str) -> None:
        del candidate
        self._session.sheet.candidate(rest)
        raise self._again(rest)

    def _help(self, candidate: Candidate, rest: str) -> None:
        del candidate, rest
        out.print(_HELP, markup=False)

    def _quit(self, candidate: Candidate, rest: str) -> None:
        del candidate, rest
        raise _Stop

    def _again(self, identifier: str) -> _Next:
        """Returns the way back to a candidate, which is shown anew."""
        self._skipped.discard(identifier)
        return _Next(identifier)


def _numbers(text: str, count: int) -> list[int]:
    from kg.errors import BadParameter

    words = text.split()
    if len(words) != count or not all(word.isdigit() for word in words):
        raise BadParameter(f"{count} number{'s' * (count > 1)} expected, as they stand beside the links.")
    return [int(word) for word in words]


def _asked(prompt: str) -> str:
    """Returns a line that the person types.

    Raises:
        _Stop: the input has ended.
    """
    out.print(prompt, end="", markup=False)
    line = sys.stdin.readline()
    if not line:
        out.print()
        raise _Stop
    return line.rstrip("\n")
