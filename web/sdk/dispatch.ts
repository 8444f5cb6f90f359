/** Brings events to the app's listeners: in order, never within the call that caused them, and no listener's error goes on. */
import { LISTENER_NAMES, type CallbackListeners, type Event } from "./events";

/** Gets an event for everyone who listens. */
export type Emit = (...event: Event) => void;

export class Dispatcher {
  readonly #listeners: CallbackListeners;
  readonly #waiting: Event[] = [];

  constructor(listeners: CallbackListeners) {
    for (const name of Object.keys(listeners)) {
      // A page may know more of a vendor's listeners than there are here: it works without their events.
      if (!LISTENER_NAMES.has(name)) console.warn(`Heliograph: there are no events for ${name}`);
    }
    this.#listeners = listeners;
  }

  readonly emit: Emit = (...event) => {
    if (this.#waiting.push(event) === 1) queueMicrotask(() => this.#tell());
  };

  #tell(): void {
    for (const [name, event] of this.#waiting) {
      const listener = this.#listeners[name] as ((event: unknown) => unknown) | undefined;
      if (listener === undefined) continue;
      guarded(name, () => listener(event));
    }
    this.#waiting.length = 0;
  }
}

/** Call the app's code. What it throws, or what its promise does, is the app's bug: it is told and goes no further. */
export function guarded(name: string, call: () => unknown): void {
  const complain = (error: unknown) => console.error(`Heliograph: ${name} threw`, error);
  try {
    const outcome = call();
    if (outcome instanceof Promise) outcome.catch(complain);
  } catch (error) {
    complain(error);
  }
}
