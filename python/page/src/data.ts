// What memtrace has put into the page: a header in JSON, and columns of numbers behind it.

export type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;
export type Tag = "thread" | "label" | "type" | "domain";
export type Moment = "live" | "peak" | "churn";

export const enum Kind {
  Own = 0,
  StandardLibrary = 1,
  Packages = 2,
  ImportSystem = 3,
}

/** Bytes and blocks of the stacks that end in a node. */
export interface Amounts {
  node: Numbers;
  size: Numbers;
  count: Numbers;
}

/** Of the snapshot that is shown, and of the one that it is compared to. */
export interface Part {
  name: string;
  now: Amounts;
  before: Amounts | null;
}

export interface View {
  kind: Moment;
  all: Part;
  tags: Map<Tag, Part[]>;
}

export interface Timeline {
  seconds: Numbers;
  size: Numbers;
  peak: Numbers;
  resident: Numbers;
}

export interface Source {
  file: number;
  /** Lines of code, each run with the number of its first one. */
  excerpts: [number, string[]][];
}

export interface Report {
  title: string;
  oldTitle: string | null;
  notes: string[];
  redacted: boolean;
  files: string[];
  kinds: Kind[];
  functions: (string | null)[];
  frameFile: Numbers;
  frameFunction: Numbers;
  frameLine: Numbers;
  /** Of each node, which comes after its parent; 0 is the root. */
  parents: Uint32Array;
  nodeFrames: Numbers;
  views: View[];
  timelines: Timeline[];
  sources: Source[];
}

const FORMAT = 1;
const ARRAYS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array };

interface Column {
  type: keyof typeof ARRAYS;
  offset: number;
  length: number;
  delta: boolean;
}

type RawAmounts = Record<keyof Amounts, Column>;

interface RawPart {
  name?: string;
  new: RawAmounts;
  old: RawAmounts | null;
}

export async function load(base64: string): Promise<Report> {
  const buffer = await inflate(base64);
  const headerLength = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerLength)));
  if (header.format !== FORMAT) throw new Error(`unknown format ${header.format}`);
  const start = Math.ceil((4 + headerLength) / 8) * 8;

  const column = ({ type, offset, length, delta }: Column): Numbers => {
    const numbers = new ARRAYS[type](buffer, start + offset, length);
    if (!delta) return numbers;
    const summed = new Uint32Array(length);
    for (let i = 0, sum = 0; i < length; i++) summed[i] = sum += numbers[i]!;
    return summed;
  };
  const amounts = (raw: RawAmounts): Amounts => ({
    node: column(raw.node),
    size: column(raw.size),
    count: column(raw.count),
  });
  const part = (raw: RawPart): Part => ({
    name: raw.name ?? "",
    now: amounts(raw.new),
    before: raw.old && amounts(raw.old),
  });
  const view = (raw: RawPart & { kind: Moment; tags: Record<Tag, RawPart[]> }): View => ({
    kind: raw.kind,
    all: part(raw),
    tags: new Map(Object.entries(raw.tags).map(([tag, parts]) => [tag as Tag, parts.map(part)])),
  });

  return {
    title: header.title,
    oldTitle: header.old_title,
    notes: header.notes,
    redacted: header.redacted,
    files: header.files,
    kinds: header.kinds,
    functions: header.functions,
    frameFile: column(header.frame_file),
    frameFunction: column(header.frame_function),
    frameLine: column(header.frame_line),
    parents: Uint32Array.from(column(header.node_up), (up, node) => node - up),
    nodeFrames: column(header.node_frame),
    views: header.views.map(view),
    timelines: header.timelines.map((raw: Record<keyof Timeline, Column>) => ({
      seconds: column(raw.seconds),
      size: column(raw.size),
      peak: column(raw.peak),
      resident: column(raw.resident),
    })),
    sources: header.sources,
  };
}

async function inflate(base64: string): Promise<ArrayBuffer> {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
