"""Which servers the SDK trusts."""

from __future__ import annotations

import ssl
from os import PathLike

from heliograph.errors import RequestInvalid


def client_context(ca_file: str | PathLike[str] | None = None) -> ssl.SSLContext:
    """What the SDK trusts: the certificates that the machine trusts, and those of a file.

    Args:
        ca_file: PEM file, such as the self-signed certificate of a node in development.

    Raises:
        RequestInvalid: the file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["xmpp-client"])  # XEP-0368, section 2
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise RequestInvalid(f"{ca_file}: no certificates there", details={"field": "ca_file"}) from error
    return context
