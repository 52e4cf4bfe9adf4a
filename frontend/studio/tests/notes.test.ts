import { describe, expect, test } from "vitest";
import { en } from "../src/strings/en.ts";
import { formatsFor } from "../src/tasks/formats.ts";
import {
  artifactsOf,
  checkingText,
  isLate,
  reasonText,
  substitutionText,
} from "../src/tasks/notes.ts";
import { completedSample, failedSample, runningSample, sample } from "../src/tasks/sample.ts";

const formats = { ...formatsFor("en-GB"), time: (moment: string) => moment.slice(11, 16) };
const until = "2026-11-21T14:03:00Z";
const open = { code: "circuit_open", provider: "KIE", until } as const;
const busy = { code: "provider_busy", provider: "KIE", until: null } as const;

describe("why a task waits", () => {
  test("is told by the task, or by what was asked apart from it", () => {
    const told = sample({ waiting_for: open });
    expect(reasonText(told, null, en, formats)).toBe("KIE is having trouble: tried again at 14:03");
    expect(reasonText(sample(), busy, en, formats)).toBe("KIE takes no more at present");
    // What was asked last is right.
    expect(reasonText(told, busy, en, formats)).toBe("KIE takes no more at present");
  });

  test("is nothing to tell of one that doesn't wait, or waits in line only", () => {
    expect(reasonText(runningSample(), open, en, formats)).toBeNull();
    expect(reasonText(sample(), null, en, formats)).toBeNull();
  });
});

test("tells who stood in for whom, once that is known", () => {
  const metadata = { substituted_from: "kie" };
  expect(substitutionText(runningSample({ metadata }), en)).toBe(
    "Made by STUDIO, because KIE was down",
  );
  expect(substitutionText(sample({ metadata }), en)).toBeNull();
  expect(substitutionText(runningSample(), en)).toBeNull();
});

test("tells whom it asks if they took the task, while it goes on", () => {
  const metadata = { submit_unknown: { provider: "kie" } };
  expect(checkingText(runningSample({ metadata }), en)).toBe("Checking whether KIE took this task");
  expect(checkingText(failedSample("internal", "", {}, { metadata }), en)).toBeNull();
  expect(checkingText(runningSample({ metadata: { submit_unknown: null } }), en)).toBeNull();
  expect(checkingText(runningSample({ metadata: { submit_unknown: {} } }), en)).toBeNull();
});

test("what came late stands in for what didn't come in time", () => {
  const { artifacts } = completedSample("/artifacts/a.png");
  const late = failedSample("timeout", "late", {}, { late_artifacts: artifacts });
  expect([artifactsOf(late), isLate(late)]).toEqual([artifacts, true]);
  const onTime = completedSample("/artifacts/a.png");
  expect([artifactsOf(onTime), isLate(onTime)]).toEqual([artifacts, false]);
  expect([artifactsOf(sample()), isLate(sample())]).toEqual([[], false]);
});
