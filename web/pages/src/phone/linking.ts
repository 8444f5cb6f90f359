/** From a code to a screen that is let in: scan, consent, check code. */

import SDK, { type QrRequest, type Session } from "heliograph";

import { button, busy, focusOn, h } from "../shared/dom.js";
import { header, languagePicker, show, tell } from "../shared/frame.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/messages.js";
import { outcome } from "../shared/outcome.js";
import { codeOf, detailsOf, explain } from "../shared/problems.js";
import { deviceName } from "../shared/device_name.js";
import { since } from "../shared/time.js";
import { consentScreen } from "./consent.js";
import { Camera, readPicture } from "./scanner.js";

/** One attempt to let a screen in. */
export class Linking {
  private camera: Camera | undefined;
  private isLookingUp = false;

  /**
   * @param userJid as whom the screen will be signed in
   * @param home goes back to the first screen
   */
  constructor(
    private readonly userJid: string,
    private readonly home: () => void,
  ) {}

  /** The camera, and beside it the two ways without one. */
  scan(): void {
    const video = h("video", { "aria-label": t("scan_label"), playsinline: true, muted: true });
    const hint = h("p", { class: "scan-hint", role: "status" }, t("scan_starting"));
    const finder = h("div", { class: "finder", "aria-hidden": "true" });
    const head = h("h1", { tabindex: -1 }, t("scan_heading"));
    const view = h("div", { class: "camera" }, video, finder);
    const back = button(t("scan_back"), "plain", () => this.leave());
    back.prepend(icon("back"));
    const main = h("main", { class: "phone" }, head, view, hint, h("section", { class: "card others" }, this.pictureForm(), typedForm((code) => this.lookUp(code))));
    show(t("title_phone"), header(back), main);
    focusOn(head);
    void this.startCamera(video, view, hint);
  }

  private async startCamera(video: HTMLVideoElement, view: HTMLElement, hint: HTMLElement): Promise<void> {
    const camera = new Camera(video, (text) => void this.lookUp(text));
    this.camera = camera;
    try {
      await camera.start();
      hint.textContent = t("scan_hint");
    } catch {
      // The library gives texts, not errors: no camera, or the person has refused.
      view.hidden = true;
      hint.textContent = t("scan_no_camera");
    }
  }

  private stopCamera(): void {
    this.camera?.stop();
    this.camera = undefined;
  }

  private leave(): void {
    this.stopCamera();
    this.home();
  }

  private pictureForm(): HTMLElement {
    const file = h("input", { type: "file", accept: "image/*", class: "unseen" });
    file.addEventListener("change", () => {
      const chosen = file.files?.[0];
      if (chosen !== undefined) void this.readFrom(chosen);
      file.value = "";
    });
    return h("label", { class: "button plain picture" }, icon("picture"), h("span", {}, t("scan_picture")), file);
  }

  private async readFrom(picture: File): Promise<void> {
    const text = await readPicture(picture);
    if (text === null) tell(t("scan_picture_none"));
    else await this.lookUp(text);
  }

  /**
   * Asks the node who is behind a code, which is dead for everybody else from here on. A picture that the camera took
   * before it was stopped may still be read after that.
   */
  async lookUp(text: string): Promise<void> {
    if (this.isLookingUp) return;
    this.isLookingUp = true;
    try {
      const { data } = await SDK.scanQrCode(text);
      this.stopCamera();
      this.consent(data);
    } catch (error) {
      // Some other code: not ours at all, or of another node. The camera goes on looking.
      const isForeign = codeOf(error) === "request_invalid" || "host" in detailsOf(error);
      if (isForeign && this.camera !== undefined) tell(t("scan_foreign"));
      else this.failed(error);
      this.isLookingUp = false; // not after success: a late picture would scan the same code again
    }
  }

  private consent(request: QrRequest): void {
    const { element, head } = consentScreen(request, this.userJid, {
      approve: () => this.approve(request),
      deny: () => this.deny(request),
    });
    show(t("title_phone"), header(), element);
    focusOn(head);
  }

  private async approve(request: QrRequest, replaceSession?: string): Promise<void> {
    try {
      const options = replaceSession === undefined ? { forceRegister: false } : { replaceSession };
      const { data } = await SDK.approveQrCode(request, options);
      this.checkCode(data.checkCode);
    } catch (error) {
      if (codeOf(error) === "session_limit") this.chooseSession(request, detailsOf(error)["sessions"] as Session[]);
      else this.failed(error);
    }
  }

  /** At the cap: the user says which session makes room. */
  private chooseSession(request: QrRequest, sessions: readonly Session[]): void {
    const head = h("h1", { tabindex: -1 }, t("limit_heading"));
    const rows = sessions.map((session) => {
      const control = h("button", { type: "button", class: "row-button" });
      const facts = [session.ip, t("session_active", { when: since(session.lastActiveAt) })].join(" · ");
      control.append(
        h("span", { class: "row-sign" }, icon(session.via === "qr" ? "screen" : "phone")),
        h("span", { class: "row-text" }, h("strong", {}, deviceName(session)), h("span", { class: "faint" }, facts)),
      );
      control.addEventListener("click", () => void busy(control, () => this.approve(request, session.id)));
      return h("li", { class: "row" }, control);
    });
    const keep = button(t("limit_keep"), "plain", () => void this.deny(request));
    const card = h("section", { class: "card" }, h("ul", { class: "rows", role: "list" }, ...rows), keep);
    show(t("title_phone"), header(), h("main", { class: "phone" }, head, h("p", { class: "lead" }, t("limit_lead")), card));
    focusOn(head);
  }

  private async deny(request: QrRequest): Promise<void> {
    try {
      await SDK.denyQrCode(request);
      this.end(outcome("cross", t("denied_heading"), t("denied_hint"), this.homeButton("primary")));
    } catch (error) {
      this.failed(error);
    }
  }

  private checkCode(digits: string | null): void {
    if (digits === null) {
      this.end(outcome("check", t("approved_heading"), t("approved_hint"), this.homeButton("primary")));
      return;
    }
    const head = h("h1", { tabindex: -1 }, t("check_code_heading"));
    const spelled = h("span", { class: "unseen" }, t("check_code_label", { digits: [...digits].join(" ") }));
    const shown = [...digits].map((digit) => h("span", { "aria-hidden": "true" }, digit));
    const done = button(t("check_code_done"), "primary", this.home);
    const card = h(
      "section",
      { class: "card outcome" },
      head,
      h("p", { class: "check-code" }, spelled, ...shown),
      h("p", { class: "faint" }, t("check_code_hint")),
      h("div", { class: "actions wide" }, done),
    );
    this.end(h("main", { class: "middle" }, card));
    focusOn(head);
  }

  private failed(error: unknown): void {
    this.stopCamera();
    const again = button(t("outcome_again"), "primary", () => this.scan());
    this.end(outcome("warning", t("outcome_failed"), explain(error), again, this.homeButton("plain")));
  }

  private end(screen: HTMLElement): void {
    this.stopCamera();
    show(t("title_phone"), header(languagePicker()), screen);
  }

  private homeButton(look: "primary" | "plain"): HTMLElement {
    return button(t("outcome_home"), look, this.home);
  }
}

function typedForm(go: (code: string) => Promise<void>): HTMLElement {
  const input = h("input", {
    id: "typed",
    class: "field spelled",
    required: true,
    minlength: 8,
    maxlength: 9,
    autocapitalize: "characters",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "XXXX-XXXX",
  });
  const submit = h("button", { type: "submit", class: "button plain" }, t("scan_go"));
  const line = h("div", { class: "one-line" }, input, submit);
  const form = h("form", { class: "stack" }, h("label", { for: "typed" }, t("scan_typed")), line);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(submit, () => go(input.value));
  });
  return form;
}
