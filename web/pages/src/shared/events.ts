/** A thing that happens, and those who want to know of it. */

export class Signal<Fact> {
  private readonly listeners = new Set<(fact: Fact) => void>();

  /** Listens from now on, until the returned function is called. */
  on(listener: (fact: Fact) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(fact: Fact): void {
    for (const listener of this.listeners) listener(fact);
  }
}
