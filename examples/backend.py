"""What an app's own backend does with its secret key: move users in, hand out sessions, sign a user out everywhere.

HELIOGRAPH_URL=http://localhost:8080 HELIOGRAPH_SECRET_KEY=hg_sk_trial_… python examples/backend.py
"""

from __future__ import annotations

import asyncio
import os

from heliograph import Backend


async def main() -> None:
    """Play a small app's backend."""
    async with Backend(os.environ["HELIOGRAPH_URL"], os.environ["HELIOGRAPH_SECRET_KEY"]) as backend:
        names = [f"member-{number}" for number in range(1, 6)]
        results = await backend.register_many([*names, "No One"], idempotency_key="import-1")
        for result in results:
            print(result.user_identifier, result.error.code if result.error else result.status)

        phone = (await backend.register("member-1")).data
        print(f"{phone.user_jid} gets session {phone.session_id[:4]}… for its phone")

        ended = (await backend.logout_everywhere("member-1")).data
        print(f"signed out everywhere: {len(ended.session_ids)} sessions")

        await backend.block_user("member-2")
        blocked = [user.user_id async for user in backend.list_users("member-") if user.is_admin_blocked]
        print(f"blocked: {', '.join(blocked)}")


if __name__ == "__main__":
    asyncio.run(main())
