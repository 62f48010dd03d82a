"""The pages for people: the explorer and the SPARQL editor.

Each is a plain page that works as it stands: the start page searches and lists the questions, the
SPARQL page is a form. Where the front end is built (`hatch_build.py`), its script takes the page over.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from kg.library import Question
from kg.web.serving import Serving
from kg.web.state import AnswersDep

router = APIRouter(include_in_schema=False)
_HERE = Path(__file__).parent
_templates = Jinja2Templates(_HERE / "templates")


def is_built() -> bool:
    """Tells whether the front end was built into this package."""
    return (_HERE / "static" / "app" / "explorer.js").is_file()


@router.get("/", response_class=HTMLResponse)
def start(request: Request, answers: AnswersDep, q: str = "") -> Response:
    found = answers.search(q).results if q.strip() else ()
    questions = [(question, _address(question)) for question in answers.questions()]
    context = {"release": answers.release(), "questions": questions, "q": q, "found": found, "built": is_built()}
    return _templates.TemplateResponse(request, "start.html", context)


async def sparql_page(request: Request) -> Response:
    """Returns the page with a form for a query; where a release is served, with its questions."""
    serving = request.app.state.serving
    if not isinstance(serving, Serving):
        return _templates.TemplateResponse(
            request, "sparql.html", {"release": None, "questions": (), "built": is_built()}
        )
    with await serving.taken() as served:
        answers = served.answers
        context = {"release": answers.release(), "questions": answers.questions(), "built": is_built()}
        return _templates.TemplateResponse(request, "sparql.html", context)


def _address(question: Question) -> str:
    """Returns the address of a question with its own example as parameters."""
    values = [(p.name, text) for p in question.parameters if p.mode != "optional" for text in p.example]
    return f"/api/queries/{question.name}" + (f"?{urlencode(values)}" if values else "")
