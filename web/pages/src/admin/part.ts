/** A part of the console. */

export interface Part {
  element: HTMLElement;
  /** Asks the node for what it shows. */
  refresh(): Promise<void>;
  /** Stops what goes on by itself; the part is not shown any more. */
  leave?(): void;
}
