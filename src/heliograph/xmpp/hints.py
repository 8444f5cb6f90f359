"""Message processing hints (XEP-0334): what a sender wants to become of a message, and what it does not."""

from __future__ import annotations

NS_HINTS = "urn:xmpp:hints"

NO_PERMANENT_STORE = f"{{{NS_HINTS}}}no-permanent-store"
NO_STORE = f"{{{NS_HINTS}}}no-store"
NO_COPY = f"{{{NS_HINTS}}}no-copy"
STORE = f"{{{NS_HINTS}}}store"
