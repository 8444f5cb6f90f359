"""A bot that answers every message with the same text, until it is interrupted. It comes back by itself when the
connection is lost.

    HELIOGRAPH_URL=http://127.0.0.1:8080 HELIOGRAPH_KEY=hg_pk_trial_… python examples/echo_bot.py echo

With a node that made its certificate itself, HELIOGRAPH_CA_FILE names that certificate.
"""

from __future__ import annotations

import asyncio
import os
import sys

from heliograph import SDK, ConnectionUpdate, HeliographError, MessageReceived


async def main(user: str) -> None:
    """Be that user."""
    async with SDK() as sdk:
        await sdk.initialize(
            os.environ["HELIOGRAPH_URL"], os.environ["HELIOGRAPH_KEY"], ca_file=os.environ.get("HELIOGRAPH_CA_FILE")
        )
        events = sdk.events()
        credentials = (await sdk.register(user)).data
        await sdk.connect(credentials.username, credentials.password)
        async for event in events:
            match event:
                case ConnectionUpdate(status=status):
                    print(status, flush=True)
                case MessageReceived(user_jid=sender, text=text):
                    try:
                        await sdk.send_message(sender, text)
                    except HeliographError as error:
                        print(f"could not answer {sender}: {error.message}", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        print("bye")
