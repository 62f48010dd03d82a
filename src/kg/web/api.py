"""The JSON API: look-ups, questions and connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from kg import wire
from kg.connections.neighbourhood import Page
from kg.connections.values import Restriction, bases, mode_of, parts_of
from kg.library import Parameter, Question
from kg.web.cache import Tagged
from kg.web.interface import UNCHANGED
from kg.web.state import RELEASE_HELP, AnswersDep, TwoAnswersDep

router = APIRouter(tags=["API"], route_class=Tagged, responses=UNCHANGED)

EntityParam = Annotated[str, Query(description="An IRI, a CURIE or a label.", examples=["COSLA"])]
LimitParam = Annotated[int, Query(description="How many results at most.")]
BasisParam = Annotated[str | None, Query(description="said,judged,inferred,reference; all by default.")]


def _restriction(
    via: Annotated[list[str] | None, Query(description="What every path passes, in this order.")] = None,
    avoid: Annotated[list[str] | None, Query(description="What no path passes.")] = None,
    links: Annotated[
        list[str] | None, Query(description="Types of link: CURIEs or names, as pev:blocks,affects.")
    ] = None,
    types: Annotated[
        list[str] | None, Query(description="Classes of what stands between, as pev:Barrier,pev:Theme.")
    ] = None,
    direction: Annotated[str, Query(description="any, or forward: links in their own direction only.")] = "any",
    place: Annotated[list[str] | None, Query(description="Origins are about one of these places.")] = None,
    document: Annotated[list[str] | None, Query(description="Origins are among these documents.")] = None,
    since: Annotated[str | None, Query(description="Origins were issued then or later.")] = None,
    until: Annotated[str | None, Query(description="Origins were issued then or earlier.")] = None,
) -> Restriction:
    """Returns what a search for connections may use."""
    return Restriction(
        tuple(via or ()),
        tuple(avoid or ()),
        parts_of(",".join(links or ())),
        parts_of(",".join(types or ())),
        direction,
        tuple(place or ()),
        tuple(document or ()),
        since,
        until,
    )


@router.get("/api/queries", summary="The questions, with their parameters and columns")
def queries(answers: AnswersDep) -> JSONResponse:
    return JSONResponse(wire.questions(answers.release_id, answers.questions()))


@router.get("/api/queries/{name}", include_in_schema=False)
def ask(request: Request, answers: AnswersDep, name: str) -> JSONResponse:
    given = request.query_params
    parameters = {key: given.getlist(key) for key in given if key != "release"}
    return JSONResponse(wire.answer(answers.ask(name, parameters)))


_RELEASE: dict[str, object] = {
    "name": "release",
    "in": "query",
    "required": False,
    "description": RELEASE_HELP,
    "schema": {"type": "string"},
}


def question_paths(questions: Sequence[Question]) -> dict[str, object]:
    """Returns the OpenAPI paths of the questions, so that each is documented with its own parameters."""
    return {f"/api/queries/{question.name}": {"get": _operation(question)} for question in questions}


def _operation(question: Question) -> dict[str, object]:
    return {
        "tags": ["Questions"],
        "summary": question.summary,
        "operationId": question.name,
        "parameters": [*(_documented(parameter) for parameter in question.parameters), _RELEASE],
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


@router.get("/api/neighbours", summary="What a thing is linked to: how many links of each kind, and a page of them")
def neighbours(
    answers: AnswersDep,
    entity: EntityParam,
    limit: LimitParam = 50,
    offset: Annotated[int, Query(description="How many results are passed over.")] = 0,
    link: Annotated[str | None, Query(description="Only links of this kind, such as pev:blocks.")] = None,
    direction: Annotated[
        Literal["forward", "backward"] | None, Query(description="Only links from the thing, or only links to it.")
    ] = None,
    basis: BasisParam = None,
) -> JSONResponse:
    page = Page(limit, offset, link, direction, bases(basis))
    return JSONResponse(wire.neighbours(answers.neighbours(entity, page=page)))


@router.get("/api/link", summary="One link: the sentence it reads as, and the passages it rests on")
def link(
    answers: AnswersDep,
    start: Annotated[str, Query(alias="from", description="The subject.", examples=["barrier:as2018-data-sharing"])],
    kind: Annotated[str, Query(alias="link", description="The kind of link.", examples=["pev:blocks"])],
    end: Annotated[str, Query(alias="to", description="The object.", examples=["theme:strategic-planning"])],
) -> JSONResponse:
    return JSONResponse(wire.link(answers.link(start, kind, end)))


class _Named(BaseModel):
    entities: list[str] = Field(description="IRIs or CURIEs.", examples=[["agent:cosla", "theme:finance"]])


@router.post("/api/subgraph", summary="Some things and every link between them")
def subgraph(answers: AnswersDep, named: _Named) -> JSONResponse:
    return JSONResponse(wire.subgraph(answers.subgraph(named.entities)))


@router.get("/api/vocabulary", summary="Prefixes, classes, properties and documents, for queries and filters")
def vocabulary(answers: AnswersDep) -> JSONResponse:
    return JSONResponse(wire.vocabulary(answers.vocabulary()))


@router.get("/api/connections", summary="How two things hang together, and who says so")
def connections(
    answers: AnswersDep,
    start: Annotated[str, Query(alias="from", description="An IRI, a CURIE or a label.", examples=["COSLA"])],
    end: Annotated[str, Query(alias="to", description="An IRI, a CURIE or a label.", examples=["Finance"])],
    restriction: Annotated[Restriction, Depends(_restriction)],
    max_hops: Annotated[int, Query(description="The longest path that counts.")] = 6,
    limit: LimitParam = 10,
    basis: BasisParam = None,
    mode: Annotated[str | None, Query(description="best, shortest (all shortest), or all (up to max_hops).")] = None,
) -> JSONResponse:
    found = answers.connect(start, end, max_hops, limit, bases(basis), mode_of(mode), restriction)
    return JSONResponse(wire.paths(found))


@router.get("/api/evidence", summary="The passages an item rests on")
def evidence(answers: AnswersDep, item: EntityParam) -> JSONResponse:
    return JSONResponse(wire.evidence(answers.evidence(item)))


@router.get("/api/release", summary="What is served, built when and from which commit")
def release(answers: AnswersDep) -> JSONResponse:
    return JSONResponse(wire.release(answers.release()))


@router.get("/api/diff", summary="What changed from one kept release to another, in domain words")
def diff(releases: TwoAnswersDep, limit: LimitParam = 50) -> JSONResponse:
    before, after = releases
    return JSONResponse(wire.diff(before.diff(after, limit)))
