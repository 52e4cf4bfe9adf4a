import { isTerminal, newer, type Task, type TaskUpdate } from "@darkroom/client";
import type { QueryClient } from "@tanstack/react-query";
import { queryKeys } from "./keys.ts";
import type { KnownTasks } from "./known-tasks.ts";
import type { FeedConnection } from "./live-feed.ts";
import { placed, type Recovered, withoutTask, withPlace, withTask } from "./recovered.ts";
import { refreshHistories } from "./refresh-histories.ts";

/** What the stream tells, put where the hooks look. */
export function applyUpdate(queryClient: QueryClient, known: KnownTasks, update: TaskUpdate): void {
  switch (update.event) {
    case "task":
      applyTask(queryClient, known, update.task);
      break;
    case "position":
      queryClient.setQueryData<Task>(
        queryKeys.tasks.detail(update.task_id),
        (task) => task && placed(task, update),
      );
      everyRecovery(queryClient, (recovered) => withPlace(recovered, update));
      break;
    case "erased":
      queryClient.removeQueries({ queryKey: queryKeys.tasks.detail(update.task_id) });
      everyRecovery(queryClient, (recovered) => withoutTask(recovered, update.task_id));
      refreshHistories(queryClient);
      break;
    case "reset":
      void queryClient.invalidateQueries({ queryKey: queryKeys.tasks.all });
  }
}

/** A task as somebody told it, wherever it is shown. */
export function applyTask(queryClient: QueryClient, known: KnownTasks, task: Task): void {
  const queryKey = queryKeys.tasks.detail(task.task_id);
  const isLate = newer(queryClient.getQueryData<Task>(queryKey), task) !== task;
  queryClient.setQueryData<Task>(queryKey, (old) => newer(old, task));
  queryClient.setQueryData<Recovered>(
    queryKeys.tasks.recovery(task.type),
    (recovered) => recovered && withTask(recovered, task),
  );
  if (!isTerminal(task)) {
    // Its end may have been told, and would be told again at the next visit.
    if (!isLate) known.add(task.type, [task.task_id]);
    return;
  }
  refreshHistories(queryClient);
  if (task.prompt_id !== null) {
    const queryKey = queryKeys.generationTasks.byPrompt(task.prompt_id);
    void queryClient.invalidateQueries({ queryKey });
  }
}

/** A stream that has just begun knows what is live, and not what ended before it. */
export function applyConnection(queryClient: QueryClient, connection: FeedConnection): void {
  if (connection === "live") {
    void queryClient.invalidateQueries({ queryKey: queryKeys.tasks.recoveries });
  }
}

function everyRecovery(
  queryClient: QueryClient,
  change: (recovered: Recovered) => Recovered,
): void {
  queryClient.setQueriesData<Recovered>(
    { queryKey: queryKeys.tasks.recoveries },
    (recovered) => recovered && change(recovered),
  );
}
