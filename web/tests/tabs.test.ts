import assert from "node:assert/strict";
import { test } from "node:test";
import { HeliographError, failure } from "../sdk/errors";
import { TabGroup, type Member, type Platform } from "../sdk/tabs";

/** The Web Locks of one browser, as far as they are used: exclusive, in the order of the requests. */
class Locks {
  #held = false;
  readonly #waiting: (() => void)[] = [];

  request(_name: string, options: LockOptions, hold: (lock: Lock | null) => unknown): Promise<unknown> {
    if (this.#held && options.ifAvailable) return Promise.resolve(hold(null));
    if (!this.#held) return this.#grant(hold);
    return new Promise((resolve, reject) => {
      const next = () => void this.#grant(hold).then(resolve, reject);
      this.#waiting.push(next);
      options.signal?.addEventListener("abort", () => {
        const place = this.#waiting.indexOf(next);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(options.signal?.reason as Error);
      });
    });
  }

  async #grant(hold: (lock: Lock | null) => unknown): Promise<unknown> {
    this.#held = true;
    try {
      return await hold({ name: "", mode: "exclusive" } as Lock);
    } finally {
      this.#held = false;
      this.#waiting.shift()?.();
    }
  }
}

class Page implements Member<string, string> {
  readonly group: TabGroup<string, string>;
  readonly told: string[] = [];
  #changed: () => void = () => undefined;

  constructor(readonly name: string, platform: Platform, room: string) {
    this.group = new TabGroup(room, platform, this);
  }

  state = () => `state of ${this.name}`;
  serve = async (method: string, argument: unknown) => {
    if (method === "fail") throw failure("not_connected");
    return `${this.name} did ${method} ${String(argument)}`;
  };
  adopt = (state: string) => this.#note(state);
  follow = (event: string) => this.#note(event);
  lead = () => this.#note("lead");

  #note(text: string): void {
    this.told.push(text);
    this.#changed();
  }

  async hears(text: string): Promise<void> {
    while (!this.told.includes(text)) await new Promise<void>((resolve) => (this.#changed = resolve));
  }
}

function browser(room: string): (name: string) => Page {
  const platform = { locks: new Locks() as unknown as LockManager, openChannel: (name: string) => new BroadcastChannel(name) };
  return (name) => new Page(name, platform, room);
}

test("the first page leads; a follower is told its state and what happens to it, and lets it do the work", async () => {
  const open = browser("one");
  const [first, second] = [open("first"), open("second")];
  assert.equal(await first.group.join(), true);
  assert.equal(await second.group.join(), false);
  await second.hears("state of first");
  first.group.tell("news");
  await second.hears("news");
  assert.equal(await second.group.call("send", 7), "first did send 7");
  await assert.rejects(second.group.call("fail", null), (error) => error instanceof HeliographError && error.code === "not_connected");
  first.group.leave();
  second.group.leave();
});

test("when the leader goes one follower leads, and the other is told the state of the new leader", async () => {
  const open = browser("two");
  const [first, second, third] = [open("first"), open("second"), open("third")];
  for (const page of [first, second, third]) await page.group.join();
  first.group.leave();
  await second.hears("lead");
  await third.hears("state of second");
  assert.equal(await third.group.call("send", 1), "second did send 1");
  assert.ok(!third.told.includes("lead"));
  second.group.leave();
  await third.hears("lead");
  third.group.leave();
});

test("a follower that leaves never leads", async () => {
  const open = browser("three");
  const [first, second] = [open("first"), open("second")];
  await first.group.join();
  await second.group.join();
  second.group.leave();
  first.group.leave();
  const last = open("last");
  assert.equal(await last.group.join(), true);
  assert.ok(!second.told.includes("lead"));
  last.group.leave();
});
