"""What the nodes of an ejabberd cluster grant: each for itself, over the link that this node has to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from heliograph.engines.ejabberd.link import ComponentLink


@dataclass(slots=True)
class _Granted:
    """By one ejabberd node.

    Attributes:
        privileges: by domain, the namespace in which it said that its users may be spoken for.
        leads: the domains whose requests it passes on to this node, and to no other.
    """

    privileges: dict[str, str] = field(default_factory=dict)
    leads: set[str] = field(default_factory=set)


class Grants:
    """All that is granted."""

    def __init__(self) -> None:
        self._by_link: dict[ComponentLink, _Granted] = {}

    @property
    def is_privileged(self) -> bool:
        """Whether any ejabberd node lets this one speak for its users."""
        return any(granted.privileges for granted in self._by_link.values())

    def lost(self, link: ComponentLink) -> None:
        """A link is gone, and with it what was granted over it."""
        self._by_link.pop(link, None)

    def privilege(self, link: ComponentLink, domain: str, namespace: str) -> None:
        """The users of a domain may be spoken for."""
        self._by_link.setdefault(link, _Granted()).privileges[domain] = namespace

    def delegate(self, link: ComponentLink, domain: str) -> bool:
        """Requests of a domain are passed on to this node; whether that is new."""
        leads = self._by_link.setdefault(link, _Granted()).leads
        is_new = domain not in leads
        leads.add(domain)
        return is_new

    def leads(self, link: ComponentLink | None, domain: str) -> bool:
        """Whether this node answers for the users of a domain who are connected there; without a link, anywhere."""
        if link is not None:
            return link in self._by_link and domain in self._by_link[link].leads
        return any(domain in granted.leads for granted in self._by_link.values())

    def speakers(self, preferred: ComponentLink | None, domain: str) -> Iterator[tuple[ComponentLink, str]]:
        """Over which links the users of a domain may be spoken for, and in which namespace. Any node of ejabberd brings
        what is said to any other, so the preferred one, which comes first, is only the nearest.
        """
        others = [link for link in self._by_link if link is not preferred]
        for link in others if preferred is None else (preferred, *others):
            granted = self._by_link.get(link)
            if granted is not None and domain in granted.privileges:
                yield link, granted.privileges[domain]

    def lacking(self, domains: Iterable[str]) -> Iterator[tuple[ComponentLink, str]]:
        """Where an ejabberd node that grants something grants nothing for one of those domains."""
        for domain in domains:
            for link, granted in self._by_link.items():
                if granted.privileges and domain not in granted.privileges:
                    yield link, domain

    def led_by_others(self, domains: Iterable[str]) -> Iterator[tuple[ComponentLink, str]]:
        """Where this node may speak, and another one answers, or none does."""
        for domain in domains:
            for link, granted in self._by_link.items():
                if domain in granted.privileges and domain not in granted.leads:
                    yield link, domain
