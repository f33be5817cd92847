"""Where a setting's value comes from: flag, environment, config file or default, in that order; and all of it in words.

The config file is TOML; a setting in a section is named `section.key` here and COUNTERSIGN_SECTION__KEY in the
environment. A name that is no setting is an error that names the nearest one.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsError,
)

from app.database_url import is_postgres, shown
from app.launch import PREFIX
from app.settings import Section, Settings
from storage.errors import Misconfigured

if TYPE_CHECKING:
    from app.launch import Launch


@dataclass(frozen=True, slots=True)
class Described:
    """One setting: its dotted name, value, what it means, and where the value comes from."""

    name: str
    value: object
    meaning: str
    origin: str


SPEAK_OF_SECRETS = ("mail.smtp", "mail.password")
"""What may hold a password by mistake: a complaint does not repeat it."""


def load(launch: Launch) -> Settings:
    """Merge and check the layers. Raises Misconfigured, naming key, file and line or variable."""
    sources = _sources(launch)

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *own: PydanticBaseSettingsSource, **named: PydanticBaseSettingsSource
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(source for _, source in sources)

    try:
        return Layered()
    except ValidationError as error:
        raise Misconfigured(_complaint(launch, error), "`countersign config show` documents every setting") from error
    except SettingsError as error:
        raise Misconfigured(f"in the environment: {error}", "`countersign config show` documents all") from error


def described(launch: Launch) -> list[Described]:
    """Every setting with its value and origin, in the order in which `config show` prints them."""
    settings = launch.settings
    found = []
    for name, meaning in _fields():
        value: Any = settings
        for part in name.split("."):
            value = getattr(value, part)
        value = shown(value) if name == "database" and is_postgres(value) else value
        value = ("(hidden)" if value.get_secret_value() else "") if isinstance(value, SecretStr) else value
        found.append(Described(name, value, meaning, _origin(launch, name)))
    return found


def as_toml(launch: Launch) -> str:
    """The settings as a documented config file. What is a default stands in a comment."""
    lines, section = [f"# {launch.paths.config_file}"], ""
    for setting in described(launch):
        head, dot, key = setting.name.rpartition(".")
        if dot and head != section:
            section = head
            lines += ["", f"[{section}]"]
        note = "#" if setting.origin == "default" else ""
        lines += ["", f"# {setting.meaning}", f"# from: {setting.origin}"]
        lines.append(f"{note}{key or setting.name} = {_toml(setting.value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A value as TOML; its basic strings are JSON's, and its inline tables nearly JSON's objects."""
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(str(key))} = {_toml(inner)}" for key, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")


def _fields() -> Iterator[tuple[str, str]]:
    for name, info in Settings.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            for key, inner in kind.model_fields.items():
                yield f"{name}.{key}", inner.description or ""
        else:
            yield name, info.description or ""


def _sources(launch: Launch) -> list[tuple[str, PydanticBaseSettingsSource]]:
    """(origin, source), strongest first."""
    flags = {"database": launch.flags["database"]} if "database" in launch.flags else {}
    _check_names(launch)
    return [
        ("flag --database", InitSettingsSource(Settings, flags)),
        ("environment", EnvSettingsSource(Settings)),
        (str(launch.paths.config_file), InitSettingsSource(Settings, launch.config)),
        ("default", InitSettingsSource(Settings, {"database": launch.default_database})),
    ]


def _origin(launch: Launch, name: str) -> str:
    """The strongest source that has a word on a setting."""
    for origin, source in _sources(launch):
        value: Any = source()
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return origin
    return "default"


def _check_names(launch: Launch) -> None:
    """Raises Misconfigured for a name in the config file that is no setting, naming the nearest that is."""
    known = [name for name, _ in _fields()]
    sections = {name.partition(".")[0] for name in known if "." in name}
    found: list[str] = []
    for name, value in launch.config.items():
        inside = name in sections and isinstance(value, dict)
        found += [f"{name}.{key}" for key in value] if inside else [name]
    for name in found:
        if name in known:
            continue
        where = f"{launch.paths.config_file}, line {_line(launch, name)}"
        if name in sections:
            raise Misconfigured(f"{where}: {name} is a section: write [{name}] and its keys below it")
        near = difflib.get_close_matches(name, [*known, *sections], 1, 0.4)
        hint = f"did you mean {near[0]}?" if near else "`countersign config show` lists all"
        raise Misconfigured(f"{where}: there is no setting {name!r}", hint)


def _line(launch: Launch, name: str) -> int:
    """The line on which a dotted name is set, 1 for the first; 1 where it cannot be told."""
    section, _, key = name.rpartition(".")
    current = ""
    for number, line in enumerate(launch.paths.config_file.read_text("utf-8").splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            current = header.group(1).strip("\"'")
            if current == name:
                return number
        elif (found := re.match(r"\s*([^=#]+?)\s*=", line)) and (
            (current == section and found.group(1).strip("\"'") == key) or (not current and found.group(1) == name)
        ):
            return number
    return 1


def _complaint(launch: Launch, error: ValidationError) -> str:
    """The first thing that is wrong: where it was said, which setting, what was expected."""
    problem = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    origin = _origin(launch, name)
    if origin == str(launch.paths.config_file):
        origin = f"{origin}, line {_line(launch, name)}"
    elif origin == "environment":
        origin = PREFIX + name.upper().replace(".", "__")
    message = problem["msg"].removeprefix("Value error, ")
    found = "" if name in SPEAK_OF_SECRETS else f"; found {problem['input']!r}"
    return f"{origin}: {name}: {message[:1].lower()}{message[1:]}{found}"
