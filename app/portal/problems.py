"""Errors of the API: RFC 9457 problem documents, every one of them, and how the OpenAPI document says so."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from app.policy.verdict import Refused
from storage.errors import Conflict, CountersignError, ForkedHistory, GuardRefused, Offline

MEDIA = "application/problem+json"


class Refusal(BaseModel):
    """One rule that refused."""

    rule: str = Field(description="A requirement's id, or a promise of the database.")
    why: str
    who_could: str = ""


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    refused: list[Refusal] = Field(default=[], description="The rules that refused, where rules did.")
    errors: list[dict[str, Any]] = Field(default=[], description="What is wrong with the request, where it is.")


class Problem(Exception):
    """An answer that is no good news. `detail` is for a person."""

    def __init__(self, status: int, detail: str, *, retry_after: int = 0, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry_after, self.more = status, detail, retry_after, more


def answer(problem: Problem) -> JSONResponse:
    """The problem as a response."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    headers = {"retry-after": str(problem.retry_after)} if problem.retry_after else {}
    if problem.status == 401:
        headers["www-authenticate"] = 'Bearer realm="countersign"'
    return JSONResponse(document, problem.status, headers, media_type=MEDIA)


def of_error(error: CountersignError) -> Problem:
    """What a command, or the database, said no with."""
    match error:
        case Refused():
            refused = [{"rule": one.rule, "why": one.why, "who_could": one.who_could} for one in error.verdict.refusals]
            return Problem(409, str(error), refused=refused)
        case GuardRefused():
            return Problem(409, str(error), refused=[{"rule": error.promise, "why": str(error), "who_could": ""}])
        case Conflict():
            return Problem(409, str(error))
        case Offline() | ForkedHistory():
            return Problem(503, str(error), retry_after=10)
        case _:
            return Problem(500, str(error))


_WORDS = {
    400: "The request cannot be read",
    401: "Nobody is signed in, and no key that is known was sent",
    403: "The key does not open this",
    404: "There is no such thing",
    405: "That cannot be done here",
    409: "A rule refused it, or somebody was faster",
    413: "Too much",
    422: "The request is not what it must be",
    429: "Too many requests",
    503: "The shared database is out of reach, or its history in doubt",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route: the problems that it answers with."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {"description": _WORDS[status], "content": {MEDIA: {"schema": schema}}}
        for status in sorted({*statuses, 413, 429, 503})
    }
