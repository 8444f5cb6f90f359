"""What is seen of ejabberd's connections, as resources of the router: so profiles go to them, and their requests are
answered, by the same code as those of connections to this process.

Each node of an ejabberd cluster tells of its own clients, and passes their requests on, over the link to it.
"""

from __future__ import annotations

from collections.abc import Collection, Coroutine, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from heliograph.core import remote_server
from heliograph.core.user_jids import domain_of
from heliograph.engines.ejabberd.grants import Grants
from heliograph.engines.ejabberd.link import ComponentLink
from heliograph.engines.embedded.handlers import capabilities
from heliograph.engines.embedded.handlers.presence import went_offline
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import pep, vcard
from heliograph.xmpp.blocking import LIST_TAG, NS_BLOCKING
from heliograph.xmpp.caps import Caps
from heliograph.xmpp.component import (
    Delegated,
    delegated_answer,
    find_delegated,
    find_privilege,
    privileged,
    without_receiver,
)
from heliograph.xmpp.disco import INFO_TAG, NS_DISCO_INFO, Identity, info_xml
from heliograph.xmpp.jid import Jid, JidMalformed, bare_of, parse
from heliograph.xmpp.stanza import NS_CLIENT, NS_STANZAS, Stanza, iq_result, quote, stanza_error
from heliograph.xmpp.stream import StreamError

if TYPE_CHECKING:
    from heliograph.engines.ejabberd.engine import EjabberdEngine

log = structlog.get_logger("heliograph.ejabberd")

_WHO_LEADS = "who-leads"
_ERROR_TAG = f"{{{NS_CLIENT}}}error"
_NOBODY_TAG = f"{{{NS_STANZAS}}}service-unavailable"
_UNKNOWN_CAPS = Caps("-", "-", "-")
_COMPONENT = (Identity("component", "generic", "Heliograph"),)
_PEP = (Identity("pubsub", "pep"),)


class _Outlet:
    """Sends to a connection by way of ejabberd."""

    __slots__ = ("_jid", "_mirror")

    def __init__(self, mirror: Mirror, jid: str) -> None:
        self._mirror = mirror
        self._jid = jid

    def send(self, data: bytes) -> None:
        """Send what only Heliograph can: events, and questions. ejabberd itself sends presence and rosters."""
        if data.startswith(b"<message"):
            self._mirror.speak(self._jid, data)
        elif data.startswith(b"<iq type='get'"):
            self._mirror.ask(self._jid, data)
        elif data.startswith(b"<presence"):
            self._mirror.show(self._jid, data)
        elif data.startswith(b"<iq type='set'"):
            self._mirror.push(self._jid, data)

    def end(self, error: StreamError) -> None:
        """Connections are ended by the HTTP API."""


class _Answer:
    """Takes the answer to a request that ejabberd passed on."""

    __slots__ = ("_delegated", "_link")

    def __init__(self, link: ComponentLink, delegated: Delegated) -> None:
        self._link = link
        self._delegated = delegated

    def send(self, data: bytes) -> None:
        """Answer; nothing but answers goes this way."""
        self._link.send(delegated_answer(self._delegated, data))

    def end(self, error: StreamError) -> None:
        """See `_Outlet`."""


class Mirror:
    """Resources that stand for ejabberd's connections.

    Args:
        engine: whose router holds them.
        name: the component's domain.
    """

    def __init__(self, engine: EjabberdEngine, name: str) -> None:
        self.grants = Grants()
        self.shown: list[tuple[str, str]] | None = None
        """While a block list changes: the presence that is hidden or shown for it, and the full JIDs that get it."""
        self._engine = engine
        self._name = name
        self._links: dict[str, ComponentLink] = {}  # by full JID, over which link it was heard last

    def link_of(self, jid: str) -> ComponentLink | None:
        """The link to the ejabberd node that a connection was heard from; `None` if nothing was heard of it yet."""
        return self._links.get(jid)

    def ask_who_leads(self, hosts: Iterable[str]) -> None:
        """Ask each ejabberd whether some node answers for those domains for which this one does not. ejabberd looks for
        one only when a component connects.
        """
        for link, host in self.grants.led_by_others(hosts):
            names = f"from={quote(self._name)} to={quote(host)} id={quote(_WHO_LEADS)}"
            link.send(f"<iq type='get' {names}><vCard xmlns='{vcard.NS_VCARD_TEMP}'/></iq>".encode())

    # ------------------------------------------------------------------------------------------------------ to clients

    def speak(self, to: str, message: bytes) -> None:
        """A message in a user's name."""
        host = domain_of(bare_of(to))
        for link, namespace in self.grants.speakers(self._links.get(to), host):
            if link.send(privileged(message, self._name, host, namespace)):
                return
        self._engine.missed()

    def ask(self, to: str, request: bytes) -> None:
        """A question of the server, which the component asks in its place, so that the answer comes back."""
        host = domain_of(bare_of(to))
        asked = request.replace(f"from={quote(host)}".encode(), f"from={quote(self._name)}".encode(), 1)
        speakers = [link for link, _ in self.grants.speakers(self._links.get(to), host)]
        # No right is needed for it: it may be asked before one is granted.
        for link in dict.fromkeys((*speakers, *self._engine.links)):
            if link.send(asked):
                return

    def show(self, to: str, presence: bytes) -> None:
        """Presence that blocking hides or shows; all other presence is ejabberd's own matter."""
        if self.shown is not None:
            self.shown.append((to, presence.decode()))

    def push(self, to: str, request: bytes) -> None:
        """A change of the block list, for a client that has asked for it."""
        self._engine.say(bare_of(to), to, request.decode())

    # ---------------------------------------------------------------------------------------------------- from ejabberd

    def received(self, link: ComponentLink, stanza: Stanza) -> None:
        """A stanza came from an ejabberd node."""
        try:
            sender = parse(stanza.get("from") or "")
        except JidMalformed:
            return
        if stanza.name == "presence":
            self._presence(link, sender, stanza)
        elif stanza.name == "message":
            self._granted(link, sender, stanza)
        elif stanza.type in ("result", "error"):
            self._answered(link, sender, stanza)
        else:
            self._request(link, sender, stanza)

    def _granted(self, link: ComponentLink, sender: Jid, stanza: Stanza) -> None:
        namespace = find_privilege(stanza)
        if namespace is not None:
            link.is_renewing = False
            self.grants.privilege(link, sender.domain, namespace)
            self._engine.look_again()
            return
        is_delegation = any(child.tag.endswith("}delegation") for child in stanza.element)
        if is_delegation and self.grants.delegate(link, sender.domain):
            self._engine.fan_out.leads(link, sender.domain)

    def _request(self, link: ComponentLink, sender: Jid, stanza: Stanza) -> None:
        delegated = find_delegated(stanza)
        if delegated is not None and not sender.local:
            self._delegated(link, delegated)
            return
        payload = stanza.child()
        if payload is not None and payload.tag == INFO_TAG and stanza.type == "get":
            answer: bytes | None = iq_result(stanza, str(sender), _described(payload.get("node") or ""))
        else:
            answer = stanza_error(stanza, str(sender), "cancel", "service-unavailable")
        if answer is not None:
            link.send(answer)

    def _delegated(self, link: ComponentLink, delegated: Delegated) -> None:
        """A user's request, answered as if it had been sent to this process."""
        request = delegated.request
        outlet = _Answer(link, delegated)
        try:
            sender = parse(request.get("from") or "")
        except JidMalformed:
            return
        if not sender.resource or not self._engine.serves(sender.domain):
            error = stanza_error(request, str(sender), "auth", "forbidden")
            if error is not None:
                outlet.send(error)
            return
        known = self._engine.router.full.get(str(sender)) or self._bind(sender)
        self._links[known.jid] = link
        asking = replace(known, outlet=outlet)
        self._spawn(self._engine.serve(asking, request))
        known.since = asking.since
        known.is_told_of_blocks |= request.element[0].tag == LIST_TAG

    def _presence(self, link: ComponentLink, sender: Jid, stanza: Stanza) -> None:
        """A user's own presence, of which ejabberd tells (XEP-0356, section 7)."""
        if not sender.resource or not self._engine.serves(sender.domain):
            return
        resource = self._engine.router.full.get(str(sender))
        if stanza.type is None:
            resource = resource or self._bind(sender)
            self._links[resource.jid] = link
            self._spawn(self._engine.serve(resource, without_receiver(stanza)))
        elif stanza.type == "unavailable" and resource is not None:
            self.gone(resource)

    def _answered(self, link: ComponentLink, sender: Jid, stanza: Stanza) -> None:
        if stanza.id == _WHO_LEADS:
            self._told_who_leads(link, sender.domain, stanza.find(_ERROR_TAG + "/" + _NOBODY_TAG) is None)
            return
        resource = self._engine.router.full.get(str(sender))
        if resource is not None:
            self._links[resource.jid] = link
            self._spawn(capabilities.answered(self._engine, resource, stanza))

    def _told_who_leads(self, link: ComponentLink, domain: str, is_led: bool) -> None:
        if self.grants.leads(link, domain):
            return
        if is_led:
            self._engine.fan_out.is_led(link, domain)
        else:
            link.reconnect()

    # ------------------------------------------------------------------------------------------------------- resources

    def _bind(self, jid: Jid) -> Resource:
        """A connection was seen for the first time."""
        full = str(jid)
        to = quote(full).encode()
        resource = Resource(_Outlet(self, full), full, jid.bare, 0, b"", jid.domain, to, session_id="")
        resource.touch_due = float("inf")  # until it is known whose it is
        self._engine.router.bind(resource)
        self._engine.spawn(self._claim(resource))
        return resource

    async def _claim(self, resource: Resource) -> None:
        ports = self._engine.ports
        name = resource.jid.partition("/")[2]
        session_id = await remote_server.claim(ports.remote_server, resource.account, name, ports.clock.now())
        if session_id is not None:
            resource.session_id = session_id
            self._engine.touch(resource)

    def gone(self, resource: Resource) -> None:
        """A connection is gone, or does not want to be seen."""
        if resource.session_id:
            self._engine.touch(resource)
        self._links.pop(resource.jid, None)
        went_offline(self._engine, resource)

    def align(self, connected: Collection[str]) -> None:
        """Forget connections that are gone without a word, and ask those that were not heard of what they want.

        Args:
            connected: the full JIDs of all connections, and of those that came since that was asked for.
        """
        router = self._engine.router
        for resource in [each for each in router.full.values() if each.jid not in connected]:
            self.gone(resource)
        for full in set(connected) - router.full.keys():
            resource = self._bind(parse(full))
            resource.presence = b""
            resource.caps, resource.caps_query = _UNKNOWN_CAPS, self._engine.next_id()
            names = f"from={quote(resource.host)} to={quote(full)} id={quote(resource.caps_query)}"
            resource.outlet.send(f"<iq type='get' {names}><query xmlns='{NS_DISCO_INFO}'/></iq>".encode())

    def _spawn(self, work: Coroutine[Any, Any, Any] | None) -> None:
        if work is not None:
            self._engine.spawn(_ignored(work))


async def _ignored(work: Coroutine[Any, Any, Any]) -> None:
    await work


def _described(node: str) -> str:
    """What the component says of itself, and (by a node that names the namespace) of what it answers for users
    (XEP-0355, section 7).
    """
    if node.endswith(f":bare:{pep.NS_PUBSUB}"):
        return info_xml(_PEP, (pep.NS_PUBSUB, *pep.FEATURES), node)
    features = [each for each in (vcard.NS_VCARD_TEMP, NS_BLOCKING) if node.endswith(f":{each}")]
    return info_xml((), features, node) if node else info_xml(_COMPONENT, (NS_DISCO_INFO,))
