import type { PromptTask } from "@darkroom/client";
import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import { queryKeys } from "./keys.ts";
import { isOptimistic } from "./optimistic-row.ts";
import { nextPollMs } from "./polling.ts";
import { useDarkroom } from "./provider.tsx";

const POLL_MS = 3000;

/**
 * The tasks of a prompt. Asked for every 3 s while one of them is `PENDING`, and not after.
 *
 * @example
 * const { data: tasks, isLoading, error } = useGenerationTasks(promptId);
 * if (isLoading) return <p>Loading …</p>;
 * if (error) return <p role="alert">{error.message}</p>;
 * return tasks.map((task) => <p key={task.id}>{task.model}: {task.status}</p>);
 */
export function useGenerationTasks(promptId: string): UseQueryResult<PromptTask[]> {
  const { client } = useDarkroom();
  const queryClient = useQueryClient();
  const queryKey = queryKeys.generationTasks.byPrompt(promptId);
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const tasks = await client.promptTasks(promptId, { signal, retries: 0 });
      // The gateway does not know yet what is just being created.
      const rows = queryClient.getQueryData<PromptTask[]>(queryKey) ?? [];
      return [...rows.filter(isOptimistic), ...tasks];
    },
    refetchInterval: ({ state }) => nextPollMs(state, isAnyPending, POLL_MS),
    retry: false,
  });
}

function isAnyPending(tasks: readonly PromptTask[]): boolean {
  return tasks.some((task) => task.status === "PENDING");
}
