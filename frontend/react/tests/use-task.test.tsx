import { describe, expect, test } from "vitest";
import { useTask } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();

describe("one task", () => {
  test("is polled every 2 s until it ends, and not after", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const { result } = await mounted(gateway, () => useTask(task.task_id));

    await pass(4000);
    expect(gateway.calls).toHaveLength(3);
    const done = gateway.complete(task);
    await pass(2000);
    await pass(60_000);

    expect(result.current.data).toEqual(done);
    expect(gateway.calls).toHaveLength(4);
  });

  test("is not polled after leaving", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const { unmount } = await mounted(gateway, () => useTask(task.task_id));

    unmount();
    await pass(60_000);

    expect(gateway.calls).toHaveLength(1);
  });

  test("comes by stream, without polls", async () => {
    const gateway = new FakeGateway();
    gateway.streams = true;
    const task = gateway.add();
    const { result } = await mounted(gateway, () => useTask(task.task_id, { live: true }));

    await pass(10_000);
    gateway.start(task);
    await settle();

    expect(result.current.data).toMatchObject({ stage: "generating" });
    expect(gateway.asked(`/tasks/${task.task_id}`)).toBe(1);
  });

  test("an answer that is older than what the stream told is passed over", async () => {
    const gateway = new FakeGateway();
    gateway.streams = true;
    const task = gateway.add();
    const { result } = await mounted(gateway, () => useTask(task.task_id, { live: true }));
    gateway.start(task);
    await settle();

    gateway.tasks.set(task.task_id, task);
    await result.current.refetch();
    await settle();

    expect(result.current.data).toMatchObject({ stage: "generating" });
  });

  test("no task is nothing to ask for", async () => {
    const gateway = new FakeGateway();

    const { result } = await mounted(gateway, () => useTask(null));

    expect(result.current.data).toBeUndefined();
    expect(gateway.calls).toEqual([]);
  });

  test("an unknown task is an error, asked for once", async () => {
    const gateway = new FakeGateway();
    const { result } = await mounted(gateway, () => useTask("nobody"));

    await pass(60_000);

    expect(result.current.error).toMatchObject({ code: "task_not_found" });
    expect(gateway.calls).toHaveLength(1);
  });
});
