"""What a request handler is given: the front door of the release that is served."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from kg.answers import Answers


def _answers(request: Request) -> Answers:
    answers = request.app.state.answers
    assert isinstance(answers, Answers)
    return answers


AnswersDep = Annotated[Answers, Depends(_answers)]
