"""Linked Data: every IRI of ours answers at the same path on this service.

    /id/barrier/x            the name of a thing: 303 to one of the two documents about it
    /page/id/barrier/x       its page, for people
    /data/id/barrier/x       its data, in the RDF format that is preferred
    /data/id/barrier/x.ttl   its data as Turtle (.ttl), N-Triples (.nt), RDF/XML (.rdf), JSON-LD (.jsonld)

Things are named under /id, /theme, /scheme and /code, and (where the data have no name of their own
for something) /.well-known/genid. The graphs (/graph/…) and the ontology (/ns, and its version
/ns/…) are documents themselves, so they answer with 200 at their own names. A fragment is never
sent to a server: the passages of a text (/id/text/…#char=…) have their places on the page of the
text, the terms of the ontology (/ns#Barrier) on the page of the ontology. An IRI of others that the
release mentions has its page at /page?iri=… and its data at /data?iri=….

/.well-known/void describes the release as a dataset, /.well-known/sparql-examples gives its
questions as executable SPARQL; each links to the other.

Source: Cool URIs for the Semantic Web (W3C Note, 3 December 2008), section 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import pass_context
from jinja2.runtime import Context

from kg.answers import Answers
from kg.engines.source import GRAPH_FORMATS
from kg.errors import NotAcceptable, UnknownName
from kg.names import BASE, ONTOLOGY
from kg.web.cache import Tagged
from kg.web.interface import UNCHANGED, Responses, answered
from kg.web.negotiation import accept_of, best_type
from kg.web.state import AnswersDep
from kg.web.terms import ontology_page
from kg.web.things import thing_page

_SEE_OTHER: Responses = {303: {"description": "The document about the thing"}}
_HTML = "text/html"
_MISSING: Responses = {
    404: {
        "description": "The release does not mention it; the nearest labels are named",
        "content": {_HTML: {}, "application/problem+json": {}},
    }
}
_DOCUMENTS, _DATA, _PAGE = answered((_HTML, *GRAPH_FORMATS)), answered(GRAPH_FORMATS), answered((_HTML,))
_SUFFIXES = {
    "text/turtle": ".ttl",
    "application/n-triples": ".nt",
    "application/rdf+xml": ".rdf",
    "application/ld+json": ".jsonld",
}
_SECTIONS = ("id", "theme", "scheme", "code", ".well-known/genid", "graph")
# What RFC 3986, section 2.3, calls unreserved: written with or without %, it is the same name.
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

router = APIRouter(
    tags=["Linked Data"], route_class=Tagged, responses=_MISSING | UNCHANGED, default_response_class=Response
)
_templates = Jinja2Templates(Path(__file__).parent / "templates")

IriParam = Annotated[str, Query(description="An IRI that the release mentions.", examples=[f"{BASE}theme/finance"])]


def local_address(iri: str) -> str:
    """Returns the address at which this service answers for an IRI.

    >>> local_address("https://w3id.org/policy-evidence/id/text/04#char=0,9")
    '/id/text/04#char=0,9'
    >>> local_address("http://xmlns.com/foaf/0.1/Person")
    '/page?iri=http%3A%2F%2Fxmlns.com%2Ffoaf%2F0.1%2FPerson'
    """
    name = iri.removeprefix(BASE)
    path, _, fragment = name.partition("#")
    routed = path == "ns" or any(path.startswith(f"{section}/") for section in (*_SECTIONS, "ns"))
    # A browser would take ? for the end of the path, and dots for steps in it.
    if name == iri or not routed or "?" in name or {".", ".."} & set(path.split("/")):
        return "/page?" + urlencode({"iri": iri})
    return _quoted(f"/{path}") + (f"#{_quoted(fragment)}" if fragment else "")


def page_address(iri: str) -> str:
    """Returns the address of the page about an IRI."""
    local = local_address(iri)
    return local if local.startswith("/page?") else f"/page{local}"


def data_address(iri: str, media_type: str) -> str:
    """Returns the address of the data about an IRI in an RDF format."""
    path, _, _ = local_address(iri).partition("#")
    if path.startswith("/page?"):
        return "/data?" + urlencode({"iri": iri, "format": _SUFFIXES[media_type][1:]})
    return f"/data{path}{_SUFFIXES[media_type]}"


def _quoted(text: str) -> str:
    return quote(text, safe="/%:@!$&'()*+,;=~")


def kept(address: str, release: str | None) -> str:
    """Returns an address of ours as it is asked of the same release as the request at hand.

    >>> kept("/page/id/text/04#char=0,9", "8f14e45f")
    '/page/id/text/04?release=8f14e45f#char=0,9'
    >>> kept("/ns", None)
    '/ns'
    """
    if release is None:
        return address
    path, mark, fragment = address.partition("#")
    return f"{path}{'&' if '?' in path else '?'}{urlencode({'release': release})}{mark}{fragment}"


@pass_context
def _local(context: Context, iri: str) -> str:
    """Returns where a page leads for an IRI: to the release of the page itself, when that was asked for."""
    return kept(local_address(iri), context.get("asked"))


_templates.env.filters["local"] = _local


def _name(request: Request, answers: AnswersDep) -> Response:
    """Answers for a name: a thing by pointing at its document, a document by itself."""
    try:
        iri = answers.linked_data.thing(_iris(_path(request))).iri
    except UnknownName as error:
        return _missing(request, answers, error)
    chosen = _chosen(request)
    if answers.linked_data.is_document(iri):
        return _page(request, answers, iri) if chosen == _HTML else _data(request, answers, iri, chosen)
    address = page_address(iri) if chosen == _HTML else data_address(iri, chosen)
    return RedirectResponse(kept(address, _asked(request)), 303)


for _section in _SECTIONS:
    router.add_api_route(
        f"/{_section}/{{name:path}}",
        _name,
        summary=f"What a name under /{_section} stands for",
        operation_id=f"name-{_section.rpartition('/')[2]}",
        responses=_DOCUMENTS if _section == "graph" else _DOCUMENTS | _SEE_OTHER,
    )
for _path_of, _id, _words in (
    ("/ns", "ontology", "The ontology"),
    ("/ns/{name:path}", "ontology-version", "A version of the ontology"),
):
    router.add_api_route(_path_of, _name, summary=_words, operation_id=_id, responses=_DOCUMENTS)


@router.get("/page", summary="The page about any IRI that the release mentions", responses=_PAGE)
def page_of_iri(request: Request, answers: AnswersDep, iri: IriParam) -> Response:
    try:
        return _page(request, answers, answers.linked_data.thing([iri]).iri)
    except UnknownName as error:
        return _missing(request, answers, error)


@router.get("/page/{name:path}", summary="The page about a name of ours", responses=_PAGE)
def page(request: Request, answers: AnswersDep) -> Response:
    try:
        return _page(request, answers, answers.linked_data.thing(_iris(_path(request).removeprefix("/page"))).iri)
    except UnknownName as error:
        return _missing(request, answers, error)


@router.get("/data", summary="The data about any IRI that the release mentions", responses=_DATA)
def data_of_iri(
    request: Request,
    answers: AnswersDep,
    iri: IriParam,
    shape: Annotated[str | None, Query(alias="format", description="ttl, nt, rdf or jsonld.")] = None,
) -> Response:
    known = answers.linked_data.thing([iri]).iri
    chosen = best_type(accept_of(request), list(GRAPH_FORMATS)) if shape is None else _of_suffix(shape)
    return _data(request, answers, known, chosen)


@router.get("/data/{name:path}", summary="The data about a name of ours", responses=_DATA)
def data(request: Request, answers: AnswersDep) -> Response:
    path = _path(request).removeprefix("/data")
    for media_type, suffix in _SUFFIXES.items():
        if path.endswith(suffix):
            return _data(request, answers, answers.linked_data.thing(_iris(path.removesuffix(suffix))).iri, media_type)
    known = answers.linked_data.thing(_iris(path)).iri
    return _data(request, answers, known, best_type(accept_of(request), list(GRAPH_FORMATS)))


@router.get("/.well-known/void", summary="The release as a dataset (VoID)", responses=_DATA)
def void(request: Request, answers: AnswersDep) -> Response:
    chosen = best_type(accept_of(request), list(GRAPH_FORMATS))
    return _sent(answers, answers.linked_data.dataset(_service(request), chosen), chosen)


@router.get("/.well-known/sparql-examples", summary="The questions as executable SPARQL", responses=_DATA)
def sparql_examples(request: Request, answers: AnswersDep) -> Response:
    chosen = best_type(accept_of(request), list(GRAPH_FORMATS))
    return _sent(answers, answers.linked_data.examples(_service(request), chosen), chosen)


def _chosen(request: Request) -> str:
    """Returns the media type that the request likes best; a page only for who asks for one."""
    accept = accept_of(request)
    offered = [_HTML, *GRAPH_FORMATS]
    return best_type(accept, offered if _wants_page(request) else offered[1:])


def _wants_page(request: Request) -> bool:
    return _HTML in (accept_of(request) or "").lower()


def _of_suffix(suffix: str) -> str:
    found = next((name for name, known in _SUFFIXES.items() if known == f".{suffix}"), None)
    if found is None:
        raise NotAcceptable(f"format: {suffix!r} is none of ttl, nt, rdf and jsonld.")
    return found


def _path(request: Request) -> str:
    """Returns the path as it was sent, with % only where it matters."""
    sent = request.scope.get("raw_path") or quote(request.url.path).encode()
    return re.sub("%([0-9A-Fa-f]{2})", _plain, sent.decode("ascii", "replace"))


def _plain(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _iris(path: str) -> list[str]:
    """Returns the IRIs that a path may stand for: as it is, and with its letters beyond ASCII.

    >>> _iris("/id/place/Caf%C3%A9")[1]
    'https://w3id.org/policy-evidence/id/place/Café'
    """
    name = BASE + path.removeprefix("/")
    return list(dict.fromkeys((name, re.sub("(?:%[89A-F][0-9A-F])+", _international, name))))


def _international(match: re.Match[str]) -> str:
    try:
        return bytes.fromhex(match[0].replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]


def _asked(request: Request) -> str | None:
    """Returns the release that a request names."""
    return request.query_params.get("release")


def _service(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _data(request: Request, answers: Answers, iri: str, media_type: str) -> Response:
    response = _sent(answers, answers.linked_data.document(iri, media_type), media_type)
    response.headers["Link"] = f'<{kept(page_address(iri), _asked(request))}>; rel="alternate"; type="{_HTML}"'
    return response


def _sent(answers: Answers, content: bytes, media_type: str) -> Response:
    return Response(content, media_type=media_type, headers={"X-Release": answers.release_id})


def _page(request: Request, answers: Answers, iri: str) -> Response:
    ontology = answers.linked_data.is_document(iri) and iri.startswith(ONTOLOGY)
    context: Mapping[str, object] = ontology_page(answers) if ontology else thing_page(answers, iri)
    asked = _asked(request)
    formats = [
        (end[1:], media_type, kept(data_address(iri, media_type), asked)) for media_type, end in _SUFFIXES.items()
    ]
    common = {"release": answers.release(), "asked": asked, "iri": iri, "formats": formats}
    name = "ontology.html" if ontology else "thing.html"
    return _templates.TemplateResponse(request, name, {**common, **context}, headers={"X-Release": answers.release_id})


def _missing(request: Request, answers: Answers, error: UnknownName) -> Response:
    """Answers a browser with a page of what is nearest; everyone else with the problem itself.

    Raises:
        UnknownName: the client did not ask for a page.
    """
    if not _wants_page(request):
        raise error
    message = str(error).partition(" Nearest:")[0]
    context = {"release": answers.release(), "asked": _asked(request), "message": message, "nearest": error.nearest}
    return _templates.TemplateResponse(request, "missing.html", context, 404)
