"""A plain XMPP client, here of the library slixmpp, with credentials that `register` gave: it prints the contacts, and
their profiles as they change.

    XMPP_JID=ada@sandbox.localhost XMPP_PASSWORD=… python examples/slixmpp_client.py 127.0.0.1 5222

Port 5222 speaks STARTTLS; with `--direct-tls` behind the port the client speaks TLS from the first byte, as on port
5223. With a node that made its certificate itself, HELIOGRAPH_CA_FILE names that certificate.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from slixmpp import ClientXMPP, Message


def show(event: Message) -> None:
    """Print a contact's profile: a vCard4, published over personal eventing (XEP-0292, XEP-0163)."""
    vcard = event["pubsub_event"]["items"]["item"]["vcard"]
    print(f"{event['from']} is {vcard['full_name']}", flush=True)


async def main(host: str, port: str, *options: str) -> None:
    """Connect, print the contacts, and go on until the server or the user ends it."""
    client = ClientXMPP(os.environ["XMPP_JID"], os.environ["XMPP_PASSWORD"])
    client.enable_direct_tls = "--direct-tls" in options
    client.enable_starttls = not client.enable_direct_tls
    if "HELIOGRAPH_CA_FILE" in os.environ:
        client.ca_certs = Path(os.environ["HELIOGRAPH_CA_FILE"])
    client.register_plugin("xep_0292")
    client.plugin["xep_0060"].map_node_event("urn:xmpp:vcard4", "profile")
    client.add_event_handler("profile_publish", show)
    client.connect(host, int(port))
    await client.wait_until("session_start")
    await client.get_roster()
    print("Contacts:", *(jid for jid in client.client_roster if jid != client.boundjid.bare), flush=True)
    client.plugin["xep_0163"].add_interest("urn:xmpp:vcard4")
    await client.plugin["xep_0115"].update_caps(broadcast=False)
    client.send_presence()
    await client.disconnected


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
