"""Files in a bucket of an S3-compatible object store, for more than one machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from heliograph.core.media import MIME_TYPES
from heliograph.core.media_ports import FILE_NAME
from heliograph.errors import Unreachable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

log = structlog.get_logger("heliograph.media")

_TIMEOUT_S: Final = 15
_LISTED_AT_ONCE: Final = 1000
_PROBE: Final = "doctor.probe"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the files are.

    Attributes:
        name: of the bucket; it is there already.
        endpoint: the server's address; `""` for Amazon's of the region.
        region: as the server calls it.
        prefix: what all names begin with, like a folder; `""` for none.
        access_key_id, secret_access_key: the credentials; both `""` for those that the machine has (variables of the
            environment, a role).
    """

    name: str
    endpoint: str = ""
    region: str = "us-east-1"
    prefix: str = ""
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)

    def open(self) -> S3Store:
        """What speaks to the server; nothing is sent yet."""
        config: S3Config = {"region": self.region}
        if self.endpoint:
            config["endpoint"] = self.endpoint
        if self.access_key_id:
            config["access_key_id"] = self.access_key_id
            config["secret_access_key"] = self.secret_access_key
        client: ClientConfig = {
            "allow_http": self.endpoint.startswith("http://"),
            "timeout": timedelta(seconds=_TIMEOUT_S),
        }
        retry: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=_TIMEOUT_S)}
        prefix = self.prefix.strip("/") or None
        return S3Store(self.name, prefix=prefix, config=config, client_options=client, retry_config=retry)

    def probe(self) -> None:
        """List the bucket, and write, read and delete an object. It waits, and is for commands.

        Raises:
            Unreachable: something of it cannot be done; the message says what.
        """
        store = self.open()
        steps: dict[str, Callable[[], object]] = {
            "listed": lambda: next(iter(obstore.list(store, chunk_size=1)), None),
            "written": lambda: obstore.put(store, _PROBE, b"probe"),
            "read": lambda: bytes(obstore.get(store, _PROBE).bytes()),
            "cleared": lambda: obstore.delete(store, _PROBE),
        }
        for done, step in steps.items():
            try:
                step()
            except (BaseError, OSError) as error:
                raise Unreachable(f"the bucket {self.name} cannot be {done}: {type(error).__name__}") from error


class S3Media:
    """The adapter of `MediaStore` over a bucket.

    A file is as old as the server's time of its last modification.
    Between looking at that time and deleting there are milliseconds in which a file that was renewed is deleted all the
    same: a condition on a deletion is not part of what compatible servers share.

    Args:
        bucket: where the files are.
        base_url: what the names are appended to in public addresses.
    """

    def __init__(self, bucket: Bucket, base_url: str) -> None:
        self._store = bucket.open()
        self._base_url = base_url

    def url(self, name: str) -> str:
        """The public address of a file."""
        return self._base_url + name

    async def put(self, name: str, data: bytes) -> None:
        """Store a file durably; storing the same name again only renews it.

        Raises:
            ValueError: the name breaks its rule.
            Unreachable: the server did not take it.
        """
        if FILE_NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} cannot name a stored file")
        kind = MIME_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        with _reaching():
            await obstore.put_async(
                self._store, name, data, attributes={"Content-Type": kind}, use_multipart=False, mode="overwrite"
            )

    async def get(self, name: str) -> bytes | None:
        """The file of that name; `None` where there is none, or where the name breaks its rule."""
        if FILE_NAME.fullmatch(name) is None:
            return None
        with _reaching():
            try:
                found = await obstore.get_async(self._store, name)
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    async def renew(self, name: str) -> bool:
        """Make a file as young as if it were stored now; `False` where there is none. It is stored again: a copy onto
        itself is not something that all servers take.
        """
        data = await self.get(name)
        if data is None:
            return False
        await self.put(name, data)
        return True

    async def stale(self, before: float, after: str, limit: int) -> list[str]:
        """Names of files that are older, in order, beginning behind `after`."""
        found: list[str] = []
        with _reaching():
            async for metas in obstore.list(self._store, offset=after or None, chunk_size=_LISTED_AT_ONCE):
                old = (meta["path"] for meta in metas if meta["last_modified"].timestamp() < before)
                found += old
                if len(found) >= limit:
                    break
        return found[:limit]

    async def remove(self, name: str, before: float) -> bool:
        """Delete a file that is older; whether there is none of that name now."""
        if FILE_NAME.fullmatch(name) is None:
            return True
        with _reaching():
            try:
                meta = await obstore.head_async(self._store, name)
                if meta["last_modified"].timestamp() >= before:
                    return False
                await obstore.delete_async(self._store, name)
            except FileNotFoundError:
                pass
        return True

    async def clear_partial(self, before: float) -> int:  # noqa: ARG002 - the port's signature
        """Nothing is ever half written: the server shows a file once it has all of it."""
        return 0


@contextmanager
def _reaching() -> Iterator[None]:
    """Tell what the server does wrong to the log, and callers that it cannot be reached."""
    try:
        yield
    except (BaseError, OSError) as error:
        log.warning("s3_failed", reason=type(error).__name__)
        raise Unreachable("The store of pictures cannot be reached") from error
