"""What is stored. `rows` are the frozen values everybody works with; `tables` is how SQL keeps them.

Import rows and states from here; import `storage.models.tables` (SQLModel, heavy) only where SQL schema is needed.
"""

from storage.models.mail import ConsentLink, LinkKind, Mail, MailState
from storage.models.people import Actor, ActorKind, Credential, Role, Staff, Standing, Start, StepUp
from storage.models.portal import ApiKey, KeyRight, PortalSession, SignInLink
from storage.models.request import (
    Alternative,
    BreakGlass,
    Decision,
    DecisionKind,
    Emergency,
    EmergencyCategory,
    Exchange,
    Layer,
    Mode,
    Request,
    RequestState,
)
from storage.models.review import Incident, Review, ReviewKind
from storage.models.rota import OFFICE, OfficeHours, OfficeSpan, Shift
from storage.models.row import Row, parse_time, row_type, time_text
from storage.models.session import Elevation, ElevationState, EndKind, Outcome, Session, SessionView, ViewKind
from storage.models.switch import Admission, Shutting
from storage.models.tenant import Contact, ContactRole, FeatureFlag, Settings, Tenant, TenantMode, TenantStatus

__all__ = [
    "OFFICE",
    "Actor",
    "ActorKind",
    "Admission",
    "Alternative",
    "ApiKey",
    "BreakGlass",
    "ConsentLink",
    "Contact",
    "ContactRole",
    "Credential",
    "Decision",
    "DecisionKind",
    "Elevation",
    "ElevationState",
    "Emergency",
    "EmergencyCategory",
    "EndKind",
    "Exchange",
    "FeatureFlag",
    "Incident",
    "KeyRight",
    "Layer",
    "LinkKind",
    "Mail",
    "MailState",
    "Mode",
    "OfficeHours",
    "OfficeSpan",
    "Outcome",
    "PortalSession",
    "Request",
    "RequestState",
    "Review",
    "ReviewKind",
    "Role",
    "Row",
    "Session",
    "SessionView",
    "Settings",
    "Shift",
    "Shutting",
    "SignInLink",
    "Staff",
    "Standing",
    "Start",
    "StepUp",
    "Tenant",
    "TenantMode",
    "TenantStatus",
    "ViewKind",
    "parse_time",
    "row_type",
    "time_text",
]
