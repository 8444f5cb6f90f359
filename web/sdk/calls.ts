/** What the groups of calls share. */
import type { Runtime } from "./runtime";

/** A group of calls. */
export abstract class Calls {
  /** What `initializeSDK` has set up. @internal */
  protected abstract get on(): Runtime;
}
