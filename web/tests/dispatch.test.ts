import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Dispatcher } from "../sdk/dispatch";

const complaints = mock.method(console, "error", () => undefined);
const warnings = mock.method(console, "warn", () => undefined);

test("events come in order, after the call that caused them, whatever a listener throws", async () => {
  const heard: string[] = [];
  const { emit } = new Dispatcher({
    connectionListener: ({ status }) => {
      heard.push(status);
      if (status === "CONNECTING") emit("connectionListener", { status: "CONNECTED" });
      throw new Error("the page's own bug");
    },
    presenceListener: async () => Promise.reject(new Error("another one")),
  });
  emit("connectionListener", { status: "CONNECTING" });
  emit("presenceListener", { userId: "", userJid: "", resource: "", isOnline: true, show: "", status: "" });
  assert.deepEqual(heard, []);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(heard, ["CONNECTING", "CONNECTED"]);
  assert.equal(complaints.mock.callCount(), 3);
  emit("connectionListener", { status: "DISCONNECTED" });
  await Promise.resolve();
  assert.equal(heard.length, 3);
});

test("a listener that there is not is told of, and harms nobody", () => {
  new Dispatcher({ groupListener: () => undefined } as object);
  assert.equal(warnings.mock.callCount(), 1);
});
