// What all programs of this folder share: they tell what they see, a line for each, and do what a line tells them to.
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

globalThis.WebSocket ??= WebSocket; // Node 20 has none

export const { XMPP_JID: jid, XMPP_PASSWORD: password, XMPP_SERVICE: service } = process.env;
export const [username, domain] = jid.split("@");
export const bare = (address) => address.split("/")[0];

export const tell = (...words) => console.log(words.join(" "));

// Calls `say(to, text)` for each line "JID TEXT".
export function obey(say) {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const [, to, text] = line.match(/^(\S+) (.*)$/);
    say(to, text);
  });
}
