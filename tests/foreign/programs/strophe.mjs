// strophe.js over WebSocket. It has no module for profiles: the vCard4 of XEP-0292 is read as it comes.
import { $iq, $msg, $pres, Strophe } from "strophe.js";
import { createHash } from "node:crypto";
import { bare, jid, obey, password, service, tell } from "./terminal.mjs";

const { NS } = Strophe;
const CAPS = "http://jabber.org/protocol/caps";
const EVENT = "http://jabber.org/protocol/pubsub#event";
const FEATURES = [NS.DISCO_INFO, "urn:xmpp:vcard4+notify"].sort();
const VER = createHash("sha1").update(["client/pc//strophe", ...FEATURES, ""].join("<")).digest("base64");

const connection = new Strophe.Connection(service);
const child = (element, name) => element.getElementsByTagName(name)[0];

function on(handler, ...matching) {
  connection.addHandler((stanza) => (handler(stanza), true), ...matching);
}

function describe(request) {
  const answer = $iq({ type: "result", to: request.getAttribute("from"), id: request.getAttribute("id") });
  answer.c("query", { xmlns: NS.DISCO_INFO, node: child(request, "query").getAttribute("node") });
  answer.c("identity", { category: "client", type: "pc", name: "strophe" }).up();
  FEATURES.forEach((feature) => answer.c("feature", { var: feature }).up());
  connection.send(answer);
}

async function online() {
  on(describe, NS.DISCO_INFO, "iq", "get");
  on((stanza) => stanza.getAttribute("type") || tell("present", bare(stanza.getAttribute("from"))), null, "presence");
  on((stanza) => tell("message", bare(stanza.getAttribute("from")), child(stanza, "body").textContent), null, "message", "chat");
  on((stanza) => {
    const name = child(stanza, "nickname");
    if (name) tell("named", stanza.getAttribute("from"), child(name, "text").textContent);
  }, EVENT, "message");
  const request = $iq({ type: "get" }).c("query", { xmlns: NS.ROSTER });
  const roster = await new Promise((resolve, reject) => connection.sendIQ(request, resolve, reject));
  for (const item of Array.from(roster.getElementsByTagName("item"))) tell("contact", item.getAttribute("jid"));
  connection.send($pres().c("c", { xmlns: CAPS, hash: "sha-1", node: "urn:example:strophe", ver: VER }));
  obey((to, text) => connection.send($msg({ to, type: "chat" }).c("body").t(text)));
}

connection.connect(jid, password, (status, condition) => {
  if (status === Strophe.Status.CONNECTED) online();
  if (status === Strophe.Status.AUTHFAIL) tell("refused", condition);
  if (status === Strophe.Status.DISCONNECTED) process.exit(0);
});
