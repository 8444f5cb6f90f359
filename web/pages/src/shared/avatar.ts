/** A person's picture, or the first letter of the name where there is none that loads. */

import { fill, h } from "./dom.js";

const HUES = 12;

/** Who is shown; a profile fits. */
export interface Pictured {
  userId: string;
  nickName: string;
  image: string;
  thumbImage?: string;
}

/** The name to show: the chosen one, else the identifier. */
export function nameOf(person: Pictured): string {
  return person.nickName || person.userId;
}

/**
 * A round picture.
 *
 * @param person whom it shows
 * @param size how large: a row of a list, a card, or a whole screen
 */
export function avatar(person: Pictured, size: "small" | "medium" | "large" = "small"): HTMLElement {
  const frame = h("span", { class: `avatar ${size}`, "data-hue": hueOf(person.userId), "aria-hidden": "true" });
  const url = size === "large" ? person.image : person.thumbImage || person.image;
  const letter = (): void => fill(frame, [...nameOf(person)][0]?.toLocaleUpperCase() ?? "");
  if (!url) {
    letter();
    return frame;
  }
  const picture = h("img", { alt: "", decoding: "async", on: { error: letter } });
  picture.src = url;
  frame.append(picture);
  return frame;
}

/** The same person always has the same colour. */
function hueOf(userId: string): number {
  let sum = 0;
  for (const character of userId) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}
