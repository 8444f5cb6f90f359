/** XML elements as stanzas have them: named by namespace and local name. */

/** The element's children, in order. */
export function children(element: Element): Element[] {
  return Array.from(element.childNodes).filter((node): node is Element => node.nodeType === 1);
}

/** The first child of that name; without a namespace, in that of the element itself. */
export function child(element: Element, name: string, namespace = element.namespaceURI): Element | undefined {
  return children(element).find((each) => each.localName === name && each.namespaceURI === namespace);
}

/** The character data of the first child of that name, without white space around it; `""` for none. */
export function childText(element: Element, name: string, namespace = element.namespaceURI): string {
  return child(element, name, namespace)?.textContent?.trim() ?? "";
}

/** A text as it stands in XML, in an attribute too. */
export function escape(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}
