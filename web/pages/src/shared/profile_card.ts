/** The user's own profile: picture, name and status, and the form that changes them. */

import SDK, { type OwnProfile, type ProfileUpdate } from "heliograph";

import { avatar, nameOf } from "./avatar.js";
import { busy, button, fill, h } from "./dom.js";
import { tell } from "./frame.js";
import { icon } from "./icons.js";
import { profiles } from "./me.js";
import { t, type MessageKey } from "./messages.js";
import { explain } from "./problems.js";

const ACCEPTED = "image/png,image/jpeg,image/webp,image/gif";

type Field = "nickName" | "status" | "mobileNumber" | "email";

const FIELDS: readonly [Field, MessageKey, Readonly<Record<string, string | number>>][] = [
  ["nickName", "profile_name", { type: "text", maxlength: 64, autocomplete: "name", required: "" }],
  ["status", "profile_status", { type: "text", maxlength: 139, autocomplete: "off" }],
  ["mobileNumber", "profile_mobile", { type: "tel", autocomplete: "tel" }],
  ["email", "profile_email", { type: "email", autocomplete: "email" }],
];

/** The card of the signed-in user; it follows every change, wherever it was made. */
export class ProfileCard {
  readonly element = h("section", { class: "card profile-card", "aria-label": t("profile_heading") });
  private profile: OwnProfile | undefined;
  private isEditing = false;

  constructor(private readonly userJid: string) {
    profiles.on((update) => this.follow(update));
  }

  /** Asks the node for the profile and shows it. */
  async refresh(): Promise<void> {
    const { data } = await SDK.getUserProfile(this.userJid);
    this.profile = data as OwnProfile;
    this.render();
  }

  private follow(update: ProfileUpdate): void {
    if (this.profile === undefined || update.userJid !== this.userJid) return;
    this.profile = { ...this.profile, ...update };
    if (!this.isEditing) this.render();
  }

  private render(): void {
    if (this.profile === undefined) return;
    fill(this.element, ...(this.isEditing ? [this.form(this.profile)] : this.view(this.profile)));
  }

  private view(profile: OwnProfile): HTMLElement[] {
    const edit = button(t("profile_edit"), "plain", () => {
      this.isEditing = true;
      this.render();
      this.element.querySelector("input")?.focus();
    });
    edit.classList.add("small");
    edit.prepend(icon("pencil"));
    const words = h(
      "div",
      { class: "profile-words" },
      h("strong", { class: "profile-name" }, profile.nickName || t("profile_no_name")),
      h("span", { class: "faint" }, profile.userId),
      h("span", { class: "profile-status" }, profile.status || t("profile_no_status")),
    );
    return [h("div", { class: "profile-top" }, this.photo(profile), words), h("div", { class: "actions" }, edit)];
  }

  /** The picture is the button that changes it. */
  private photo(profile: OwnProfile): HTMLElement {
    const file = h("input", { type: "file", accept: ACCEPTED, class: "unseen", "aria-label": t("profile_photo") });
    const badge = h("span", { class: "photo-badge" }, icon("camera"));
    const picture = h("label", { class: "photo", title: t("profile_photo") }, avatar(profile, "medium"), badge, file);
    file.addEventListener("change", () => {
      const chosen = file.files?.[0];
      if (chosen !== undefined) void this.upload(chosen);
    });
    return picture;
  }

  private async upload(file: File): Promise<void> {
    const bar = h("progress", { max: file.size, value: 0, "aria-label": t("profile_uploading") });
    this.element.append(bar);
    try {
      await SDK.setUserProfile(null, file, null, null, null, {
        onProgress: (sent, total) => {
          bar.max = total;
          bar.value = sent;
        },
      });
      tell(t("profile_saved"));
    } catch (error) {
      tell(explain(error));
    } finally {
      bar.remove();
    }
  }

  private form(profile: OwnProfile): HTMLElement {
    const rows = FIELDS.map(([field, label, attributes]) => {
      const input = h("input", { name: field, value: profile[field], class: "field", ...attributes });
      return h("label", { class: "labelled" }, h("span", {}, t(label)), input);
    });
    const save = h("button", { type: "submit", class: "button primary small" }, t("profile_save"));
    const cancel = button(t("profile_cancel"), "plain", () => this.stopEditing());
    cancel.classList.add("small");
    const form = h("form", { class: "stack" }, ...rows, h("div", { class: "actions" }, save, cancel));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void busy(save, () => this.save(new FormData(form), profile.version));
    });
    return form;
  }

  private async save(entered: FormData, version: number): Promise<void> {
    const text = (field: Field): string => String(entered.get(field) ?? "").trim();
    try {
      const [name, status, mobile, email] = FIELDS.map(([field]) => text(field));
      await SDK.setUserProfile(name ?? "", null, status ?? "", mobile ?? "", email ?? "", { version });
      this.isEditing = false;
      await this.refresh();
      tell(t("profile_saved"));
    } catch (error) {
      tell(explain(error));
    }
  }

  private stopEditing(): void {
    this.isEditing = false;
    this.render();
    this.element.querySelector("button")?.focus();
  }
}

/** Picture and name in one line. */
export function personChip(person: { userId: string; nickName: string; image: string; thumbImage?: string }): HTMLElement {
  return h("span", { class: "chip" }, avatar(person), h("span", {}, nameOf(person)));
}
