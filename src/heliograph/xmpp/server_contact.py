"""Contact addresses of a server (XEP-0157), as a form of its service discovery information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heliograph.xmpp.disco import Field, Form

SERVER_INFO = "http://jabber.org/network/serverinfo"
PURPOSES = ("abuse", "admin", "feedback", "sales", "security", "status", "support")
"""What addresses are for (section 4)."""


def contact_form(addresses: Mapping[str, Sequence[str]]) -> Form | None:
    """The form (section 2); `None` where there is no address.

    Args:
        addresses: URIs, such as `mailto:abuse@chat.example`, by one of `PURPOSES`.
    """
    fields = [
        Field(f"{purpose}-addresses", tuple(addresses[purpose]), "list-multi")
        for purpose in PURPOSES
        if addresses.get(purpose)
    ]
    return Form((Field("FORM_TYPE", (SERVER_INFO,), "hidden"), *fields)) if fields else None
