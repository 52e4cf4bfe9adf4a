/** A task's events as a person reads them: steps rather than every percent. Pure. */

import type { TaskEvent } from "@darkroom/client";

export interface TimelineRow {
  readonly sequence: number;
  readonly type: string;
  readonly stage: string | null;
  readonly percent: number | null;
  readonly time: string;
  /** Seconds after the first event. */
  readonly after: number;
}

export function seconds(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

/** One row an event; of progress within one stage only the last. */
export function timelineOf(events: readonly TaskEvent[]): readonly TimelineRow[] {
  const rows: TimelineRow[] = [];
  const start = events[0]?.time;
  for (const { sequence, type, time, data } of events) {
    const moved = type === "generation.progressed";
    const stage = moved && typeof data.stage === "string" ? data.stage : null;
    const percent = moved && typeof data.progress === "number" ? data.progress : null;
    const row = { sequence, type, stage, percent, time, after: seconds(start ?? time, time) };
    const last = rows.at(-1);
    if (moved && last?.type === type && (stage === null || last.stage === stage)) {
      rows[rows.length - 1] = { ...row, stage: stage ?? last.stage };
    } else {
      rows.push(row);
    }
  }
  return rows;
}
