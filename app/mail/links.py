"""The links in letters (REQ-105): tokens are derived from the installation's key and the letter, and stored nowhere;
the shared database knows their hashes only."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode

from storage.models import LinkKind, Mail


def make_tokens(key: bytes, mail: Mail) -> dict[LinkKind, str]:
    """The letter's link tokens: unguessable without the key, and the same again at every retry."""
    return {kind: _token(hmac.digest(key, f"{mail.id}/{kind.value}".encode(), "sha256")) for kind in mail.links}


def _token(secret: bytes) -> str:
    """A letter stands first: on a command line, what begins with "-" is an option (one base64url text in 64)."""
    return "c" + urlsafe_b64encode(secret).rstrip(b"=").decode()


def token_hash(token: str) -> str:
    """The key of the ConsentLink row: the token itself is stored nowhere."""
    return hashlib.sha256(token.encode()).hexdigest()


def address_of(portal_url: str, kind: LinkKind, token: str) -> str:
    """Where a link leads: to the page of a decision, or to signing in (REQ-602)."""
    return f"{portal_url}/{'sign-in' if kind is LinkKind.SIGN_IN else 'consent'}/{token}"
