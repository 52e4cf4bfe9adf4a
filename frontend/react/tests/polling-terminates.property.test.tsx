import { cleanup } from "@testing-library/react";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { useTaskRecovery } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, withFakeTime } from "./rendering.tsx";

withFakeTime();

/** How one task fares: when it ends, counted in polls, and how. */
const fate = fc.record({
  polls: fc.integer({ min: 0, max: 6 }),
  end: fc.constantFrom("complete", "fail", "cancel"),
  /** Whether the gateway can be reached when it ends. */
  outage: fc.boolean(),
});

describe("Property 5: polling terminates on completion", () => {
  test("however many tasks end whenever and however, each is told of once and polling stops", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 5 }), async (fates) => {
        localStorage.clear();
        const gateway = new FakeGateway();
        const tasks = fates.map(() => gateway.add());
        const told = vi.fn();
        const onEnd = { onCompleted: told, onFailed: told, onCancelled: told };
        const { result } = await mounted(gateway, () => useTaskRecovery("CREATE", onEnd));

        for (let poll = 0; poll <= 6; poll += 1) {
          gateway.isDown = false;
          for (const [index, { polls, end, outage }] of fates.entries()) {
            const task = tasks[index];
            if (polls !== poll || task === undefined) continue;
            if (end === "complete") gateway.complete(task);
            else if (end === "fail") gateway.fail(task, "No.");
            else gateway.change(task, { status: "cancelled" });
            gateway.isDown ||= outage;
          }
          await pass(2000);
        }
        gateway.isDown = false;
        await pass(4000);
        const asked = gateway.calls.length;
        await pass(60_000);

        expect(gateway.calls).toHaveLength(asked);
        expect(result.current.tasks).toEqual([]);
        const ids = told.mock.calls.map(([task]) => task.task_id);
        expect(ids).toHaveLength(tasks.length);
        expect(new Set(ids)).toEqual(new Set(tasks.map((task) => task.task_id)));
        cleanup();
      }),
      { numRuns: 40 },
    );
  });

  test("and it does not stop before", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (polls) => {
        localStorage.clear();
        const gateway = new FakeGateway();
        gateway.add();
        await mounted(gateway, () => useTaskRecovery("CREATE"));

        await pass(2000 * polls);

        expect(gateway.asked("/tasks/processing")).toBe(1 + polls);
        cleanup();
      }),
      { numRuns: 15 },
    );
  });
});
