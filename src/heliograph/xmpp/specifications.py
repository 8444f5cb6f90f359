"""Which RFCs and XEPs are spoken here, in which version and how far.

This is one table, since version and status are facts about a document, of which several modules may do a part. Where a
specification is done stands with the module: its docstring names it. `make docs` brings both together in
docs/reference, and tests see to it that neither names what the other does not, and that each entry is shown by a
conversation in tests/conformance.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How far a specification is done, in the words of XEP-0453."""

    COMPLETE = "complete"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Specification:
    """A document that the server follows.

    Attributes:
        number: such as `RFC 6120` or `XEP-0198`.
        title: its own.
        version: of a XEP, `""` for an RFC, which does not change.
        note: what is not done, or how, where that is worth a word.
        since: the first version of Heliograph that speaks it.
    """

    number: str
    title: str
    version: str = ""
    status: Status = Status.COMPLETE
    note: str = ""
    since: str = "0.1.0"

    @property
    def url(self) -> str:
        """Where the document can be read."""
        if self.number.startswith("RFC"):
            return f"https://www.rfc-editor.org/rfc/rfc{self.number[4:]}.html"
        return f"https://xmpp.org/extensions/{self.number.lower()}.html"


_PARTIAL = Status.PARTIAL

SPECIFICATIONS = (
    Specification("RFC 5802", "Salted Challenge Response Authentication Mechanism (SCRAM)"),
    Specification("RFC 6120", "XMPP: Core", status=_PARTIAL, note="Clients only: servers are not connected to."),
    Specification("RFC 6121", "XMPP: Instant Messaging and Presence", note="Within one domain."),
    Specification("RFC 6351", "xCard: vCard XML Representation"),
    Specification("RFC 7395", "An XMPP Subprotocol for WebSocket"),
    Specification("RFC 7622", "XMPP: Address Format"),
    Specification("RFC 7628", "SASL Mechanisms for OAuth: OAUTHBEARER"),
    Specification("RFC 7677", "SCRAM-SHA-256 and SCRAM-SHA-256-PLUS"),
    Specification("XEP-0004", "Data Forms", "2.13.2", _PARTIAL, "As far as other XEPs need them."),
    Specification("XEP-0012", "Last Activity", "2.0"),
    Specification("XEP-0030", "Service Discovery", "2.5.0"),
    Specification("XEP-0049", "Private XML Storage", "1.2", note="Over nodes of the user's own (XEP-0223)."),
    Specification("XEP-0054", "vcard-temp", "1.3.0", note="A view of the profile."),
    Specification("XEP-0059", "Result Set Management", "1.0.1", _PARTIAL, "No page by its number. For the archive."),
    Specification(
        "XEP-0060",
        "Publish-Subscribe",
        "1.30.0",
        _PARTIAL,
        "On accounts. The owner alone publishes; no access model authorize, subscription options or expiry of items.",
    ),
    Specification("XEP-0082", "XMPP Date and Time Profiles", "1.1.1"),
    Specification("XEP-0084", "User Avatar", "1.1.4", note="A view of the profile."),
    Specification("XEP-0092", "Software Version", "1.1"),
    Specification("XEP-0115", "Entity Capabilities", "1.6.0"),
    Specification("XEP-0128", "Service Discovery Extensions", "1.0.1"),
    Specification("XEP-0153", "vCard-Based Avatars", "1.1.1", note="The server fills in the hash."),
    Specification("XEP-0156", "Discovering Alternative XMPP Connection Methods", "1.4.0", note="For WebSocket."),
    Specification("XEP-0157", "Contact Addresses for XMPP Services", "1.1.1"),
    Specification("XEP-0160", "Best Practices for Handling Offline Messages", "1.0.1"),
    Specification("XEP-0163", "Personal Eventing Protocol", "1.2.2"),
    Specification("XEP-0172", "User Nickname", "1.1", note="A view of the profile's name."),
    Specification("XEP-0184", "Message Delivery Receipts", "1.4.0", note="Passed through; part of carbons."),
    Specification("XEP-0191", "Blocking Command", "1.3"),
    Specification("XEP-0198", "Stream Management", "1.6.3"),
    Specification("XEP-0199", "XMPP Ping", "2.0.1"),
    Specification("XEP-0202", "Entity Time", "2.0"),
    Specification("XEP-0203", "Delayed Delivery", "2.0"),
    Specification("XEP-0223", "Persistent Storage of Private Data via PubSub", "1.1.1"),
    Specification("XEP-0280", "Message Carbons", "1.0.1"),
    Specification("XEP-0292", "vCard4 Over XMPP", "0.12.0", note="A view of the profile."),
    Specification("XEP-0297", "Stanza Forwarding", "1.0"),
    Specification("XEP-0313", "Message Archive Management", "1.1.3", note="One-to-one messages of accounts."),
    Specification("XEP-0333", "Displayed Markers", "1.0.0", note="Passed through; part of carbons."),
    Specification("XEP-0334", "Message Processing Hints", "1.0.0"),
    Specification("XEP-0352", "Client State Indication", "1.0.0"),
    Specification("XEP-0359", "Unique and Stable Stanza IDs", "0.7.0"),
    Specification("XEP-0368", "SRV records for XMPP over TLS", "1.1.0", note="The records are the operator's."),
    Specification("XEP-0386", "Bind 2", "1.1.0", note="Offline messages are delivered, and not dropped, at the bind."),
    Specification("XEP-0388", "Extensible SASL Profile", "1.0.4", note="Without tasks."),
    Specification("XEP-0398", "User Avatar to vCard-Based Avatars Conversion", "1.0.0"),
    Specification("XEP-0440", "SASL Channel-Binding Type Capability", "1.0.0"),
    Specification("XEP-0474", "SASL SCRAM Downgrade Protection", "0.5.0"),
    Specification("XEP-0484", "Fast Authentication Streamlining Tokens", "0.2.0", note="HT-SHA-256-ENDP and -NONE."),
)
"""In the order of their numbers."""
