import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../sdk/inbox";
import { element, profileEvent, stanza } from "./stanzas";

const BOB = "bob@chat";

function names(events: readonly (readonly [string, unknown])[]): string[] {
  return events.map(([name]) => name);
}

test("each version of a profile is told once, and none that is older than what is known", () => {
  const inbox = new Inbox("ada@chat");
  const told = [2, 2, 1, 3].map((version) => names(inbox.take(profileEvent(BOB, version, `Bob ${version}`))));
  assert.deepEqual(told, [["userProfileListener"], [], [], ["userProfileListener"]]);
});

test("a client cannot speak for an account", () => {
  const inbox = new Inbox("ada@chat");
  assert.deepEqual(inbox.take(profileEvent(`${BOB}/phone`, 9, "Mallory")), []);
  const session = "<new-session xmlns='urn:heliograph:new-session:1' id='s' device='' browser='' os='' ip='' createdAt='' via='qr'/>";
  assert.deepEqual(inbox.take(stanza("message", { type: "headline", from: BOB }, session)), []);
  assert.deepEqual(names(inbox.take(stanza("message", { type: "headline", from: "ada@chat" }, session))), ["sessionListener"]);
  const ended = session.replace("new-session ", "ended-session reason='token_reused' ");
  assert.deepEqual(inbox.take(stanza("message", { type: "headline", from: BOB }, ended)), []);
  const [told] = inbox.take(stanza("message", { type: "headline", from: "ada@chat" }, ended));
  assert.equal(told?.[0], "sessionEndedListener");
  assert.deepEqual(told?.[1], {
    ...{ sessionId: "s", device: "", browser: "", os: "", ip: "", createdAt: "", via: "qr" },
    reason: "token_reused",
  });
});

test("a block by the administrator is told beside the profile", () => {
  const inbox = new Inbox("ada@chat");
  inbox.take(profileEvent(BOB, 1, "Bob"));
  const events = inbox.take(profileEvent(BOB, 2, "Bob", "blocked='true'"));
  assert.deepEqual(names(events), ["userProfileListener", "adminBlockListener"]);
});

test("the first contact list is the ground, and later ones are told by what has changed", () => {
  const inbox = new Inbox("ada@chat");
  const roster = (items: string) => element(`<query xmlns='jabber:iq:roster'>${items}</query>`);
  assert.deepEqual(inbox.takeRoster(roster(`<item jid='${BOB}' subscription='both'/>`)), []);
  const events = inbox.takeRoster(roster("<item jid='eve@chat' subscription='none' ask='subscribe'/>"));
  assert.deepEqual(events, [
    ["friendsListListener", { userId: "bob", userJid: BOB, state: "removed" }],
    ["friendsListListener", { userId: "eve", userJid: "eve@chat", state: "requested" }],
  ]);
});

test("a roster push of somebody else is none", () => {
  const inbox = new Inbox("ada@chat");
  const query = `<query xmlns='jabber:iq:roster'><item jid='${BOB}' subscription='both'/></query>`;
  assert.equal(inbox.takePush(stanza("iq", { type: "set", id: "1", from: "eve@chat" }, query)), null);
  assert.deepEqual(names(inbox.takePush(stanza("iq", { type: "set", id: "1" }, query)) ?? []), ["friendsListListener"]);
});

test("the first block list is the ground, and pushes are told by the users whom they name", () => {
  const inbox = new Inbox("ada@chat");
  const NS = "urn:xmpp:blocking";
  const list = `<item jid='${BOB}'/><item jid='spam.example'/>`;
  const push = (name: string, items: string) =>
    inbox.takePush(stanza("iq", { type: "set", id: "1" }, `<${name} xmlns='${NS}'>${items}</${name}>`));
  assert.deepEqual(inbox.takeBlocks(element(`<blocklist xmlns='${NS}'>${list}</blocklist>`)), []);
  assert.deepEqual(push("block", `<item jid='eve@chat'/><item jid='${BOB}'/>`), [
    ["blockUserListener", { userId: "eve", userJid: "eve@chat", isBlocked: true }],
  ]);
  assert.deepEqual(push("unblock", "<item jid='eve@chat'/>"), [
    ["blockUserListener", { userId: "eve", userJid: "eve@chat", isBlocked: false }],
  ]);
  assert.deepEqual(push("unblock", ""), [["blockUserListener", { userId: "bob", userJid: BOB, isBlocked: false }]]);
  assert.deepEqual(inbox.known().blocked, []);
});

test("what one page was told of blocking, another one takes over", () => {
  const inbox = new Inbox("ada@chat");
  inbox.adopt({ profiles: [], presences: [], friends: null, blocked: [BOB], mark: 0 });
  inbox.note(["blockUserListener", { userId: "eve", userJid: "eve@chat", isBlocked: true }]);
  assert.deepEqual(inbox.known().blocked, [BOB, "eve@chat"]);
});

test("one's own presence is no news, and a presence that says the same is none either", () => {
  const inbox = new Inbox("ada@chat");
  const here = { from: "ada@chat/x", to: "ada@chat/x" };
  assert.deepEqual(inbox.take(stanza("presence", here)), []);
  const bob = { from: `${BOB}/phone`, to: "ada@chat/x" };
  assert.equal(inbox.take(stanza("presence", bob)).length, 1);
  assert.equal(inbox.take(stanza("presence", bob)).length, 0);
  assert.equal(inbox.take(stanza("presence", bob, "<show>away</show>")).length, 1);
});

test("who has left while there was no connection is told as gone once the next one is ready", () => {
  const inbox = new Inbox("ada@chat");
  inbox.take(stanza("presence", { from: `${BOB}/phone`, to: "ada@chat/x" }));
  inbox.take(stanza("presence", { from: "eve@chat/phone", to: "ada@chat/x" }));
  inbox.connecting();
  inbox.take(stanza("presence", { from: "eve@chat/phone", to: "ada@chat/y" }));
  const [event, ...rest] = inbox.connected();
  assert.deepEqual(rest, []);
  assert.deepEqual(event, [
    "presenceListener",
    { userId: "bob", userJid: BOB, resource: "phone", isOnline: false, show: "", status: "" },
  ]);
});

test("a subscription request is a contact that has asked", () => {
  const inbox = new Inbox("ada@chat");
  const asked = inbox.take(stanza("presence", { type: "subscribe", from: BOB, to: "ada@chat" }));
  assert.deepEqual(asked, [["friendsListListener", { userId: "bob", userJid: BOB, state: "received" }]]);
  assert.equal(inbox.take(stanza("presence", { type: "unsubscribe", from: BOB, to: "ada@chat" })).length, 1);
});

test("a page that adopts what another one knows is told it once", () => {
  const one = new Inbox("ada@chat");
  one.take(profileEvent(BOB, 4, "Bob"));
  one.take(stanza("presence", { from: `${BOB}/phone`, to: "ada@chat/x" }));
  const other = new Inbox("ada@chat");
  assert.deepEqual(names(other.adopt(one.known())), ["userProfileListener", "presenceListener"]);
  assert.deepEqual(other.adopt(one.known()), []);
  assert.deepEqual(other.take(profileEvent(BOB, 4, "Bob")), []);
});

test("a message without a text is no message", () => {
  const inbox = new Inbox("ada@chat");
  assert.deepEqual(inbox.take(stanza("message", { type: "chat", from: `${BOB}/x` }, "<body/>")), []);
  const [event] = inbox.take(stanza("message", { type: "chat", from: `${BOB}/x`, id: "7" }, "<body>a &lt; b</body>"));
  assert.deepEqual(event, ["messageListener", { messageId: "7", userId: "bob", userJid: BOB, text: "a < b" }]);
});

test("a message that its sender sends again, as it cannot know whether it came, is told once", () => {
  const inbox = new Inbox("ada@chat");
  const sent = (from: string, id: string) =>
    names(inbox.take(stanza("message", { type: "chat", from }, `<body>Hi</body><origin-id xmlns='urn:xmpp:sid:0' id='${id}'/>`)));
  assert.deepEqual(sent(`${BOB}/x`, "1"), ["messageListener"]);
  assert.deepEqual(sent(`${BOB}/y`, "1"), []);
  assert.deepEqual(sent(`${BOB}/y`, "2"), ["messageListener"]);
  assert.deepEqual(sent("eve@chat/x", "1"), ["messageListener"], "another sender's id is another one");
});
