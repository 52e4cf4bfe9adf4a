import { queryKeys } from "@darkroom/react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { isOnHold, ON_HOLD, type Reason } from "../tasks/notes.ts";
import { isLive, phaseOf, type Task } from "../tasks/task.ts";
import { useClient } from "./studio.tsx";

const EVERY_MS = 4000;
const SELDOM_MS = 20_000;

/**
 * Why tasks stand still, by their ids, while any is live. It changes without the task, so no
 * message of a stream tells it: it is asked for, seldom while none waits.
 */
export function useReasons(type: string, tasks: readonly Task[]): ReadonlyMap<string, Reason> {
  const client = useClient();
  const live = tasks.some(isLive);
  const waits = tasks.some((task) => phaseOf(task) === "waiting" || isOnHold(task));
  const { data } = useQuery({
    queryKey: [...queryKeys.tasks.all, "reasons", type],
    queryFn: ({ signal }) => client.processing(type, { signal, retries: 0 }),
    refetchInterval: waits ? EVERY_MS : SELDOM_MS,
    enabled: live,
    retry: false,
  });
  return useMemo(
    () =>
      new Map(
        (live ? (data ?? []) : []).flatMap((task): [string, Reason][] => {
          const reason = isOnHold(task) ? ON_HOLD : task.waiting_for;
          return reason === null ? [] : [[task.task_id, reason]];
        }),
      ),
    [data, live],
  );
}
