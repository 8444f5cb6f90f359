/** What the node says of itself to its pages. */

export interface PagesConfig {
  apiBaseUrl: string;
  licenseKey: string;
  isTrialLicenseKey: boolean;
}

/** The node has no app for its pages, or does not answer. */
export class NoConfig extends Error {
  constructor(readonly code: "no_app" | "unreachable") {
    super(code);
  }
}

/** Asks the node. */
export async function loadConfig(): Promise<PagesConfig> {
  let answer: Response;
  try {
    answer = await fetch("/pages/config.json");
  } catch {
    throw new NoConfig("unreachable");
  }
  if (!answer.ok) throw new NoConfig(answer.status === 404 ? "no_app" : "unreachable");
  return (await answer.json()) as PagesConfig;
}
