import { type Client, ProblemError, type Task } from "@darkroom/client";
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { queryKeys } from "./keys.ts";
import type { KnownTasks } from "./known-tasks.ts";
import { applyTask } from "./live-cache.ts";
import type { FeedConnection } from "./live-feed.ts";
import { nextPollMs } from "./polling.ts";
import { useDarkroom } from "./provider.tsx";
import { afterLook, missing, NOTHING, type Recovered } from "./recovered.ts";
import { useLive } from "./use-live.ts";

export interface TaskRecoveryOptions {
  /** A task of the type has its picture; also one that ended while no page showed it. */
  readonly onCompleted?: ((task: Task) => void) | undefined;
  /** A task of the type has failed, with `task.error_msg`; also while no page showed it. */
  readonly onFailed?: ((task: Task) => void) | undefined;
  readonly onCancelled?: ((task: Task) => void) | undefined;
  /** Be told by the event stream, and poll only without it. By default as the provider says. */
  readonly live?: boolean | undefined;
  /** Between polls; 2,000. */
  readonly pollMs?: number | undefined;
}

export interface TaskRecovery {
  /** What goes on, oldest first, with prompt and reference images. */
  readonly tasks: readonly Task[];
  /** What ended since the page was last shown, first ended first. */
  readonly ended: readonly Task[];
  /** Whether nothing is known yet. */
  readonly isLoading: boolean;
  /** Why the last look failed; what is shown may be out of date. */
  readonly error: Error | null;
  readonly connection: FeedConnection;
}

/**
 * The tasks of a type, found again whenever a page is shown: after a reload, from another page,
 * in another tab. It asks when it is mounted, then every 2 s for as long as something goes on.
 *
 * @example
 * const { tasks, ended } = useTaskRecovery("CREATE", {
 *   onCompleted: (task) => toast(`Your picture of ${task.prompt} is there.`),
 *   onFailed: (task) => toast.error(task.error_msg),
 * });
 * return [...tasks, ...ended].map((task) => <TaskCard key={task.task_id} task={task} />);
 */
export function useTaskRecovery(type: string, options: TaskRecoveryOptions = {}): TaskRecovery {
  const { live, pollMs = 2000 } = options;
  const { client, known } = useDarkroom();
  const queryClient = useQueryClient();
  const connection = useLive(live);
  const queryKey = queryKeys.tasks.recovery(type);
  const { data, error, isLoading } = useQuery({
    queryKey,
    queryFn: ({ signal }) => look(client, queryClient, known, type, signal),
    refetchInterval: ({ state }) => nextPollMs(state, goesOn, pollMs, connection),
    // Who waits in another tab wants to be told there.
    refetchIntervalInBackground: true,
    refetchOnMount: "always",
    staleTime: 0,
    retry: false,
  });

  // What an earlier visit was told belongs to the history.
  const [visit, setVisit] = useState(() => visitOf(type));
  if (visit.type !== type) setVisit(visitOf(type));
  function visitOf(shown: string) {
    const before = queryClient.getQueryData<Recovered>(queryKeys.tasks.recovery(shown)) ?? NOTHING;
    const untold = known.list(shown);
    const told = before.ended.filter((task) => !untold.includes(task.task_id));
    return { type: shown, told: new Set(told.map((task) => task.task_id)) };
  }

  const callbacks = useRef(options);
  useEffect(() => {
    callbacks.current = options;
  });
  const announced = useRef(new Set<string>());
  const { tasks, ended } = data ?? NOTHING;
  useEffect(() => {
    for (const task of ended) {
      if (visit.told.has(task.task_id) || announced.current.has(task.task_id)) continue;
      announced.current.add(task.task_id);
      known.remove(visit.type, task.task_id);
      announce(task, callbacks.current);
    }
  }, [ended, visit, known]);

  const shown = ended.filter((task) => !visit.told.has(task.task_id));
  return { tasks, ended: shown, isLoading, error, connection };
}

function announce(task: Task, options: TaskRecoveryOptions): void {
  if (task.status === "completed") options.onCompleted?.(task);
  else if (task.status === "failed") options.onFailed?.(task);
  else options.onCancelled?.(task);
}

function goesOn({ tasks }: Recovered): boolean {
  return tasks.length > 0;
}

/** Ask for what goes on; and for each task that was known to go on and does not, how it ended. */
async function look(
  client: Client,
  queryClient: QueryClient,
  known: KnownTasks,
  type: string,
  signal: AbortSignal,
): Promise<Recovered> {
  // A failed look is followed by the next one anyway.
  const call = { signal, retries: 0 };
  const current = () =>
    queryClient.getQueryData<Recovered>(queryKeys.tasks.recovery(type)) ?? NOTHING;
  const began = current();
  const found = await client.processing(type, call);
  known.add(
    type,
    found.map((task) => task.task_id),
  );
  const gone = missing(known.list(type), current(), found);
  const ends = await Promise.all(gone.map((taskId) => end(client, known, type, taskId, call)));
  const told = ends.filter((task) => task !== null);
  for (const task of told) applyTask(queryClient, known, task);
  // What was told meanwhile stays: of each task the newer state counts.
  return afterLook(current(), began, [...found, ...told]);
}

async function end(
  client: Client,
  known: KnownTasks,
  type: string,
  taskId: string,
  call: { signal: AbortSignal; retries: number },
): Promise<Task | null> {
  try {
    return await client.get(taskId, call);
  } catch (error) {
    if (!(error instanceof ProblemError && error.code === "task_not_found")) throw error;
    known.remove(type, taskId);
    return null;
  }
}
