import { queryKeys, type TaskHistoryFilter, useConnection, useTaskHistory } from "@darkroom/react";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Task } from "../tasks/task.ts";

const POLL_MS = 4000;
const POLL_LIVE_MS = 12_000;

/** The history, kept fresh: what begins and ends comes in without a reload. */
export function useFreshHistory(filter: TaskHistoryFilter): {
  pages: ReturnType<typeof useTaskHistory>;
  tasks: readonly Task[];
} {
  const pages = useTaskHistory(filter);
  const connection = useConnection();
  const queryClient = useQueryClient();
  useEffect(() => {
    const queryKey = queryKeys.tasks.histories;
    // A long list takes longer than this; begun anew each time, it would never be there.
    const refresh = () =>
      void queryClient.invalidateQueries({ queryKey }, { cancelRefetch: false });
    const timer = setInterval(refresh, connection === "live" ? POLL_LIVE_MS : POLL_MS);
    return () => clearInterval(timer);
  }, [connection, queryClient]);
  return { pages, tasks: pages.data ?? [] };
}
