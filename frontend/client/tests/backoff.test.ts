import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { backoffMs, pause } from "../src/backoff.ts";

describe("waiting between attempts", () => {
  test("doubles from half a second, up to fifteen seconds", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 100].map((failures) => backoffMs(failures, 1))).toEqual([
      500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
    ]);
  });

  test("is spread over the upper half, so that clients do not come back together", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, r) => {
          const most = backoffMs(n, 1);
          expect(backoffMs(n, r)).toBeGreaterThanOrEqual(most / 2);
          expect(backoffMs(n, r)).toBeLessThanOrEqual(most);
        },
      ),
    );
  });

  test("ends at once with the reason when it is aborted", async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const paused = pause(1000, controller.signal);

    controller.abort(new Error("enough"));

    await expect(paused).rejects.toThrow("enough");
    await expect(pause(1000, controller.signal)).rejects.toThrow("enough");
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});
