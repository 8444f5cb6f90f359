"""A client's part in SCRAM, by a library that is not the server's (RFC 5802; XEP-0440; XEP-0474)."""

from __future__ import annotations

import hashlib
import ssl
from base64 import b64decode, b64encode
from xml.etree.ElementTree import Element

from scramp import ScramClient

from wires import Account

_MECHANISM = "{urn:ietf:params:xml:ns:xmpp-sasl}mechanism"
_BINDING = "{urn:xmpp:sasl-cb:0}channel-binding"


class ScramSignIn:
    """One exchange; all messages in base64, as they stand in the stream.

    Args:
        mechanism: such as `SCRAM-SHA-256-PLUS`.
        account: who signs in.
        tls: the connection's TLS, to bind to where the mechanism wants it.
    """

    def __init__(self, mechanism: str, account: Account, tls: ssl.SSLObject | None) -> None:
        binding = ("tls-server-end-point", tls) if mechanism.endswith("-PLUS") else None
        self._algorithm = mechanism.removeprefix("SCRAM-").removesuffix("-PLUS").replace("-", "").lower()
        self._client = ScramClient([mechanism], account.username, account.password, channel_binding=binding)

    def first(self) -> str:
        """The client's first message."""
        return _encoded(self._client.get_client_first())

    def final(self, challenge: str, features: Element) -> str:
        """The client's proof, once the server's first message has named the offer that the client saw (XEP-0474)."""
        server_first = b64decode(challenge).decode()
        assert f",h={self._offer(features)}" in server_first, "the server says what it has offered"
        self._client.set_server_first(server_first)
        return _encoded(self._client.get_client_final())

    def success(self) -> str:
        """What the server has to say to show that it knows the password too."""
        return _encoded(f"v={b64encode(self._client.server_signature).decode()}")

    def _offer(self, features: Element) -> str:
        mechanisms = sorted(each.text or "" for each in features.iter(_MECHANISM))
        bindings = sorted(each.get("type", "") for each in features.iter(_BINDING))
        offer = "\x1e".join(mechanisms) + ("\x1f" + "\x1e".join(bindings) if bindings else "")
        return b64encode(hashlib.new(self._algorithm, offer.encode()).digest()).decode()


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()
