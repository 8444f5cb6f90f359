"""Rosters and subscriptions under any sequence of events, against a model made of RFC 6121's own tables (sections 2, 3
and appendix A).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from halls import Hall, play
from subscriptions import ANSWERED, KINDS, PRE_APPROVED, RECEIVED, SENT, STATES, STEPS
from wires import Client, Got

NS = "jabber:iq:roster"
USERS = ("ada", "bob", "carol")
PAIRS = st.permutations(USERS).map(lambda order: (order[0], order[1]))
NAMES = st.sampled_from(("", "Somebody", "<&'\">", "名前"))
GROUPS = st.sets(st.sampled_from(("Friends", "Work", "A & B")), max_size=2)


@dataclass
class Entry:
    """What a user keeps of another."""

    state: str = "None"
    is_listed: bool = False
    is_approved: bool = False
    name: str = ""
    groups: frozenset[str] = frozenset()

    def shown(self) -> tuple[str, bool, bool, str, frozenset[str]]:
        """The entry as a roster item says it."""
        subscription, is_asking, _ = STATES[self.state]
        return subscription, is_asking, self.is_approved, self.name, self.groups


@dataclass
class User:
    """A client with the roster that it has put together from a result and pushes."""

    client: Client
    roster: dict[str, tuple[str, bool, bool, str, frozenset[str]]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)


def read(item: Element) -> tuple[str, bool, bool, str, frozenset[str]]:
    groups = frozenset(group.text or "" for group in item.iterfind(f"{{{NS}}}group"))
    is_approved = item.get("approved") in ("true", "1")
    return item.get("subscription", "none"), item.get("ask") == "subscribe", is_approved, item.get("name", ""), groups


class Rosters(RuleBasedStateMachine):
    """Three users, each with one interested client."""

    hall: Hall

    @initialize(start=st.sampled_from(sorted(STEPS)))
    def begin(self, start: str) -> None:
        place = self.hall.place
        self.accounts = {name: self.hall.run(place.register(place.name(name))) for name in USERS}
        self.jids = {name: account.jid for name, account in self.accounts.items()}
        self.model = {(one, other): Entry() for one in USERS for other in USERS if one != other}
        self.users = {name: self.hall.run(self._enter(name)) for name in USERS}
        self.hall.run(self._settle())
        for step in STEPS[start]:
            self.subscription(("ada", "bob") if step.islower() else ("bob", "ada"), step.lower())
            self.hall.run(self._settle())

    def teardown(self) -> None:
        self.hall.place.hang_up()

    async def _enter(self, name: str) -> User:
        user = User(await self.hall.place.sign_in(self.accounts[name]))
        answer = await user.client.ask(f"<query xmlns='{NS}'/>")
        user.roster = {item.get("jid", ""): read(item) for item in answer.element.iter(f"{{{NS}}}item")}
        await user.client.send("<presence/>")
        return user

    async def _settle(self) -> None:
        """Take in all that the users have been sent."""
        for _ in range(2):
            heard = await asyncio.gather(*(user.client.so_far() for user in self.users.values()))
            for user, stanzas in zip(self.users.values(), heard, strict=True):
                for got in stanzas:
                    self._hear(user, got)

    def _hear(self, user: User, got: Got) -> None:
        item = got.element.find(f"{{{NS}}}query/{{{NS}}}item")
        if got.name == "iq" and got.get("type") == "set" and item is not None:
            self._pushed(user, item)
        elif got.name == "presence" and got.get("type") == "subscribe":
            user.requests.append(got.get("from") or "")

    def _pushed(self, user: User, item: Element) -> None:
        jid = item.get("jid", "")
        if item.get("subscription") == "remove":
            assert user.roster.pop(jid, None) is not None, "what is removed was there"
        else:
            assert user.roster.get(jid) != read(item), "a push tells something new"
            user.roster[jid] = read(item)

    # -------------------------------------------------------------------------------------------------------- rules

    @rule(pair=PAIRS, kind=st.sampled_from(KINDS))
    def subscription(self, pair: tuple[str, str], kind: str) -> None:
        one, other = pair
        self.hall.run(self.users[one].client.send(f"<presence type='{kind}' to='{self.jids[other]}'/>"))
        self._model_stanza(one, other, kind)

    @rule(pair=PAIRS, name=NAMES, groups=GROUPS)
    def set_item(self, pair: tuple[str, str], name: str, groups: set[str]) -> None:
        one, other = pair
        inner = "".join(f"<group>{group.replace('&', '&amp;')}</group>" for group in sorted(groups))
        item = f"<item jid='{self.jids[other]}' name={quoteattr(name)}>{inner}</item>"
        self.hall.run(self.users[one].client.send(f"<iq type='set' id='s'><query xmlns='{NS}'>{item}</query></iq>"))
        entry = self.model[pair]
        entry.is_listed, entry.name, entry.groups = True, name, frozenset(groups)

    @rule(pair=PAIRS)
    def remove_item(self, pair: tuple[str, str]) -> None:
        one, other = pair
        item = f"<item jid='{self.jids[other]}' subscription='remove'/>"
        answer = self.hall.run(self._remove(self.users[one], f"<query xmlns='{NS}'>{item}</query>"))
        if not self.model[pair].is_listed:
            assert answer == "item-not-found"
            return
        assert answer == ""
        self._model_stanza(one, other, "unsubscribe")
        self._model_stanza(one, other, "unsubscribed")
        self.model[pair] = Entry()

    async def _remove(self, user: User, payload: str) -> str:
        await self._settle()
        client = user.client
        await client.send(f"<iq type='set' id='remove'>{payload}</iq>")
        while True:
            got = await client.next()
            if got.get("id") == "remove":
                return got.condition
            item = got.element.find(f"{{{NS}}}query/{{{NS}}}item")
            if item is not None:
                self._pushed(user, item)

    @rule(name=st.sampled_from(USERS))
    def reconnect(self, name: str) -> None:
        """The roster and the waiting requests are there for the next client too."""
        self.hall.run(self._settle())
        self.users[name].client.wire.close()
        self.users[name] = self.hall.run(self._enter(name))
        self.hall.run(self._settle())
        waiting = {other for other in USERS if other != name and STATES[self.model[name, other].state][2]}
        assert sorted(self.users[name].requests) == sorted(self.jids[other] for other in waiting)

    # -------------------------------------------------------------------------------------------------------- model

    def _model_stanza(self, one: str, other: str, kind: str) -> None:
        entry, mirror = self.model[one, other], self.model[other, one]
        before = entry.state
        sent = SENT[before, kind]
        entry.state = sent.state
        if kind == "subscribe" or (kind == "subscribed" and sent.passes):
            entry.is_listed = True
        if kind == "subscribed":
            entry.is_approved = before in PRE_APPROVED
            entry.is_listed = entry.is_listed or entry.is_approved
        elif kind == "unsubscribed":
            entry.is_approved = False
        if sent.passes:
            self._model_arrival(entry, mirror, kind)

    def _model_arrival(self, entry: Entry, mirror: Entry, kind: str) -> None:
        if kind == "subscribe" and mirror.is_approved and mirror.state in PRE_APPROVED:
            mirror.state, mirror.is_approved = PRE_APPROVED[mirror.state], False
            entry.state = RECEIVED[entry.state, "subscribed"].state
        elif kind == "subscribe" and mirror.state in ANSWERED:
            entry.state = RECEIVED[entry.state, "subscribed"].state
        else:
            mirror.state = RECEIVED[mirror.state, kind].state

    async def _rosters(self) -> list[Got]:
        await self._settle()
        return await asyncio.gather(*(user.client.ask(f"<query xmlns='{NS}'/>") for user in self.users.values()))

    @invariant()
    def rosters_are_as_the_tables_say(self) -> None:
        answers = self.hall.run(self._rosters())
        for (name, user), answer in zip(self.users.items(), answers, strict=True):
            expected = {
                self.jids[other]: self.model[name, other].shown()
                for other in USERS
                if other != name and self.model[name, other].is_listed
            }
            assert user.roster == expected, f"{name}: from pushes"
            got = {item.get("jid", ""): read(item) for item in answer.element.iter(f"{{{NS}}}item")}
            assert got == expected, f"{name}: from the server"


def test_rosters_and_subscriptions(hall: Hall) -> None:
    play(Rosters, hall)
