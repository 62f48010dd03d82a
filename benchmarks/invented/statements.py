"""Triples as text in the order of `kg format`, and texts with the passages on them."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable
from datetime import date

from kg.names import BASE, Prefixes


class Statements:
    """Triples as text, written in the order of `kg format`."""

    def __init__(self) -> None:
        self._rows: set[tuple[str, str, str]] = set()

    def add(self, subject: str, **objects: str | Iterable[str] | None) -> None:
        """Adds triples of one subject; a keyword is a predicate, `pev_hasTheme` for pev:hasTheme."""
        for name, values in objects.items():
            predicate = "a" if name == "a" else name.replace("_", ":", 1)
            for value in (values,) if isinstance(values, str) else values or ():
                self._rows.add((subject, predicate, value))

    def prefixes(self) -> set[str]:
        """Returns the prefixes in use."""
        terms = {term for row in self._rows for term in row}
        names = (re.match(r"(?:\"[^\"]*\"\^\^)?([a-z0-9]+):", term) for term in terms)
        return {found[1] for found in names if found}

    def text(self, indent: str = "") -> str:
        """Returns the triples as Turtle, without prefix lines."""
        rows = sorted(self._rows, key=lambda r: (r[0], r[1] != "a", r[1], (len(r[2]) if r[2].isdigit() else 0, r[2])))
        blocks = []
        for subject, group in itertools.groupby(rows, key=lambda row: row[0]):
            lines = [
                f"{predicate} " + f",\n{indent}        ".join(row[2] for row in same)
                for predicate, same in itertools.groupby(group, key=lambda row: row[1])
            ]
            blocks.append(f"{indent}{subject} " + f" ;\n{indent}    ".join(lines) + " .\n")
        return "\n".join(blocks)


def said(words: str) -> str:
    """Returns an English literal; the invented words hold nothing that needs an escape."""
    return f'"{words}"@en'


def day(when: date) -> str:
    """Returns a date literal."""
    return f'"{when.isoformat()}"^^xsd:date'


def capital(words: str) -> str:
    """Returns the words with a capital first letter, the others as they are."""
    return words[0].upper() + words[1:]


class HeldText:
    """An invented text that grows by sentences, and the passages on it once it is whole."""

    def __init__(self, title: str) -> None:
        self._parts, self._length, self._ranges = [title + "\n"], len(title) + 1, [(0, len(title))]

    def sentence(self, words: str) -> int:
        """Adds a sentence and returns the number of its passage; passage 0 is the title."""
        start = self._length + 1
        self._parts.append("\n" + words + "\n")
        self._length += len(words) + 2
        self._ranges.append((start, start + len(words)))
        return len(self._ranges) - 1

    def freeze(self) -> None:
        """Fixes the text, so that it has a name."""
        self.content = "".join(self._parts)
        self.sha256 = hashlib.sha256(self.content.encode()).hexdigest()
        self.name = f"text:{self.sha256[:16]}"
        self._iri = f"{BASE}id/text/{self.sha256[:16]}"
        self._used: set[int] = set()

    def passages(self, *numbers: int) -> list[str]:
        """Returns the names of passages, which are then described."""
        self._used.update(numbers)
        return [f"<{self._iri}#char={start},{end}>" for start, end in map(self._ranges.__getitem__, numbers)]

    def describe(self, graph: Statements, document: str) -> None:
        """Adds the snapshot and the passages in use."""
        graph.add(
            self.name,
            a="pev:TextSnapshot",
            dcterms_format='"text/plain; charset=utf-8"',
            pev_characterCount=str(len(self.content)),
            pev_sha256=f'"{self.sha256}"',
            pev_snapshotOf=document,
        )
        for number in sorted(self._used):
            start, end = self._ranges[number]
            selector = f"<{self._iri}#selector={start},{end}>"
            digest = hashlib.sha256(self.content[start:end].encode()).hexdigest()
            graph.add(
                *self.passages(number),
                a="pev:Passage",
                oa_hasSelector=selector,
                oa_hasSource=self.name,
                pev_sha256=f'"{digest}"',
            )
            graph.add(selector, a="oa:TextPositionSelector", oa_start=str(start), oa_end=str(end))


def header(used: Iterable[str], prefixes: Prefixes) -> str:
    """Returns the prefix lines of a file."""
    return "".join(f"@prefix {name}: <{prefixes.namespaces[name]}> .\n" for name in sorted(used)) + "\n"
