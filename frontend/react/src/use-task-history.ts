import { type HistoryFilter, newer, type Task } from "@darkroom/client";
import {
  type InfiniteData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { queryKeys } from "./keys.ts";
import { useDarkroom } from "./provider.tsx";

/** Which tasks, and how many at once. */
export type TaskHistoryFilter = Omit<HistoryFilter, "cursor">;

/**
 * The history, newest first, page after page. It is asked for anew when a task ends. Of a task that
 * was told of meanwhile the later state is shown.
 *
 * @example
 * const { data: tasks, fetchNextPage, hasNextPage } = useTaskHistory({ status: "completed" });
 */
export function useTaskHistory(filter: TaskHistoryFilter = {}): UseInfiniteQueryResult<Task[]> {
  const { client } = useDarkroom();
  const queryClient = useQueryClient();
  const latest = (task: Task) =>
    newer(queryClient.getQueryData<Task>(queryKeys.tasks.detail(task.task_id)), task);
  return useInfiniteQuery({
    queryKey: queryKeys.tasks.history(filter),
    queryFn: async ({ pageParam, signal }) => {
      const page = await client.list({ ...filter, cursor: pageParam }, { signal });
      const tasks = page.tasks.map(latest);
      const { status } = filter;
      return { ...page, tasks: tasks.filter((task) => !status || task.status === status) };
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: tasksOf,
    retry: false,
  });
}

function tasksOf({ pages }: InfiniteData<{ readonly tasks: Task[] }>): Task[] {
  return pages.flatMap((page) => page.tasks);
}
