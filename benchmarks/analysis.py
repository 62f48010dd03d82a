"""How long each question on the whole takes on a release: elapsed and processor time of the first call.

The subjects are the busiest: the theme with most items, the recommendation that most say again, the last report.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from kg import wire
from kg.analysis.questions import Analysis
from kg.answers import Answers, open_answers
from kg.workspace import read_settings

_BUSIEST = {
    "theme": "?x pev:hasTheme ?it . ?it skos:inScheme scheme:themes",
    "item": "?x pev:reiterates ?it . ?it a pev:Recommendation",
    "barrier": "?it pev:blocks ?x ; a pev:Barrier",
}


def _busiest(answers: Answers, pattern: str) -> str:
    query = f"SELECT ?it WHERE {{ {pattern} }} GROUP BY ?it ORDER BY DESC(COUNT(?x)) ?it LIMIT 1"
    return answers.select(query).results[0]["it"].value


def _last_report(answers: Answers) -> str:
    query = "SELECT ?it WHERE { ?it a pev:Report ; dcterms:issued ?day } ORDER BY DESC(?day) ?it LIMIT 1"
    return answers.select(query).results[0]["it"].value


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("release", type=Path)
    answers = open_answers(parser.parse_args().release, read_settings())
    theme, item, barrier = (_busiest(answers, pattern) for pattern in _BUSIEST.values())
    calls: dict[str, tuple[str, dict[str, object]]] = {
        "blockers": ("blockers", {"entity": theme}),
        "keystones": ("keystones", {}),
        "what if": ("what_if", {"barrier": barrier}),
        "compare": ("compare", {"theme": theme}),
        "gaps": ("gaps", {}),
        "gaps, reverse": ("gaps", {"reverse": True}),
        "tensions": ("tensions", {}),
        "tensions of a theme": ("tensions", {"theme": theme}),
        "lineage": ("lineage", {"item": item}),
        "timeline": ("timeline", {}),
        "timeline of a theme": ("timeline", {"theme": theme}),
        "fragile": ("fragile", {}),
        "news": ("news", {"document": _last_report(answers)}),
        "central": ("central", {}),
    }
    print("| question | elapsed s | processor s | results | cut | KB |\n|---|--:|--:|--:|---|--:|")
    for name, (method, given) in calls.items():
        _timed(answers.analysis, name, method, given)
    answers.close()


def _timed(analysis: Analysis, name: str, method: str, given: dict[str, object]) -> None:
    elapsed, processor = time.perf_counter(), time.process_time()
    found = getattr(analysis, method)(**given)
    elapsed, processor = time.perf_counter() - elapsed, time.process_time() - processor
    size = len(json.dumps(wire.analysed(found))) / 1000
    cut = "yes" if found.truncated else "no"
    print(f"| {name} | {elapsed:.2f} | {processor:.2f} | {len(found.results)} | {cut} | {size:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
