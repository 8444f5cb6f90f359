"""TLS as a pipe between two byte streams, so that a stream can start it at an exact byte (RFC 6120, section 5).

The event loop's own TLS can deliver decrypted bytes before an upgrade has returned, and keeps large buffers for each
connection; a pipe over `ssl.MemoryBIO` does neither. The embedded server and the SDK use the same one.
"""

from __future__ import annotations

import contextlib
import ssl

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

_READ_BYTES = 64 * 1024


def end_point(certificate: bytes) -> bytes | None:
    """The channel binding `tls-server-end-point` of a server's certificate in DER (RFC 5929, section 4.1).

    It is the certificate's hash by the hash function of its own signature, or by SHA-256 where that one is too weak.
    `None` where the signature has no hash function, such as that of Ed25519: the binding is not defined there.
    """
    parsed = x509.load_der_x509_certificate(certificate)
    try:
        algorithm = parsed.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:
        return None
    return parsed.fingerprint(hashes.SHA256() if isinstance(algorithm, hashes.MD5 | hashes.SHA1) else algorithm)


class TlsFailed(Exception):
    """The handshake or a record failed; what `TlsPipe.outgoing` still holds is the alert to send.

    Attributes:
        reason: what went wrong, in OpenSSL's words.
        is_untrusted: whether it is the peer's certificate that is not trusted.
    """

    def __init__(self, reason: str, *, is_untrusted: bool = False) -> None:
        self.reason = reason
        self.is_untrusted = is_untrusted
        super().__init__(reason)


class TlsPipe:
    """One end of a TLS connection. A client's first bytes are in `outgoing` at once.

    Args:
        context: certificate and key of a server, or what a client trusts.
        server_name: for a client, whom the server's certificate has to be for (RFC 6125); `None` for a server.

    Attributes:
        is_established: whether the handshake is done, and the peer's certificate was found good if one is asked for.
        is_ended: whether the peer has said that it sends no more (RFC 8446, section 6.1).
    """

    __slots__ = ("_incoming", "_object", "_outgoing", "is_ended", "is_established")

    def __init__(self, context: ssl.SSLContext, server_name: str | None = None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_name is None, server_hostname=server_name
        )
        self.is_established = self.is_ended = False
        if server_name is not None:
            self.decrypt(b"")

    def decrypt(self, data: bytes) -> bytes:
        """Take bytes from the wire; return the plain text that they complete. `outgoing` may hold an answer afterwards.

        Raises:
            TlsFailed: the peer is not trusted, does not speak TLS as we do, or broke it.
        """
        self._incoming.write(data)
        try:
            if not self.is_established:
                self._object.do_handshake()
                self.is_established = True
            return self._read()
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLCertVerificationError as error:
            raise TlsFailed(error.verify_message, is_untrusted=True) from None
        except ssl.SSLError as error:
            raise TlsFailed(error.reason or "unknown") from None

    def _read(self) -> bytes:
        pieces: list[bytes] = []
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while piece := self._object.read(_READ_BYTES):
                pieces.append(piece)
            self.is_ended = True
        return b"".join(pieces)

    def peer_certificate(self) -> bytes | None:
        """The other side's certificate in DER, once `is_established`; `None` where it has shown none."""
        return self._object.getpeercert(binary_form=True) if self.is_established else None

    def encrypt(self, data: bytes) -> bytes:
        """Take plain text; return the bytes for the wire. Only once `is_established`."""
        self._object.write(data)
        return self._outgoing.read()

    def outgoing(self) -> bytes:
        """Bytes for the wire that are due now: handshake, alerts."""
        return self._outgoing.read()

    def close_notify(self) -> bytes:
        """The alert that ends our direction (RFC 8446, section 6.1)."""
        with contextlib.suppress(ssl.SSLError):  # the peer's own close_notify is not waited for
            self._object.unwrap()
        return self._outgoing.read()
