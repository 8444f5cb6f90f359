"""What a node counts and measures of itself, in the text format of Prometheus.

Labels are bounded: methods, patterns of routes, classes of status. No user, app, session or address is ever one.
"""

from __future__ import annotations

import functools

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one node."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._requests = Counter(
            "heliograph_http_requests",
            "HTTP requests that were answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "heliograph_http_request_seconds",
            "How long an HTTP request took",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        # With labels looked up in a dict, a request is counted in half the time.
        self._requests_of = functools.cache(self._requests.labels)
        self._seconds_of = functools.cache(self._seconds.labels)
        self._connections = self._gauge("heliograph_xmpp_connections", "Open XMPP connections")
        self._prepared = self._gauge(
            "heliograph_credentials_prepared", "Passwords for new accounts that lie ready, for a burst of registrations"
        )
        self._waiting = self._gauge("heliograph_webhook_messages_waiting", "Webhook messages that wait for delivery")
        self._dead = self._gauge("heliograph_webhook_messages_dead", "Webhook messages that are dead letters")
        self._dropped = self._gauge("heliograph_webhook_messages_dropped", "Webhook messages that found no room")

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)

    def request(self, method: str, route: str | None, status: int, elapsed_s: float) -> None:
        """Count an HTTP request.

        Args:
            method: as it came; an unknown one counts as `other`.
            route: the pattern of its address; `None` where it has none.
            status: of the answer.
            elapsed_s: from the first byte of the request to the end of the answer.
        """
        pattern = route or "none"
        self._requests_of(method if method in _METHODS else "other", pattern, status).inc()
        self._seconds_of(pattern).observe(elapsed_s)

    def standing(self, connections: int, prepared: int, waiting: int, dead: int, dropped: int) -> None:
        """Note how things stand at this moment.

        Args:
            connections: open XMPP connections.
            prepared: passwords for new accounts that lie ready.
            waiting: messages that wait for webhooks.
            dead: messages that are dead letters.
            dropped: messages that were not taken, since the webhooks are there.
        """
        self._connections.set(connections)
        self._prepared.set(prepared)
        self._waiting.set(waiting)
        self._dead.set(dead)
        self._dropped.set(dropped)

    def text(self) -> bytes:
        """All of it, in the text format 1.0.0 of Prometheus."""
        return generate_latest(self._registry)
