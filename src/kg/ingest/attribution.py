"""Who says a sentence: the document itself, a person it quotes, or a report it relays."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from kg.ingest.blocks import Block, BlockKind, Document
from kg.ingest.candidates import Attribution, Mode
from kg.ingest.normal import view
from kg.ingest.sentences import Sentence

_NAME = r"(?:[A-Z][\w'’.-]+|[A-Z]\.)(?: (?:[A-Z][\w'’.-]+|de|van|von|der|la|al|bin|of|for|and|the|[A-Z]\.)){0,9}"
_VERB = r"(?:said|says|added|adds|told|commented|explained|argued|warned|noted|stated|states|responded|welcomed|concluded|insisted|remarked|writes|wrote)"
_BEFORE = re.compile(rf"(?P<who>{_NAME})(?P<role>,[^\"]{{3,120}}?)?,? {_VERB}(?: that)?(?: [^\".]{{0,50}})?[:,]?\s*$")
_AFTER = re.compile(
    rf"^[\",.]*\s*(?:{_VERB} (?P<who>{_NAME})(?P<role>,[^\".]{{3,120}})?|(?P<who2>{_NAME})(?P<role2>,[^\"]{{3,120}}?)?,? {_VERB})"
)
_PRONOUN = re.compile(
    rf"\b(?:he|she|they|He|She|They)(?: also)? {_VERB}\b[^\"]{{0,30}}$|^[\",.]*\s*(?:{_VERB} (?:he|she|they)|(?:he|she|they) {_VERB})"
)
_REPORT_NOUN = r"(?:report|review|study|audit|inspection|survey|inquiry|enquiry|research|analysis|evaluation|paper|summary|assessment)"
_RELAYED = re.compile(
    rf"\b(?:the|a|an|new|recent|joint|latest|early|their own|its own|major|independent|annual)\b(?: \w+){{0,3}}? {_REPORT_NOUN}\b|"
    rf"\b{_REPORT_NOUN} by\b|, (?:it|they) (?:say|add|find|found|note|warn|conclude|argue)s?\b|\b(?:It|it) (?:also )?(?:said|says|found|finds|added|adds|notes|warned|sets out)\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    rf"\b(?:this|our|present)\b(?: \w+){{0,2}} {_REPORT_NOUN}\b|\bwe (?:found|find|recommend|conclude)\b", re.IGNORECASE
)
_ACCORDING = re.compile(rf"\baccording to (?:the )?(?P<who>{_NAME})", re.IGNORECASE)
_TITLES = r"(?:Dr|Prof(?:essor)?|Sir|Dame|Lord|Lady|Baroness|Cllr|Councillor|Minister|Mayor|President|Commissioner|Mr|Mrs|Ms|Health|Cabinet|Prime|Secretary|secretary|minister|chief|Chief|executive|Executive|director|Director|Chair|chair|of|for)"


class Type(StrEnum):
    """What sort of document a text is: the codes of scheme:document-type."""

    AUDIT = "audit-report"
    REVIEW = "review-report"
    STUDY = "evaluation-study"
    NEWS = "news-article"
    STATEMENT = "press-statement"
    NOTICE = "member-notice"
    NEWSLETTER = "newsletter-item"
    OPINION = "opinion-piece"

    @property
    def is_report(self) -> bool:
        return self in (Type.AUDIT, Type.REVIEW, Type.STUDY)


def type_of(document: Document) -> Type:
    """Returns what sort of document a text is, by its title, its first and its most frequent words."""
    title = document.properties["title"].value.lower() if "title" in document.properties else ""
    text = view(document.text, 0, min(len(document.text), 30_000)).text
    head = f"{title}\n{text[:1500].lower()}"
    if re.search(r"\b(press|media|news) release\b|\bfor immediate release\b", head):
        return Type.STATEMENT
    long = (document.pages or 0) > 2 or len(document.text) > 12_000 or _is_structured(document)
    if re.search(r"\bnewsletter\b", head) and not long:
        return Type.NEWSLETTER
    if not long and len(re.findall(rf"\b{_VERB}\b", text)) >= 2 and re.search(r"\"", text):
        return Type.NEWS
    if not long and re.search(r"\b(I am|I have|I believe|I want|I hope|my view)\b", text):
        return Type.OPINION
    if (
        not long
        and re.search(
            rf"\b(?:new|recent|joint|latest|early)\b(?: \w+){{0,3}} {_REPORT_NOUN}\b|\b{_REPORT_NOUN} by\b", text
        )
        and not _OWN.search(text)
    ):
        return Type.NOTICE
    if re.search(r"\b(audit|auditor)s?\b", head):
        return Type.AUDIT
    return Type.STUDY if re.search(r"\b(study|research|evaluation|survey)\b", head) else Type.REVIEW


def _is_structured(document: Document) -> bool:
    kinds = [block.kind for block in document.blocks]
    return kinds.count(BlockKind.HEADING) >= 4 or BlockKind.TABLE_CELL in kinds


@dataclass(frozen=True)
class _Quote:
    start: int
    end: int
    speaker: Attribution


class Speakers:
    """Tells for each sentence of a document who says it. Blocks are asked in reading order."""

    def __init__(self, document: Document, kind: Type) -> None:
        self._document = document
        self._is_report = kind.is_report or kind in (Type.OPINION, Type.STATEMENT)
        self._last: Attribution | None = None
        self._open = False
        self._relaying = False
        self._quotes: list[_Quote] = []

    def enter(self, block: Block) -> None:
        """Reads a block's quotations; what a quotation left open carries over into the next block."""
        whole = view(self._document.text, block.start, block.end)
        self._quotes = []
        if block.kind is BlockKind.HEADING:
            self._relaying = False
            return
        for start, end, open_ended in _quoted_ranges(whole.text, self._open):
            speaker = self._speaker(whole.text, start, end)
            if speaker is not None:
                self._quotes.append(_Quote(*whole.range(start, end), speaker))
                self._last = speaker
            self._open = open_ended and speaker is not None
        if block.kind is BlockKind.PARAGRAPH and not self._quotes:
            self._open = False

    def _speaker(self, text: str, start: int, end: int) -> Attribution | None:
        before = _sentence_before(text[:start])
        match = _BEFORE.search(before)
        if match and not _is_pronoun(match["who"]):
            return _person(match["who"], match["role"])
        if match := _AFTER.match(text[end:]):
            who = match["who"] or match["who2"]
            if not _is_pronoun(who):
                return _person(who, match["role"] or match["role2"])
        if _PRONOUN.search(before) or _PRONOUN.match(text[end:]):
            return self._last
        if start <= 1 and self._open and end - start > 30:
            return self._last
        if re.search(
            rf"\b{_REPORT_NOUN}\b.{{0,60}}\b(?:states?|said|says|found|concludes?|recommends?|recommended)\b[^.]{{0,40}}$|as it states that\s*$",
            before,
            re.IGNORECASE,
        ):
            return Attribution(Mode.QUOTED, origin="report")
        # Quotation marks around a term or a title are nobody's speech; a whole first paragraph goes on.
        return self._last if start <= 1 and end - start > 60 and self._last is not None else None

    def of(self, sentence: Sentence) -> Attribution:
        """Returns who says a sentence of the block that was entered last."""
        for quote in self._quotes:
            inside = min(quote.end, sentence.end) - max(quote.start, sentence.start)
            led_in = inside > 20 and re.search(rf"\b{_VERB}\b", sentence.text) is not None
            if (
                inside * 2 > sentence.end - sentence.start
                or led_in
                or (quote.start <= sentence.start + 1 and inside > 20)
            ):
                return quote.speaker
        if (match := _ACCORDING.search(sentence.text)) and re.match(r"[A-Z]", match["who"]):
            return Attribution(Mode.RELAYED, who=match["who"])
        if _OWN.search(sentence.text):
            return Attribution()
        if self._is_report:
            return Attribution()
        if _RELAYED.search(sentence.text):
            self._relaying = True
        return Attribution(Mode.RELAYED, origin="report") if self._relaying else Attribution()

    def quoted(self, start: int, end: int, cue: tuple[int, int]) -> tuple[int, int]:
        """Returns a range without the words that only lead into a quotation, where the cue stands in that."""
        for quote in self._quotes:
            if quote.start <= cue[0] and cue[1] <= quote.end and quote.end - quote.start > 30:
                start, end = max(start, quote.start), min(end, quote.end)
        words = self._document.text[start:end]
        return start + len(words) - len(words.lstrip()), end - (len(words) - len(words.rstrip()))


def _quoted_ranges(text: str, carried: bool) -> list[tuple[int, int, bool]]:
    """Returns the ranges within quotation marks, and whether the last is left open."""
    marks = [match.start() for match in re.finditer(r'"', text)]
    single = re.search(r"(?:^|[\s:])'(?=[A-Z])(.{40,}?)[.!?]?'(?=[\s.]|$)", text)
    found = [(a + 1, b, False) for a, b in zip(marks[::2], marks[1::2], strict=False) if b - a > 20]
    if len(marks) % 2 and len(text) - marks[-1] > 20:
        found.append((marks[-1] + 1, len(text), True))
    elif carried and not marks:
        return []
    return found or ([(single.start(1), single.end(1), False)] if single else [])


def _sentence_before(text: str) -> str:
    cut = max(text.rfind(mark) for mark in (". ", '" ', "? ", "! "))
    return text[cut + 1 :].rstrip('" ')


def _is_pronoun(who: str | None) -> bool:
    return who is None or who.split()[0].lower() in {"he", "she", "they", "it", "but", "the", "this", "and", "a", "an"}


def _person(who: str, role: str | None) -> Attribution:
    """Returns the attribution to a person: title and office in front of the name are the role."""
    words = who.replace("’", "'").split()
    lead: list[str] = []
    while len(words) > 2 and re.fullmatch(_TITLES, words[0]):
        lead.append(words.pop(0))
    told = (role or "").strip(" ,") or None
    return Attribution(Mode.QUOTED, who=" ".join(words), role=told or (" ".join(lead) if lead else None))


def in_list(attribution: Attribution, lead_in: Attribution | None) -> Attribution:
    """Returns who says a list item: whoever says the sentence that leads into the list."""
    if lead_in is None or attribution.mode is not Mode.OWN or lead_in.mode is Mode.OWN:
        return attribution
    return replace(lead_in)
