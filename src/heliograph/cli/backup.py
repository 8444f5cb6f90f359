"""Copy a node's data while it runs."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from heliograph.cli.options import ConfigFile
from heliograph.cli.running import refuse, settings_of
from heliograph.errors import HeliographError, SettingsInvalid
from heliograph.settings import Settings
from heliograph.storage.sqlite.backup import copy

MANIFEST = "backup.json"


def backup(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")], config: ConfigFile = None
) -> None:
    """Copy all data of a node into a new folder, while it runs.

    The copy is that of one moment. To restore it, stop the node and start one with the folder as its data_dir. It holds
    what the data folder holds, private keys too: keep it as safe.
    """
    settings = settings_of(config)
    try:
        made = _copy_all(settings, folder)
    except HeliographError as error:
        refuse(error)
    print(f"{folder}: schema {made['schema']}, {made['files']} files")


def _copy_all(settings: Settings, folder: Path) -> dict[str, Any]:
    """Copy into a draft beside the folder, which gets its name once all is there and on the disk."""
    if settings.database_url is not None:
        raise SettingsInvalid("PostgreSQL has its own tools for backups, such as pg_dump; this command copies SQLite")
    if folder.exists():
        raise SettingsInvalid(f"{folder} is there already")
    draft = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700, parents=True)
        made = _copy_into(settings, draft)
        _sync(draft)
        draft.rename(folder)
    except OSError as error:
        raise SettingsInvalid(f"{folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _copy_into(settings: Settings, draft: Path) -> dict[str, Any]:
    """The database, and the files. A stored file never changes, so what the copied database names is among them."""
    restored = Settings(data_dir=draft)  # where a node looks that is started with the copy
    schema = copy(settings.sqlite_file, restored.sqlite_file)
    for source, target in ((settings.media_folder, restored.media_folder), (settings.tls_folder, restored.tls_folder)):
        if source.is_dir():
            shutil.copytree(source, target)
    if settings.installation_secret_file.is_file():
        shutil.copy2(settings.installation_secret_file, restored.installation_secret_file)
    made = {
        "heliograph": version("heliograph"),
        "schema": schema,
        "madeAt": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "files": sum(path.is_file() for path in draft.rglob("*")),
        "databaseSha256": hashlib.sha256(restored.sqlite_file.read_bytes()).hexdigest(),
    }
    (draft / MANIFEST).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    return made


def _sync(folder: Path) -> None:
    """Wait until all of a folder is on the disk."""
    for path in (folder, *folder.rglob("*")):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
