// How much memory there was, and when, with the moment that is shown.

import uPlot from "uplot";
import { css } from "./colors";
import { type Moment, type Timeline as Points } from "./data";
import { size } from "./format";

const HEIGHT = 160;

export class Timeline {
  private plot: uPlot | null = null;
  private moment: Moment = "live";

  constructor(
    private readonly place: HTMLElement,
    private readonly timelines: readonly Points[],
  ) {
    new ResizeObserver(() => this.plot?.setSize({ width: this.place.clientWidth, height: HEIGHT })).observe(place);
  }

  get isEmpty(): boolean {
    return this.timelines.every((points) => points.seconds.length === 0);
  }

  show(moment: Moment): void {
    this.moment = moment;
    if (this.plot) this.plot.redraw(false);
    else this.draw();
  }

  /** When what is shown was: null for all of the time. */
  instant(): number | null {
    const { seconds, peak } = this.timelines[0]!;
    if (this.moment === "churn" || !seconds.length) return null;
    if (this.moment === "live") return seconds[seconds.length - 1]!;
    let highest = 0;
    for (let i = 1; i < peak.length; i++) if (peak[i]! > peak[highest]!) highest = i;
    return seconds[highest]!;
  }

  /** Anew, with the colours of now. */
  draw(): void {
    if (this.isEmpty) return;
    this.plot?.destroy();
    const [now, before] = this.timelines as [Points, Points | undefined];
    const hasResident = now.resident.some((number) => number > 0);
    const tables: uPlot.AlignedData[] = [
      [numbers(now.seconds), numbers(now.size), numbers(now.peak), numbers(now.resident)],
    ];
    if (before) tables.push([numbers(before.seconds), numbers(before.size)]);
    const series: uPlot.Series[] = [
      { label: "Time", value: (_, value) => (value === null ? "–" : `${value.toFixed(2)} s`) },
      line("Traced", "--series-size", { width: 2 }),
      line("Peak", "--series-peak", { dash: [2, 3] }),
      line("Resident", "--series-resident", { show: hasResident }),
    ];
    if (before) series.push(line("Traced before", "--series-before", { width: 2, dash: [6, 4] }));
    const lines = { stroke: css("--line"), width: 1 };
    const axis = { stroke: css("--muted"), grid: lines, ticks: { ...lines, size: 4 } };
    this.plot = new uPlot(
      {
        width: this.place.clientWidth,
        height: HEIGHT,
        scales: { x: { time: false }, y: { range: (_, __, most) => [0, most || 1] } },
        series,
        axes: [
          { ...axis, size: 30, values: (_, ticks) => ticks.map((tick) => `${tick} s`) },
          { ...axis, size: 74, space: 26, incrs: INCREMENTS, values: (_, ticks) => ticks.map((tick) => size(tick)) },
        ],
        cursor: { y: false, drag: { x: true, y: false } },
        hooks: { draw: [(plot) => this.mark(plot)] },
      },
      tables.length === 1 ? tables[0]! : uPlot.join(tables),
      this.place,
    );
  }

  private mark(plot: uPlot): void {
    const instant = this.instant();
    const { ctx, bbox } = plot;
    ctx.save();
    if (instant === null) {
      ctx.globalAlpha = 0.12;
      ctx.fillStyle = css("--focus");
      ctx.fillRect(bbox.left, bbox.top, bbox.width, bbox.height);
    } else {
      const ratio = window.devicePixelRatio || 1;
      const x = Math.min(plot.valToPos(instant, "x", true), bbox.left + bbox.width - ratio);
      ctx.fillStyle = css("--focus");
      ctx.fillRect(x - ratio, bbox.top, 2 * ratio, bbox.height);
      ctx.beginPath();
      ctx.arc(x, bbox.top + 5 * ratio, 5 * ratio, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }
}

/** Steps of an axis that are round in binary units. */
const INCREMENTS = Array.from({ length: 50 }, (_, power) => 2 ** power);

const numbers = (column: ArrayLike<number>): number[] => Array.from(column);

function line(label: string, color: string, more: Partial<uPlot.Series>): uPlot.Series {
  return {
    label,
    stroke: () => css(color),
    points: { show: false },
    value: (_, value) => (value === null || value === undefined ? "–" : size(value)),
    spanGaps: true,
    ...more,
  };
}
