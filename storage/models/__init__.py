"""What is stored. `rows` are the frozen values everybody works with; `tables` is how SQL keeps them.

Import rows and states from here; import `storage.models.tables` (SQLModel, heavy) only where SQL schema is needed.
"""

from storage.models.mail import ConsentLink, LinkKind, Mail, MailState
from storage.models.people import Actor, ActorKind, Credential, Role, Staff, Standing, Start, StepUp
from storage.models.portal import ApiKey, KeyRight, PortalSession, SignInLink
from storage.models.request import (
    Alternative,
    Decision,
    DecisionKind,
    Exchange,
    Layer,
    Mode,
    Request,
    RequestState,
)
from storage.models.row import Row, parse_time, row_type, time_text
from storage.models.session import Elevation, ElevationState, EndKind, Outcome, Session, SessionView, ViewKind
from storage.models.switch import Admission, Shutting
from storage.models.tenant import Contact, ContactRole, FeatureFlag, Settings, Tenant, TenantMode, TenantStatus

__all__ = [
    "Actor",
    "ActorKind",
    "Admission",
    "Alternative",
    "ApiKey",
    "ConsentLink",
    "Contact",
    "ContactRole",
    "Credential",
    "Decision",
    "DecisionKind",
    "Elevation",
    "ElevationState",
    "EndKind",
    "Exchange",
    "FeatureFlag",
    "KeyRight",
    "Layer",
    "LinkKind",
    "Mail",
    "MailState",
    "Mode",
    "Outcome",
    "PortalSession",
    "Request",
    "RequestState",
    "Role",
    "Row",
    "Session",
    "SessionView",
    "Settings",
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
