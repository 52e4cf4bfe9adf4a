import { STAGES } from "@darkroom/client";
import { describe, expect, test } from "vitest";
import { failedStageIcon, PHOTO_TO_3D, stepsOf } from "../src/tasks/stages.ts";

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
    ["processing", "model_generated", ["done", "done", "done", "done", "current"]],
    ["completed", "model_saved", ["done", "done", "done", "done", "done"]],
    ["failed", "upload_failed", ["failed", "todo", "todo", "todo", "todo"]],
    ["failed", "bgr_removal_failed", ["done", "failed", "todo", "todo", "todo"]],
    ["failed", "job_creation_failed", ["done", "done", "failed", "todo", "todo"]],
    ["failed", "model_generation_failed", ["done", "done", "done", "failed", "todo"]],
    ["failed", "model_saving_failed", ["done", "done", "done", "done", "failed"]],
  ])("%s at %s", (status, stage, expected) => {
    expect(states("PHOTO_TO_3D", status, stage)).toEqual(expected);
  });

  test("covers all eleven stages, each failure with an icon of its own", () => {
    expect(new Set(Object.keys(PHOTO_TO_3D))).toEqual(new Set(STAGES.PHOTO_TO_3D));
    const failures = STAGES.PHOTO_TO_3D.filter((stage) => stage.endsWith("_failed"));
    expect(new Set(failures.map(failedStageIcon)).size).toBe(failures.length);
  });

  test("names the step that failed by its failure", () => {
    const steps = stepsOf({ type: "PHOTO_TO_3D", status: "failed", stage: "job_creation_failed" });
    expect(steps.find(({ state }) => state === "failed")?.stage).toBe("job_creation_failed");
  });
});

test("shows no steps of a type that it does not know", () => {
  expect(states("HOLOGRAM", "processing", "beaming")).toEqual([]);
});
