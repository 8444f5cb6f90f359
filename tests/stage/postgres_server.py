"""A PostgreSQL server of the tests' own, and empty databases on it."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psycopg

from heliograph.storage.postgres.connection import migrate
from patience import PATIENCE_S


def program(name: str) -> str | None:
    """Where one of PostgreSQL's programs is; Debian keeps them off the path."""
    found = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))]
    return shutil.which(name) or (found[-1] if found else None)


def _as_owner() -> dict[str, object]:
    """PostgreSQL does not run as root; Debian's package brings a user for it."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return int(each.getsockname()[1])


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server with a database `heliograph` of the present schema; gives its URL, which ends before a database's name.

    What it writes need not survive a crash of the machine, so it does not wait for the disk.
    """
    with tempfile.TemporaryDirectory(prefix="heliograph-postgres-") as name:
        folder, owner = Path(name), _as_owner()
        if owner:
            os.chown(folder, owner["user"], owner["group"])  # type: ignore[arg-type]
        data, port = folder / "data", _free_port()
        initdb, server = program("initdb"), program("postgres")
        assert initdb is not None
        assert server is not None
        made = ("-D", str(data), "-U", "heliograph", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8")
        subprocess.run((initdb, *made), check=True, stdout=subprocess.DEVNULL, cwd=folder, **owner)  # type: ignore[call-overload]
        options = ("listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}", "fsync=off")
        arguments = [part for option in (*options, "max_connections=200") for part in ("-c", option)]
        with subprocess.Popen(  # type: ignore[call-overload]
            (server, "-D", str(data), *arguments), cwd=folder, stderr=(folder / "log").open("wb"), **owner
        ) as running:
            url = f"postgresql://heliograph@127.0.0.1:{port}/"
            try:
                with ThreadPoolExecutor(1) as aside:  # the caller's thread may have an event loop of its own
                    aside.submit(asyncio.run, _prepare(url)).result()
                yield url
            finally:
                running.send_signal(signal.SIGINT)  # without waiting for clients
                running.wait(PATIENCE_S)


class RestartablePostgres:
    """A server that can be killed and started again over the same data; it waits for the disk.

    Args:
        folder: its own; PostgreSQL's user may enter it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = _free_port()
        self._running: subprocess.Popen[bytes] | None = None
        self.database_url = f"postgresql://heliograph@127.0.0.1:{self._port}/heliograph"

    @property
    def pid(self) -> int:
        """The process that has started all others of the server."""
        assert self._running is not None
        return self._running.pid

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[RestartablePostgres]:
        """A new server with a database of the present schema."""
        with tempfile.TemporaryDirectory(prefix="heliograph-postgres-") as name:
            server = cls(Path(name))
            server._make()
            server.start()
            try:
                with ThreadPoolExecutor(1) as aside:  # the caller's thread may have an event loop of its own
                    aside.submit(asyncio.run, _prepare(server.database_url.removesuffix("heliograph"))).result()
                yield server
            finally:
                server.kill()

    def _make(self) -> None:
        owner, initdb = _as_owner(), program("initdb")
        assert initdb is not None
        if owner:
            os.chown(self._folder, owner["user"], owner["group"])  # type: ignore[arg-type]
        made = (initdb, "-D", f"{self._folder}/data", "-U", "heliograph", "--auth=trust", "--locale=C", "-E", "UTF8")
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **owner)  # type: ignore[call-overload]

    def start(self) -> None:
        """Start it unless it is up, and wait until it answers."""
        if self._running is not None:
            return
        server = program("postgres")
        assert server is not None
        options = ("listen_addresses=127.0.0.1", f"port={self._port}", f"unix_socket_directories={self._folder}")
        arguments = [part for option in (*options, "max_connections=200") for part in ("-c", option)]
        log = (self._folder / "log").open("ab")
        command = (server, "-D", f"{self._folder}/data", *arguments)
        self._running = subprocess.Popen(command, cwd=self._folder, stderr=log, **_as_owner())  # type: ignore[call-overload]
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                psycopg.connect(self.database_url.removesuffix("heliograph") + "postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("PostgreSQL did not start")

    def kill(self) -> None:
        """End it at once, its connections too, as a crash of the server does; what it acknowledged is on the disk."""
        if self._running is not None:
            self._running.send_signal(signal.SIGQUIT)
            self._running.wait(PATIENCE_S)
            self._running = None


async def _prepare(url: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(f"{url}postgres", autocommit=True) as connection:
                    await connection.execute("CREATE DATABASE heliograph")
                    break
            except psycopg.OperationalError:
                await asyncio.sleep(0.05)  # it is still starting
    await migrate(f"{url}heliograph")


@asynccontextmanager
async def empty_database(server_url: str) -> AsyncIterator[str]:
    """A database of the present schema without a row, which numbers from 1 on; gives its URL. There is one, for one
    test at a time.
    """
    url = f"{server_url}heliograph"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SET session_replication_role = replica")  # no foreign keys: any order will do
        tables = await connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_versions'"
        )
        statements = [f"DELETE FROM {name}" for (name,) in await tables.fetchall()]
        sequences = await connection.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
        statements += [f"ALTER SEQUENCE {name} RESTART" for (name,) in await sequences.fetchall()]
        await connection.execute("; ".join(statements))
    yield url
