/** The key that this browser makes for one sign-in: what is sealed to it, nobody else can open. */
import { calculateJwkThumbprint, compactDecrypt } from "jose";
import { failure } from "./errors";
import type { PublicKeyBody } from "./wire";

const ACCEPTED = { keyManagementAlgorithms: ["ECDH-ES"], contentEncryptionAlgorithms: ["A256GCM"] };

export class BrowserKey {
  /** The public half. */
  readonly jwk: Required<PublicKeyBody>;
  /** Its thumbprint (RFC 7638, SHA-256, base64url). */
  readonly thumbprint: string;
  readonly #privateKey: CryptoKey;

  private constructor(jwk: Required<PublicKeyBody>, thumbprint: string, privateKey: CryptoKey) {
    this.jwk = jwk;
    this.thumbprint = thumbprint;
    this.#privateKey = privateKey;
  }

  /** A new key on P-256, whose private half cannot leave the browser's keeping. */
  static async generate(): Promise<BrowserKey> {
    if (globalThis.crypto?.subtle === undefined) {
      throw failure("unreachable", "A page that is not served over https cannot be signed in by QR code");
    }
    const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
    const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const jwk = { kty: "EC", crv: "P-256", x: x as string, y: y as string } as const;
    return new BrowserKey(jwk, await calculateJwkThumbprint(jwk), pair.privateKey);
  }

  /**
   * Open a compact JWE (RFC 7516) that is sealed to this key and, where `linkId` is given, bound to that link.
   *
   * @throws HeliographError `key_mismatch`: it is not.
   */
  async open(jwe: string, linkId?: string): Promise<string> {
    try {
      const { plaintext, protectedHeader } = await compactDecrypt(jwe, this.#privateKey, ACCEPTED);
      const { apu, apv } = protectedHeader;
      const party = linkId && btoa(linkId).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
      if (party === undefined || (apu === party && apv === this.thumbprint)) return new TextDecoder().decode(plaintext);
    } catch {
      // it is told below: what was wrong with it is nobody's business
    }
    throw failure("key_mismatch", "What came is not sealed to this browser's key");
  }
}
