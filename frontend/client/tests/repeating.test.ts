import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createClient } from "../src/index.ts";
import { answer, problem, taskOf } from "./builders.ts";
import { type Call, fakeFetch, inTurn, unreachable } from "./fake-fetch.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const task = taskOf();
const keys = (calls: Call[]) => calls.map((call) => call.headers.get("Idempotency-Key"));

/** The outcome of a call, with time let run. */
async function settled<Value>(promise: Promise<Value>): Promise<Value | { readonly code: string }> {
  const outcome = promise.catch((error: unknown) => error as { code: string });
  await vi.runAllTimersAsync();
  return outcome;
}

describe("repeating what failed", () => {
  test("a submit is repeated with the key that it was made with", async () => {
    const { fetch, calls } = fakeFetch(
      inTurn(
        unreachable,
        () => problem("outcome_unknown", 503),
        () => answer(task, 200),
      ),
    );

    expect(await settled(createClient({ fetch }).submit({ type: "CREATE", prompt: "a" }))).toEqual(
      task,
    );

    expect(new Set(keys(calls)).size).toBe(1);
    expect(keys(calls)[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(calls.map((call) => call.body)).toEqual(Array(3).fill('{"type":"CREATE","prompt":"a"}'));
  });

  test("two submits have two keys; a key of one's own is used", async () => {
    const { fetch, calls } = fakeFetch(() => answer(task, 202));
    const client = createClient({ fetch });

    await client.submit({ type: "CREATE" });
    await client.submit({ type: "CREATE" });
    await client.submit({ type: "CREATE" }, { idempotencyKey: "mine" });

    expect(new Set(keys(calls)).size).toBe(3);
    expect(keys(calls)[2]).toBe("mine");
  });

  test("a retry of a task is one task too, however often it is sent", async () => {
    const { fetch, calls } = fakeFetch(inTurn(unreachable, () => answer(task, 202)));

    await settled(createClient({ fetch }).retry("a"));

    expect(calls.map(({ method, path }) => [method, path])).toEqual(
      Array(2).fill(["POST", "/tasks/a/retry"]),
    );
    expect(new Set(keys(calls)).size).toBe(1);
  });

  test("after as many repeats as asked for, the failure is told", async () => {
    const { fetch, calls } = fakeFetch(unreachable);

    expect(await settled(createClient({ fetch, retries: 2 }).get("a"))).toMatchObject({
      code: "network",
    });
    expect(calls).toHaveLength(3);
  });

  test.each([
    ["queue_full", 429],
    ["task_not_found", 404],
    ["invalid_request", 422],
    ["internal", 500],
  ] as const)("%s is told at once", async (code, status) => {
    const { fetch, calls } = fakeFetch(() => problem(code, status));

    expect(await settled(createClient({ fetch }).get("a"))).toMatchObject({ code });
    expect(calls).toHaveLength(1);
  });

  test("the gateway's own word on when to ask again is kept", async () => {
    const { fetch, calls } = fakeFetch(
      inTurn(
        () => problem("not_caught_up", 503, { "Retry-After": "3" }),
        () => answer(task),
      ),
    );
    const asked = createClient({ fetch }).get("a");

    await vi.advanceTimersByTimeAsync(2999);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toHaveLength(2);
    expect(await asked).toEqual(task);
  });

  test("a log that is full for long is told instead of waited for", async () => {
    const { fetch, calls } = fakeFetch(() => problem("log_full", 503, { "Retry-After": "30" }));

    expect(await settled(createClient({ fetch }).submit({ type: "CREATE" }))).toMatchObject({
      code: "log_full",
    });
    expect(calls).toHaveLength(1);
  });

  test("no answer within the time is a failure of the network", async () => {
    const { fetch, calls } = fakeFetch(() => new Promise<Response>(() => {}));
    const asked = createClient({ fetch, retries: 0, timeoutMs: 5000 })
      .get("a")
      .catch((error) => error);

    await vi.advanceTimersByTimeAsync(5000);

    expect(await asked).toMatchObject({ code: "network", message: "There was no answer in time." });
    expect(calls).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an abort ends the waiting between repeats", async () => {
    const { fetch, calls } = fakeFetch(unreachable);
    const controller = new AbortController();
    const asked = createClient({ fetch }).get("a", { signal: controller.signal });
    const rejected = expect(asked).rejects.toThrow("enough");

    await vi.advanceTimersByTimeAsync(0);
    controller.abort(new Error("enough"));

    await rejected;
    await vi.runAllTimersAsync();
    expect(calls).toHaveLength(1);
  });
});
