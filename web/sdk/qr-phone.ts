/** The phone's side of QR sign-in: scan, approve, deny. */
import { segment, type Response } from "./api";
import { failure } from "./errors";
import { readScannedText } from "./qr-text";
import type { Runtime } from "./runtime";
import type { QrApproveData, QrApproveRequest, QrScanData, QrScanRequest } from "./wire";

/** What a user has to see before approving, and what the approval needs. */
export interface QrRequest extends QrScanData {
  /** The thumbprint of the browser's key, as this phone has read it out of the QR code; `null` of a typed code. */
  keyHash: string | null;
}

/** How a code is approved. */
export interface ApproveOptions {
  /** Shows the consent screen and says what the user decided; a text is never approved without it. */
  consent?: (request: QrRequest) => boolean | Promise<boolean>;
  /** At the session cap, end the least recently active session (`true`, if nothing is said) or fail (`false`). */
  forceRegister?: boolean;
  /** The id of a session that makes room. */
  replaceSession?: string;
}

export async function scanQrCode(runtime: Runtime, scannedText: string): Promise<Response<QrRequest>> {
  const { code, keyHash, host } = readScannedText(scannedText);
  const { websocketUrl, signalServerUrl } = runtime.config;
  const hosts = [websocketUrl, signalServerUrl ?? websocketUrl].map((url) => new URL(url).host);
  if (host !== null && !hosts.includes(host)) {
    throw failure("access_denied", "The code is of another server", { host });
  }
  const body: QrScanRequest = { code };
  const { data, ...rest } = await runtime.tokens.call<QrScanData>("POST", "/qr-links/scan", body);
  return { ...rest, data: { ...data, keyHash } };
}

export async function approveQrCode(
  runtime: Runtime,
  scanned: string | QrRequest,
  { consent, forceRegister = true, replaceSession }: ApproveOptions,
): Promise<Response<QrApproveData>> {
  if (typeof scanned === "string" && consent === undefined) {
    throw failure("request_invalid", "Nothing is approved unseen: give consent", { field: "consent" });
  }
  const request = await requestOf(runtime, scanned);
  if (consent !== undefined && !(await consent(request))) {
    await denyQrCode(runtime, request);
    throw failure("access_denied", "The user said no");
  }
  const body: QrApproveRequest = { keyHash: request.keyHash, forceRegister, ...(replaceSession && { replaceSession }) };
  return await runtime.tokens.call<QrApproveData>("POST", `/qr-links/${segment(request.linkId)}/approve`, body);
}

export async function denyQrCode(runtime: Runtime, scanned: string | QrRequest): Promise<Response> {
  const { linkId } = await requestOf(runtime, scanned);
  return await runtime.tokens.call("POST", `/qr-links/${segment(linkId)}/deny`);
}

async function requestOf(runtime: Runtime, scanned: string | QrRequest): Promise<QrRequest> {
  return typeof scanned === "string" ? (await scanQrCode(runtime, scanned)).data : scanned;
}
