import assert from "node:assert/strict";
import { test } from "node:test";
import type { Api } from "../sdk/api";
import { HeliographError, fromCode } from "../sdk/errors";
import { TokenKeeper } from "../sdk/tokens";
import type { RegisterData, Tokens } from "../sdk/wire";

const token = (letter: string) => `hgt_${letter.repeat(43)}`;

/** A node that takes one access token at a time and counts what is asked. */
class Node {
  good = token("a");
  refresh = "hgr_0";
  calls: string[] = [];
  /** So many answers to come get lost. */
  lost = 0;
  /** Whether that happened to the last one, and the refresh token before. */
  isLost = false;
  before = "";

  async call(method: string, path: string, options: { body?: { refreshToken?: string }; bearer?: string | null } = {}): Promise<unknown> {
    this.calls.push(`${method} ${path}`);
    await Promise.resolve();
    if (path.startsWith("/tokens")) return { statusCode: 200, message: "Success", data: this.#renew(path, options.body) };
    if (options.bearer !== this.good) throw fromCode("token_expired", "Token Expired");
    return { statusCode: 200, message: "Success" };
  }

  #renew(path: string, body: { refreshToken?: string } | undefined): Tokens {
    if (path === "/tokens/refresh") {
      assert.ok(body?.refreshToken === this.refresh || (this.isLost && body?.refreshToken === this.before), "it works once");
      this.before = body?.refreshToken ?? "";
      this.refresh = `hgr_${this.calls.length}`;
      this.isLost = this.lost > 0;
      if (this.isLost) {
        this.lost -= 1;
        throw fromCode("unreachable", "the answer is lost");
      }
    } else {
      this.refresh = `hgr_${this.calls.length}`;
    }
    this.good = token(String.fromCharCode(98 + this.calls.length));
    return { token: this.good, refreshToken: this.refresh, expiresIn: 3600 };
  }
}

function signedIn(node: Node, nowS?: () => number): TokenKeeper {
  const keeper = new TokenKeeper(node as unknown as Api, () => undefined, nowS);
  const tokens = { token: node.good, refreshToken: node.refresh, expiresIn: 3600 };
  keeper.registered({ username: "ada", password: "p", ...tokens } as RegisterData);
  return keeper;
}

async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof HeliographError);
    return error.code;
  }
  return "";
}

test("calls at the same time renew an expired token once, and are repeated", async () => {
  const node = new Node();
  const keeper = signedIn(node);
  node.good = token("z");
  await Promise.all([1, 2, 3].map(() => keeper.call("GET", "/sessions")));
  assert.equal(node.calls.filter((call) => call.startsWith("POST")).length, 1);
  assert.equal(node.calls.filter((call) => call === "GET /sessions").length, 6);
});

test("a lost answer is made good by the same refresh token, once", async () => {
  const node = new Node();
  const keeper = signedIn(node);
  node.good = token("z");
  node.lost = 1;
  await keeper.call("GET", "/sessions");
  assert.deepEqual(node.calls.filter((call) => call.startsWith("POST")), ["POST /tokens/refresh", "POST /tokens/refresh"]);
});

test("after two lost answers the refresh token is not used again: the password gets the next tokens", async () => {
  const node = new Node();
  const keeper = signedIn(node);
  node.good = token("z");
  node.lost = 2;
  assert.equal(await codeOf(() => keeper.call("GET", "/sessions")), "unreachable");
  await keeper.call("GET", "/sessions");
  const asked = node.calls.filter((call) => call.startsWith("POST"));
  assert.deepEqual(asked, ["POST /tokens/refresh", "POST /tokens/refresh", "POST /tokens"]);
});

test("a token is renewed before it expires, once for all calls that need it", async () => {
  const node = new Node();
  let nowS = 1000;
  const keeper = signedIn(node, () => nowS);
  await keeper.call("GET", "/sessions");
  nowS += 3539;
  await keeper.call("GET", "/sessions");
  assert.ok(node.calls.every((call) => call === "GET /sessions"));
  nowS += 2;
  await Promise.all([1, 2, 3].map(() => keeper.call("GET", "/sessions")));
  assert.deepEqual(node.calls.slice(2), ["POST /tokens/refresh", ...Array<string>(3).fill("GET /sessions")]);
});

test("where a token cannot be renewed ahead of time it is still used", async () => {
  const node = new Node();
  let nowS = 1000;
  const keeper = signedIn(node, () => nowS);
  nowS += 3550;
  node.lost = 2;
  await keeper.call("GET", "/sessions");
  assert.deepEqual(node.calls, ["POST /tokens/refresh", "POST /tokens/refresh", "GET /sessions"]);
});

test("a token of the app is used as it is, and cannot be renewed", async () => {
  const node = new Node();
  const keeper = new TokenKeeper(node as unknown as Api, () => undefined);
  keeper.set(node.good, null, 0);
  await keeper.call("GET", "/sessions");
  keeper.set(token("y"), null, 0);
  assert.equal(await codeOf(() => keeper.call("GET", "/sessions")), "token_expired");
});

test("an identity assertion is checked as far as it can be read, and a bad one leaves the old token", async () => {
  const node = new Node();
  const keeper = signedIn(node);
  const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
  assert.equal(await codeOf(() => keeper.set("nonsense", null, 0)), "token_malformed");
  assert.equal(await codeOf(() => keeper.set(jwt({ exp: 5 }), null, 0)), "token_malformed");
  assert.equal(await codeOf(() => keeper.set(jwt({ sub: "ada", exp: 5 }), null, 10)), "token_expired");
  assert.equal(await codeOf(() => keeper.set(jwt({ sub: "ada" }), "bob", 0)), "token_subject_mismatch");
  assert.equal(keeper.assertion, null);
  keeper.set(jwt({ sub: "ада", exp: 50 }), "ада", 10);
  assert.ok(keeper.assertion);
  await keeper.call("GET", "/sessions");
});

test("who follows another page asks it for the next token", async () => {
  const node = new Node();
  const keeper = signedIn(node);
  keeper.renewElsewhere = async (stale) => {
    assert.equal(stale, token("a"));
    return { access: node.good, refresh: "hgr_9", expiresAtS: null };
  };
  node.good = token("z");
  await keeper.call("GET", "/sessions");
  assert.deepEqual(keeper.state, { access: token("z"), refresh: "hgr_9", expiresAtS: null });
  assert.ok(node.calls.every((call) => call === "GET /sessions"));
});
