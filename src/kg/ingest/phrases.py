"""Phrases beside the cues: how a line begins, whom a call names, what points back or elsewhere."""

from __future__ import annotations

import re

CONNECTIVE = re.compile(
    r"(?:however|in addition|moreover|furthermore|this|these|it|they|the (?:report|review|study|audit)|also|but|although|while|for example|overall|in (?:conclusion|summary)|as)\b",
    re.IGNORECASE,
)
REFERENCE = re.compile(
    r"\(?(?:paragraphs?|paras?\.?|sections?|pages?|chapters?) [\d.]+(?:(?: and | to |, |-)[\d.]+)*\)?:?", re.IGNORECASE
)
POINTS_BACK = re.compile(
    r"\W*(?:they|these|those|which|the (?:first|following)|this)\b.{0,40}:$|\W*(?:namely|as follows)\b", re.IGNORECASE
)
FIRST_PERSON = re.compile(
    r"^(?:\W*(?:and|but|so|also|however|today),? )?(?:there are .{0,60} )?(?:i|we|our|my)\b", re.IGNORECASE
)
IMPERATIVE = re.compile(
    r"^(?:(?:urgently|further|jointly|fully|immediately|clearly) )?(?:develop|publish|ensure|establish|create|review|set|make|provide|improve|strengthen|introduce|invest|adopt|agree|align|allocate|"
    r"appoint|assess|build|clarify|collect|commit|consider|consult|continue|coordinate|co-ordinate|define|deliver|design|encourage|engage|enhance|evaluate|expand|extend|focus|give|identify|"
    r"implement|include|increase|integrate|involve|launch|maintain|mandate|monitor|move|pilot|plan|prioriti[sz]e|promote|protect|put|reduce|reform|remove|replace|report|require|revise|"
    r"scale|secure|share|simplify|speed|standardi[sz]e|streamline|support|take|test|track|train|update|use|work|map|fund|end|raise|recogni[sz]e|embed|enable|bring|hold|start|stop|carry|"
    r"explore|link|merge|measure|learn|listen|lead|keep|draw|extend|pool|fill|open|issue|conduct|undertake|address|tackle|act|accelerate|urge|allow|treat|write|name)\b",
    re.IGNORECASE,
)
ACTOR = re.compile(
    r"\b(?:government|ministr\w+|minister\w*|department|council\w*|authorit\w+|board\w*|agenc\w+|partner\w*|commission\w*|committee|parliament|municipalit\w+|region\w*|"
    r"provider\w*|hospital\w*|service|services|body|bodies|leader\w*|manager\w*|staff|employer\w*|school\w*|universit\w+|state\w*|member states|we|they|who|all|everyone|sector\w*|"
    r"office|inspectorate|regulator\w*|nhs|organi[sz]ations?|institution\w*|practitioners?|commissioners?|trusts?|funders?|unions?)\b",
    re.IGNORECASE,
)
# A heading that is a sentence has a verb.
SENTENCE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|do|does|did|can|cannot|could|will|would|lacks?|remains?|remained|depends?|varies|differs?|need|needs|fails?|failed|improved|fell|rose|grew|lost|shuts?|leaves?|hampers?|hinders?|blocks?|helps?|works?|slows?|limits?|keeps?|makes?|stops?|prevents?)\b|n't\b",
    re.IGNORECASE,
)
# A sentence that tells of recommendations without being one.
ABOUT_CALLS = re.compile(
    r"\b(?:makes?|made|making|are making|is making) (?:\w+ ){0,3}recommendations?\b|\b(?:agreed|agrees|accepts?|accepted) (?:to |with )?(?:\w+ ){0,3}?(?:recommendations?|all \w+)\b|\bagreed in (?:principle|full|part)\b",
    re.IGNORECASE,
)
# One that only leads to what stands below it.
INTRODUCES = re.compile(
    r"\b(?:below|following|this (?:section|chapter|box|table)|set out here)\b.{0,60}\b(?:summar\w+|messages?|findings?|recommendations?|conclusions?|points?)\b"
    r"|\b(?:summar\w+|messages?|findings?|recommendations?|conclusions?|points?)\b.{0,60}\b(?:below|as follows|are set out)\b",
    re.IGNORECASE,
)
# What law, rules and good practice ask for is no call of the report.
RULES_ASK = re.compile(
    r"\b(?:practices?|rules?|laws?|acts?|standards?|guidance|guidelines|criteria|legislation|regulations?|directive|code)\b(?: \w+){0,2} (?:calls? for|calls? on|states? that|says? that|requires?)\b",
    re.IGNORECASE,
)
