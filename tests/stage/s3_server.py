"""A real S3 server (moto's) for tests, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx

from heliograph.media.s3 import Bucket
from patience import PATIENCE_S

_PROGRAM = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.disable()
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


class S3Server:
    """A running server, at a free port of this machine."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._numbers = count(1)

    def bucket(self, prefix: str = "") -> Bucket:
        """A new bucket."""
        name = f"bucket-{next(self._numbers)}"
        httpx.put(f"{self.url}/{name}", timeout=PATIENCE_S).raise_for_status()
        return Bucket(name, self.url, prefix=prefix, access_key_id="key", secret_access_key="secret")


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run one while the context lasts; it ends with this process in any case."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield S3Server(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(PATIENCE_S)
