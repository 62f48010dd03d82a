"""The JSON API: look-ups, questions and connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from kg import wire
from kg.library import Parameter, Question
from kg.model import bases
from kg.web.state import AnswersDep

router = APIRouter(tags=["API"])

EntityParam = Annotated[str, Query(description="An IRI, a CURIE or a label.", examples=["COSLA"])]
LimitParam = Annotated[int, Query(description="How many results at most.")]


@router.get("/api/queries", summary="The questions, with their parameters and columns")
def queries(answers: AnswersDep) -> JSONResponse:
    return JSONResponse(wire.questions(answers.release_id, answers.questions()))


@router.get("/api/queries/{name}", include_in_schema=False)
def ask(request: Request, answers: AnswersDep, name: str) -> JSONResponse:
    given = request.query_params
    parameters = {key: given.getlist(key) for key in given if key != "release"}
    return JSONResponse(wire.answer(answers.ask(name, parameters)))


def question_paths(questions: Sequence[Question]) -> dict[str, object]:
    """Returns the OpenAPI paths of the questions, so that each is documented with its own parameters."""
    return {f"/api/queries/{question.name}": {"get": _operation(question)} for question in questions}


def _operation(question: Question) -> dict[str, object]:
    return {
        "tags": ["Questions"],
        "summary": question.summary,
        "operationId": question.name,
        "parameters": [_documented(parameter) for parameter in question.parameters],
        "responses": {"200": {"description": "The rows", "content": {"application/json": {}}}},
    }


def _documented(parameter: Parameter) -> dict[str, object]:
    plain: dict[str, object] = {"type": "string"}
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.mode == "required",
        "description": f"{parameter.type}: an IRI, a CURIE or a label." if parameter.is_entity else parameter.type,
        "schema": {"type": "array", "items": plain} if parameter.mode == "many" else plain,
        "example": list(parameter.example) if parameter.mode == "many" else "".join(parameter.example[:1]),
    }


@router.get("/api/search", summary="Find things by their labels and descriptions")
def search(
    answers: AnswersDep,
    q: Annotated[str, Query(description="Words; typing errors are forgiven.", examples=["money"])],
    kind: Annotated[str | None, Query(alias="type", description="A class, such as pev:Theme.")] = None,
    limit: LimitParam = 20,
) -> JSONResponse:
    return JSONResponse(wire.matches(answers.search(q, kind, limit)))


@router.get("/api/describe", summary="What is known of one thing, with its links and passages")
def describe(answers: AnswersDep, entity: EntityParam, limit: LimitParam = 200) -> JSONResponse:
    return JSONResponse(wire.description(answers.describe(entity, limit)))


@router.get("/api/neighbours", summary="What a thing is linked to")
def neighbours(answers: AnswersDep, entity: EntityParam, limit: LimitParam = 50) -> JSONResponse:
    return JSONResponse(wire.neighbours(answers.neighbours(entity, limit)))


@router.get("/api/connections", summary="How two things hang together, and who says so")
def connections(
    answers: AnswersDep,
    start: Annotated[str, Query(alias="from", description="An IRI, a CURIE or a label.", examples=["COSLA"])],
    end: Annotated[str, Query(alias="to", description="An IRI, a CURIE or a label.", examples=["Finance"])],
    max_hops: Annotated[int, Query(description="The longest path that counts.")] = 6,
    limit: LimitParam = 10,
    basis: Annotated[str | None, Query(description="said,judged,inferred,reference; all by default.")] = None,
) -> JSONResponse:
    return JSONResponse(wire.paths(answers.connect(start, end, max_hops, limit, bases(basis))))


@router.get("/api/evidence", summary="The passages an item rests on")
def evidence(answers: AnswersDep, item: EntityParam) -> JSONResponse:
    return JSONResponse(wire.evidence(answers.evidence(item)))


@router.get("/api/release", summary="What is served, built when and from which commit")
def release(answers: AnswersDep) -> JSONResponse:
    return JSONResponse(wire.release(answers.release()))
