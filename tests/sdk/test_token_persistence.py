"""Tokens over a restart, and their renewal before they expire."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from heliograph import StoredTokens, TokenFile
from heliograph.errors import TokenMissing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "tokens.json"


@pytest.fixture
def store(file: Path) -> TokenFile:
    file.parent.mkdir()
    return TokenFile(file)


def beside(file: Path) -> dict[str, int]:
    """All files of the folder with their modes."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}


async def kept_of_an_earlier_run(new_sdk: Any, store: TokenFile) -> StoredTokens:
    """Register ada, close, and give what was kept of it."""
    first = await new_sdk(token_store=store)
    await first.register("ada")
    await first.close()
    kept = store.load()
    assert kept is not None
    return kept


async def test_a_later_run_is_signed_in_by_what_was_kept(new_sdk: Any, store: TokenFile) -> None:
    await kept_of_an_earlier_run(new_sdk, store)
    later = await new_sdk(token_store=store)
    assert (await later.get_current_user_jid()).data.user_jid == "ada@sandbox.chat.test"
    assert (await later.get_user_profile("ada")).data.user_id == "ada"


async def test_the_file_is_for_its_owner_alone_and_is_replaced_whole(
    new_sdk: Any, store: TokenFile, file: Path
) -> None:
    sdk = await new_sdk(token_store=store)
    await sdk.register("ada")
    assert beside(file) == {"tokens.json": 0o600}
    kept = store.load()
    assert kept is not None
    assert kept.token not in repr(kept)
    await sdk.logout()
    assert beside(file) == {}
    assert store.load() is None


def test_a_file_that_holds_something_else_is_as_none(store: TokenFile, file: Path) -> None:
    for content in (b"", b"{", b'{"username": 1}', b"\xff"):
        file.write_bytes(content)
        assert store.load() is None


async def test_a_token_is_renewed_once_before_it_expires_and_what_is_kept_follows(
    new_sdk: Any, store: TokenFile, wire: Any
) -> None:
    kept = await kept_of_an_earlier_run(new_sdk, store)
    store.save(StoredTokens(username="ada", token=kept.token, refresh_token=kept.refresh_token, expires_at=0.0))
    later = await new_sdk(token_store=store)
    wire.requests.clear()
    await asyncio.gather(*(later.get_user_profile("ada") for _ in range(5)))
    assert wire.paths().count("POST /tokens/refresh") == 1
    assert wire.paths()[0] == "POST /tokens/refresh"
    renewed = store.load()
    assert renewed is not None
    assert renewed.refresh_token != kept.refresh_token
    assert renewed.expires_at > kept.expires_at - 60


async def test_where_the_renewal_fails_the_token_is_used_as_long_as_it_works(
    new_sdk: Any, store: TokenFile, wire: Any
) -> None:
    kept = await kept_of_an_earlier_run(new_sdk, store)
    store.save(StoredTokens(username="ada", token=kept.token, refresh_token=kept.refresh_token, expires_at=0.0))
    later = await new_sdk(token_store=store)

    async def fail(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502) if request.url.path.endswith("/refresh") else None

    wire.intercept = fail
    assert (await later.get_user_profile("ada")).data.user_id == "ada"


async def test_what_is_kept_of_one_user_is_not_used_for_another(new_sdk: Any, store: TokenFile) -> None:
    first = await new_sdk(token_store=store)
    await first.register("ada")
    await first.register("bob")
    kept = store.load()
    assert kept is not None
    assert kept.username == "bob"
    await first.set_user_token("")
    with pytest.raises(TokenMissing):
        await first.get_user_profile("ada")
    assert store.load() is None
