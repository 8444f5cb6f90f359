"""The Extensible SASL Profile (XEP-0388): signing in, and all that a stream is to begin with, in one request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from heliograph.xmpp import bind2, fast, stream_management
from heliograph.xmpp.bind2 import BindRequest
from heliograph.xmpp.fast import TokenUse
from heliograph.xmpp.sasl_claims import Offer, Refused
from heliograph.xmpp.sasl_profile import decoded
from heliograph.xmpp.scram import encode_base64
from heliograph.xmpp.stanza import NS_SASL, escape
from heliograph.xmpp.stream_management import ResumeWanted

NS_SASL2 = "urn:xmpp:sasl:2"
AUTHENTICATE_TAG = f"{{{NS_SASL2}}}authenticate"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """What a client asks for in one request (section 2.3).

    Attributes:
        mechanism: the mechanism.
        message: its first message, if it came along.
        client: the id of the installation: a UUID in lower case, or `None`.
        resume: which stream is to go on (XEP-0198, section 6.2).
        bind: what the stream is to be bound with, if it does not go on with another (XEP-0386).
        use: that it brings a token (XEP-0484).
        token_for: the mechanism that it wants a token for (XEP-0484, section 3.2).
    """

    mechanism: str
    message: bytes | None = field(default=None, repr=False)
    client: str | None = None
    resume: ResumeWanted | None = None
    bind: BindRequest | None = None
    use: TokenUse | None = None
    token_for: str | None = None


def parse(element: Element) -> Authenticate:
    """Read `<authenticate/>`.

    Raises:
        Refused: a message is no base64, or a count no number.
        StreamError: a part of what is asked for besides is malformed.
    """
    initial = element.find(f"{{{NS_SASL2}}}initial-response")
    agent = element.find(f"{{{NS_SASL2}}}user-agent")
    client = "" if agent is None else agent.get("id", "").lower()
    resume = element.find(f"{{{stream_management.NS_SM}}}resume")
    wanted = None if resume is None else stream_management.parse(resume)
    binding, use, request = (element.find(tag) for tag in (bind2.BIND_TAG, fast.USE_TAG, fast.REQUEST_TAG))
    return Authenticate(
        element.get("mechanism", ""),
        None if initial is None else _message(initial),
        client if _UUID.fullmatch(client) else None,
        wanted if isinstance(wanted, ResumeWanted) else None,
        None if binding is None else bind2.parse(binding),
        None if use is None else fast.parse_use(use),
        None if request is None else request.get("mechanism"),
    )


def _message(element: Element) -> bytes:
    if len(element):
        raise Refused("malformed-request")
    return decoded((element.text or "").strip())


class ExtensibleProfile:
    """The elements of an attempt under this profile."""

    namespace = NS_SASL2

    def read(self, element: Element) -> bytes:
        """The message of `<response/>` (section 2.5); raises `Refused`."""
        return _message(element)

    def challenge(self, message: bytes) -> str:
        """`<challenge/>` with its message (section 2.5)."""
        return f"<challenge xmlns='{NS_SASL2}'>{encode_base64(message)}</challenge>"

    def failure(self, condition: str, text: str | None) -> str:
        """`<failure/>` with a condition of RFC 6120, section 6.5, and a sentence for a person (section 2.6.2)."""
        said = f"<text>{escape(text)}</text>" if text else ""
        return f"<failure xmlns='{NS_SASL2}'><{condition} xmlns='{NS_SASL}'/>{said}</failure>"


def success(identifier: str, message: bytes | None, results: str) -> str:
    """`<success/>` (section 2.6.1).

    Args:
        identifier: the full JID if the stream is bound, else the bare JID.
        message: the mechanism's last word, if it has one.
        results: XML of what came of the rest that was asked for.
    """
    data = "" if message is None else f"<additional-data>{encode_base64(message)}</additional-data>"
    who = f"<authorization-identifier>{escape(identifier)}</authorization-identifier>"
    return f"<success xmlns='{NS_SASL2}'>{data}{who}{results}</success>"


def feature(offer: Offer) -> str:
    """What can be had in one request (section 2.1)."""
    names = "".join(f"<mechanism>{name}</mechanism>" for name in offer.mechanisms)
    inline = bind2.FEATURE + stream_management.FEATURE + fast.feature(offer.token_mechanisms)
    return f"<authentication xmlns='{NS_SASL2}'>{names}<inline>{inline}</inline></authentication>"
