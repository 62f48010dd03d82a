"""The OpenAPI document: what each address takes, and every way in which it may answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

Responses = dict[int | str, dict[str, Any]]

_PART = re.compile(r"\{(\w+)\}")
_PROBLEM = "application/problem+json"
_WHEN: Mapping[int, str] = {
    400: "The request cannot be read, or a parameter is wrong",
    401: "Writing needs a token",
    403: "Understood, and not allowed here",
    404: "There is nothing of that name",
    406: "No format that is asked for can be made",
    409: "What is derived, or was changed meanwhile, is not written",
    412: "The graph is not what the request's conditions say",
    413: "What was sent, or the answer, passes a limit",
    415: "The body is of a media type that is not read here",
    422: "With it a rule would not hold; the findings are named",
    429: "The client asks more than its rate",
    431: "The head of the request is too long",
    502: "The process that evaluated it died",
    503: "It takes too much time or memory, or too many wait; try again",
}
# What may come back from any address: it may be sent what cannot be read, or too much, or more than it has places for.
_FROM_ALL = (400, 404, 406, 413, 429, 431, 502, 503)


UNCHANGED: Responses = {304: {"description": "It is as the client knows it"}}


def problems(*statuses: int) -> Responses:
    """Returns how errors of these statuses are documented."""
    return {status: {"description": _WHEN[status], "content": {_PROBLEM: {}}} for status in statuses}


def answered(media_types: Iterable[str], description: str = "The answer") -> Responses:
    """Returns how an answer in one of several media types is documented."""
    return {200: {"description": description, "content": {name: {} for name in media_types}}}


def taken(media_types: Iterable[str], fields: Iterable[str] = ()) -> dict[str, Any]:
    """Returns how a body in one of several media types is documented.

    Args:
        fields: what a body that is a form may have.
    """
    form = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
    shapes = {name: form if "form" in name else {"type": "string"} for name in media_types}
    return {"requestBody": {"required": True, "content": {name: {"schema": s} for name, s in shapes.items()}}}


def openapi(app: FastAPI, questions: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Returns the OpenAPI document of an application.

    Args:
        questions: paths that no route declares: those of the questions of the release that is served.
    """
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    document["paths"].update(questions or {})
    document.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operation in _operations(document["paths"]):
        _declare(path, operation)
        found = operation["responses"]
        # The framework thinks that it answers so to wrong parameters; here that is 400.
        if _PROBLEM not in found.get("422", {}).get("content", {_PROBLEM: {}}):
            del found["422"]
        for status, response in problems(*_FROM_ALL).items():
            found.setdefault(str(status), response).setdefault("content", response["content"])
    return document


def _operations(paths: Mapping[str, Mapping[str, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in paths.items():
        for operation in methods.values():
            yield path, operation


def _declare(path: str, operation: dict[str, Any]) -> None:
    """Declares the parts of a path that a handler reads from the address itself."""
    parameters = operation.setdefault("parameters", [])
    known = {parameter["name"] for parameter in parameters}
    for name in sorted(set(_PART.findall(path)) - known):
        parameters.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
