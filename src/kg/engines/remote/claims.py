"""Who publishes to an engine: each says so by one triple in `graph:publishing`, which is there whole or not at all.

A claim holds until a moment that its publisher puts off while it works. Another one may take over what has
been abandoned: its own claim names those that it takes over, and a publisher that finds itself named stops.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from kg.engines.remote.engine import Engine
from kg.engines.remote.graphs import line, rows
from kg.names import DCTERMS, GRAPH

PUBLISHING = GRAPH + "publishing"
CLAIMS = DCTERMS + "identifier"
_CLAIMS = f"SELECT ?o WHERE {{ <{PUBLISHING}> <{CLAIMS}> ?o }}"


@dataclass(frozen=True)
class Claim:
    """A publisher's word that it is writing a release.

    Attributes:
        publication: names the run.
        host, process: where it runs.
        since, until: seconds since 1970; after `until` it counts as abandoned.
        over: the publications that it took over.
    """

    publication: str
    release: str
    host: str = ""
    process: int = 0
    since: int = 0
    until: int = 0
    over: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The claim as it stands in the engine."""
        return json.dumps(asdict(self), sort_keys=True) if self.publication else self.release

    def __str__(self) -> str:
        if not self.publication:
            return f"a publisher that gives no name, of release {self.release[:12]}"
        return f"process {self.process} on {self.host}, with release {self.release[:12]} since {shown(self.since)}"


def shown(seconds: int) -> str:
    """Returns a moment as a person reads it.

    >>> shown(1_700_000_000)
    '2023-11-14 22:13:20 UTC'
    """
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def claim_of(text: str) -> Claim:
    """Returns the claim that a text in the marker graph makes; what is none counts as an abandoned one.

    >>> claim_of(Claim("p", "r", "kettle", 7, 1, 2, ("o",)).text).over
    ('o',)
    >>> claim_of("0123abcd")
    Claim(publication='', release='0123abcd', host='', process=0, since=0, until=0, over=())
    """
    try:
        found = json.loads(text)
        return Claim(**{**found, "over": tuple(found["over"])})
    except (ValueError, TypeError, KeyError):
        return Claim("", text)


def read_claims(engine: Engine) -> list[Claim]:
    """Returns every claim that stands in an engine.

    Raises:
        SourceError: it does not answer.
    """
    return [claim_of(text) for (text,) in rows(engine, _CLAIMS, PUBLISHING)]


def write_claim(engine: Engine, claim: Claim) -> None:
    """Lets a claim stand.

    Raises:
        SourceError: the engine does not take it.
    """
    engine.add(PUBLISHING, _lines([claim]))


def remove_claims(engine: Engine, claims: Sequence[Claim]) -> None:
    """Takes claims away.

    Raises:
        SourceError: the engine does not take it.
    """
    if claims:
        engine.remove(PUBLISHING, _lines(claims))


def _lines(claims: Sequence[Claim]) -> bytes:
    return b"".join(line(PUBLISHING, CLAIMS, claim.text) for claim in claims)
