"""What a model reads before it asks: the prefixes, the classes and links of the release, and queries that run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kg.answers import Answers
from kg.errors import UnknownName
from kg.model import VocabularyTerm

INSTRUCTIONS = (
    "A knowledge graph of what policy reports say. Name things by label or CURIE; search first when unsure. "
    "Every statement has a basis (said: a text says it; judged: a person filed it; inferred: a rule concludes it; "
    "reference: background), evidence (passages, or why there are none) and the release. "
    "Repeat as said only what is said, and give its passage; say of the rest what it is. "
    "An answer's `rests_on` are numbers in its `statements`. Read kg://schema and kg://examples before writing SPARQL."
)
# So many links of each kind are looked at to tell which classes it joins.
_LOOKED_AT = 500
# Questions that are short, and show between them how items, themes, origins and graphs hang together.
_EXAMPLES = ("themes-a-barrier-blocks", "items-of-document", "who-is-asked-to-do-what")


@dataclass(frozen=True)
class Document:
    """A text to read, by its address."""

    address: str
    title: str
    media_type: str
    read: Callable[[Answers], str]


def read_document(answers: Answers, address: str) -> tuple[Document, str]:
    """Returns a document of that address and its text.

    Raises:
        UnknownName: there is none.
    """
    document = next((d for d in DOCUMENTS if d.address == address), None)
    if document is None:
        raise UnknownName(f"There is no resource {address!r}; there are {', '.join(d.address for d in DOCUMENTS)}.")
    return document, document.read(answers)


def _schema(answers: Answers) -> str:
    """Returns the classes, what each kind of link joins, and the other properties."""
    known, used = answers.vocabulary(), answers.opened.links.types
    lines = ["# Classes"]
    lines += [f"{term.curie}: {_first_sentence(term)}" for term in known.classes if _ours(term)]
    lines += ["", "# Links: from which classes to which"]
    lines += [f"{link}: {', '.join(starts)} > {', '.join(ends)}" for link, starts, ends in _joined(answers)]
    values = [term.curie for term in known.properties if _ours(term) and term.iri not in used]
    lines += ["", f"# Other properties: rdfs:label, dcterms:issued, {', '.join(values)}"]
    lines += ['# Labels and paraphrases have a language: "Finance"@en. What is stated once per origin is an item;']
    lines += ["# pev:statedIn is its origin, pev:reportedIn is coverage, pev:evidence its passages."]
    lines += [
        "# GRAPH ?g: graph:source-... says, graph:curated-... judges, graph:inferred concludes; the default graph"
    ]
    lines += ["# has all of them, each triple once."]
    return _headed(answers, lines)


def _ours(term: VocabularyTerm) -> bool:
    return term.curie.startswith("pev:")


def _first_sentence(term: VocabularyTerm) -> str:
    return (term.definition or term.label).partition(". ")[0].rstrip(".")


def _joined(answers: Answers) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yields each kind of link with the classes that it joins, as far as its first links tell."""
    opened = answers.opened
    curie = opened.library.prefixes.curie
    for name in opened.links.types:
        pairs = answers.ends_of(name, _LOOKED_AT)
        known = opened.search.entities({iri for pair in pairs for iri in pair})
        ends = ({start for start, _ in pairs}, {end for _, end in pairs})
        starts, stops = (sorted({known[iri].type or "" for iri in side if iri in known} - {""}) for side in ends)
        yield curie(name), starts, stops


def _prefixes(answers: Answers) -> str:
    known = answers.opened.library.prefixes.namespaces
    return _headed(answers, [f"{prefix}: {iri}" for prefix, iri in known.items()])


def _examples(answers: Answers) -> str:
    known = {question.name: question for question in answers.questions()}
    chosen = [known[name] for name in _EXAMPLES if name in known] or list(known.values())[: len(_EXAMPLES)]
    return _headed(answers, [f"# {q.summary}\n{_bare(q.text)}\n" for q in chosen])


def _bare(text: str) -> str:
    """Returns a query without its header and its prefixes, which are known."""
    lines = [line for line in text.splitlines() if not line.startswith(("#+", "PREFIX "))]
    return "\n".join(lines).strip()


def _headed(answers: Answers, lines: list[str]) -> str:
    return "\n".join([f"# release {answers.release_id}", *lines, ""])


DOCUMENTS = (
    Document("kg://schema", "Classes and links of this release", "text/plain", _schema),
    Document("kg://prefixes", "Prefixes, which need not be declared", "text/plain", _prefixes),
    Document("kg://examples", "Queries that run", "application/sparql-query", _examples),
)
