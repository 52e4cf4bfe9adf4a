/** When a page was last looked at, so that what ended since can say that it is new. */

import { useEffect, useState } from "react";
import { recall, remember } from "../storage.ts";
import type { Task } from "../tasks/task.ts";

export interface Visit {
  /** Milliseconds; null at the first visit. */
  readonly before: number | null;
  readonly began: number;
}

/** Whether a task ended between the last visit and this one. Pure. */
export function endedBetween(task: Pick<Task, "finished_at">, { before, began }: Visit): boolean {
  if (task.finished_at === null || before === null) return false;
  const finished = Date.parse(task.finished_at);
  return finished > before && finished <= began;
}

export function useVisit(name: string): Visit {
  const key = `darkroom.visit.${name}`;
  const [visit] = useState<Visit>(() => {
    const before = Number(recall(key) ?? Number.NaN);
    return { before: Number.isNaN(before) ? null : before, began: Date.now() };
  });
  useEffect(() => {
    const leave = () => remember(key, String(Date.now()));
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      leave();
    };
  }, [key]);
  return visit;
}
