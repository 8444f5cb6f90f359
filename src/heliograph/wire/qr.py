"""The public JSON bodies of QR sign-in: the phone's calls, and the messages of the signal server.

Names and rules are those of the whole package. A signal message carries its kind in the field `type`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from heliograph.core import limits
from heliograph.wire.envelope import Body, Request, Secretive
from heliograph.wire.sessions import DeviceBody

SUBPROTOCOL = "heliograph-signal-1"
"""The WebSocket subprotocol of the signal server."""
VERSION: Literal[1] = 1

# ----------------------------------------------------------------------------------------------------- phone, over HTTP


class QrScanRequest(Secretive, Request, frozen=True, kw_only=True):
    """A scan: the CODE of the QR text, or the typed code of 8 letters."""

    code: str


class QrScanData(Body, frozen=True, kw_only=True):
    """What the consent screen has to tell of the device that asks.

    Attributes:
        link_id: the link, for the answer.
        device: what the browser says of itself.
        ip: the network address that it comes from.
        ip_hint: what kind of address that is.
        requested_ago: how many seconds ago it asked.
        expires_in: how many seconds the user may think.
        same_network: whether the phone comes from the same public address; `null` where the app does not care.
        new_device: whether the user has no session of such a browser on such a system.
        needs_key_hash: whether the approval has to carry `keyHash`: so it is, unless the code was typed.
    """

    link_id: str
    device: DeviceBody
    ip: str
    ip_hint: Literal["loopback", "private", "public", "unknown"]
    requested_ago: int
    expires_in: int
    same_network: bool | None
    new_device: bool
    needs_key_hash: bool


class QrApproveRequest(Request, frozen=True, kw_only=True):
    """An approval.

    Attributes:
        key_hash: KEYHASH, as the phone itself has read it out of the QR text.
        force_register: at the session cap, end the least recently active session (`true`) or fail (`false`).
        replace_session: the id of the session that makes room.
    """

    key_hash: str | None = None
    force_register: bool = True
    replace_session: str | None = None


class QrApproveData(Secretive, Body, frozen=True, kw_only=True):
    """The check code that the phone shows and the browser asks for; `null` where the app asks for none."""

    check_code: str | None


# ----------------------------------------------------------------------------------------------- browser to the server


class PublicKeyBody(Request, frozen=True, kw_only=True):
    """An ephemeral key on P-256 as a JWK (RFC 7517, RFC 7518)."""

    kty: Literal["EC"] = "EC"
    crv: Literal["P-256"] = "P-256"
    x: str
    y: str


class Hello(Request, frozen=True, kw_only=True, tag_field="type", tag="hello"):
    """The first message of a browser that wants to be signed in."""

    version: Literal[1]
    license_key: str
    public_key: PublicKeyBody
    device: DeviceBody = DeviceBody()


class Proof(Secretive, Request, frozen=True, kw_only=True, tag_field="type", tag="proof"):
    """What the challenge held."""

    nonce: str


class Resume(Secretive, Request, frozen=True, kw_only=True, tag_field="type", tag="resume"):
    """The first message of a socket that takes the place of a lost one."""

    version: Literal[1]
    license_key: str
    link_id: str
    resume_secret: str


class Continue(Request, frozen=True, kw_only=True, tag_field="type", tag="continue"):
    """A person clicked after `paused`."""


class CheckCode(Secretive, Request, frozen=True, kw_only=True, tag_field="type", tag="checkCode"):
    """The check code, as a person typed it."""

    code: str


class Received(Request, frozen=True, kw_only=True, tag_field="type", tag="received"):
    """The browser has opened the credential. One that does not say so within the minute loses its session again."""


class Cancel(Request, frozen=True, kw_only=True, tag_field="type", tag="cancel"):
    """The browser does not want to be signed in any more."""


FromBrowser = Hello | Proof | Resume | Continue | CheckCode | Received | Cancel

# ----------------------------------------------------------------------------------------------- server to the browser


class Challenge(Body, frozen=True, kw_only=True, tag_field="type", tag="challenge"):
    """A nonce as a compact JWE (ECDH-ES, A256GCM) for the browser's key."""

    jwe: str


class CodeShown(Secretive, Body, frozen=True, kw_only=True, tag_field="type", tag="code"):
    """What to show now.

    Attributes:
        link_id: the link.
        resume_secret: with it another socket can take over.
        qr: the text of the QR code.
        typed_code: the same for typing: 8 letters.
        key_hash: the thumbprint of the browser's key, which the browser checks itself.
        expires_in: how many seconds the code is valid.
        refresh_in: in how many seconds the next one comes.
    """

    link_id: str
    resume_secret: str
    qr: str
    typed_code: str
    key_hash: str
    expires_in: int = limits.QR_CODE_TTL_S
    refresh_in: int = limits.QR_REFRESH_S


class Paused(Body, frozen=True, kw_only=True, tag_field="type", tag="paused"):
    """No further code comes until a person clicks."""


class Scanned(Body, frozen=True, kw_only=True, tag_field="type", tag="scanned"):
    """A phone has scanned the code; its user looks at the consent screen."""


class SigningIn(Body, frozen=True, kw_only=True):
    """Who is about to be signed in, as strangers may see the user."""

    user_id: str
    nick_name: str
    image: str


class Verify(Body, frozen=True, kw_only=True, tag_field="type", tag="verify"):
    """Ask the person for the check code."""

    user: SigningIn
    tries_left: int


class Approved(Secretive, Body, frozen=True, kw_only=True, tag_field="type", tag="approved"):
    """The credential: a compact JWE (ECDH-ES, A256GCM) for the browser's key; `apu` is the link's id, `apv` the key's
    thumbprint.

    Its plaintext is `RegisterData` as JSON. It comes again, the same, to each socket that resumes the link, until the
    browser has sent `received`.
    """

    jwe: str


class Ended(Body, frozen=True, kw_only=True, tag_field="type", tag="ended"):
    """The link is over without a sign-in."""

    code: str
    message: str


class Refused(Body, frozen=True, kw_only=True, tag_field="type", tag="error", omit_defaults=True):
    """The last message was refused; the link goes on unless `ended` follows.

    Attributes:
        code: the error's code.
        message: a sentence for a person.
        retry_after: seconds after which it may be tried again.
        tries_left: of a wrong check code, how many tries are left.
    """

    code: str
    message: str
    retry_after: int | UnsetType = UNSET
    tries_left: int | UnsetType = UNSET


FromServer = Challenge | CodeShown | Paused | Scanned | Verify | Approved | Ended | Refused
