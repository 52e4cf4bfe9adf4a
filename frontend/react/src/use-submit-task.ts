import type { SubmitTask, Task } from "@darkroom/client";
import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { applyTask } from "./live-cache.ts";
import { useDarkroom } from "./provider.tsx";

/**
 * Ask for something to be generated. The task is at once among those of `useTaskRecovery`. Over
 * failures of the network it is sent again with the same idempotency key: one task, never two.
 *
 * @example
 * const submit = useSubmitTask();
 * <button onClick={() => submit.mutate({ type: "CREATE", prompt })} disabled={submit.isPending} />
 */
export function useSubmitTask(): UseMutationResult<Task, Error, SubmitTask> {
  const { client, known } = useDarkroom();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (request: SubmitTask) => client.submit(request),
    onSuccess: (task) => applyTask(queryClient, known, task),
  });
}
