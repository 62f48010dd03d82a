"""The terminals of the SPARQL grammar: a query cut into tokens, without parsing it.

Enough to find a keyword that is a keyword (not part of a string, an IRI, a comment or a
prefixed name), to count and to measure nesting, and to find the VALUES block of a variable.

Source: SPARQL 1.1 Query Language, section 19.8 (productions 139 to 173).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_PLX = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"
# Bounded, so that a long run of words and dots without a colon is not read again from each word.
_PREFIX = r"(?:[^\W\d_](?:[\w.\-]{0,99}[\w\-])?)"
# A string with any other escape is none: the engine then reads its quotation marks in another way.
_ESCAPE = (
    r"\\(?:[tbnrf\"'\\]|u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4}"
    r"|U(?:000(?!0[Dd][89A-Fa-f])[0-9A-Fa-f]|0010)[0-9A-Fa-f]{4})"
)
_TERMINALS = re.compile(
    rf"""
    (?P<space>   \s+ | \#[^\n\r]* )
  | (?P<iri>     <(?:[^<>"{{}}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{{4}}|\\U[0-9A-Fa-f]{{8}})*> )
  | (?P<string>  \"\"\"(?:\"{{0,2}}(?:[^"\\]|{_ESCAPE}))*\"\"\" | '''(?:'{{0,2}}(?:[^'\\]|{_ESCAPE}))*'''
               | "(?:[^"\\\n\r]|{_ESCAPE})*" | '(?:[^'\\\n\r]|{_ESCAPE})*' )
  | (?P<var>     [?$]\w+ )
  | (?P<lang>    @[A-Za-z]+(?:-[A-Za-z0-9]+)* )
  | (?P<bnode>   _:\w(?:[\w.\-]*[\w\-])? )
  | (?P<pname>   {_PREFIX}?:(?:(?:[\w:]|{_PLX})(?:(?:[\w:.\-]|{_PLX})*(?:[\w:\-]|{_PLX}))?)? )
  | (?P<number>  [0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)? | \.[0-9]+(?:[eE][+-]?[0-9]+)? )
  | (?P<word>    [A-Za-z_][A-Za-z0-9_]* )
  | (?P<mark>    \\. | \^\^ | && | \|\| | != | <= | >= | . )
    """,
    re.VERBOSE | re.DOTALL,
)

OPENING = frozenset("({[")
CLOSING = frozenset(")}]")
UPDATES = frozenset({"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"})
_PROLOGUE = frozenset({"BASE", "PREFIX", "VERSION"})
_IN_PROLOGUE = frozenset({"space", "pname", "iri", "string"})
_FORMS = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})


class Token(NamedTuple):
    """One terminal: its kind, its text, and where it starts and ends in the query."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str | None:
        """The word in upper case, None when the token is no bare word."""
        return self.text.upper() if self.kind == "word" else None


def tokens(query: str) -> Iterator[Token]:
    """Yields the tokens of a query; white space and comments are left out.

    >>> [t.text for t in tokens("ASK { ?s <p> 'SERVICE' } # SERVICE")]
    ['ASK', '{', '?s', '<p>', "'SERVICE'", '}']
    """
    for match in _TERMINALS.finditer(query):
        kind = match.lastgroup
        if kind != "space":
            assert kind is not None
            yield Token(kind, match.group(), match.start(), match.end())


def verb(query: str) -> str | None:
    """Returns the first keyword after the prologue: SELECT, ASK, ..., INSERT, ...; None if there is none.

    >>> verb("PREFIX insert: <http://x/> BASE <http://y/> select * {}")
    'SELECT'
    """
    for match in _TERMINALS.finditer(query):
        if match.lastgroup == "word":
            word = match.group().upper()
            if word not in _PROLOGUE:
                return word
        elif match.lastgroup not in _IN_PROLOGUE:
            return None
    return None


def is_query(query: str) -> bool:
    """Tells whether the text begins (after its prologue) as one of the four query forms."""
    return verb(query) in _FORMS


def is_update(query: str) -> bool:
    """Tells whether the text begins (after its prologue) as an update operation."""
    return verb(query) in UPDATES


def is_graph_form(query: str) -> bool:
    """Tells whether the query answers with triples (CONSTRUCT, DESCRIBE) and not with a table."""
    return verb(query) in {"CONSTRUCT", "DESCRIBE"}
