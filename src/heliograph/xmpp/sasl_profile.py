"""How SASL stands in a stream: the elements of RFC 6120, section 6, which carry what the mechanisms say."""

from __future__ import annotations

from typing import Protocol
from xml.etree.ElementTree import Element

from heliograph.xmpp.sasl_claims import Refused
from heliograph.xmpp.scram import decode_base64, encode_base64
from heliograph.xmpp.stanza import NS_SASL, escape

_NOTHING = "="  # stands for an empty message (RFC 6120, section 6.4.2)


class Profile(Protocol):
    """The elements of an attempt: those of RFC 6120, or those of XEP-0388."""

    namespace: str

    def read(self, element: Element) -> bytes:
        """The message of a response; raises `Refused`."""
        ...

    def challenge(self, message: bytes) -> str:
        """A challenge."""
        ...

    def failure(self, condition: str, text: str | None) -> str:
        """The end of an attempt that failed."""
        ...


class CoreProfile:
    """The profile of RFC 6120, section 6."""

    namespace = NS_SASL

    def initial(self, auth: Element) -> bytes | None:
        """The first message of a mechanism, if `<auth/>` brings it; raises `Refused`."""
        return None if not auth.text and not len(auth) else self.read(auth)

    def read(self, element: Element) -> bytes:
        """The message that an element carries.

        Raises:
            Refused: what is there is no base64, or no text at all.
        """
        if len(element):
            raise Refused("malformed-request")
        return b"" if element.text == _NOTHING else decoded(element.text)

    def challenge(self, message: bytes) -> str:
        """`<challenge/>` with its message."""
        return _element("challenge", encode_base64(message))

    def success(self, message: bytes | None) -> str:
        """`<success/>` with the mechanism's last word, if it has one."""
        return _element("success", encode_base64(message) if message else "")

    def failure(self, condition: str, text: str | None) -> str:
        """`<failure/>` with a condition (section 6.5), and a sentence for a person."""
        said = f"<text xml:lang='en'>{escape(text)}</text>" if text else ""
        return _element("failure", f"<{condition}/>{said}")


def decoded(text: str | None) -> bytes:
    """The message whose base64 that is.

    Raises:
        Refused: it is something else.
    """
    try:
        return decode_base64(text or "")
    except ValueError:
        raise Refused("incorrect-encoding") from None


def _element(local: str, inside: str) -> str:
    return f"<{local} xmlns='{NS_SASL}'>{inside}</{local}>" if inside else f"<{local} xmlns='{NS_SASL}'/>"
