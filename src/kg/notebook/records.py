"""Answers in a notebook: what the API returns, its parts as attributes, shown as a page.

One shape everywhere: `g.describe("COSLA").results[0].basis` is what `/api/describe` has at that place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from kg.notebook.markup import table

# Words of Python that are names in the API: `hop.from_`.
_RENAMED = {"from_": "from"}


class Record(Mapping[str, Any]):
    """A JSON object of the API, whose parts are attributes too.

    >>> hop = Record({"from": "a", "evidence": [{"start": 3}]})
    >>> hop.from_, hop["from"], hop.evidence[0].start
    ('a', 'a', 3)
    """

    def __init__(self, held: Mapping[str, Any]) -> None:
        self._held = held

    def __getitem__(self, name: str) -> Any:
        return _as_record(self._held[name])

    def __getattr__(self, name: str) -> Any:
        # Copying and pickling look for attributes before there is anything to look in.
        if name.startswith("__") or name == "_held":
            raise AttributeError(name)
        try:
            return self[_RENAMED.get(name, name)]
        except KeyError:
            raise AttributeError(f"no {name!r}; there are {', '.join(self._held)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._held]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self._held)!r})"

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON object itself."""
        return dict(self._held)


class Entity(Record):
    """What is known of a thing: label, what it says, its links with their basis, its passages."""

    def _repr_html_(self) -> str:
        rows = [
            (f"{'→' if r.direction == 'forward' else '←'} {escape(r.label)}", _link(r.entity), r.basis)
            for r in self.results
        ]
        facts = "".join(f"<dt>{escape(fact.label)}</dt><dd>{escape(fact.value)}</dd>" for fact in self.facts)
        says = f"<p>{escape(self.says)}</p>" if self.says else ""
        more = "<p>There are more links than are shown.</p>" if self.truncated else ""
        head = f"<h4>{_link(self)} <small>{escape(self.type or '')}</small></h4>"
        links = table((), rows) if rows else ""
        return f"{head}{says}<dl>{facts}</dl>{links}{more}{_passages(self.evidence)}{_release(self)}"


class Matches(Sequence[Record]):
    """The things that fit some words, best first."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = Record(answer)

    def __len__(self) -> int:
        return len(self.answer.results)

    def __getitem__(self, index: Any) -> Any:
        return self.answer.results[index]

    def __repr__(self) -> str:
        return "\n".join(f"{e.label} ({e.curie}, {e.type})" for e in self) or "nothing found"

    def _repr_html_(self) -> str:
        found = "".join(f"<li>{_link(e)} <small>{escape(e.type or '')}</small></li>" for e in self)
        return f"<ol>{found}</ol>{_release(self.answer)}" if found else "<p>Nothing found.</p>"


class Paths(Sequence[Record]):
    """How two things hang together: a sequence of paths, best first.

    Everything that came with them is an attribute: `searched`, `why_none`, `truncated`, `sparql`.
    """

    def __init__(self, answer: Mapping[str, Any], draw: Callable[[Paths], Any]) -> None:
        self.answer = Record(answer)
        self._draw = draw

    def show(self) -> Any:
        """Returns the paths drawn from left to right, to look at and to go on from."""
        return self._draw(self)

    def __len__(self) -> int:
        return len(self.answer.paths)

    def __getitem__(self, index: Any) -> Any:
        return self.answer.paths[index]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "answer":
            raise AttributeError(name)
        return getattr(self.answer, name)

    def __repr__(self) -> str:
        lines = [f"{self.answer['from'].label} to {self.answer.to.label}: {len(self)} paths"]
        for number, path in enumerate(self, start=1):
            lines.append(f"{number}. {_hops(path.length)}, {path.thread}, score {path.score}")
            lines += [f"   [{hop.basis}] {hop.sentence}" for hop in path.hops]
            lines.append(f"   {path.verdict}")
        if self.answer.why_none:
            lines += self._why_none()
        return "\n".join(lines)

    def _why_none(self) -> list[str]:
        """Returns why there are no paths, and which one link would make some."""
        why = self.answer.why_none
        if why.missing is None:
            return [why.reason]
        link = why.missing
        ends = f"{link['from'].label} {link.label} {link.to.label}"
        known = "" if link.fits == "ontology" else " (such links join such things here; the ontology leaves it open)"
        return [why.reason, f"They would be connected in {_hops(link.hops)} if it were so: {ends}{known}."]

    def _repr_html_(self) -> str:
        head = f"<h4>{_link(self.answer['from'])} to {_link(self.answer.to)}</h4>"
        paths = "".join(
            f"<li><p>{_hops(path.length)}, {path.thread}, score {path.score}</p><ol>"
            + "".join(
                f"<li>{escape(hop.sentence)} <small>{hop.basis}</small>{_passages(hop.evidence)}</li>"
                for hop in path.hops
            )
            + f"</ol><p>{escape(path.verdict)}</p></li>"
            for path in self
        )
        why = "".join(f"<p>{escape(line)}</p>" for line in self._why_none()) if self.answer.why_none else ""
        more = "<p>There are further paths; ask for a higher <code>limit</code>.</p>" if self.answer.truncated else ""
        return f"{head}{why}<ol>{paths}</ol>{more}{_release(self.answer)}"


def _hops(count: int) -> str:
    return "1 hop" if count == 1 else f"{count} hops"


def _as_record(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Record(value)
    return tuple(map(_as_record, value)) if isinstance(value, list | tuple) else value


def _link(entity: Record) -> str:
    return f'<a href="{escape(entity.iri)}" title="{escape(entity.curie)}">{escape(entity.label)}</a>'


def _passages(passages: Sequence[Record]) -> str:
    """Returns where passages stand, each with its quote when the text is held."""
    found = "".join(
        f"<li><small>{escape(p.document)}, characters {p.start} to {p.end}</small>"
        + (f"<blockquote>{escape(p.quote)}</blockquote>" if p.quote else "")
        + "</li>"
        for p in passages
    )
    return f"<ul>{found}</ul>" if found else ""


def _release(answer: Record) -> str:
    return f"<p><small>release {escape(answer.release[:12])}</small></p>"
