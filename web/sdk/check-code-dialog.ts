/** Asks for the check code where the page does not ask itself: a small dialog, for keyboards and screen readers, too. */
import type { SigningIn } from "./wire";

/** Who is about to be signed in, and how often the code may still be tried. `signal` says that it is asked no more. */
export interface QrAsk {
  user: SigningIn;
  triesLeft: number;
  signal: AbortSignal;
}

/** The dialog's texts. `{name}` and `{tries}` are filled in. */
export interface DialogMessages {
  title: string;
  prompt: string;
  hint: string;
  wrong: string;
  confirm: string;
  cancel: string;
}

const ENGLISH: DialogMessages = {
  title: "Sign in as {name}?",
  prompt: "Code on your phone",
  hint: "Type the two digits that your phone shows now.",
  wrong: "That was not the code. Tries left: {tries}.",
  confirm: "Sign in",
  cancel: "Not me",
};

const STYLE = `
  dialog { border: 0; border-radius: 16px; padding: 24px; width: min(320px, calc(100vw - 64px)); font: 16px/1.4 system-ui, sans-serif;
    color: #16181d; background: #fff; box-shadow: 0 16px 48px rgb(0 0 0 / .3); text-align: center; }
  dialog::backdrop { background: rgb(0 0 0 / .5); }
  img { width: 64px; height: 64px; border-radius: 50%; object-fit: cover; }
  h2 { font-size: 20px; margin: 8px 0; overflow-wrap: anywhere; }
  label, p { display: block; margin: 8px 0; }
  input { font: 600 32px/1 ui-monospace, monospace; letter-spacing: .3em; text-indent: .3em; width: 4em; padding: 8px;
    text-align: center; border: 2px solid #767b86; border-radius: 8px; color: inherit; background: transparent; }
  .wrong { color: #b3261e; min-height: 1.4em; }
  .actions { display: flex; gap: 8px; margin-top: 16px; }
  button { flex: 1; font: inherit; padding: 10px; border-radius: 8px; border: 2px solid #1f5fbf; cursor: pointer; background: transparent; color: #1f5fbf; }
  button[value=confirm] { background: #1f5fbf; color: #fff; }
  :focus-visible { outline: 3px solid #e0a526; outline-offset: 2px; }
  @media (prefers-color-scheme: dark) {
    dialog { color: #eceff4; background: #22262e; }
    .wrong { color: #ffb4ab; }
    button { border-color: #8fb8ff; color: #8fb8ff; }
    button[value=confirm] { background: #8fb8ff; color: #101318; }
  }
`;

/** Makes the function that asks. A further call says that the code before was wrong. */
export function dialogAsker(messages: Partial<DialogMessages> = {}): (ask: QrAsk) => Promise<string | null> {
  const texts = { ...ENGLISH, ...messages };
  let isAgain = false;
  return (ask) => {
    const asked = askByDialog(ask, texts, isAgain);
    isAgain = true;
    return asked;
  };
}

function askByDialog({ user, triesLeft, signal }: QrAsk, texts: DialogMessages, isAgain: boolean): Promise<string | null> {
  const fill = (text: string) =>
    text.replace("{name}", user.nickName || user.userId).replace("{tries}", String(triesLeft));
  const host = document.body.appendChild(document.createElement("heliograph-check-code"));
  const shadow = host.attachShadow({ mode: "open" });
  const style = new CSSStyleSheet(); // a strict Content-Security-Policy lets this pass
  style.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [style];
  const heading = element("h2", { id: "title" }, fill(texts.title));
  const input = element("input", {
    id: "code",
    inputmode: "numeric",
    autocomplete: "one-time-code",
    pattern: "[0-9]{2}",
    maxlength: "2",
    required: "",
    "aria-describedby": "hint wrong",
  });
  const cancel = element("button", { type: "button" }, texts.cancel);
  const actions = element("div", { class: "actions" }, cancel, element("button", { value: "confirm" }, texts.confirm));
  const form = element(
    "form",
    { method: "dialog" },
    ...(user.image ? [element("img", { src: user.image, alt: "" })] : []),
    heading,
    element("label", { for: "code" }, texts.prompt),
    input,
    element("p", { id: "hint" }, texts.hint),
    element("p", { id: "wrong", class: "wrong", role: "alert" }, isAgain ? fill(texts.wrong) : ""),
    actions,
  );
  const dialog = element("dialog", { "aria-labelledby": "title" }, form);
  shadow.append(dialog);
  cancel.onclick = () => dialog.close("");
  signal.addEventListener("abort", () => dialog.close(""));
  return new Promise((resolve) => {
    dialog.onclose = () => {
      host.remove();
      resolve(dialog.returnValue === "confirm" ? input.value : null);
    };
    dialog.showModal();
    input.focus();
  });
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string>,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}
