"""The bodies a document names: those the graph knows, and those whose name shows what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kg.ingest.aids import Names
from kg.ingest.blocks import Document
from kg.ingest.known import Known
from kg.ingest.normal import View, view
from kg.names import BASE, folded, slug

_NOUN = (
    r"(?:Office|Authority|Authorities|Council|Councils|Board|Boards|Commission|Committee|Ministry|Department|Agency|Institute|Institution|University|College|Unit|"
    r"Group|Service|Services|Trust|Partnership|Association|Federation|Confederation|Society|Foundation|Centre|Center|Network|Parliament|Government|Inspectorate|"
    r"Ombudsman|Court|Bank|Organisation|Organization|Union|Alliance|Forum|Agency|Directorate|Secretariat|Treasury|Chamber|Cabinet|Assembly|Senate|Congress|"
    r"Division|County|District|Municipality|Province|Auditor General|Auditor-General|Examiner|Taskforce|Task Force|Academy|Fund|Trust|Coalition|Convention|Consortium|Hospital|Police|Observatory|Regulator|Bureau|Administration|Executive|Corporation|Company|Ltd|Limited|Inc|Scotland|Wales|England)"
)
_CAP = r"(?:[a-z]?[A-Z][\w’'&-]*|[A-Z]{2,})"
# "A and the B" are two bodies; "Health and Care" is half a name.
_LINK = r"(?:(?:of|for|on|in)(?: the)?|and|de|des|du|der|für|&)"
_NAMED = re.compile(
    rf"\b(?:{_CAP} (?:(?:{_LINK} )?{_CAP} ){{0,5}})?{_NOUN}\b(?: {_LINK} {_CAP}(?:(?: {_LINK})? {_CAP}){{0,6}})?"
)
# "the Norwegian government": the noun is written small.
_GOVERNMENT = re.compile(r"\b[A-Z][a-z]+(?:ish|ian|an|ese|ch|ic) government\b")
# A name in capitals that nothing explains; what everybody writes in capitals is no body.
_CAPITALS = re.compile(r"\b[A-Z]{4,9}\b|(?<=\bthe )[A-Z]{3}\b")
_NO_BODIES = {
    "COVID",
    "HTML",
    "HTTP",
    "ISBN",
    "ISSN",
    "TABLE",
    "FIGURE",
    "ANNEX",
    "GDP",
    "VAT",
    "PDF",
    "USA",
    "CEO",
    "CFO",
}
_ACRONYM = re.compile(r"\s*\((?:the )?[\"']?(?P<short>[A-Z][A-Za-z&-]*[A-Z]s?)[\"']?\)")
_EXPLAINED = re.compile(
    rf"\b(?P<short>[A-Z]{{2,}}[a-z]?)\s*\((?P<long>(?:the )?{_CAP}(?: (?:{_LINK} )?{_CAP}){{1,8}})\)"
)
_KINDS = re.compile(
    r"\b(?:(?:(?:local|national|regional|public|central|federal|integration|integrated|joint|health|municipal|county|city|district|state|statutory|education|school|housing|transport|"
    r"integration joint|shadow|NHS|police|fire|third sector|voluntary|community|private|independent|social care|care)\s){1,3}"
    r"(?:authorities|governments?|boards|bodies|agencies|councils|partnerships|organi[sz]ations|partners|trusts|providers|services|commissioners|administrations|sectors?)"
    r"|councils|municipalities|local authorities|hospitals|ministries|ministers|government departments|member states|charities|universities|schools|employers|trade unions|counties|regions|regulators)\b",
    re.IGNORECASE,
)
_NO_NAMES = re.compile(
    r"^(?:The )?(?:Group|Board|Committee|Council|Service|Services|Unit|Government|Department|Company|Court|Trust|Executive|Office|Centre|Union|Fund|Network|Agency|Commission|"
    r"Authority|Ministry|Parliament|Limited|Administration|Police|Hospital|Partnership|Cabinet|Scotland|Wales|England|Board[s]|Authorities|Councils|Treasury|Organisation|Organization|Institution|Division|County|District|Municipality|Province|Auditor General|Auditor-General|Examiner)$"
    r"|\b(?:Act|Bill|Report|Review|Strategy|Plan|Programme|Framework|Table|Figure|Annex)\b|^(?:In|On|At|By|For|To|From|With|And|But|Across|Within) "
)


@dataclass
class Body:
    """A body or kind of body that a document names, with the ranges of the frozen text where it does."""

    iri: str
    label: str
    known: bool
    generic: bool
    # Only a model takes it for a body: it is shown, and linked to by nobody.
    suggested: bool = False
    mentions: list[tuple[int, int]] = field(default_factory=list)


class Bodies:
    """The bodies of one document."""

    def __init__(self, document: Document, known: Known, names: Names | None = None) -> None:
        self._known = known
        self._whole = folded(document.text)
        self._text = document.text
        self.by_iri: dict[str, Body] = {}
        self._short: dict[str, str] = {}
        views = [view(document.text, block.start, block.end) for block in document.blocks]
        for part in views:
            self._learn_short_forms(part.text)
        for part in views:
            for body in self._in(part):
                self._note(body)
        if names is not None:
            self._suggest(views, names)

    def _learn_short_forms(self, text: str) -> None:
        for match in _NAMED.finditer(text):
            short = _ACRONYM.match(text, match.end())
            if short and not _NO_NAMES.search(match[0]):
                self._short[short["short"]] = _trimmed(match[0])
        for match in _EXPLAINED.finditer(text):
            if "".join(word[0] for word in match["long"].split() if word[0].isupper())[:1] == match["short"][0]:
                self._short.setdefault(match["short"], _trimmed(match["long"]))

    def _note(self, body: Body) -> None:
        held = self.by_iri.setdefault(body.iri, body)
        if held is not body:
            held.mentions += [m for m in body.mentions if m not in held.mentions]

    def _suggest(self, views: list[View], names: Names) -> None:
        """Adds the names that a model finds where the rules found none."""
        taken = [mention for body in self.by_iri.values() for mention in body.mentions]
        for part in views:
            for start, end in names(part.text):
                name = _trimmed(part.text[start:end])
                first, last = part.range(start, end)
                if len(name) < 3 or _NO_NAMES.search(name) or any(first < b and a < last for a, b in taken):
                    continue
                body = self._body(name)
                body.suggested, body.mentions = not body.known, [(first, last)]
                self._note(body)

    def _in(self, part: View) -> Iterator[Body]:
        taken: list[tuple[int, int]] = []
        for start, end, body in self._spans(part.text):
            if not any(start < b and a < end for a, b in taken):
                taken.append((start, end))
                body.mentions.append(part.range(start, end))
                yield body

    def _spans(self, text: str) -> list[tuple[int, int, Body]]:
        """Returns the names in a text, the longest first where they overlap."""
        spans = [
            (m.start, m.end, Body(m.iri, m.label, True, "/group/" in m.iri))
            for m in self._known.mentions(text, self._whole)
        ]
        for match in _NAMED.finditer(text):
            name = _trimmed(match[0])
            if not _NO_NAMES.search(name) and len(name.split()) > 1:
                start = match.start() + match[0].index(name)
                spans.append((start, start + len(name), self._body(name)))
        spans += [
            (m.start(), m.end(), self._body(m[0][: -len("government")] + "Government"))
            for m in _GOVERNMENT.finditer(text)
        ]
        if not text.isupper():
            unknown = (m for m in _CAPITALS.finditer(text) if m[0] not in _NO_BODIES and m[0] not in self._short)
            spans += [(m.start(), m.end(), self._body(m[0])) for m in unknown if not re.fullmatch(r"[IVXLC]+", m[0])]
        for short, long in self._short.items():
            spans += [
                (m.start(), m.end(), self._body(long)) for m in re.finditer(rf"\b{re.escape(short)}(?:'s|s)?\b", text)
            ]
        spans += [(m.start(), m.end(), self._group(m[0])) for m in _KINDS.finditer(text)]
        return sorted(spans, key=lambda span: (span[0] - span[1], span[0], not span[2].known))

    def _body(self, name: str) -> Body:
        thing = self._known.body(name)
        if thing is not None:
            return Body(thing.iri, thing.label, True, "/group/" in thing.iri)
        return Body(f"{BASE}id/agent/{slug(name)[:60].strip('-')}", name, False, False)

    def _group(self, name: str) -> Body:
        thing = self._known.body(name)
        if (
            thing is not None
            and (place := re.search(r" in ([A-Z]\w+)$", thing.label))
            and folded(place[1]) not in self._whole
        ):
            thing = None
        if thing is not None:
            return Body(thing.iri, thing.label, True, True)
        label = name[:1].upper() + name[1:]
        return Body(f"{BASE}id/group/{slug(name)}", label, False, True)

    def within(self, start: int, end: int) -> list[Body]:
        """Returns the bodies named in a range of the frozen text, in reading order."""
        found = [
            (a, body)
            for body in self.by_iri.values()
            if not body.suggested
            for a, b in body.mentions
            if start <= a and b <= end
        ]
        return list({body.iri: body for _, body in sorted(found, key=lambda entry: (entry[0], entry[1].iri))}.values())

    def named(self, text: str) -> list[Body]:
        """Returns the bodies that a text of a few words names, such as a table's cell."""
        return [body for _, _, body in self._apart(view(text).text)]

    def places(self, text: str) -> list[tuple[int, int]]:
        """Returns the ranges of a text in which bodies are named."""
        return [(start, end) for start, end, _ in self._apart(text)]

    def _apart(self, text: str) -> list[tuple[int, int, Body]]:
        taken: list[tuple[int, int, Body]] = []
        for span in self._spans(text):
            if not any(span[0] < b and a < span[1] for a, b, _ in taken):
                taken.append(span)
        return sorted(taken, key=lambda span: span[0])

    def of_name(self, name: str) -> Body:
        """Returns the body of a name, known or new."""
        return self._body(self._short.get(name, name))


def _trimmed(name: str) -> str:
    """Returns a name without an article in front, and without what no longer belongs to it."""
    return re.sub(r"^(?:The|A|An|Our|This|That|New|Both|All) ", "", name).strip()
