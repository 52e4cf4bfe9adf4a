import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Connection, createClient, type TaskUpdate } from "../src/index.ts";
import { answer, completed, problem, running, taskOf } from "./builders.ts";
import { type Answering, fakeFetch, unreachable } from "./fake-fetch.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const first = taskOf({ task_id: "a", sequence: 10 });
const second = taskOf({ task_id: "b", sequence: 11, queue_position: 2 });

function streamOf(...frames: string[]): Response {
  const bytes = new TextEncoder().encode(frames.join(""));
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (frames.length > 0) controller.enqueue(bytes);
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

/** Follow in the background, with what has been told so far. */
function following(answering: Answering, taskId?: string) {
  const { fetch, calls } = fakeFetch(answering);
  const client = createClient({ fetch, retries: 0 });
  const controller = new AbortController();
  const updates: TaskUpdate[] = [];
  const connections: Connection[] = [];
  const options = {
    signal: controller.signal,
    onConnection: (connection: Connection) => connections.push(connection),
  };
  async function run() {
    const followed =
      taskId === undefined ? client.followAll(options) : client.follow(taskId, options);
    for await (const update of followed) updates.push(update);
  }
  const ended = run().catch((error: unknown) => error);
  const paths = () => calls.map(({ path }) => path);
  return { calls, paths, updates, connections, ended, stop: () => controller.abort() };
}

describe("where there are no streams", () => {
  test("one task is polled until its end", async () => {
    const steps = [first, { ...first, queue_position: 0, sequence: 11 }, completed(first)];
    const { paths, updates, connections, ended } = following(
      ({ path }) => (path.includes("/events") ? answer({ events: [] }) : answer(steps.shift())),
      "a",
    );

    await vi.runAllTimersAsync();

    expect(await ended).toBeUndefined();
    expect(updates.map((update) => update.event === "task" && update.task.sequence)).toEqual([
      10, 11, 15,
    ]);
    expect(paths()).toEqual([
      "/tasks/a/events",
      "/tasks/a",
      "/tasks/a",
      "/tasks/a?wait=20&after=11",
    ]);
    expect(connections).toEqual(["polling"]);
  });

  test("all tasks are polled every 2 s; one that left is asked for", async () => {
    const lists = [[first, second], [running(first), { ...second, queue_position: 1 }], [second]];
    const { paths, updates, stop, ended } = following(({ path }) => {
      if (path === "/events") return problem("not_found", 404);
      if (path === "/tasks/a") return answer(completed(first));
      return answer({ tasks: lists.length > 1 ? lists.shift() : lists[0] });
    });

    await vi.advanceTimersByTimeAsync(4000);
    stop();
    await ended;

    expect(paths()).toEqual([
      "/events",
      "/tasks/processing",
      "/tasks/processing",
      "/tasks/processing",
      "/tasks/a",
    ]);
    expect(
      updates.map((update) =>
        update.event === "task"
          ? [update.task.task_id, update.task.status, update.task.queue_position]
          : [],
      ),
    ).toEqual([
      ["a", "processing", 1],
      ["b", "processing", 2],
      ["a", "processing", 0],
      ["b", "processing", 1],
      ["b", "processing", 2],
      ["a", "completed", 0],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a task that was erased meanwhile is told as erased", async () => {
    const { updates, ended } = following(({ path }) => {
      if (path.includes("/events")) return answer({ events: [] });
      return updates.length === 0 ? answer(first) : problem("task_not_found", 404);
    }, "a");

    await vi.runAllTimersAsync();
    await ended;

    expect(updates.at(-1)).toEqual({ event: "erased", task_id: "a" });
  });

  test("without polling, that there are no streams is an error", async () => {
    const { fetch } = fakeFetch(() => problem("not_found", 404));
    const updates = createClient({ fetch }).followAll({ poll: false });

    await expect(updates.next()).rejects.toMatchObject({ code: "unexpected_answer", status: 404 });
  });
});

describe("when the network fails", () => {
  test("after three failures in a row it is polled, and after half a minute the stream is tried again", async () => {
    let broken = true;
    const { paths, updates, connections, stop, ended } = following(({ path }) => {
      if (path !== "/events") return answer({ tasks: [first] });
      return broken
        ? unreachable()
        : streamOf(
            `id: 12\nevent: task\ndata: ${JSON.stringify(running(first, { sequence: 12 }))}\n\n`,
          );
    });

    await vi.advanceTimersByTimeAsync(10_000);
    expect(paths().filter((path) => path === "/events")).toHaveLength(3);
    expect(connections).toEqual(["offline", "polling"]);
    broken = false;
    await vi.advanceTimersByTimeAsync(30_000);
    stop();
    await ended;

    expect(paths().filter((path) => path === "/events")).toHaveLength(4);
    expect(connections).toEqual(["offline", "polling", "live"]);
    expect(updates.map((update) => update.event === "task" && update.task.sequence)).toEqual([
      10, 12,
    ]);
  });

  test("while nothing answers it goes on trying, ever more slowly, for as long as it takes", async () => {
    const { calls, connections, stop, ended } = following(unreachable);

    await vi.advanceTimersByTimeAsync(60_000);
    const inAMinute = calls.length;
    await vi.advanceTimersByTimeAsync(600_000);
    stop();
    await ended;

    expect(inAMinute).toBeGreaterThan(4);
    expect(calls.length - inAMinute).toBeLessThan(100);
    expect(connections).toEqual(["offline"]);
  });

  test("an end that polling told is not told again by the stream", async () => {
    let broken = true;
    const end = completed(first);
    const { updates, stop, ended } = following(({ path }) => {
      if (path === "/tasks/a") return answer(end);
      if (path === "/tasks/processing")
        return answer({ tasks: updates.length === 0 ? [first] : [] });
      if (broken) return unreachable();
      const frames = [running(first), end, { ...second, sequence: 20 }];
      return streamOf(
        ...frames.map(
          (task) => `id: ${task.sequence}\nevent: task\ndata: ${JSON.stringify(task)}\n\n`,
        ),
      );
    });

    await vi.advanceTimersByTimeAsync(10_000);
    broken = false;
    await vi.advanceTimersByTimeAsync(60_000);
    stop();
    await ended;

    expect(updates.map((update) => update.event === "task" && update.task.sequence)).toEqual([
      10, 15, 20,
    ]);
  });

  test("a stream that has gone silent is given up after three missed pings", async () => {
    const { paths, stop, ended } = following(() => streamOf(": ping\n\n"));

    await vi.advanceTimersByTimeAsync(44_999);
    expect(paths()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1001);
    expect(paths()).toHaveLength(2);
    stop();
    await ended;
  });

  test("a stream that is held back by something in between is given up, and it is polled", async () => {
    const { paths, updates, connections, stop, ended } = following(({ path }) =>
      path === "/events" ? streamOf() : answer({ tasks: [first] }),
    );

    await vi.advanceTimersByTimeAsync(10_000);
    stop();
    await ended;

    expect(paths()).toEqual(["/events", "/tasks/processing"]);
    expect(updates).toEqual([{ event: "task", task: first }]);
    expect(connections).toEqual(["live", "polling"]);
  });

  test("leaving during a wait leaves no timer", async () => {
    const { stop, ended } = following(unreachable);

    await vi.advanceTimersByTimeAsync(5);
    stop();

    expect(await ended).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a gateway that is too busy is asked again", async () => {
    const answers = [problem("log_unreachable", 503), problem("internal", 500)];
    answers.push(problem("queue_full", 429));
    const { paths, stop, ended } = following(
      ({ path }) =>
        answers.shift() ?? (path === "/events" ? streamOf(": ping\n\n") : answer({ tasks: [] })),
    );

    await vi.advanceTimersByTimeAsync(5000);
    stop();

    expect(await ended).toBeUndefined();
    expect(paths().slice(0, 4)).toEqual(["/events", "/events", "/events", "/tasks/processing"]);
  });
});
