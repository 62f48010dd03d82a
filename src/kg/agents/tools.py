"""The tools: what each is called, takes and is for. Every question of queries/ is one, with its own parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kg.errors import BadParameter
from kg.library import Parameter, Question
from kg.wire import Json

MOST_ROWS = 100
ROWS = 20
_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": {"type": "string"}}
_JSON_TYPES = {"xsd:integer": "integer", "xsd:decimal": "number", "xsd:boolean": "boolean"}


@dataclass(frozen=True)
class Tool:
    """One tool: `schema` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Json


def _limited(default: int, most: int) -> Json:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


def _tool(name: str, description: str, required: Sequence[str], properties: Mapping[str, Json]) -> Tool:
    schema: Json = {"type": "object", "properties": dict(properties)}
    return Tool(name, description, schema | ({"required": list(required)} if required else {}))


FIXED = (
    _tool(
        "search",
        "Find things by words; typing errors are forgiven. Gives names, no claims.",
        ["words"],
        {"words": _TEXT, "type": {**_TEXT, "description": "a class, as pev:Theme"}, "limit": _limited(10, 50)},
    ),
    _tool(
        "describe",
        "What is known of one thing: facts and links, each with basis and passages.",
        ["entity"],
        {"entity": {**_TEXT, "description": "IRI, CURIE or label"}, "limit": _limited(ROWS, MOST_ROWS)},
    ),
    _tool(
        "connect",
        "How two things hang together: paths, best first. `single`: one origin makes the whole chain; "
        "`stitched`: nobody does, say so.",
        ["from", "to"],
        {
            "from": _TEXT,
            "to": _TEXT,
            "max_hops": _limited(6, 12),
            "limit": _limited(3, 10),
            "basis": {**_TEXT, "description": "any of said,judged,inferred,reference"},
            "via": _TEXTS,
            "avoid": _TEXTS,
            "direction": {"enum": ["any", "forward"]},
            "since": {**_TEXT, "description": "origins issued then or later, as 2018-11"},
            "until": _TEXT,
        },
    ),
    _tool(
        "sparql",
        "Answer a SPARQL 1.1 query, read-only; prefixes are known. An empty answer says which pattern empties it.",
        ["query"],
        {"query": _TEXT, "limit": _limited(ROWS, MOST_ROWS)},
    ),
)


def tools_of(questions: Sequence[Question]) -> list[Tool]:
    """Returns the tools of a release: search, describe, connect, sparql, then its questions by name."""
    taken = {tool.name for tool in FIXED}
    return [*FIXED, *(_of_question(question) for question in questions if question.name not in taken)]


def _of_question(question: Question) -> Tool:
    required = [p.name for p in question.parameters if p.mode == "required"]
    properties = {p.name: _property(p) for p in question.parameters}
    return _tool(question.name, question.summary or "", required, properties)


def _property(parameter: Parameter) -> Json:
    one: Json = {"type": _JSON_TYPES.get(parameter.type, "string")}
    found: Json = {"type": "array", "items": one} if parameter.mode == "many" else one
    example = ", ".join(parameter.example[:1])
    return found | {"description": f"{parameter.type}, as {example}" if example else parameter.type}


def checked(tool: Tool, arguments: Mapping[str, object]) -> Mapping[str, object]:
    """Returns the arguments of a call.

    Raises:
        BadParameter: they are not what the tool takes.
    """
    # With what notebooks bring along it takes a second to load.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    # Not said in the list of tools, where it would stand sixty times over.
    closed = {**tool.schema, "additionalProperties": False}
    wrong = best_match(Draft202012Validator(closed).iter_errors(arguments))
    if wrong is None:
        return arguments
    place = ".".join(map(str, wrong.absolute_path))
    known = ", ".join(str(name) for name in _properties(tool)) or "none"
    raise BadParameter(f"{place or tool.name}: {wrong.message}; {tool.name} takes {known}.")


def _properties(tool: Tool) -> Mapping[str, object]:
    found = tool.schema["properties"]
    assert isinstance(found, Mapping)
    return found


def texts_of(arguments: Mapping[str, object]) -> dict[str, list[str]]:
    """Returns arguments as the texts that a question takes.

    >>> texts_of({"theme": "Finance", "year": 2018, "joint": True})
    {'theme': ['Finance'], 'year': ['2018'], 'joint': ['true']}
    """
    return {
        name: [_text(part) for part in (value if isinstance(value, list) else [value])]
        for name, value in arguments.items()
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
