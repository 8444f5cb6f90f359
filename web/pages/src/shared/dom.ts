/** Elements as expressions. Text is only ever text: nothing here parses markup. */

export type Child = Node | string | number | null | undefined | false;

type Listeners = { [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void };

export interface Properties {
  class?: string;
  on?: Listeners;
  [attribute: string]: string | number | boolean | Listeners | undefined;
}

/**
 * Makes an element.
 *
 * @param tag the element's name
 * @param properties attributes (`true` sets an empty one, `false` and `undefined` none) and, under `on`, listeners
 * @param children nodes and texts; nothing comes of `null`, `undefined` and `false`
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  const { on, ...attributes } = properties;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const [name, listener] of Object.entries(on ?? {})) {
    element.addEventListener(name, listener as EventListener);
  }
  fill(element, ...children);
  return element;
}

/** Replaces what an element holds. */
export function fill(element: Element, ...children: Child[]): void {
  const kept = children.filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(...kept.map((child) => (child instanceof Node ? child : String(child))));
}

/** A button that does something: its label, its look and its deed. */
export function button(label: Child, look: "primary" | "plain" | "danger" | "quiet", act: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: `button ${look}`, on: { click: act } }, label);
}

/** Puts the focus on an element that is not a control, such as the heading of a screen that has just come. */
export function focusOn(element: HTMLElement): void {
  if (element.tabIndex < 0) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

/** Runs a deed while its button is out of use, so that it is not done twice. */
export async function busy(control: HTMLButtonElement, deed: () => Promise<void>): Promise<void> {
  if (control.getAttribute("aria-busy") === "true") return;
  control.setAttribute("aria-busy", "true");
  control.disabled = true;
  try {
    await deed();
  } finally {
    control.removeAttribute("aria-busy");
    control.disabled = false;
  }
}
