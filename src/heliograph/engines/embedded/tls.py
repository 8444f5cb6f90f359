"""TLS as a pipe between two byte streams, so that a connection can start it at an exact byte (RFC 6120, section 5).

The event loop's own TLS can deliver decrypted bytes before an upgrade has returned, and keeps large buffers for each
connection; a pipe over `ssl.MemoryBIO` does neither.
"""

from __future__ import annotations

import contextlib
import ssl

_READ_BYTES = 64 * 1024


class TlsFailed(Exception):
    """The handshake or a record failed; what `TlsPipe.outgoing` still holds is the alert to send."""


class TlsPipe:
    """The server's end of one TLS connection.

    Args:
        context: certificate, key and protocol versions.

    Attributes:
        is_established: whether the handshake is done; before it nothing can be encrypted.
    """

    __slots__ = ("_incoming", "_object", "_outgoing", "is_established")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.is_established = False

    def decrypt(self, data: bytes) -> bytes:
        """Take bytes from the wire; return the plain text that they complete. `outgoing` may hold an answer afterwards.

        Raises:
            TlsFailed: the peer does not speak TLS as we do, or broke it.
        """
        self._incoming.write(data)
        try:
            if not self.is_established:
                self._object.do_handshake()
                self.is_established = True
            return self._read()
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLError as error:
            raise TlsFailed(error.reason or "TLS failed") from None

    def _read(self) -> bytes:
        pieces: list[bytes] = []
        while True:
            try:
                piece = self._object.read(_READ_BYTES)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                break
            if not piece:
                break
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

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
