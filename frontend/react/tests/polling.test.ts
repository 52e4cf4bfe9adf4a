import { AnswerError, NetworkError, type ProblemCode, ProblemError } from "@darkroom/client";
import { describe, expect, test } from "vitest";
import { nextPollMs } from "../src/polling.ts";

function refusal(code: ProblemCode, status: number): ProblemError {
  return new ProblemError({ code, status: status as never, title: "No", detail: "No." });
}

describe("a poll that failed", () => {
  test.each([
    ["no answer", new NetworkError("cut off"), 2000],
    ["a gateway whose store is away", refusal("task_store_unavailable", 503), 2000],
    ["a gateway that tripped", refusal("internal", 500), 2000],
    ["a gateway that is asked too often", refusal("queue_full", 429), 2000],
    ["a proxy without its gateway", new AnswerError(502, "Bad gateway"), 2000],
    ["a server that tripped", new AnswerError(500, "Internal server error"), 2000],
    ["a session that has ended", refusal("unauthorized", 401), false],
    ["a task that is not there", refusal("task_not_found", 404), false],
    ["somebody else's page", new AnswerError(404, "Not found"), false],
    ["a mistake of one's own", new TypeError("undefined"), false],
  ])("with %s is followed by the next one in %s ms", (_, error, next) => {
    const asked = { status: "error", error, data: undefined } as const;
    expect(nextPollMs<boolean>(asked, Boolean, 2000)).toBe(next);
    expect(nextPollMs<boolean>(asked, Boolean, 2000, "live")).toBe(next);
  });
});
