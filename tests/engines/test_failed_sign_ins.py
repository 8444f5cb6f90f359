"""How often somebody may be wrong about a password, over XMPP as over HTTP."""

from __future__ import annotations

from typing import Any

from heliograph.core.rate_limits import FAILED_SIGN_INS_PER_ACCOUNT, FAILED_SIGN_INS_PER_ADDRESS
from wires import plain

REFUSED = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>"
ENDED = "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"


async def fail(place: Any, account: Any, username: str, times: int) -> str:
    """So many wrong passwords on one stream; all that the server says to them."""
    wire = await place.open(account)
    await wire.send(*[plain(username, "wrong")] * times)
    said = ""
    for _ in range(times):
        said += await wire.until("</failure>")
    wire.close()
    return said


async def test_after_too_many_wrong_passwords_each_further_one_ends_its_stream(start: Any) -> None:
    place = await start()
    ada, bob = await place.register("ada"), await place.register("bob")
    for _ in range(FAILED_SIGN_INS_PER_ACCOUNT.burst // 4):
        assert await fail(place, ada, "ada", 4) == REFUSED * 4
    wire = await place.open(ada)
    await wire.send(plain("ada", "wrong"))
    said = await wire.rest()
    assert said.startswith(REFUSED + ENDED)
    assert await fail(place, bob, "bob", 1) == REFUSED
    await place.sign_in(ada)  # nobody can lock a user out


async def test_names_that_do_not_exist_count_for_the_address(start: Any) -> None:
    place = await start()
    ada = await place.register("ada")
    for number in range(FAILED_SIGN_INS_PER_ADDRESS.burst // 4):
        assert await fail(place, ada, f"nobody-{number}", 4) == REFUSED * 4
    wire = await place.open(ada)
    await wire.send(plain("somebody", "wrong"))
    assert (await wire.rest()).startswith(REFUSED + ENDED)
    await place.sign_in(ada)


async def test_what_is_no_wrong_password_does_not_count(start: Any) -> None:
    place = await start()
    ada = await place.register("ada")
    for _ in range(FAILED_SIGN_INS_PER_ACCOUNT.burst):
        wire = await place.open(ada)
        await wire.send(plain("ada", ""), "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='NONE'/>")
        assert "<malformed-request/>" in await wire.until("</failure>")
        assert "<invalid-mechanism/>" in await wire.until("</failure>")
        wire.close()
    assert await fail(place, ada, "ada", 1) == REFUSED
