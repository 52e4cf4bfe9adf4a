import type { Problems } from "../src/generated/names.ts";
import type { ProblemCode, Task } from "../src/index.ts";

/** A task in line; say what is different about it. */
export function taskOf(different: Partial<Task> = {}): Task {
  return {
    task_id: "0199f0c2-0000-7000-8000-000000000001",
    type: "CREATE",
    prompt_id: null,
    status: "processing",
    stage: "queued",
    progress: 0,
    queue_position: 1,
    waiting_for: null,
    eta_seconds: null,
    attempt: 0,
    prompt: "a red bicycle",
    reference_images: [],
    provider_params: {},
    provider: null,
    external_task_id: null,
    image_url: null,
    artifacts: [],
    late_artifacts: [],
    error: null,
    error_msg: null,
    metadata: {},
    created_at: "2026-11-21T10:00:00.123Z",
    started_at: null,
    updated_at: "2026-11-21T10:00:00.123Z",
    finished_at: null,
    sequence: 1,
    ...different,
  };
}

/** The same task while it is generated. */
export function running(task: Task, different: Partial<Task> = {}): Task {
  const started = { stage: "generating", attempt: 1, started_at: "2026-11-21T10:00:01.000Z" };
  return { ...task, ...started, queue_position: 0, sequence: task.sequence + 1, ...different };
}

/** The same task with its picture. */
export function completed(task: Task, different: Partial<Task> = {}): Task {
  return running(task, {
    status: "completed",
    stage: "saving",
    progress: 100,
    image_url: `http://gateway.test/artifacts/${task.task_id}.png`,
    finished_at: "2026-11-21T10:00:09.000Z",
    sequence: task.sequence + 5,
    ...different,
  });
}

/** The same task, failed. */
export function failed(task: Task, message: string, different: Partial<Task> = {}): Task {
  const error = { code: "provider_rejected", message, retryable: false, attempts: 1 };
  const finished_at = "2026-11-21T10:00:09.000Z";
  const ended = { status: "failed", error, error_msg: message, finished_at } as const;
  return running(task, { ...ended, sequence: task.sequence + 5, ...different });
}

export function answer(
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  const init = { status, headers: { "Content-Type": "application/json", ...headers } };
  return new Response(JSON.stringify(body), init);
}

export function problem<Code extends ProblemCode>(
  code: Code,
  status: Problems[Code],
  headers: Record<string, string> = {},
  members: object = {},
): Response {
  const body = {
    type: `http://127.0.0.1:8400/docs/errors#${code}`,
    title: code,
    status,
    detail: `${code}!`,
    code,
  };
  return new Response(JSON.stringify({ ...members, ...body }), {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
}
