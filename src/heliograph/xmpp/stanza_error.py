"""The error that a request earns, as XMPP says it (RFC 6120, section 8.3)."""

from __future__ import annotations

from heliograph.errors import StanzaCondition
from heliograph.xmpp.stanza import Stanza, stanza_error


class StanzaError(Exception):
    """A stanza asked for something that cannot be; `answer()` is what its sender gets.

    Attributes:
        condition: the error's type and its defined condition (RFC 6120, section 8.3.3).
        text: one sentence for a person, or `""`.
        application: an application-specific condition element as XML, or `""`.
    """

    def __init__(self, type: str, condition: str, text: str = "", application: str = "") -> None:  # noqa: A002
        self.condition = StanzaCondition(type, condition)
        self.text = text
        self.application = application
        super().__init__(text or condition)

    def answer(self, request: Stanza, to: str) -> bytes | None:
        """The error stanza for a request from the full JID `to`; `None` where none may be sent."""
        return stanza_error(request, to, *self.condition, text=self.text, application=self.application)


def bad_request(text: str, application: str = "") -> StanzaError:
    """The request's form is wrong (RFC 6120, section 8.3.3.1)."""
    return StanzaError("modify", "bad-request", text, application)


def not_acceptable(text: str, application: str = "") -> StanzaError:
    """A value lies outside of what is accepted (RFC 6120, section 8.3.3.9)."""
    return StanzaError("modify", "not-acceptable", text, application)


def feature_not_implemented(text: str) -> StanzaError:
    """What the request asks for is not done here (RFC 6120, section 8.3.3.3)."""
    return StanzaError("cancel", "feature-not-implemented", text)


def item_not_found(text: str) -> StanzaError:
    """What the request names does not exist (RFC 6120, section 8.3.3.7)."""
    return StanzaError("cancel", "item-not-found", text)
