import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { answer, initialPresence, verification } from "../sdk/discovery";
import { child, children } from "../sdk/xml";
import { element, stanza } from "./stanzas";

const NS_INFO = "http://jabber.org/protocol/disco#info";

async function info(node: string | null): Promise<Element> {
  const named = node === null ? "" : ` node='${node}'`;
  const query = `<query xmlns='${NS_INFO}'${named}/>`;
  return element(await answer(stanza("iq", { type: "get", id: "i1", from: "chat" }, query)));
}

test("what is announced is the hash over what is answered", async () => {
  const caps = child(element(await initialPresence()), "c", "http://jabber.org/protocol/caps");
  assert.equal(caps?.getAttribute("ver"), await verification());
  const iq = await info(`${caps?.getAttribute("node")}#${caps?.getAttribute("ver")}`);
  const said = children(child(iq, "query", NS_INFO) as Element);
  const identity = said.filter((each) => each.localName === "identity").map((each) => `client/web//${each.getAttribute("name")}`);
  const features = said.filter((each) => each.localName === "feature").map((each) => each.getAttribute("var") as string);
  const text = [...identity, ...features.sort()].map((part) => `${part}<`).join("");
  assert.equal(createHash("sha1").update(text).digest("base64"), await verification());
  assert.ok(features.includes("urn:xmpp:vcard4+notify"));
});

test("a ping is answered, another node is not known, anything else is not served", async () => {
  const asked = async (type: string, payload: string) =>
    element(await answer(stanza("iq", { type, id: "i1", from: "chat" }, payload)));
  assert.equal((await asked("get", "<ping xmlns='urn:xmpp:ping'/>")).getAttribute("type"), "result");
  assert.equal((await info("other")).getAttribute("type"), "error");
  const refused = await asked("set", "<query xmlns='jabber:iq:version'/>");
  assert.equal(refused.getAttribute("type"), "error");
  assert.equal(refused.getAttribute("to"), "chat");
});
