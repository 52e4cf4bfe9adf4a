import { QueryClient } from "@tanstack/react-query";
import { describe, expect, test, vi } from "vitest";
import { useTaskRecovery } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, type World, withFakeTime } from "./rendering.tsx";

withFakeTime();

/** A visit to the page of CREATE, with what it was told. */
async function visit(gateway: FakeGateway, surroundings: World = {}) {
  const onCompleted = vi.fn();
  const onFailed = vi.fn();
  const hook = () => useTaskRecovery("CREATE", { onCompleted, onFailed });
  const { result, unmount } = await mounted(gateway, hook, surroundings);
  return {
    leave: unmount,
    shows: () => result.current,
    completed: () => onCompleted.mock.calls.map(([task]) => task.task_id),
    failed: () => onFailed.mock.calls.map(([task]) => task.error_msg),
  };
}

describe("tasks that end between two visits", () => {
  test("after a reload, the callbacks are called and the ends are shown", async () => {
    const gateway = new FakeGateway();
    const [one, two, three] = [gateway.add(), gateway.add(), gateway.add()];
    const before = await visit(gateway);
    before.leave();

    gateway.complete(one);
    gateway.fail(two, "Too dark.");
    const after = await visit(gateway);

    expect(before.completed()).toEqual([]);
    expect(after.completed()).toEqual([one.task_id]);
    expect(after.failed()).toEqual(["Too dark."]);
    expect(after.shows().tasks.map((task) => task.task_id)).toEqual([three.task_id]);
    expect(after.shows().ended.map((task) => task.task_id)).toEqual([one.task_id, two.task_id]);
  });

  test("when all have ended, each is asked for once, and then nothing", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    (await visit(gateway)).leave();
    gateway.complete(task);
    gateway.calls.length = 0;

    await visit(gateway);
    await pass(60_000);

    expect(gateway.calls.map((call) => call.path)).toEqual([
      "/tasks/processing?type=CREATE",
      `/tasks/${task.task_id}`,
    ]);
  });

  test("what was told at one visit is told at no other, and is shown at no other", async () => {
    const gateway = new FakeGateway();
    const queryClient = new QueryClient();
    const task = gateway.add();
    const first = await visit(gateway, { queryClient });
    gateway.complete(task);
    await pass(2000);
    expect(first.shows().ended).toHaveLength(1);
    first.leave();

    const sameLoad = await visit(gateway, { queryClient });
    sameLoad.leave();
    const nextLoad = await visit(gateway);

    expect([first, sameLoad, nextLoad].map((each) => each.completed().length)).toEqual([1, 0, 0]);
    expect(sameLoad.shows().ended).toEqual([]);
    expect(nextLoad.shows().ended).toEqual([]);
  });

  test("an answer that comes when the page has just been left is told at the next visit", async () => {
    const gateway = new FakeGateway();
    const queryClient = new QueryClient();
    const task = gateway.add();
    const first = await visit(gateway, { queryClient });
    gateway.complete(task);
    first.leave();

    const next = await visit(gateway, { queryClient });

    expect(first.completed()).toEqual([]);
    expect(next.completed()).toEqual([task.task_id]);
    expect(next.shows().ended).toHaveLength(1);
  });

  test("pages of different types do not take each other's", async () => {
    const gateway = new FakeGateway();
    const video = gateway.add({ type: "VIDEO" });
    const onVideo = vi.fn();
    const videos = await mounted(gateway, () => useTaskRecovery("VIDEO", { onCompleted: onVideo }));
    videos.unmount();
    gateway.complete(video);

    const pictures = await visit(gateway);
    await mounted(gateway, () => useTaskRecovery("VIDEO", { onCompleted: onVideo }));

    expect(pictures.completed()).toEqual([]);
    expect(onVideo).toHaveBeenCalledOnce();
  });

  test("a task that was erased meanwhile is forgotten", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    (await visit(gateway)).leave();
    gateway.tasks.delete(task.task_id);

    const after = await visit(gateway);
    gateway.calls.length = 0;
    after.leave();
    await visit(gateway);

    expect(after.shows()).toMatchObject({ tasks: [], ended: [], error: null });
    expect(gateway.calls.map((call) => call.path)).toEqual(["/tasks/processing?type=CREATE"]);
  });

  test("an end that could not be asked for is asked for again", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    (await visit(gateway)).leave();
    gateway.complete(task);
    gateway.isDown = true;

    const after = await visit(gateway);
    expect(after.completed()).toEqual([]);
    gateway.isDown = false;
    await pass(2000);

    expect(after.completed()).toEqual([task.task_id]);
  });

  test.each([
    [
      "what another page wrote there is passed over",
      (): Storage => {
        localStorage.setItem("darkroom:in-progress:CREATE", "{broken");
        return localStorage;
      },
    ],
    [
      "a storage that refuses is done without",
      (): Storage => {
        const refuse = () => {
          throw new DOMException("denied", "SecurityError");
        };
        return { ...localStorage, getItem: refuse, setItem: refuse, removeItem: refuse };
      },
    ],
    ["where there is no storage, memory serves", (): null => null],
  ])("%s", async (_, storageOf) => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const page = await visit(gateway, { storage: storageOf() });

    gateway.complete(task);
    await pass(2000);

    expect(page.completed()).toEqual([task.task_id]);
  });

  test("no more than two hundred are waited for", async () => {
    const gateway = new FakeGateway();
    for (let made = 0; made < 250; made += 1) gateway.add();

    await visit(gateway);
    await settle();

    const kept = JSON.parse(localStorage.getItem("darkroom:in-progress:CREATE") ?? "");
    expect(kept).toHaveLength(200);
    expect(kept.at(-1)).toBe("task-250");
  });
});
