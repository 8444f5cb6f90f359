/** A deed that a button does: refused or done, the reader is told, and the page is fresh again. */

import { busy } from "./dom.js";
import { tell } from "./frame.js";
import { explain } from "./problems.js";

/**
 * Does it while the button is out of use.
 *
 * @param done what to say afterwards
 * @param refresh shows what has become of it
 */
export function doing(control: HTMLButtonElement, deed: () => Promise<unknown>, done: string, refresh: () => Promise<void>): void {
  void busy(control, async () => {
    try {
      await deed();
      tell(done);
      await refresh();
    } catch (error) {
      tell(explain(error));
    }
  });
}
