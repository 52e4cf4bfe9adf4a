import { QueryClient } from "@tanstack/react-query";
import { describe, expect, test, vi } from "vitest";
import { answer, problem } from "../../client/tests/builders.ts";
import { queryKeys, useConnection, useDarkroom, useTask, useTaskRecovery } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();

const LOOK = "/tasks/processing";

function streaming(): FakeGateway {
  const gateway = new FakeGateway();
  gateway.streams = true;
  return gateway;
}

describe("recovering tasks by event stream", () => {
  test("is opted in to, by the hook or by the provider", async () => {
    const gateway = streaming();
    gateway.add();

    const polled = await mounted(gateway, () => useTaskRecovery("CREATE"));
    expect([gateway.asked("/events"), polled.result.current.connection]).toEqual([0, "off"]);
    const byHook = await mounted(gateway, () => useTaskRecovery("CREATE", { live: true }));
    const byProvider = await mounted(gateway, () => useTaskRecovery("CREATE"), { live: true });
    const optedOut = await mounted(gateway, () => useTaskRecovery("CREATE", { live: false }), {
      live: true,
    });

    expect([byHook, byProvider, optedOut].map(({ result }) => result.current.connection)).toEqual([
      "live",
      "live",
      "off",
    ]);
    expect(gateway.asked("/events")).toBe(2);
  });

  test("shows each step as it comes, and polls nothing", async () => {
    const gateway = streaming();
    const task = gateway.add();
    const onCompleted = vi.fn();
    const { result } = await mounted(gateway, () =>
      useTaskRecovery("CREATE", { live: true, onCompleted }),
    );
    await pass(10_000);
    const looks = gateway.asked(LOOK);

    gateway.start(task);
    await settle();
    expect(result.current.tasks[0]).toMatchObject({ stage: "generating" });
    gateway.complete(task);
    await settle();
    await pass(30_000);

    expect(onCompleted).toHaveBeenCalledOnce();
    expect(result.current.tasks).toEqual([]);
    expect([looks, gateway.asked(LOOK)]).toEqual([1, 1]);
  });

  test("shows a task that another tab submitted, at once", async () => {
    const gateway = streaming();
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE", { live: true }));

    const task = gateway.add();
    await settle();

    expect(result.current.tasks).toEqual([task]);
  });

  test("places are shown as the line moves", async () => {
    const gateway = streaming();
    const task = gateway.add({ queue_position: 3 });
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE", { live: true }));

    gateway.push("position", { task_id: task.task_id, queue_position: 2, eta_seconds: 8 });
    await settle();

    expect(result.current.tasks[0]).toMatchObject({ queue_position: 2, eta_seconds: 8 });
  });

  test("a task that is told of while a look goes on stays", async () => {
    const gateway = streaming();
    const queryClient = new QueryClient();
    const ended = gateway.add();
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE", { live: true }), {
      queryClient,
    });
    gateway.tasks.delete(ended.task_id);
    const answerIt = gateway.hold(`GET /tasks/${ended.task_id}`, () =>
      problem("task_not_found", 404),
    );

    void queryClient.invalidateQueries({ queryKey: queryKeys.tasks.recoveries });
    await settle();
    const fresh = gateway.add();
    await settle();
    answerIt();
    await settle();
    await pass(10_000);

    expect(result.current.tasks).toEqual([fresh]);
  });

  test("a place that is told of while a look goes on is the later one", async () => {
    const gateway = streaming();
    const queryClient = new QueryClient();
    const task = gateway.add({ queue_position: 3 });
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE", { live: true }), {
      queryClient,
    });
    const answerIt = gateway.hold("GET /tasks/processing", () => answer({ tasks: [task] }));

    void queryClient.invalidateQueries({ queryKey: queryKeys.tasks.recoveries });
    await settle();
    gateway.push("position", { task_id: task.task_id, queue_position: 1, eta_seconds: 2 });
    await settle();
    answerIt();
    await settle();

    expect(result.current.tasks[0]).toMatchObject({ queue_position: 1, eta_seconds: 2 });
  });

  test("an erased task is gone", async () => {
    const gateway = streaming();
    const task = gateway.add();
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE", { live: true }));

    gateway.tasks.delete(task.task_id);
    gateway.push("erased", { task_id: task.task_id }, 9);
    await settle();

    expect(result.current).toMatchObject({ tasks: [], ended: [] });
  });

  test("where there are no streams it polls every 2 s", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const onCompleted = vi.fn();
    const { result } = await mounted(gateway, () =>
      useTaskRecovery("CREATE", { live: true, onCompleted }),
    );

    await pass(4000);
    expect(gateway.asked(LOOK)).toBe(3);
    expect(result.current.connection).toBe("offline");
    gateway.complete(task);
    await pass(2000);

    expect(onCompleted).toHaveBeenCalledOnce();
    expect(gateway.asked("/events")).toBe(1);
  });

  test("when the stream is cut it polls until the stream is back, and misses nothing", async () => {
    const gateway = streaming();
    const [one, two] = [gateway.add(), gateway.add()];
    const onCompleted = vi.fn();
    const { result } = await mounted(gateway, () =>
      useTaskRecovery("CREATE", { live: true, onCompleted }),
    );
    await settle();

    gateway.isDown = true;
    gateway.cut();
    await pass(5000);
    expect(result.current.connection).toBe("offline");
    gateway.complete(one);
    gateway.isDown = false;
    await pass(20_000);
    expect(result.current.connection).toBe("live");
    const looks = gateway.asked(LOOK);
    gateway.complete(two);
    await settle();
    await pass(10_000);

    expect(onCompleted.mock.calls.map(([task]) => task.task_id)).toEqual([
      one.task_id,
      two.task_id,
    ]);
    expect(gateway.asked(LOOK)).toBe(looks);
  });

  test("a reset makes it look again", async () => {
    const gateway = streaming();
    const task = gateway.add();
    const onCompleted = vi.fn();
    await mounted(gateway, () => useTaskRecovery("CREATE", { live: true, onCompleted }));
    await settle();
    gateway.streams = false;
    const { tasks } = gateway;
    tasks.set(task.task_id, { ...task, status: "completed", sequence: 99 });

    gateway.push("reset", {});
    await settle();

    expect(onCompleted).toHaveBeenCalledOnce();
  });
});

/** A stream that is there says so at once and every 15 s; one that does not is taken for dead. */
async function passAlive(gateway: FakeGateway, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 15_000) {
    gateway.push("ping", {});
    await pass(Math.min(left, 15_000));
  }
}

describe("a stream that was refused", () => {
  const unauthorized = () => problem("unauthorized", 401);

  function withoutSession(): FakeGateway {
    const gateway = streaming();
    gateway.instead.set("GET /events", unauthorized);
    return gateway;
  }

  test("is there a minute later, for whoever still holds it", async () => {
    const gateway = withoutSession();
    const { result } = await mounted(gateway, () => useTaskRecovery("CREATE", { live: true }));
    gateway.instead.clear();
    await pass(30_000);
    expect(result.current.connection).toBe("offline");

    await pass(30_000);
    const task = gateway.add();
    await settle();

    expect(result.current).toMatchObject({ connection: "live", tasks: [task] });
    expect(gateway.asked("/events")).toBe(2);
  });

  test("is there at once when a session has begun", async () => {
    const gateway = withoutSession();
    const { result } = await mounted(gateway, () => ({
      ...useTaskRecovery("CREATE", { live: true }),
      retry: useDarkroom().feed.retry,
    }));
    expect(result.current.connection).toBe("offline");

    gateway.instead.clear();
    result.current.retry();
    await settle();

    expect(result.current.connection).toBe("live");
    await passAlive(gateway, 120_000);
    expect([gateway.asked("/events"), gateway.connections]).toEqual([2, 1]);
  });

  test("is not asked for by nobody", async () => {
    const gateway = withoutSession();
    const { unmount } = await mounted(gateway, () => useTaskRecovery("CREATE", { live: true }));

    unmount();
    await pass(300_000);

    expect(gateway.asked("/events")).toBe(1);
  });

  test("one that a session opened ends with it, and begins with the next", async () => {
    const gateway = streaming();
    const { result } = await mounted(gateway, () => ({
      ...useTaskRecovery("CREATE", { live: true }),
      retry: useDarkroom().feed.retry,
    }));

    gateway.instead.set("GET /events", unauthorized);
    result.current.retry();
    await settle();

    expect(result.current.connection).toBe("offline");
    expect(gateway.connections).toBe(0);
  });
});

describe("a tab that nobody sees", () => {
  function see(state: DocumentVisibilityState): void {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
    document.dispatchEvent(new Event("visibilitychange"));
  }

  test("lets go of its stream after a minute, polls, and takes it up where it was", async () => {
    const gateway = streaming();
    const task = gateway.add();
    const { result } = await mounted(gateway, () => ({
      ...useTaskRecovery("CREATE", { live: true }),
      hold: useDarkroom().feed.hold,
    }));

    see("hidden");
    await passAlive(gateway, 59_000);
    expect([result.current.connection, gateway.connections]).toEqual(["live", 1]);
    await pass(2000);
    expect([result.current.connection, gateway.connections]).toEqual(["offline", 0]);
    const letGo = result.current.hold();
    await settle();
    letGo();
    expect(gateway.connections).toBe(0);
    gateway.complete(task);
    await pass(2000);
    expect(result.current.ended).toHaveLength(1);
    see("visible");
    await settle();

    expect([result.current.connection, gateway.connections]).toEqual(["live", 1]);
    const streams = gateway.calls.filter(({ path }) => path === "/events");
    expect(streams.map(({ headers }) => headers.get("Last-Event-ID"))).toEqual([
      null,
      String(task.sequence),
    ]);
  });

  test("keeps its stream when it is seen again within a minute", async () => {
    const gateway = streaming();
    await mounted(gateway, () => useTaskRecovery("CREATE", { live: true }));

    for (const state of ["hidden", "visible"] as const) {
      see(state);
      await passAlive(gateway, 50_000);
    }

    expect([gateway.asked("/events"), gateway.connections]).toEqual([1, 1]);
  });
});

describe("the one stream of a tab", () => {
  test("is shared by all hooks, and closed a moment after the last has gone", async () => {
    const gateway = streaming();
    const task = gateway.add();
    const one = await mounted(
      gateway,
      () => [
        useTaskRecovery("CREATE").connection,
        useTaskRecovery("VIDEO").connection,
        useTask(task.task_id).data?.stage,
        useConnection(),
      ],
      { live: true },
    );

    expect(one.result.current).toEqual(["live", "live", "queued", "live"]);
    expect([gateway.asked("/events"), gateway.connections]).toEqual([1, 1]);
    one.unmount();
    await pass(500);
    expect(gateway.connections).toBe(1);
    await pass(1000);
    expect(gateway.connections).toBe(0);
  });

  test("is one in React's strict mode too", async () => {
    const gateway = streaming();

    await mounted(gateway, () => useTaskRecovery("CREATE"), { live: true, strict: true });
    await pass(5000);

    expect([gateway.asked("/events"), gateway.connections]).toEqual([1, 1]);
  });

  test("who refused is asked again after a minute, not by every component", async () => {
    const gateway = new FakeGateway();
    let held = true;
    const { rerender } = await mounted(gateway, () => useTaskRecovery("CREATE", { live: held }));
    async function again() {
      for (held of [false, true]) rerender();
      await settle();
    }

    await again();
    await pass(30_000);
    await again();
    expect(gateway.asked("/events")).toBe(1);
    await pass(31_000);
    await again();

    expect(gateway.asked("/events")).toBe(2);
  });
});
