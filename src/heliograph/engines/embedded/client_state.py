"""Holding back from inactive clients what can wait (XEP-0352). Nobody else pays for it: while a client is inactive, a
`HoldingOutlet` stands before its resource's outlet.
"""

from __future__ import annotations

from heliograph.core import limits
from heliograph.engines.embedded.router import Outlet, Resource
from heliograph.xmpp.client_state import Held
from heliograph.xmpp.stream import Limits, StreamError

_LIMITS = Limits(max_bytes=2**31, max_depth=2 * limits.STANZA_MAX_DEPTH, max_elements=2**31)
"""Of what this server wrote itself."""


class HoldingOutlet:
    """Where the stanzas of an inactive client go out.

    Attributes:
        outlet: where they go on to.
    """

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self._held = Held(_LIMITS, limits.CSI_HELD_MAX_STANZAS, limits.CSI_HELD_MAX_BYTES)

    def send(self, data: bytes) -> None:
        """Hold a stanza back, or send it behind all that was held."""
        for stanza in self._held.offer(data):
            self.outlet.send(stanza)

    def flush(self) -> None:
        """Send all that was held."""
        for stanza in self._held.flush():
            self.outlet.send(stanza)

    def end(self, error: StreamError) -> None:
        """End the stream with an error and close."""
        self.outlet.end(error)


def become_inactive(resource: Resource) -> None:
    """Nobody looks at the client."""
    if not isinstance(resource.outlet, HoldingOutlet):
        resource.outlet = HoldingOutlet(resource.outlet)


def become_active(resource: Resource) -> None:
    """Somebody looks at the client, or it came back with a new connection, which begins as active (section 5)."""
    holding = resource.outlet
    if isinstance(holding, HoldingOutlet):
        resource.outlet = holding.outlet
        holding.flush()
