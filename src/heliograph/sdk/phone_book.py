"""Finding users by the numbers of a phone book, and agreeing to be found."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

from heliograph import wire
from heliograph.errors import RequestInvalid
from heliograph.sdk.response import Response
from heliograph.sdk.runtime import Calls

_SEPARATORS = re.compile(r"[\s().\-/]")
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def phone_hash(domain: str, number: str) -> str:
    """The hash under which a number is looked for; see `wire.PhoneBookRequest`.

    Args:
        domain: the JID domain of the client configuration.
        number: with its `+` and country code; separators do not matter.

    Raises:
        RequestInvalid: it is no such number.
    """
    compact = _SEPARATORS.sub("", number)
    if _E164.fullmatch(compact) is None:
        raise RequestInvalid("A number has its + and country code", details={"field": "numbers"})
    hashed = hashlib.sha256(f"heliograph-phone-book:{domain}:{compact}".encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


class PhoneBookCalls(Calls):
    """The calls around telephone numbers."""

    async def match_phone_book(self, numbers: Iterable[str]) -> Response[wire.PhoneBookData]:
        """Who of a phone book is a user and has agreed to be found. The numbers leave the device as hashes, which are
        not kept; nobody is made a contact by it.

        Args:
            numbers: at most 5,000, with `+` and country code.

        Raises:
            RequestInvalid: there are too many, or one is no such number.
            RateLimited: too many were looked for of late.
        """
        domain = self._on.config.domain
        body = wire.PhoneBookRequest(hashes=tuple(phone_hash(domain, number) for number in numbers))
        return await self._on.tokens.call("POST", "/phone-book-matches", wire.PhoneBookData, body)

    async def get_discoverability(self) -> Response[wire.DiscoverabilityBody]:
        """Whether the user can be found by telephone number."""
        return await self._on.tokens.call("GET", "/discoverability", wire.DiscoverabilityBody)

    async def set_discoverability(self, *, by_phone: bool) -> Response[wire.DiscoverabilityBody]:
        """Agree to be found by the telephone number of the profile, or not any more."""
        body = wire.DiscoverabilityRequest(by_phone=by_phone)
        return await self._on.tokens.call("PUT", "/discoverability", wire.DiscoverabilityBody, body)
