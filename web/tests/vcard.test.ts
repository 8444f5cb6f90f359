import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJid } from "../sdk/jid";
import { readVcard4 } from "../sdk/vcard";
import { element } from "./stanzas";

const OWNER = parseJid("bob@chat");

function read(content: string) {
  return readVcard4(element(`<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'>${content}</vcard>`), OWNER);
}

test("all fields of a profile are read", () => {
  const profile = read(
    "<fn><text>Robert</text></fn><nickname><text>Bob</text></nickname><photo><uri>https://x.example/b.png</uri></photo>" +
      "<note><text>hi</text></note><tel><uri>tel:+1-415-555-2671;ext=1</uri></tel><email><text>b@x.example</text></email>" +
      "<profile xmlns='urn:heliograph:profile:1' version='7' thumb='https://x.example/t.png' blocked='true'/>",
  );
  assert.deepEqual(profile, {
    userId: "bob", userJid: "bob@chat", fromUser: "bob", nickName: "Bob",
    image: "https://x.example/b.png", thumbImage: "https://x.example/t.png",
    status: "hi", userStatus: "hi", mobileNumber: "+14155552671", email: "b@x.example",
    isAdminBlocked: true, version: 7,
  });
});

test("a local number stands as text, and another URI than tel is no number", () => {
  assert.equal(read("<tel><text>0171 123-45</text></tel>").mobileNumber, "017112345");
  assert.equal(read("<tel><uri>sip:b@x.example</uri></tel><tel><uri>tel:+4917112345</uri></tel>").mobileNumber, "+4917112345");
});

test("a picture has a web address, and a version is a number", () => {
  const profile = read("<photo><uri>javascript:alert(1)</uri></photo><profile xmlns='urn:heliograph:profile:1' version='x' thumb='data:,'/>");
  assert.deepEqual([profile.image, profile.thumbImage, profile.version], ["", "", 0]);
});
