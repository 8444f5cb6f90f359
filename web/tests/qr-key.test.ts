import assert from "node:assert/strict";
import { test } from "node:test";
import { CompactEncrypt, base64url, calculateJwkThumbprint, importJWK } from "jose";
import { HeliographError } from "../sdk/errors";
import { BrowserKey } from "../sdk/qr-key";

const encode = (text: string) => new TextEncoder().encode(text);

async function seal(key: BrowserKey, text: string, party?: { apu: string; apv: string }, enc = "A256GCM"): Promise<string> {
  const sealing = new CompactEncrypt(encode(text)).setProtectedHeader({ alg: "ECDH-ES", enc });
  if (party) sealing.setKeyManagementParameters({ apu: base64url.decode(party.apu), apv: base64url.decode(party.apv) });
  return await sealing.encrypt(await importJWK({ ...key.jwk }, "ECDH-ES"));
}

async function mismatch(opened: Promise<string>): Promise<void> {
  await assert.rejects(opened, (error) => error instanceof HeliographError && error.code === "key_mismatch");
}

test("a key opens what is sealed to it and bound to the link", async () => {
  const key = await BrowserKey.generate();
  assert.equal(key.thumbprint, await calculateJwkThumbprint({ ...key.jwk }));
  assert.equal(await key.open(await seal(key, "nonce")), "nonce");
  const party = { apu: base64url.encode("lnk_1"), apv: key.thumbprint };
  assert.equal(await key.open(await seal(key, "secret", party), "lnk_1"), "secret");
});

test("nothing else is opened: another key, another link, no link, another cipher, no JWE", async () => {
  const [key, other] = [await BrowserKey.generate(), await BrowserKey.generate()];
  const party = { apu: base64url.encode("lnk_1"), apv: key.thumbprint };
  await mismatch(other.open(await seal(key, "secret", party), "lnk_1"));
  await mismatch(key.open(await seal(key, "secret", party), "lnk_2"));
  await mismatch(key.open(await seal(key, "secret"), "lnk_1"));
  await mismatch(key.open(await seal(key, "secret", party, "A128GCM"), "lnk_1"));
  await mismatch(key.open("eyJhbGciOiJkaXIifQ..a.b.c"));
});
