"""Phrases that show what a sentence does: call for something, name an obstacle, report a result.

Each cue is a pattern with a confidence. A cue that is denied ("does not hamper") is no cue;
one that is softened ("may hamper") is marked as hedged and counts less.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from kg.ingest.labels import Kind
from kg.ingest.phrases import RULES_ASK


@dataclass(frozen=True)
class Cue:
    """A phrase that shows a kind of item."""

    name: str
    kind: Kind
    pattern: re.Pattern[str]
    confidence: float
    # A call stays one when it is a call not to do something.
    deniable: bool = True


@dataclass(frozen=True)
class Hit:
    """A cue in a sentence: where it stands, whether it is softened, and the part that it points at."""

    cue: Cue
    start: int
    end: int
    hedged: bool
    clause: tuple[int, int] | None = None

    @property
    def confidence(self) -> float:
        return self.cue.confidence * (0.8 if self.hedged else 1.0)


_ADVERB = r"(?:also |now |urgently |still |always |continue to |therefore |further |fully |clearly |first |all |both |each |jointly |immediately |swiftly )*"
_ADJECTIVE = r"(?:\w+ly )?(?:\w+[- ]){0,2}"
_OBSTACLE = r"(?:barriers?|obstacles?|challenges?|constraints?|impediments?|hurdles?|bottlenecks?|stumbling blocks?|difficult(?:y|ies)|problems?|frustrations?|deterrents?|disincentives?|drawbacks?|weakness(?:es)?|shortcomings?|roadblocks?|blockers?)"
_HELP = r"(?:enablers?|facilitators?|(?:success|key|critical|crucial|important|decisive) factors?|drivers?|preconditions?|prerequisites?|catalysts?|cornerstones?|foundations?|strengths?)"
_REPORT = r"(?:reports?|review|study|studies|audit|inspection|survey|inquiry|enquiry|research|analysis|evaluation|evidence|data|figures|results|assessment|investigation|paper|auditors?|inspectors?|inspectorate|researchers?|reviewers?|evaluators?|authors?|committee|commission|court|team|interviewees|respondents|participants|stakeholders)"
_MEANS = r"(?:staff|capacity|mandate|powers?|incentives?|agreements?|engineers|resources|time|authority|access|money|funds|funding|budgets?|skills?|data|information|means|expertise|tools?|targets?|plans?|strategy|guidance|standards?|system|knowledge|experience|room|influence|say|control|oversight|overview|leadership|teachers|nurses|officers|inspectors|specialists|vehicles|places)"
_SAYS = r"(?:finds?|found|shows?|showed|shown|reveals?|revealed|concludes?|concluded|identif(?:y|ies|ied)|observe[sd]?|notes?|noted|says?|said|reports?|reported|states?|stated|suggests?|suggested|indicates?|indicated|highlights?|highlighted|confirms?|confirmed|demonstrates?|demonstrated|estimates?|estimated|warns?|warned|points? out|pointed out|argues?|argued|adds|added)"
_CHANGE = r"(?:improved|worsened|narrowed|widened|increased|decreased|reduced|fallen|fell|rose|risen|declined|grown|grew|doubled|tripled|halved|remained|remains?|became|become|stalled|slowed|deteriorated|weakened|strengthened|shrunk|dropped|stagnated|progressed|started|begun|failed|led|resulted|achieved|met|missed|exceeded)"

_TABLE: tuple[tuple[str, Kind, float, str], ...] = (
    ("recommends", Kind.RECOMMENDATION, 0.95, r"\b(?:we|i|committee|commission|court|office|review|report|study|audit|auditors?|inspectors?|authors?|it|panel|council|board|group|inquiry|unit|team)\b(?:\s+\w+){0,3}?\s+(?:recommends?|recommended|proposes?|urges?|advises?|advised)\b(?! by)"),
    ("asks", Kind.RECOMMENDATION, 0.8, r"\b(?:we|it|committee|commission|court|office|review|audit|inspectorate|panel|inquiry|ombudsman|assembly)\b (?:also |therefore |further |now )?(?:asks?|requests?|invites?|expects?|encourages?|seeks?|would like|wants?)\b (?!to\b).{3,90}?\bto (?!have\b)\w+"),
    ("is recommended", Kind.RECOMMENDATION, 0.9, r"\b(?:is|are|was|were) (?:therefore |also |further |strongly )?(?:recommended|advised|encouraged|urged|asked|called (?:up)?on|being urged|being asked|being called on|invited|expected) to\b|\bit is (?:therefore |also )?(?:recommended|proposed|suggested) that\b"),
    ("calls on", Kind.RECOMMENDATION, 0.85, r"\b(?:calls?|called|calling) (?:up)?on\b.{2,120}?\bto\b|\b(?:calls?|called|calling) for\b(?! (?:views|evidence|papers|proposals|tenders?|applications|bids|inputs?|submissions)\b)|\burg(?:es?|ed|ing)\b.{2,100}?\bto\b"),
    ("should", Kind.RECOMMENDATION, 0.8, rf"(?<!what )(?<!how )(?<!as it )(?<!why )\bshould(?:n't| not)?,? {_ADVERB}(?!have\b|you\b|be noted|be said|be remembered|be stressed|be seen in|be borne|be read|come as|it\b)[\"']?\w+"),
    ("must", Kind.RECOMMENDATION, 0.8, rf"\bmust(?:n't| not)? {_ADVERB}(?!have been|be noted|be said|be borne|be remembered)[\"']?\w+"),
    ("needs to", Kind.RECOMMENDATION, 0.75, rf"(?<!who )(?<!no )(?<!not )(?<!are )(?<!is )(?<!was )(?<!were )(?<!be )(?<!may )(?<!the )\b(?:needs?|needed|ought|has got|have got) to {_ADVERB}[\"']?\w+"),
    ("has to", Kind.RECOMMENDATION, 0.6, rf"\b(?:has|have) to be \w+(?:ed|en|t)\b|\b(?:government|ministry|councils?|authorities|boards?|partners|we|agencies|municipalities|regions|providers|states?)\b (?:\w+ )?(?:has|have) to {_ADVERB}[\"']?\w+"),
    ("it is important to", Kind.RECOMMENDATION, 0.75, r"\bit (?:is|will be|remains) (?:also |therefore |now |equally |absolutely |particularly )*(?:important|essential|vital|crucial|critical|imperative|necessary|urgent|paramount|key|time)\b(?: \w+){0,12}? (?:to|that)\b"),
    ("there is a need", Kind.RECOMMENDATION, 0.75, r"\bthere (?:is|remains) (?:\w+ )?(?:an? )?(?:\w+ ){0,2}need (?:for|to)\b|\b(?:action|efforts?|investment|reform|change|improvements?) (?:is|are) (?:\w+ )?(?:needed|required) (?:to|in|on|by|at)\b|\b(?:more|further|greater|better|stronger) (?:\w+ ){1,4}(?:is|are) (?:\w+ )?(?:needed|required)\b"),
    ("responsibility", Kind.RECOMMENDATION, 0.55, r"\bit is the (?:responsibility|duty|task) of\b.{3,150}?\bto\b|\bstep change\b.{0,40}\bmust\b"),
    ("obstacle noun", Kind.BARRIER, 0.85, rf"\b(?:a|an|the|one|another|key|main|major|biggest|greatest|significant|serious|common|further|important|real|persistent|principal)\b (?:of the )?(?:most |more )?{_ADJECTIVE}{_OBSTACLE}\b.{{0,80}}?\b(?:is|was|are|were|remains?|continues? to be|has been|have been|includes?|included|lies?|comes? from)\b"),
    ("is an obstacle", Kind.BARRIER, 0.85, rf"\b(?:is|are|was|were|remains?|remained|being|as|become|became|constitutes?|presents?|presented|poses?|posed|creates?|created|represents?)\b (?!no\b|not\b|never\b|hardly\b)(?:\w+ )?(?:an? |the |one of the )?{_ADJECTIVE}{_OBSTACLE}\b"),
    ("hampers", Kind.BARRIER, 0.85, r"\b(?:hamper|hinder|imped|obstruct|inhibit|thwart|stifl|undermin|constrain|jeopardi[sz]|frustrat|complicat)(?:e?s|ed|ing|e)?\b"),
    ("limits", Kind.BARRIER, 0.8, r"\b(?:limit|restrict|reduc|weaken|curtail|curb|erod|compromis)(?:e?s|ed|ing|e)? (?:\w+ ){0,3}?(?:ability|capacity|scope|effectiveness|progress|options|freedom|opportunit(?:y|ies)|potential|impact|room|incentives?|willingness)\b|\b(?:is|are|was|were|been|being) (?:\w+ly )?(?:limited|restricted|constrained|held back|slowed|delayed|hindered|hampered|impeded|undermined|blocked) by\b"),
    ("prevents", Kind.BARRIER, 0.8, r"\b(?:prevent|stop|block|discourag|deter|keep)(?:e?s|ed|ing|e|ped|ping)?\b (?!\w+ing\b)(?:\S+ ){1,9}?from \w+ing\b|\b(?:prevent|block)(?:s|ed|ing)? (?:\w+ ){0,3}(?:progress|change|reform|integration|improvement|implementation|access|delivery|collaboration|uptake|development)\b"),
    ("stands in the way", Kind.BARRIER, 0.9, r"\b(?:stand|get|stood|got)(?:s|ting|ing)? in the way\b|\b(?:hold|held)(?:s|ing)? (?:\w+ ){0,4}back\b|\bslow(?:s|ed|ing)? (?:down\b|the\b|progress\b)|\bslow(?:s|ed|ing) (?:\w+ ){1,4}|\bat the expense of\b"),
    ("makes difficult", Kind.BARRIER, 0.85, r"\b(?:mak(?:e|es|ing)|made) (?:it |\w+ ){1,4}?(?:more |very |too |increasingly |extremely |particularly )*(?:difficult|hard|harder|impossible|challenging|unattractive|problematic)\b|\b(?:find|finds|found|finding) it (?:\w+ )?(?:difficult|hard|harder|impossible|challenging)\b|\b(?:is|are|was|were|remains?|proved|proves) (?:\w+ )?(?:difficult|hard|impossible) (?:for \w+(?: \w+){0,4} )?to\b"),
    ("lack of", Kind.BARRIER, 0.65, r"\b(?:an? |the )?(?:\w+ )?(?:lack|shortages?|absence|scarcity|dearth|shortfall|deficit|inability|unwillingness|reluctance|failure)s? (?:of|to|in)\b|\b(?:insufficient|inadequate|too few|too little|not enough|poor|weak|outdated|fragmented|incompatible|unclear|inconsistent|short-term|unreliable) (?:\w+ ){0,3}\w+ (?:mean|means|meant|lead|leads|led|result|results|resulted|leav|cause|make|makes)\w*\b|\black(?:s|ed|ing)? (?:the |clear |adequate |sufficient |any |of )?\w+"),
    ("cannot", Kind.BARRIER, 0.6, r"\b(?:unable|struggl\w+|fail(?:s|ed|ing)?) to\b|\b(?:can ?not|can't|could not) (?:\w+ )?(?:because|as|without|due|share|access|recruit|plan|use|exchange|obtain|fill|see|retain|afford|compare|monitor|tell|demonstrate|judge|be (?:opened|linked|shared|compared|exchanged|measured|checked|filled|verified|used|tracked|followed))\b|\bneither\b.{3,50}\b(?:could|can) (?:see|access|share|use)\b|\bdoes not allow\b|\b(?:has|have) not (?:yet )?been (?:achieved|reali[sz]ed|resolved)\b"),
    ("has too little", Kind.BARRIER, 0.7, rf"\b(?:do|does|did) not (?:\w+ )?have (?:the |any |enough |sufficient |adequate |an? )?\w+|\b(?:has|have|had) (?:had )?(?:no|little|few|too few|too little|insufficient|limited|only limited) (?:\w+ ){{0,2}}{_MEANS}\b|\b(?:too few|too little|not enough) {_MEANS}\b|\bthere (?:is|are|was|were) (?:still )?(?:no|not enough|too few|too little) (?:\w+ ){{0,2}}(?:{_MEANS}|polic(?:y|ies)|rules?|register)\b|\bneither {_MEANS} nor (?:\w+ )?{_MEANS}\b"),
    ("means not", Kind.BARRIER, 0.65, r"\bmeans? (?:that )?(?:\w+ ){1,8}?(?:not|cannot|never|unable|fewer|less|late|later)\b|\b(?:do|does|did) not (?:talk|speak|connect|link|communicate|align|match|fit)(?: up)?\b(?: \w+)? (?:to|with)\b"),
    ("nobody answers", Kind.BARRIER, 0.7, r"\b(?:nobody|no one|no single \w+|no (?:body|agency|organisation|department))\b(?: \w+){0,3} (?:is|was|are|has been|feels?|has|owns?|leads?)\b.{0,30}\b(?:responsib\w+|accountab\w+|in charge|answerable|answers?|lead|overview|owner\w*|oversight)\b|\bno one is in charge\b"),
    ("leads to loss", Kind.BARRIER, 0.7, r"\b(?:leads?|led|resulted|results|contribut\w+) (?:to|in) (?:an? |the )?(?:\w+ )?(?:loss(?:es)?|delays?|shortages?|gaps?|duplication|confusion|backlogs?|waste|errors?|fragmentation|uncertainty|inefficienc\w+|overruns?)\b|\b(?:weakness|shortcoming|gap|deficienc|flaw)\w* in .{3,60}? (?:mean|lead|led|result|cause|prevent|leave)\w*"),
    ("too much to", Kind.BARRIER, 0.65, r"\b(?:so|too) (?:complicated|complex|slow|short|late|small|costly|expensive|difficult|bureaucratic|rigid|few|little|low|high|busy|stretched|thin)\b.{0,40}\b(?:that|to|for)\b|\bas a (?:consequence|result),? .{3,60}?\b(?:put off|postpone|delay|lose|lost|miss|wait|give up|gave up)\w*|\bgive up before\b|\b(?:posts?|positions?|vacancies)\b.{0,30}\b(?:vacant|empty|unfilled)\b"),
    ("is put off", Kind.BARRIER, 0.6, r"\b(?:is|are|was|were|been|being) (?:\w+ )?(?:put off|postponed|held up|stalled|deterred|discouraged|overlooked|left out|excluded|crowded out)\b"),
    ("has none", Kind.BARRIER, 0.6, rf"\b(?:has|have|had) (?:\w+ )?no (?!doubt|effect|intention|impact|objection|hesitation|regrets?|longer|{_OBSTACLE})\w+|\bthere (?:is|are|was|were) (?:\w+ )?no (?!doubt|evidence|need|reason|obligation|intention|{_OBSTACLE})\w+|\b(?:was|were|been|is|are) not (?:\w+ )?(?:given|allowed|permitted|able|equipped|trained|trusted|invited|consulted|involved|funded|paid|resourced|aware)\b|\b(?:do|does|did) not (?:\w+ )?know\b|\bunaware\b"),
    ("is weak", Kind.BARRIER, 0.55, r"\b(?:is|are|was|were|remains?|remained) (?:\w+ )?(?:weak|poor|unclear|unreliable|slow|fragmented|patchy|inconsistent|outdated|out of date|inadequate|insufficient|lacking|scarce|cumbersome|complicated|confusing|incomplete|uneven|short-term|incompatible|overstretched|stretched|understaffed|underfunded|too (?:late|slow|few|little|low|small|weak))\b|\btoo (?:late|little|slowly) to \w+|\bbooked too late\b"),
    ("not because", Kind.BARRIER, 0.65, r"\b(?:not|no|nobody|never|cannot|few|rarely|seldom)\b[^.]{3,90}\b(?:because|since)\b|^because\b.{5,120}, .{0,80}\b(?:not|no|nobody|never|cannot|few|put off|lose|loses|save on|rarely|too)\b|, so (?:that )?(?:\w+ ){0,5}(?:nobody|no one|cannot|not|never|too late|alone|too)\b"),
    ("shuts out", Kind.BARRIER, 0.6, r"\b(?:shuts?|shutting|locks?|keeps?|prices?|leaves?) (?:\w+ ){1,4}out\b|\bfall(?:s|ing)? (?:through|between)\b|\bdoes not follow\b|\bdo not follow\b|\b(?:leaves?|left|leaving) (?:the |their )?(?:\w+ )?(?:service|job|posts?|profession|within a year|for (?:better|neighbouring|other|abroad))\b"),
    ("gap", Kind.BARRIER, 0.6, r"\b(?:there (?:is|are|remains?|continues? to be)|persistent|continuing)\b.{0,30}\b(?:gaps?|divides?|mismatch|tensions?|disconnect|disagreements?|mistrust|distrust|silos?)\b|\b(?:an afterthought|a low priority|taken for granted)\b"),
    ("requires", Kind.ENABLER, 0.7, r"\b(?:depends?|depended|relies|rely|relied|rests?|hinges?) (?:\w+ )?(?:up)?on\b(?! (?:where|whether|who|when|which|how|what)\b)|^(?:to|in order to) .{5,80}?\brequires?\b|\brequires?\b.{3,120}?\bto (?:succeed|work|be effective|be successful|flourish)\b|\b(?:services?|integration|change|reform|success|progress|improvement|partnerships?|collaboration|implementation)\b(?:,[^,]{3,60},)? requires?\b"),
    ("is key to", Kind.ENABLER, 0.8, r"\b(?:is|are|was|were|remains?|being|be|been|proved|proves) (?:\w+ly |also |the )*(?:key|crucial|essential|vital|fundamental|critical|central|instrumental|indispensable|necessary|decisive|pivotal|paramount) (?:\w+ )?(?:to|for|in)\b"),
    ("enabler noun", Kind.ENABLER, 0.8, rf"\b(?:is|are|was|were|as|be|being)\b (?!no\b|not\b|never\b|hardly\b)(?:\w+ )?(?:an? |the |one of the |among the )?{_ADJECTIVE}{_HELP}\b|\b(?:an?|the|one|another|key|main|major|important|significant|common)\b {_ADJECTIVE}{_HELP}\b.{{0,60}}?\b(?:is|was|are|were|includes?|has been)\b"),
    ("enables", Kind.ENABLER, 0.75, r"\b(?:enabl|facilitat)(?:e?s|ed|ing)\b|\b(?:has|have|had|can|also|greatly|clearly|which|that|this)? ?(?:help|helps|helped|allow|allows|allowed) (?:to |\w+ (?:\w+ ){0,4}to )\w+|\bmade (?:it )?possible\b|\bmakes? (?:it )?(?:easier|possible)\b|\bthanks to\b|\bcontribut(?:es?|ed) to the success\b|\bunderpin(?:s|ned)?\b|\bbenefit(?:s|ed)? (?:most|more) (?:when|where|if)\b|\b(?:works?|worked) (?:best|better|well) (?:where|when|if)\b|\b(?:progress|change|success|integration|results?) (?:\w+ ){0,3}(?:faster|better|easier|strongest|greatest) (?:where|when)\b"),
    ("where it is so", Kind.ENABLER, 0.7, r"^(?:but |and |however,? )?where (?:\w+ ){2,14}?(?:is|was|are|were|has|have|had|knew|know|lead|led|work|worked|met|meet)\b[^,]{0,60}, .{0,90}\b(?:more|fewer|faster|better|quicker|higher|lower|easier|shorter|sooner|less)\b|\b(?:has|have) meant (?:that )?(?:\w+ )?(?:lower|better|faster|fewer|shorter|higher|more|quicker)\b"),
    ("made the difference", Kind.ENABLER, 0.7, r"\bwhat made the difference\b|\bmade all the difference\b|\b(?:is|was|became) (?:only )?possible (?:since|because|as|thanks)\b|\bin (?:the |one |some |those |\w+ )?(?:\w+ )?(?:pilots?|regions?|municipalit(?:y|ies)|towns?|countr(?:y|ies)|districts?|centres?|practices?|count(?:y|ies)|areas?|schools?)\b,? (?:where|in which|that)\b.{5,140}\b(?:fell|rose|longer|shorter|faster|fewer|more|lower|higher|better|improved|willing)\b"),
    ("not without", Kind.ENABLER, 0.8, r"\b(?:cannot|can not|will not|would not|could not) (?:\w+ ){1,5}without\b|\bonly (?:\w+ ){0,4}(?:if|when|where)\b|\bnot possible without\b"),
    ("commits", Kind.COMMITMENT, 0.75, r"\b(?:government|ministry|ministers?|department|council|we|they|commission|authority|board|agency|service)\b (?:\w+ ){0,3}(?:will|has committed|have committed|has agreed|have agreed|agreed to|are committed|is committed|has pledged|have pledged|plans? to|intends? to|(?:is|are) promising|promised|(?:is|are) (?:already )?(?:taking|working|investing|developing|preparing|introducing|setting up))\b"),
    ("takes a view", Kind.POSITION, 0.7, r"\b(?:welcomes?|welcomed|(?:am|is|are|was|were) (?:\w+ )?(?:pleased|proud|glad|delighted|disappointed|concerned|worried|supportive|confident|convinced)|supports? the|opposes?|rejects?|criticis(?:es|ed)|i (?:believe|think|hope|want)|we (?:believe|think|hope|want|support)|in (?:my|our) view)\b"),
    ("concludes", Kind.KEY_MESSAGE, 0.8, r"\b(?:overall|main|key|principal|general|central) (?:conclusion|finding|message|assessment|point) (?:of .{3,40} )?(?:is|was) that\b|\boverall,? we (?:conclude|find|found)\b|\bwe conclude that\b|\b(?:court|committee|commission|office|ombudsman|panel|inquiry|inspectorate|audit|review) (?:therefore )?concludes that\b|\b(?:committee|court|commission|office|panel|inquiry|ombudsman|inspectorate)\b (?:is|was|remains) (?:\w+ )?(?:convinced|concerned|of the (?:view|opinion)|clear that|satisfied|disappointed|surprised|not persuaded|persuaded|alarmed)\b"),
    ("fault", Kind.FINDING, 0.6, r"\b(?:was|were) (?:\w+ )?(?:at )?fault\b|\bmaladministration\b|\bfault causing\b|\b(?:has|have|had|do|does|did) not (?:yet )?(?:\w+ly )?(?:keep|assure|tell|inform|meet|monitor|check|record|follow|ensure|know|measure|review|comply|act|secured?|kept|assured|informed|met|monitored|checked|recorded|followed|ensured|measured|reviewed|complied|acted|set|been (?:met|monitored|checked|recorded|followed|measured|reviewed|managed|updated|effective))\b"),
    ("report says", Kind.FINDING, 0.7, rf"\b{_REPORT}\b(?:,[^.;:]{{3,160}},)?[^.;:,]{{0,150}}? (?:\w+ly |also |has |have |had |further )*{_SAYS}\b|\b{_SAYS}(?:,)? (?:by )?(?:the|a|an) (?:\w+ ){{0,2}}{_REPORT}\b|, (?:it|they|he|she) {_SAYS}\b|\bwe (?:\w+ly |also |have )?(?:found|find|identified|observed|noted|concluded|conclude|estimate|saw|heard)\b|\bit (?:also )?(?:found|finds|concluded|concludes|said|says)\b|\baccording to\b"),
    ("evidence of", Kind.FINDING, 0.65, r"\bthere(?:'s| is| was| has been| are| were)\b (?:\w+ ){0,3}(?:evidence|progress|variation|improvement|signs?|examples?|differences?)\b"),
    ("figure", Kind.FINDING, 0.6, r"\b\d+(?:[.,]\d+)* ?(?:%|per ?cent|percent(?:age points)?)|\b(?:one|two|three|four|five|six|seven|eight|nine|\d+) (?:out of|of the|in) (?:\w+)\b|\b(?:most|many|few|only (?:\w+ )?(?:\d+|half|some)|half|a (?:majority|minority|third|quarter)) (?:of )?(?:the )?\w+ (?:have|had|has|were|are|did|do)\b"),
    ("change", Kind.FINDING, 0.55, rf"\b(?:has|have|had|is|are|was|were) (?:not |also |already |still |only |now |recently )*(?:been |being )?{_CHANGE}\b|\b(?:became|fell|rose|grew|remains?|remained|worsened|stalled|increased|declined|doubled|narrowed)\b|\b(?:is|are) (?:developing|improving|growing|progressing|increasing|declining|falling|rising|struggling|lagging|stalling)\b"),
)  # fmt: skip

CUES = tuple(
    Cue(name, kind, re.compile(pattern, re.IGNORECASE), confidence, kind is not Kind.RECOMMENDATION)
    for name, kind, confidence, pattern in _TABLE
)

_DENIED = re.compile(
    r"(?:\b(?:no|not(?! only)|never|without|nor|neither|hardly|nothing|rather than|no longer|far from|free (?:of|from)|"
    r"remov(?:e[sd]?|ing)|overcom(?:e[s]?|ing)|overcame|avoid(?:s|ed|ing)?|eliminat(?:e[sd]?|ing)|instead of)\b|n't\b)(?:[ -]+[\w'-]+){0,4}[ -]*$",
    re.IGNORECASE,
)
_SOFTENED = re.compile(
    r"\b(may|might|could|perhaps|possibly|appears?|seems?|seemed|suggests?|likely|probably|potentially|can sometimes|in some cases|tends? to)\b",
    re.IGNORECASE,
)
_OVERCOME = re.compile(
    r"\b(?:must|should|need(?:s)? to|have to|has to|to) (?:still )?(?:be )?(?:overc[ao]me|addressed?|tackled?|resolved?|removed?|bridged?|met)\b",
    re.IGNORECASE,
)
# In these the sentence speaks of a case, not of the world.
_SUPPOSED = re.compile(r"\b(?:if|whether|unless|in case)\b[^,;]{0,80}$", re.IGNORECASE)
_ASKED = re.compile(
    r"\b(?:audited|examined|reviewed|assessed|asked|looked at|considered|tested|evaluated|checked)\b.{0,20}\bwhether\b",
    re.IGNORECASE,
)
_DECLINED = re.compile(
    r"\b(?:do(?:es)? not|did not|don't|no need to|need not|not) (?:\w+ )?(?:recommend|propose|call|need to|have to)\b|\bno need (?:for|to)\b",
    re.IGNORECASE,
)
# The words of a title are not said.
_TITLE_CASE = re.compile(r"^(?:[A-Z]\w+ )+(?:To|[A-Z]\w+)$")
_THAT = re.compile(r"\b(?:is|was|remains?)(?: often| that| usually| still)* that ")


@cache
def _cues_of(kind: Kind) -> tuple[Cue, ...]:
    return tuple(cue for cue in CUES if cue.kind is kind)


def hits_in(sentence: str) -> list[Hit]:
    """Returns the cues of a sentence that hold, the surest first; one at most of a kind."""
    if sentence.endswith("?") or len(sentence.split()) < 4:
        return []
    found = [hit for kind in Kind for hit in _best(_cues_of(kind), sentence)]
    return sorted(found, key=lambda hit: (-hit.confidence, hit.start, hit.cue.name))


def _best(cues: tuple[Cue, ...], sentence: str) -> list[Hit]:
    hits = [hit for cue in cues for hit in _hits(cue, sentence)]
    return [max(hits, key=lambda hit: (hit.confidence, -hit.start))] if hits else []


def _hits(cue: Cue, sentence: str) -> list[Hit]:
    found = []
    for match in cue.pattern.finditer(sentence):
        before = sentence[: match.start()]
        if _ASKED.search(before):
            continue
        if (cue.deniable and denied(before)) or _TITLE_CASE.search(match[0]):
            continue
        if cue.kind is Kind.RECOMMENDATION and (_SUPPOSED.search(before) or _is_no_call(sentence, match)):
            continue
        hedged = bool(_SOFTENED.search(sentence[max(0, match.start() - 60) : match.end() + 20]))
        found.append(Hit(cue, match.start(), match.end(), hedged, _clause(cue, sentence, match)))
    return found


def _is_no_call(sentence: str, match: re.Match[str]) -> bool:
    """Tells whether a call is declined, is that of a rule, or says only that an obstacle has to go."""
    if RULES_ASK.search(sentence[: match.end()]):
        return True
    if _DECLINED.search(sentence[max(0, match.start() - 25) : match.end() + 10]):
        return True
    overcome = _OVERCOME.match(sentence, match.start())
    return bool(overcome and re.search(_OBSTACLE, sentence[: overcome.start()], re.IGNORECASE))


def _clause(cue: Cue, sentence: str, match: re.Match[str]) -> tuple[int, int] | None:
    """Returns the part that names the obstacle, where a sentence says that the obstacle is that …."""
    that = _THAT.search(sentence, match.start()) if cue.name == "obstacle noun" else None
    if that is None or len(sentence[that.end() :].split()) < 4:
        return None
    return that.end(), len(sentence)


def denied(before: str) -> bool:
    """Tells whether what stands before a phrase denies it.

    >>> denied("This does not "), denied("It not only ")
    (True, False)
    """
    return bool(_DENIED.search(before))
