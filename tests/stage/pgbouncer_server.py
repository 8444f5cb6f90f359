"""A PgBouncer of the tests' own in front of a PostgreSQL, in session mode, with nothing else said in its settings."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from patience import PATIENCE_S

_INI = """
[databases]
heliograph = host={host} port={port} user=heliograph
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = session
"""


def program() -> str | None:
    """Where it is; Debian keeps it off the path of most users."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pgbouncer(database_url: str) -> Iterator[str]:
    """The URL by way of it."""
    parts = urlsplit(database_url)
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        own: int = each.getsockname()[1]
    server = program()
    assert server is not None
    with tempfile.TemporaryDirectory(prefix="heliograph-pgbouncer-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "pgbouncer.ini").write_text(_INI.format(host=parts.hostname, port=parts.port, own=own))
        user = {} if os.getuid() else {"user": pwd.getpwnam("postgres").pw_uid}  # it does not run as root
        command = (server, str(folder / "pgbouncer.ini"))
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user) as running:  # type: ignore[call-overload]
            try:
                _listens(own)
                yield f"postgresql://heliograph@127.0.0.1:{own}/heliograph"
            finally:
                running.kill()


def _listens(port: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError("PgBouncer did not start")
