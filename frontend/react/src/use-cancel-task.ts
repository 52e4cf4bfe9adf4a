import type { Task } from "@darkroom/client";
import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { queryKeys } from "./keys.ts";
import { applyTask } from "./live-cache.ts";
import { useDarkroom } from "./provider.tsx";

/**
 * Stop a task. When something else ended it first, that is the error (`already_finished`), and
 * the task is shown as it ended.
 *
 * @example
 * const cancel = useCancelTask();
 * <button onClick={() => cancel.mutate(task.task_id)} disabled={cancel.isPending}>Cancel</button>
 */
export function useCancelTask(): UseMutationResult<Task, Error, string> {
  const { client, known } = useDarkroom();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (taskId: string) => client.cancel(taskId),
    onSuccess: (task) => applyTask(queryClient, known, task),
    onError: () => {
      void queryClient.invalidateQueries({ queryKey: queryKeys.tasks.all });
    },
  });
}
