import assert from "node:assert/strict";
import { test } from "node:test";
import { refused, streamError } from "../sdk/endings";
import { element } from "./stanzas";

const NS = "urn:ietf:params:xml:ns:xmpp-streams";

function error(content: string): Element {
  return element(`<stream:error xmlns:stream='http://etherx.jabber.org/streams'>${content}</stream:error>`);
}

test("an ended session is told with its reason, and is not tried again", () => {
  const ended = "<ended xmlns='urn:heliograph:session:1' reason='evicted'/>";
  const how = streamError(error(`<conflict xmlns='${NS}'/><text xmlns='${NS}'>Elsewhere</text>${ended}`), true);
  assert.deepEqual([how.trigger, how.reason, how.error.code], ["session_ended", "evicted", "authentication_failed"]);
  assert.equal(how.error.message, "Elsewhere");
});

test("a blocked user is told so at connect as well", () => {
  const how = streamError(error("<ended xmlns='urn:heliograph:session:1' reason='admin_blocked'/>"), false);
  assert.equal(how.error.statusCode, 403);
});

test("a server that can tell a sentence alone puts the reason at its end", () => {
  const told = `<conflict xmlns='${NS}'/><text xmlns='${NS}'>Elsewhere (urn:heliograph:session:1#evicted)</text>`;
  const how = streamError(error(told), true);
  assert.deepEqual([how.trigger, how.reason, how.error.message], ["session_ended", "evicted", "Elsewhere"]);
  const other = `<conflict xmlns='${NS}'/><text xmlns='${NS}'>(urn:heliograph:session:1#evicted) or so</text>`;
  assert.equal(streamError(error(other), true).trigger, "failed");
});

test("a device that has to show its password again is not signed out", () => {
  const text = `<text xmlns='${NS}'>Please sign in again (urn:heliograph:session:1#sign_in_again)</text>`;
  const ended = "<ended xmlns='urn:heliograph:session:1' reason='sign_in_again'/>";
  for (const mark of [`<conflict xmlns='${NS}'/>${text}`, `<reset xmlns='${NS}'/>${ended}`]) {
    assert.equal(streamError(error(mark), true).trigger, "lost");
    assert.equal(streamError(error(mark), false).trigger, "unreachable");
  }
});

test("a server that shuts down is a lost connection; a wrong stream is an error", () => {
  assert.equal(streamError(error(`<system-shutdown xmlns='${NS}'/>`), true).trigger, "lost");
  assert.equal(streamError(error(`<system-shutdown xmlns='${NS}'/>`), false).trigger, "unreachable");
  assert.equal(streamError(error(`<not-well-formed xmlns='${NS}'/>`), true).trigger, "failed");
});

test("a failed sign-in is one of three: a wrong password, a blocked user, a server that cannot check", () => {
  const failed = (condition: string) => refused(element(`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><${condition}/></failure>`));
  assert.equal(failed("not-authorized").error.code, "authentication_failed");
  assert.equal(failed("account-disabled").error.code, "admin_blocked");
  assert.equal(failed("temporary-auth-failure").trigger, "unreachable");
  assert.equal(refused(null).trigger, "refused");
});
