import { QueryClient } from "@tanstack/react-query";
import { describe, expect, test } from "vitest";
import { queryKeys, useQueuePosition } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();

function streaming(): FakeGateway {
  const gateway = new FakeGateway();
  gateway.streams = true;
  return gateway;
}

describe("the place of a task in its line", () => {
  test("comes by stream without being asked for", async () => {
    const gateway = streaming();
    const task = gateway.add({ queue_position: 3, eta_seconds: 12.5 });
    const { result } = await mounted(gateway, () => useQueuePosition(task.task_id));
    expect(result.current).toEqual({ position: 3, etaSeconds: 12.5 });

    gateway.push("position", { task_id: task.task_id, queue_position: 2, eta_seconds: 8 });
    await settle();

    expect(result.current).toEqual({ position: 2, etaSeconds: 8 });
    expect(gateway.asked(`/tasks/${task.task_id}`)).toBe(1);
  });

  test("is 0 when the task is not waiting", async () => {
    const gateway = streaming();
    const task = gateway.add();
    const { result } = await mounted(gateway, () => useQueuePosition(task.task_id));

    gateway.start(task);
    await settle();

    expect(result.current.position).toBe(0);
  });

  test("is not known before the server has told it", async () => {
    const gateway = streaming();
    const task = gateway.add({ queue_position: null });
    const { result } = await mounted(gateway, () => useQueuePosition(task.task_id));

    expect(result.current).toEqual({ position: null, etaSeconds: null });
  });

  test("is polled where there is no stream, and no more when the task has ended", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add({ queue_position: 2 });
    const { result } = await mounted(gateway, () => useQueuePosition(task.task_id));

    gateway.tasks.set(task.task_id, { ...task, queue_position: 1 });
    await pass(2000);
    expect(result.current.position).toBe(1);
    gateway.complete(task);
    await pass(2000);
    await pass(60_000);

    expect(result.current.position).toBe(0);
    expect(gateway.asked(`/tasks/${task.task_id}`)).toBe(3);
  });

  test("one from before the page was shown is not shown", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add({ queue_position: 1 });
    const queryClient = new QueryClient();
    queryClient.setQueryData(queryKeys.tasks.detail(task.task_id), { ...task, queue_position: 9 });
    let answerIt = () => {};
    const held = new Promise<void>((resolve) => (answerIt = resolve));
    gateway.instead.set(`GET /tasks/${task.task_id}`, async () => {
      await held;
      return new Response(JSON.stringify(task));
    });

    const { result } = await mounted(gateway, () => useQueuePosition(task.task_id), {
      queryClient,
    });
    expect(result.current.position).toBeNull();
    answerIt();
    await settle();

    expect(result.current.position).toBe(1);
  });
});
