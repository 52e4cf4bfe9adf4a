import type { Task, TaskStatus } from "./types.ts";

/** Whether a task has ended: its status, result and error never change again. */
export function isTerminal(task: { readonly status: TaskStatus }): boolean {
  return task.status !== "pending" && task.status !== "processing";
}

/** The one of two states of a task that is further in the log. */
export function newer(known: Task | undefined, told: Task): Task {
  return known !== undefined && known.sequence > told.sequence ? known : told;
}
