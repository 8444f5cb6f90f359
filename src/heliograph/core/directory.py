"""The directory: by what a user is found, and by whom. Only what a viewer may see finds anybody.

A user is found by the beginning of the identifier or of a word of the name, and by a whole email address or mobile
number. Each of these is a term in an index, with its audience: everyone, or the user's contacts. What is visible to
nobody is no term. A user's metadata is a filter, and so it is shown to whoever finds the user.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from heliograph.core import limits
from heliograph.core.apps import Feature, require_backend, require_feature
from heliograph.core.metadata import Metadata, check_metadata
from heliograph.core.profiles import DEFAULT_VISIBILITY, Profile, Viewer, Visibility, redact
from heliograph.core.unicode_text import is_unicode
from heliograph.errors import RequestInvalid

if TYPE_CHECKING:
    from heliograph.core.accounts import Account
    from heliograph.core.apps import Caller
    from heliograph.core.ports import Ports
    from heliograph.core.tokens import Identity

_IDENTIFIER, _METADATA, _NAME, _EMAIL, _MOBILE = b"i", b"x", b"n", b"e", b"m"
"""What a term begins with: of which kind it is."""

_END = b"\xff"
"""Comes after all that UTF-8 can hold."""


class Term(NamedTuple):
    """Something that a user is found by, and who finds the user so: `everyone`, or the user's `contacts`."""

    term: bytes
    audience: Visibility


class Span(NamedTuple):
    """The terms from `low` on that come before `high`."""

    low: bytes
    high: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """A search, as the store is asked.

    Attributes:
        viewer: the bare JID of who asks, who does not find itself, nor anybody whom blocking keeps apart.
        spans: a user whom one of them finds is found.
        required: terms that the user has to have as well.
        now: seconds since the epoch.
        offset, limit: which of those found are wanted.
    """

    viewer: str
    spans: tuple[Span, ...]
    required: tuple[bytes, ...]
    now: float
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A user who was found: the profile (whole from the store, then as the viewer may see it) and the metadata."""

    profile: Profile
    metadata: Metadata
    is_contact: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A page of those who were found, and how many were found in all, up to `limits.SEARCH_SCAN_MAX`."""

    entries: tuple[Entry, ...]
    total: int


# --------------------------------------------------------------------------------------------------------------- terms


def normal(text: str) -> str:
    """A text as it is searched: compatible characters are one (NFKC), and neither case nor white space counts."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def account_terms(account: Account) -> frozenset[Term]:
    """By what of its account a user is found."""
    terms = {Term(_IDENTIFIER + account.identifier.encode(), Visibility.EVERYONE)}
    return frozenset(terms | {Term(term, Visibility.EVERYONE) for term in metadata_terms(account.metadata)})


def metadata_terms(metadata: Mapping[str, object]) -> tuple[bytes, ...]:
    """The terms of metadata: one for each entry, which no other value has, nor one of another type."""
    return tuple(_METADATA + json.dumps(entry).encode() for entry in sorted(metadata.items()))


def profile_terms(profile: Profile) -> frozenset[Term]:
    """By what of its profile a user is found."""
    found = {
        "name": [_NAME + suffix for suffix in _suffixes(normal(profile.name))],
        "email": [_EMAIL + normal(profile.email).encode()] if profile.email else [],
        "mobile": [_MOBILE + _digits(profile.mobile).encode()] if profile.mobile else [],
    }
    terms: set[Term] = set()
    for field, each in found.items():
        audience = profile.visibility.get(field, DEFAULT_VISIBILITY[field])
        if audience is not Visibility.NOBODY:
            terms.update(Term(term, audience) for term in each)
    return frozenset(terms)


def _suffixes(name: str) -> list[bytes]:
    """A name from each of its words on: `ada lovelace` and `lovelace`; each cut where an index has enough of it."""
    words = name.split()
    starts = range(min(len(words), limits.SEARCH_TERMS_MAX))
    return [" ".join(words[start:]).encode()[: limits.SEARCH_TERM_MAX_BYTES] for start in starts]


def _digits(mobile: str) -> str:
    return re.sub(r"[^0-9]", "", mobile)


def spans(text: str) -> tuple[Span, ...]:
    """The spans in which a text finds users; an empty one finds all."""
    wanted = normal(text)
    if not wanted:
        return (Span(_IDENTIFIER, _IDENTIFIER + _END),)
    begun = [_IDENTIFIER + wanted.encode(), _NAME + wanted.encode()[: limits.SEARCH_TERM_MAX_BYTES]]
    whole = [_EMAIL + wanted.encode()] if "@" in wanted else []
    if re.fullmatch(r"\+?[0-9 ()./-]{6,}", wanted):
        whole.append(_MOBILE + _digits(wanted).encode())
    return (*(Span(term, term + _END) for term in begun), *(Span(term, term + b"\x00") for term in whole))


def identifier_span(prefix: str, after: str) -> Span:
    """The identifiers that begin with a text and come after another."""
    begin = _IDENTIFIER + prefix.encode()
    low = max(begin, _IDENTIFIER + after.encode() + b"\x00") if after else begin
    return Span(low, begin + _END)


# ----------------------------------------------------------------------------------------------------------- use cases


async def search(
    ports: Ports, identity: Identity, text: str, page: int, limit: int, metadata: Mapping[str, object] | None = None
) -> Found:
    """Search the users of the same app and environment.

    Args:
        ports: the node's ports.
        identity: who asks.
        text: the beginning of an identifier or of a word of a name, or a whole email address or mobile number; empty
            for all users.
        page: which page, from 1 on.
        limit: how many users a page has.
        metadata: entries that the users have to have.

    Raises:
        FeatureDisabled: the app offers no search.
        RequestInvalid: the text is too long, or the page or the limit is out of bounds; `details.field` says which.
        MetadataInvalid: the metadata cannot be a user's.
    """
    require_feature(identity.caller.app, Feature.USER_SEARCH)
    if len(text) > limits.SEARCH_TEXT_MAX_CHARS or not is_unicode(text):
        raise _invalid("search", 0, limits.SEARCH_TEXT_MAX_CHARS)
    if not 1 <= limit <= limits.SEARCH_USERS_MAX:
        raise _invalid("limit", 1, limits.SEARCH_USERS_MAX)
    if not 1 <= page <= limits.SEARCH_SCAN_MAX:
        raise _invalid("page", 1, limits.SEARCH_SCAN_MAX)
    required = metadata_terms(check_metadata(metadata or {}))
    viewer, now = identity.account.jid, ports.clock.now()
    query = Query(viewer, spans(text), required, now, (page - 1) * limit, limit)
    found = await ports.directory.search(query)
    return Found(tuple(_seen(entry) for entry in found.entries), found.total)


def _seen(entry: Entry) -> Entry:
    viewer = Viewer.CONTACT if entry.is_contact else Viewer.STRANGER
    return Entry(redact(entry.profile, viewer), entry.metadata, entry.is_contact)


def _invalid(field: str, least: int, most: int) -> RequestInvalid:
    return RequestInvalid(
        f"The field {field} lies between {least} and {most}", details={"field": field, "min": least, "max": most}
    )


async def list_accounts(ports: Ports, caller: Caller, prefix: str, after: str, limit: int) -> list[Account]:
    """The users of an app in the order of their identifiers, deleted ones that can be restored too.

    Args:
        ports: the node's ports.
        caller: the app's backend.
        prefix: what their identifiers begin with.
        after: the identifier that the last page ended with; empty for the first page.
        limit: how many.

    Raises:
        SecretKeyRequired: the caller is not the app's backend.
    """
    require_backend(caller)
    return await ports.directory.page(caller.domain, identifier_span(prefix, after), limit)
