"""The port of profiles. What `ports` says of stores holds here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from heliograph.core.profile_history import USER, Editor, ProfileEdit
from heliograph.core.profiles import Profile
from heliograph.errors import HeliographError


class ProfileStore(Protocol):
    """Profiles."""

    async def pictures_in_use(self, tokens: Sequence[str]) -> frozenset[str]:
        """Those of these pictures that a profile, or the history of one, shows; an address shows a picture where it
        ends in its token.
        """
        ...

    async def lookup(self, jid: str) -> Profile | None:
        """The profile of an account, at version 0 where none was saved; `None` where there is no such account."""
        ...

    async def update(
        self,
        jid: str,
        decide: Callable[[Profile], Profile],
        editor: Editor = USER,
        meanwhile: Callable[[Profile], None] | None = None,
    ) -> Profile:
        """One atomic change. `AccountNotFound`, and whatever `decide` raises; an unchanged profile writes nothing.

        A new version gets the next mark of its domain, an entry in the profile's history (`profile_history.edit`),
        which keeps the newest `PROFILE_CHANGES_KEPT`, and its status, if that is new, a place among the recent ones,
        which are the last `RECENT_STATUSES_KEPT`.

        `meanwhile` may get the profile before this returns, while the commit is under way: time to prepare what is to
        be told. Nobody is told of it yet, as the commit may fail.
        """
        ...

    async def update_many(
        self,
        wanted: Sequence[tuple[str, Callable[[Profile], Profile]]],
        editor: Editor,
        tell: Callable[[int, Profile], None],
    ) -> list[Profile | HeliographError]:
        """Many such changes, each atomic by itself, under as few commits as may be: in order, what `update` returns or
        the `HeliographError` that it raises. `tell` gets each that succeeds with its place in `wanted`, as soon as it
        is committed: so all changes of this process are told in the order of their marks.
        """
        ...

    async def of_contacts(self, jid: str, since: int = -1) -> list[Profile]:
        """The profiles (version > 0) of all whom this user is subscribed to (`to` or `both`), in the order of their
        marks, as far as these are higher than `since`. A profile's mark is the roster item's where that is higher.
        """
        ...

    async def changes(self, jid: str) -> list[ProfileEdit]:
        """The history of a profile, the newest change first."""
        ...

    async def recent_statuses(self, jid: str) -> list[str]:
        """The recent statuses of a user, the newest first."""
        ...

    async def forget_status(self, jid: str, status: str | None) -> None:
        """Delete a status from the recent ones, or (`None`) all of them."""
        ...
