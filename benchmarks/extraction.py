"""How well candidates match what a reader annotated: precision, recall, F1 by class; themes; organisations.

    KG_TEST_GOLD=DIR KG_TEST_TEXTS=DIR python benchmarks/extraction.py [--misses] [--without-graph]
    python benchmarks/extraction.py FOLDER [--misses] [--without-graph]

DIR holds `gold.json`, the development set, which is held to its targets. FOLDER is any other that holds a `gold.json`
of that form and the files that it names (PDF, HTML, DOCX, text); `python tests/unseen.py FOLDER` writes one. There a
span may have `words` in place of a range, and a link's target may be the name of a common theme; the themes below the
same top one count as right.

A candidate matches an annotation of its class when they overlap by at least half
of the shorter span (*overlap*), or by at least half of their union (*strict*); each annotation is matched
once. What the reader marked as not core counts neither way. The gold set knows fewer kinds: a Finding may
match a key message, a Position or Commitment a recommendation, and is else not counted.
The exit code is 1 when the development set misses a target.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kg.engines.source import Source
from kg.evidence import sha256
from kg.ingest.candidates import Candidate
from kg.ingest.known import Known, read_known
from kg.ingest.normal import view
from kg.ingest.pipeline import Ingested, ingest_file
from kg.names import BASE, PEV
from kg.release.build import build
from kg.release.opened import open_release
from kg.workspace import open_workspace, read_settings

TARGETS = {"micro F1": 0.84, "evidence": 1.0, "theme top-1": 0.90, "organisations": 0.88}
CLASSES = {
    "key_messages": "KeyMessage",
    "barriers": "Barrier",
    "enablers": "Enabler",
    "recommendations": "Recommendation",
}
STANDS_FOR = {"Finding": "KeyMessage", "Position": "Recommendation", "Commitment": "Recommendation"}
# The annotator's six themes, and the common themes that fall under them.
THEMES = {
    "AS-T1": ("collaborative-working", "collaborative-leadership", "partner-relationships", "third-independent-sector",
              "central-local-partnership", "professional-culture", "profile-of-social-care"),
    "AS-T2": ("strategic-planning", "outcomes", "pace-of-change", "service-change"),
    "AS-T3": ("finance", "integrated-finance", "funding-level", "outcome-focused-spending", "charging"),
    "AS-T4": ("governance-accountability", "democratic-accountability", "organisational-structure",
              "devolved-authority"),
    "AS-T5": ("information-sharing",),
    "AS-T6": ("engagement", "community-engagement", "staff-engagement", "third-independent-sector"),
}  # fmt: skip
LINKS = ("blocks", "addresses", "enables")
PAGE = 3_000

Match = Callable[[Candidate, "dict[str, Any]"], bool]


def _shared(candidate: Candidate, span: dict[str, Any]) -> int:
    return int(min(candidate.end, span["end"]) - max(candidate.start, span["start"]))


def overlap(candidate: Candidate, span: dict[str, Any]) -> bool:
    """Tells whether two spans share at least half of the shorter."""
    return _shared(candidate, span) * 2 >= min(candidate.end - candidate.start, span["end"] - span["start"])


def strict(candidate: Candidate, span: dict[str, Any]) -> bool:
    """Tells whether two spans share at least half of their union."""
    return _shared(candidate, span) * 2 >= max(candidate.end, span["end"]) - min(candidate.start, span["start"])


@dataclass
class Counts:
    """Right, wrong and missed, by class."""

    right: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLASSES.values(), 0))
    wrong: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLASSES.values(), 0))
    missed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLASSES.values(), 0))
    pairs: list[tuple[str, Candidate, dict[str, Any]]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def scores(self, names: Sequence[str]) -> tuple[float, float, float]:
        """Returns precision, recall and F1 over some classes."""
        right, wrong, missed = (sum(counts[n] for n in names) for counts in (self.right, self.wrong, self.missed))
        precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
        return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def score(document: dict[str, Any], ingested: Ingested, match: Match, counts: Counts) -> None:
    """Adds a document's counts: own class first, then kinds that stand for it, then other right labels."""
    spans = [(name, span) for key, name in CLASSES.items() for span in document[key]]
    spans += [("Theme", span) for span in document["themes"]]
    free, waiting = list(spans), list(ingested.candidates)
    for step in (_own, _standing, _also):
        for candidate in list(waiting):
            fitting = [f for f in free if match(candidate, f[1]) and step(candidate, *f)]
            if fitting:
                name, span = max(
                    fitting, key=lambda f: min(candidate.end, f[1]["end"]) - max(candidate.start, f[1]["start"])
                )
                free.remove((name, span))
                waiting.remove(candidate)
                counts.pairs.append((document["id"], candidate, span))
                counts.right[name] = counts.right.get(name, 0) + bool(span["core"])
    _unmatched(document["id"], waiting, spans, match, counts)
    for name, span in free:
        if span["core"] and name in counts.missed:
            counts.missed[name] += 1
            counts.remarks.append(f"{document['id']} missed {name} {span['start']},{span['end']}: {span['paraphrase']}")


def _unmatched(
    name: str,
    candidates: Sequence[Candidate],
    spans: Sequence[tuple[str, dict[str, Any]]],
    match: Match,
    counts: Counts,
) -> None:
    for candidate in candidates:
        kind = candidate.kind.value
        beside = any(match(candidate, span) and (not span["core"] or kind in _labels(span)) for _, span in spans)
        if kind in counts.wrong and not beside:
            counts.wrong[kind] += 1
            counts.remarks.append(f"{name} wrong {kind} {candidate.start},{candidate.end} ({candidate.rule})")


def _labels(span: dict[str, Any]) -> set[str]:
    return {label.title().replace("_", "") for label in span.get("also", ())}


def _own(candidate: Candidate, name: str, span: dict[str, Any]) -> bool:
    del span
    return candidate.kind.value == name


def _standing(candidate: Candidate, name: str, span: dict[str, Any]) -> bool:
    del span
    return STANDS_FOR.get(candidate.kind.value) == name


def _also(candidate: Candidate, name: str, span: dict[str, Any]) -> bool:
    del name
    return candidate.kind.value in _labels(span)


def theme_of(candidate: Candidate, of: frozenset[str] | None) -> str | None:
    """Returns the name of the common theme that is proposed first.

    Args:
        candidate: with its links.
        of: the themes that the annotator knows; where another is proposed first, the next that is shown counts.
    """
    types = (PEV + "hasTheme", "http://www.w3.org/2004/02/skos/core#closeMatch")
    link = next((link for link in candidate.links if link.type in types), None)
    shown = [] if link is None else [link.target, *(other.target for other in link.alternatives)]
    names = [iri.removeprefix(f"{BASE}theme/") for iri in shown]
    return next((name for name in names if of is None or name in of), None)


def theme_scores(
    documents: Sequence[dict[str, Any]], counts: Counts, tops: Mapping[str, str], of_six: bool
) -> tuple[int, int, list[str]]:
    """Returns how many core links to a theme are right, of how many, and the wrong ones."""
    by_span = {(document, id(span)): candidate for document, candidate, span in counts.pairs}
    of = frozenset(name for names in THEMES.values() for name in names) if of_six else None
    right, all_, wrong = 0, 0, []
    for document in documents:
        for span, accepted in theme_links(document, tops):
            candidate = by_span.get((document["id"], id(span)))
            if candidate is None:
                continue
            all_ += 1
            theme = theme_of(candidate, of)
            fits = any(_is_of(theme, target, tops) for target in accepted)
            right += fits
            if not fits:
                wrong.append(f"{document['id']} {span['id']} should be {'/'.join(accepted)}, is {theme}")
    return right, all_, wrong


def theme_links(document: dict[str, Any], tops: Mapping[str, str]) -> list[tuple[dict[str, Any], list[str]]]:
    """Returns the annotated spans that have a theme, each with the themes that are right."""
    spans = {s["id"]: s for key in (*CLASSES, "themes") for s in document[key]}
    links = [
        (spans[link["source"]], link.get("accept", [link["target"]]))
        for link in document["links"]
        if link["type"] in LINKS and link["core"] and (link["target"] in THEMES or link["target"] in tops)
    ]
    return links + [(s, [s["canonical"]]) for s in document["themes"] if s["core"]]


def _is_of(theme: str | None, target: str, tops: Mapping[str, str]) -> bool:
    if target in THEMES:
        return theme in THEMES[target]
    return theme is not None and tops.get(theme, theme) == tops.get(target, target)


def organisations(document: dict[str, Any], ingested: Ingested) -> tuple[int, int, list[str]]:
    """Returns how many core organisations are found by a mention, of how many, and those missed."""
    mentions = [m for body in ingested.bodies for m in body.mentions]
    found, missed = 0, []
    core = [o for o in document["organisations"] if o["core"]]
    for organisation in core:
        if any(a < m["end"] and m["start"] < b for m in organisation["mentions"] for a, b in mentions):
            found += 1
        else:
            missed.append(f"{document['id']} {organisation['name']}")
    return found, len(core), missed


def known_of(without_graph: bool) -> tuple[Known, dict[str, str]]:
    """Returns what this repository's graph knows (without it: only its themes), and the top theme of each theme."""
    workspace, settings = open_workspace(), read_settings()
    release = open_release(build(workspace, settings, check="none").directory.root)
    try:
        known = read_known(release.source, release.library)
        tops = tops_of(known, release.source)
    finally:
        release.close()
    return (without_bodies(known) if without_graph else known), tops


def without_bodies(known: Known) -> Known:
    """Returns only the themes of what is known."""
    return Known({theme.iri: theme for theme in known.themes})


def tops_of(known: Known, source: Source) -> dict[str, str]:
    """Returns the top theme of each common theme, by their names."""
    broader = "SELECT ?a ?b { ?a <http://www.w3.org/2004/02/skos/core#broader> ?b }"
    above = {a.value: b.value for a, b in source.select(broader).rows if a and b}
    return {_name(theme.iri): _name(_top(theme.iri, above)) for theme in known.themes}


def _top(iri: str, above: Mapping[str, str]) -> str:
    while iri in above:
        iri = above[iri]
    return iri


def _name(iri: str) -> str:
    return iri.removeprefix(f"{BASE}theme/")


def placed(document: dict[str, Any], text: str) -> dict[str, Any]:
    """Returns an annotation whose spans all have their range: where they have only words, of these in the text.

    Raises:
        ValueError: the text has not these words.
    """
    whole = view(text)
    taken: set[tuple[str, int]] = set()
    for key, span in _spans(document):
        if "start" not in span:
            at = whole.text.find(span["words"])
            while (key, at) in taken:
                at = whole.text.find(span["words"], at + 1)
            if at < 0:
                raise ValueError(f"{document['id']} has not the words {span['words']!r}")
            taken.add((key, at))
            span["start"], span["end"] = whole.range(at, at + len(span["words"]))
    return document


def _spans(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key in (*CLASSES, "themes"):
        yield from ((key, span) for span in document[key])
    for body in document["organisations"]:
        yield from (("organisations", span) for span in body["mentions"])


def main() -> int:
    """Prints the scores; returns 1 when a target of the development set is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, help="another annotated folder than the development set")
    parser.add_argument("--misses", action="store_true", help="list what was missed and what was wrong")
    parser.add_argument(
        "--without-graph", action="store_true", help="as for a text of bodies that the graph does not know"
    )
    arguments = parser.parse_args()
    texts = arguments.folder or Path(os.environ["KG_TEST_TEXTS"])
    gold = (arguments.folder or Path(os.environ["KG_TEST_GOLD"])) / "gold.json"
    documents = json.loads(gold.read_text(encoding="utf-8"))["documents"]
    known, tops = known_of(arguments.without_graph)
    ingest_file(texts / documents[0]["file"], known, 10**8)  # so that the libraries are loaded
    began = time.perf_counter()
    done = [ingest_file(texts / document["file"], known, 10**8) for document in documents]
    seconds = time.perf_counter() - began
    documents = [placed(d, i.document.text) for d, i in zip(documents, done, strict=True)]
    reached = report(documents, done, seconds, tops, arguments.misses)
    return 0 if arguments.folder else held(reached)


def held(reached: Mapping[str, float]) -> int:
    """Prints the targets; returns 1 when one is missed."""
    print(*(f"{name} {reached[name]:.3f} (target {target})" for name, target in TARGETS.items()), sep=", ")
    return int(any(reached[name] < target for name, target in TARGETS.items()))


def report(
    documents: Sequence[dict[str, Any]],
    done: Sequence[Ingested],
    seconds: float,
    tops: Mapping[str, str],
    misses: bool,
) -> dict[str, float]:
    """Prints the scores of ingested documents; returns those that have a target, by name."""
    counts = {name: counted(documents, done, match) for name, match in (("overlap", overlap), ("strict", strict))}
    for name, of in counts.items():
        _print_table(name, of)
    over = counts["overlap"]
    held_passages = [sha256(i.document.text[c.start : c.end]) == c.sha256 for i in done for c in i.candidates]
    print(f"evidence        {sum(held_passages)} of {len(held_passages)} passages are what their hash says")
    right, all_, wrong = theme_scores(documents, over, tops, of_six=False)
    kinder = theme_scores(documents, over, tops, of_six=True)[0]
    six = f", {kinder} among the themes that the six know" if any(d["themes"] for d in documents) else ""
    print(f"theme top-1     {right} of {all_}{six}")
    bodies = [organisations(d, i) for d, i in zip(documents, done, strict=True)]
    found, named = sum(b[0] for b in bodies), sum(b[1] for b in bodies)
    print(f"organisations   {found} of {named} found")
    pages = sum(len(i.document.text) for i in done) / PAGE
    print(f"time            {1000 * seconds / pages:.0f} ms a page of {PAGE} characters")
    if misses:
        print(*over.remarks, *wrong, *(f"missed organisation {name}" for b in bodies for name in b[2]), sep="\n")
    return {
        "micro F1": over.scores(list(CLASSES.values()))[2],
        "evidence": sum(held_passages) / max(1, len(held_passages)),
        "theme top-1": right / max(1, all_),
        "organisations": found / max(1, named),
    }


def counted(documents: Sequence[dict[str, Any]], done: Sequence[Ingested], match: Match) -> Counts:
    """Returns the counts of all documents."""
    counts = Counts()
    for document, ingested in zip(documents, done, strict=True):
        score(document, ingested, match, counts)
    return counts


def _print_table(name: str, counts: Counts) -> None:
    print(f"{name:<16}{'precision':>10}{'recall':>8}{'F1':>8}{'right':>7}{'wrong':>7}{'missed':>8}")
    for class_ in CLASSES.values():
        row = (counts.right[class_], counts.wrong[class_], counts.missed[class_])
        figures = "{:>10.3f}{:>8.3f}{:>8.3f}".format(*counts.scores([class_]))
        print(f"  {class_:<14}" + figures + "{:>7}{:>7}{:>8}".format(*row))
    print("  micro         " + "{:>10.3f}{:>8.3f}{:>8.3f}".format(*counts.scores(list(CLASSES.values()))))


if __name__ == "__main__":
    sys.exit(main())
