/** Where a page keeps the credentials of its own session, and for how long. */

export interface Credentials {
  username: string;
  password: string;
  sessionId: string;
}

const NAME = "heliograph.session";

/**
 * The credentials of this page.
 *
 * The sign-in page keeps them for the life of its tab, so that a reload stays signed in and a closed tab on somebody
 * else's computer does not. The phone keeps them until it signs out.
 */
export class Kept {
  constructor(private readonly storage: Storage) {}

  /** What is kept, or `null`. */
  read(): Credentials | null {
    const text = this.storage.getItem(NAME);
    return text === null ? null : (JSON.parse(text) as Credentials);
  }

  write(credentials: Credentials): void {
    const { username, password, sessionId } = credentials;
    this.storage.setItem(NAME, JSON.stringify({ username, password, sessionId }));
  }

  forget(): void {
    this.storage.removeItem(NAME);
  }
}
