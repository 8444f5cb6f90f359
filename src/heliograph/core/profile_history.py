"""Who changed which field of a profile, and when: a bounded history for the app's backend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from heliograph.core import accounts

if TYPE_CHECKING:
    from heliograph.core.apps import Caller
    from heliograph.core.ports import Ports
    from heliograph.core.profiles import Profile


class Author(StrEnum):
    """Whose word a change is."""

    USER = "user"
    BACKEND = "backend"


class Path(StrEnum):
    """The way by which a change came."""

    API = "api"
    XMPP = "xmpp"


@dataclass(frozen=True, slots=True)
class Editor:
    """Who changes a profile.

    Attributes:
        session_id: the device session, or `""` for a backend.
    """

    author: Author = Author.USER
    path: Path = Path.API
    session_id: str = ""


USER = Editor()
BACKEND = Editor(Author.BACKEND)


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """One changed field; both values are `None` where the history does not keep them."""

    field: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class ProfileEdit:
    """One change: the version that it made, and when in seconds since the epoch."""

    version: int
    at: float
    editor: Editor
    fields: tuple[FieldEdit, ...]


_KEPT = ("name", "status", "image")
"""What everybody could have seen, and what has to be looked into when somebody complains of it."""
_NAMED = ("mobile", "email", "visibility", "vcard_extra")
"""Of these it is kept that they changed: what a user has taken out of the profile does not live on here."""


def edit(before: Profile, after: Profile, editor: Editor) -> ProfileEdit:
    """What the history says of a change."""
    changed = [
        FieldEdit(name, old, new) for name in _KEPT if (old := getattr(before, name)) != (new := getattr(after, name))
    ]
    changed += [FieldEdit(name) for name in _NAMED if getattr(before, name) != getattr(after, name)]
    return ProfileEdit(after.version, after.updated_at, editor, tuple(changed))


async def of(ports: Ports, caller: Caller, identifier: str) -> list[ProfileEdit]:
    """The newest changes of a user's profile, the newest first.

    Raises:
        AccountNotFound: there is no such user.
    """
    account = await accounts.lookup(ports, caller, identifier)
    return await ports.profiles.changes(account.jid)
