"""The shared database's address, with the standard library alone: which form it is, how it is shown without a password,
and the name under which this machine keeps what it knows of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

POSTGRES = ("postgresql://", "postgres://")
_PARTS = re.compile(
    r"postgres(?:ql)?://(?:(?P<login>[^/?#]*)@)?(?P<hosts>[^/?#@]*)(?:/(?P<name>[^?#]*))?(?:\?(?P<options>.*))?"
)


def is_postgres(url: str) -> bool:
    """Whether the address is a PostgreSQL server's, as libpq writes them."""
    return url.lower().startswith(POSTGRES)


def shown(url: str) -> str:
    """The address without its password, wherever it stands in it."""
    without = re.sub(r"//([^:@/?#]*):[^/?#]*@", r"//\1@", url)
    without = re.sub(r"([?&])((?:ssl)?password)=[^&]*", r"\1\2=…", without, flags=re.IGNORECASE)
    return without if is_postgres(url) else re.sub(r"//[^@/]*@", "//…@", without)


def place_of(url: str, environment: Mapping[str, str]) -> str:
    """Which database it is, whoever logs in and however: hosts, ports and name, from the address or from libpq's own
    variables. Several hosts (a standby beside its primary) are one place: the history goes on from one to the other."""
    parts = _PARTS.fullmatch(url)
    if parts is None:
        return shown(url)
    options = dict(parse_qsl(parts["options"] or ""))
    login = (parts["login"] or "").partition(":")[0] or options.get("user") or environment.get("PGUSER", "")
    service = options.get("service") or environment.get("PGSERVICE", "")
    hosts = parts["hosts"] or options.get("host") or options.get("hostaddr") or environment.get("PGHOST", "")
    port = options.get("port") or environment.get("PGPORT", "")
    name = parts["name"] or options.get("dbname") or environment.get("PGDATABASE", "") or (login if not service else "")
    return f"postgresql://{hosts.lower()}:{port}/{name}?{service}"


def for_login(url: str, role: str, password: str | None) -> str:
    """The same database for another log-in."""
    parts = _PARTS.fullmatch(url)
    if parts is None:
        return shown(url)
    secret = f":{quote(password, safe='')}" if password else ""
    own = ("user", "password", "sslpassword")
    kept = [(key, value) for key, value in parse_qsl(parts["options"] or "") if key not in own]
    options = f"?{urlencode(kept, safe='/')}" if kept else ""
    return f"postgresql://{quote(role, safe='')}{secret}@{parts['hosts']}/{parts['name'] or ''}{options}"
