import assert from "node:assert/strict";
import { test } from "node:test";
import { segment } from "../sdk/api";
import { describeDevice } from "../sdk/device";
import { HeliographError, fromCode } from "../sdk/errors";
import { parseJid } from "../sdk/jid";
import { layOut } from "../sdk/qr-canvas";
import { signalUrl } from "../sdk/qr-signal";
import { readScannedText } from "../sdk/qr-text";
import { PATIENT, backoffMs } from "../sdk/reconnect";

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof HeliographError);
    return error.code;
  }
  return "";
}

test("a wait is anything from nothing to a bound that doubles and has an end", () => {
  assert.equal(backoffMs(PATIENT, 1, 0), 0);
  assert.deepEqual([1, 2, 3, 7, 1000].map((attempt) => backoffMs(PATIENT, attempt, 1)), [1000, 2000, 4000, 60000, 60000]);
});

test("an address has its parts", () => {
  assert.deepEqual(parseJid("ada@chat/a/b@c"), { local: "ada", domain: "chat", resource: "a/b@c", bare: "ada@chat" });
  assert.deepEqual(parseJid("chat"), { local: "", domain: "chat", resource: "", bare: "chat" });
});

test("a segment of a path means nothing else", () => {
  assert.equal(segment("a/b@c"), "a%2Fb@c");
  for (const text of ["", ".", ".."]) assert.equal(codeOf(() => segment(text)), "request_invalid");
});

test("a QR text, a link and a typed code are taken apart; other texts are no code", () => {
  const [code, hash] = ["c".repeat(43), "h".repeat(43)];
  const parts = { code, keyHash: hash, host: "chat.example:8080" };
  assert.deepEqual(readScannedText(` HG1.${code}.${hash}.chat.example:8080\n`), parts);
  assert.deepEqual(readScannedText(`https://chat.example/link#HG1.${code}.${hash}.chat.example:8080`), parts);
  assert.deepEqual(readScannedText("bcdf-ghjk"), { code: "bcdf-ghjk", keyHash: null, host: null });
  for (const text of ["", "https://evil.example/", `HG2.${code}.${hash}.x`, `HG1.${code}.x`]) {
    assert.equal(codeOf(() => readScannedText(text)), "request_invalid", text);
  }
});

test("the signal server is where the page or the node says", () => {
  assert.equal(signalUrl(null, "wss://chat.example/signal"), "wss://chat.example/signal");
  assert.equal(signalUrl("wss://signal.example", null), "wss://signal.example/signal");
  assert.equal(signalUrl("https://signal.example/s", null), "wss://signal.example/s");
  for (const given of ["", "ftp://x.example", "nonsense"]) assert.equal(codeOf(() => signalUrl(given, null)), "request_invalid");
});

test("a code is laid out on whole pixels, and the logo's ground is in the middle and at most a quarter wide", () => {
  for (const modules of [21, 45, 49, 177]) {
    for (const pixels of [100, 240, 300.5, 1000]) {
      const { side, module, start, ground } = layOut(modules, pixels, 4);
      assert.ok(Number.isInteger(module) && Number.isInteger(start) && Number.isInteger(side));
      assert.ok(start >= 4 * module - 1 && start + modules * module <= side);
      assert.ok(ground.modules <= modules / 4);
      assert.equal(ground.first + ground.modules + ground.first, modules);
    }
  }
});

test("a browser says what it is", () => {
  const linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
  assert.deepEqual(describeDevice(linux), { device: "Computer", browser: "Chrome 142", os: "Linux" });
  const edge = `${linux.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64")} Edg/142.0.1.2`;
  assert.deepEqual(describeDevice(edge), { device: "Computer", browser: "Edge 142", os: "Windows" });
  const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
  assert.deepEqual(describeDevice(iphone), { device: "Phone or tablet", browser: "Safari 18", os: "iOS 18" });
  const android = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0";
  assert.deepEqual(describeDevice(android), { device: "Phone or tablet", browser: "Firefox 140", os: "Android 15" });
  assert.deepEqual(describeDevice(""), { device: "Computer", browser: "Browser", os: "" });
});

test("the status of an error is that of its code, and of an unknown code 400", () => {
  assert.deepEqual(["session_limit", "slow_down", "cancelled", "from_the_future"].map((code) => fromCode(code, "").statusCode), [405, 429, 409, 400]);
});
