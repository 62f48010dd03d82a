"""JSON-LD with readable keys: triples written by the terms of the release's own context.

Every node stands once, and the context in the document holds only what the document uses; so it is
read without fetching anything, and by people too. Where a value does not fit how its term is
declared (another language, another datatype) it is written out in full. A document on a thing is a
flat `@graph`; a whole dataset has one object a graph, in which a node without a label that only one
other names (a passage, a selector) stands within that one, as a frame would put it.

Source: JSON-LD 1.1, sections 4.2 (value objects and type coercion), 4.9 (named graphs) and 9.15
(context definitions); JSON-LD 1.1 Framing, section 4.1 (embedding).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from kg.names import RDF_TYPE, RDFS, SKOS, XSD, Prefixes

_STRING, _INTEGER = XSD + "string", XSD + "integer"
_DEEPEST = 4
_LABELS = frozenset({RDFS + "label", SKOS + "prefLabel"})
Properties = dict[str, list[object]]
_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,14}")


@dataclass(frozen=True)
class Term:
    """A key of the context that stands for a property, and how it reads a plain value."""

    key: str
    type: str | None = None
    language: str | None = None
    always_list: bool = False


class Context:
    """A JSON-LD context of prefixes, aliases and simple terms.

    Args:
        definitions: what stands under `@context`.
        prefixes: the prefixes among them.

    >>> context = Context({"ex": "http://e/", "name": {"@id": "ex:name", "@language": "en"}}, Prefixes({"ex": "http://e/"}))
    >>> fact = Triple(NamedNode("http://e/a"), NamedNode("http://e/name"), Literal("A", language="en"))
    >>> print(context.write([fact]))
    {
      "@context": {
        "@version": 1.1,
        "ex": "http://e/",
        "name": {
          "@id": "ex:name",
          "@language": "en"
        }
      },
      "@graph": [
        {
          "@id": "ex:a",
          "name": "A"
        }
      ]
    }
    <BLANKLINE>
    """

    def __init__(self, definitions: Mapping[str, object], prefixes: Prefixes) -> None:
        self._definitions = definitions
        self._prefixes = prefixes
        self._id = self._alias("@id")
        self._type = self._alias("@type")
        self._terms: dict[str, Term] = {}
        self._names: dict[str, str] = {}
        for key, value in definitions.items():
            self._read(key, value)

    def write(self, triples: Iterable[Triple], first: str | None = None) -> str:
        """Returns the triples as a JSON-LD document, sorted; the node with the IRI `first` leads."""
        return _Writing(self).document(triples, first)

    def write_dataset(self, quads: Iterable[Quad]) -> str:
        """Returns named graphs as a JSON-LD document, sorted, each node within the one that names it."""
        return _Writing(self).dataset(quads)

    def _alias(self, keyword: str) -> str:
        return next((key for key, value in self._definitions.items() if value == keyword), keyword)

    def _read(self, key: str, value: object) -> None:
        """Remembers a definition that is neither a prefix, nor a keyword, nor read backwards."""
        if isinstance(value, str) and key not in self._prefixes.namespaces and not value.startswith("@"):
            self._names.setdefault(self._expanded(value), key)
        elif isinstance(value, Mapping) and "@id" in value:
            kind, language = value.get("@type"), value.get("@language")
            self._terms.setdefault(
                self._expanded(str(value["@id"])),
                Term(
                    key,
                    None if kind is None else kind if kind == "@id" else self._expanded(str(kind)),
                    None if language is None else str(language),
                    value.get("@container") == "@set",
                ),
            )

    def _expanded(self, name: str) -> str:
        return self._prefixes.iri(name) or name


@dataclass
class _Writing:
    """One document, and the keys of the context that it uses."""

    context: Context
    used: set[str] = field(default_factory=set)
    # What is still to be written within the node that names it.
    parts: dict[str, Properties] = field(default_factory=dict)

    def document(self, triples: Iterable[Triple], first: str | None) -> str:
        nodes = _nodes_of(triples)
        ordered = sorted(nodes, key=lambda name: (name != first, name))
        return self._whole([self._node(name, nodes[name]) for name in ordered])

    def dataset(self, quads: Iterable[Quad]) -> str:
        graphs: dict[str, list[Triple]] = {}
        for quad in quads:
            graphs.setdefault(_name(quad.graph_name), []).append(quad.triple)
        return self._whole(
            [
                {self._keyword(self.context._id): self._iri(name), "@graph": self._framed(graphs[name])}
                for name in sorted(graphs)
            ]
        )

    def _framed(self, triples: Iterable[Triple]) -> list[dict[str, object]]:
        nodes = _nodes_of(triples)
        within = _named_once(nodes)
        self.parts = {name: nodes[name] for name in within}
        return [self._node(name, nodes[name]) for name in sorted(nodes) if name not in within]

    def _whole(self, graph: list[dict[str, object]]) -> str:
        content = {"@context": self._used_context(), "@graph": graph}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def _used_context(self) -> dict[str, object]:
        definitions = self.context._definitions
        for key in sorted(self.used):
            self._use_prefixes_of(definitions.get(key))
        kept = {key: value for key, value in definitions.items() if key in self.used}
        return {"@version": 1.1, **kept}

    def _use_prefixes_of(self, definition: object) -> None:
        values = definition.values() if isinstance(definition, Mapping) else (definition,)
        for value in values:
            prefix = str(value).partition(":")[0]
            if prefix in self.context._prefixes.namespaces:
                self.used.add(prefix)

    def _node(self, name: str, properties: Mapping[str, Sequence[object]]) -> dict[str, object]:
        node: dict[str, object] = {self._keyword(self.context._id): self._iri(name)}
        kinds = sorted(self._class(v) for v in properties.get(RDF_TYPE, ()) if not isinstance(v, Literal))
        if kinds:
            node[self._keyword(self.context._type)] = kinds[0] if len(kinds) == 1 else kinds
        written = {}
        for predicate, values in properties.items():
            others = {v for v in values if predicate != RDF_TYPE or isinstance(v, Literal)}
            if others:
                term = self._term(predicate)
                found = sorted((self._value(value, term) for value in others), key=_order)
                written[term.key] = found[0] if len(found) == 1 and not term.always_list else found
        return node | dict(sorted(written.items()))

    def _term(self, predicate: str) -> Term:
        term = self.context._terms.get(predicate)
        if term is None:
            key = self.context._names.get(predicate)
            term = Term(self._iri(predicate) if key is None else key)
        self.used.add(term.key)
        return term

    def _class(self, value: object) -> str:
        name = _name(value)
        key = self.context._names.get(name)
        if key is None:
            return self._iri(name)
        self.used.add(key)
        return key

    def _value(self, value: object, term: Term) -> object:
        if not isinstance(value, Literal):
            name = _name(value)
            part = self.parts.pop(name, None)
            if part is not None:
                return self._node(name, part)
            iri = self._iri(name)
            return iri if term.type == "@id" else {self._keyword(self.context._id): iri}
        datatype = value.datatype.value
        if value.language:
            plain = term.language == value.language and term.type is None
            return value.value if plain else {"@value": value.value, "@language": value.language}
        if datatype == _INTEGER and term.type in {None, _INTEGER} and _CANONICAL_INTEGER.fullmatch(value.value):
            return int(value.value)
        if datatype == _STRING:
            return value.value if term.type is None and term.language is None else {"@value": value.value}
        if datatype == term.type:
            return value.value
        return {"@value": value.value, "@type": self._iri(datatype)}

    def _iri(self, name: str) -> str:
        """Returns a name as a compact IRI where a prefix fits."""
        if name.startswith("_:"):
            return name
        short = self.context._prefixes.curie(name)
        if short != name:
            self.used.add(short.partition(":")[0])
        return short

    def _keyword(self, key: str) -> str:
        self.used.add(key)
        return key


def _nodes_of(triples: Iterable[Triple]) -> dict[str, Properties]:
    nodes: dict[str, Properties] = {}
    for triple in triples:
        properties = nodes.setdefault(_name(triple.subject), {})
        properties.setdefault(triple.predicate.value, []).append(triple.object)
    return nodes


def _named_once(nodes: Mapping[str, Properties]) -> set[str]:
    """Returns the nodes that stand within another: without a label, named once, and not too deep."""
    naming: dict[str, list[str]] = {}
    for name, properties in nodes.items():
        for predicate, values in properties.items():
            for value in values:
                if not isinstance(value, Literal):
                    # A class is named at each of its members.
                    naming.setdefault(_name(value), []).extend([name] * (2 if predicate == RDF_TYPE else 1))
    # What has a label is a thing of its own, and is looked for as such.
    parts = [name for name, properties in nodes.items() if not _LABELS & properties.keys()]
    by = {name: naming[name][0] for name in parts if len(naming.get(name, ())) == 1}
    return {name for name in by if _is_shallow(name, by)}


def _is_shallow(name: str, by: Mapping[str, str]) -> bool:
    """Tells whether a node stands at most so many levels below one that stands by itself; in a circle none does."""
    for _ in range(_DEEPEST):
        name = by[name]
        if name not in by:
            return True
    return False


def _name(term: object) -> str:
    if isinstance(term, BlankNode):
        return str(term)
    assert isinstance(term, NamedNode)
    return term.value


def _order(value: object) -> tuple[int, str]:
    """Orders numbers by size, then texts, then objects, by how they are written."""
    if isinstance(value, int):
        return (value, "")
    return (1 << 63, ("0" if isinstance(value, str) else "1") + json.dumps(value, sort_keys=True))
