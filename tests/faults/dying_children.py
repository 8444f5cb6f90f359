"""Processes that kill themselves at a commit.

A story of all that changes something is played, in a process of its own for each commit. It dies with SIGKILL just
before that commit, or just after it and before anybody is told.

python dying_children.py FOLDER

Time and chance are the same in every run, so the story writes the same in every run. What is printed is JSON: the
digest of the database after each commit of a run that nobody kills; with which commit each step was over; and of each
killed run its folder, the steps that it had told to be over, and the digest of what it left.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sqlite3
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "stage"))
sys.path.insert(0, str(Path(__file__).parents[1] / "use_cases"))

from conftest import CountedIds, RecordingEngine, TurnedClock, wire
from heliograph.core import (
    account_changes,
    accounts,
    apps,
    blocking,
    bulk,
    contact_import,
    contact_requests,
    contacts,
    deletion,
    fast_tokens,
    invitations,
    pep_nodes,
    phone_book,
    profile_updates,
    profiles,
    qr_browser,
    qr_codes,
    qr_phone,
    retries,
    sessions,
    statuses,
    tokens,
    webhooks,
)
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, ContactPolicy, Environment, Policy
from heliograph.core.archive import ArchivedMessage
from heliograph.core.fast_tokens import Wish
from heliograph.core.pep_nodes import Item, Outcome
from heliograph.core.ports import Ports
from heliograph.core.profile_updates import Update
from heliograph.core.profiles import ProfileChange
from heliograph.core.sessions import Device, EndReason
from heliograph.core.tokens import Identity
from heliograph.storage import sqlite
from heliograph.storage.sqlite import writer
from heliograph.xmpp.pep_config import NodeConfig
from heliograph.xmpp.roster import Kind

DATABASE = "heliograph.db"
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
"""A public key on P-256 (RFC 7517, appendix A.1 has one like it); nobody opens what is sealed to it."""

Step = tuple[str, Callable[[], Awaitable[Any]]]


def digest(folder: Path) -> str:
    """What a database holds, as a hash: every row of every table, in whatever order."""
    connection = sqlite3.connect(folder / DATABASE)
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        content = {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in names}
    finally:
        connection.close()
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Story:
    """The steps, each of which is one use case and changes something."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports

    def steps(self) -> Iterator[Step]:
        """In order."""
        yield from self.app_and_users()
        yield from self.by_the_backend()
        yield from self.devices()
        yield from self.people()
        yield from self.rosters()
        yield from self.what_is_left_for_others()
        yield from self.qr()
        yield from self.endings()

    def app_and_users(self) -> Iterator[Step]:
        yield "create app", self.create_app
        yield "set policy", self.set_policy
        yield "add webhook", self.add_webhook
        yield "register ada", lambda: self.register("ada")
        yield "register ada on a second device", lambda: self.register("ada")
        yield "issue tokens", self.issue
        yield "refresh tokens", self.refresh
        yield "register ada on a third device", lambda: self.register("ada")
        yield "register bob", lambda: self.register("bob")

    async def create_app(self) -> None:
        self.app = (await apps.create(self.ports, "Chat", "chat.example")).app

    async def set_policy(self) -> None:
        self.app = await apps.set_policy(self.ports, self.app, Policy(max_sessions=2))
        self.backend = Caller(self.app, Environment.LIVE, is_backend=True)

    async def add_webhook(self) -> None:
        self.webhook, _ = await webhooks.add(
            self.ports, self.app, Environment.LIVE, "https://backend.example/", (), allows_private=False
        )

    async def register(self, identifier: str) -> None:
        asked = RegisterRequest(identifier, metadata={"level": 7}, device=Device("Pixel", ip="192.0.2.1"))
        self.made = await accounts.register(self.ports, self.backend, asked)

    async def issue(self) -> None:
        self.pair = await tokens.issue(self.ports, self.backend, "ada", self.made.password)

    async def refresh(self) -> None:
        self.pair = await tokens.refresh(self.ports, self.backend, self.pair.refresh_token)

    def by_the_backend(self) -> Iterator[Step]:
        yield "register in bulk", self.register_in_bulk
        yield "register so that it can be repeated", self.register_once
        yield "repeat a registration", self.register_once
        yield "update profiles in bulk", self.update_profiles
        yield "offer statuses", lambda: statuses.offer(self.ports, self.backend, ["busy", "away"])
        yield "cap a user's sessions", lambda: account_changes.set_max_sessions(self.ports, self.backend, "fay", 1)

    async def register_in_bulk(self) -> None:
        known: set[str] = set()
        await bulk.admit(self.ports, self.backend, 2)
        for identifier in ("fay", "gil"):
            await bulk.register(self.ports, self.backend, RegisterRequest(identifier), known)

    async def register_once(self) -> None:
        retry = retries.retry_key(self.backend, "key-1", "hal", b"asked", self.ports.clock.now())
        self.made = await accounts.register(self.ports, self.backend, RegisterRequest("hal", retry=retry))

    async def update_profiles(self) -> None:
        wanted = [Update(each, ProfileChange(name=each, status="here")) for each in ("fay", "gil", "nobody")]
        await profile_updates.apply_all(self.ports, self.backend, wanted)

    def devices(self) -> Iterator[Step]:
        yield "get a token for the next sign-in", lambda: self.sign_in_again(Wish(mechanism="HT-SHA-256-NONE"))
        yield "sign in with it", lambda: self.sign_in_again(Wish(used=self.fast.salt, count=1))
        yield "get the next one", lambda: self.sign_in_again(Wish(mechanism="HT-SHA-256-NONE"))
        yield "give all of them up", lambda: self.sign_in_again(Wish(used=self.fast.salt, is_last=True))
        yield "revoke a token", lambda: tokens.revoke(self.ports, self.backend, self.made.tokens.access_token)

    async def sign_in_again(self, wish: Wish) -> None:
        given = await fast_tokens.sign_in(self.ports, self.made.session.id, "phone", wish)
        self.fast = given or self.fast

    def people(self) -> Iterator[Step]:
        ports, ada, bob = self.ports, "ada@chat.example", "bob@chat.example"
        yield "set profile", lambda: profiles.set_profile(ports, ada, ProfileChange(name="Ada", mobile="+442071234567"))
        yield "be found by number", lambda: phone_book.set_discoverability(ports, ada, is_findable=True)
        yield "ask for a contact", lambda: contacts.add(ports, ada, ContactPolicy.REQUEST, "bob")
        yield "accept a contact", lambda: contact_requests.accept(ports, bob, "ada")
        yield "remove a contact", lambda: contacts.remove(ports, ada, "bob")
        yield "invite", self.invite
        yield "accept an invitation", lambda: invitations.accept(ports, bob, self.invitation.token)
        yield "block", lambda: blocking.block_user(ports, ada, "bob")
        yield "unblock", lambda: blocking.unblock_user(ports, ada, "bob")
        yield "invite again", self.invite
        yield "revoke an invitation", lambda: invitations.revoke(ports, ada, self.invitation.invitation.id)
        yield "change metadata", lambda: account_changes.merge_metadata(ports, ada, {"level": 8})
        yield "forget statuses", lambda: statuses.forget(ports, self.backend, "fay@chat.example", None)

    def rosters(self) -> Iterator[Step]:
        ports, ada, fay, gil = self.ports, "ada@chat.example", "fay@chat.example", "gil@chat.example"
        names = ["fay", "gil", "nobody"]
        yield "import contacts", lambda: contact_import.import_all(ports, ada, ContactPolicy.OPEN, names)
        yield "name a contact", lambda: contacts.set_item(ports, ada, fay, "Fay", ["Work"])
        yield "remove from the roster", lambda: contacts.remove_item(ports, ada, gil)
        yield "ask for presence", lambda: contacts.subscription(ports, gil, ada, Kind.SUBSCRIBE, "<nick/>")
        yield "grant it", lambda: contacts.subscription(ports, ada, gil, Kind.SUBSCRIBED)
        yield "ask for presence, too", lambda: contacts.subscription(ports, fay, gil, Kind.SUBSCRIBE)
        yield "refuse it", lambda: contacts.subscription(ports, gil, fay, Kind.UNSUBSCRIBED)
        yield "deny a request", self.deny

    async def deny(self) -> None:
        await contacts.add(self.ports, "fay@chat.example", ContactPolicy.REQUEST, "gil")
        await contact_requests.deny(self.ports, "gil@chat.example", "fay")

    def what_is_left_for_others(self) -> Iterator[Step]:
        ports, ada, bob = self.ports, "ada@chat.example", "bob@chat.example"
        yield "keep a message", lambda: ports.offline.add(bob, b"<message/>", ports.clock.now(), 10)
        yield "fetch messages", lambda: ports.offline.take(bob, 0.0)
        yield "keep another message", lambda: ports.offline.add(ada, b"<message/>", ports.clock.now(), 10)
        yield "forget old messages", lambda: ports.offline.forget(ports.clock.now() + 1, 10)
        yield "archive messages", self.archive
        yield "trim the archive", self.trim
        yield "forget what is archived", lambda: ports.archive.forget(ports.clock.now() + 1, 10)
        yield "publish", lambda: ports.pep.change(ada, "urn:x", lambda _: Outcome(NodeConfig(), Item("a", "<x/>")))
        yield "retract", lambda: ports.pep.change(ada, "urn:x", lambda found: pep_nodes.decide_retract(found, "a"))
        yield "delete the node", lambda: ports.pep.change(ada, "urn:x", pep_nodes.decide_delete)

    async def archive(self) -> None:
        ada, bob = [await self.ports.accounts.lookup(f"{each}@chat.example") for each in ("ada", "bob")]
        assert ada is not None
        assert bob is not None
        for number in (1, 2, 3):
            message = ArchivedMessage(number, "00" * 8, ada.id, bob.id, ada.jid, bob.jid, b"<message/>")
            self.ports.archive.add(message)
        await self.ports.archive.flush()

    async def trim(self) -> None:
        ada = await self.ports.accounts.lookup("ada@chat.example")
        assert ada is not None
        await self.ports.archive.trim(ada.id, 2, 1_000_000)

    async def invite(self) -> None:
        self.invitation = await invitations.create(self.ports, "ada@chat.example")

    def qr(self) -> Iterator[Step]:
        ports = self.ports
        yield "open a QR link", self.open_link
        yield "next code", self.rotate
        yield "scan", lambda: qr_phone.scan(ports, self.phone, self.codes.code, "192.0.2.1")
        yield "approve", self.approve
        yield "verify", lambda: qr_browser.verify(ports, self.link_id, "socket", self.check_code)
        yield "sign in by QR", self.sign_in
        yield "deliver", self.deliver
        yield "confirm", self.confirm

    async def open_link(self) -> None:
        account = await self.ports.accounts.lookup("bob@chat.example")
        assert account is not None
        [session, *_] = await self.ports.sessions.live(account.id)
        self.phone = Identity(self.backend, account, session)
        key = qr_codes.public_key(KEY)
        opened = await qr_browser.open_link(self.ports, self.backend, key, Device(browser="Firefox"), "socket")
        self.codes, self.link_id = opened.codes, opened.codes.link.id

    async def rotate(self) -> None:
        self.ports.clock.turn(30)  # type: ignore[attr-defined]
        self.codes = await qr_browser.rotate(self.ports, self.link_id, "socket")

    async def approve(self) -> None:
        key_hash = qr_codes.public_key(KEY).thumbprint
        self.check_code = await qr_phone.approve(self.ports, self.phone, self.link_id, key_hash, "192.0.2.1")

    async def sign_in(self) -> None:
        self.link = await self.ports.qr_links.lookup(self.link_id)
        assert self.link is not None
        self.linked = await qr_browser.sign_in(self.ports, self.backend, self.link)

    async def deliver(self) -> None:
        assert self.link is not None
        await qr_browser.seal(self.ports, self.link, self.linked, "a.b.c.d.e")

    async def confirm(self) -> None:
        await qr_browser.confirm(self.ports, self.link_id, "socket")

    def endings(self) -> Iterator[Step]:
        ports, backend = self.ports, self.backend
        yield "re-use a token", self.reuse
        yield "end one session", self.end_one
        yield "block as admin", lambda: account_changes.set_blocked(ports, backend, "bob", True)
        yield "unblock as admin", lambda: account_changes.set_blocked(ports, backend, "bob", False)
        yield "register bob again", lambda: self.register("bob")
        yield "sign out everywhere", lambda: account_changes.end_everywhere(ports, backend, "bob")
        yield "delete with grace", lambda: deletion.delete(ports, backend, "bob")
        yield "undo", lambda: deletion.restore(ports, backend, "bob")
        yield "delete for good", lambda: deletion.delete(ports, backend, "ada", is_immediate=True)
        yield "remove webhook", lambda: webhooks.remove(ports, self.webhook.id)

    async def reuse(self) -> None:
        await self.register("eve")
        first = self.made.tokens.refresh_token
        for _ in range(3):
            try:
                await tokens.refresh(self.ports, self.backend, first)
            except Exception:  # noqa: BLE001 - the last use is refused, and ends the session
                return

    async def end_one(self) -> None:
        await self.register("eve")
        await sessions.end(self.ports, self.made.account, self.made.session.id, EndReason.LOGOUT)


async def play(folder: Path, told: Callable[[str], None]) -> None:
    """Play the story over a new database; each step is told once it is over."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs
    async with sqlite.open(folder / DATABASE) as stores:
        story = Story(wire(stores, folder, CountedIds(), TurnedClock(), RecordingEngine(), None))  # type: ignore[arg-type]
        for name, step in story.steps():
            await step()
            told(name)


def watch_commits(before: Callable[[int], None], after: Callable[[int], None]) -> list[int]:
    """Be called around the COMMIT of each transaction, with its number; gives a list whose length counts them."""
    original, count = writer.SqliteWriter._commit, [0]

    def commit(self: writer.SqliteWriter) -> None:
        count[0] += 1
        before(count[0])
        real = self._loop.call_soon_threadsafe
        told: list[tuple[Any, ...]] = []
        self._loop.call_soon_threadsafe = lambda *call: told.append(call)  # type: ignore[method-assign,assignment]
        try:
            original(self)
        finally:
            self._loop.call_soon_threadsafe = real  # type: ignore[method-assign]
        after(count[0])
        for call in told:
            real(*call)

    writer.SqliteWriter._commit = commit  # type: ignore[method-assign]
    return count


def reference(folder: Path) -> tuple[list[str], dict[str, int]]:
    """A run that nobody kills: the digest after each commit, and with which commit each step was over."""
    digests: list[str] = []
    count = watch_commits(lambda _: None, lambda _: digests.append(digest(folder)))
    steps: dict[str, int] = {}
    asyncio.run(play(folder, lambda name: steps.update({name: count[0]})))
    return digests, steps


def die(folder: Path, number: int, *, is_after: bool) -> None:
    """A run that dies at that commit. Each step that is over is written to a file."""

    def kill(now: int) -> None:
        if now == number:
            os.kill(os.getpid(), signal.SIGKILL)

    watch_commits(*((lambda _: None, kill) if is_after else (kill, lambda _: None)))
    with Path(f"{folder}.told").open("w", encoding="utf-8", buffering=1) as told:
        asyncio.run(play(folder, lambda name: told.write(f"{name}\n") and None))


def forked(work: Callable[[], Any]) -> int:
    """Run something in a copy of this process; gives how it ended."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def main(folder: Path) -> None:
    writer.TOUCH_DELAY_S = 3600.0  # type: ignore[misc] - what is noted goes along with the next commit, and makes none
    assert forked(lambda: Path(folder, "reference.json").write_text(json.dumps(reference(folder / "whole")))) == 0
    digests, steps = json.loads(Path(folder, "reference.json").read_text(encoding="utf-8"))
    deaths = []
    for number in range(1, len(digests) + 1):
        for is_after in (False, True):
            place = folder / f"{number}-{'after' if is_after else 'before'}"
            status = forked(lambda place=place, number=number, is_after=is_after: die(place, number, is_after=is_after))  # type: ignore[misc]
            assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
            told = Path(f"{place}.told").read_text(encoding="utf-8").splitlines()
            left = digest(place)
            deaths.append({"folder": str(place), "commit": number, "isAfter": is_after, "told": told, "digest": left})
    print(json.dumps({"digests": digests, "steps": steps, "deaths": deaths}))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main(Path(sys.argv[1]))
