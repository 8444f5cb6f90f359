/** A list that comes from the node a page at a time. */

import { busy, button, fill, h } from "../shared/dom.js";
import { tell } from "../shared/frame.js";
import { t } from "../shared/messages.js";
import { explain } from "../shared/problems.js";
import type { Page } from "./api.js";

/** Rows, and the button that brings those behind them. */
export class PagedList<Item> {
  readonly element: HTMLElement;
  private readonly rows = h("ul", { class: "rows", role: "list" });
  private readonly more = button(t("admin_more"), "plain", () => void busy(this.more, () => this.add()));
  private next: string | number | null = null;
  private newest: Item | undefined;
  private asked = 0;

  /**
   * @param load asks for a page; the first with `null`
   * @param row makes an item's row
   * @param whenEmpty what to say where there is nothing
   */
  constructor(
    private readonly load: (next: string | number | null) => Promise<Page<Item>>,
    private readonly row: (item: Item) => HTMLElement,
    private readonly whenEmpty: string,
  ) {
    this.more.hidden = true;
    this.element = h("div", { class: "paged" }, this.rows, this.more);
  }

  /** Asks for the first page again; of several at once, the last one counts. */
  async refresh(): Promise<void> {
    this.asked += 1;
    const mine = this.asked;
    const page = await this.load(null);
    if (mine !== this.asked) return;
    const rows = page.items.map(this.row);
    fill(this.rows, ...(rows.length > 0 ? rows : [h("li", { class: "none" }, this.whenEmpty)]));
    this.newest = page.items[0];
    this.turn(page);
  }

  /** Puts before the first row what has come since; the rows that are there stay, and what has the focus in them. */
  async catchUp(isSame: (one: Item, other: Item) => boolean): Promise<void> {
    const { newest } = this;
    const { items } = await this.load(null);
    const known = newest === undefined ? -1 : items.findIndex((item) => isSame(item, newest));
    if (known < 0) {
      await this.refresh();
      return;
    }
    this.rows.prepend(...items.slice(0, known).map(this.row));
    this.newest = items[0];
  }

  private async add(): Promise<void> {
    try {
      const page = await this.load(this.next);
      this.rows.append(...page.items.map(this.row));
      this.turn(page);
    } catch (error) {
      tell(explain(error));
    }
  }

  private turn(page: Page<Item>): void {
    this.next = page.next;
    this.more.hidden = page.next === null;
  }
}
