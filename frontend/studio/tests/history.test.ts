import { describe, expect, test } from "vitest";
import { endedBetween } from "../src/data/visits.ts";
import { EVERYTHING, matches, readQuery, writeQuery } from "../src/tasks/history.ts";
import { lanesOf } from "../src/tasks/lanes.ts";
import { runningSample, sample, sampleOffer, sampleProvider } from "../src/tasks/sample.ts";
import { timelineOf } from "../src/tasks/timeline.ts";

describe("the filters of the history", () => {
  test("stand in the address, and come back from it", () => {
    const query = { search: "red fox", type: "VIDEO", status: "failed" } as const;
    expect(writeQuery(query)).toBe("?q=red+fox&type=VIDEO&status=failed");
    expect(readQuery(new URLSearchParams(writeQuery(query)))).toEqual(query);
    expect(writeQuery(EVERYTHING)).toBe("");
  });

  test("are none where the address says nonsense", () => {
    expect(readQuery(new URLSearchParams("type=toString&status=maybe"))).toEqual(EVERYTHING);
  });

  test("find every word, in any case and order", () => {
    const task = { prompt: "A red bicycle by the Sea", task_id: "0199" };
    expect(matches(task, "sea RED", "en")).toBe(true);
    expect(matches(task, "red fox", "en")).toBe(false);
    expect(matches({ prompt: null, task_id: "0199-ab" }, "0199", "en")).toBe(true);
    expect(matches(task, "  ", "en")).toBe(true);
  });
});

test("a search finds words in the case of the page's language, and of English", () => {
  const task = { prompt: "IŞIKLI IMAGE", task_id: "0199" };
  expect(matches(task, "ışıklı", "en")).toBe(false);
  expect(matches(task, "ışıklı", "tr")).toBe(true);
  expect(matches(task, "ışıklı image", "tr")).toBe(true);
});

describe("a visit", () => {
  const visit = {
    before: Date.parse("2026-11-21T09:00:00Z"),
    began: Date.parse("2026-11-21T12:00:00Z"),
  };

  test.each([
    ["2026-11-21T10:00:00Z", true],
    ["2026-11-21T08:00:00Z", false],
    ["2026-11-21T12:00:01Z", false],
    [null, false],
  ])("finds new what ended at %s: %s", (finished_at, expected) => {
    expect(endedBetween({ finished_at }, visit)).toBe(expected);
  });

  test("finds nothing new when it is the first", () => {
    const first = { ...visit, before: null };
    expect(endedBetween({ finished_at: "2026-11-21T10:00:00Z" }, first)).toBe(false);
  });
});

test("counts what waits and runs in the lane of its provider", () => {
  const offer = sampleOffer();
  const forge = sampleProvider({ name: "FORGE", healthy: false });
  const offers = [
    {
      ...offer,
      providers: [...offer.providers, forge],
    },
  ];
  const tasks = [
    sample(),
    runningSample(),
    sample({ provider_params: { service: "FORGE" } }),
    sample({ type: "VIDEO" }),
  ];
  expect(lanesOf(offers, tasks)).toEqual([
    { type: "CREATE", provider: sampleProvider(), waiting: 1, running: 1, since: null },
    { type: "CREATE", provider: forge, waiting: 1, running: 0, since: null },
  ]);
});

test("tells what happened in steps, not in every percent", () => {
  const event = (sequence: number, type: string, data = {}) => ({
    id: String(sequence),
    source: "test",
    subject: "task",
    type: `generation.${type}`,
    time: `2026-11-21T10:00:0${sequence}Z`,
    logtime: `2026-11-21T10:00:0${sequence}Z`,
    data,
    sequence,
  });
  const rows = timelineOf([
    event(1, "requested"),
    event(2, "started"),
    event(3, "progressed", { stage: "generating", progress: 10 }),
    event(4, "progressed", { progress: 60 }),
    event(5, "progressed", { stage: "saving", progress: 95 }),
    event(6, "completed"),
  ]);
  expect(rows.map(({ type, stage, percent, after }) => [type, stage, percent, after])).toEqual([
    ["generation.requested", null, null, 0],
    ["generation.started", null, null, 1],
    ["generation.progressed", "generating", 60, 3],
    ["generation.progressed", "saving", 95, 4],
    ["generation.completed", null, null, 5],
  ]);
});
