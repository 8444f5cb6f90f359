"""What a user's bare JID says: `identifier@domain`, where the domain is that of one app in one environment."""

from __future__ import annotations


def identifier_of(jid: str) -> str:
    """The identifier by which the user was registered."""
    return jid.partition("@")[0]


def domain_of(jid: str) -> str:
    """The JID domain of the user's app and environment."""
    return jid.partition("@")[2]


def are_of_one_app(one: str, other: str) -> bool:
    """Whether two users belong to the same app and environment; all others are nobody to each other."""
    return domain_of(one) == domain_of(other)
