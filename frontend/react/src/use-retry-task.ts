import type { Task } from "@darkroom/client";
import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { applyTask } from "./live-cache.ts";
import { useDarkroom } from "./provider.tsx";

/**
 * Ask for the same once more. It is a new task, with `metadata.retry_of`.
 *
 * @example
 * const retry = useRetryTask();
 * {task.error?.retryable && <button onClick={() => retry.mutate(task.task_id)}>Try again</button>}
 */
export function useRetryTask(): UseMutationResult<Task, Error, string> {
  const { client, known } = useDarkroom();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (taskId: string) => client.retry(taskId),
    onSuccess: (task) => applyTask(queryClient, known, task),
  });
}
