import { describe, expect, test } from "vitest";
import { answer } from "../../client/tests/builders.ts";
import { useConnection, useTaskHistory } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();

async function watched() {
  const gateway = new FakeGateway();
  gateway.streams = true;
  const tasks = Array.from({ length: 20 }, () => gateway.add());
  const { result } = await mounted(gateway, () => {
    useConnection();
    return useTaskHistory({ status: "completed" });
  });
  const ended = () => result.current.data?.map((task) => task.task_id);
  return { gateway, tasks, ended };
}

describe("a history while tasks end", () => {
  test("is asked for once a second at most, and has the last end", async () => {
    const { gateway, tasks, ended } = await watched();
    expect(gateway.asked("/tasks")).toBe(1);

    for (const task of tasks) {
      gateway.complete(task);
      await pass(50);
    }
    await pass(2000);

    expect(gateway.asked("/tasks")).toBe(3);
    expect(new Set(ended())).toEqual(new Set(tasks.map((task) => task.task_id)));
    await pass(60_000);
    expect(gateway.asked("/tasks")).toBe(3);
  });

  test("that takes longer than that is not begun again, and asked for once more after it", async () => {
    const { gateway, tasks, ended } = await watched();
    const [first, last] = [tasks[0], tasks[19]];
    if (first === undefined || last === undefined) throw new Error("there are 20");
    const answerIt = gateway.hold("GET /tasks", () => answer({ tasks: [], next_cursor: null }));

    gateway.complete(first);
    await pass(3000);
    gateway.complete(last);
    await pass(3000);
    expect(gateway.asked("/tasks")).toBe(2);
    gateway.instead.clear();
    answerIt();
    await settle();
    await pass(1000);

    expect(gateway.asked("/tasks")).toBe(3);
    expect(ended()).toContain(last.task_id);
  });
});
