import type { PromptTask } from "@darkroom/client";
import { type CreateGenerationTaskInput, requestOf } from "./provider-params.ts";

const MARK = "optimistic-";
let rowsMade = 0;

/** The row that stands for a task until the gateway has answered. */
export function optimisticRow(input: CreateGenerationTaskInput, now: string): PromptTask {
  const { model, service } = input.providerParams;
  rowsMade += 1;
  const id = `${MARK}${rowsMade}`;
  return {
    id,
    taskId: id,
    promptId: input.promptId,
    type: requestOf(input).type,
    model,
    service,
    externalTaskId: null,
    status: "PENDING",
    stage: "queued",
    progress: 0,
    resultUrl: null,
    resultUrls: [],
    errorMessage: null,
    createdAt: now,
    updatedAt: now,
    completedAt: null,
  };
}

/** Whether a row still stands for a task that is being created. */
export function isOptimistic(row: PromptTask): boolean {
  return row.id.startsWith(MARK);
}
