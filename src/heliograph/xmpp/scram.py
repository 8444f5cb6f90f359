"""SCRAM, a proof of the password that does not show it (RFC 5802, RFC 7677), both sides.

A server keeps a StoredKey and a ServerKey for each password. Here an account may have several passwords, one for each
device session, all derived under the account's one salt and iteration count: a `ServerExchange` tries the client's
proof against each of them and says which one it fits.

Messages are bytes, without the transport's base64. `algorithm` is hashlib's name: `sha1` or `sha256`. The server signs
what it offered along with the exchange, so that nobody between the two can hide a part of it (XEP-0474).
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from heliograph.xmpp.saslprep import saslprep

ITERATIONS_MIN = 4096  # RFC 7677, section 4: fewer would let a false server guess at a cheap price
ITERATIONS_MAX = 1_000_000  # more would let a false server stop the client for seconds
DECOY_SALT_BYTES = 16
END_POINT = "tls-server-end-point"
"""The one type of channel binding that is spoken here (RFC 5929, section 4)."""

_BLOCK_BYTES = 64  # of both hash functions
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_EMPTY = {"sha1": hashlib.sha1(), "sha256": hashlib.sha256()}  # noqa: S324 - SCRAM-SHA-1 is of RFC 5802
_HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}  # noqa: S303 - SCRAM-SHA-1 is of RFC 5802

_SASLNAME = r"(?:[^,=\0]|=2C|=3D)+"
_NONCE = r"[!-+\--~]+"
_EXTENSIONS = r"(?:,[A-Za-ln-z]=[^,\0]+)*"  # "m" marks an extension that must be understood (section 5.1); none is
_CLIENT_FIRST = re.compile(
    rf"(?P<gs2>(?:p=(?P<type>[A-Za-z0-9.-]+)|(?P<flag>[ny])),(?:a=(?P<authzid>{_SASLNAME}))?,)"
    rf"(?P<bare>n=(?P<username>{_SASLNAME}),r=(?P<nonce>{_NONCE}){_EXTENSIONS})"
)
_SERVER_FIRST = re.compile(
    rf"r=(?P<nonce>{_NONCE}),s=(?P<salt>[^,]+),i=(?P<iterations>[1-9][0-9]{{0,8}})(?P<extensions>{_EXTENSIONS})"
)
_CLIENT_FINAL = re.compile(rf"(?P<bare>c=(?P<binding>[^,]+),r=(?P<nonce>{_NONCE}){_EXTENSIONS}),p=(?P<proof>[^,]+)")
_SERVER_FINAL = re.compile(rf"(?:v=(?P<signature>[^,]+)|e=(?P<error>[^,]+)){_EXTENSIONS}")


class ScramError(Exception):
    """The exchange has failed.

    Attributes:
        condition: the SASL condition (RFC 6120, section 6.5).
    """

    def __init__(self, condition: str, text: str) -> None:
        self.condition = condition
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class ChannelBinding:
    """What ties an exchange to its TLS connection, such as `tls-server-end-point` and the certificate's hash (RFC
    5929).
    """

    type: str
    data: bytes


def derive(password: str, salt: bytes, iterations: int, algorithm: str) -> tuple[bytes, bytes]:
    """StoredKey and ServerKey of a password (RFC 5802, section 3).

    Args:
        password: taken as it is; what a person typed goes through `saslprep` first.
        salt: random bytes of the account.
        iterations: rounds of PBKDF2.
        algorithm: `sha1` or `sha256`.
    """
    client_key, server_key = _keys(password, salt, iterations, algorithm)
    return hashlib.new(algorithm, client_key).digest(), server_key


def offer_digest(mechanisms: Iterable[str], bindings: Iterable[str] | None, algorithm: str) -> str:
    """What a server says of its offer in its first message, and a client compares with what it saw (XEP-0474, section
    5.1).

    Args:
        mechanisms: the names of all offered mechanisms.
        bindings: the types of channel binding (XEP-0440), or `None` where the server names none.
        algorithm: of the mechanism.
    """
    offer = "\x1e".join(sorted(mechanisms))
    if bindings is not None:
        offer += "\x1f" + "\x1e".join(sorted(bindings))
    return encode_base64(hashlib.new(algorithm, offer.encode()).digest())


def decoy_salt(secret: bytes, jid: str) -> bytes:
    """The salt that an account would have which does not exist: always the same one, so that a stranger cannot tell.

    Args:
        secret: of the installation; whoever knows it can tell.
        jid: the bare JID that was asked for.
    """
    return hmac.digest(secret, jid.encode(), "sha256")[:DECOY_SALT_BYTES]


def decode_base64(text: str) -> bytes:
    """Decode base64 in its one canonical form (RFC 4648, section 3.5): no white space, no stray bits.

    Raises:
        ValueError: it is anything else.
    """
    data = binascii.a2b_base64(text)
    if encode_base64(data) != text:
        raise ValueError("The base64 is not canonical")
    return data


def encode_base64(data: bytes) -> str:
    """Encode as base64 without line ends."""
    return binascii.b2a_base64(data, newline=False).decode()


# ------------------------------------------------------------------------------------------------------ the server


class ClientFirst(NamedTuple):
    """The client's first message, read.

    Attributes:
        username: as the client wrote it, unescaped.
        authzid: whom the client wants to act as, or `""`.
        nonce: the client's.
        gs2_header: the part before the bare message, as received.
        bare: the bare message, as received.
    """

    username: str
    authzid: str
    nonce: str
    gs2_header: str
    bare: str


def parse_client_first(
    message: bytes, binding: ChannelBinding | None = None, *, is_plus_offered: bool = False
) -> ClientFirst:
    """Read a client's first message (RFC 5802, section 7) and check what it says of channel binding (section 6).

    Args:
        message: as received.
        binding: of this connection, if the mechanism is a `-PLUS` one; else `None`.
        is_plus_offered: whether the client could have chosen a `-PLUS` mechanism.

    Raises:
        ScramError: `malformed-request`, or `not-authorized` for the wrong channel binding.
    """
    match = _CLIENT_FIRST.fullmatch(_text(message))
    if match is None or (match["type"] is None) != (binding is None):
        raise ScramError("malformed-request", "The first message is malformed")
    if binding is not None and match["type"] != binding.type:
        raise ScramError("not-authorized", "The channel binding is not of the offered type")
    if match["flag"] == "y" and is_plus_offered:  # someone hid the offer from the client
        raise ScramError("not-authorized", "The client did not see that channel binding is offered")
    return ClientFirst(
        _unescape(match["username"]), _unescape(match["authzid"] or ""), match["nonce"], match["gs2"], match["bare"]
    )


@dataclass(slots=True)
class ServerExchange:
    """One exchange, seen from the server, after the client's first message.

    Args:
        algorithm: of the mechanism.
        client_first: the client's first message.
        nonce: unpredictable printable ASCII without commas, never used before.
        salt: the account's.
        iterations: the account's.
        binding: as for `parse_client_first`.
        offer: the `offer_digest` of what the client was offered, if it is to be told.
    """

    algorithm: str
    client_first: ClientFirst
    nonce: str
    salt: bytes
    iterations: int
    binding: ChannelBinding | None = None
    offer: str | None = None
    server_first: str = field(init=False)
    """The server's first message."""

    def __post_init__(self) -> None:
        offer = "" if self.offer is None else f",h={self.offer}"
        nonce = f"{self.client_first.nonce}{self.nonce}"
        self.server_first = f"r={nonce},s={encode_base64(self.salt)},i={self.iterations}{offer}"

    def finish(self, message: bytes, verifiers: Sequence[tuple[str, bytes, bytes]]) -> tuple[str, str]:
        """Check the client's final message.

        Args:
            message: as received.
            verifiers: session id, StoredKey and ServerKey of each password of the account.

        Returns:
            The id of the session whose password was proved, and the server's final message.

        Raises:
            ScramError: `malformed-request`, or `not-authorized` for a false proof.
        """
        match = _CLIENT_FINAL.fullmatch(_text(message))
        if match is None:
            raise ScramError("malformed-request", "The final message is malformed")
        binding, proof = _decode(match["binding"]), _decode(match["proof"])
        expected = self.client_first.gs2_header.encode() + (self.binding.data if self.binding else b"")
        if binding != expected:
            raise ScramError("not-authorized", "The channel bindings do not match")
        if match["nonce"] != self.client_first.nonce + self.nonce:
            raise ScramError("not-authorized", "The nonce is of another exchange")
        signed = f"{self.client_first.bare},{self.server_first},{match['bare']}".encode()
        # All are tried, so that the time does not tell which session it was.
        fitting = [each for each in verifiers if self._fits(proof, each[1], signed)]
        if not fitting:
            raise ScramError("not-authorized", "The proof is false")
        session_id, _, server_key = fitting[0]
        return session_id, f"v={encode_base64(_hmac(server_key, signed, self.algorithm))}"

    def _fits(self, proof: bytes, stored_key: bytes, signed: bytes) -> bool:
        signature = _hmac(stored_key, signed, self.algorithm)
        if len(proof) != len(signature):
            return False
        client_key = _xor(proof, signature)
        return hmac.compare_digest(_hash(client_key, self.algorithm), stored_key)


# ------------------------------------------------------------------------------------------------------ the client


@dataclass(slots=True)
class ClientExchange:
    """One exchange, seen from the client: send `first`, answer with `final`, then `verify` what comes.

    Args:
        algorithm: of the mechanism.
        username: as the person typed it.
        password: as the person typed it.
        nonce: unpredictable printable ASCII without commas, never used before.
        binding: of this connection, for a `-PLUS` mechanism.
        flag: without a binding, what is said of that (RFC 5802, section 6): `n` for a client that can have none here,
            `y` for one that could, and saw no offer.
        offer: the `offer_digest` of what the client saw, if a server's word for it is to be compared.

    Raises:
        Unpreparable: the username or the password holds characters that it may not.
    """

    algorithm: str
    username: str
    password: str = field(repr=False)
    nonce: str
    binding: ChannelBinding | None = None
    flag: str = "n"
    offer: str | None = None
    is_verified: bool = field(default=False, init=False)
    _signature: bytes | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.username, self.password = saslprep(self.username), saslprep(self.password)

    @property
    def _gs2_header(self) -> str:
        return f"p={self.binding.type},," if self.binding else f"{self.flag},,"

    @property
    def _bare(self) -> str:
        name = self.username.replace("=", "=3D").replace(",", "=2C")
        return f"n={name},r={self.nonce}"

    def first(self) -> bytes:
        """The client's first message."""
        return f"{self._gs2_header}{self._bare}".encode()

    def final(self, server_first: bytes) -> bytes:
        """The client's final message, with the proof.

        Raises:
            ScramError: the server's first message is malformed, or not an answer to ours, or asks for too little or
                too much work, or the server has offered something else than the client saw.
        """
        text = _text(server_first)
        match = _SERVER_FIRST.fullmatch(text)
        if match is None:
            raise ScramError("malformed-request", "The server's first message is malformed")
        nonce, iterations = match["nonce"], int(match["iterations"])
        if not nonce.startswith(self.nonce) or nonce == self.nonce:
            raise ScramError("not-authorized", "The server's nonce does not extend ours")
        if not ITERATIONS_MIN <= iterations <= ITERATIONS_MAX:
            raise ScramError("not-authorized", "The server's iteration count is out of bounds")
        offered = [each[2:] for each in match["extensions"].split(",") if each.startswith("h=")]
        if self.offer is not None and offered not in ([], [self.offer]):  # XEP-0474, section 5.2
            raise ScramError("not-authorized", "Someone has changed the server's list of mechanisms on the way")
        client_key, server_key = _keys(self.password, _decode(match["salt"]), iterations, self.algorithm)
        binding = self._gs2_header.encode() + (self.binding.data if self.binding else b"")
        bare = f"c={encode_base64(binding)},r={nonce}"
        signed = f"{self._bare},{text},{bare}".encode()
        self._signature = hmac.digest(server_key, signed, self.algorithm)
        stored_key = hashlib.new(self.algorithm, client_key).digest()
        proof = _xor(client_key, hmac.digest(stored_key, signed, self.algorithm))
        return f"{bare},p={encode_base64(proof)}".encode()

    def verify(self, server_final: bytes) -> None:
        """Check that the server knows the password too.

        Raises:
            ScramError: it does not, or says that the exchange failed.
        """
        match = _SERVER_FINAL.fullmatch(_text(server_final))
        if match is None or self._signature is None:
            raise ScramError("malformed-request", "The server's final message is malformed or out of place")
        if match["error"]:
            raise ScramError("not-authorized", "The server refused the proof")
        if not hmac.compare_digest(_decode(match["signature"]), self._signature):
            raise ScramError("not-authorized", "The server did not prove that it knows the password")
        self.is_verified = True


# ------------------------------------------------------------------------------------------------------- both sides


def _keys(password: str, salt: bytes, iterations: int, algorithm: str) -> tuple[bytes, bytes]:
    """ClientKey and ServerKey."""
    hashed = _HASHES[algorithm]
    # A newer OpenSSL than Python's own, and half its time.
    salted = PBKDF2HMAC(hashed, hashed.digest_size, salt, iterations).derive(password.encode())
    return hmac.digest(salted, b"Client Key", algorithm), hmac.digest(salted, b"Server Key", algorithm)


def _hash(data: bytes, algorithm: str) -> bytes:
    """As `hashlib` does it, but begun with a copy: to make a new context takes it longer than to use it."""
    context = _EMPTY[algorithm].copy()
    context.update(data)
    return context.digest()


def _hmac(key: bytes, message: bytes, algorithm: str) -> bytes:
    """HMAC (RFC 2104, section 2) with a key no longer than a block, in a third of the time that `hmac.digest` takes."""
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    return _hash(padded.translate(_OUTER) + _hash(padded.translate(_INNER) + message, algorithm), algorithm)


def _text(message: bytes) -> str:
    try:
        return message.decode()
    except UnicodeDecodeError:
        raise ScramError("malformed-request", "A message is not UTF-8") from None


def _decode(text: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError:
        raise ScramError("malformed-request", "A message holds what is not base64") from None


def _unescape(name: str) -> str:
    return name.replace("=2C", ",").replace("=3D", "=")


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(len(left))
