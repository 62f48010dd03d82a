"""What a request handler is given: the front door of the release it asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Query, Request

from kg.answers import Answers
from kg.web.serving import Serving

RELEASE_HELP = "An older release, while it is kept: its id, or 8 or more digits of it."
ReleaseParam = Annotated[str | None, Query(description=RELEASE_HELP)]


def serving_of(request: Request) -> Serving:
    """Returns what the application serves."""
    serving = request.app.state.serving
    assert isinstance(serving, Serving)
    return serving


async def _answers(request: Request, release: ReleaseParam = None) -> AsyncIterator[Answers]:
    with await serving_of(request).taken(release) as served:
        yield served.answers


async def _two_answers(
    request: Request,
    before: Annotated[str, Query(alias="from", description="A kept release: its id, or 8 or more digits of it.")],
    after: Annotated[
        str | None, Query(alias="to", description="The release to compare it with, likewise; default: the served one.")
    ] = None,
) -> AsyncIterator[tuple[Answers, Answers]]:
    serving = serving_of(request)
    with await serving.taken(before, "from") as first, await serving.taken(after, "to") as second:
        yield first.answers, second.answers


AnswersDep = Annotated[Answers, Depends(_answers)]
TwoAnswersDep = Annotated[tuple[Answers, Answers], Depends(_two_answers)]
