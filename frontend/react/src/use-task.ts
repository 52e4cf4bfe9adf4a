import { isTerminal, type Task } from "@darkroom/client";
import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import { queryKeys } from "./keys.ts";
import { nextPollMs } from "./polling.ts";
import { useDarkroom } from "./provider.tsx";
import { latest } from "./recovered.ts";
import { useLive } from "./use-live.ts";

export interface TaskOptions {
  /** Be told by the event stream, and poll only without it. By default as the provider says. */
  readonly live?: boolean | undefined;
  /** Between polls; 2,000. */
  readonly pollMs?: number | undefined;
}

/**
 * One task, followed until it ends; then nothing is asked any more. `null` asks for nothing.
 *
 * @example
 * const { data: task } = useTask(taskId);
 * return task?.status === "completed" ? <img src={task.image_url} alt={task.prompt} /> : <Spinner />;
 */
export function useTask(
  taskId: string | null,
  { live, pollMs = 2000 }: TaskOptions = {},
): UseQueryResult<Task> {
  const { client } = useDarkroom();
  const queryClient = useQueryClient();
  const connection = useLive(live);
  const queryKey = queryKeys.tasks.detail(taskId ?? "");
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const known = () => queryClient.getQueryData<Task>(queryKey);
      const before = known();
      const task = await client.get(taskId ?? "", { signal, retries: 0 });
      return latest(before, known(), task);
    },
    // A place from another page is out of date, whatever the page says of its other queries.
    staleTime: 0,
    enabled: taskId !== null,
    refetchInterval: ({ state }) => nextPollMs(state, goesOn, pollMs, connection),
    refetchIntervalInBackground: true,
    retry: false,
  });
}

function goesOn(task: Task): boolean {
  return !isTerminal(task);
}
