"""Bind 2: binding a resource along with signing in (XEP-0386), and what a session begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from heliograph.xmpp import carbons, client_state, stream_management
from heliograph.xmpp.stream_management import EnableWanted

NS_BIND2 = "urn:xmpp:bind:0"
BIND_TAG = f"{{{NS_BIND2}}}bind"

_INLINE = (carbons.NS_CARBONS, client_state.NS_CSI, stream_management.NS_SM)
_FEATURES = "".join(f"<feature var='{name}'/>" for name in _INLINE)
FEATURE = f"<bind xmlns='{NS_BIND2}'><inline>{_FEATURES}</inline></bind>"
"""How it is announced (section 3.1)."""


@dataclass(frozen=True, slots=True)
class BindRequest:
    """What a client wants to be bound with (section 3.2).

    Attributes:
        tag: what the resource is to begin with; usually the client's name.
        enable: whether and how the stream is to be managed (XEP-0198).
        has_carbons: whether it gets copies of the user's messages (XEP-0280).
        is_active: whether somebody looks at it (XEP-0352).
    """

    tag: str | None = None
    enable: EnableWanted | None = None
    has_carbons: bool = False
    is_active: bool = True


def parse(element: Element) -> BindRequest:
    """Read `<bind/>`; what is asked for besides, and is not known here, is left out.

    Raises:
        StreamError: a part of it is malformed.
    """
    enable = element.find(f"{{{stream_management.NS_SM}}}enable")
    wanted = None if enable is None else stream_management.parse(enable)
    states = [state for child in element if (state := client_state.parse(child)) is not None]
    return BindRequest(
        element.findtext(f"{{{NS_BIND2}}}tag") or None,
        wanted if isinstance(wanted, EnableWanted) else None,
        element.find(carbons.ENABLE_TAG) is not None,
        all(state.is_active for state in states),
    )


def bound(results: Sequence[bytes]) -> str:
    """`<bound/>` with what the features answer that were asked for."""
    return f"<bound xmlns='{NS_BIND2}'>{b''.join(results).decode()}</bound>"
