import { describe, expect, test, vi } from "vitest";
import { useTaskRecovery } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, withFakeTime } from "./rendering.tsx";

withFakeTime();

function callbacks() {
  return { onCompleted: vi.fn(), onFailed: vi.fn(), onCancelled: vi.fn() };
}

describe("being told of ends", () => {
  test("onCompleted gets the task with its picture, once", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const told = callbacks();
    await mounted(gateway, () => useTaskRecovery("CREATE", told));

    const done = gateway.complete(task);
    await pass(10_000);

    expect(told.onCompleted.mock.calls).toEqual([[done]]);
    expect(told.onCompleted.mock.calls[0]?.[0].image_url).toContain(task.task_id);
    expect(told.onFailed).not.toHaveBeenCalled();
  });

  test("onFailed gets the task with its message, once", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const told = callbacks();
    await mounted(gateway, () => useTaskRecovery("CREATE", told));

    gateway.fail(task, "Too dark.");
    await pass(10_000);

    expect(told.onFailed).toHaveBeenCalledOnce();
    expect(told.onFailed.mock.calls[0]?.[0].error_msg).toBe("Too dark.");
    expect(told.onCompleted).not.toHaveBeenCalled();
  });

  test("a task that was cancelled is neither", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const told = callbacks();
    await mounted(gateway, () => useTaskRecovery("CREATE", told));

    gateway.change(task, { status: "cancelled" });
    await pass(2000);

    expect(told.onCancelled).toHaveBeenCalledOnce();
    expect(told.onCompleted).not.toHaveBeenCalled();
    expect(told.onFailed).not.toHaveBeenCalled();
  });

  test("each task is told of when it ends, while the others go on", async () => {
    const gateway = new FakeGateway();
    const tasks = [gateway.add(), gateway.add(), gateway.add()] as const;
    const told = callbacks();
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE", told));

    gateway.complete(tasks[1]);
    await pass(2000);
    expect(result.current.tasks.map((task) => task.task_id)).toEqual([
      tasks[0].task_id,
      tasks[2].task_id,
    ]);
    gateway.complete(tasks[0]);
    gateway.fail(tasks[2], "No.");
    await pass(2000);

    expect(told.onCompleted.mock.calls.map(([task]) => task.task_id)).toEqual([
      tasks[1].task_id,
      tasks[0].task_id,
    ]);
    expect(told.onFailed).toHaveBeenCalledOnce();
  });

  test("the callback of the last render is called", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const first = vi.fn();
    const second = vi.fn();
    let onCompleted = first;
    const { rerender } = await mounted(gateway, () => useTaskRecovery("CREATE", { onCompleted }));

    onCompleted = second;
    rerender();
    gateway.complete(task);
    await pass(2000);

    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
  });

  test("React's strict mode tells nobody twice", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const told = callbacks();
    await mounted(gateway, () => useTaskRecovery("CREATE", told), { strict: true });

    gateway.complete(task);
    await pass(10_000);

    expect(told.onCompleted).toHaveBeenCalledOnce();
  });

  test("every component that asked is told", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const [one, other] = [callbacks(), callbacks()];
    await mounted(gateway, () => {
      useTaskRecovery("CREATE", one);
      useTaskRecovery("CREATE", other);
    });

    gateway.complete(task);
    await pass(2000);

    expect([one.onCompleted.mock.calls.length, other.onCompleted.mock.calls.length]).toEqual([
      1, 1,
    ]);
  });

  test("nobody is told after leaving", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const told = callbacks();
    const { unmount } = await mounted(gateway, () => useTaskRecovery("CREATE", told));

    unmount();
    gateway.complete(task);
    await pass(10_000);

    expect(told.onCompleted).not.toHaveBeenCalled();
  });
});
