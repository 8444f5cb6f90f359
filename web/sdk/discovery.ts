/** What the SDK says of itself (XEP-0030, XEP-0115), and its answers to requests. */
import { child, children, escape } from "./xml";

export const NS_PING = "urn:xmpp:ping";
const NS_CAPS = "http://jabber.org/protocol/caps";
const NS_INFO = "http://jabber.org/protocol/disco#info";
const NS_ITEMS = "http://jabber.org/protocol/disco#items";
const NS_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";

const NODE = "urn:heliograph:sdk:browser";
const NAME = "Heliograph SDK";
/** Sorted, as the hash over them wants it; the last one asks for the profile events of contacts (XEP-0163, section 4.2). */
const FEATURES = [NS_CAPS, NS_INFO, NS_PING, "urn:xmpp:vcard4+notify"];

let ver: Promise<string> | undefined;

/** The hash over what this client can do (XEP-0115, section 5.1), with the function that every server knows. */
export function verification(): Promise<string> {
  const text = [`client/web//${NAME}`, ...FEATURES].map((part) => `${part}<`).join("");
  ver ??= crypto.subtle
    .digest("SHA-1", new TextEncoder().encode(text))
    .then((hash) => btoa(String.fromCharCode(...new Uint8Array(hash))));
  return ver;
}

/** The presence that announces this client, as XML. */
export async function initialPresence(): Promise<string> {
  const caps = `<c xmlns='${NS_CAPS}' hash='sha-1' node='${NODE}' ver='${await verification()}'/>`;
  return `<presence xmlns='jabber:client'>${caps}</presence>`;
}

/** The answer to an IQ of type get or set (RFC 6120, section 8.2.3). */
export async function answer(request: Element): Promise<string> {
  const payload = children(request)[0];
  if (payload === undefined) return refusal(request, "modify", "bad-request");
  const isGet = request.getAttribute("type") === "get";
  const isPing = payload.localName === "ping" && payload.namespaceURI === NS_PING;
  if (isGet && isPing) return result(request, "");
  const isQuery = payload.localName === "query" && [NS_INFO, NS_ITEMS].includes(payload.namespaceURI ?? "");
  if (!isGet || !isQuery) return refusal(request, "cancel", "service-unavailable");
  const node = payload.getAttribute("node");
  if (node !== null && node !== `${NODE}#${await verification()}`) return refusal(request, "cancel", "item-not-found");
  const named = node === null ? "" : ` node='${escape(node)}'`;
  if (payload.namespaceURI === NS_ITEMS) return result(request, `<query xmlns='${NS_ITEMS}'${named}/>`);
  const features = FEATURES.map((feature) => `<feature var='${feature}'/>`).join("");
  const identity = `<identity category='client' type='web' name='${NAME}'/>`;
  return result(request, `<query xmlns='${NS_INFO}'${named}>${identity}${features}</query>`);
}

/** The empty answer that a request was carried out. */
export function result(request: Element, payload: string): string {
  return `<iq xmlns='jabber:client' type='result'${address(request)}>${payload}</iq>`;
}

function refusal(request: Element, type: string, condition: string): string {
  const error = `<error type='${type}'><${condition} xmlns='${NS_STANZAS}'/></error>`;
  return `<iq xmlns='jabber:client' type='error'${address(request)}>${error}</iq>`;
}

function address(request: Element): string {
  const from = request.getAttribute("from");
  const id = escape(request.getAttribute("id") ?? "");
  return from === null ? ` id='${id}'` : ` id='${id}' to='${escape(from)}'`;
}

/** The condition of an answered error (RFC 6120, section 8.3.3), or `""`. */
export function condition(iq: Element): string {
  const error = child(iq, "error");
  return error === undefined ? "" : (children(error).find((each) => each.namespaceURI === NS_STANZAS)?.localName ?? "");
}
