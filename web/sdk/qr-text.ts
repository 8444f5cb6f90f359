/** What a QR code holds, `HG1.CODE.KEYHASH.HOST` or a link with that behind its `#`, and what a person types in its place. */
import { failure } from "./errors";

const TEXT = /^HG1\.([\w-]{43})\.([\w-]{43})\.([^\s/]+)$/;
const LINK = /^https?:\/\/[^#\s]+\/link#/;
const TYPED = /^[A-Za-z]{4}[\s._-]?[A-Za-z]{4}$/;

/** A code for the server and, of a QR text, the thumbprint of the browser's key and the host. */
export interface ScannedText {
  code: string;
  keyHash: string | null;
  host: string | null;
}

/** Take apart what was scanned or typed. */
export function readScannedText(scanned: string): ScannedText {
  const text = scanned.trim();
  const found = TEXT.exec(text.replace(LINK, ""));
  if (found !== null) return { code: found[1] as string, keyHash: found[2] as string, host: found[3] as string };
  if (!TYPED.test(text)) throw failure("request_invalid", "This is no code for signing in", { field: "scannedText" });
  return { code: text, keyHash: null, host: null };
}
