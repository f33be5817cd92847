"""The OpenAPI document: every endpoint, every key, every problem."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.portal.problems import ProblemDocument

_ABOUT = """\
A tenant's admins use it with their browser's session, their programs with an API key of the tenant; the operator's
platform with a platform key (`countersign apikey create`). Errors are RFC 9457 problem documents.
"""


def described(app: FastAPI) -> dict[str, Any]:
    """Made once, on first use."""
    if app.openapi_schema:
        return app.openapi_schema
    made: dict[str, Any] = get_openapi(
        title="Countersign", version="1", description=_ABOUT, routes=app.routes, openapi_version="3.1.0"
    )
    parts = made.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["ProblemDocument"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, csk_…"},
        "session": {"type": "apiKey", "in": "cookie", "name": "countersign"},
    }
    for path, operations in made["paths"].items():
        for operation in operations.values():
            if path.startswith("/api/platform"):
                operation["security"] = [{"key": []}]
            elif path.startswith("/api"):
                operation["security"] = [{"key": []}, {"session": []}]
    app.openapi_schema = made
    return made
