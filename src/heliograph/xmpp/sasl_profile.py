"""How SASL stands in a stream: the elements of RFC 6120, section 6, which carry what the mechanisms say."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from heliograph.xmpp.sasl_mechanisms import Refused
from heliograph.xmpp.scram import decode_base64, encode_base64
from heliograph.xmpp.stanza import NS_SASL, escape

_NOTHING = "="  # stands for an empty message (RFC 6120, section 6.4.2)


def initial(auth: Element) -> bytes | None:
    """The first message of a mechanism, if `<auth/>` brings it.

    Raises:
        Refused: what is there is no base64, or no text at all.
    """
    return None if not auth.text and not len(auth) else content(auth)


def content(element: Element) -> bytes:
    """The message that an element carries.

    Raises:
        Refused: what is there is no base64, or no text at all.
    """
    if len(element):
        raise Refused("malformed-request")
    return b"" if element.text == _NOTHING else decoded(element.text)


def decoded(text: str | None) -> bytes:
    """The message whose base64 that is.

    Raises:
        Refused: it is something else.
    """
    try:
        return decode_base64(text or "")
    except ValueError:
        raise Refused("incorrect-encoding") from None


def element(local: str, message: bytes | None = None) -> str:
    """`<challenge/>` or `<success/>` with a message."""
    return _element(local, encode_base64(message) if message else "")


def failure(condition: str, text: str | None = None) -> str:
    """`<failure/>` with a condition of RFC 6120, section 6.5, and a sentence for a person."""
    said = f"<text xml:lang='en'>{escape(text)}</text>" if text else ""
    return _element("failure", f"<{condition}/>{said}")


def _element(local: str, inside: str) -> str:
    return f"<{local} xmlns='{NS_SASL}'>{inside}</{local}>" if inside else f"<{local} xmlns='{NS_SASL}'/>"
