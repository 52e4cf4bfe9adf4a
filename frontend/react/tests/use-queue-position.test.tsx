import { QueryClient } from "@tanstack/react-query";
import { describe, expect, test } from "vitest";
import { answer, taskOf } from "../../client/tests/builders.ts";
import { queryKeys, useConnection, useQueuePosition } from "../src/index.ts";
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
    const answerIt = gateway.hold(`GET /tasks/${task.task_id}`, () => answer(task));

    const { result } = await mounted(gateway, () => useQueuePosition(task.task_id), {
      queryClient,
    });
    expect(result.current.position).toBeNull();
    answerIt();
    await settle();

    expect(result.current.position).toBe(1);
  });

  test("nor is it while a stream is there and has not told of the task", async () => {
    const gateway = streaming();
    const task = taskOf({ task_id: "elsewhere", queue_position: 9 });
    const queryClient = new QueryClient();
    queryClient.setQueryData(queryKeys.tasks.detail(task.task_id), task);
    const answerIt = gateway.hold(`GET /tasks/${task.task_id}`, () =>
      answer({ ...task, queue_position: 1 }),
    );

    const { result } = await mounted(
      gateway,
      () => ({ ...useQueuePosition(task.task_id), connection: useConnection() }),
      { queryClient },
    );
    expect(result.current).toMatchObject({ position: null, connection: "live" });
    answerIt();
    await settle();

    expect(result.current.position).toBe(1);
  });

  test("one that was told after the question outlives the answer", async () => {
    const gateway = streaming();
    const task = gateway.add({ queue_position: 3 });
    const answerIt = gateway.hold(`GET /tasks/${task.task_id}`, () => answer(task));
    const { result } = await mounted(gateway, () => useQueuePosition(task.task_id));

    gateway.push("position", { task_id: task.task_id, queue_position: 2, eta_seconds: 8 });
    await settle();
    expect(result.current.position).toBe(2);
    answerIt();
    await settle();

    expect(result.current).toEqual({ position: 2, etaSeconds: 8 });
  });
});
