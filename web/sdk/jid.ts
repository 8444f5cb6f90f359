/** The parts of an XMPP address (RFC 7622). */

/** An address in its parts; `bare` is without the resource. */
export interface Jid {
  local: string;
  domain: string;
  resource: string;
  bare: string;
}

/** Read an address as a server stamps it, which has checked it. */
export function parseJid(text: string): Jid {
  const slash = text.indexOf("/");
  const bare = slash < 0 ? text : text.slice(0, slash);
  const at = bare.indexOf("@");
  return {
    local: at < 0 ? "" : bare.slice(0, at),
    domain: bare.slice(at + 1),
    resource: slash < 0 ? "" : text.slice(slash + 1),
    bare,
  };
}
