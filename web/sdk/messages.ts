/** One-to-one text messages. */
import type { Response } from "./api";
import { failure } from "./errors";
import type { Runtime } from "./runtime";
import { escape } from "./xml";

/** What XML 1.0 cannot hold (section 2.2). */
const NO_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const JID = /^[^\s@/"&'<>:]+@[^\s@/"&'<>]+(?:\/.+)?$/;

export async function sendMessage(
  runtime: Runtime,
  jid: string,
  text: string,
): Promise<Response<{ messageId: string }>> {
  const to = jid.includes("@") ? jid : `${jid}@${runtime.config.domain}`;
  if (!JID.test(to)) throw failure("request_invalid", `'${jid}' is no JID and no identifier`, { field: "jid" });
  if (text === "" || NO_XML.test(text)) {
    throw failure("request_invalid", "A text is not empty and holds no control characters", { field: "text" });
  }
  const messageId = crypto.randomUUID();
  const body = `<body>${escape(text)}</body>`;
  const stanza = `<message xmlns='jabber:client' type='chat' id='${messageId}' to='${escape(to)}'>${body}</message>`;
  if (new TextEncoder().encode(stanza).length > runtime.config.limits.stanzaMaxBytes) {
    throw failure("payload_too_large", "The text is longer than the server takes", { field: "text" });
  }
  await runtime.link.send(stanza);
  return { statusCode: 200, message: "Success", data: { messageId } };
}
