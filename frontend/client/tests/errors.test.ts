import { describe, expect, test } from "vitest";
import { createClient, isDarkroomError } from "../src/index.ts";
import { problem } from "./builders.ts";
import { fakeFetch, unreachable } from "./fake-fetch.ts";

async function rejection(answering: () => Response): Promise<unknown> {
  const { fetch } = fakeFetch(answering);
  return createClient({ fetch, retries: 0 })
    .get("a")
    .then(
      () => null,
      (error: unknown) => error,
    );
}

describe("what a call rejects with", () => {
  test("a problem, by its code, with its members", async () => {
    const members = { errors: [{ loc: ["query", "wait"], msg: "too long" }], task_id: "a" };
    const error = await rejection(() => problem("invalid_request", 422, {}, members));

    expect(error).toMatchObject({
      name: "ProblemError",
      code: "invalid_request",
      status: 422,
      message: "invalid_request!",
      errors: [{ loc: ["query", "wait"], msg: "too long" }],
      members: { task_id: "a" },
      retryAfterS: null,
    });
    expect(isDarkroomError(error)).toBe(true);
  });

  test("when to ask again", async () => {
    const error = await rejection(() => problem("queue_full", 429, { "Retry-After": "7" }));

    expect(error).toMatchObject({ code: "queue_full", retryAfterS: 7, errors: [] });
  });

  test("no answer at all, with its cause", async () => {
    const error = await rejection(unreachable);

    expect(error).toMatchObject({ name: "NetworkError", code: "network" });
    expect((error as Error).cause).toBeInstanceOf(TypeError);
    expect(isDarkroomError(error)).toBe(true);
  });

  test.each([
    ["a page of a proxy", () => new Response("<h1>Bad gateway</h1>", { status: 502 }), 502],
    ["JSON of somebody else", () => new Response('{"error":"no"}', { status: 418 }), 418],
    ["a page where a task should be", () => new Response("<h1>Hello</h1>"), 200],
  ])("%s", async (_, answering, status) => {
    const error = await rejection(answering);

    expect(error).toMatchObject({ name: "AnswerError", code: "unexpected_answer", status });
    expect(isDarkroomError(error)).toBe(true);
  });

  test("one's own reason for aborting, as it is", async () => {
    const controller = new AbortController();
    const { fetch } = fakeFetch(() => new Promise<Response>(() => {}));
    const asked = createClient({ fetch }).get("a", { signal: controller.signal });
    const reason = new Error("left the page");

    controller.abort(reason);

    await expect(asked).rejects.toBe(reason);
    expect(isDarkroomError(reason)).toBe(false);
  });
});
