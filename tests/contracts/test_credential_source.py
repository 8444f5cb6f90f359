"""What every `CredentialSource` does."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import queue
from collections.abc import Iterator

import pytest

from heliograph.core import limits
from heliograph.core.ports import CredentialSource
from heliograph.core.sessions import Credentials
from heliograph.system.chance import SystemIds
from heliograph.system.clock import SystemClock
from heliograph.system.credentials import PreparedCredentials
from heliograph.xmpp.scram import derive
from patience import PATIENCE_S


@pytest.fixture(params=[0, 8])
def source(request: pytest.FixtureRequest) -> Iterator[CredentialSource]:
    """A source without and with a stock."""
    with PreparedCredentials(SystemIds().random, stock=request.param) as prepared:
        yield prepared


def fits(credentials: Credentials) -> bool:
    password, salt, iterations = credentials.password, credentials.salt, credentials.iterations
    found = credentials.verifiers
    return (
        derive(password, salt, iterations, "sha1") == (found.stored_sha1, found.server_sha1)
        and derive(password, salt, iterations, "sha256") == (found.stored_sha256, found.server_sha256)
        and hashlib.sha256(password.encode()).digest() == found.sha256
    )


async def test_fresh_credentials_have_a_password_and_a_salt_of_their_own(source: CredentialSource) -> None:
    made = await asyncio.gather(*(source.fresh() for _ in range(20)))
    assert all(fits(credentials) for credentials in made)
    assert len({credentials.password for credentials in made}) == 20
    assert len({credentials.salt for credentials in made}) == 20
    assert {credentials.iterations for credentials in made} == {limits.SCRAM_ITERATIONS}
    assert {len(credentials.salt) for credentials in made} == {limits.SALT_BYTES}


async def test_a_password_is_random_bytes_in_a_form_that_any_client_can_send(source: CredentialSource) -> None:
    password = (await source.fresh()).password
    assert len(base64.urlsafe_b64decode(password)) == limits.PASSWORD_BYTES


async def test_further_passwords_come_under_the_accounts_own_salt(source: CredentialSource) -> None:
    salt = os.urandom(16)
    made = await asyncio.gather(*(source.under(salt, 5000) for _ in range(5)))
    assert all(fits(credentials) for credentials in made)
    assert {(credentials.salt, credentials.iterations) for credentials in made} == {(salt, 5000)}
    assert len({credentials.password for credentials in made}) == 5


async def test_the_stock_is_prepared_ahead_up_to_its_size() -> None:
    drawn: queue.SimpleQueue[int] = queue.SimpleQueue()

    def random(size: int) -> bytes:
        drawn.put(size)
        return os.urandom(size)

    def wait_for(credentials: int) -> None:
        for _ in range(2 * credentials):  # a salt and a password each
            drawn.get(timeout=PATIENCE_S)

    with PreparedCredentials(random, iterations=1, stock=4) as source:
        await asyncio.to_thread(wait_for, 4)
        await source.fresh()
        await asyncio.to_thread(wait_for, 1)
    assert drawn.empty()


async def test_a_cancelled_request_does_not_hurt_the_next() -> None:
    with PreparedCredentials(SystemIds().random, stock=0) as source:
        tasks = [asyncio.ensure_future(source.fresh()) for _ in range(20)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert fits(await source.fresh())


def test_the_clock_goes_forward_and_chance_does_not_repeat() -> None:
    clock, chance = SystemClock(), SystemIds()
    assert 1_600_000_000 < clock.now() <= clock.now()
    assert len({chance.random(16) for _ in range(100)}) == 100
    assert [len(chance.random(size)) for size in (0, 1, 32)] == [0, 1, 32]
