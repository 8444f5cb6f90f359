"""Blocking (XEP-0191): who is blocked by whom, and how a client says it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from xml.etree.ElementTree import Element

from heliograph.xmpp.jid import JidMalformed, parse
from heliograph.xmpp.stanza import quote
from heliograph.xmpp.stanza_error import StanzaError, bad_request

NS_BLOCKING = "urn:xmpp:blocking"
NS_BLOCKING_ERRORS = "urn:xmpp:blocking:errors"
LIST_TAG = f"{{{NS_BLOCKING}}}blocklist"
BLOCK_TAG = f"{{{NS_BLOCKING}}}block"
UNBLOCK_TAG = f"{{{NS_BLOCKING}}}unblock"
_ITEM_TAG = f"{{{NS_BLOCKING}}}item"

LIST_REQUEST = f"<blocklist xmlns='{NS_BLOCKING}'/>"
"""The payload that asks for the list (section 3.2)."""


def forms(jid: str) -> tuple[str, str, str, str]:
    """The entries that block an address: itself, the account, the resource of the domain, the domain (section 5).

    Args:
        jid: a prepared full or bare JID.
    """
    bare, slash, resource = jid.partition("/")
    domain = bare.rpartition("@")[2]
    return jid, bare, f"{domain}{slash}{resource}", domain


def matches(blocked: Collection[str], jid: str) -> bool:
    """Whether a list blocks an address."""
    return any(form in blocked for form in forms(jid))


def parse_items(element: Element) -> tuple[str, ...]:
    """The prepared JIDs that a request or a push names (sections 3.3 and 3.4).

    Raises:
        StanzaError: one of them is malformed.
    """
    try:
        return tuple(dict.fromkeys(str(parse(item.get("jid", ""))) for item in element.iterfind(_ITEM_TAG)))
    except JidMalformed as error:
        raise StanzaError("modify", "jid-malformed", str(error)) from None


def parse_block(element: Element) -> tuple[str, ...]:
    """The prepared JIDs to block.

    Raises:
        StanzaError: there is none (section 3.3.2), or one of them is malformed.
    """
    jids = parse_items(element)
    if not jids:
        raise bad_request("The request names nobody")
    return jids


def list_xml(jids: Iterable[str]) -> str:
    """The list as it is answered (section 3.2)."""
    return _xml("blocklist", jids)


def push_xml(jids: Iterable[str], *, is_blocked: bool) -> str:
    """The payload of a request to block or unblock, and of the push that tells of it; to unblock nobody in particular
    is to unblock all.
    """
    return _xml("block" if is_blocked else "unblock", jids)


def _xml(name: str, jids: Iterable[str]) -> str:
    items = "".join(f"<item jid={quote(jid)}/>" for jid in jids)
    return f"<{name} xmlns='{NS_BLOCKING}'>{items}</{name}>" if items else f"<{name} xmlns='{NS_BLOCKING}'/>"


def receiver_blocked() -> StanzaError:
    """What a user is told who sends something to whom the user blocks (section 3.3.4)."""
    return StanzaError("cancel", "not-acceptable", application=f"<blocked xmlns='{NS_BLOCKING_ERRORS}'/>")


def sender_blocked() -> StanzaError:
    """What somebody is told who is blocked by the receiver: as if the receiver were not there (section 3.3.4)."""
    return StanzaError("cancel", "service-unavailable")
