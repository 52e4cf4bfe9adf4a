import { newer } from "@darkroom/client";
import { queryKeys, type TaskHistoryFilter, useConnection, useTaskHistory } from "@darkroom/react";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Task } from "../tasks/task.ts";

const POLL_MS = 4000;
const POLL_LIVE_MS = 12_000;

/**
 * The history, kept fresh: what begins and ends comes in without a reload. The stream may tell of
 * an end before the history has it; of each task the later state is shown.
 */
export function useFreshHistory(filter: TaskHistoryFilter): {
  pages: ReturnType<typeof useTaskHistory>;
  tasks: readonly Task[];
} {
  const pages = useTaskHistory(filter);
  const connection = useConnection();
  const queryClient = useQueryClient();
  useEffect(() => {
    const refresh = () =>
      void queryClient.invalidateQueries({ queryKey: queryKeys.tasks.histories });
    const timer = setInterval(refresh, connection === "live" ? POLL_LIVE_MS : POLL_MS);
    return () => clearInterval(timer);
  }, [connection, queryClient]);
  const told = (task: Task) =>
    newer(queryClient.getQueryData<Task>(queryKeys.tasks.detail(task.task_id)), task);
  return { pages, tasks: (pages.data ?? []).map(told) };
}
