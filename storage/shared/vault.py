"""Secrets at rest: one key per installation, in the config directory, readable by its owner only (issue 2, section 3).

The key seals TOTP secrets (Fernet: AES-128-CBC with HMAC-SHA-256). What else needs a key of its own derives it from
this one by HKDF, under a name that says what it is for.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from storage.errors import Corrupt, Misconfigured


class Vault:
    """Seals and unseals short texts with the installation's key."""

    def __init__(self, key: bytes) -> None:
        # cryptography costs tens of milliseconds to import: only who opens a secret pays for it
        from cryptography.fernet import Fernet

        self._key = key
        try:
            self._fernet = Fernet(key)
        except ValueError as error:
            raise Misconfigured("the key is no Fernet key (32 bytes in URL-safe base 64)", KEY_ADVICE) from error

    def seal(self, text: str) -> str:
        """Encrypt; every call gives another ciphertext."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt what `seal` gave. Raises Corrupt when it was sealed with another key, or altered."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise Corrupt("a sealed secret does not open with this installation's key", KEY_ADVICE) from error

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes for another purpose (HKDF-SHA-256, `purpose` as info): never the sealing key itself."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"countersign " + purpose.encode()).derive(self._key)


KEY_ADVICE = "put the original countersign.key back, or enrol the second factors again"


def new_key() -> bytes:
    """A fresh random key."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key()


def load_key(path: Path) -> bytes:
    """The key in the file, made on first use with mode 0600. Raises Misconfigured when others may read it."""
    try:
        return _read(path)
    except FileNotFoundError:
        return _made(path)


def _read(path: Path) -> bytes:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise Misconfigured(f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
        return path.read_bytes().strip()
    except (PermissionError, IsADirectoryError) as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}", "check owner and mode of the file") from error


def _made(path: Path) -> bytes:
    """Write a new key, whole or not at all: two processes that start together end up with the same one."""
    key = new_key()
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 (mode)
            file.write(key + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails if another process was faster: then its key is the key
        except FileExistsError:
            return _read(path)
        finally:
            draft.unlink()
    except OSError as error:
        raise Misconfigured(f"{path} cannot be made: {error.strerror}", "check the config directory") from error
    return key


class OpenVault(Vault):
    """For PostgreSQL: second factors lie unsealed in a table that no log-in may read, since the database itself checks
    the codes. Only the keys derived for other purposes are the installation's."""

    def seal(self, text: str) -> str:
        return text

    def unseal(self, sealed: str) -> str:
        return sealed
