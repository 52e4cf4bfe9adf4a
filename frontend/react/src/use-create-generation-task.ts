import type { PromptTask, Task } from "@darkroom/client";
import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { queryKeys } from "./keys.ts";
import { applyTask } from "./live-cache.ts";
import { optimisticRow } from "./optimistic-row.ts";
import { useDarkroom } from "./provider.tsx";
import { type CreateGenerationTaskInput, requestOf } from "./provider-params.ts";
import { type ActionResult, resultOf } from "./result.ts";

/** The task that was made. */
export interface CreatedGenerationTask {
  readonly id: string;
  readonly task: Task;
}

/**
 * Creates a task of a prompt. A row stands for it in `useGenerationTasks` at once; when the
 * gateway has answered, the tasks of the prompt are asked for anew. A refusal is a result
 * (`success: false`), a network that fails is an error.
 *
 * @example
 * const { mutate, isPending } = useCreateGenerationTask();
 * mutate(
 *   {
 *     promptId,
 *     providerParams: {
 *       service: "KIE",
 *       model: "IMAGEN4",
 *       apiModel: "google/imagen4-fast",
 *       input: { prompt: "A beautiful sunset", aspect_ratio: "16:9", num_images: "4" },
 *     },
 *   },
 *   { onSuccess: (result) => result.success && console.log("Task created:", result.data.id) },
 * );
 */
export function useCreateGenerationTask(): UseMutationResult<
  ActionResult<CreatedGenerationTask>,
  Error,
  CreateGenerationTaskInput,
  unknown
> {
  const { client, known } = useDarkroom();
  const queryClient = useQueryClient();
  const keyOf = (input: CreateGenerationTaskInput) =>
    queryKeys.generationTasks.byPrompt(input.promptId);

  return useMutation({
    mutationFn: (input: CreateGenerationTaskInput) =>
      resultOf(client.submit(requestOf(input)).then((task) => ({ id: task.task_id, task }))),
    onMutate: async (input) => {
      // An answer that is on its way would wipe the row out again.
      await queryClient.cancelQueries({ queryKey: keyOf(input) });
      const row = optimisticRow(input, new Date().toISOString());
      queryClient.setQueryData<PromptTask[]>(keyOf(input), (rows) => [row, ...(rows ?? [])]);
      return row.id;
    },
    onSuccess: (result) => {
      if (result.success) applyTask(queryClient, known, result.data.task);
    },
    onSettled: (result, _, input, rowId) => {
      const id = result?.success ? result.data.id : undefined;
      queryClient.setQueryData<PromptTask[]>(keyOf(input), (rows) =>
        rows?.flatMap((row) =>
          row.id !== rowId ? [row] : id === undefined ? [] : [{ ...row, id, taskId: id }],
        ),
      );
      void queryClient.invalidateQueries({ queryKey: keyOf(input) });
    },
  });
}
