"""What is for one key alone: compact JWE (RFC 7516) with ECDH-ES on P-256 and A256GCM (RFC 7518)."""

from __future__ import annotations

import base64
import json

from joserfc import jwe
from joserfc.jwk import ECKey

_ALGORITHMS = ["ECDH-ES", "A256GCM"]


class JweSealer:
    """The adapter of `Sealer`. Each seal has an ephemeral key and an initialisation vector of its own."""

    def seal(self, public_key: str, plaintext: bytes, party: str | None = None) -> str:
        """A compact JWE for the holder of a key. `party` and the key's thumbprint are bound to the key agreement: two
        values that differ, as they have to (RFC 7518, section 4.6.2).
        """
        header = {"alg": "ECDH-ES", "enc": "A256GCM"}
        key = ECKey.import_key(json.loads(public_key))
        if party is not None:
            name = base64.urlsafe_b64encode(party.encode()).rstrip(b"=").decode()
            header |= {"apu": name, "apv": key.thumbprint()}
        return jwe.encrypt_compact(header, plaintext, key, algorithms=_ALGORITHMS)
