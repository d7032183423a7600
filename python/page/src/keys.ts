// What frames are counted together: those of a line, of a function or of a file.

import { type Kind, type Part, type Report } from "./data";
import { baseName } from "./format";

export type By = "line" | "function" | "file";

export class Keys {
  /** The key of each frame. */
  readonly of: Int32Array;
  /** One of the frames of each key. */
  private readonly frames: Int32Array;
  private texts: string[] | null = null;

  /** `parts` are what memory is split by: they have the keys behind those of frames. */
  constructor(
    private readonly report: Report,
    readonly by: By,
    private readonly parts: readonly Part[],
  ) {
    const { frameFile, frameFunction, functions } = report;
    this.of = new Int32Array(frameFile.length);
    const frames: number[] = [];
    const known = new Map<number, number>();
    for (let frame = 0; frame < this.of.length; frame++) {
      const file = frameFile[frame]!;
      const group = by === "line" ? frame : by === "file" ? file : file * functions.length + frameFunction[frame]!;
      let key = known.get(group);
      if (key === undefined) {
        known.set(group, (key = frames.length));
        frames.push(frame);
      }
      this.of[frame] = key;
    }
    this.frames = Int32Array.from(frames);
  }

  /** How many keys of frames there are. */
  get length(): number {
    return this.frames.length;
  }

  isPart(key: number): boolean {
    return key >= this.length;
  }

  name(key: number): string {
    if (this.isPart(key)) return this.parts[key - this.length]!.name;
    const file = baseName(this.path(key));
    if (this.by === "file") return file;
    const name = this.functionName(key);
    if (this.by === "function") return name ? `${name} (${file})` : file;
    return name ? `${name} (${file}:${this.line(key)})` : `${file}:${this.line(key)}`;
  }

  functionName(key: number): string | null {
    return this.isPart(key) || this.by === "file"
      ? null
      : this.report.functions[this.report.frameFunction[this.frames[key]!]!]!;
  }

  /** The file, with the line where there is one. */
  place(key: number): string {
    if (this.isPart(key)) return "";
    return this.by === "line" ? `${this.path(key)}:${this.line(key)}` : this.path(key);
  }

  path(key: number): string {
    return this.report.files[this.file(key)]!;
  }

  file(key: number): number {
    return this.report.frameFile[this.frames[key]!]!;
  }

  /** The line, or where there are several the first that occurred. */
  line(key: number): number {
    return this.report.frameLine[this.frames[key]!]!;
  }

  kind(key: number): Kind | null {
    return this.isPart(key) ? null : this.report.kinds[this.file(key)]!;
  }

  /** Of each key whether `query` is in its name or its place, in any case. */
  matches(query: string): Uint8Array {
    const wanted = query.toLowerCase();
    this.texts ??= Array.from({ length: this.length + this.parts.length }, (_, key) =>
      `${this.functionName(key) ?? ""}\n${this.isPart(key) ? this.name(key) : this.place(key)}`.toLowerCase(),
    );
    return Uint8Array.from(this.texts, (text) => (text.includes(wanted) ? 1 : 0));
  }
}
