import { describe, expect, test } from "vitest";
import { perMinute, quantile, readSamples, total } from "../src/tasks/figures.ts";

const TEXT = `# HELP darkroom_tasks_accepted_total Tasks that the log took.
# TYPE darkroom_tasks_accepted_total counter
darkroom_tasks_accepted_total{type="CREATE"} 4.0
darkroom_tasks_accepted_total{type="WHITE_BACKGROUND"} 2.0
seconds_bucket{le="0.01"} 50.0
seconds_bucket{le="0.1"} 90.0
seconds_bucket{le="+Inf"} 100.0
escaped{code="a \\"b\\" \\\\ c\\n,d"} 1
darkroom_waits 0.0
broken line here
`;
const samples = readSamples(TEXT);

describe("the text of the figures", () => {
  test("is read with its labels", () => {
    expect(samples).toHaveLength(7);
    expect(samples.find(({ name }) => name === "escaped")?.labels).toEqual({
      code: 'a "b" \\ c\n,d',
    });
    expect(total(samples, "darkroom_tasks_accepted_total")).toBe(6);
  });
});

describe("a rate", () => {
  const reading = (at: number, value: number) => ({
    at,
    samples: [{ name: "n", labels: {}, value }],
  });

  test("is what was added, per minute", () => {
    expect(perMinute(reading(0, 10), reading(30_000, 15), "n")).toBe(10);
  });

  test("is not known over a restart, nor within one moment", () => {
    expect(perMinute(reading(0, 10), reading(30_000, 2), "n")).toBeNull();
    expect(perMinute(reading(0, 1), reading(0, 2), "n")).toBeNull();
  });
});

describe("a quantile", () => {
  test("is interpolated in its bucket", () => {
    expect(quantile(samples, "seconds", 0.25)).toBeCloseTo(0.005);
    expect(quantile(samples, "seconds", 0.7)).toBeCloseTo(0.055);
  });

  test("beyond the last bound is that bound", () => {
    expect(quantile(samples, "seconds", 0.99)).toBe(0.1);
  });

  test("of nothing is not known", () => {
    expect(quantile([], "seconds", 0.5)).toBeNull();
  });
});
