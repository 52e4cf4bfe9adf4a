import { type TaskOptions, useTask } from "./use-task.ts";

export interface PlaceInLine {
  /** 1 for the next one, 0 when the task is not waiting, `null` while it is not known. */
  readonly position: number | null;
  /** Until the task is done, from measured durations; `null` while it is not known. */
  readonly etaSeconds: number | null;
}

const UNKNOWN: PlaceInLine = { position: null, etaSeconds: null };

/**
 * The place of a task in its line, as the server counts it over all users; pushed as the line
 * moves, polled where there is no stream. A place from before the page was shown is never shown.
 *
 * @example
 * const { position, etaSeconds } = useQueuePosition(task.task_id);
 * return position ? <p>Number {position} in line, about {etaSeconds} s</p> : null;
 */
export function useQueuePosition(
  taskId: string,
  { live = true, pollMs }: TaskOptions = {},
): PlaceInLine {
  const { data: task, isFetchedAfterMount } = useTask(taskId, { live, pollMs });
  // What the stream has told since counts as fetched.
  if (task === undefined || !isFetchedAfterMount) return UNKNOWN;
  return { position: task.queue_position, etaSeconds: task.eta_seconds };
}
