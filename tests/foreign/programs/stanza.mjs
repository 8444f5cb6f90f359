// stanza over WebSocket. It knows nicknames (XEP-0172) and avatars (XEP-0084) by itself.
import { createClient } from "stanza";
import { bare, jid, obey, password, service, tell } from "./terminal.mjs";

const client = createClient({ jid, password, transports: { websocket: service, bosh: false } });

client.on("session:started", async () => {
  const { items } = await client.getRoster();
  items.forEach((item) => tell("contact", item.jid));
  client.updateCaps();
  client.sendPresence({ legacyCapabilities: client.disco.getCaps() });
});
client.on("available", ({ from }) => tell("present", bare(from)));
client.on("message", ({ from, body }) => body && tell("message", bare(from), body));
client.on("nick", ({ jid: from, nick }) => tell("named", from, nick));
client.on("avatar", ({ jid: from, source, avatars }) => source === "pubsub" && avatars[0] && tell("pictured", from, avatars[0].id));
client.on("auth:failed", () => tell("refused", "not-authorized"));
client.on("disconnected", () => process.exit(0));

obey((to, body) => client.sendMessage({ to, type: "chat", body }));
client.connect();
