import assert from "node:assert/strict";
import { test } from "node:test";
import { QR_TRANSITIONS, nextQrState, type QrInput, type QrStateName } from "../sdk/qr-states";
import { TRANSITIONS, isFinal, nextStatus, type ConnectionStatus, type Trigger } from "../sdk/states";

const STATUSES = Object.keys(TRANSITIONS) as ConnectionStatus[];
const TRIGGERS: Trigger[] = [
  "connect", "bound", "timed_out", "unreachable", "refused", "lost", "failed", "retry", "session_ended", "close",
];

test("only connect leaves a final state", () => {
  for (const status of STATUSES.filter(isFinal)) {
    for (const trigger of TRIGGERS) {
      assert.equal(nextStatus(status, trigger), trigger === "connect" ? "CONNECTING" : undefined, `${status} ${trigger}`);
    }
  }
});

test("every state is reached, and every transition leads to a state", () => {
  const reached = new Set(["DISCONNECTED"]);
  for (const status of STATUSES) {
    for (const trigger of TRIGGERS) {
      const next = nextStatus(status, trigger);
      if (next !== undefined) reached.add(next);
    }
  }
  assert.deepEqual([...reached].sort(), [...STATUSES].sort());
});

test("a connection is only lost while it stands", () => {
  for (const status of STATUSES) assert.equal(nextStatus(status, "lost") !== undefined, status === "CONNECTED", status);
});

const QR_STATES = Object.keys(QR_TRANSITIONS) as QrStateName[];
const QR_INPUTS: QrInput[] = ["code", "paused", "scanned", "verify", "approved", "ended", "lost", "signed_in"];

test("a QR sign-in that is over stays over", () => {
  for (const state of ["connected", "ended"] as const) {
    for (const input of QR_INPUTS) assert.equal(nextQrState(state, input), undefined);
  }
});

test("a signal server cannot show another code once a phone has scanned one", () => {
  for (const state of ["scanned", "verify", "approved"] as const) assert.equal(nextQrState(state, "code"), undefined);
});

test("a page is connected only after a credential came", () => {
  for (const state of QR_STATES) {
    assert.equal(nextQrState(state, "signed_in"), state === "approved" ? "connected" : undefined);
  }
});
