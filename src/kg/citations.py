"""How to cite an answer: which release gave it, to what question, where it can be had again, and when it was read.

Source: CSL 1.0.2, appendix on CSL-JSON; BibTeX (misc), with the fields of biblatex for addresses.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, quote, unquote, urlencode

from kg.answers import Answers
from kg.engines.guards import guard_query
from kg.errors import BadParameter

Field = tuple[str, str]
NAME = "Policy evidence"
_SPECIAL = re.compile(r"[\\{}&%$#_~^]")
_WRITTEN = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # A brace with a stroke before it still counts where an entry's end is looked for.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
}
_SHOWN_DIGITS = 12
_QUESTIONS = "/api/queries/"
_ANSWERS = re.compile(r"/|/sparql|/api/[a-z]+|/api/queries/[^/]+")


@dataclass(frozen=True)
class Citation:
    """What a reader needs to find an answer again.

    Attributes:
        title: what was asked, in words.
        query: the name of a question with its parameters, or the SPARQL itself.
        permalink: the address that gives the same answer from the same release; relative where no service is named.
        built: when the release was built, as YYYY-MM-DD, if that is known.
    """

    title: str
    release: str
    query: str
    permalink: str
    built: str | None
    accessed: date

    @property
    def key(self) -> str:
        """A name for reference lists, the same for the same answer of the same release."""
        digest = hashlib.sha256(f"{self.release} {self.query} {self.title}".encode()).hexdigest()
        return f"policy-evidence-{self.release[:_SHOWN_DIGITS]}-{digest[:8]}"

    @property
    def text(self) -> str:
        """The citation as a sentence or two."""
        built = f", built {self.built}" if self.built else ""
        return (
            f"{NAME}, release {self.release[:_SHOWN_DIGITS]}{built}. “{self.title}” Query: {_in_one_line(self.query)}. "
            f"{self.permalink} (read {self.accessed.isoformat()}). Release id: {self.release}."
        )

    @property
    def bibtex(self) -> str:
        """The citation as a BibTeX entry."""
        fields = {
            "title": "{" + _escaped(f"{NAME}: {self.title}") + "}",
            "year": (self.built or self.accessed.isoformat())[:4],
            "version": self.release,
            # An address is read letter for letter; only these two would end the field.
            "url": self.permalink.replace("{", "%7B").replace("}", "%7D"),
            "urldate": self.accessed.isoformat(),
            "note": _escaped(f"Release {self.release}. Query: {_in_one_line(self.query)}"),
        }
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
        return f"@misc{{{self.key},\n{lines}}}\n"

    @property
    def csl(self) -> dict[str, object]:
        """The citation as an item of CSL-JSON."""
        found: dict[str, object] = {
            "id": self.key,
            "type": "dataset",
            "title": self.title,
            "container-title": NAME,
            "version": self.release,
            "URL": self.permalink,
            "accessed": _date_parts(self.accessed.isoformat()),
            "note": f"Query: {self.query}",
        }
        return found | ({"issued": _date_parts(self.built)} if self.built else {})


def citation_of(answers: Answers, address: str, service: str = "", accessed: date | None = None) -> Citation:
    """Returns how to cite the answer that an address of the service gives.

    Args:
        address: path and query of a question, of any other answer of the API, of a SPARQL query or of a view.
        service: the address of the service, without a slash at its end; empty for a relative permalink.
        accessed: when it was read; today by default.

    Raises:
        BadParameter, UnknownName, AmbiguousName: it is no address of an answer.
        Forbidden, LimitError: no service takes the query.
    """
    path, _, given = address.partition("#")[0].partition("?")
    if not _ANSWERS.fullmatch(path):
        raise BadParameter(f"answer: {address!r} is no address of an answer, such as {_QUESTIONS}NAME?theme=Finance.")
    fields = [field for field in parse_qsl(given, keep_blank_values=True) if field[0] != "release"]
    info = answers.release()
    title, query = _asked(answers, path, fields)
    permalink = f"{service}{path}?{urlencode([*fields, ('release', info.release)])}"
    built = info.built[:10] if info.built else None
    return Citation(title, info.release, query, permalink, built, accessed or date.today())


def address_of_question(name: str, fields: Sequence[Field]) -> str:
    """Returns the address of a question's answer.

    >>> address_of_question("items-of-year", [("year", "2018")])
    '/api/queries/items-of-year?year=2018'
    """
    return f"{_QUESTIONS}{quote(name, safe='')}?{urlencode(fields)}"


def address_of_query(query: str) -> str:
    """Returns the address of a SPARQL query's answer."""
    return f"/sparql?{urlencode({'query': query})}"


def _asked(answers: Answers, path: str, fields: Sequence[Field]) -> tuple[str, str]:
    """Returns what was asked, in words and exactly."""
    given = ", ".join(f"{name}={value}" for name, value in fields)
    if path == "/sparql":
        query = next((value for name, value in fields if name == "query"), None)
        if query is None:
            raise BadParameter("answer: the address of a SPARQL query holds it as query=.")
        guard_query(query, answers.settings)
        return "Rows of a SPARQL query.", query
    if path.startswith(_QUESTIONS):
        name = unquote(path.removeprefix(_QUESTIONS))
        parameters = {key: [value for other, value in fields if other == key] for key, _ in fields}
        return f"{answers.question_asked(name, parameters).summary}", f"{name} {given}".strip()
    kind = dict(fields).get("view", "explorer") if path == "/" else path.removeprefix("/api/")
    ends = [value for name, value in fields if name in {"from", "to", "entity", "theme", "item", "q"}]
    about = f": {' and '.join(ends)}" if ends else ""
    return f"{kind.capitalize()}{about}.", f"{path} {given}".strip()


def _in_one_line(query: str) -> str:
    """Returns a query in one line; comments, which would swallow the rest of it, are left out."""
    return " ".join(re.sub(r"(?m)^\s*#.*$", "", query).split())


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: _WRITTEN.get(match[0], "\\" + match[0]), text)


def _date_parts(day: str) -> dict[str, object]:
    return {"date-parts": [[int(part) for part in day.split("-")]]}
