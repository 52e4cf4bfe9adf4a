import {
  type Client,
  createClient,
  isTerminal,
  type PromptTask,
  type Task,
} from "@darkroom/client";
import { answer, problem, taskOf } from "../../client/tests/builders.ts";
import { type Call, fakeFetch } from "../../client/tests/fake-fetch.ts";

/** A gateway that keeps tasks in memory, counts what it is asked, and does as the test says. */
export class FakeGateway {
  readonly tasks = new Map<string, Task>();
  readonly client: Client;
  readonly calls: Call[];
  /** Nobody answers. */
  isDown = false;
  /** Answers given instead of what the gateway would say, by `METHOD /path`. */
  readonly instead = new Map<string, () => Response | Promise<Response>>();
  /** Whether it has event streams. */
  streams = false;
  readonly #open = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #sequence = 0;

  constructor() {
    const { fetch, calls } = fakeFetch((call) => this.#answers(call));
    this.calls = calls;
    this.client = createClient({ fetch, baseUrl: "http://gateway.test" });
  }

  /** A new task in line. */
  add(different: Partial<Task> = {}): Task {
    this.#sequence += 1;
    const task_id = `task-${this.#sequence}`;
    const created_at = new Date(Date.UTC(2026, 10, 21, 10, 0, this.#sequence)).toISOString();
    return this.#keep(taskOf({ task_id, created_at, sequence: this.#sequence, ...different }));
  }

  /** What happens to a task. Streams are told. */
  change(task: Task, different: Partial<Task>): Task {
    this.#sequence += 1;
    const now = this.tasks.get(task.task_id) as Task;
    return this.#keep({ ...now, ...different, sequence: this.#sequence });
  }

  start(task: Task): Task {
    const started_at = "2026-11-21T10:00:01.000Z";
    return this.change(task, { stage: "generating", attempt: 1, started_at, queue_position: 0 });
  }

  complete(task: Task): Task {
    const image_url = `http://gateway.test/artifacts/${task.task_id}.png`;
    return this.change(task, { status: "completed", progress: 100, image_url, queue_position: 0 });
  }

  fail(task: Task, error_msg: string): Task {
    const error = { code: "provider_rejected", message: error_msg, retryable: false, attempts: 1 };
    return this.change(task, { status: "failed", error, error_msg, queue_position: 0 });
  }

  /** The requests for a path, of all or with a query. */
  asked(path: string): number {
    return this.calls.filter((call) => call.path === path || call.path.split("?")[0] === path)
      .length;
  }

  /** Give an answer instead, when what is returned is called. */
  hold(call: string, answering: () => Response): () => void {
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    this.instead.set(call, async () => {
      await released;
      return answering();
    });
    return release;
  }

  /** How many streams are open. */
  get connections(): number {
    return this.#open.size;
  }

  /** Tell all streams. */
  push(event: string, data: unknown, id?: number): void {
    const position = id === undefined ? "" : `id: ${id}\n`;
    this.#send(`${position}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** The network cuts all streams. */
  cut(): void {
    for (const stream of this.#open) stream.error(new TypeError("terminated"));
    this.#open.clear();
  }

  #keep(task: Task): Task {
    this.tasks.set(task.task_id, task);
    this.push("task", task, task.sequence);
    return task;
  }

  #send(text: string): void {
    for (const stream of this.#open) stream.enqueue(new TextEncoder().encode(text));
  }

  #answers(call: Call): Response | Promise<Response> {
    if (this.isDown) throw new TypeError("fetch failed");
    const [path = "", search = ""] = call.path.split("?");
    const query = new URLSearchParams(search);
    const instead = this.instead.get(`${call.method} ${path}`);
    if (instead !== undefined) return instead();
    const all = [...this.tasks.values()];
    if (path === "/tasks/processing") {
      const type = query.get("type");
      return answer({ tasks: all.filter((task) => !isTerminal(task) && task.type === type) });
    }
    if (path === "/api/generation/tasks") {
      return answer(
        all.filter((task) => task.prompt_id === query.get("promptId")).map(promptTaskOf),
      );
    }
    if (path === "/events") return this.streams ? this.#stream() : problem("not_found", 404);
    if (path === "/tasks" && call.method === "POST") {
      return answer(this.add(JSON.parse(String(call.body))), 202);
    }
    if (path === "/tasks") return answer({ tasks: all.reverse(), next_cursor: null });
    const [, , taskId = "", action] = path.split("/");
    const task = this.tasks.get(taskId);
    if (task === undefined) return problem("task_not_found", 404);
    if (action === "cancel" && isTerminal(task)) return problem("already_finished", 409);
    if (action === "cancel") return answer(this.change(task, { status: "cancelled" }), 202);
    if (action === "photo" && task.status !== "pending") return problem("photo_not_awaited", 409);
    if (action === "photo") {
      return answer(this.change(task, { status: "processing", stage: "uploaded" }), 202);
    }
    if (action === "retry") return answer(this.add({ metadata: { retry_of: taskId } }), 202);
    return answer(task);
  }

  #stream(): Response {
    let stream: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        stream = controller;
        this.#open.add(controller);
      },
      cancel: () => {
        this.#open.delete(stream);
      },
    });
    const response = new Response(body, { headers: { "Content-Type": "text/event-stream" } });
    const live = [...this.tasks.values()].filter((task) => !isTerminal(task));
    for (const task of live) this.push("task", task, task.sequence);
    return response;
  }
}

const STATUS = {
  pending: "PENDING",
  processing: "PENDING",
  completed: "SUCCESS",
  failed: "FAILED",
  cancelled: "FAILED",
} as const;

/** A task in camelCase, as the gateway makes it. */
export function promptTaskOf(task: Task): PromptTask {
  return {
    id: task.task_id,
    taskId: task.task_id,
    promptId: task.prompt_id,
    type: task.type,
    model: (task.provider_params.model as string | undefined) ?? null,
    service: (task.provider_params.service as string | undefined) ?? "STUDIO",
    externalTaskId: task.external_task_id,
    status: STATUS[task.status],
    stage: task.stage,
    progress: task.progress,
    resultUrl: task.image_url,
    resultUrls: task.image_url === null ? [] : [task.image_url],
    errorMessage: task.error_msg,
    createdAt: task.created_at,
    updatedAt: task.updated_at,
    completedAt: task.finished_at,
  };
}
