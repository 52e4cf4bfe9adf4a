import { ProblemError } from "./errors.ts";
import { type Connection, type FollowOptions, follow, pathOf, type TaskUpdate } from "./follow.ts";
import { type CallOptions, type ClientOptions, Wire } from "./http.ts";
import { newKey } from "./key.ts";
import { isTerminal } from "./tasks.ts";
import type {
  GenerationTypeOffer,
  PromptTask,
  Session,
  SubmitTask,
  Task,
  TaskEvent,
  TaskPage,
  TaskStatus,
  Token,
  Upload,
} from "./types.ts";
import { type UploadOptions, upload } from "./upload.ts";

export type { Connection, TaskUpdate };

export interface SubmitOptions extends CallOptions {
  /** By default a new one for each call; give your own to make the same call again after a reload. */
  readonly idempotencyKey?: string;
  /** Answer when the task has ended, or after so many seconds (at most 60). */
  readonly waitS?: number;
}

/** Which part of the history is wanted. */
export interface HistoryFilter {
  readonly type?: string | undefined;
  readonly status?: TaskStatus | undefined;
  readonly promptId?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** What the gateway can be asked for. Every call rejects with a {@link DarkroomError}. */
export interface Client {
  /** Ask for something to be generated. Repeated over network failures with one key: one task. */
  submit(request: SubmitTask, options?: SubmitOptions): Promise<Task>;
  /** A task as it is now. */
  get(taskId: string, options?: CallOptions): Promise<Task>;
  /** The task when it has ended, however long that takes. */
  wait(taskId: string, options?: CallOptions): Promise<Task>;
  /** The history, newest first, in pages. */
  list(filter?: HistoryFilter, options?: CallOptions): Promise<TaskPage>;
  /** Recovery: every task that has not ended, oldest first; of one type, or of all. */
  processing(type?: string, options?: CallOptions): Promise<Task[]>;
  /** The tasks of one prompt, in camelCase. */
  promptTasks(promptId: string, options?: CallOptions): Promise<PromptTask[]>;
  /** Stop a task. Rejects with `already_finished` where something else ended it before. */
  cancel(taskId: string, options?: CallOptions): Promise<Task>;
  /** Ask for the same once more, as a new task. */
  retry(taskId: string, options?: SubmitOptions): Promise<Task>;
  /** Merge into the metadata (RFC 7396): objects merge, `null` removes. */
  patchMetadata(taskId: string, patch: object, options?: CallOptions): Promise<Task>;
  /** Erase a task with its prompt, references and pictures. */
  erase(taskId: string, options?: CallOptions): Promise<void>;
  /** A task's events, in order. */
  events(taskId: string, options?: CallOptions): Promise<TaskEvent[]>;
  /** Keep a file, to be named in `reference_images`. */
  upload(file: Blob, options?: UploadOptions): Promise<Upload>;
  /** The photo of a `PHOTO_TO_3D` task that was asked for without one: it is `uploaded` then. */
  putPhoto(taskId: string, file: Blob, options?: UploadOptions): Promise<Task>;
  /** What can be asked for here, and who serves it. */
  generationTypes(options?: CallOptions): Promise<GenerationTypeOffer[]>;
  /** Exchange a key for a cookie of this origin, with which `EventSource` and `<img>` work, too. */
  beginSession(apiKey: string, options?: CallOptions): Promise<Session>;
  /** Take the cookie back. */
  endSession(options?: CallOptions): Promise<void>;
  /** For `?token=` on reads and `/ws`, as of an `<img>` on another origin; good for ten minutes. */
  createToken(options?: CallOptions): Promise<Token>;
  /** A task until its end: by stream, or by polling where there is none. */
  follow(taskId: string, options?: FollowOptions): AsyncGenerator<TaskUpdate, void, undefined>;
  /** All of one's tasks, or those of a type: what is live, then what happens. */
  followAll(
    options?: FollowOptions & { readonly type?: string | undefined },
  ): AsyncGenerator<TaskUpdate, void, undefined>;
}

const HOLD_S = 20;

/**
 * The way to a Darkroom gateway.
 *
 * @example
 * const client = createClient({ baseUrl: "http://127.0.0.1:8400" });
 * const { task_id } = await client.submit({ type: "CREATE", prompt: "a red bicycle" });
 * for await (const update of client.follow(task_id)) {
 *   if (update.event === "task") console.log(update.task.stage, update.task.progress);
 * }
 */
export function createClient(options: ClientOptions = {}): Client {
  const wire = new Wire(options);

  async function get(taskId: string, call: CallOptions = {}): Promise<Task> {
    return wire.json(pathOf(taskId), call);
  }

  return {
    get,

    async submit(request, { idempotencyKey = newKey(), waitS, ...call } = {}) {
      const headers = {
        ...JSON_BODY,
        "Idempotency-Key": idempotencyKey,
        ...(waitS === undefined ? {} : { Prefer: `wait=${waitS}` }),
      };
      const body = JSON.stringify(request);
      const holdMs = (waitS ?? 0) * 1000;
      return wire.json("/tasks", { ...call, method: "POST", headers, body, holdMs });
    },

    async wait(taskId, call = {}) {
      let task = await get(taskId, call);
      while (!isTerminal(task)) {
        const query = { wait: HOLD_S, after: task.sequence };
        task = await wire.json(pathOf(taskId), { ...call, query, holdMs: HOLD_S * 1000 });
      }
      return task;
    },

    async list({ promptId, ...filter } = {}, call = {}) {
      return wire.json("/tasks", { ...call, query: { ...filter, prompt_id: promptId } });
    },

    async processing(type, call = {}) {
      const ask = { ...call, query: { type } };
      return (await wire.json<{ tasks: Task[] }>("/tasks/processing", ask)).tasks;
    },

    async promptTasks(promptId, call = {}) {
      return wire.json("/api/generation/tasks", { ...call, query: { promptId } });
    },

    async cancel(taskId, call = {}) {
      try {
        return await wire.json(`${pathOf(taskId)}/cancel`, { ...call, method: "POST" });
      } catch (error) {
        if (!(error instanceof ProblemError && error.code === "already_finished")) throw error;
        // The answer to a cancel that won may have been lost, and this is the one to its repeat.
        const task = await get(taskId, call);
        if (task.status === "cancelled") return task;
        throw error;
      }
    },

    async retry(taskId, { idempotencyKey = newKey(), waitS, ...call } = {}) {
      const headers = {
        "Idempotency-Key": idempotencyKey,
        ...(waitS === undefined ? {} : { Prefer: `wait=${waitS}` }),
      };
      const holdMs = (waitS ?? 0) * 1000;
      return wire.json(`${pathOf(taskId)}/retry`, { ...call, method: "POST", headers, holdMs });
    },

    async patchMetadata(taskId, patch, call = {}) {
      const headers = { "Content-Type": "application/merge-patch+json" };
      const body = JSON.stringify(patch);
      return wire.json(`${pathOf(taskId)}/metadata`, { ...call, method: "PATCH", headers, body });
    },

    async erase(taskId, call = {}) {
      await wire.json(pathOf(taskId), { ...call, method: "DELETE" });
    },

    async events(taskId, call = {}) {
      const path = `${pathOf(taskId)}/events`;
      return (await wire.json<{ events: TaskEvent[] }>(path, call)).events;
    },

    async upload(file, how = {}) {
      return upload(wire, { method: "POST", path: "/uploads" }, file, how);
    },

    async putPhoto(taskId, file, how = {}) {
      return upload(wire, { method: "PUT", path: `${pathOf(taskId)}/photo` }, file, how);
    },

    async generationTypes(call = {}) {
      return (await wire.json<{ types: GenerationTypeOffer[] }>("/generation-types", call)).types;
    },

    async beginSession(apiKey, call = {}) {
      const headers = { Authorization: `Bearer ${apiKey}` };
      return wire.json("/session", { ...call, method: "POST", headers });
    },

    async endSession(call = {}) {
      await wire.json("/session", { ...call, method: "DELETE" });
    },

    async createToken(call = {}) {
      return wire.json("/tokens", { ...call, method: "POST" });
    },

    follow(taskId, how = {}) {
      return follow(wire, { taskId }, how);
    },

    followAll({ type, ...how } = {}) {
      return follow(wire, { type }, how);
    },
  };
}

const JSON_BODY = { "Content-Type": "application/json" };
