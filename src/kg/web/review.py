"""The review as a page: an application of its own, for one person on this machine.

It listens on the loopback address only. The address that is printed holds a token that works once
and becomes a cookie; what changes anything must come from the page itself, with the page's own token.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from kg.errors import BadParameter, Forbidden, KgError, Unauthorised, UnknownName
from kg.ingest.candidates import Decision, candidate_json
from kg.ingest.held import claimed
from kg.ingest.intake import Intake
from kg.ingest.labels import Kind
from kg.ingest.limits import names_of
from kg.ingest.record import record
from kg.ingest.review import FACTS, Review
from kg.web.problems import handle_errors, problem
from kg.web.server import listen, run
from kg.workspace import Settings, Workspace

HOST = "127.0.0.1"
COOKIE = "kg-review"
MOST_BYTES = 65_536
_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Keys:
    """The three secrets of a run: the token of the address, the session it becomes, and the page's own token."""

    def __init__(self) -> None:
        self.token: str | None = secrets.token_urlsafe(32)
        self.session = secrets.token_urlsafe(32)
        self.page = secrets.token_urlsafe(32)
        self._turn = threading.Lock()

    def spend(self, token: str) -> bool:
        """Tells whether the token is that of the address; it works once."""
        with self._turn:
            good = self.token is not None and secrets.compare_digest(token.encode(), self.token.encode())
            if good:
                self.token = None
            return good


class _Guard:
    """Lets in only what this page sends: own host, own session, and for changes own origin and own token."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app, self._keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(Request(scope))
        if refused is not None:
            await _closed(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refused(self, request: Request) -> KgError | None:
        host = request.headers.get("host", "")
        if host.rsplit(":", 1)[0] not in (HOST, "localhost"):
            # A name of another site that was made to point here.
            return Forbidden("This page is asked for under 127.0.0.1 only.")
        if request.url.path == "/" and "token" in request.query_params:
            return None
        if not secrets.compare_digest(request.cookies.get(COOKIE, "").encode(), self._keys.session.encode()):
            return Unauthorised(
                "Open the address that `kg review --web` printed; it works once. Start it again for another."
            )
        if request.method not in ("GET", "HEAD"):
            own = request.headers.get("origin") == f"http://{host}"
            page = secrets.compare_digest(request.headers.get("x-review-token", "").encode(), self._keys.page.encode())
            if not (own and page and request.headers.get("content-type", "").startswith("application/json")):
                return Forbidden("Changes are taken from the review page only.")
        return None


def _closed(error: KgError) -> Response:
    answer = problem(error)
    answer.headers.update(_HEADERS)
    return answer


class Desk:
    """The reviews of a folder; one step at a time."""

    def __init__(self, intake: Intake, workspace: Workspace, settings: Settings) -> None:
        self._intake, self._workspace, self._settings = intake, workspace, settings
        self._turn = threading.Lock()

    def names(self) -> list[str]:
        return [self._intake.read(path, checked=False).slug for path in self._intake.sheet_paths()]

    def review(self, name: str) -> Review:
        """Returns the review of a document.

        Raises:
            UnknownName: there is no such document.
        """
        for path in self._intake.sheet_paths():
            if self._intake.read(path, checked=False).slug == name:
                return Review(self._intake, path)
        raise UnknownName(f"There is no document {name!r} in this folder.")

    def state(self, name: str) -> dict[str, Any]:
        """Returns all that the page shows of a document."""
        review = self.review(name)
        about = review.sheet.about
        facts = {f: (about[f]["value"] if isinstance(about.get(f), dict) else about.get(f)) for f in FACTS}
        curie = review.prefixes.curie
        candidates = []
        for candidate in review.sheet.candidates:
            told = candidate_json(candidate) | {"decision": candidate.decision.value}
            for link in told["links"]:  # type: ignore[attr-defined]  # a list of tables
                link["type"] = curie(link["type"])
            candidates.append(told)
        orphans = [{**orphan, "places": review.orphan_places(orphan)} for orphan in review.sheet.orphans]
        return {
            "slug": name,
            "file": about["file"],
            "facts": facts,
            "text": review.text,
            "names": names_of(review.sheet),
            "kinds": [kind.value for kind in Kind],
            "candidates": candidates,
            "orphans": orphans,
        }

    def do(self, name: str, step: str, told: dict[str, Any]) -> dict[str, Any]:
        """Does a step of a review, and returns what the page then shows.

        Raises:
            BadParameter: there is no such step, it lacks something, or it cannot be done.
        """
        with self._turn:
            review = self.review(name)
            steps = _STEPS.get(step)
            if steps is None:
                raise BadParameter(f"{step!r} is no step of a review.")
            try:
                steps(review, told)
            except (KeyError, TypeError, ValueError) as error:
                raise BadParameter(f"{step} lacks something: {error}") from error
            return self.state(name)

    def record(self, name: str) -> dict[str, Any]:
        """Records what was accepted of a document.

        Raises:
            BadParameter: nothing is accepted.
            As `kg.ingest.record.record`.
        """
        with self._turn:
            review = self.review(name)
            if not any(c.decision is Decision.ACCEPTED for c in review.sheet.candidates):
                raise BadParameter("Nothing is accepted yet.")
            recorded = record(self._workspace, self._settings, review.sheet, review.text)
            review.replace_sheet(recorded.sheet)
            return {"file": self._workspace.shown(recorded.path), "items": recorded.items, "release": recorded.release}


def _worded(told: dict[str, Any], name: str) -> str | None:
    value = told.get(name)
    if value is not None and not isinstance(value, str):
        raise BadParameter(f"{name} is no text.")
    return value


_STEPS: dict[str, Callable[[Review, dict[str, Any]], object]] = {
    "accept": lambda r, t: r.accept(t["id"], _worded(t, "label"), _worded(t, "paraphrase")),
    "reject": lambda r, t: r.reject(t["id"]),
    "reopen": lambda r, t: r.reopen(t["id"]),
    "edit": lambda r, t: r.edit(t["id"], _worded(t, "label"), _worded(t, "paraphrase")),
    "kind": lambda r, t: r.change_kind(t["id"], str(t["kind"])),
    "move": lambda r, t: r.move(t["id"], int(t["start"]), int(t["end"])),
    "split": lambda r, t: r.split(t["id"], str(t["words"])),
    "merge": lambda r, t: r.merge(t["id"], str(t["other"])),
    "choose": lambda r, t: r.choose(t["id"], int(t["link"]), int(t["alternative"])),
    "unlink": lambda r, t: r.unlink(t["id"], int(t["link"])),
    "link": lambda r, t: r.add_link(t["id"], str(t["type"]), str(t["target"])),
    "fact": lambda r, t: r.set_fact(str(t["name"]), str(t["value"])),
    "undo": lambda r, _: r.undo(),
}


def create_review_app(desk: Desk, settings: Settings, keys: Keys) -> FastAPI:
    """Returns the application of a review."""
    app = FastAPI(title="Review", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings = settings
    handle_errors(app)

    @app.middleware("http")
    async def closed(request: Request, call_next: Callable[[Request], Any]) -> Response:
        answer: Response = await call_next(request)
        answer.headers.update(_HEADERS)
        return answer

    app.include_router(_page_routes(keys))
    app.include_router(_document_routes(desk))
    app.add_middleware(_Guard, keys=keys)
    return app


def _page_routes(keys: Keys) -> APIRouter:
    routes = APIRouter()

    @routes.get("/", response_class=HTMLResponse)
    def page(token: str | None = None) -> Response:
        if token is not None:
            if not keys.spend(token):
                raise Unauthorised("This address has been used; start `kg review --web` again for another.")
            answer = RedirectResponse("/", status_code=303)
            answer.set_cookie(COOKIE, keys.session, httponly=True, samesite="strict")
            return answer
        written = (_HERE / "templates" / "review.html").read_text(encoding="utf-8")
        return HTMLResponse(written.replace("{{ token }}", keys.page))

    @routes.get("/review.js")
    def script() -> Response:
        return Response((_HERE / "static" / "review.js").read_bytes(), media_type="text/javascript")

    @routes.get("/review.css")
    def style() -> Response:
        return Response((_HERE / "static" / "review.css").read_bytes(), media_type="text/css")

    return routes


def _document_routes(desk: Desk) -> APIRouter:
    routes = APIRouter()

    @routes.get("/documents")
    def documents() -> dict[str, Any]:
        return {"results": desk.names()}

    @routes.get("/documents/{name}")
    def document(name: str) -> JSONResponse:
        return JSONResponse(desk.state(name))

    @routes.post("/documents/{name}/{step}")
    async def step(name: str, step: str, request: Request) -> JSONResponse:
        told = _told(await request.body())
        if step == "record":
            return JSONResponse(await run_in_threadpool(desk.record, name))
        return JSONResponse(await run_in_threadpool(desk.do, name, step, told))

    return routes


def _told(body: bytes) -> dict[str, Any]:
    if len(body) > MOST_BYTES:
        raise BadParameter(f"A step has at most {MOST_BYTES} bytes.")
    try:
        told = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadParameter("The step is no JSON.") from error
    if not isinstance(told, dict):
        raise BadParameter("The step is no JSON object.")
    return told


def serve_review(
    intake: Intake, workspace: Workspace, settings: Settings, port: int, say: Callable[[str], None]
) -> None:
    """Serves the review page until it is told to stop.

    Raises:
        DataError: the folder has no sheets, or another process reviews it.
        KgError: the port cannot be used.
    """
    from kg.ingest.intake import find_sheets

    with claimed(intake.folder):
        find_sheets(intake)
        keys = Keys()
        app = create_review_app(Desk(intake, workspace, settings), settings, keys)
        run(listen(HOST, port), app, lambda address: say(f"Review at {address}?token={keys.token}"))
