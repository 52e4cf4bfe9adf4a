import { STAGES } from "@darkroom/client";
import { describe, expect, test } from "vitest";
import { failedStageIcon, PHOTO_FAILURES, PHOTO_TO_3D, stepsOf } from "../src/tasks/stages.ts";

const states = (type: string, status: string, stage: string) =>
  stepsOf({ type, status, stage }).map(({ state }) => state);

describe("the steps of a picture", () => {
  test.each([
    ["processing", "queued", ["current", "todo", "todo"]],
    ["processing", "generating", ["done", "current", "todo"]],
    ["processing", "saving", ["done", "done", "current"]],
    ["completed", "saving", ["done", "done", "done"]],
    ["failed", "generating", ["done", "failed", "todo"]],
    ["cancelled", "queued", ["failed", "todo", "todo"]],
  ])("%s at %s", (status, stage, expected) => {
    expect(states("CREATE", status, stage)).toEqual(expected);
  });
});

describe("the steps of a 3D model", () => {
  test.each([
    ["pending", "pending", ["current", "todo", "todo", "todo", "todo"]],
    ["processing", "uploaded", ["done", "current", "todo", "todo", "todo"]],
    ["processing", "bgr_removed", ["done", "done", "current", "todo", "todo"]],
    ["processing", "job_created", ["done", "done", "done", "current", "todo"]],
    ["processing", "model_generated", ["done", "done", "done", "current", "todo"]],
    ["completed", "model_saved", ["done", "done", "done", "done", "done"]],
    ["failed", "upload_failed", ["failed", "todo", "todo", "todo", "todo"]],
    ["failed", "bgr_removal_failed", ["done", "failed", "todo", "todo", "todo"]],
    ["failed", "job_creation_failed", ["done", "done", "failed", "todo", "todo"]],
    ["failed", "model_generation_failed", ["done", "done", "done", "failed", "todo"]],
    ["failed", "model_saving_failed", ["done", "done", "done", "done", "failed"]],
  ])("%s at %s", (status, stage, expected) => {
    expect(states("PHOTO_TO_3D", status, stage)).toEqual(expected);
  });

  test("stands at one of five steps in each of the eleven stages", () => {
    expect(PHOTO_TO_3D).toEqual({
      pending: 0,
      uploaded: 1,
      bgr_removed: 2,
      job_created: 3,
      model_generated: 3,
      model_saved: 4,
      upload_failed: 0,
      bgr_removal_failed: 1,
      job_creation_failed: 2,
      model_generation_failed: 3,
      model_saving_failed: 4,
    });
    expect(new Set(Object.keys(PHOTO_TO_3D))).toEqual(new Set(STAGES.PHOTO_TO_3D));
  });

  test("marks one step as the one where it stands, also the last when the model is ready", () => {
    for (const stage of STAGES.PHOTO_TO_3D) {
      const steps = stepsOf({ type: "PHOTO_TO_3D", status: "processing", stage });
      expect(steps.map(({ here }) => here)).toEqual(
        [0, 1, 2, 3, 4].map((index) => index === PHOTO_TO_3D[stage]),
      );
    }
  });

  test("gives each failure an icon of its own, at its step and with its name", () => {
    const failures = STAGES.PHOTO_TO_3D.filter((stage) => stage.endsWith("_failed"));
    expect(new Set(failures)).toEqual(new Set(PHOTO_FAILURES));
    const failed = failures.map((stage) =>
      stepsOf({ type: "PHOTO_TO_3D", status: "failed", stage }).find((step) => step.here),
    );
    expect(failed.map((step) => step?.name)).toEqual(
      failures.map((name) => ({ of: "stages", name })),
    );
    const icons = failed.map((step) => step?.icon);
    expect(icons).toEqual(failures.map(failedStageIcon));
    expect(new Set(icons).size).toBe(5);
  });
});

test("shows no steps of a type that it does not know", () => {
  expect(states("HOLOGRAM", "processing", "beaming")).toEqual([]);
});
