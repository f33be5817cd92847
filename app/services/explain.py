"""Reads what an explanation needs, and explains (REQ-113). Raises `Refused` where the tenant or request is unknown."""

from __future__ import annotations

from datetime import datetime

from app.policy import explain as policy
from app.policy.explain import Explanation
from app.policy.limits import DEFAULTS, Limits
from app.policy.requests import RequestForm
from app.services import reading
from storage.models import Request, Staff
from storage.view import View


def of_form(view: View, staff_id: str, form: RequestForm, now: datetime) -> Explanation:
    """What submitting this form would do, complete or not."""
    staff = reading.the(view, Staff, staff_id, "staff member")
    place = reading.place(view, form.tenant_id)
    earlier = view.get(Request, form.again_of) if form.again_of is not None else None
    return policy.form(form, staff, place, now, reading.earlier_reasons(view, staff_id, form.again_of), earlier)


def of_emergency(
    view: View, staff_id: str, engineer_id: str, form: RequestForm, legal_email: str, now: datetime
) -> Explanation:
    """What asking anew for an engineer and declaring an emergency in the same act would do (REQ-109)."""
    staff = reading.the(view, Staff, staff_id, "staff member")
    engineer = reading.the(view, Staff, engineer_id, "staff member")
    earlier = view.get(Request, form.again_of) if form.again_of is not None else None
    reasons = reading.earlier_reasons(view, engineer_id, form.again_of)
    place = reading.place(view, form.tenant_id)
    return policy.emergency_anew(form, staff, engineer, place, legal_email, now, reasons, earlier)


def of_request(view: View, request_id: str, now: datetime, limits: Limits = DEFAULTS) -> Explanation:
    """What stands between a request and its session, asked for its engineer."""
    request = reading.request(view, request_id)
    engineer = reading.engineer_of(view, request)
    standing = reading.standing(view, engineer.id)
    return policy.request(
        request,
        reading.decision_on(view, request_id),
        engineer,
        reading.place(view, request.tenant_id),
        standing,
        reading.current_session(view, standing),
        reading.supers(view),
        reading.duty(view),
        now,
        limits,
    )


def of_tenant(view: View, staff_id: str, tenant_id: str, now: datetime) -> Explanation:
    """Can this person get in, and how?"""
    return policy.tenant(reading.the(view, Staff, staff_id, "staff member"), reading.place(view, tenant_id), now)
