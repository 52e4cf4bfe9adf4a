import { focusManager } from "@tanstack/react-query";
import { describe, expect, test, vi } from "vitest";
import { problem } from "../../client/tests/builders.ts";
import { useTaskRecovery } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();

const LOOK = "/tasks/processing?type=CREATE";

describe("recovering tasks by polling", () => {
  test("asks when it is mounted, and shows what goes on with prompt and references", async () => {
    const gateway = new FakeGateway();
    const reference_images = ["http://gateway.test/uploads/u1"];
    const task = gateway.add({ prompt: "a red bicycle", reference_images });
    gateway.add({ type: "VIDEO" });

    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE"));

    expect(result.current.tasks).toEqual([task]);
    expect(result.current.tasks[0]).toMatchObject({ prompt: "a red bicycle", reference_images });
    expect(gateway.calls.map((call) => call.path)).toEqual([LOOK]);
  });

  test("is loading until the first answer", async () => {
    const gateway = new FakeGateway();
    gateway.instead.set("GET /tasks/processing", () => new Promise<Response>(() => {}));

    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE"));

    expect(result.current).toMatchObject({ tasks: [], ended: [], isLoading: true, error: null });
  });

  test("polls every 2 s while a task goes on", async () => {
    const gateway = new FakeGateway();
    gateway.add();
    await mounted(gateway, () => useTaskRecovery("CREATE"));

    const counted: number[] = [];
    for (const ms of [1900, 200, 1800, 200, 1800, 200]) {
      await pass(ms);
      counted.push(gateway.asked(LOOK));
    }

    expect(counted).toEqual([1, 2, 2, 3, 3, 4]);
  });

  test("asks nothing more when there is nothing", async () => {
    const gateway = new FakeGateway();
    await mounted(gateway, () => useTaskRecovery("CREATE"));

    await pass(60_000);

    expect(gateway.asked(LOOK)).toBe(1);
  });

  test.each(["complete", "fail"] as const)("stops when the tasks %s", async (end) => {
    const gateway = new FakeGateway();
    const tasks = [gateway.add(), gateway.add()];
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE"));

    await pass(2000);
    for (const task of tasks) gateway[end](task, "Too dark.");
    await pass(2000);
    const asked = gateway.calls.length;
    await pass(60_000);

    expect(asked).toBe(3 + tasks.length);
    expect(gateway.calls).toHaveLength(asked);
    expect(result.current.tasks).toEqual([]);
    expect(result.current.ended.map((task) => task.task_id)).toEqual(
      tasks.map((task) => task.task_id),
    );
  });

  test("stops when it is unmounted", async () => {
    const gateway = new FakeGateway();
    gateway.add();
    const { unmount } = await mounted(gateway, () => useTaskRecovery("CREATE"));

    unmount();
    await pass(60_000);

    expect(gateway.asked(LOOK)).toBe(1);
  });

  test("begins again with a new task", async () => {
    const gateway = new FakeGateway();
    const { result, rerender } = await mounted(gateway, () => useTaskRecovery("CREATE"));
    gateway.add();

    focusManager.setFocused(false);
    focusManager.setFocused(true);
    await settle();
    rerender();
    await pass(2000);

    expect(result.current.tasks).toHaveLength(1);
    expect(gateway.asked(LOOK)).toBe(3);
    focusManager.setFocused(undefined);
  });

  test("goes on in a tab that nobody looks at", async () => {
    const gateway = new FakeGateway();
    gateway.add();
    focusManager.setFocused(false);
    await mounted(gateway, () => useTaskRecovery("CREATE"));

    await pass(4000);

    expect(gateway.asked(LOOK)).toBe(3);
    focusManager.setFocused(undefined);
  });

  test("may poll at another pace", async () => {
    const gateway = new FakeGateway();
    gateway.add();
    await mounted(gateway, () => useTaskRecovery("CREATE", { pollMs: 500 }));

    await pass(1000);

    expect(gateway.asked(LOOK)).toBe(3);
  });

  test("a network that fails is shown and asked again, every 2 s, until it is back", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE"));

    gateway.isDown = true;
    await pass(4000);
    expect(result.current).toMatchObject({ tasks: [task], error: { code: "network" } });
    expect(gateway.asked(LOOK)).toBe(3);
    gateway.isDown = false;
    await pass(2000);

    expect(result.current).toMatchObject({ tasks: [task], error: null });
  });

  test("a refusal is shown, and not asked again", async () => {
    const gateway = new FakeGateway();
    gateway.instead.set("GET /tasks/processing", () => problem("unauthorized", 401));
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE"));

    await pass(60_000);

    expect(result.current).toMatchObject({ error: { code: "unauthorized" }, isLoading: false });
    expect(gateway.asked(LOOK)).toBe(1);
  });

  test("two components that show the same type share their polls", async () => {
    const gateway = new FakeGateway();
    gateway.add();
    const onCompleted = vi.fn();
    await mounted(gateway, () => {
      useTaskRecovery("CREATE", { onCompleted });
      useTaskRecovery("CREATE", { onCompleted });
    });

    await pass(2000);

    expect(gateway.asked(LOOK)).toBe(2);
  });

  test("another type is another look", async () => {
    const gateway = new FakeGateway();
    const video = gateway.add({ type: "VIDEO" });
    let type = "CREATE";
    const { result, rerender } = await mounted(gateway, () => useTaskRecovery(type));

    type = "VIDEO";
    rerender();
    await settle();

    expect(result.current.tasks).toEqual([video]);
  });
});
