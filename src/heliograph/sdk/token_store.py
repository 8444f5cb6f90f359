"""Where an app keeps its tokens over a restart: in a file for its owner alone, or wherever it likes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Protocol

import msgspec

from heliograph.wire import Secretive


class StoredTokens(Secretive, msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a session.

    Attributes:
        username: whose it is.
        token: the access token.
        refresh_token: gets the next tokens, once.
        expires_at: when the access token expires, in seconds since the epoch.
    """

    username: str
    token: str
    refresh_token: str
    expires_at: float


class TokenStore(Protocol):
    """Keeps the tokens of one session; an app may bring its own, such as one over the keyring of the system."""

    def load(self) -> StoredTokens | None:
        """What was kept, if anything was."""
        ...

    def save(self, tokens: StoredTokens | None) -> None:
        """Keep these tokens in place of those before; `None` forgets them. Called with each change, so it is quick."""
        ...


class TokenFile:
    """Keeps tokens in a file that nobody but its owner reads (mode 0600).

    Args:
        path: the file; its folder is there.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> StoredTokens | None:
        """What the file holds; `None` where there is none, or it holds something else."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=StoredTokens)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def save(self, tokens: StoredTokens | None) -> None:
        """Replace the file in one step, or delete it."""
        if tokens is None:
            self._path.unlink(missing_ok=True)
            return
        # The new file is made with mode 0600, whatever the umask, and takes the place of the old one.
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(tokens))
            Path(name).replace(self._path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise
