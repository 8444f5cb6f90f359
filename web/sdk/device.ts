/** What this browser says of itself, for the list of sessions. */
import type { DeviceBody } from "./wire";

/** By what a browser's own string holds, the more special first: those built on Chromium also say Chrome and Safari. */
const BROWSERS: readonly [mark: RegExp, name: string][] = [
  [/\bEdg(?:e|A|iOS)?\/([\d.]+)/, "Edge"],
  [/\bOPR\/([\d.]+)/, "Opera"],
  [/\bSamsungBrowser\/([\d.]+)/, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\/([\d.]+)/, "Firefox"],
  [/\b(?:Headless)?(?:Chrome|CriOS|Chromium)\/([\d.]+)/, "Chrome"],
  [/\bVersion\/([\d.]+).*Safari\//, "Safari"],
];
const SYSTEMS: readonly [mark: RegExp, name: string][] = [
  [/Android ?([\d.]*)/, "Android"],
  [/(?:iPhone|iPad|iPod).*? OS ([\d_]+)/, "iOS"],
  [/Windows NT/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/Linux/, "Linux"],
];

/** Read a browser's string (RFC 9110, section 10.1.5); what it does not tell is `""`. */
export function describeDevice(userAgent: string): Required<DeviceBody> {
  return {
    device: /\b(?:Mobile|Android|iPhone|iPad)\b/.test(userAgent) ? "Phone or tablet" : "Computer",
    browser: named(BROWSERS, userAgent) || "Browser",
    os: named(SYSTEMS, userAgent),
  };
}

function named(known: readonly [RegExp, string][], userAgent: string): string {
  for (const [mark, name] of known) {
    const found = mark.exec(userAgent);
    if (found !== null) return `${name} ${found[1]?.split(/[._]/)[0] ?? ""}`.trim();
  }
  return "";
}
