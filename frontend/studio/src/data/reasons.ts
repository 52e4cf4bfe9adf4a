import { queryKeys } from "@darkroom/react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Reason } from "../tasks/notes.ts";
import { phaseOf, type Task } from "../tasks/task.ts";
import { useClient } from "./studio.tsx";

const EVERY_MS = 4000;

/**
 * Why tasks wait, by their ids, while any does. It changes without the task, so no message of a
 * stream tells it: it is asked for.
 */
export function useReasons(type: string, tasks: readonly Task[]): ReadonlyMap<string, Reason> {
  const client = useClient();
  const waits = tasks.some((task) => phaseOf(task) === "waiting");
  const { data } = useQuery({
    queryKey: [...queryKeys.tasks.all, "reasons", type],
    queryFn: ({ signal }) => client.processing(type, { signal, retries: 0 }),
    refetchInterval: EVERY_MS,
    enabled: waits,
    retry: false,
  });
  return useMemo(
    () =>
      new Map(
        (waits ? (data ?? []) : []).flatMap(({ task_id, waiting_for }) =>
          waiting_for === null ? [] : [[task_id, waiting_for]],
        ),
      ),
    [data, waits],
  );
}
