"""The JSON API: questions on the whole of a release (docs/questions.md defines each)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from kg import wire
from kg.connections.values import bases
from kg.web.cache import Tagged
from kg.web.interface import UNCHANGED
from kg.web.state import AnswersDep

router = APIRouter(tags=["Questions on the whole"], route_class=Tagged, responses=UNCHANGED)

_NAME = "An IRI, a CURIE or a label."
LimitParam = Annotated[int, Query(description="How many results at most.")]
BasisParam = Annotated[str | None, Query(description="said,judged,inferred,reference; all by default.")]
ThemeParam = Annotated[str, Query(description=_NAME, examples=["Finance"])]
OneThemeParam = Annotated[str | None, Query(description=f"One theme; all by default. {_NAME}")]
DocumentParam = Annotated[str, Query(description=_NAME, examples=["doc:msg2019-report"])]


@router.get("/api/blockers", summary="What stands in the way of a thing, upstream, as a graph with depth")
def blockers(
    answers: AnswersDep,
    entity: Annotated[str, Query(description=_NAME, examples=["Strategic planning"])],
    max_hops: Annotated[int, Query(description="The longest chain that counts.")] = 6,
    limit: LimitParam = 100,
    basis: BasisParam = None,
) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.blockers(entity, max_hops, limit, bases(basis))))


@router.get("/api/keystones", summary="Which barriers hold most themes alone")
def keystones(answers: AnswersDep, limit: LimitParam = 20, basis: BasisParam = None) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.keystones(limit, bases(basis))))


@router.get("/api/whatif", summary="What would change if a barrier went")
def whatif(
    answers: AnswersDep,
    barrier: Annotated[str, Query(description=_NAME, examples=["barrier:piru-firefighting"])],
    limit: LimitParam = 50,
    basis: BasisParam = None,
) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.what_if(barrier, limit, bases(basis))))


@router.get("/api/compare", summary="What each document says on a theme, kind by kind; silent apart from out of scope")
def compare(answers: AnswersDep, theme: ThemeParam, limit: LimitParam = 50) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.compare(theme, limit)))


@router.get("/api/gaps", summary="Barriers × themes: evidence? answered by a recommendation? followed up?")
def gaps(
    answers: AnswersDep,
    theme: OneThemeParam = None,
    reverse: Annotated[bool, Query(description="Recommendations × themes: do they answer a barrier?")] = False,
    limit: LimitParam = 200,
) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.gaps(theme, reverse, limit)))


@router.get("/api/tensions", summary="Where claims on a theme disagree, each typed by rule")
def tensions(answers: AnswersDep, theme: OneThemeParam = None, limit: LimitParam = 100) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.tensions(theme, limit)))


@router.get("/api/lineage", summary="What became of a recommendation or other item, and who says so")
def lineage(
    answers: AnswersDep,
    item: Annotated[str, Query(description=_NAME, examples=["recommendation:as2018-6"])],
    limit: LimitParam = 200,
) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.lineage(item, limit)))


@router.get("/api/timeline", summary="In which years themes are named, silent or said resolved")
def timeline(answers: AnswersDep, theme: OneThemeParam = None, limit: LimitParam = 50) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.timeline(theme, limit)))


@router.get("/api/fragile", summary="What rests on one passage, and what falls with it")
def fragile(
    answers: AnswersDep,
    document: Annotated[str | None, Query(description=f"Whose text; all by default. {_NAME}")] = None,
    limit: LimitParam = 50,
) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.fragile(document, limit)))


@router.get("/api/news", summary="What a document says first, what it repeats and what it drops")
def news(answers: AnswersDep, document: DocumentParam, limit: LimitParam = 200) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.news(document, limit)))


@router.get("/api/central", summary="Which bodies are asked most, and which barriers matter most")
def central(answers: AnswersDep, limit: LimitParam = 10) -> JSONResponse:
    return JSONResponse(wire.analysed(answers.analysis.central(limit)))
