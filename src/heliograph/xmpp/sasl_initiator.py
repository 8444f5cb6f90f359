"""Signing in with SASL, the initiating side (RFC 6120, section 6.3): what a server offers, and which of it to take.

SCRAM comes before PLAIN, and channel binding before all: it ties the proof to this TLS connection, so that nobody can
stand between the two, with whatever certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from heliograph.xmpp.sasl_claims import Refused
from heliograph.xmpp.saslprep import saslprep
from heliograph.xmpp.scram import ChannelBinding, ClientExchange, offer_digest
from heliograph.xmpp.stanza import NS_SASL
from heliograph.xmpp.stream_features import NS_CHANNEL_BINDING

_MECHANISMS_PATH = f"{{{NS_SASL}}}mechanisms/{{{NS_SASL}}}mechanism"
_BINDINGS_TAG = f"{{{NS_CHANNEL_BINDING}}}sasl-channel-binding"
_SCRAM: Mapping[str, str] = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}  # best first
_PLUS = "-PLUS"


@dataclass(frozen=True, slots=True)
class Offered:
    """What a server offers to sign in with.

    Attributes:
        mechanisms: their names.
        bindings: the types of channel binding (XEP-0440); `None` where the server names none.
    """

    mechanisms: frozenset[str]
    bindings: frozenset[str] | None

    @classmethod
    def read(cls, features: Element) -> Offered:
        """What stands in `<stream:features/>`."""
        named = features.find(_BINDINGS_TAG)
        bindings = None if named is None else frozenset(each.get("type", "") for each in named)
        return cls(frozenset(each.text or "" for each in features.iterfind(_MECHANISMS_PATH)), bindings)

    @property
    def has_plus(self) -> bool:
        """Whether the server offers channel binding."""
        return any(name.endswith(_PLUS) for name in self.mechanisms)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A mechanism that was chosen, its first message, and for SCRAM the exchange that goes on from there."""

    mechanism: str
    first: bytes = field(repr=False)
    exchange: ClientExchange | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who signs in, over what.

    Attributes:
        username, password: as the person typed them.
        nonce: unpredictable, never used before.
        is_secure: whether the stream is encrypted.
        binding: what ties the sign-in to the TLS connection, where this side can tell.
    """

    username: str
    password: str = field(repr=False)
    nonce: str = field(repr=False)
    is_secure: bool
    binding: ChannelBinding | None = None

    def choose(self, offered: Offered) -> Attempt:
        """The best of what is offered.

        Raises:
            Refused: nothing of it is safe to use.
            Unpreparable: the username or the password holds characters that it may not.
        """
        if self.binding is not None and offered.bindings is not None and self.binding.type in offered.bindings:
            for name, algorithm in _SCRAM.items():
                if name + _PLUS in offered.mechanisms:
                    return self._scram(name + _PLUS, algorithm, offered, self.binding)
        for name, algorithm in _SCRAM.items():
            if name in offered.mechanisms:
                return self._scram(name, algorithm, offered, None)
        if "PLAIN" not in offered.mechanisms or not self.is_secure:
            raise Refused("invalid-mechanism", "The server offers no mechanism that is safe to use")
        return Attempt("PLAIN", f"\0{saslprep(self.username)}\0{saslprep(self.password)}".encode())

    def _scram(self, mechanism: str, algorithm: str, offered: Offered, binding: ChannelBinding | None) -> Attempt:
        could_bind = self.binding is not None and not offered.has_plus  # RFC 5802, section 6
        digest = offer_digest(offered.mechanisms, offered.bindings, algorithm)
        exchange = ClientExchange(
            algorithm, self.username, self.password, self.nonce, binding, "y" if could_bind else "n", digest
        )
        return Attempt(mechanism, exchange.first(), exchange)
