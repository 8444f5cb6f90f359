"""Entity capabilities (XEP-0115): learn once what each client version can do, and whom to notify of what."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree.ElementTree import Element

from heliograph.xmpp.disco import Form, Identity, Info
from heliograph.xmpp.stanza import quote

NS_CAPS = "http://jabber.org/protocol/caps"

_TAG = f"{{{NS_CAPS}}}c"
_ATTRIBUTE_MAX_CHARS = 256
_INTERESTS_MAX = 64
_NOTIFY = "+notify"

# The Hash Function Textual Names of IANA, and what hashlib calls them; broken functions are left out.
_HASHES = {
    "sha-1": "sha1",
    "sha-224": "sha224",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
    "sha3-256": "sha3_256",
    "sha3-512": "sha3_512",
}


class Caps(NamedTuple):
    """The announcement in a presence (XEP-0115, section 4); a key for what is learnt of it."""

    hash: str
    node: str
    ver: str

    @property
    def query_node(self) -> str:
        """The node that a disco#info request asks for (section 6.2)."""
        return f"{self.node}#{self.ver}"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What was learnt of a client.

    Attributes:
        features: all that it supports.
        interests: the nodes whose events it wants (XEP-0163, section 4.2).
        is_verified: whether the announced hash stands for it, so that it holds for every client that announces the
            same; if not, it holds for the client that answered and for no other (XEP-0115, section 5.4).
    """

    features: frozenset[str]
    interests: frozenset[str]
    is_verified: bool


def parse(presence: Element) -> Caps | None:
    """Find the announcement in a presence; `None` if there is none, it is of the legacy format (section 13) or longer
    than any client's.
    """
    found = presence.find(_TAG)
    if found is None:
        return None
    caps = Caps(found.get("hash", ""), found.get("node", ""), found.get("ver", ""))
    return caps if all(0 < len(part) <= _ATTRIBUTE_MAX_CHARS for part in caps) else None


def caps_xml(caps: Caps) -> str:
    """The announcement, for a presence or for stream features (section 6.3)."""
    return f"<c xmlns='{NS_CAPS}' hash={quote(caps.hash)} node={quote(caps.node)} ver={quote(caps.ver)}/>"


def learn(caps: Caps, info: Info) -> Capabilities:
    """What the answer to the request for `caps` tells (section 5.4)."""
    is_verified = is_well_formed(info) and verification_string(info, caps.hash) == caps.ver
    return Capabilities(frozenset(info.features), interests(info.features), is_verified)


def interests(features: Iterable[str]) -> frozenset[str]:
    """The nodes whose events are wanted: the first 64 features that end in `+notify`, without it (XEP-0060, section
    9.2).
    """
    wanted = [feature.removesuffix(_NOTIFY) for feature in features if feature.endswith(_NOTIFY)]
    return frozenset(wanted[:_INTERESTS_MAX])


def is_well_formed(info: Info) -> bool:
    """Whether nothing stands twice that may stand once (section 5.4)."""
    if _has_twins(info.identities) or _has_twins(info.features):
        return False
    types = [_form_types(form) for form in info.forms]
    if any(len(values) > 1 for values in types):
        return False
    return not _has_twins([value for values in types for value in values])


def _has_twins(values: Iterable[object]) -> bool:
    found = list(values)
    return len(found) != len(set(found))


def _form_types(form: Form) -> set[str]:
    """The different values of a form's hidden FORM_TYPE; none means that the form does not count (section 5.4)."""
    return {
        value for field in form.fields if field.var == "FORM_TYPE" and field.type == "hidden" for value in field.values
    }


def verification_string(info: Info, hash_name: str) -> str | None:
    """The hash over an entity's information (section 5.1), or `None` if the hash function is not supported."""
    algorithm = _HASHES.get(hash_name)
    if algorithm is None:
        return None
    parts = [_identity_text(identity) for identity in sorted(info.identities, key=_identity_order)]
    parts += sorted((_factor(feature) for feature in info.features), key=str.encode)
    counted = [(min(types), form) for form in info.forms if (types := _form_types(form))]
    for form_type, form in sorted(counted, key=lambda pair: pair[0].encode()):
        parts += _form_parts(form_type, form)
    text = "".join(f"{part}<" for part in parts)
    return base64.b64encode(hashlib.new(algorithm, text.encode()).digest()).decode()


def _factor(text: str) -> str:
    """A `<` inside a part stays escaped, or it would pass for the mark between two parts (section 5.1)."""
    return text.replace("<", "&lt;")


def _identity_order(identity: Identity) -> tuple[bytes, ...]:
    return tuple(part.encode() for part in (identity.category, identity.type, identity.lang, identity.name))


def _identity_text(identity: Identity) -> str:
    return _factor(f"{identity.category}/{identity.type}/{identity.lang}/{identity.name}")


def _form_parts(form_type: str, form: Form) -> list[str]:
    parts = [_factor(form_type)]
    fields = [field for field in form.fields if field.var != "FORM_TYPE"]
    for field in sorted(fields, key=lambda field: field.var.encode()):
        parts.append(_factor(field.var))
        parts += sorted((_factor(value) for value in field.values), key=str.encode)
    return parts
