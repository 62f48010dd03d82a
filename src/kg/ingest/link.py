"""A candidate gets its links: themes, whom it asks, what it blocks or addresses, by when, what is like it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from kg.ingest.blocks import Document
from kg.ingest.candidates import Alternative, Attribution, Candidate, CandidateLink, Mode
from kg.ingest.known import Known, Thing
from kg.ingest.labels import Kind, Role
from kg.ingest.metadata import iso_date
from kg.ingest.normal import view
from kg.ingest.organisations import Bodies
from kg.ingest.themes import Themes
from kg.ingest.words import likeness, stems_of, words_of
from kg.names import BASE, CODE, PEV, slug

_MODAL = re.compile(
    r"\b(?:should|must|needs? to|needed to|ought to|has to|have to|(?:are|is) (?:being )?(?:urged|asked|encouraged|advised|invited|expected|called upon) to)\b",
    re.IGNORECASE,
)
_MANNER = re.compile(
    r"^\s*(?:(?:also|now|all|both|jointly) |(?:work(?:ing)? (?:together|jointly|closely)(?: with [^,]{3,40}?)?|continue|begin|take steps|do more|seek|try(?: harder)?) to )+",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(
    r"\b(?:recommends?|urges?|calls? (?:up)?on|asks?|advises?|invites?|for|to)\b(?: that)?\s+(?P<who>.{3,160}?)\s+(?:to|should|must)\b",
    re.IGNORECASE,
)
_OBJECT = re.compile(
    r"\b(?:hamper|hinder|imped|obstruct|inhibit|undermin|constrain|limit|restrict|block|prevent|frustrat|slow|delay)(?:e?s|ed|ing|e)?\b\s+(?:the |their |its |our )?(?:ability (?:of \w+(?: \w+){0,4} )?to |capacity to |progress (?:on|of|in|towards) )?(?P<what>[^.;,]{4,90})"
    r"|\b(?:barriers?|obstacles?|challenges?|hurdles?|impediments?) (?:to|for|in) (?P<to>[^.;,:]{4,70})|\b(?:difficult|hard|harder|impossible) (?:for .{3,60}? )?to (?P<do>[^.;,]{4,90})",
    re.IGNORECASE,
)
_HELPED = re.compile(
    r"\b(?:key|crucial|essential|vital|fundamental|critical|central|necessary) (?:to|for) (?P<to>[^.;,:]{4,70})|\b(?:enabl|facilitat|support|help)(?:e?s|ed|ing)?\b (?P<what>[^.;,]{4,80})|^(?:to|in order to) (?P<do>.{4,70}?) requires?\b",
    re.IGNORECASE,
)
_WITHIN = re.compile(
    r"\b(?:within|over|in) (?:the )?(?:next |coming |following )?(?P<n>\d{1,2}|one|two|three|four|five|six|ten|twelve|eighteen) (?P<unit>year|month|week|day)s?\b",
    re.IGNORECASE,
)
_BY = re.compile(
    r"\bby (?:the )?(?P<when>end (?:of )?(?:19|20)\d\d|(?:\d{1,2}(?:st|nd|rd|th)? )?[A-Z][a-z]{2,8},? (?:19|20)\d\d|(?:19|20)\d\d(?:-\d\d-\d\d)?)\b"
)
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twelve": 12, "eighteen": 18}
_STANCES = (
    ("critical", re.compile(r"\b(?:criticis|oppos|reject|disappoint|condemn|regret|fail)\w*", re.IGNORECASE)),
    ("cautionary", re.compile(r"\b(?:concern|worr|warn|caution|but|however|challenges?)\w*", re.IGNORECASE)),
    ("welcomes", re.compile(r"\b(?:welcom|pleased|glad|delighted|proud)\w*", re.IGNORECASE)),
)  # fmt: skip
_ALIKE = 0.55


@dataclass(frozen=True)
class Reading:
    """A document with the bodies it names, ready for its candidates to be linked."""

    document: Document
    known: Known
    bodies: Bodies
    themes: Themes
    origin: Thing | None

    def words(self, start: int, end: int) -> str:
        return view(self.document.text, start, end).text


def linked(candidates: Sequence[Candidate], reading: Reading) -> list[Candidate]:
    """Returns the candidates with the links that are proposed for them; nothing is merged or chosen for good."""
    done = [_linked(candidate, reading) for candidate in candidates]
    others = _Others(done)
    done = [_to_others(candidate, others) for candidate in done]
    return [_drafted(candidate, reading) for candidate in done]


def _linked(candidate: Candidate, reading: Reading) -> Candidate:
    words = reading.words(candidate.start, candidate.end)
    candidate = replace(candidate, attribution=_attribution(candidate.attribution, reading))
    theme = _theme(candidate, words, reading)
    candidate = candidate.linked(*([theme] if theme else []))
    links = {
        Kind.BARRIER: _effect,
        Kind.ENABLER: _effect,
        Kind.RECOMMENDATION: _call,
        Kind.POSITION: _stance,
        Kind.THEME: _same_theme,
    }.get(candidate.kind)
    return (links(candidate, words, theme, reading) if links else candidate).linked(*_like(candidate, words, reading))


def _attribution(told: Attribution, reading: Reading) -> Attribution:
    if told.mode is Mode.OWN:
        return told
    person = reading.known.people.get(" ".join((told.who or "").lower().split()))
    if person is not None:
        told = replace(told, who=person.label, iri=person.iri)
    elif told.who and (thing := reading.known.body(told.who)) is not None:
        told = replace(told, who=thing.label, iri=thing.iri)
    if told.role and told.body is None:
        named = reading.bodies.named(told.role)
        told = replace(told, body=named[0].label if named else None)
    if told.origin and reading.origin is not None:
        told = replace(told, origin=reading.origin.label, origin_iri=reading.origin.iri)
    return told


def _theme(candidate: Candidate, words: str, reading: Reading) -> CandidateLink | None:
    hints = candidate.hints or {}
    context = [*candidate.context, *([hints[Role.TOPIC]] if Role.TOPIC in hints else [])]
    matter = _matter(candidate, words, reading)
    ranked = reading.themes.ranked(matter, context, reading.bodies.places(matter))
    if not ranked:
        return None
    others = tuple(Alternative(s.theme.iri, s.theme.label) for s in ranked[1:2])
    return CandidateLink(PEV + "hasTheme", ranked[0].theme.iri, ranked[0].theme.label, "judged", others)


def _matter(candidate: Candidate, words: str, reading: Reading) -> str:
    """Returns the words that say what a call is about: without its subject, where that only names who is to act."""
    match = _MODAL.search(words) if candidate.kind is Kind.RECOMMENDATION else None
    if match is None or not reading.bodies.named(words[: match.start()]):
        return words
    matter = _MANNER.sub("", words[match.end() :])
    return matter if len(matter.split()) >= 4 else words


def _effect(candidate: Candidate, words: str, theme: CandidateLink | None, reading: Reading) -> Candidate:
    """Adds what a factor hinders or helps: said where the text names it, else judged by the theme."""
    barrier = candidate.kind is Kind.BARRIER
    pattern, said = (_OBJECT, "blocks") if barrier else (_HELPED, "enables")
    for text in (words, *reversed(candidate.context)):
        for match in pattern.finditer(text):
            phrase = next(part for part in match.groups() if part)
            target = _target(phrase, reading.known)
            if target is not None:
                return candidate.linked(CandidateLink(PEV + said, target.iri, target.label, "said"))
    if theme is None:
        return candidate
    return candidate.linked(replace(theme, type=PEV + "affects"))


@lru_cache(maxsize=10_000)
def _stems(name: str) -> frozenset[str]:
    return frozenset(stems_of(name))


def _target(phrase: str, known: Known) -> Thing | None:
    """Returns the initiative, outcome or theme that a phrase names: all words of one of its names stand in it."""
    stems = set(stems_of(phrase))
    best: tuple[int, str] | None = None
    for thing in known.targets:
        for name in thing.names:
            wanted = _stems(name)
            if wanted and wanted <= stems and (best is None or (-len(wanted), thing.iri) < best):
                best = (-len(wanted), thing.iri)
    return known.things[best[1]] if best else None


def _call(candidate: Candidate, words: str, theme: CandidateLink | None, reading: Reading) -> Candidate:
    """Adds whom a recommendation asks, and by when."""
    del theme
    links = [CandidateLink(PEV + "directedTo", iri, label, "said") for iri, label in _asked(candidate, words, reading)]
    return candidate.linked(*links, *_due(candidate, words))


def _asked(candidate: Candidate, words: str, reading: Reading) -> list[tuple[str, str]]:
    hint = (candidate.hints or {}).get(Role.RESPONSIBLE)
    if hint:
        named = reading.bodies.named(hint) or [reading.bodies.of_name(hint)]
        return [(body.iri, body.label) for body in named]
    match = _MODAL.search(words)
    before = words[: match.start()] if match else ""
    if addressed := _ADDRESSED.search(words):
        before = addressed["who"]
    # The subject is what stands next to the verb; a clause before it names others.
    subject = re.split(r"[,;:](?! and| or)(?=[^,;:]{25,}$)", before)[-1]
    found = reading.bodies.named(subject) if subject else []
    if not found:
        found = [
            body
            for text in reversed(candidate.context)
            if _MODAL.search(text) or re.search(r"^(for|to) ", text, re.IGNORECASE)
            for body in reading.bodies.named(text)
        ]
    return list(dict.fromkeys((body.iri, body.label) for body in found))


def _due(candidate: Candidate, words: str) -> list[CandidateLink]:
    hint = (candidate.hints or {}).get(Role.DEADLINE)
    text = f"by {hint}" if hint else words
    if match := _BY.search(text):
        day = _last_day(match["when"])
        return [CandidateLink(PEV + "deadline", day, day, "said")] if day else []
    if match := _WITHIN.search(hint or words):
        span = duration(_NUMBERS.get(match["n"].lower()) or int(match["n"]), match["unit"].lower())
        return [CandidateLink(PEV + "timeframe", span, span, "said")]
    return []


def _last_day(text: str) -> str | None:
    """Returns the last day of the date that a text names: of a year, of a month, or the day itself."""
    found = iso_date(re.sub(r"^end (?:of )?", "", text.replace(",", "")))
    if found is None:
        return None
    if len(found) == 4:
        return f"{found}-12-31"
    if len(found) == 7:
        year, month = int(found[:4]), int(found[5:])
        days = (
            29
            if month == 2 and year % 4 == 0 and (year % 100 or year % 400 == 0)
            else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
        )
        return f"{found}-{days}"
    return found


def duration(number: int, unit: str) -> str:
    """Returns a span of time in the form that the store keeps.

    >>> duration(12, "month"), duration(18, "month"), duration(2, "week")
    ('P1Y', 'P1Y6M', 'P14D')
    """
    if unit in ("week", "day"):
        return f"P{number * (7 if unit == 'week' else 1)}D"
    years, months = divmod(number * (12 if unit == "year" else 1), 12)
    return "P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")


def _stance(candidate: Candidate, words: str, theme: CandidateLink | None, reading: Reading) -> Candidate:
    code = next((name for name, pattern in _STANCES if pattern.search(words)), "supportive")
    link = CandidateLink(PEV + "stance", CODE + code, code, "said")
    if reading.origin is not None and code == "welcomes":
        return candidate.linked(
            link, CandidateLink(PEV + "stanceTowards", reading.origin.iri, reading.origin.label, "said")
        )
    towards = [replace(theme, type=PEV + "stanceTowards")] if theme else []
    return candidate.linked(link, *towards)


def _same_theme(candidate: Candidate, words: str, theme: CandidateLink | None, reading: Reading) -> Candidate:
    """Ties a report's own topic to the common theme that is nearest."""
    del words, reading
    return (
        replace(candidate, links=(replace(theme, type="http://www.w3.org/2004/02/skos/core#closeMatch"),))
        if theme
        else candidate
    )


def _like(candidate: Candidate, words: str, reading: Reading) -> list[CandidateLink]:
    """Returns likeness to the items of the graph that say nearly the same, as proposals."""
    stems = stems_of(words)
    best: tuple[float, Thing] | None = None
    for item, others in reading.known.item_stems:
        if PEV + candidate.kind not in item.types:
            continue
        score = likeness(stems, others, reading.known.rarity)
        if score >= _ALIKE and (best is None or (score, item.iri) > (best[0], best[1].iri)):
            best = (score, item)
    if best is None:
        return []
    type_ = "reiterates" if candidate.kind is Kind.RECOMMENDATION and best[0] >= 0.7 else "similarTo"
    return [CandidateLink(PEV + type_, best[1].iri, best[1].label, "judged")]


class _Others:
    """The factors of a document, by place and by theme: a long report has thousands."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._factors = [c for c in candidates if c.kind in (Kind.BARRIER, Kind.ENABLER)]
        self._starts = [c.start for c in self._factors]
        self._barriers: dict[str | None, list[Candidate]] = {}
        for candidate in self._factors:
            if candidate.kind is Kind.BARRIER:
                self._barriers.setdefault(_theme_of(candidate), []).append(candidate)

    def inside(self, candidate: Candidate) -> list[Candidate]:
        """Returns the factors within a candidate's passage."""
        first, last = bisect_left(self._starts, candidate.start), bisect_left(self._starts, candidate.end)
        return [factor for factor in self._factors[first:last] if factor.end <= candidate.end]

    def nearest_barrier(self, candidate: Candidate) -> Candidate | None:
        """Returns the barrier of the same theme that stands nearest."""
        theme = _theme_of(candidate)
        barriers = [] if theme is None else self._barriers.get(theme, [])
        at = bisect_left(barriers, candidate.start, key=lambda c: c.start)
        return min(
            barriers[max(0, at - 1) : at + 1], key=lambda c: (abs(c.start - candidate.start), c.start), default=None
        )


def _to_others(candidate: Candidate, others: _Others) -> Candidate:
    """Adds links to other candidates of the document: what a message holds, what a call is an answer to."""
    if candidate.kind is Kind.KEY_MESSAGE:
        inside = others.inside(candidate)
        return candidate.linked(*(CandidateLink(PEV + "identifies", f"#{o.id}", o.kind.value, "said") for o in inside))
    nearest = others.nearest_barrier(candidate) if candidate.kind is Kind.RECOMMENDATION else None
    return (
        candidate.linked(CandidateLink(PEV + "addresses", f"#{nearest.id}", "Barrier", "judged"))
        if nearest
        else candidate
    )


def _theme_of(candidate: Candidate) -> str | None:
    return next((link.target for link in candidate.links if link.type == PEV + "hasTheme"), None)


def _drafted(candidate: Candidate, reading: Reading) -> Candidate:
    """Adds a draft of label and paraphrase: the telling words, never six in a row of the text."""
    chunks = key_words(reading.words(candidate.start, candidate.end))
    label = ", ".join(chunks)
    while len(label) > 70 and len(chunks) > 1:
        chunks = chunks[:-1]
        label = ", ".join(chunks)
    label = (label[:1].upper() + label[1:])[:80] or candidate.kind.value
    if candidate.kind is Kind.THEME:
        label = reading.words(candidate.start, candidate.end)[:80]
    paraphrase = candidate.paraphrase or f"{_OPENING[candidate.kind]}: {label}"[:300]
    return replace(candidate, label=candidate.label or label, paraphrase=paraphrase)


_OPENING = {
    Kind.KEY_MESSAGE: "A main message on",
    Kind.FINDING: "A finding on",
    Kind.BARRIER: "Stands in the way",
    Kind.ENABLER: "Helps, or is a condition",
    Kind.RECOMMENDATION: "Calls for",
    Kind.POSITION: "A view on",
    Kind.COMMITMENT: "A promise on",
    Kind.THEME: "A topic of the document",
}


def key_words(text: str) -> list[str]:
    """Returns the telling words of a text in groups of at most three that stand together.

    >>> key_words("The lack of a common budget hampers joint timetables.")
    ['lack', 'common budget hampers', 'timetables']
    """
    telling = set(words_of(text))
    groups: list[list[str]] = [[]]
    for word in re.findall(r"[\w’'-]+|[.,;:]", text):
        plain = re.sub(r"[^a-z0-9-]", "", word.lower())
        if plain and all(part in telling for part in plain.split("-") if part) and len(groups[-1]) < 3:
            groups[-1].append(word if word[1:].lower() != word[1:] else word.lower())
        elif groups[-1]:
            # A fourth word in a row is left out, so that the draft repeats no run of the text.
            groups.append([])
    return list(dict.fromkeys(" ".join(group) for group in groups if group))


def new_document_iri(title: str) -> str:
    """Returns the IRI under which a document is minted."""
    return f"{BASE}id/doc/{slug(title)[:60].strip('-')}"
