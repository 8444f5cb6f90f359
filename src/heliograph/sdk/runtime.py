"""What `SDK.initialize` sets up, and what all calls share."""

from __future__ import annotations

from heliograph import wire
from heliograph.errors import NotConnected
from heliograph.sdk.api import Api
from heliograph.sdk.connection import Connection
from heliograph.sdk.dispatch import Dispatcher
from heliograph.sdk.events import Listeners
from heliograph.sdk.resource import Terms
from heliograph.sdk.states import Trigger
from heliograph.sdk.stream import Credentials
from heliograph.sdk.token_store import TokenStore
from heliograph.sdk.tokens import TokenKeeper


class Runtime:
    """An initialised SDK. Made inside a running loop.

    Args:
        config: what the server says to its clients.
        device: what this device says of itself when it registers.
        api: the API, for the app's key.
        terms: how to connect.
        listeners: the app's callbacks.
        token_store: keeps the tokens over a restart.

    Attributes:
        username: who registered or connected last, and has not logged out.
    """

    def __init__(
        self,
        config: wire.Config,
        device: wire.DeviceBody,
        api: Api,
        terms: Terms,
        listeners: Listeners,
        token_store: TokenStore | None = None,
    ) -> None:
        self.config = config
        self.device = device
        self.api = api
        self.terms = terms
        self.dispatcher = Dispatcher(listeners)
        self.tokens = TokenKeeper(api, self.dispatcher.emit, token_store)
        self.username = self.tokens.restore()
        self.connection = Connection(terms, self.dispatcher.emit, self._session_ended)

    @property
    def user_jid(self) -> str:
        """The bare JID of the user.

        Raises:
            NotConnected: nobody has registered or connected.
        """
        if self.username is None:
            raise NotConnected
        return f"{self.username}@{self.config.domain}"

    def _session_ended(self, credentials: Credentials) -> None:
        """A session is over, and its password and its tokens are worth nothing. If this device has registered again
        meanwhile, it has others.
        """
        if self.tokens.forget_session(credentials.username, credentials.password):
            self.username = None

    async def log_out(self, reason: str) -> None:
        """The session is over by the user's own will."""
        self.username = None
        self.tokens.forget()
        await self.connection.stop(Trigger.SESSION_ENDED, reason)

    async def close(self) -> None:
        """Disconnect, and let go of everything; the session goes on."""
        await self.connection.stop(Trigger.CLOSE)
        await self.tokens.close()
        await self.api.close()
        await self.dispatcher.close()


class Calls:
    """The base of the calls, which stand in a class a noun."""

    _runtime: Runtime | None = None

    @property
    def _on(self) -> Runtime:
        """What `initialize` has set up.

        Raises:
            NotConnected: it was not called.
        """
        if self._runtime is None:
            raise NotConnected("Initialize the SDK first")
        return self._runtime
