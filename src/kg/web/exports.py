"""The JSON API: a whole release as a file in other formats, and how to cite an answer."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Annotated, Literal, cast

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from kg import wire
from kg.answers import Answers
from kg.citations import citation_of
from kg.errors import BadParameter, LimitError, OverloadError, UnknownName
from kg.release.export import write_export_to
from kg.release.folders import FOLDERS, write_archive_to
from kg.web.interface import answered
from kg.web.state import AnswersDep

router = APIRouter(tags=["Exports"])

# Media type and the end of the file's name, by format.
FORMATS = {
    "nquads": ("application/n-quads", "nq"),
    "trig": ("application/trig", "trig"),
    "turtle": ("text/turtle", "ttl"),
    "jsonld": ("application/ld+json", "jsonld"),
    "csv": ("text/csv", "csv"),
    "parquet": ("application/vnd.apache.parquet", "parquet"),
    "graphml": ("application/graphml+xml", "graphml"),
    "gexf": ("application/gexf+xml", "gexf"),
    "datacite": ("application/vnd.datacite.datacite+json", "datacite.json"),
    # Folders, each as an archive.
    "tables": ("application/zip", "tables.zip"),
    "ro-crate": ("application/zip", "ro-crate.zip"),
}
_CHUNK_BYTES = 1 << 18
# An export may hold the whole release at once; so one is written at a time.
_writing = threading.Lock()
_STYLES = {"text": "text/plain", "bibtex": "application/x-bibtex", "csl": "application/vnd.citationstyles.csl+json"}


@router.get(
    "/api/export/{format}",
    summary="The whole release as a file",
    responses=answered([media_type for media_type, _ in FORMATS.values()]) | {304: {"description": "As it was"}},
    response_class=Response,
)
def export(request: Request, answers: AnswersDep, format: str) -> Response:  # noqa: A002 - the name in the address
    if format not in FORMATS:
        raise UnknownName(f"There is no format {format!r}; there are {', '.join(FORMATS)}.")
    media_type, suffix = FORMATS[format]
    # What describes a release says on which day it was built, which its id does not depend on.
    day = (answers.opened.info().built or "")[:10]
    etag = f'"{answers.release_id[:32]}-{day}-{format}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    file, size = _written(answers, format)
    name = f"policy-evidence-{answers.release_id[:12]}.{suffix}"
    headers |= {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_chunks(file), media_type=media_type, headers=headers)


def _written(answers: Answers, shape: str) -> tuple[IO[bytes], int]:
    """Returns a file that holds the whole export, so that a 200 is always complete.

    Raises:
        OverloadError: another one is being written.
        LimitError: it is longer than an answer may be.
    """
    if not _writing.acquire(blocking=False):
        raise OverloadError("Another export is being written; try again soon.", limit="one export at a time")
    with ExitStack() as unfinished:
        unfinished.callback(_writing.release)
        file = unfinished.enter_context(TemporaryFile())
        bounded = _Bounded(file, answers.settings.max_answer_bytes)
        write = write_archive_to if shape in FOLDERS else write_export_to
        write(answers.opened, shape, cast(IO[bytes], bounded))
        # It is closed by who sends it.
        unfinished.pop_all()
        _writing.release()
    return file, file.tell()


class _Bounded:
    """A file that is written up to a limit."""

    def __init__(self, file: IO[bytes], most_bytes: int) -> None:
        self._file = file
        self._most_bytes = most_bytes

    def write(self, part: bytes) -> int:
        if self._file.tell() + len(part) > self._most_bytes:
            limit = "KG_MAX_ANSWER_BYTES"
            words = f"The export is over {self._most_bytes} bytes ({limit}); `kg export` writes it without a service."
            raise LimitError(words, limit=limit)
        return self._file.write(part)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while part := file.read(_CHUNK_BYTES):
            yield part


@router.get(
    "/api/cite",
    summary="How to cite an answer: release, query, permalink and date",
    responses=answered(["application/json", *_STYLES.values()]),
)
def cite(
    request: Request,
    answers: AnswersDep,
    answer: Annotated[
        str,
        Query(
            description="The address of the answer, from its path on.",
            examples=["/api/queries/barriers-blocking-theme?theme=Finance"],
        ),
    ],
    style: Annotated[
        Literal["json", "text", "bibtex", "csl"], Query(alias="format", description="json has all three others.")
    ] = "json",
) -> Response:
    found = citation_of(answers, answer, str(request.base_url).rstrip("/"))
    path = re.split("[?#]", answer)[0]
    if "GET" not in request.app.state.routes.methods(path):
        raise BadParameter(f"answer: {path} gives no answer that could be had again.")
    if style == "json":
        return JSONResponse(wire.citation(found))
    if style == "csl":
        return JSONResponse(found.csl, media_type=_STYLES[style])
    return Response(found.text + "\n" if style == "text" else found.bibtex, media_type=_STYLES[style])
