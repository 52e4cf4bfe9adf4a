import type { HistoryFilter, Task } from "@darkroom/client";
import {
  type InfiniteData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
} from "@tanstack/react-query";
import { queryKeys } from "./keys.ts";
import { useDarkroom } from "./provider.tsx";

/** Which tasks, and how many at once. */
export type TaskHistoryFilter = Omit<HistoryFilter, "cursor">;

/**
 * The history, newest first, page after page. It is asked for anew when a task ends.
 *
 * @example
 * const { data: tasks, fetchNextPage, hasNextPage } = useTaskHistory({ status: "completed" });
 */
export function useTaskHistory(filter: TaskHistoryFilter = {}): UseInfiniteQueryResult<Task[]> {
  const { client } = useDarkroom();
  return useInfiniteQuery({
    queryKey: queryKeys.tasks.history(filter),
    queryFn: ({ pageParam, signal }) => client.list({ ...filter, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: tasksOf,
    retry: false,
  });
}

function tasksOf({ pages }: InfiniteData<{ readonly tasks: Task[] }>): Task[] {
  return pages.flatMap((page) => page.tasks);
}
