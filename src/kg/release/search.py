"""The text index of a release: SQLite's full-text search over labels and descriptions.

Looking up a name asks the table of labels (exact, case and accents aside); searching asks the
words, then the prefix of the last word, then three-letter groups, so that a typing error still
finds its thing. The order is fixed: better match first, then label, then IRI.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pyoxigraph import Literal, NamedNode
from rapidfuzz import fuzz, process

from kg.engines.source import Source
from kg.errors import ReleaseError
from kg.library import Library
from kg.model import Entity
from kg.names import PEV, SKOS, Prefixes, folded
from kg.release.paging import Part, every_row

_SCHEMA = """
CREATE TABLE entity (iri TEXT PRIMARY KEY, curie TEXT, label TEXT, type TEXT, scheme TEXT) WITHOUT ROWID;
CREATE TABLE class (iri TEXT, class TEXT, PRIMARY KEY (iri, class)) WITHOUT ROWID;
CREATE TABLE name (folded TEXT, iri TEXT, preferred INTEGER, PRIMARY KEY (folded, iri, preferred)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (
    iri UNINDEXED, label, alternative, body, tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE letters USING fts5 (iri UNINDEXED, folded, tokenize = 'trigram');
"""
_OF_CLASS = "(? IS NULL OR EXISTS (SELECT 1 FROM class c WHERE c.iri = {}.iri AND c.class = ?))"
_CANDIDATES = 200
# What is asked for may be as long as an address, and the index would take minutes over thousands of words.
_MOST_WORDS = 32
_LONGEST_NAME = 400
# Up to this many names each is compared; of more only those that share a group of three letters.
_SCANNED = 20_000


# What labels.rq calls the parts of a card.
_PARTS = {"label": "labels", "alternative": "alternatives", "words": "words", "type": "types", "scheme": "schemes"}


@dataclass
class _Card:
    """What labels.rq says of one entity, gathered while the index is built."""

    labels: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    schemes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Earlier:
    """A text index that still holds: of all but the entities that are to be asked anew."""

    path: Path
    anew: Collection[str]


def build_search(
    source: Source, library: Library, path: Path, earlier: Earlier | None = None, most_rows: int | None = None
) -> int:
    """Writes the text index of a store and returns how many entities it holds.

    Args:
        most_rows: so many rows may be asked for at once.

    Raises:
        SourceError: the store failed.
    """
    labels = library.program("labels")
    query = labels.text if earlier is None else labels.about("entity", sorted(earlier.anew))
    cards, above = _read_cards(every_row(source, query, "entity", most_rows)), _superclasses(source, library)
    if earlier is not None:
        shutil.copyfile(earlier.path, path)
    with closing(sqlite3.connect(path)) as db, db:
        if earlier is None:
            db.executescript(_SCHEMA)
        else:
            _forget(db, earlier.anew)
        for iri, card in sorted(cards.items()):
            if card.labels and card.types:
                _insert(db, iri, card, above, library.prefixes)
        if earlier is None:
            db.execute("INSERT INTO words (words) VALUES ('optimize')")
        return int(db.execute("SELECT COUNT(*) FROM entity").fetchone()[0])


def _forget(db: sqlite3.Connection, iris: Iterable[str]) -> None:
    db.execute("CREATE TEMP TABLE gone (iri TEXT PRIMARY KEY) WITHOUT ROWID")
    db.executemany("INSERT INTO gone VALUES (?)", [(iri,) for iri in iris])
    for table in ("entity", "class", "name", "words", "letters"):
        db.execute(f"DELETE FROM {table} WHERE iri IN (SELECT iri FROM gone)")


def _read_cards(parts: Iterable[Part]) -> dict[str, _Card]:
    cards: dict[str, _Card] = {}
    # Where one page ends and the next begins, rows come twice.
    for entity, kind, value in {row: None for part in parts for row in part}:
        assert isinstance(entity, NamedNode) and isinstance(kind, Literal)
        assert isinstance(value, NamedNode | Literal)
        getattr(cards.setdefault(entity.value, _Card()), _PARTS[kind.value]).append(value.value)
    for card in cards.values():
        for part in _PARTS.values():
            getattr(card, part).sort()
    return cards


def _superclasses(source: Source, library: Library) -> dict[str, set[str]]:
    """Returns for each class itself and the classes above it."""
    direct: dict[str, set[str]] = {}
    for narrow, broad in source.select(library.program("classes").text).rows:
        assert isinstance(narrow, NamedNode) and isinstance(broad, NamedNode)
        direct.setdefault(narrow.value, set()).add(broad.value)
    return {name: _closure(name, direct) for name in direct}


def _closure(name: str, direct: Mapping[str, set[str]]) -> set[str]:
    seen, waiting = {name}, [name]
    while waiting:
        for broader in direct.get(waiting.pop(), set()) - seen:
            seen.add(broader)
            waiting.append(broader)
    return seen


def _insert(db: sqlite3.Connection, iri: str, card: _Card, above: Mapping[str, set[str]], prefixes: Prefixes) -> None:
    label = card.labels[0]
    kind = kind_of(card.types)
    scheme = card.schemes[0] if card.schemes else None
    db.execute("INSERT INTO entity VALUES (?, ?, ?, ?, ?)", (iri, prefixes.curie(iri), label, kind, scheme))
    classes = {broad for t in card.types for broad in above.get(t, {t}) | {t}}
    db.executemany("INSERT INTO class VALUES (?, ?)", [(iri, c) for c in sorted(classes)])
    names = {(folded(n), iri, 1) for n in card.labels} | {(folded(n), iri, 0) for n in card.alternatives}
    db.executemany("INSERT INTO name VALUES (?, ?, ?)", sorted(names))
    parts = (label, " ".join([*card.labels[1:], *card.alternatives]), " ".join(card.words))
    db.execute("INSERT INTO words VALUES (?, ?, ?, ?)", (iri, *parts))
    letters = sorted({name for name, _, _ in names})
    db.executemany("INSERT INTO letters VALUES (?, ?)", [(iri, name) for name in letters])


def kind_of(types: Iterable[str]) -> str:
    """Returns the one of the classes of a thing that it is shown with."""
    # Our own class says more than the general one it stands beside (pev:Theme, skos:Concept).
    return min(types, key=lambda t: (not t.startswith(PEV), t == SKOS + "Concept", t))


class Search:
    """The text index, opened read-only; threads share one connection and take turns."""

    def __init__(self, path: Path, prefixes: Prefixes) -> None:
        if not path.is_file():
            raise ReleaseError("is missing; `kg build` makes it.", path)
        self._prefixes = prefixes
        self._turn = threading.Lock()
        # A release never changes, so SQLite need not look for locks or for a journal.
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        self._db = sqlite3.connect(address, uri=True, check_same_thread=False)
        try:
            self._db.execute("SELECT iri FROM entity LIMIT 1")
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise ReleaseError(f"is no text index ({error}); `kg build` makes it.", path) from error

    def close(self) -> None:
        """Lets go of the file, when whoever is asking has the answer: SQLite does not survive losing it meanwhile."""
        with self._turn:
            self._db.close()

    def entity(self, iri: str) -> Entity | None:
        """Returns the entity with that IRI, None when the release does not describe it."""
        return self.entities([iri]).get(iri)

    def entities(self, iris: Iterable[str]) -> dict[str, Entity]:
        """Returns the entities with those IRIs, by IRI; those unknown are left out."""
        wanted = sorted(set(iris))
        found: dict[str, Entity] = {}
        for at in range(0, len(wanted), 500):
            part = wanted[at : at + 500]
            marks = ", ".join("?" * len(part))
            for row in self._rows(f"SELECT iri, curie, label, type, scheme FROM entity WHERE iri IN ({marks})", part):
                found[str(row[0])] = self._entity(row)
        return found

    def is_a(self, iri: str, class_iri: str) -> bool:
        """Tells whether the entity is of that class or of one below it."""
        return bool(self._rows("SELECT 1 FROM class WHERE iri = ? AND class = ?", (iri, class_iri)))

    def members(self, class_iri: str) -> list[str]:
        """Returns the IRIs of the entities of a class, and of those below it."""
        return [str(iri) for (iri,) in self._rows("SELECT iri FROM class WHERE class = ?", (class_iri,))]

    def classes(self, iris: Iterable[str]) -> dict[str, list[str]]:
        """Returns the classes that entities belong to, and those above them, by IRI."""
        found: dict[str, list[str]] = {}
        wanted = sorted(set(iris))
        for part in (wanted[at : at + 500] for at in range(0, len(wanted), 500)):
            marks = ", ".join("?" * len(part))
            for iri, name in self._rows(f"SELECT iri, class FROM class WHERE iri IN ({marks}) ORDER BY 1, 2", part):
                found.setdefault(str(iri), []).append(str(name))
        return found

    def named(self, label: str, class_iri: str | None = None) -> tuple[list[Entity], list[Entity]]:
        """Returns the entities that carry a label (case and accents aside): as preferred, as alternative."""
        rows = self._rows(
            "SELECT e.iri, e.curie, e.label, e.type, e.scheme, MAX(n.preferred) FROM name n JOIN entity e USING (iri)"
            f" WHERE n.folded = ? AND {_OF_CLASS.format('n')}"
            " GROUP BY e.iri ORDER BY e.iri",
            (folded(label), class_iri, class_iri),
        )
        preferred = [self._entity(row) for row in rows if row[5]]
        return preferred, [self._entity(row) for row in rows if not row[5]]

    def search(self, text: str, class_iri: str | None = None, limit: int = 20) -> list[Entity]:
        """Returns the entities that fit the words best, best first.

        Order: an exact label, then all words, then the words with the last one begun, then
        labels that look alike.
        """
        preferred, alternative = self.named(text, class_iri)
        ranked: dict[str, Entity] = {e.iri: e for e in [*preferred, *alternative]}
        for query in _word_queries(text):
            for entity in self._by_words(query, class_iri, limit):
                ranked.setdefault(entity.iri, entity)
        if len(ranked) < limit:
            for entity in self.alike(text, class_iri, limit):
                ranked.setdefault(entity.iri, entity)
        return list(ranked.values())[:limit]

    def alike(self, text: str, class_iri: str | None = None, limit: int = 5, least: int = 60) -> list[Entity]:
        """Returns the entities whose label looks most like the text: for typing errors and suggestions.

        Args:
            least: the lowest likeness (0 to 100, rapidfuzz's weighted ratio) that still counts.
        """
        plain = folded(text)[:_LONGEST_NAME]
        few = self._name_count <= _SCANNED
        names = self._all_names(class_iri) if few else self._names_by_letters(plain, class_iri)
        close = process.extract(plain, names, scorer=fuzz.WRatio, score_cutoff=least, limit=None)
        best: dict[str, float] = {}
        for name, score, (iri, _) in close:
            # Alone, the weighted ratio puts a long label that holds the text before a short one that is nearly it.
            best[iri] = max(score + fuzz.ratio(plain, name) / 4, best.get(iri, 0.0))
        entities = self.entities(best)
        ranked = sorted(entities.values(), key=lambda e: (-best[e.iri], e.label, e.iri))
        return ranked[:limit]

    def _names_by_letters(self, plain: str, class_iri: str | None) -> dict[tuple[str, str], str]:
        """Returns names that share groups of three letters with a text, by (IRI, name)."""
        groups = {plain[i : i + 3] for i in range(len(plain) - 2)}
        if not groups:
            return {}
        rows = self._rows(
            f"SELECT l.iri, l.folded FROM letters l WHERE letters MATCH ? AND {_OF_CLASS.format('l')}"
            f" ORDER BY l.rank, l.iri LIMIT {_CANDIDATES}",
            (" OR ".join(_quoted(group) for group in sorted(groups)), class_iri, class_iri),
        )
        return {(str(iri), str(name)): str(name) for iri, name in rows}

    @cached_property
    def _name_count(self) -> int:
        return int(str(self._rows("SELECT COUNT(*) FROM name", ())[0][0]))

    def _all_names(self, class_iri: str | None) -> dict[tuple[str, str], str]:
        rows = self._rows(
            f"SELECT n.iri, n.folded FROM name n WHERE {_OF_CLASS.format('n')}",
            (class_iri, class_iri),
        )
        return {(str(iri), str(name)): str(name) for iri, name in rows}

    def _by_words(self, query: str, class_iri: str | None, limit: int) -> list[Entity]:
        rows = self._rows(
            "SELECT e.iri, e.curie, e.label, e.type, e.scheme FROM words w JOIN entity e ON e.iri = w.iri"
            f" WHERE words MATCH ? AND {_OF_CLASS.format('w')}"
            " ORDER BY bm25(words, 0.0, 10.0, 6.0, 1.0), e.label, e.iri LIMIT ?",
            (query, class_iri, class_iri, limit),
        )
        return [self._entity(row) for row in rows]

    def _entity(self, row: Sequence[object]) -> Entity:
        iri, curie, label, kind, scheme = (None if v is None else str(v) for v in row[:5])
        assert iri and curie and label
        short = None if kind is None else self._prefixes.curie(kind)
        return Entity(iri, curie, label, short, None if scheme is None else self._prefixes.curie(scheme))

    def _rows(self, sql: str, values: Sequence[object]) -> list[tuple[object, ...]]:
        try:
            with self._turn:
                return list(self._db.execute(sql, values))
        except UnicodeEncodeError:
            # Half a surrogate pair, as a command line gives for bytes that are no UTF-8: it names nothing.
            return []


def _word_queries(text: str) -> list[str]:
    words = list(dict.fromkeys(re.findall(r"\w+", folded(text))))[:_MOST_WORDS]
    if not words:
        return []
    whole = " ".join(_quoted(word) for word in words)
    begun = " ".join([*(_quoted(word) for word in words[:-1]), _quoted(words[-1]) + "*"])
    return [whole, begun]


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'
