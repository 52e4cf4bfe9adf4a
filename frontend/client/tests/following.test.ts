import { describe, expect, test, vi } from "vitest";
import {
  type Connection,
  createClient,
  type FollowOptions,
  type Task,
  type TaskUpdate,
} from "../src/index.ts";
import { completed, running, taskOf } from "./builders.ts";
import { eventServer, frame, SOON } from "./event-server.ts";

const first = taskOf({ task_id: "a", sequence: 10 });
const second = taskOf({ task_id: "b", sequence: 11, queue_position: 2 });
const told = (task: Task) => frame("task", task, task.sequence);

async function all(updates: AsyncIterable<TaskUpdate>): Promise<TaskUpdate[]> {
  const seen: TaskUpdate[] = [];
  for await (const update of updates) seen.push(update);
  return seen;
}

/** The first so many updates; then the iteration is left, as by `break`. */
async function few(count: number, updates: AsyncIterable<TaskUpdate>): Promise<TaskUpdate[]> {
  const seen: TaskUpdate[] = [];
  for await (const update of updates) {
    seen.push(update);
    if (seen.length === count) break;
  }
  return seen;
}

const tasksOf = (updates: TaskUpdate[]) =>
  updates.map((update) => (update.event === "task" ? update.task : update.event));

describe("following one task", () => {
  test("tells all of it, and ends with the task", async () => {
    const steps = [first, running(first), completed(first)];
    const { baseUrl, visits } = await eventServer((visit) => visit.send(...steps.map(told)));

    const updates = await all(createClient({ baseUrl }).follow("a"));

    expect(updates).toEqual(steps.map((task) => ({ event: "task", task })));
    expect(
      visits.map(({ path, headers }) => [path, headers.accept, headers["last-event-id"]]),
    ).toEqual([["/tasks/a/events", "text/event-stream", undefined]]);
  });

  test("goes on after a cut where it was, without gap or repeat", async () => {
    const { baseUrl, visits } = await eventServer((visit, nth) => {
      if (nth === 1) {
        visit.send(SOON, told(first), told(running(first)));
        setImmediate(() => visit.cut());
      } else {
        visit.send(told(completed(first)));
      }
    });

    const updates = await all(createClient({ baseUrl }).follow("a"));

    expect(tasksOf(updates)).toEqual([first, running(first), completed(first)]);
    expect(visits.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "11"]);
  });

  test("begins after a sequence; a stream with nothing to come is the end", async () => {
    const { baseUrl, visits } = await eventServer(({ response }) => response.writeHead(204).end());

    expect(await all(createClient({ baseUrl }).follow("a", { after: 15 }))).toEqual([]);
    expect(visits.map(({ headers }) => headers["last-event-id"])).toEqual(["15"]);
  });

  test("tells its places, which have no sequence of their own", async () => {
    const place = { task_id: "a", queue_position: 1, eta_seconds: 4.5 };
    const { baseUrl, visits } = await eventServer((visit, nth) => {
      if (nth === 1) {
        visit.send(SOON, told(first), frame("position", place));
        visit.response.end();
      } else {
        visit.send(told(completed(first)));
      }
    });

    const updates = await all(createClient({ baseUrl }).follow("a"));

    expect(updates[1]).toEqual({ event: "position", ...place });
    expect(visits.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "10"]);
  });

  test("tells that it is on hold, and that it goes on, though its sequence stays", async () => {
    const held = { ...first, metadata: { parked: { since: "2026-11-21T10:00:00Z" } } };
    const { baseUrl, visits } = await eventServer((visit, nth) => {
      if (nth === 1) {
        const onHold = frame("task", held);
        visit.send(SOON, told(first), onHold, onHold, frame("task", first));
        visit.response.end();
      } else {
        visit.send(told(completed(first)));
      }
    });

    const updates = await all(createClient({ baseUrl }).follow("a"));

    expect(tasksOf(updates)).toEqual([first, held, first, completed(first)]);
    expect(visits.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "10"]);
  });

  test("ends when the task is erased", async () => {
    const { baseUrl } = await eventServer((visit) =>
      visit.send(told(first), ": ping\n\n", frame("erased", { task_id: "a" }, 12)),
    );

    expect((await all(createClient({ baseUrl }).follow("a"))).at(-1)).toEqual({
      event: "erased",
      task_id: "a",
    });
  });

  test("a cursor older than the log is followed by a snapshot", async () => {
    const { baseUrl, visits } = await eventServer((visit, nth) => {
      if (nth === 1) {
        visit.send(SOON, frame("reset", {}));
        visit.response.end();
      } else {
        visit.send(told(completed(first)));
      }
    });

    const updates = await all(createClient({ baseUrl }).follow("a", { after: 1 }));

    expect(tasksOf(updates)).toEqual(["reset", completed(first)]);
    expect(visits.map(({ headers }) => headers["last-event-id"])).toEqual(["1", undefined]);
  });

  test("no such task, or no credential, is told instead of tried again", async () => {
    const { baseUrl, visits } = await eventServer((visit) =>
      visit.answer({ code: "task_not_found", status: 404, title: "", detail: "" }, 404),
    );

    await expect(all(createClient({ baseUrl }).follow("a"))).rejects.toMatchObject({
      code: "task_not_found",
    });
    expect(visits).toHaveLength(1);
  });

  test("an event of a newer gateway is passed over", async () => {
    const { baseUrl } = await eventServer((visit) =>
      visit.send(frame("weather", { sky: "blue" }, 9), told(completed(first))),
    );

    expect(tasksOf(await all(createClient({ baseUrl }).follow("a")))).toEqual([completed(first)]);
  });
});

describe("following all tasks", () => {
  test("of a type: what is live, then what happens", async () => {
    const { baseUrl, visits } = await eventServer((visit) =>
      visit.send(told(first), told(second), told(completed(first))),
    );

    const updates = await few(3, createClient({ baseUrl }).followAll({ type: "CREATE" }));

    expect(tasksOf(updates)).toEqual([first, second, completed(first)]);
    expect(visits.map(({ path }) => path)).toEqual(["/events?type=CREATE"]);
  });

  test("leaving the iteration closes the connection", async () => {
    const closed = vi.fn();
    const { baseUrl } = await eventServer((visit) => {
      visit.response.on("close", closed);
      visit.send(told(first));
    });

    await few(1, createClient({ baseUrl }).followAll());

    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce());
  });

  test("aborting ends the iteration, without an error", async () => {
    const closed = vi.fn();
    const controller = new AbortController();
    const { baseUrl } = await eventServer((visit) => {
      visit.response.on("close", closed);
      visit.send(told(first));
    });

    const seen: TaskUpdate[] = [];
    for await (const update of createClient({ baseUrl }).followAll({ signal: controller.signal })) {
      seen.push(update);
      controller.abort();
    }

    expect(tasksOf(seen)).toEqual([first]);
    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce());
  });

  test("after a reset, what ended behind the gap is told too", async () => {
    const ended = completed(first, { sequence: 40 });
    const { baseUrl } = await eventServer((visit, nth) => {
      const { path } = visit;
      if (path === "/tasks/processing") visit.answer({ tasks: [second] });
      else if (path === "/tasks/a") visit.answer(ended);
      else if (nth === 1) {
        visit.send(SOON, told(first), told(second));
        visit.response.end();
      } else visit.send(frame("reset", {}), told(second));
    });

    const updates = await few(4, createClient({ baseUrl }).followAll());

    expect(tasksOf(updates)).toEqual([first, second, "reset", ended]);
  });

  test("an id without data moves the cursor, so that a quiet stream resumes as well", async () => {
    const { baseUrl, visits } = await eventServer((visit, nth) => {
      if (nth === 1) {
        visit.send(SOON, "id: 99\n\n");
        visit.response.end();
      } else {
        visit.send(told({ ...first, sequence: 100 }));
      }
    });

    await few(1, createClient({ baseUrl }).followAll());

    expect(visits.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "99"]);
  });

  test("tells on which way news come", async () => {
    const connections: Connection[] = [];
    const options: FollowOptions = { onConnection: (connection) => connections.push(connection) };
    const { baseUrl } = await eventServer((visit, nth) => {
      if (nth === 1) {
        visit.send(SOON, told(first));
        setTimeout(() => visit.cut(), 0);
      } else visit.send(told(running(first)));
    });

    await few(2, createClient({ baseUrl }).followAll(options));

    expect(connections).toEqual(["live", "offline", "live"]);
  });
});
