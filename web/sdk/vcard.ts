/** A profile as a vCard4 shows it (RFC 6350, RFC 6351, XEP-0292), with the node's own facts. */
import type { ProfileUpdate } from "./events";
import type { Jid } from "./jid";
import { child, childText, children } from "./xml";

export const NS_VCARD4 = "urn:ietf:params:xml:ns:vcard-4.0";
export const NS_PROFILE = "urn:heliograph:profile:1";

/** Read `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>` of that owner: of each field the first value counts. */
export function readVcard4(vcard: Element, owner: Jid): ProfileUpdate {
  const status = first(vcard, "note", (note) => childText(note, "text"));
  const facts = child(vcard, "profile", NS_PROFILE);
  const version = facts?.getAttribute("version") ?? "";
  return {
    userId: owner.local,
    userJid: owner.bare,
    fromUser: owner.local,
    nickName: first(vcard, "nickname", (name) => childText(name, "text")) || first(vcard, "fn", (name) => childText(name, "text")),
    image: first(vcard, "photo", (photo) => webUrl(childText(photo, "uri"))),
    thumbImage: webUrl(facts?.getAttribute("thumb") ?? ""),
    status,
    userStatus: status,
    mobileNumber: first(vcard, "tel", phoneNumber),
    email: first(vcard, "email", (email) => childText(email, "text")),
    isAdminBlocked: facts?.getAttribute("blocked") === "true",
    version: /^\d{1,15}$/.test(version) ? Number(version) : 0,
  };
}

/** The mark of a profile event: they grow in the order in which the events come. 0 for none. */
export function readMark(vcard: Element): number {
  const mark = child(vcard, "profile", NS_PROFILE)?.getAttribute("mark") ?? "";
  return /^\d{1,15}$/.test(mark) ? Number(mark) : 0;
}

function first(vcard: Element, name: string, read: (property: Element) => string): string {
  const found = children(vcard).filter((each) => each.localName === name && each.namespaceURI === NS_VCARD4);
  return found.map(read).find((value) => value !== "") ?? "";
}

function webUrl(text: string): string {
  return /^https?:\/\//i.test(text) ? text : "";
}

/** A telephone number without separators; of a `tel:` URI (RFC 3966), the number alone. */
function phoneNumber(tel: Element): string {
  const uri = childText(tel, "uri");
  if (uri !== "" && !/^tel:/i.test(uri)) return "";
  const number = uri === "" ? childText(tel, "text") : uri.slice("tel:".length);
  return (number.split(";")[0] as string).replace(/^tel:/i, "").replace(/[\s().-]+/g, "");
}
