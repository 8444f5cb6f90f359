"""A bot that answers every message with the same text, until it is stopped: by Ctrl-C, or by SIGTERM as services are.
It comes back by itself when the connection is lost.

    HELIOGRAPH_URL=http://127.0.0.1:8080 HELIOGRAPH_KEY=hg_pk_trial_… python examples/echo_bot.py echo

With a node that made its certificate itself, HELIOGRAPH_CA_FILE names that certificate.
"""

from __future__ import annotations

import asyncio
import os
import signal
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


async def until_stopped(user: str) -> None:
    """Be that user until a signal comes, also where nobody may interrupt what a shell has put into the background."""
    bot = asyncio.create_task(main(user))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, bot.cancel)
    await asyncio.wait((bot,))
    if not bot.cancelled():
        bot.result()  # it never ends by itself but with an error
    print("bye")


if __name__ == "__main__":
    asyncio.run(until_stopped(*sys.argv[1:]))
