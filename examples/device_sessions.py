"""A user signs in on three devices, looks at the list, and ends the session that was left open at the library.

    HELIOGRAPH_URL=http://127.0.0.1:8080 HELIOGRAPH_KEY=hg_pk_trial_… python examples/device_sessions.py

With a node that made its certificate itself, HELIOGRAPH_CA_FILE names that certificate.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack

from heliograph import SDK, ConnectionStatus, ConnectionUpdate, DeviceBody


async def sign_in(sdk: SDK, user: str, device: str) -> None:
    """Register a device under a name of its own, and connect it."""
    await sdk.initialize(
        os.environ["HELIOGRAPH_URL"],
        os.environ["HELIOGRAPH_KEY"],
        ca_file=os.environ.get("HELIOGRAPH_CA_FILE"),
        device=DeviceBody(device=device),
    )
    credentials = (await sdk.register(user)).data
    await sdk.connect(credentials.username, credentials.password)


async def main() -> None:
    """Play all three devices."""
    async with AsyncExitStack() as stack:
        phone, laptop, library = [await stack.enter_async_context(SDK()) for _ in range(3)]
        for sdk, device in ((phone, "Phone"), (laptop, "Laptop"), (library, "Library computer")):
            await sign_in(sdk, "carol", device)
        at_the_library = library.events()

        sessions = (await phone.get_sessions()).data.sessions
        for session in sessions:
            print(f"{session.device:20} since {session.created_at}{'  (this device)' if session.current else ''}")
        await phone.logout_session(next(session.id for session in sessions if session.device == "Library computer"))

        async for event in at_the_library:
            if isinstance(event, ConnectionUpdate) and event.status is ConnectionStatus.LOGOUT:
                print(f"The library computer was logged out: {event.reason}")
                break
        print(f"The laptop is still {laptop.connection_status}")


if __name__ == "__main__":
    asyncio.run(main())
