/** XML for tests, by another parser than a browser's. */
import { DOMParser } from "@xmldom/xmldom";

/** The element that a text holds; stanzas are in `jabber:client`. */
export function element(xml: string): Element {
  return new DOMParser().parseFromString(xml, "text/xml").documentElement as unknown as Element;
}

/** A stanza. */
export function stanza(name: string, attributes: Record<string, string>, content = ""): Element {
  const named = Object.entries(attributes).map(([key, value]) => ` ${key}='${value}'`);
  return element(`<${name} xmlns='jabber:client'${named.join("")}>${content}</${name}>`);
}

/** A profile event of that owner. */
export function profileEvent(owner: string, version: number, name: string, facts = ""): Element {
  const vcard =
    `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>${name}</text></fn>` +
    `<profile xmlns='urn:heliograph:profile:1' version='${version}' ${facts}/></vcard>`;
  const items = `<items node='urn:xmpp:vcard4'><item id='current'>${vcard}</item></items>`;
  const event = `<event xmlns='http://jabber.org/protocol/pubsub#event'>${items}</event>`;
  return stanza("message", { type: "headline", from: owner, to: "ada@chat/x" }, event);
}
