import { ProblemError } from "@darkroom/client";
import { describe, expect, test } from "vitest";
import { en } from "../src/strings/en.ts";
import type { FailureCode } from "../src/strings/strings.ts";
import { tr } from "../src/strings/tr.ts";
import { failureOf, problemOf, problemText } from "../src/tasks/failure.ts";
import { failedSample } from "../src/tasks/sample.ts";

const CODES: readonly FailureCode[] = [
  "timeout",
  "provider_timeout",
  "provider_error",
  "provider_rejected",
  "invalid_input",
  "circuit_open",
  "cancelled",
  "internal",
];

describe("a failure", () => {
  test("is told by its code and values, in the reader's language", () => {
    const task = failedSample("provider_timeout", "forge did not answer within 180 s.", {
      provider: "forge",
      seconds: 180,
    });
    expect(failureOf(task, en).text).toBe("forge did not answer within 180 s. Please try again.");
    expect(failureOf(task, tr).text).toBe(
      "forge 180 saniye içinde yanıt vermedi. Lütfen tekrar deneyin.",
    );
  });

  test("in a provider's own words is told in them", () => {
    const task = failedSample("provider_rejected", "The paint ran out.");
    expect(failureOf(task, tr).text).toBe("The paint ran out.");
  });

  test("of a photo that can't be used is told as of an upload that can't", () => {
    const task = failedSample("invalid_input", "This is a text.", { reason: "unsupported_media" });
    expect(failureOf(task, tr).text).toBe(tr.problems.unsupported_media);
    const other = failedSample("invalid_input", "This is a text.", { reason: "toString" });
    expect(failureOf(other, tr).text).toBe("This is a text.");
  });

  test("has an icon of its own for each code", () => {
    const icons = CODES.map((code) => failureOf(failedSample(code, ""), en).icon);
    expect(new Set(icons).size).toBe(CODES.length);
  });

  test("at a stage that failed is named by that stage", () => {
    const task = failedSample(
      "provider_error",
      "No.",
      {},
      {
        type: "PHOTO_TO_3D",
        stage: "model_generation_failed",
      },
    );
    expect(failureOf(task, en).title).toBe("Model generation failed");
  });

  test("of a code that is not known yet says what the server says", () => {
    expect(failureOf(failedSample("moon_phase", "Wait for the moon."), en)).toMatchObject({
      title: en.failures.unknown.title,
      text: "Wait for the moon.",
    });
  });
});

describe("a refusal", () => {
  test("is told from the catalogue", () => {
    expect(problemText({ code: "queue_full", detail: "…" }, tr)).toBe(tr.problems.queue_full);
  });

  test("says when to try again, where the server told", () => {
    const body = { code: "queue_full", status: 429, title: "Queue full", detail: "Full." } as const;
    expect(problemText(problemOf(new ProblemError(body, 5)), en)).toBe(
      "The line is full at the moment. Try again in 5 seconds.",
    );
    expect(problemText(problemOf(new ProblemError(body)), en)).toBe(en.problems.queue_full);
  });

  test("of a code that is not known yet says what the server says", () => {
    expect(problemText({ code: "constructor", detail: "Not today." }, en)).toBe("Not today.");
  });
});
