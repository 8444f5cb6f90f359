"""TLS as a pipe between two byte streams, so that a stream can start it at an exact byte (RFC 6120, section 5).

The event loop's own upgrade can deliver decrypted bytes before it has returned; a pipe over `ssl.MemoryBIO` cannot.
"""

from __future__ import annotations

import contextlib
import ssl
from os import PathLike

from heliograph.errors import RequestInvalid, Unreachable

_READ_BYTES = 64 * 1024


def client_context(ca_file: str | PathLike[str] | None = None) -> ssl.SSLContext:
    """What the SDK trusts: the certificates that the machine trusts, and those of a file.

    Args:
        ca_file: PEM file, such as the self-signed certificate of a node in development.

    Raises:
        RequestInvalid: the file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise RequestInvalid(f"{ca_file}: no certificates there", details={"field": "ca_file"}) from error
    return context


class TlsPipe:
    """The client's end of one TLS connection. Its first bytes are in `outgoing` at once.

    Args:
        context: what is trusted.
        server_name: whom the server's certificate has to be for (RFC 6125).

    Attributes:
        is_established: whether the handshake is done and the certificate was found good.
    """

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self.is_established = False
        self.decrypt(b"")

    def decrypt(self, data: bytes) -> bytes:
        """Take bytes from the wire; return the plain text that they complete. `outgoing` may hold an answer afterwards.

        Raises:
            Unreachable: the server's certificate is not trusted, or the server does not speak TLS as we do.
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
            raise Unreachable(f"The server's certificate is not trusted: {error.verify_message}") from None
        except ssl.SSLError as error:
            raise Unreachable(f"TLS failed: {error.reason or 'unknown'}") from None

    def _read(self) -> bytes:
        pieces: list[bytes] = []
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while piece := self._object.read(_READ_BYTES):
                pieces.append(piece)
        return b"".join(pieces)

    def encrypt(self, data: bytes) -> bytes:
        """Take plain text; return the bytes for the wire. Only once `is_established`."""
        self._object.write(data)
        return self._outgoing.read()

    def outgoing(self) -> bytes:
        """Bytes for the wire that are due now: handshake, alerts."""
        return self._outgoing.read()

    def close_notify(self) -> bytes:
        """The alert that ends our direction (RFC 8446, section 6.1)."""
        with contextlib.suppress(ssl.SSLError):  # the server's own close_notify is not waited for
            self._object.unwrap()
        return self._outgoing.read()
