"""`request explain`: the verdict and what follows, as JSON or in words (REQ-113)."""

from __future__ import annotations

from app.bootstrap import Workplace
from app.cli.output import local, print_json, put
from app.policy.explain import Explanation
from app.policy.requests import RequestForm
from app.services import explain


def tenant(place: Workplace, tenant_id: str, *, as_json: bool) -> None:
    """Can I get in, and how?"""
    view = place.desk.view()
    _tell(explain.of_tenant(view, place.actor().id, tenant_id, place.clock.now()), as_json)


def form(place: Workplace, wanted: RequestForm, *, as_json: bool) -> None:
    """What would this request lead to?"""
    view = place.desk.view()
    _tell(explain.of_form(view, place.actor().id, wanted, place.clock.now()), as_json)


def request(place: Workplace, request_id: str, *, as_json: bool) -> None:
    """Why does this request stand where it stands?"""
    view = place.desk.view()
    _tell(explain.of_request(view, request_id, place.clock.now(), place.desk.limits), as_json)


def ways(found: Explanation) -> list[dict[str, object]]:
    """The ways in, as JSON data: the least costly first; `at` is when one lets in at the earliest."""
    return [
        {"layer": one.layer, "open": one.is_open, "at": one.at, "words": one.words, "cost": one.cost}
        for one in found.ways
    ]


def _tell(found: Explanation, as_json: bool) -> None:
    if as_json:
        findings = [
            {"rule": one.rule, "passed": one.passed, "why": one.why, "who_could": one.who_could}
            for one in found.verdict.findings
        ]
        mailed = [{"id": one.id, "name": one.name, "email": one.email} for one in found.mailed]
        print_json(
            {
                "allowed": found.verdict.allowed,
                "findings": findings,
                "mailed": mailed,
                "steps": list(found.steps),
                "expires_at": found.expires_at,
                "ways": ways(found),
            }
        )
        return
    for one in found.verdict.findings:
        who = f" — {one.who_could}" if one.who_could and not one.passed else ""
        put(f"{'✓' if one.passed else '✗'} {one.why}{who}  ({one.rule})")
    for step in found.steps:
        put(f"→ {step}")
    if found.expires_at is not None:
        put(f"→ until {local(found.expires_at)}")
