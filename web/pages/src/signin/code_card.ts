/** The card with the QR code: every state between an unknown page and a signed-in one. */

import SDK, { type QrAsk, type QrLogin, type QrState } from "heliograph";

import { avatar, nameOf } from "../shared/avatar.js";
import { button, fill, focusOn, h } from "../shared/dom.js";
import { icon, type IconName } from "../shared/icons.js";
import type { Credentials } from "../shared/kept.js";
import { t } from "../shared/messages.js";
import { explain, explainCode } from "../shared/problems.js";

const TICK_MS = 250;
const CODE_PX = 280;

interface Ending {
  sign: IconName;
  heading: string;
  hint: string;
}

/** Draws codes until a phone approves one. */
export class CodeCard {
  readonly element = h("section", { class: "card code-card", "aria-label": t("code_label") });

  private readonly canvas = h("canvas", { id: "code", role: "img", "aria-label": t("code_label") });
  private readonly logo = h("img", { id: "logo", src: "/pages/logo.svg", alt: "", width: 64, height: 64, hidden: true });
  private readonly veil = h("div", { class: "veil", hidden: true });
  private readonly status = h("p", { class: "code-status", role: "status" });
  private readonly sun = h("span", { class: "sun", "aria-hidden": "true" });
  private readonly countdown = h("p", { class: "faint countdown", "aria-hidden": "true" });
  private readonly typed = h("div", { class: "typed" });
  private readonly ground = h("div", { class: "code-ground" });
  private login: QrLogin | undefined;
  private timer = 0;
  private tries: number | undefined;

  /**
   * @param signedIn gets the credentials once the page is connected
   */
  constructor(private readonly signedIn: (credentials: Credentials) => Promise<void>) {
    this.canvas.width = CODE_PX;
    this.canvas.height = CODE_PX;
    this.showGround();
  }

  /** Asks for the first code; whatever goes wrong is said on the card. */
  async start(): Promise<void> {
    this.tries = undefined;
    this.showGround();
    this.enter("connecting");
    this.status.textContent = t("code_connecting");
    try {
      await this.logo.decode();
      const options = {
        size: CODE_PX,
        askCode: (ask: QrAsk) => this.ask(ask),
        onState: (state: QrState) => this.follow(state),
      };
      const { data } = await SDK.generateQrCode(this.canvas, this.logo, null, (answer) => this.finish(answer), options);
      this.login = data;
    } catch (error) {
      this.end({ sign: "warning", heading: t("ended_failed"), hint: explain(error) });
    }
  }

  private finish(answer: { statusCode: number } & Partial<Credentials>): void {
    if (answer.statusCode !== 200) return; // onState has said why
    const { username = "", password = "", sessionId = "" } = answer;
    void this.signedIn({ username, password, sessionId });
  }

  private follow(state: QrState): void {
    clearInterval(this.timer);
    this.enter(state.state);
    switch (state.state) {
      case "waiting":
        return this.wait(state);
      case "paused":
        return this.rest();
      case "offline":
        return this.cover("flash", t("code_offline"), t("code_offline_hint"));
      case "scanned":
        return this.cover("phone", t("code_scanned"), t("code_scanned_hint"), this.again(t("code_cancel"), "quiet"));
      case "approved":
      case "connected":
        this.showGround();
        return this.cover("check", t("signing_in"), "");
      case "ended":
        return this.end(endingOf(state.code ?? "", state.message ?? ""));
      default:
        return undefined;
    }
  }

  private enter(state: string): void {
    this.element.dataset["state"] = state;
  }

  /** The ground state: code, countdown, and the code to type. */
  private showGround(): void {
    const frame = h("div", { class: "code-frame" }, this.canvas, this.veil);
    fill(this.ground, frame, this.status, h("div", { class: "horizon" }, this.sun), this.countdown, this.typed);
    this.veil.hidden = true;
    fill(this.element, this.logo, this.ground);
  }

  private wait(state: QrState): void {
    if (!this.ground.isConnected || !this.veil.hidden) this.showGround();
    this.status.textContent = t("code_waiting");
    this.showTyped(state.typedCode);
    const total = state.refreshIn ?? 0;
    const began = performance.now();
    const tick = (): void => {
      const left = Math.max(0, total - (performance.now() - began) / 1000);
      this.countdown.textContent = t("code_refresh_in", { seconds: Math.ceil(left) });
      this.sun.style.setProperty("--passed", String(total > 0 ? 1 - left / total : 0));
    };
    tick();
    this.timer = window.setInterval(tick, TICK_MS);
  }

  private showTyped(code: string | undefined): void {
    if (!code) {
      fill(this.typed);
      return;
    }
    const shown = `${code.slice(0, 4)}-${code.slice(4)}`;
    const label = t("code_typed_spelled", { letters: [...code].join(" ") });
    const letters = h("span", { "aria-hidden": "true" }, shown);
    const spelled = h("span", { class: "unseen" }, label);
    fill(this.typed, h("p", { class: "faint" }, t("code_typed")), h("p", { class: "typed-code" }, letters, spelled));
  }

  private rest(): void {
    const wake = button(t("code_new"), "primary", () => this.login?.continue());
    this.cover("clock", t("code_paused"), t("code_paused_hint"), wake);
    wake.focus();
  }

  /** Puts a message over the code, which is of no use at the moment. */
  private cover(sign: IconName, heading: string, hint: string, ...actions: HTMLElement[]): void {
    const words = [h("strong", {}, heading), hint ? h("span", {}, hint) : null];
    fill(this.veil, h("span", { class: "seal", "data-sign": sign }, icon(sign)), ...words, ...actions);
    this.veil.hidden = false;
    this.status.textContent = "";
    this.countdown.textContent = "";
    fill(this.typed);
    this.status.textContent = `${heading} ${hint}`.trim();
  }

  private again(label: string, look: "primary" | "quiet"): HTMLButtonElement {
    return button(label, look, () => {
      this.login?.cancel();
      void this.start();
    });
  }

  private end(ending: Ending): void {
    const head = h("h2", { tabindex: -1 }, ending.heading);
    const again = this.again(t("code_new"), "primary");
    const words = h("p", { class: "lead" }, ending.hint);
    const content = h("div", { class: "ending" }, h("span", { class: "seal", "data-sign": ending.sign }, icon(ending.sign)), head, words, again);
    fill(this.element, this.logo, content);
    focusOn(head);
  }

  /** Asks for the two digits that the phone shows, and says who is about to be signed in. */
  private ask({ user, triesLeft, signal }: QrAsk): Promise<string | null> {
    const isAgain = this.tries !== undefined && triesLeft < this.tries;
    this.tries = triesLeft;
    return new Promise((resolve) => {
      signal?.addEventListener("abort", () => resolve(null));
      const form = askForm(user, triesLeft, isAgain, resolve);
      fill(this.element, this.logo, form);
      form.querySelector("input")?.focus();
    });
  }
}

function askForm(
  user: QrAsk["user"],
  triesLeft: number,
  isAgain: boolean,
  answer: (code: string | null) => void,
): HTMLFormElement {
  const name = nameOf(user);
  const digits = h("input", {
    id: "digits",
    class: "digits",
    inputmode: "numeric",
    autocomplete: "one-time-code",
    pattern: "[0-9]{2}",
    maxlength: 2,
    required: true,
    "aria-describedby": "digits-tries",
  });
  const tries = triesLeft === 1 ? t("check_last_try") : t("check_tries", { tries: triesLeft });
  const note = h("p", { id: "digits-tries", class: isAgain ? "wrong" : "faint", role: isAgain ? "alert" : "note" });
  fill(note, isAgain ? `${t("check_wrong")} ` : "", tries);
  const form = h(
    "form",
    { class: "ask" },
    avatar(user, "large"),
    h("h2", {}, t("check_heading")),
    h("p", { class: "lead" }, t("check_who", { name })),
    h("label", { for: "digits" }, t("check_prompt")),
    digits,
    note,
    h("div", { class: "actions wide" }, submit(t("check_confirm")), button(t("check_deny"), "plain", () => answer(null))),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(digits.value);
  });
  return form;
}

function submit(label: string): HTMLButtonElement {
  return h("button", { type: "submit", class: "button primary" }, label);
}

function endingOf(code: string, message: string): Ending {
  switch (code) {
    case "access_denied":
      return { sign: "cross", heading: t("ended_denied"), hint: t("ended_denied_hint") };
    case "expired_token":
      return { sign: "clock", heading: t("ended_expired"), hint: t("ended_expired_hint") };
    case "cancelled":
      return { sign: "cross", heading: t("ended_cancelled"), hint: t("ended_cancelled_hint") };
    case "check_code_mismatch":
      return { sign: "warning", heading: t("ended_failed"), hint: t("ended_mismatch_hint") };
    default:
      return { sign: "warning", heading: t("ended_failed"), hint: explainCode(code, message) };
  }
}
