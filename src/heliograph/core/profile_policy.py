"""What an app asks of its users' profiles: narrower limits, and the fields that have to be filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core.profile_fields import grapheme_count, invalid
from heliograph.core.profile_history import Author
from heliograph.core.user_jids import domain_of
from heliograph.errors import AccountNotFound, ProfileInvalid

if TYPE_CHECKING:
    from heliograph.core.apps import Policy
    from heliograph.core.ports import Ports
    from heliograph.core.profile_history import Editor
    from heliograph.core.profiles import Profile, ProfileChange

_VALUES = ("name", "image", "status", "mobile", "email")


async def of(ports: Ports, jid: str) -> Policy:
    """The policy of the app that a user belongs to.

    Raises:
        AccountNotFound: the JID is of no app's domain.
    """
    found = await ports.apps.lookup_domain(domain_of(jid))
    if found is None:
        raise AccountNotFound
    return found[0].policy


def check_limits(policy: Policy, change: ProfileChange) -> None:
    """Raise `ProfileInvalid` where a checked change goes beyond the app's own limits."""
    for name, most in (("name", policy.name_max_graphemes), ("status", policy.status_max_graphemes)):
        value = getattr(change, name)
        if value and len(value) > most and grapheme_count(value) > most:
            raise invalid(name, f"The {name} has at most {most} characters")


def check_required(policy: Policy, change: ProfileChange, after: Profile, editor: Editor) -> None:
    """Raise `ProfileInvalid` where a user's change of a value leaves a field empty that the app wants filled in;
    `details.missing` lists all such fields. The app's own backend may fill in a profile bit by bit.
    """
    missing = [name for name in policy.required_profile_fields if not getattr(after, name)]
    if not missing or editor.author is Author.BACKEND or all(getattr(change, name) is None for name in _VALUES):
        return
    text = f"A profile needs a value for {', '.join(missing)}"
    raise ProfileInvalid(text, details={"field": missing[0], "missing": missing})
