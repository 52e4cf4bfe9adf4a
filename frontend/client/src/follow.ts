import { backoffMs, pause } from "./backoff.ts";
import { isPassing, ProblemError } from "./errors.ts";
import type { Wire } from "./http.ts";
import type { SseMessage } from "./sse.ts";
import { connection, HeldBack, type Place, Unstreamable } from "./stream.ts";
import { isTerminal } from "./tasks.ts";
import type { Task } from "./types.ts";

/** What a follower is told. */
export type TaskUpdate =
  /** The whole task, as it is now. */
  | { readonly event: "task"; readonly task: Task }
  /** A waiting task has moved in its line. */
  | ({ readonly event: "position" } & QueuePosition)
  /** The cursor was older than the log: what follows is a snapshot. What ended is told as well. */
  | { readonly event: "reset" }
  /** The task and all of its data are gone. */
  | { readonly event: "erased"; readonly task_id: string };

/** Where a waiting task is in its line. */
export type QueuePosition = Pick<Task, "task_id" | "queue_position" | "eta_seconds">;

/** `live`: by stream. `polling`: streams can't be had. `offline`: neither, just now. */
export type Connection = "live" | "polling" | "offline";

export interface FollowOptions {
  /** Aborting it ends the iteration. */
  readonly signal?: AbortSignal | undefined;
  /** Go on after this sequence, without a snapshot. */
  readonly after?: number | undefined;
  /** Told when the way changes on which news come. */
  readonly onConnection?: ((connection: Connection) => void) | undefined;
  /** `false` to reject, or go on trying, where polling would take over. */
  readonly poll?: boolean | undefined;
}

/** One task, or all of a type, or all. */
export type Followed =
  | { readonly taskId: string }
  | { readonly taskId?: undefined; readonly type: string | undefined };

const POLL_MS = 2000;
const HOLD_S = 20;
/** So many connections in a row that bring nothing, and polling takes over … */
const POLL_AFTER = 3;
/** … for so long; then a stream is tried again. */
const POLL_FOR_MS = 30_000;

/** Everything that happens to what is followed, without gap or repeat, over any number of cuts. */
export async function* follow(
  wire: Wire,
  what: Followed,
  options: FollowOptions,
): AsyncGenerator<TaskUpdate, void, undefined> {
  const follower = new Follower(wire, what, options);
  try {
    yield* follower.updates();
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  }
}

class Follower {
  readonly #wire: Wire;
  readonly #what: Followed;
  readonly #options: FollowOptions;
  readonly #place: Place;
  /** The tasks that have not ended, as they were last told. */
  readonly #live = new Map<string, Task>();
  /** Ends that polling told and the stream has not passed yet. */
  readonly #ended = new Map<string, number>();
  /** In a row. */
  #failedPolls = 0;
  #connection: Connection | undefined;

  constructor(wire: Wire, what: Followed, options: FollowOptions) {
    this.#wire = wire;
    this.#what = what;
    this.#options = options;
    this.#place = {
      cursor: options.after === undefined ? "" : String(options.after),
      retryMs: undefined,
      heard: false,
      ended: false,
    };
  }

  async *updates(): AsyncGenerator<TaskUpdate, void, undefined> {
    const { signal, poll = true } = this.#options;
    let streams = true;
    for (let failures = 0; ; ) {
      signal?.throwIfAborted();
      let fault: unknown;
      try {
        if (yield* this.#streamed()) return;
      } catch (error) {
        streams = !(error instanceof Unstreamable);
        if ((streams || !poll) && !isPassing(error)) throw error;
        fault = error;
      }
      failures = this.#place.heard ? 1 : failures + 1;
      const isHopeless = !streams || fault instanceof HeldBack || failures >= POLL_AFTER;
      if (poll && isHopeless) {
        if (yield* this.#polled(streams ? Date.now() + POLL_FOR_MS : Number.POSITIVE_INFINITY)) {
          return;
        }
      } else {
        if (fault !== undefined) this.#tell("offline");
        await pause(backoffMs(failures, Math.random(), this.#place.retryMs), signal);
      }
    }
  }

  /** One connection's worth; true when nothing more will come. */
  async *#streamed(): AsyncGenerator<TaskUpdate, boolean, undefined> {
    const { taskId } = this.#what;
    const path = taskId === undefined ? "/events" : `${pathOf(taskId)}/events`;
    const query = this.#what.taskId === undefined ? { type: this.#what.type } : {};
    const place = this.#place;
    for await (const message of connection(this.#wire, path, query, place, this.#options.signal)) {
      if (message === "open") this.#tell("live");
      const update = message === "open" ? undefined : updateOf(message);
      if (update !== undefined && this.#isNews(update)) {
        yield update;
        if (taskId !== undefined && isEnd(update)) return true;
      }
      if (update?.event === "task") this.#passed(update.task.sequence);
      // A snapshot has what is live; what ended since is asked for.
      const snapshot = message === "open" ? place.cursor === "" : update?.event === "reset";
      if (snapshot && taskId === undefined && this.#live.size > 0) yield* this.#look();
    }
    return place.ended;
  }

  /** Ask again and again, until then; true when nothing more will come. */
  async *#polled(until: number): AsyncGenerator<TaskUpdate, boolean, undefined> {
    const { taskId } = this.#what;
    while (Date.now() < until) {
      try {
        for await (const update of taskId === undefined ? this.#look() : this.#ask(taskId)) {
          yield update;
          if (taskId !== undefined && isEnd(update)) return true;
        }
        this.#tell("polling");
        this.#failedPolls = 0;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#tell("offline");
        this.#failedPolls += 1;
      }
      const failed = this.#failedPolls;
      const waitMs = failed > 0 ? backoffMs(failed, Math.random()) : POLL_MS;
      await pause(waitMs, this.#options.signal);
    }
    return false;
  }

  /** What is new of all, by one look at those in progress and one at each that is so no more. */
  async *#look(): AsyncGenerator<TaskUpdate, void, undefined> {
    const { signal } = this.#options;
    const type = this.#what.taskId === undefined ? this.#what.type : undefined;
    const ask = { query: { type }, signal };
    const { tasks } = await this.#wire.json<{ tasks: Task[] }>("/tasks/processing", ask);
    const found = new Set(tasks.map((task) => task.task_id));
    const gone = [...this.#live.keys()].filter((taskId) => !found.has(taskId));
    for (const task of tasks) yield* this.#told(task);
    for (const taskId of gone) yield* this.#ask(taskId, false);
  }

  /** What is new of one task; the answer is held back until there is something. */
  async *#ask(taskId: string, hold = true): AsyncGenerator<TaskUpdate, void, undefined> {
    const { signal } = this.#options;
    const known = this.#live.get(taskId);
    // A place in the line moves without an event, so a waiting task is asked for as it is.
    const held = hold && known !== undefined && !known.queue_position;
    const query = held ? { wait: HOLD_S, after: known.sequence } : {};
    const holdMs = held ? HOLD_S * 1000 : 0;
    try {
      yield* this.#told(await this.#wire.json<Task>(pathOf(taskId), { query, signal, holdMs }));
    } catch (error) {
      const erased = error instanceof ProblemError && error.code === "task_not_found" && known;
      if (!erased) throw error;
      this.#live.delete(taskId);
      yield { event: "erased", task_id: taskId };
    }
  }

  /** A task as polling found it, if that is news. */
  *#told(task: Task): Generator<TaskUpdate, void, undefined> {
    const update = { event: "task", task } as const;
    if (this.#isNews(update)) {
      if (isTerminal(task)) this.#ended.set(task.task_id, task.sequence);
      yield update;
    }
  }

  /** Whether this has not been told before; what is now known of its task is kept. */
  #isNews(update: TaskUpdate): boolean {
    if (update.event === "reset") return true;
    if (update.event === "erased") {
      this.#live.delete(update.task_id);
      return true;
    }
    if (update.event === "position") {
      const known = this.#live.get(update.task_id);
      if (known !== undefined) this.#live.set(known.task_id, { ...known, ...placeOf(update) });
      return true;
    }
    const { task } = update;
    const known = this.#live.get(task.task_id);
    const sequence = known?.sequence ?? this.#ended.get(task.task_id) ?? -1;
    const moved =
      known !== undefined &&
      (known.queue_position !== task.queue_position || isParked(known) !== isParked(task));
    if (task.sequence < sequence || (task.sequence === sequence && !moved)) return false;
    if (isTerminal(task)) this.#live.delete(task.task_id);
    else this.#live.set(task.task_id, task);
    return true;
  }

  /** The stream is here: ends before it will not be told again. */
  #passed(sequence: number): void {
    for (const [taskId, end] of this.#ended) if (end <= sequence) this.#ended.delete(taskId);
  }

  #tell(connection: Connection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#options.onConnection?.(connection);
  }
}

/** Whether it waits behind an event that could not be applied: its sequence stays meanwhile. */
function isParked({ metadata }: Task): boolean {
  return metadata.parked !== undefined;
}

/** What a message of the stream tells; nothing where a newer gateway tells what is unknown here. */
function updateOf({ event, data }: SseMessage): TaskUpdate | undefined {
  switch (event) {
    case "task":
      return { event, task: JSON.parse(data) as Task };
    case "position":
      return { event, ...(JSON.parse(data) as QueuePosition) };
    case "reset":
      return { event };
    case "erased":
      return { event, task_id: (JSON.parse(data) as { task_id: string }).task_id };
    default:
      return undefined;
  }
}

function placeOf({ queue_position, eta_seconds }: QueuePosition) {
  return { queue_position, eta_seconds };
}

function isEnd(update: TaskUpdate): boolean {
  return update.event === "erased" || (update.event === "task" && isTerminal(update.task));
}

export function pathOf(taskId: string): string {
  return `/tasks/${encodeURIComponent(taskId)}`;
}
