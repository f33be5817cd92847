"""Every setting with its meaning and its default, in the config file's sections. Where a value comes from is the
matter of `app.settings_layers`."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.launch import PREFIX


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Portal(Section):
    """Where tenant admins go."""

    url: str = Field(
        default="http://localhost:8000", description="The start of every link in a mail: <url>/consent/<token>."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(),
        description="Addresses of proxies in front of `serve`; X-Forwarded-For and -Proto of all others are ignored.",
    )

    @field_validator("url")
    @classmethod
    def _a_web_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s\x00-\x20\x7f]+", value):
            raise ValueError("expected an address that starts with http:// or https://")
        return value.rstrip("/")


class Mailing(Section):
    """Letters to tenants and staff."""

    smtp: str = Field(
        default="",
        description="The mail server: smtp://user@host:587 (STARTTLS, insisted on), smtps://user@host:465, or, readable"
        " on the way, smtp://host:25?tls=none. Empty: a Maildir under the home.",
    )
    password: SecretStr = Field(
        default=SecretStr(""), description="The mail server's password; better in the environment or in a file."
    )
    password_file: str = Field(default="", description="A file that holds the mail server's password alone.")
    ca_file: str = Field(
        default="",
        description="PEM certificates of the authority that vouches for the mail server; empty: the system's.",
    )
    sender: str = Field(default="countersign@localhost", description="The address letters come from.")

    @field_validator("smtp")
    @classmethod
    def _a_mail_server(cls, value: str) -> str:
        from app.mail.server import parse

        if value:
            parse(value)
        return value

    @field_validator("sender")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if not re.fullmatch(r"[^\s@<>\x00-\x1f\x7f]+@[^\s@<>\x00-\x1f\x7f]+", value):
            raise ValueError("expected an e-mail address")
        return value


class Operator(Section):
    """The company that employs the support staff."""

    legal_email: str = Field(
        default="",
        description="Where every emergency is reported (REQ-109); without it none can be declared.",
    )

    @field_validator("legal_email")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^\s@<>\x00-\x1f\x7f]+@[^\s@<>\x00-\x1f\x7f]+", value):
            raise ValueError("expected an e-mail address")
        return value


class Look(Section):
    """How the console looks."""

    theme: Literal["dark", "light", "high-contrast", "ansi"] = Field(
        default="dark", description="The colours; ansi uses the terminal's own sixteen."
    )
    clock: Literal["local", "utc"] = Field(default="local", description="Which time screens show; z switches.")
    keys: dict[str, str] = Field(
        default={}, description="Keys by the id of the binding, as the help names them; several keys by comma."
    )


class Amounts(Section):
    """What people are held to (REQ-112, REQ-702). Every console on one shared file should say the same."""

    sessions_per_hour: int = Field(default=5, ge=1, le=1000, description="Sessions one engineer may start in an hour.")
    tenants_per_day: int = Field(default=10, ge=1, le=10000, description="Tenants one engineer may enter in 24 hours.")
    step_up_reuse_seconds: int = Field(
        default=120, ge=0, le=300, description="How long one code covers creating and then starting; 0: never."
    )


class Logging(Section):
    """What goes to the log file: faults and what led to them, never what was viewed."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is written."
    )


class Settings(BaseSettings):
    """The values in force."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    database: str = Field(
        default="", description="The shared database: sqlite:///path/to/shared.db or postgresql://user@host/name."
    )
    portal: Portal = Portal()
    mail: Mailing = Mailing()
    operator: Operator = Operator()
    console: Look = Look()
    limits: Amounts = Amounts()
    log: Logging = Logging()
