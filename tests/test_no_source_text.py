"""No sentence of a source text stands in the repository, not even six of its words in a row.

Official titles and names are the exception, and the graph itself says which they are. Every
text file that git tracks, or would track, is compared with the texts in the folder KG_TEST_TEXTS.
"""

from __future__ import annotations

import bisect
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.names import DCTERMS, PEV, RDF_TYPE, RDFS, SKOS

ROOT = Path(__file__).parent.parent
RUN = 6

# What may be named in its own words: titles of anything, and labels of these kinds.
NAMED_KINDS = {
    "http://www.w3.org/ns/org#Organization",
    "http://www.w3.org/ns/org#Role",
    "http://www.w3.org/ns/org#Membership",
    "http://xmlns.com/foaf/0.1/Person",
    "http://xmlns.com/foaf/0.1/Agent",
    "http://data.europa.eu/eli/ontology#LegalResource",
    "https://schema.org/Event",
    PEV + "Document",
    PEV + "Report",
    PEV + "Article",
    PEV + "Theme",
    PEV + "Initiative",
}
LABELS = {RDFS + "label", SKOS + "prefLabel", SKOS + "altLabel"}

_ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|.)")
_WORD = re.compile(r"(?:[^\W_]|£)+")

Words = tuple[str, ...]


@dataclass(frozen=True)
class Copied:
    """A run of words that a file shares with a source text."""

    file: str
    line: int
    run: str


def without_escapes(text: str) -> str:
    """Returns text as long as before, in which no escape (of a line end, say) sticks to a word."""

    def plain(match: re.Match[str]) -> str:
        letter = chr(int(match["code"], 16)) if match["code"] else " "
        return letter.ljust(len(match[0]))

    return _ESCAPE.sub(plain, text)


def words(text: str) -> list[tuple[str, int]]:
    """Returns the words of a text with where they begin: lower case, letters, digits and £ only.

    Lower case is taken word by word, since it can change how long a text is.
    """
    return [(match[0].lower(), match.start()) for match in _WORD.finditer(text)]


def runs(sequence: list[str]) -> Iterator[Words]:
    """Yields every six words that follow each other."""
    for i in range(len(sequence) - RUN + 1):
        yield tuple(sequence[i : i + RUN])


def runs_of(texts: Iterable[str]) -> set[Words]:
    """Returns the runs of several texts; none reaches from one text into the next."""
    return {run for text in texts for run in runs([word for word, _ in words(text)])}


def copied(files: Mapping[str, str], texts: Iterable[str], names: Iterable[str]) -> list[Copied]:
    """Returns each run that a file shares with a text and that is not part of one title or name."""
    forbidden = runs_of(texts) - runs_of(names)
    found = []
    for file, content in files.items():
        plain = without_escapes(content)
        found_words = words(plain)
        line_ends = [match.start() for match in re.finditer("\n", plain)]
        for i, run in enumerate(runs([word for word, _ in found_words])):
            if run in forbidden:
                line = bisect.bisect_left(line_ends, found_words[i][1]) + 1
                found.append(Copied(file, line, " ".join(run)))
    return found


def text_files_of_the_repository() -> dict[str, str]:
    """Returns path and content of every text file that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    files = {}
    for name in sorted(set(listed.split("\0")) - {""}):
        path = ROOT / name
        content = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in content:
            files[name] = content.decode("utf-8", errors="replace")
    return files


def official_names() -> list[str]:
    """Returns the titles and names in the graph and the ontology."""
    paths = [*ROOT.glob("ontology/*.ttl"), *ROOT.glob("graph/*.ttl"), *ROOT.glob("graph/sources/*.trig")]
    quads = [quad for path in paths for quad in ox.parse(path=path)]
    named = {q.subject for q in quads if q.predicate.value == RDF_TYPE and _value(q.object) in NAMED_KINDS}
    return [
        _value(quad.object)
        for quad in quads
        if quad.predicate.value == DCTERMS + "title" or (quad.predicate.value in LABELS and quad.subject in named)
    ]


def _value(term: object) -> str:
    return term.value if isinstance(term, ox.NamedNode | ox.Literal) else ""


def test_no_file_shares_six_words_in_a_row_with_a_source_text() -> None:
    folder = os.environ.get("KG_TEST_TEXTS", "")
    texts = [path.read_text("utf-8") for path in sorted(Path(folder).glob("*.txt"))] if folder else []
    if not texts:
        pytest.skip(f"the texts are not at hand: KG_TEST_TEXTS is {folder or 'not set'}")
    found = copied(text_files_of_the_repository(), texts, official_names())
    assert not found, "\n".join(f"{hit.file}:{hit.line}: {hit.run}" for hit in found)


def test_the_files_of_the_repository_are_listed() -> None:
    assert "tests/test_no_source_text.py" in text_files_of_the_repository()


TITLE = "Report on the Lighthouse Keepers of the Northern Isles"
INVENTED = f"The {TITLE} is out. Keepers slept badly, it says, because nobody had oiled the great lamps."


def test_a_copied_run_is_found_with_file_and_line() -> None:
    file = {"notes.md": "# Notes\n\nIt seems that nobody had\n> oiled the great lamps, again."}
    assert copied(file, [INVENTED], [TITLE]) == [Copied("notes.md", 3, "nobody had oiled the great lamps")]


def test_five_words_in_a_row_are_not_a_copy() -> None:
    assert copied({"notes.md": "Nobody oiled the great lamps."}, [INVENTED], []) == []


def test_a_title_is_not_a_copy() -> None:
    assert copied({"notes.md": f"See {TITLE}, 1911."}, [INVENTED], [TITLE]) == []


def test_a_title_that_the_graph_does_not_know_is_a_copy() -> None:
    assert copied({"notes.md": TITLE}, [INVENTED], [])


def test_a_title_does_not_hide_the_words_beside_it() -> None:
    found = copied({"notes.md": f"{TITLE} is out"}, [INVENTED], [TITLE])
    assert [hit.run for hit in found] == ["keepers of the northern isles is", "of the northern isles is out"]


@pytest.mark.parametrize(
    "disguise",
    [
        '"Nobody had\\noiled the great lamps"',
        "# nobody had oiled\n# the great lamps",
        '"nobody had " "oiled the great lamps"',
        '{"text": "nobody had\\u00a0oiled the\\tgreat lamps"}',
        "NOBODY had *oiled*, the great-lamps",
    ],
)
def test_a_copy_is_found_through_case_escapes_and_line_breaks(disguise: str) -> None:
    assert len(copied({"file": disguise}, [INVENTED], [])) == 1
