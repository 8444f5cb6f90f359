/** The public HTTP API, called with a licence key: bodies in and out as `wire` has them, errors as `HeliographError`. */
import { HeliographError, failure } from "./errors";
import type { Answer } from "./wire";

const PREFIX = "/api/v1";
const ANSWER_TIMEOUT_MS = 30_000;
const HEADER_VALUE = /^[!-~]+$/;

/** What every call resolves to. */
export type Response<Data = undefined> = Data extends undefined
  ? { statusCode: number; message: string }
  : { statusCode: number; message: string; data: Data };

/** Gets the bytes sent so far and the bytes in all. */
export type ProgressCallback = (sentBytes: number, totalBytes: number) => void;

/** What to send, and what to show. */
export interface CallOptions {
  body?: object | undefined;
  /** An access token, or an identity assertion. */
  bearer?: string | null | undefined;
}

/** One server's API, for one licence key. */
export class Api {
  readonly licenseKey: string;
  readonly #base: string;

  /**
   * @param baseUrl such as `https://chat.example`; with or without `/api/v1` behind it.
   * @throws HeliographError `request_invalid` or `license_invalid`.
   */
  constructor(baseUrl: string, licenseKey: string) {
    if (typeof licenseKey !== "string" || !HEADER_VALUE.test(licenseKey)) throw failure("license_invalid");
    this.licenseKey = licenseKey;
    this.#base = base(baseUrl);
  }

  /** One call; `path` is below `/api/v1`, with `segment` made of what is not constant. */
  async call<Data = undefined>(method: string, path: string, options: CallOptions = {}): Promise<Response<Data>> {
    const headers = this.#headers(options.bearer);
    const request: RequestInit = { method, headers, credentials: "omit", cache: "no-store" };
    if (options.body !== undefined) {
      headers["Content-Type"] = "application/json";
      request.body = JSON.stringify(options.body);
    }
    let status: number, text: string, retryAfter: string | null;
    try {
      const answer = await fetch(this.#base + path, { ...request, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
      status = answer.status;
      retryAfter = answer.headers.get("Retry-After");
      text = await answer.text();
    } catch (error) {
      throw (error as Error).name === "TimeoutError" ? failure("timeout") : failure("unreachable");
    }
    return read<Data>(status, text, retryAfter);
  }

  /** Send a file. By `XMLHttpRequest`, as `fetch` does not tell how far it is. */
  upload<Data>(path: string, file: Blob, bearer: string | null, onProgress?: ProgressCallback): Promise<Response<Data>> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.#base + path);
      for (const [name, value] of Object.entries(this.#headers(bearer))) request.setRequestHeader(name, value);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = ({ loaded, total }) => onProgress?.(loaded, total);
      request.onerror = () => reject(failure("unreachable"));
      request.onload = () => {
        try {
          resolve(read<Data>(request.status, request.responseText, request.getResponseHeader("Retry-After")));
        } catch (error) {
          reject(error as Error);
        }
      };
      request.send(file);
    });
  }

  #headers(bearer: string | null | undefined): Record<string, string> {
    const headers: Record<string, string> = { "Heliograph-Key": this.licenseKey, Accept: "application/json" };
    if (bearer) headers["Authorization"] = `Bearer ${bearer}`;
    return headers;
  }
}

/** A text as one segment of a path (RFC 3986, section 3.3). */
export function segment(text: string): string {
  if (text === "" || text === "." || text === "..") throw failure("request_invalid", `There is nothing called '${text}'`);
  return encodeURIComponent(text).replaceAll("%40", "@");
}

function base(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url, globalThis.location?.href);
  } catch {
    throw badUrl();
  }
  if (!/^https?:$/.test(parsed.protocol)) throw badUrl();
  return (parsed.origin + parsed.pathname).replace(/\/+$/, "").replace(/\/api\/v1$/, "") + PREFIX;
}

function badUrl(): HeliographError {
  return failure("request_invalid", "apiBaseUrl is an http or https URL", { field: "apiBaseUrl" });
}

/** Read an answer; `text` may be a proxy's own page, or that of another server altogether. */
function read<Data>(status: number, text: string, retryAfter: string | null): Response<Data> {
  let body: (Answer<Data> & { code?: string; details?: Record<string, unknown> }) | null;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  if (typeof body?.statusCode !== "number") {
    throw failure("unreachable", `The server answered with HTTP status ${status}, and not as Heliograph does`);
  }
  if (status < 400) return body as Response<Data>;
  throw new HeliographError({
    statusCode: status,
    code: body.code ?? "internal_error",
    message: body.message,
    ...(body.details && { details: body.details }),
    retryAfterS: retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null,
  });
}
