"""Unique and stable stanza ids (XEP-0359): the id under which an account's archive has a message."""

from __future__ import annotations

from heliograph.xmpp.stanza import Stanza, quote, with_child, without

NS_STABLE_IDS = "urn:xmpp:sid:0"

_STANZA_ID = f"{{{NS_STABLE_IDS}}}stanza-id"
_ORIGIN_ID = f"{{{NS_STABLE_IDS}}}origin-id"
_MARK = NS_STABLE_IDS.encode()


def mark(by: str) -> bytes:
    """The part of the ids of one archive that is always the same.

    Args:
        by: the bare JID whose archive it is.
    """
    return f"<stanza-id xmlns='{NS_STABLE_IDS}' by={quote(by)} id=".encode()


def with_stanza_id(message: bytes, mark: bytes, identity: str) -> bytes:
    """A message that tells its receiver under which id its archive has it (section 3.1).

    Args:
        message: encoded for TCP.
        mark: of the archive.
        identity: the id, which needs no escaping.
    """
    return with_child(message, b"%b'%b'/>" % (mark, identity.encode()))


def stanza_id(message: Stanza, by: str) -> str | None:
    """The id that an archive has given a message."""
    found = (each.get("id") for each in message.element.iterfind(_STANZA_ID) if each.get("by") == by)
    return next(found, None)


def origin_id(message: Stanza) -> str | None:
    """The id that a message's sender has given it (section 3.2)."""
    found = message.find(_ORIGIN_ID)
    return None if found is None else found.get("id")


def origin_id_xml(identity: str) -> str:
    """The element by which a sender names its message."""
    return f"<origin-id xmlns='{NS_STABLE_IDS}' id={quote(identity)}/>"


def without_forged(message: Stanza, domain: str) -> Stanza:
    """The message without ids that only this domain and its accounts may give (section 6, rule 5).

    Args:
        message: as a client sent it.
        domain: of the server that received it.
    """
    return without(message, _MARK, lambda each: each.tag == _STANZA_ID and _domain(each.get("by", "")) == domain)


def _domain(jid: str) -> str:
    return jid.partition("/")[0].rpartition("@")[2].lower()
