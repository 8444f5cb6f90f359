// @xmpp/client over WebSocket, or TCP with STARTTLS or direct TLS: as the address says. It knows no profiles: the nickname of XEP-0172 is
// read as it comes.
import { client, xml } from "@xmpp/client";
import { createHash } from "node:crypto";
import { bare, domain, obey, password, service, tell, username } from "./terminal.mjs";

const CAPS = "http://jabber.org/protocol/caps";
const DISCO = "http://jabber.org/protocol/disco#info";
const NICK = "http://jabber.org/protocol/nick";
const ROSTER = "jabber:iq:roster";
const FEATURES = [DISCO, `${NICK}+notify`].sort();
const VER = createHash("sha1").update(["client/pc//xmpp.js", ...FEATURES, ""].join("<")).digest("base64");

const timeout = 60_000; // its own 2 s are too few on a busy machine
const xmpp = client({ service, domain, username, password, timeout });
xmpp.on("error", (error) => tell("refused", error.condition ?? error.message));

xmpp.iqCallee.get(DISCO, "query", ({ element }) =>
  xml(
    "query",
    { xmlns: DISCO, node: element.attrs.node },
    xml("identity", { category: "client", type: "pc", name: "xmpp.js" }),
    ...FEATURES.map((feature) => xml("feature", { var: feature })),
  ),
);

xmpp.on("stanza", (stanza) => {
  const from = stanza.attrs.from && bare(stanza.attrs.from);
  const nick = stanza.getChild("event")?.getChild("items")?.getChild("item")?.getChildText("nick", NICK);
  if (stanza.is("presence") && !stanza.attrs.type) tell("present", from);
  if (nick) tell("named", from, nick);
  else if (stanza.is("message") && stanza.getChildText("body")) tell("message", from, stanza.getChildText("body"));
});

xmpp.on("online", async () => {
  const roster = await xmpp.iqCaller.get(xml("query", { xmlns: ROSTER }));
  for (const item of roster.getChildren("item")) tell("contact", item.attrs.jid);
  await xmpp.send(xml("presence", {}, xml("c", { xmlns: CAPS, hash: "sha-1", node: "urn:example:xmpp.js", ver: VER })));
});

obey((to, text) => xmpp.send(xml("message", { to, type: "chat" }, xml("body", {}, text))));
await xmpp.start();
