"""What a heading, a list's lead-in, a table's header or a marked paragraph says its contents are."""

from __future__ import annotations

import re
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of item, by the ontology's names; and Theme, for a report's own topics."""

    KEY_MESSAGE = "KeyMessage"
    FINDING = "Finding"
    BARRIER = "Barrier"
    ENABLER = "Enabler"
    RECOMMENDATION = "Recommendation"
    POSITION = "Position"
    COMMITMENT = "Commitment"
    THEME = "Theme"


class Role(StrEnum):
    """What else a table's column may hold."""

    RESPONSIBLE = "responsible"
    DEADLINE = "deadline"
    TOPIC = "topic"


_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            Kind.RECOMMENDATION,
            r"\brecommend(ations?|ed actions?|s|ed)?\b|\bproposals?\b|\bproposed (actions?|measures|changes)\b|\bcalls? (to|for) action\b|\bour asks?\b"
            r"|\bwhat (now )?(needs|should|must|has)( to)? (happen|change|improve|be done|come next)\b|\bwhat (\w+ ){1,3}(should|must|can|needs? to) do\b"
            r"|\b(next steps|way forward|agenda for action|action plan|suggested actions?|areas? for improvement|steps to take)\b"
            r"|\b(actions?|measures|steps|improvements?|changes) (are |that are )?(required|needed|to be taken|to take|for)\b|^(priority |key |required |agreed )?actions?$|^remed(y|ies)\b|^requirements?\b|\bour (demands|proposals)\b|\bwhat we (now )?(ask|want|call for|propose|expect)\b|\bpolicy (asks|options)\b"
            r"|\b(should|must|needs? to|ought to|are urged to|are asked to)(\s*:?|\b[^.:]{0,60}:)$|\b(urges?|calls? on|asks?|advises?)\b.{0,80}\bto\s*:?$|\bpriorities for\b",
        ),
        (
            Kind.KEY_MESSAGE,
            r"\b(key|main|headline|principal|central|core|top|overall) (message|finding|point|conclusion|take-?away|insight|result|lesson|observation|statement)s?\b"
            r"|\bat a glance\b|\bin short\b|\bour messages?\b|^headlines?$|^highlights$|\bin brief$|\btake-?aways?\b|\bkey learning\b|^main lessons",
        ),
        (
            Kind.ENABLER,
            r"\b(enablers?|facilitators?|success factors?|preconditions?|(pre)?requisites|levers|critical factors)\b|\bdrivers? of (success|change|progress|improvement)\b"
            r"|\bwhat (has |have |is |really )?(help(s|ed|ing)?|works?|worked|working|made (the|a) difference|makes (the|a) difference)( well)?\b"
            r"|\b(things|factors|conditions|circumstances|elements)\b.{0,30}\b(help|support|enable|facilitat|assist|promot|contribut|allow|favour|favor)\w*"
            r"|\b(factors|conditions|reasons) (for|of|behind) (success|progress)\b|\bwhat (\w+ ){1,4}(helps?|enables?) (it|this|them|progress)?\b|\bwhat (would|could|can|might|will) help\b|\bwhat good looks like\b|^strengths$"
            r"|\bhelped\b.{0,40}:$|\b(helping|enabling|supporting) factors\b|^((examples|areas) of )?(good|best|promising) (practices?|examples?)\b",
        ),
        (
            Kind.BARRIER,
            r"\b(barriers?|obstacles?|challenges?|constraints?|impediments?|hurdles?|bottlenecks?|stumbling blocks?|blockers?|roadblocks?|difficult(y|ies)|shortcomings?|weaknesses|pitfalls|problems?)\b"
            r"|\b(hinder|hamper|imped|obstruct|inhibit|constrain|block)\w*\b|\b(gets?|got|getting|stands?|stood|standing) in the way\b|\b(holds?|held|holding) \w* ?back\b"
            r"|\bwhat (is|was|has)( been)? (stopp|prevent|slow|delay|limit)\w+|\bslow(s|ed|ing)? (\w+ )?(progress|down)|\bwhat (did|does)( not|n't) work\b|\bwhy\b.{0,50}\b(slow|stall\w*|fail\w*|difficult|hard|not|stuck|rare)\b|\bwhat (is|was) (missing|lacking)\b|\b(limiting|inhibiting|aggravating) factors\b"
            r"|\bwhat('s| is| has| are)? ?(going |gone |went )wrong\b|\b(causes|reasons) (of|for|behind) (the )?(delay|fail|slow|poor|low|weak|problem|backlog|shortfall|gap)\w*|\bcontributed to (the |these |this )?(\w+ )?(delay|fail|problem|shortfall|backlog|overrun|cost)\w*",
        ),
        (Kind.COMMITMENT, r"\bcommitments?\b|\bpledges?\b|\bwhat we (will|are going to) do\b|\b(government|management|ministry|department)( ministry|'s)? response\b"),
        (Kind.FINDING, r"\bfindings?\b|\bwhat (did )?(\w+ ){1,4}(told us|tell us|find|found|see|saw|hear|heard|learn|learned|concluded?)\b|^(the )?(results|observations?|evidence)\b|\bconclusions?\b|^key facts\b|\b(audit|inspection|evaluation|review|survey) results\b|\bin numbers\b|^the numbers$|\bthe evidence (shows|says|suggests)\b|\bwe (found|find)( that)?\s*:$|\b(found|shows?|concludes?)( that)?\s*:$"),
    )
)  # fmt: skip
_NOT_THESE = re.compile(
    r"\b(progress|implementation|status|follow[- ]?up|tracking|previous|earlier|past|response[s]?)\b.{0,40}\brecommendations?\b|"
    r"\brecommendations? (accepted|implemented|made (in|by) (previous|earlier))|\b(no|without|overcom\w+|remov\w+|address\w+|tackl\w+|break\w* down|resolv\w+) (the |these |key |all |such |main )*(barriers?|obstacles?|challenges?|problems?)|"
    r"\bhow (to|we) (overcome|remove|address|tackle)\b",
    re.IGNORECASE,
)
_ROLES = (
    (Role.RESPONSIBLE, re.compile(r"^(who|by whom|for whom|responsib\w*( body| party| organi[sz]ation)?|owner|lead|(lead|action) ?(body|agency|organi[sz]ation|department|by|owner)|accountable( body)?|address(ee|ed to)s?|directed (to|at)|to whom|for)$", re.I)),
    (Role.DEADLINE, re.compile(r"^((by )?when|deadline|time ?(scale|frame|line|ing)s?|target( date)?|due( date| by)?|completion( date)?|date|to be (done|completed) by|timing)$", re.I)),
    (Role.TOPIC, re.compile(r"^(themes?|topics?|areas?|domains?|subjects?|priority( area)?s?|chapter|section|dimension|pillar)$", re.I)),
)  # fmt: skip
_SILENT = re.compile(
    r"^(\d+(\.\d+)*\.?\s+)?(table of )?(why (did )?\w+ (do|did) (this|the) (audit|study|review|inspection|inquiry|report|work)|what we did\b|contents|references|bibliography|further reading|glossary|abbreviations|acronyms|acknowledge?ments?|"
    r"(about|methodology|methods?|our approach|audit approach|scope|how we (did|carried out|conducted)|notes?|endnotes|contacts?|contact (us|details)|appendi(x|ces)\b.*|"
    r"annex(es)?\b.*|disclaimer|copyright|imprint|related (content|links|documents)|data sources|legal notice|image credits))\b[^:]{0,50}$|^(table of )?contents$",
    re.IGNORECASE,
)
# There the law and the past speak, which call for nothing.
_BACKGROUND = re.compile(
    r"^(\d+(\.\d+)*\.?\s+)?(background|introduction|context|(the )?legal (background|framework|context)|the law|(relevant )?legislation|what should have happened|roles? of|criteria|effects?|why (it|this|this finding) matters)\b",
    re.IGNORECASE,
)
_TOPICS = re.compile(
    r"\b(themes|topics|headings|areas|priorities|pillars|categories|dimensions|fields|chapters)\b\s*:?$", re.IGNORECASE
)
# The number and name with which a document marks one item: "Recommendation 3:", "Key message 2 –", "R4."
_MARK = re.compile(
    r"(?P<name>(?:key |main |headline |principal )?(?:recommendations?|messages?|findings?|barriers?|challenges?|obstacles?|enablers?|conclusions?|actions?|proposals?|commitments?|lessons?))"
    r"\s*(?:(?:no\.?\s*)?#?(?P<number>[A-Z]?\d{1,3}(?:\.\d{1,2})*[a-z]?|[IVX]{1,5}|[A-H]))?\s*(?:\([^)]{1,60}\)\s*)?(?P<stop>[:.–—-]|\s-\s|$)\s*",
    re.IGNORECASE,
)
_SHORT_MARK = re.compile(r"(?P<letter>R|Rec|KM|F|B|E)\.?\s?(?P<number>\d{1,3}(?:\.\d{1,2})?)\s*[:.)–—-]?\s+(?=[A-Z])")
_SHORT = {"R": Kind.RECOMMENDATION, "Rec": Kind.RECOMMENDATION, "KM": Kind.KEY_MESSAGE, "F": Kind.FINDING, "B": Kind.BARRIER, "E": Kind.ENABLER}  # fmt: skip
_RUN_IN = {"cause": Kind.BARRIER, "condition": Kind.FINDING}
_LONGEST_LABEL = 16


def label_of(text: str) -> Kind | None:
    """Returns what a heading or header says its contents are; None when it says nothing, or several things.

    >>> label_of("What gets in the way"), label_of("Key findings"), label_of("Progress on earlier recommendations")
    (<Kind.BARRIER: 'Barrier'>, <Kind.KEY_MESSAGE: 'KeyMessage'>, None)
    """
    kinds = _kinds_in(text)
    if {Kind.KEY_MESSAGE, Kind.FINDING} <= kinds:
        kinds -= {Kind.FINDING}
    # In "Conclusions and recommendations" what calls for nothing is a conclusion.
    if Kind.RECOMMENDATION in kinds and kinds <= {Kind.RECOMMENDATION, Kind.KEY_MESSAGE, Kind.FINDING}:
        kinds = {Kind.FINDING} if len(kinds) > 1 else kinds
    if len(text.split()) > _LONGEST_LABEL or len(kinds) != 1:
        return None
    return kinds.pop()


def lead_in_of(text: str) -> Kind | None:
    """Returns what a sentence that ends in a colon says the list after it holds: the kind it names last.

    >>> lead_in_of("The review makes recommendations under five headings:")
    <Kind.THEME: 'Theme'>
    """
    if _TOPICS.search(text.rstrip()):
        return Kind.THEME
    if _NOT_THESE.search(text):
        return None
    last: tuple[int, Kind] | None = None
    for kind, pattern in _KINDS:
        for match in pattern.finditer(text):
            if last is None or match.end() > last[0]:
                last = (match.end(), kind)
    return last[1] if last else None


def _kinds_in(text: str) -> set[Kind]:
    if _NOT_THESE.search(text):
        return set()
    return {kind for kind, pattern in _KINDS if pattern.search(text)}


def run_in_of(text: str) -> Kind | None:
    """Returns what a bold label at the head of a paragraph says of it; auditors' own words count there too.

    >>> run_in_of("Cause"), run_in_of("Recommendations"), run_in_of("Criteria")
    (<Kind.BARRIER: 'Barrier'>, <Kind.RECOMMENDATION: 'Recommendation'>, None)
    """
    return _RUN_IN.get(text.lower().removeprefix("root ").rstrip("s")) or label_of(text)


def role_of(header: str) -> Role | None:
    """Returns what a table's column holds beside items."""
    return next((role for role, pattern in _ROLES if pattern.match(header.strip(" :"))), None)


def is_silent(heading: str) -> bool:
    """Tells whether a section holds no items: contents, references, method, annexes."""
    return bool(_SILENT.match(heading.strip()))


def is_background(heading: str) -> bool:
    """Tells whether a section tells of the law and of what was before."""
    return bool(_BACKGROUND.match(heading.strip()))


def mark_of(text: str, short_forms: bool = False) -> tuple[Kind, int, str | None] | None:
    """Returns how a text marks itself as one item: kind, length of the mark, number.

    >>> mark_of("Recommendation 3: Publish the plan."), mark_of("Recommendations were made.")
    ((<Kind.RECOMMENDATION: 'Recommendation'>, 18, '3'), None)
    """
    match = _MARK.match(text)
    if match and (match["number"] or match["stop"] == ":") and (match["stop"] or match.end() == len(text)):
        kind = label_of(match["name"]) or (Kind.KEY_MESSAGE if "message" in match["name"].lower() else Kind.FINDING)
        return kind, match.end(), match["number"]
    match = _SHORT_MARK.match(text) if short_forms else None
    return (_SHORT[match["letter"]], match.end(), match["number"]) if match else None
