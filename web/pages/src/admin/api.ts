/** The calls of an app's backend, by its secret key; shapes and errors are those of `/api/docs`. */

const PREFIX = "/api/v1";

/** What the node refused, as it says it. */
export class ApiError extends Error {
  /**
   * @param code the stable code
   * @param message the node's sentence
   * @param details the facts that came with it
   * @param retryAfter seconds after which it makes sense to ask again
   */
  constructor(
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    readonly retryAfter = 1,
  ) {
    super(message);
  }
}

export type ProfileField = "nickName" | "status" | "mobileNumber" | "email";

export interface Page<Item> {
  items: readonly Item[];
  /** What to ask the page behind with; `null` where there is none. */
  next: string | number | null;
}

export type Query = Readonly<Record<string, string | number | boolean>>;

/** A secret key, and what can be done with it. */
export class Api {
  constructor(private readonly key: string) {}

  /**
   * One call.
   *
   * @param path below `/api/v1`
   * @param body what is sent as JSON
   * @returns the data of the answer
   * @throws ApiError the node refused, or is out of reach (`unreachable`)
   */
  async call<Data>(method: string, path: string, body?: unknown): Promise<Data> {
    const headers: Record<string, string> = { "Heliograph-Key": this.key };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const request: RequestInit = { method, headers, cache: "no-store" };
    if (body !== undefined) request.body = JSON.stringify(body);
    let answer: Response;
    try {
      answer = await fetch(PREFIX + path, request);
    } catch {
      throw new ApiError("unreachable", "The server does not answer");
    }
    const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    if (!answer.ok) throw refusal(answer, said);
    return said["data"] as Data;
  }

  /** Asks for something. */
  get<Data>(path: string, query: Query = {}): Promise<Data> {
    const asked = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    return this.call("GET", asked.size > 0 ? `${path}?${asked}` : path);
  }

  /** One user's address, as a path. */
  static user(identifier: string, ...rest: string[]): string {
    return ["/users", identifier, ...rest].map((part, place) => (place === 0 ? part : encodeURIComponent(part))).join("/");
  }
}

function refusal(answer: Response, said: Readonly<Record<string, unknown>>): ApiError {
  const { code, message, details } = said;
  const wait = Number(answer.headers.get("Retry-After") ?? 1);
  return new ApiError(
    typeof code === "string" ? code : "internal_error",
    typeof message === "string" ? message : answer.statusText,
    (details ?? {}) as Readonly<Record<string, unknown>>,
    Number.isFinite(wait) ? wait : 1,
  );
}
