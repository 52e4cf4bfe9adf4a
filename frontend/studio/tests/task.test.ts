import { describe, expect, test } from "vitest";
import { completedSample, failedSample, runningSample, sample } from "../src/tasks/sample.ts";
import { fileName, isOwnFile, localUrl, merge, nameOf, phaseOf } from "../src/tasks/task.ts";

describe("what a card shows of a task", () => {
  test.each([
    ["waiting", sample({ queue_position: 3 })],
    ["waiting", sample({ queue_position: null })],
    ["running", runningSample()],
    // Between two attempts it is in no line, and no new task either.
    ["running", runningSample({ progress: 0, queue_position: 0, attempt: 1 })],
    // Back in the line after an attempt: its place counts.
    ["waiting", runningSample({ queue_position: 2 })],
    ["scheduled", sample({ status: "pending" })],
    ["photo", sample({ status: "pending", type: "PHOTO_TO_3D", stage: "pending" })],
    ["completed", completedSample("/artifacts/a.png")],
    ["failed", failedSample("timeout", "late")],
    ["cancelled", sample({ status: "cancelled" })],
  ])("is %s", (phase, task) => {
    expect(phaseOf(task)).toBe(phase);
  });
});

describe("tasks of several sources", () => {
  const older = sample({ task_id: "a", created_at: "2026-11-21T10:00:00Z", sequence: 5 });
  const newer = sample({ task_id: "b", created_at: "2026-11-21T10:00:01Z", sequence: 6 });

  test("become one list, the newest first", () => {
    expect(merge([older], [newer]).map(({ task_id }) => task_id)).toEqual(["b", "a"]);
  });

  test("keep the later state of a task, whichever source has it", () => {
    const done = { ...completedSample("/artifacts/a.png"), task_id: "a", sequence: 9 };
    expect(merge([done], [older])).toEqual([done]);
    expect(merge([older], [done])).toEqual([done]);
  });

  test("keep the place that was told last, which moves without the task", () => {
    const moved = { ...older, queue_position: 1 };
    expect(merge([{ ...older, queue_position: 3 }], [moved])).toEqual([moved]);
  });

  test("never bring an ended task back to life", () => {
    const ended = { ...failedSample("timeout", "late"), task_id: "a", sequence: 5 };
    expect(merge([ended], [older])).toEqual([ended]);
  });
});

describe("names", () => {
  test("are the beginning of the prompt on one line, else the kind", () => {
    expect(nameOf({ prompt: " a\n fox " }, "Picture")).toBe("a fox");
    expect(nameOf({ prompt: null }, "Picture")).toBe("Picture");
    expect(nameOf({ prompt: "x".repeat(200) }, "Picture")).toHaveLength(80);
  });

  test("become file names that every system takes", () => {
    expect(fileName("Ein Fuchs, über/unter: „Schnee“", "image/png")).toBe(
      "ein-fuchs-uber-unter-schnee.png",
    );
    expect(fileName("夕阳下的 自行车", "image/webp")).toBe("夕阳下的-自行车.webp");
    expect(fileName("…", "application/x-unknown")).toBe("darkroom.bin");
  });
});

describe("addresses", () => {
  test("of this server are used as paths, under whichever name the page was opened", () => {
    expect(localUrl("http://127.0.0.1:8400/artifacts/a/b.png")).toBe("/artifacts/a/b.png");
    expect(isOwnFile("https://darkroom.example/uploads/1")).toBe(true);
  });

  test("of strangers are not loaded", () => {
    expect(localUrl("https://example.org/cat.png")).toBe("https://example.org/cat.png");
    expect(isOwnFile("https://example.org/cat.png")).toBe(false);
  });
});
