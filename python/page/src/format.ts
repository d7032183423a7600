// Numbers as people read them, as memtrace's other reports write them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export type Metric = "size" | "count";

export function size(bytes: number): string {
  let number = bytes;
  for (const unit of UNITS) {
    if (unit === "TiB" || (unit !== "B" && Math.abs(number) < 100)) return `${fixed(number, 1)} ${unit}`;
    if (Math.abs(number) < 10 * 1024) return `${fixed(number, 0)} ${unit}`;
    number /= 1024;
  }
  return "";
}

/** With so many digits behind the point; as Python rounds, from the middle between two to the even one. */
function fixed(number: number, digits: number): string {
  const scaled = Math.abs(number) * 10 ** digits;
  const below = Math.floor(scaled);
  if (scaled - below !== 0.5 || below % 2 === 1) return number.toFixed(digits);
  return ((Math.sign(number) * below) / 10 ** digits).toFixed(digits);
}

export const count = (number: number): string => Math.round(number).toLocaleString("en-US");

export const blocks = (number: number): string => `${count(number)} ${number === 1 ? "block" : "blocks"}`;

export const amount = (metric: Metric, number: number): string => (metric === "size" ? size(number) : count(number));

export const change = (metric: Metric, number: number): string =>
  number > 0 ? `+${amount(metric, number)}` : amount(metric, number);

export const percentage = (part: number, whole: number): string =>
  whole ? `${((100 * part) / whole).toFixed(1)}%` : "-";

/** The end of a path, which tells most. */
export function baseName(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return path.slice(end + 1) || path;
}
