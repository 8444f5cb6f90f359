/** Every text of the pages, by language. `{name}` stands for a value. */

import { english } from "./messages/english.js";
import { german } from "./messages/german.js";

export type MessageKey = keyof typeof english;

const TABLES = { en: english, de: german } as const;

export type Language = keyof typeof TABLES;

export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch" };

const STORED = "heliograph.language";

let chosen: Language = firstChoice();

function firstChoice(): Language {
  const wished = [localStorage.getItem(STORED), ...navigator.languages];
  for (const tag of wished) {
    const base = tag?.split("-")[0]?.toLowerCase();
    if (base === "en" || base === "de") return base;
  }
  return "en";
}

/** The language of the page. */
export function language(): Language {
  return chosen;
}

/** Keeps the reader's choice; the page shows it when it is built again. */
export function chooseLanguage(next: Language): void {
  chosen = next;
  localStorage.setItem(STORED, next);
  document.documentElement.lang = next;
}

/** A text in the page's language. */
export function t(key: MessageKey, values: Readonly<Record<string, string | number>> = {}): string {
  return TABLES[chosen][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Whether there is a text of that name; error codes are looked up so. */
export function isMessageKey(key: string): key is MessageKey {
  return key in english;
}
