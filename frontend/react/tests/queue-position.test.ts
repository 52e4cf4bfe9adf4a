import type { Task } from "@darkroom/client";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { completed, running, taskOf } from "../../client/tests/builders.ts";
import {
  calculateQueuePosition,
  isWaiting,
  selectAllTasks,
  selectWaitingTasks,
} from "../src/index.ts";

/** A task that came so many seconds after ten o'clock. */
function at(second: number, different: Partial<Task> = {}): Task {
  const created_at = new Date(Date.UTC(2026, 10, 21, 10, 0, second)).toISOString();
  return taskOf({ task_id: `t${String(second).padStart(3, "0")}`, created_at, ...different });
}

const places = (tasks: Task[]) => tasks.map((task) => calculateQueuePosition(task, tasks));
const [first, second, third] = [at(1), at(2), at(3)];

describe("the place of a task among all tasks of its line", () => {
  test("is by creation, whatever the order they are given in", () => {
    expect(places([third, first, second])).toEqual([3, 1, 2]);
  });

  test("moves up when the first completes", () => {
    expect(places([completed(first), second, third])).toEqual([0, 1, 2]);
  });

  test.each<[string, Task]>([
    ["running", running(first)],
    ["completed", completed(first)],
    ["failed", { ...first, status: "failed" }],
    ["cancelled", { ...first, status: "cancelled" }],
    ["pending", { ...first, status: "pending" }],
    ["waiting to be tried again", running(first, { stage: "queued" })],
  ])("is 0 for one that is %s", (_, task) => {
    expect(calculateQueuePosition(task, [task, second])).toBe(0);
    expect(isWaiting(task)).toBe(false);
  });

  test("is 0 for one that is not in the line at all", () => {
    expect(calculateQueuePosition(third, [first, second])).toBe(0);
  });

  test("of two that came in one millisecond, the id decides, which is made in order too", () => {
    const [one, other] = [at(1, { task_id: "b" }), at(1, { task_id: "a" })];

    expect(places([one, other])).toEqual([2, 1]);
    expect(selectAllTasks([one, one])).toEqual([one, one]);
  });

  test("places are 1, 2, 3 … without a gap or a repeat, in order of creation", () => {
    const line = fc.uniqueArray(fc.tuple(fc.nat(500), fc.boolean()), { selector: ([s]) => s });

    fc.assert(
      fc.property(line, (made) => {
        const tasks = made.map(([when, begun]) => (begun ? running(at(when)) : at(when)));
        const waiting = selectWaitingTasks(tasks);
        expect(waiting.map((task) => calculateQueuePosition(task, tasks))).toEqual(
          waiting.map((_, index) => index + 1),
        );
        expect(places(tasks).filter((place) => place > 0)).toHaveLength(waiting.length);
      }),
    );
  });
});

describe("the selectors", () => {
  const tasks = [third, running(second), completed(at(4)), first];

  test("all tasks, by creation", () => {
    expect(selectAllTasks(tasks)).toEqual([first, running(second), third, completed(at(4))]);
  });

  test("those that wait, by creation", () => {
    expect(selectWaitingTasks(tasks)).toEqual([first, third]);
  });

  test("leave what they were given as it is", () => {
    const given = [third, first];

    selectAllTasks(given);
    selectWaitingTasks(given);

    expect(given).toEqual([third, first]);
  });
});
