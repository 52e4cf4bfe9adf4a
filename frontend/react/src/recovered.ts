import { isTerminal, newer, type QueuePosition, type Task } from "@darkroom/client";
import { byCreation } from "./queue-position.ts";

/** The tasks of one type: what goes on, oldest first, and what ended while it was known here. */
export interface Recovered {
  readonly tasks: readonly Task[];
  readonly ended: readonly Task[];
}

export const NOTHING: Recovered = { tasks: [], ended: [] };

/** With a task as it was told; what is older than what is known changes nothing. */
export function withTask(recovered: Recovered, told: Task): Recovered {
  const { tasks, ended } = recovered;
  const has = (each: Task) => each.task_id === told.task_id;
  const others = (list: readonly Task[]) => list.filter((each) => !has(each));
  const end = ended.find(has);
  if (end !== undefined) {
    return {
      tasks: others(tasks),
      ended: ended.map((each) => (has(each) ? newer(each, told) : each)),
    };
  }
  const task = newer(tasks.find(has), told);
  if (isTerminal(task)) return { tasks: others(tasks), ended: [...ended, task] };
  return { tasks: [...others(tasks), task].sort(byCreation), ended };
}

/** With the place of a waiting task. */
export function withPlace(recovered: Recovered, place: QueuePosition): Recovered {
  const tasks = recovered.tasks.map((task) => placed(task, place));
  return { ...recovered, tasks };
}

/** A task with its place, if it is of this task. */
export function placed(task: Task, { task_id, queue_position, eta_seconds }: QueuePosition): Task {
  return task.task_id === task_id ? { ...task, queue_position, eta_seconds } : task;
}

/** Without a task that is gone. */
export function withoutTask({ tasks, ended }: Recovered, taskId: string): Recovered {
  const stays = (task: Task) => task.task_id !== taskId;
  return { tasks: tasks.filter(stays), ended: ended.filter(stays) };
}

/**
 * A task as the gateway answered, or as it was told since it was asked for. A place moves without
 * the sequence: where the sequences are equal, what was told meanwhile is the later one.
 */
export function latest(before: Task | undefined, known: Task | undefined, answer: Task): Task {
  const wasTold = known !== undefined && known !== before;
  return wasTold && known.sequence === answer.sequence ? known : newer(known, answer);
}

/**
 * What is known after a look: the tasks that the gateway gave, the others that were asked for one
 * by one, what was told since the look `began`, and of each the newer state.
 */
export function afterLook(known: Recovered, began: Recovered, found: readonly Task[]): Recovered {
  const given = new Set(found.map((task) => task.task_id));
  const before = new Map(began.tasks.map((task) => [task.task_id, task]));
  const now = new Map(known.tasks.map((task) => [task.task_id, task]));
  const tasks = known.tasks.filter(({ task_id }) => given.has(task_id) || !before.has(task_id));
  return found
    .map((task) => latest(before.get(task.task_id), now.get(task.task_id), task))
    .reduce(withTask, { ...known, tasks });
}

/** The ids that are known to be in progress, and are not among those that the gateway gave. */
export function missing(
  known: readonly string[],
  recovered: Recovered,
  found: readonly Task[],
): string[] {
  const told = new Set([...found, ...recovered.ended].map((task) => task.task_id));
  const waitedFor = [...known, ...recovered.tasks.map((task) => task.task_id)];
  return [...new Set(waitedFor)].filter((taskId) => !told.has(taskId));
}
