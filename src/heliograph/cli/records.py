"""Bring a database to this version, and move all records from one database to another."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from heliograph.cli.options import ConfigFile
from heliograph.cli.running import refuse, run, settings_of
from heliograph.database import migrate_database
from heliograph.errors import HeliographError, SettingsInvalid
from heliograph.settings import Settings
from heliograph.storage import interchange, migrations
from heliograph.storage.interchange import Header
from heliograph.storage.sqlite import tables as sqlite_tables
from heliograph.system.secret import keep_secret, present_secret


def migrate(config: ConfigFile = None) -> None:
    """Bring the database to the version of this Heliograph, making it where there is none, and say from which.

    A node does the same when it starts. Migrations only add, so nodes of the version before may run on meanwhile.
    """
    before, after = run(migrate_database(settings_of(config)))
    print(f"schema {after}, as before" if before == after else f"schema {before} -> {after}")


def export(
    file: Annotated[Path, typer.Argument(help="A file that is not there yet; - for the standard output.")],
    config: ConfigFile = None,
) -> None:
    """Write all records to one file, as they stand at one moment, while the node runs.

    The file holds what signs users in, and the installation's secret: keep it as safe as the database. What is
    written after that moment is not in it, so stop the node first when you move for good.
    """
    settings = settings_of(config)
    try:
        with _new_file(file) as output, _reading(settings) as source:
            _check_version(source.version)
            secret = present_secret(settings.installation_secret_file)
            rows = interchange.write(source, Header(source.version, secret), output.write)
    except HeliographError as error:
        refuse(error)
    except OSError as error:
        refuse(SettingsInvalid(f"{file}: {error.strerror}"))
    print(f"{rows} rows of schema {migrations.newest()}", file=sys.stderr)
    _say_what_else(settings)


def import_(
    file: Annotated[Path, typer.Argument(help="What `heliograph export` wrote; - for the standard input.")],
    config: ConfigFile = None,
) -> None:
    """Fill an empty database with what `heliograph export` wrote, whole or not at all.

    The installation's secret goes to its place, unless another one is there already.
    """
    settings = settings_of(config)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    run(migrate_database(settings))
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
            rows = _fill(settings, opened)
    except HeliographError as error:
        refuse(error)
    except OSError as error:
        refuse(SettingsInvalid(f"{file}: {error.strerror}"))
    print(f"{rows} rows")


def _fill(settings: Settings, opened: BinaryIO) -> int:
    parts = interchange.read(iter(lambda: opened.readline(interchange.LINE_MAX_BYTES + 1), b""))
    header = next(parts, None)
    if not isinstance(header, Header):
        raise SettingsInvalid("The file is no export of Heliograph")
    _check_version(header.schema)
    with _filling(settings) as target:
        if (filled := target.first_filled()) is not None:
            raise SettingsInvalid(f"The database is not empty: there are {filled}")
        rows = interchange.load(target, parts, migrations.tables())
        if header.secret is not None:
            keep_secret(settings.installation_secret_file, header.secret)
    return rows


def _check_version(schema: int) -> None:
    if schema != migrations.newest():
        raise SettingsInvalid(
            f"The records are of schema {schema}, and this Heliograph is of {migrations.newest()}: "
            "export and import with one version, after `heliograph migrate`"
        )


def _reading(settings: Settings) -> AbstractContextManager[Any]:
    if settings.database_url is None:
        return sqlite_tables.reading(settings.sqlite_file)
    from heliograph.storage.postgres import tables  # noqa: PLC0415 - an optional library

    return tables.reading(settings.database_url.get_secret_value())


def _filling(settings: Settings) -> AbstractContextManager[Any]:
    if settings.database_url is None:
        return sqlite_tables.filling(settings.sqlite_file)
    from heliograph.storage.postgres import tables  # noqa: PLC0415 - an optional library

    return tables.filling(settings.database_url.get_secret_value())


@contextmanager
def _new_file(file: Path) -> Iterator[BinaryIO]:
    """A file for its owner alone, on the disk once it is whole and gone if it is not; or the standard output."""
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    is_whole = False
    try:
        with os.fdopen(handle, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        is_whole = True
    finally:
        if not is_whole:
            file.unlink()


def _say_what_else(settings: Settings) -> None:
    """Name the files that belong to the records and are not among them."""
    folders = [folder for folder in (settings.media_folder, settings.tls_folder) if folder.is_dir()]
    if folders:
        print(f"Copy into the new data_dir as well: {', '.join(map(str, folders))}", file=sys.stderr)
