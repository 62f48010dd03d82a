"""What a request handler is given: the front door of the release it asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Query, Request

from kg.answers import Answers
from kg.web.serving import Serving

ReleaseParam = Annotated[
    str | None, Query(description="An older release, while it is kept: its id, or 8 digits of it.")
]


def serving_of(request: Request) -> Serving:
    """Returns what the application serves."""
    serving = request.app.state.serving
    assert isinstance(serving, Serving)
    return serving


async def _answers(request: Request, release: ReleaseParam = None) -> AsyncIterator[Answers]:
    with await serving_of(request).taken(release) as served:
        yield served.answers


AnswersDep = Annotated[Answers, Depends(_answers)]
