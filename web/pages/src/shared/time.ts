/** Times in the words of the reader's language. */

import { language } from "./messages.js";

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** Such as "3 minutes ago". */
export function ago(seconds: number): string {
  const words = new Intl.RelativeTimeFormat(language(), { numeric: "auto" });
  const passed = Math.max(0, Math.round(seconds));
  const [unit, size] = UNITS.find(([, least]) => passed >= least) ?? ["second", 1];
  return words.format(-Math.floor(passed / size), unit);
}

/** The same of a moment, an ISO 8601 time. */
export function since(moment: string): string {
  return ago((Date.now() - Date.parse(moment)) / 1000);
}

/** The time of day of a moment in milliseconds since the epoch. */
export function timeOfDay(moment: number): string {
  return new Intl.DateTimeFormat(region(), { hour: "2-digit", minute: "2-digit" }).format(moment);
}

/** Day and time of a moment, an ISO 8601 time. */
export function dayAndTime(moment: string): string {
  return new Intl.DateTimeFormat(region(), { dateStyle: "medium", timeStyle: "short" }).format(Date.parse(moment));
}

/** The reader's own variety of the page's language, such as en-GB. */
function region(): string {
  return navigator.languages.find((tag) => tag.startsWith(language())) ?? language();
}
