"""`%kg` and `%%sparql` for notebooks: `%load_ext kg` makes them known.

    %kg open http://127.0.0.1:8000        a workspace, a release or a service; by default as kg.open()
    %kg ask barriers-blocking-theme theme="Strategic planning"
    %kg connect COSLA "Distrust between professions"
    %kg describe COSLA
    %kg search money

    %%sparql rows
    SELECT ?barrier WHERE { ?barrier pev:blocks theme:finance }

A name behind `%%sparql` keeps the table under that name.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from kg.errors import KgError
from kg.notebook.graph import Graph
from kg.notebook.opening import open as open_graph

_WORD = re.compile(r"[\w-]*(?::[\w./-]*)?$")
_ENTITIES_AT_MOST = 20
_SHORTEST_WORD = 3


@magics_class
class KgMagics(Magics):
    """The two magics, and what they ask: one graph, opened when it is first needed."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._graph: Graph | None = None
        self._commands: Mapping[str, Callable[[Sequence[str]], Any]] = {
            "ask": self._ask,
            "connect": lambda words: self.graph.connect(*_two(words, "connect A B")),
            "describe": lambda words: self.graph.describe(_one(words, "describe THING")),
            "open": self._open,
            "questions": lambda _: self.graph.questions(),
            "search": lambda words: self.graph.search(" ".join(words)),
        }

    @property
    def graph(self) -> Graph:
        """The graph that is asked."""
        if self._graph is None:
            self._graph = open_graph()
        return self._graph

    @line_magic
    def kg(self, line: str) -> Any:
        """Asks the graph: %kg ask, connect, describe, open, questions or search, with its words."""
        try:
            name, *words = shlex.split(line) or [""]
        except ValueError as error:
            raise UsageError(f"%kg: {error}") from error
        command = self._commands.get(name)
        if command is None:
            raise UsageError(f"%kg: {name!r} is none of {', '.join(self._commands)}")
        return _asked(lambda: command(words))

    @cell_magic
    def sparql(self, line: str, cell: str) -> Any:
        """Answers a SELECT; a name on the first line keeps the table under it."""
        name = line.strip()
        if name and not name.isidentifier():
            raise UsageError(f"%%sparql: {name!r} is no name for the table")
        table = _asked(lambda: self.graph.sparql(cell))
        if name:
            assert self.shell is not None
            self.shell.user_ns[name] = table
        return table

    def _open(self, words: Sequence[str]) -> Graph:
        opened = open_graph(*words[:1])
        if self._graph is not None:
            self._graph.close()
        self._graph = opened
        return opened

    def _ask(self, words: Sequence[str]) -> Any:
        if not words:
            raise UsageError("%kg ask NAME param=value …; %kg questions lists the names")
        parameters: dict[str, list[str]] = {}
        for word in words[1:]:
            name, equals, value = word.partition("=")
            if not equals:
                raise UsageError(f"%kg ask: {word!r} is not of the form param=value")
            parameters.setdefault(name, []).append(value)
        return self.graph.ask(words[0], **parameters)

    def completions(self, context: CompletionContext) -> Iterator[str]:
        """Yields what may stand in the place of the word before the cursor: commands, questions, prefixed names."""
        line = context.text_until_cursor
        word = _WORD.search(line)
        if word is None:
            return
        if re.fullmatch(r"%kg\s+\w*", line):
            yield from (name for name in self._commands if name.startswith(word[0]))
        elif re.fullmatch(r"%kg\s+ask\s+[\w-]*", line):
            yield from (name for name in self.graph.questions() if name.startswith(word[0]))
        elif context.full_text.lstrip().startswith("%%sparql") and context.cursor_line:
            yield from self._names(word[0])

    def _names(self, word: str) -> list[str]:
        """Returns prefixed names: the terms of the ontology that begin so, and things called so."""
        found = [name for name in self.graph.terms if name.startswith(word)]
        local = word.rpartition(":")[2]
        if len(local) >= _SHORTEST_WORD:
            things = self.graph.search(local.replace("-", " "), limit=_ENTITIES_AT_MOST)
            found += [entity.curie for entity in things if entity.curie.startswith(word)]
        return found


def _asked(question: Callable[[], Any]) -> Any:
    """Returns the answer; an error that the asker can mend is a line and no traceback."""
    try:
        return question()
    except KgError as error:
        raise UsageError(f"{error.title}: {error}") from error


def _one(words: Sequence[str], usage: str) -> str:
    if len(words) != 1:
        raise UsageError(f'%kg {usage}; a name of several words stands in quotation marks: "…"')
    return words[0]


def _two(words: Sequence[str], usage: str) -> tuple[str, str]:
    if len(words) != 2:
        raise UsageError(f'%kg {usage}; a name of several words stands in quotation marks: "…"')
    return words[0], words[1]


def load(shell: InteractiveShell) -> KgMagics:
    """Returns the magics, made known to a shell together with their completion."""
    magics = KgMagics(shell)
    shell.register_magics(magics)

    @context_matcher(identifier="kg_magics")  # type: ignore[untyped-decorator]  # IPython's own
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        # IPython puts a completion in the place of its own token, which begins behind a colon or hyphen.
        word = _WORD.search(context.text_until_cursor)
        before = len(word[0]) - len(context.token) if word and word[0].endswith(context.token) else 0
        found = [SimpleCompletion(name[before:], type="kg") for name in magics.completions(context)]
        return SimpleMatcherResult(completions=found, suppress=bool(found))

    shell.Completer.custom_matchers.append(matcher)
    return magics
