"""The secret of an installation, from which other secrets are derived; it lies beside the database, never in it."""

from __future__ import annotations

import hmac
import os
from pathlib import Path

from heliograph.errors import SettingsInvalid

_BYTES = 32


def installation_secret(file: Path) -> bytes:
    """The secret in a file of hexadecimal digits, made now if the file is not there.

    Args:
        file: readable by its owner alone; nodes that share a database share its content.

    Raises:
        SettingsInvalid: the file cannot be read or made, or holds something else.
    """
    try:
        if not file.exists():
            _make(file, os.urandom(_BYTES))
        secret = bytes.fromhex(file.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"The secret {file} cannot be used: {error}") from None
    if len(secret) < _BYTES:
        raise SettingsInvalid(f"The secret {file} is shorter than {_BYTES} bytes")
    return secret


def present_secret(file: Path) -> bytes | None:
    """The secret in a file; `None` if there is no file.

    Raises:
        SettingsInvalid: as of `installation_secret`.
    """
    return installation_secret(file) if file.exists() else None


def keep_secret(file: Path, secret: bytes) -> None:
    """Put the secret of an installation that moves here into its file.

    Raises:
        SettingsInvalid: the file is there and holds another one, or cannot be written.
    """
    try:
        if not file.exists():
            _make(file, secret)
    except OSError as error:
        raise SettingsInvalid(f"The secret {file} cannot be written: {error.strerror}") from None
    if not hmac.compare_digest(installation_secret(file), secret):
        raise SettingsInvalid(f"{file} holds the secret of another installation: move it away first")


def _make(file: Path, secret: bytes) -> None:
    """Write a secret, whole or not at all; if another process was quicker, its secret counts."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(secret.hex() + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    try:
        file.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
