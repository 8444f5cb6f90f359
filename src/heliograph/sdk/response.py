"""What a call of the SDK resolves to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from heliograph.wire import Body

Data_co = TypeVar("Data_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Response(Generic[Data_co]):
    """A call that succeeded; one that does not raises a `HeliographError`.

    Attributes:
        status_code: an HTTP status.
        message: one or two words for a person.
        data: what the call brings, with attributes in snake_case; `None` where it brings nothing.
    """

    status_code: int
    message: str
    data: Data_co

    def to_dict(self) -> dict[str, Any]:
        """The form that the browser SDK resolves to: `{statusCode, message, data?}`, all names in camelCase."""
        response: dict[str, Any] = {"statusCode": self.status_code, "message": self.message}
        if self.data is not None:
            response["data"] = msgspec.to_builtins(self.data)
        return response


class UserJidData(Body, frozen=True, kw_only=True):
    """The bare JID of the signed-in user."""

    user_jid: str


class SentMessage(Body, frozen=True, kw_only=True):
    """A message that is on its way: the id under which its receiver gets it."""

    message_id: str
