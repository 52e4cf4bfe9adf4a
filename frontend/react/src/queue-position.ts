import type { Task } from "@darkroom/client";

/** Orders tasks by when they were made; those of one millisecond by id, which is made in order too. */
export function byCreation(one: Task, other: Task): number {
  return (
    Date.parse(one.created_at) - Date.parse(other.created_at) ||
    (one.task_id < other.task_id ? -1 : one.task_id > other.task_id ? 1 : 0)
  );
}

/** Whether a task stands in line: it may be worked on, and nobody has begun. */
export function isWaiting(task: Task): boolean {
  return task.status === "processing" && task.started_at === null;
}

/** All tasks, oldest first. */
export function selectAllTasks(tasks: readonly Task[]): Task[] {
  return [...tasks].sort(byCreation);
}

/** The tasks in line, first come first. */
export function selectWaitingTasks(tasks: readonly Task[]): Task[] {
  return tasks.filter(isWaiting).sort(byCreation);
}

/**
 * The place of a task among the tasks of one lane: 1 for the first, 0 when it is not waiting.
 *
 * Only right where all tasks of the lane are there, as when one owner has the whole line. The
 * server's own place, `task.queue_position`, is right everywhere: see {@link useQueuePosition}.
 */
export function calculateQueuePosition(task: Task, tasks: readonly Task[]): number {
  const waiting = selectWaitingTasks(tasks);
  return waiting.findIndex((each) => each.task_id === task.task_id) + 1;
}
