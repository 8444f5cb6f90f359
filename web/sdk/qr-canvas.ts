/** Draws QR codes on a canvas: error correction H, a logo on at most a quarter of the width, whole device pixels. */
import { encode } from "uqr";
import { failure } from "./errors";

/** How a code looks. */
export interface QrLook {
  /** Its width in CSS pixels, quiet zone included; left out, that of the canvas. */
  size?: number;
  /** The quiet zone in modules; readers want 4 (ISO/IEC 18004). */
  margin?: number;
  dark?: string;
  light?: string;
}

/** What can be in the middle of a code. */
export type Logo = HTMLImageElement | HTMLCanvasElement | SVGSVGElement | ImageBitmap;

/** How much of the code's width the logo with its ground may take: a sixteenth of the area, where H restores 30 %. */
export const LOGO_MAX_SHARE = 0.25;

const QUIET_ZONE = 4;
const USUAL_SIZE = 256;
/** Over a code that is of no use at the moment. */
const VEILS = { paused: "\u21bb", scanned: "\u2713", ended: "\u2715" } as const;

/** Where each part of a code goes, in whole device pixels: pure. */
export interface Layout {
  /** The canvas's own width and height. */
  side: number;
  /** The width of one module. */
  module: number;
  /** Where the first module begins. */
  start: number;
  /** The ground of the logo: its first module, and how many it is wide. */
  ground: { first: number; modules: number };
}

/**
 * Lay a code out.
 *
 * @param modules the code's width.
 * @param pixels the canvas's width in device pixels.
 */
export function layOut(modules: number, pixels: number, margin: number): Layout {
  const module = Math.max(1, Math.floor(pixels / (modules + 2 * margin)));
  const side = Math.max(Math.round(pixels), module * (modules + 2 * margin));
  const most = Math.floor(modules * LOGO_MAX_SHARE);
  const width = most - ((modules - most) % 2); // as odd as the code, so that it stands in the middle of the grid
  return {
    side,
    module,
    start: Math.floor((side - module * modules) / 2),
    ground: { first: (modules - width) / 2, modules: width },
  };
}

/** The canvas that an id or an element stands for; in any other element one is made. */
export function findCanvas(canvas: string | HTMLElement): HTMLCanvasElement {
  const found = typeof canvas === "string" ? document.getElementById(canvas) : canvas;
  if (found instanceof HTMLCanvasElement) return found;
  if (!(found instanceof HTMLElement)) {
    throw failure("request_invalid", `There is no canvas '${String(canvas)}'`, { field: "canvas" });
  }
  return found.querySelector("canvas") ?? found.appendChild(document.createElement("canvas"));
}

/** The logo that an id or an element stands for, ready to be drawn; `null` for none. */
export async function findLogo(logo: string | Logo | HTMLElement | null | undefined): Promise<CanvasImageSource | null> {
  if (logo === null || logo === undefined || logo === "") return null;
  let found: unknown = typeof logo === "string" ? document.getElementById(logo) : logo;
  if (found instanceof SVGSVGElement) {
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(found))}`;
    found = image;
  }
  if (found instanceof HTMLImageElement) {
    await found.decode().catch(() => {
      throw failure("request_invalid", "The logo is no picture", { field: "logo" });
    });
    return found;
  }
  if (found instanceof HTMLCanvasElement || found instanceof ImageBitmap) return found;
  throw failure("request_invalid", `There is no logo '${String(logo)}'`, { field: "logo" });
}

/** A canvas with codes on it, one after the other. */
export class QrScreen {
  readonly canvas: HTMLCanvasElement;
  readonly #logo: CanvasImageSource | null;
  readonly #look: Required<Omit<QrLook, "size">>;
  readonly #givenSize: number | undefined;
  readonly #redraw = () => this.#draw();
  #size: number;
  #text = "";
  #veil: keyof typeof VEILS | null = null;

  constructor(canvas: HTMLCanvasElement, logo: CanvasImageSource | null, look: QrLook) {
    this.canvas = canvas;
    this.#logo = logo;
    this.#givenSize = look.size;
    this.#size = look.size ?? (canvas.getBoundingClientRect().width || canvas.width || USUAL_SIZE);
    this.#look = { margin: QUIET_ZONE, dark: "#000", light: "#fff", ...look };
    if (!canvas.hasAttribute("role")) canvas.setAttribute("role", "img");
    if (!canvas.hasAttribute("aria-label")) canvas.setAttribute("aria-label", "QR code to sign in with your phone");
    addEventListener("resize", this.#redraw); // another zoom or screen has other device pixels
  }

  /** Draw a code in place of the last one. */
  show(text: string): void {
    this.#text = text;
    this.#veil = null;
    this.#draw();
  }

  /** Show that the code is of no use at the moment. */
  cover(veil: keyof typeof VEILS): void {
    this.#veil = veil;
    this.#draw();
  }

  /** Let go of the canvas; what is on it stays. */
  close(): void {
    removeEventListener("resize", this.#redraw);
  }

  #draw(): void {
    const context = this.canvas.getContext("2d");
    if (context === null || this.#text === "") return;
    const { margin, dark, light } = this.#look;
    const code = encode(this.#text, { ecc: "H", border: 0 });
    this.#size = this.#givenSize ?? (this.canvas.getBoundingClientRect().width || this.#size);
    const layout = layOut(code.size, this.#size * devicePixelRatio, margin);
    this.canvas.width = this.canvas.height = layout.side;
    // The page's own style sheet may say how wide the canvas is; where it does not, device pixels would.
    if (this.canvas.getBoundingClientRect().width !== this.#size) {
      this.canvas.style.width = this.canvas.style.height = `${this.#size}px`;
    }
    context.fillStyle = light;
    context.fillRect(0, 0, layout.side, layout.side);
    context.fillStyle = dark;
    drawModules(context, code.data, layout, this.#logo !== null);
    if (this.#logo !== null) drawLogo(context, this.#logo, layout);
    if (this.#veil !== null) drawVeil(context, VEILS[this.#veil], layout.side, dark, light);
  }
}

function drawModules(context: CanvasRenderingContext2D, rows: boolean[][], layout: Layout, hasLogo: boolean): void {
  const { module, start, ground } = layout;
  const isGround = (at: number) => hasLogo && at >= ground.first && at < ground.first + ground.modules;
  rows.forEach((row, y) =>
    row.forEach((isDark, x) => {
      if (isDark && !(isGround(x) && isGround(y))) context.fillRect(start + x * module, start + y * module, module, module);
    }),
  );
}

function drawLogo(context: CanvasRenderingContext2D, logo: CanvasImageSource, { module, start, ground }: Layout): void {
  const [width, height] = sizeOf(logo);
  const room = (ground.modules - 1) * module; // half a module of ground around it
  const scale = room / Math.max(width, height);
  const middle = start + (ground.first + ground.modules / 2) * module;
  context.imageSmoothingQuality = "high";
  context.drawImage(logo, middle - (width * scale) / 2, middle - (height * scale) / 2, width * scale, height * scale);
}

/** A picture's own size; a drawing without one is a square. */
function sizeOf(logo: CanvasImageSource): [width: number, height: number] {
  const { naturalWidth, naturalHeight } = logo as HTMLImageElement;
  const { width, height } = logo as HTMLCanvasElement;
  return [naturalWidth || width || 1, naturalHeight || height || 1];
}

function drawVeil(context: CanvasRenderingContext2D, sign: string, side: number, dark: string, light: string): void {
  context.globalAlpha = 0.92;
  context.fillStyle = light;
  context.fillRect(0, 0, side, side);
  context.globalAlpha = 1;
  context.fillStyle = dark;
  context.font = `${Math.round(side / 3)}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(sign, side / 2, side / 2);
}
