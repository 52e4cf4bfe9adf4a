/** The history's filters, as they stand in the address: a link to a search finds it again. Pure. */

import { type GenerationType, STAGES, type TaskStatus } from "@darkroom/client";
import type { Task } from "./task.ts";

export interface HistoryQuery {
  readonly search: string;
  readonly type: GenerationType | null;
  readonly status: TaskStatus | null;
}

export const EVERYTHING: HistoryQuery = { search: "", type: null, status: null };

const STATUSES: readonly string[] = ["pending", "processing", "completed", "failed", "cancelled"];

export function readQuery(params: URLSearchParams): HistoryQuery {
  const type = params.get("type") ?? "";
  const status = params.get("status") ?? "";
  return {
    search: params.get("q") ?? "",
    type: Object.hasOwn(STAGES, type) ? (type as GenerationType) : null,
    status: STATUSES.includes(status) ? (status as TaskStatus) : null,
  };
}

export function writeQuery({ search, type, status }: HistoryQuery): string {
  const params = new URLSearchParams();
  if (search !== "") params.set("q", search);
  if (type !== null) params.set("type", type);
  if (status !== null) params.set("status", status);
  return params.size === 0 ? "" : `?${params}`;
}

/**
 * Every word of the search is somewhere in the prompt, whatever its case: as the page's language
 * has it (a Turkish I is no i), or as English has it, in which many prompts are.
 */
export function matches(
  task: Pick<Task, "prompt" | "task_id">,
  search: string,
  language: string,
): boolean {
  const words = search.split(/\s+/).filter(Boolean);
  const prompt = `${task.prompt ?? ""} ${task.task_id}`;
  return words.every((word) =>
    [language, "en"].some((spoken) =>
      prompt.toLocaleLowerCase(spoken).includes(word.toLocaleLowerCase(spoken)),
    ),
  );
}
