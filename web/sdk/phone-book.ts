/** Telephone numbers as they leave the device: hashed. */
import { failure } from "./errors";

const SEPARATORS = /[\s().\-/]/g;
const E164 = /^\+[1-9][0-9]{1,14}$/;

/** The hash under which a number is looked for; see `PhoneBookRequest`. */
export async function phoneHash(domain: string, number: string): Promise<string> {
  const compact = number.replace(SEPARATORS, "");
  if (!E164.test(compact)) throw failure("request_invalid", "A number has its + and country code", { field: "numbers" });
  const text = new TextEncoder().encode(`heliograph-phone-book:${domain}:${compact}`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return btoa(String.fromCharCode(...hash)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
