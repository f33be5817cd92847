"""Every action code there is, with one line of meaning. Nothing else may invent one.

`noun.verb` in the past tense. Acts inside a session carry `IMPERSONATION` before them (REQ-205).
"""

from __future__ import annotations

from enum import StrEnum

IMPERSONATION = "platform_admin.impersonate.action."


class Action(StrEnum):
    meaning: str

    def __new__(cls, code: str, meaning: str) -> Action:
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    DATABASE_CREATED = "database.created", "the shared database was made, with its first super"
    STAFF_ADDED = "staff.added", "a named account was made for a staff member"
    STAFF_DEACTIVATED = "staff.deactivated", "a staff member left; nothing is possible under that name any more"
    CREDENTIAL_ENROLLED = "credential.enrolled", "a second factor was enrolled or replaced"
    STEP_UP_ACCEPTED = "step_up.accepted", "a fresh second factor was accepted for one act"
    STEP_UP_REFUSED = "step_up.refused", "a wrong, used or late second factor was refused"
    STEP_UP_LOCKED = "step_up.locked", "five wrong codes: the person's second factor is locked for 15 minutes"
    TENANT_IMPORTED = "tenant.imported", "a tenant and its contacts were imported or refreshed"
    TENANT_CREATED = "tenant.created", "the operator's platform made a tenant"
    TENANT_SUSPENDED = "tenant.suspended", "the operator's platform suspended a tenant; running sessions end"
    TENANT_RESUMED = "tenant.resumed", "the operator's platform resumed a suspended tenant"
    TENANT_DEPROVISIONED = "tenant.deprovisioned", "the operator's platform closed a tenant for good; its log is kept"
    TENANT_PLAN_CHANGED = "tenant.plan_changed", "the operator's platform moved a tenant to another plan"
    TENANT_FLAGS_CHANGED = "tenant.flags_changed", "the operator's platform overrode features of a tenant"
    API_KEY_CREATED = "api_key.created", "a super made a key for a program"
    API_KEY_ACCEPTED = "api_key.accepted", "a tenant admin let a key change the tenant's settings"
    API_KEY_REVOKED = "api_key.revoked", "a key was taken back; it opens nothing any more"
    SIGN_IN_ASKED = "sign_in.asked", "a link to sign in to the portal was asked for, and mailed to the tenant admin"
    PORTAL_SIGNED_IN = "portal.signed_in", "a tenant admin signed in to the portal by a mailed link"
    PORTAL_SIGNED_OUT = "portal.signed_out", "a tenant admin signed out of the portal"
    SETTINGS_CHANGED = "settings.changed", "the tenant changed its support-access settings"
    KILL_SWITCH_ON = "kill_switch.turned_on", "the tenant shut all support access off"
    KILL_SWITCH_OFF = "kill_switch.turned_off", "the tenant allowed support access again"
    REQUEST_CREATED = "request.created", "an engineer asked for access"
    REQUEST_REFUSED = "request.refused", "a wish for access was refused by a rule before it became a request"
    REQUEST_APPROVED = "request.approved", "a tenant admin, or standing consent, approved a request"
    REQUEST_DENIED = "request.denied", "a tenant admin denied a request"
    REQUEST_WITHDRAWN = "request.withdrawn", "the requester withdrew a request"
    REQUEST_EXPIRED = "request.expired", "nobody decided in time"
    REQUEST_LAPSED = "request.lapsed", "an approval was not used in time, or break-glass came to nothing in time"
    REQUEST_COUNTERSIGNED = "request.countersigned", "a second staff member countersigned full mode"
    REQUEST_DECLINED = "request.declined", "a second staff member declined to countersign"
    QUESTION_ASKED = "question.asked", "a tenant admin asked a question about a request"
    QUESTION_ANSWERED = "question.answered", "the engineer answered a tenant admin's question"
    BREAK_GLASS_DECLARED = "break_glass.declared", "the engineer declared break-glass on a request that nobody decided"
    BREAK_GLASS_COUNTERSIGNED = "break_glass.countersigned", "a super countersigned break-glass; the tenant is mailed"
    BREAK_GLASS_COOLING = "break_glass.cooling", "a mail server accepted the first letter: cooling began"
    BREAK_GLASS_VETOED = "break_glass.vetoed", "a tenant admin vetoed break-glass; that is final"
    BREAK_GLASS_USABLE = "break_glass.usable", "cooling ended without a veto"
    EMERGENCY_DECLARED = "emergency.declared", "a super declared an emergency; it waits for a second super"
    EMERGENCY_COUNTERSIGNED = "emergency.countersigned", "a second super countersigned an emergency; it can be used"
    EMERGENCY_LAPSED = "emergency.lapsed", "nobody countersigned a declared emergency within two hours: it is void"
    INCIDENT_REGISTERED = "incident.registered", "an emergency was entered in the incident register"
    REVIEW_OPENED = "review.opened", "something is to be looked at and signed by somebody uninvolved"
    REVIEW_SIGNED = "review.signed", "somebody uninvolved signed a review with a finding"
    ROTA_HOURS_SET = "rota.hours_set", "the office hours were set"
    ROTA_SHIFT_SET = "rota.shift_set", "a staff member was put on call for a time"
    ROTA_SHIFT_CANCELLED = "rota.shift_cancelled", "a time on call was cancelled"
    SESSION_STARTED = "session.started", "an approved request was activated"
    SESSION_ENDED = "session.ended", "a session was ended by its engineer, the tenant or a deactivation"
    SESSION_FORCE_ENDED = "session.force_ended", "a super ended a session"
    SESSION_EXPIRED = "session.expired", "a session reached its end time"
    OUTCOME_GIVEN = "outcome.given", "the engineer gave the outcome of a session that had ended without one"
    ELEVATION_ASKED = "elevation.asked", "the engineer asked for full mode during a session"
    ELEVATION_GRANTED = "elevation.granted", "a second staff member countersigned full mode during a session"
    ELEVATION_DECLINED = "elevation.declined", "a second staff member declined full mode during a session"
    RATE_LIMIT_MET = "rate_limit.met", "an engineer met the rate limit; supers were alerted"
    MAIL_DELIVERED = "mail.delivered", "a mail server accepted a letter"
    MAIL_DEFERRED = "mail.deferred", "a letter could not be handed on yet and is tried again"
    MAIL_FAILED = "mail.failed", "a letter was refused for good, or given up after a day; supers were told"
    MAIL_REQUEUED = "mail.requeued", "a super had a failed letter tried again"
    DIGEST_SENT = "digest.sent", "a tenant's weekly digest was written"
    ALERT_RAISED = "alert.raised", "supers were alerted by letter"
    LOG_EXPORTED = "log.exported", "a log was exported"
    VIEWED_RECORD = IMPERSONATION + "record.viewed", "a record was viewed in a session"
    VIEWED_FIELD = IMPERSONATION + "field.viewed", "a field was viewed in a session"
    VIEWED_FILE = IMPERSONATION + "file.viewed", "a file was viewed in a session"
    VIEWED_SCREEN = IMPERSONATION + "screen.viewed", "a screen was viewed in a session"
    RAN_QUERY = IMPERSONATION + "query.ran", "a named query was run in a session"
    SEARCHED = IMPERSONATION + "search.ran", "a search was made in a session"
    EXPORTED = IMPERSONATION + "export.made", "an export was made in a session"
