"""Ada changes her profile, and Bob's device shows it at once.

Run it against a node of yours, with a trial key of your app:

    HELIOGRAPH_URL=http://127.0.0.1:8080 HELIOGRAPH_KEY=hg_pk_trial_… python examples/live_profile.py

With a node that made its certificate itself, HELIOGRAPH_CA_FILE names that certificate.
"""

from __future__ import annotations

import asyncio
import os

from heliograph import SDK, ProfileUpdate


async def sign_in(sdk: SDK, user: str, **listeners: object) -> None:
    """Register this device and connect it."""
    await sdk.initialize(
        os.environ["HELIOGRAPH_URL"],
        os.environ["HELIOGRAPH_KEY"],
        ca_file=os.environ.get("HELIOGRAPH_CA_FILE"),
        **listeners,  # type: ignore[arg-type]
    )
    credentials = (await sdk.register(user)).data
    await sdk.connect(credentials.username, credentials.password)


async def main() -> None:
    """Play both sides."""
    shown = asyncio.Event()

    def show(update: ProfileUpdate) -> None:
        print(f"bob's device shows {update.from_user}: {update.nick_name} ({update.status}), version {update.version}")
        shown.set()

    async with SDK() as ada, SDK() as bob:
        await sign_in(ada, "ada")
        await sign_in(bob, "bob", user_profile_listener=show)
        await ada.add_contact("bob")
        await ada.set_user_profile("Ada Lovelace", status="At the Analytical Engine")
        await asyncio.wait_for(shown.wait(), 10)


if __name__ == "__main__":
    asyncio.run(main())
