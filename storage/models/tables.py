"""The tables as SQL keeps them (SQLModel). A row table has its key, the image, the revision, and the columns that are
searched by, each GENERATED from the image by the database itself. Entries likewise from their body.

Both the shared database and the replica are made from this module. It is heavy to import: screens and policy use the
rows of `storage.models` instead.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Computed, Integer, LargeBinary, MetaData, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

metadata: MetaData = SQLModel.metadata
Number = BigInteger().with_variant(Integer(), "sqlite")  # STRICT tables know INTEGER only
Key = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text that is compared and sorted by its code points, as SQLite does, whatever the server's locale."""


class json_text(ColumnElement[str]):
    """The text (or integer) at a path of a JSON column, in each dialect's own words."""

    inherit_cache = True
    type = Text()

    def __init__(self, source: str, *path: str) -> None:
        self.source, self.path = source, path


@compiles(json_text, "sqlite")
def _sqlite(element: json_text, compiler: Any, **kw: Any) -> str:
    return f"json_extract({element.source}, '$.{'.'.join(element.path)}')"


@compiles(json_text, "postgresql")
def _postgresql(element: json_text, compiler: Any, **kw: Any) -> str:
    text = f"(({element.source}::jsonb) #>> '{{{','.join(element.path)}}}')"
    return f"{text}::bigint" if element.path[-1] == "seq" else text


@compiles(Computed, "postgresql")
def _stored(element: Computed, compiler: Any, **kw: Any) -> str:
    """PostgreSQL before 18 knows generated columns only as stored ones, and only those can be indexed."""
    return f"GENERATED ALWAYS AS ({compiler.sql_compiler.process(element.sqltext, literal_binds=True)}) STORED"


def _generated(source: str, *path: str, index: bool = True) -> Any:
    column: Column[str] = Column(Key, Computed(json_text(source, *path), persisted=False), index=index)
    return Field(default=None, sa_column=column)


def from_image(name: str) -> Any:
    """A searchable column that the database derives from the image."""
    return _generated("image", name)


def from_body(*path: str, index: bool = True) -> Any:
    """A searchable column that the database derives from an entry's body."""
    return _generated("body", *path, index=index)


class RowTable(SQLModel):
    """What every row table has."""

    id: str = Field(primary_key=True, sa_type=Key)
    image: str = Field(sa_type=Text)
    rev: int = Field(sa_type=Number, index=True)


class StaffTable(RowTable, table=True):
    __tablename__ = "staff"
    email: str | None = from_image("email")
    role: str | None = from_image("role")


class StandingTable(RowTable, table=True):
    __tablename__ = "standing"


class CredentialTable(RowTable, table=True):
    __tablename__ = "credential"


class StepUpTable(RowTable, table=True):
    __tablename__ = "step_up"
    staff_id: str | None = from_image("staff_id")


class TenantTable(RowTable, table=True):
    __tablename__ = "tenant"
    name: str | None = from_image("name")


class SettingsTable(RowTable, table=True):
    __tablename__ = "settings"


class ContactTable(RowTable, table=True):
    __tablename__ = "contact"
    tenant_id: str | None = from_image("tenant_id")
    email: str | None = from_image("email")


class RequestTable(RowTable, table=True):
    __tablename__ = "request"
    tenant_id: str | None = from_image("tenant_id")
    engineer_id: str | None = from_image("engineer_id")
    ticket: str | None = from_image("ticket")
    state: str | None = from_image("state")
    created_at: str | None = from_image("created_at")
    expires_at: str | None = from_image("expires_at")


class DecisionTable(RowTable, table=True):
    __tablename__ = "decision"
    request_id: str | None = from_image("request_id")


class SessionTable(RowTable, table=True):
    __tablename__ = "session"
    request_id: str | None = from_image("request_id")
    tenant_id: str | None = from_image("tenant_id")
    engineer_id: str | None = from_image("engineer_id")
    ticket: str | None = from_image("ticket")
    started_at: str | None = from_image("started_at")
    expires_at: str | None = from_image("expires_at")
    ended_at: str | None = from_image("ended_at")


class SessionViewTable(RowTable, table=True):
    __tablename__ = "session_view"
    session_id: str | None = from_image("session_id")
    at: str | None = from_image("at")


class MailTable(RowTable, table=True):
    __tablename__ = "mail"
    state: str | None = from_image("state")
    to_email: str | None = from_image("to_email")
    request_id: str | None = from_image("request_id")
    created_at: str | None = from_image("created_at")


class ConsentLinkTable(RowTable, table=True):
    __tablename__ = "consent_link"
    request_id: str | None = from_image("request_id")


class SignInLinkTable(RowTable, table=True):
    __tablename__ = "sign_in_link"
    contact_id: str | None = from_image("contact_id")


class PortalSessionTable(RowTable, table=True):
    __tablename__ = "portal_session"
    contact_id: str | None = from_image("contact_id")


class ApiKeyTable(RowTable, table=True):
    __tablename__ = "api_key"
    tenant_id: str | None = from_image("tenant_id")


class ReviewTable(RowTable, table=True):
    __tablename__ = "review"
    tenant_id: str | None = from_image("tenant_id")
    request_id: str | None = from_image("request_id")
    signed_at: str | None = from_image("signed_at")


class IncidentTable(RowTable, table=True):
    __tablename__ = "incident"
    request_id: str | None = from_image("request_id")


class OfficeHoursTable(RowTable, table=True):
    __tablename__ = "office_hours"


class ShiftTable(RowTable, table=True):
    __tablename__ = "on_call_shift"
    ends_at: str | None = from_image("ends_at")


class CommandTable(RowTable, table=True):
    """Each Change's id with its answer: the same id twice is applied once. The image is `{"answer", "at", "id"}`."""

    __tablename__ = "command"


class OperatorLogTable(SQLModel, table=True):
    """The operator log. Search indexes over these columns are the replica's business, not the writers'."""

    __tablename__ = "operator_log"
    seq: int = Field(sa_column=Column(Number, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_type=LargeBinary)
    body: str = Field(sa_type=Text)
    at: str | None = from_body("at", index=False)
    action: str | None = from_body("action", index=False)
    actor_id: str | None = from_body("actor", "id", index=False)
    tenant: str | None = from_body("tenant", index=False)
    request: str | None = from_body("request", index=False)
    session: str | None = from_body("session", index=False)
    ticket: str | None = from_body("ticket", index=False)
    change: str | None = from_body("change", index=False)


class TenantLogTable(SQLModel, table=True):
    """Every tenant's own log, each a chain of its own (REQ-402)."""

    __tablename__ = "tenant_log"
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    seq: int = Field(sa_column=Column(Number, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_type=LargeBinary)
    body: str = Field(sa_type=Text)
    at: str | None = from_body("at", index=False)
    action: str | None = from_body("action", index=False)
    operator_seq: int | None = Field(
        default=None, sa_column=Column(Number, Computed(json_text("body", "ref", "seq"), persisted=False), index=True)
    )


class LogHeadTable(SQLModel, table=True):
    """Each log's newest number and hash: the lock every Change takes. `epoch` is drawn once, at creation."""

    __tablename__ = "log_head"
    log: str = Field(primary_key=True, sa_type=Key)
    epoch: str = Field(sa_type=Text)
    seq: int = Field(sa_type=Number)
    hash: bytes = Field(sa_type=LargeBinary)


for _table in metadata.tables.values():
    _table.dialect_options["sqlite"]["strict"] = True

ROW_TABLES: tuple[str, ...] = tuple(
    table.name for table in metadata.sorted_tables if "image" in table.columns and "rev" in table.columns
)
