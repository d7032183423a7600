// The colours of the page, of which the canvases need those that CSS has.

import { Kind } from "./data";

export function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export class Colors {
  readonly background = css("--background");
  readonly text = css("--text");
  readonly line = css("--line");
  readonly box = css("--box");
  readonly boxText = css("--box-text");
  readonly match = css("--match");
  readonly matchText = css("--match-text");
  readonly focus = css("--focus");
  private readonly lightness = Number(css("--box-lightness"));
  private readonly known = new Map<number, string>();

  /** Of a frame by whose code it is, a little different for each file. */
  ofFile(kind: Kind, file: number): string {
    let color = this.known.get(file);
    if (color === undefined) {
      const hash = (Math.imul(file + 1, 0x9e3779b1) >>> 16) & 0xff;
      const hue = { [Kind.Own]: 24, [Kind.StandardLibrary]: 212, [Kind.Packages]: 158, [Kind.ImportSystem]: 285 }[kind];
      const spread = kind === Kind.Own ? 28 : 16;
      const chroma = kind === Kind.Own ? 78 : kind === Kind.ImportSystem ? 28 : 40;
      color = `hsl(${hue + ((hash % 16) / 15 - 0.5) * spread} ${chroma}% ${this.lightness + ((hash >> 4) / 15 - 0.5) * 7}%)`;
      this.known.set(file, color);
    }
    return color;
  }

  /** Of a difference: red where it grew, blue where it shrank, the more so the larger the part that changed. */
  ofChange(tendency: number): string {
    if (tendency === 0) return this.box;
    const strength = 0.25 + 0.75 * Math.min(Math.abs(tendency), 1);
    return `color-mix(in srgb, ${css(tendency > 0 ? "--grew-box" : "--shrank-box")} ${Math.round(strength * 100)}%, ${this.box})`;
  }
}
