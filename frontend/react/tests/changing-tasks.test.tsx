import { act } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { answer } from "../../client/tests/builders.ts";
import {
  useCancelTask,
  useDarkroom,
  useGenerationTypes,
  useRetryTask,
  useSubmitTask,
  useTaskHistory,
  useTaskRecovery,
} from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();

describe("submitting", () => {
  test("the task is among those in progress at once, and is followed to its end", async () => {
    const gateway = new FakeGateway();
    const onCompleted = vi.fn();
    const { result } = await mounted(gateway, () => ({
      recovery: useTaskRecovery("CREATE", { onCompleted }),
      submit: useSubmitTask(),
    }));

    act(() => result.current.submit.mutate({ type: "CREATE", prompt: "a lighthouse" }));
    await settle();
    const [task] = result.current.recovery.tasks;
    expect(task).toMatchObject({ task_id: "task-1", prompt: "a lighthouse" });
    expect(gateway.asked("/tasks/processing")).toBe(1);
    gateway.complete(result.current.submit.data ?? gateway.add());
    await pass(2000);

    expect(onCompleted).toHaveBeenCalledOnce();
  });

  test("a task that was submitted and left is told of at the next visit", async () => {
    const gateway = new FakeGateway();
    const page = await mounted(gateway, useSubmitTask);
    act(() => page.result.current.mutate({ type: "CREATE", prompt: "a lighthouse" }));
    await settle();
    page.unmount();
    gateway.complete(page.result.current.data ?? gateway.add());

    const onCompleted = vi.fn();
    await mounted(gateway, () => useTaskRecovery("CREATE", { onCompleted }));

    expect(onCompleted).toHaveBeenCalledOnce();
  });

  test("a look that was under way does not hide it", async () => {
    const gateway = new FakeGateway();
    const { result } = await mounted(gateway, () => ({
      recovery: useTaskRecovery("CREATE"),
      submit: useSubmitTask(),
    }));
    gateway.add();
    let late = (_: Response) => {};
    gateway.instead.set("GET /tasks/processing", () => new Promise((resolve) => (late = resolve)));
    act(() => result.current.submit.mutate({ type: "CREATE", prompt: "a lighthouse" }));
    await settle();
    await pass(2000);

    late(answer({ tasks: [] }));
    await settle();

    expect(result.current.recovery.tasks.map((task) => task.prompt)).toEqual(["a lighthouse"]);
  });
});

describe("cancelling", () => {
  test("the task is shown as cancelled at once", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const { result } = await mounted(gateway, () => ({
      recovery: useTaskRecovery("CREATE"),
      cancel: useCancelTask(),
    }));

    act(() => result.current.cancel.mutate(task.task_id));
    await settle();

    expect(result.current.recovery.tasks).toEqual([]);
    expect(result.current.recovery.ended).toMatchObject([{ status: "cancelled" }]);
    await pass(60_000);
    expect(gateway.asked("/tasks/processing")).toBe(1);
  });

  test("one that has lost is an error, and the task is shown as it ended", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const { result } = await mounted(gateway, () => ({
      recovery: useTaskRecovery("CREATE"),
      cancel: useCancelTask(),
    }));
    gateway.complete(task);

    act(() => result.current.cancel.mutate(task.task_id));
    await settle();

    expect(result.current.cancel.error).toMatchObject({ code: "already_finished" });
    expect(result.current.recovery.ended).toMatchObject([{ status: "completed" }]);
  });
});

describe("retrying", () => {
  test("is a new task in progress", async () => {
    const gateway = new FakeGateway();
    const task = gateway.fail(gateway.add(), "Too dark.");
    const { result } = await mounted(gateway, () => ({
      recovery: useTaskRecovery("CREATE"),
      retry: useRetryTask(),
    }));

    act(() => result.current.retry.mutate(task.task_id));
    await settle();

    expect(result.current.recovery.tasks).toMatchObject([{ metadata: { retry_of: task.task_id } }]);
  });
});

describe("the history", () => {
  test("comes in pages, newest first", async () => {
    const gateway = new FakeGateway();
    const [one, two] = [gateway.add(), gateway.add()];
    const pages = [
      { tasks: [two], next_cursor: "c" },
      { tasks: [one], next_cursor: null },
    ];
    gateway.instead.set("GET /tasks", () => answer(pages.shift()));
    const { result } = await mounted(gateway, () => useTaskHistory({ type: "CREATE", limit: 1 }));
    expect([result.current.data, result.current.hasNextPage]).toEqual([[two], true]);

    act(() => void result.current.fetchNextPage());
    await settle();

    expect([result.current.data, result.current.hasNextPage]).toEqual([[two, one], false]);
    expect(gateway.calls.map((call) => call.path)).toEqual([
      "/tasks?type=CREATE&limit=1",
      "/tasks?type=CREATE&limit=1&cursor=c",
    ]);
  });

  test("is asked for anew when a task ends", async () => {
    const gateway = new FakeGateway();
    gateway.streams = true;
    const task = gateway.add();
    const { result } = await mounted(gateway, () => {
      useTaskRecovery("CREATE", { live: true });
      return useTaskHistory({});
    });

    gateway.complete(task);
    await settle();

    expect(result.current.data).toMatchObject([{ status: "completed" }]);
  });

  test("shows of a task what was told last, however old the page that comes", async () => {
    const gateway = new FakeGateway();
    gateway.streams = true;
    const task = gateway.add();
    gateway.instead.set("GET /tasks", () => answer({ tasks: [task], next_cursor: null }));
    const { result } = await mounted(gateway, () => {
      useTaskRecovery("CREATE", { live: true });
      return { all: useTaskHistory({}), going: useTaskHistory({ status: task.status }) };
    });
    expect(result.current.going.data).toEqual([task]);

    const completed = gateway.complete(task);
    await settle();

    expect(result.current.all.data).toEqual([completed]);
    expect(result.current.going.data).toEqual([]);
  });

  test("by polling too", async () => {
    const gateway = new FakeGateway();
    const task = gateway.add();
    const { result } = await mounted(gateway, () => {
      useTaskRecovery("CREATE");
      return useTaskHistory({});
    });

    gateway.complete(task);
    await pass(2000);

    expect(result.current.data).toMatchObject([{ status: "completed" }]);
  });
});

describe("the rest", () => {
  test("what can be asked for", async () => {
    const gateway = new FakeGateway();
    gateway.instead.set("GET /generation-types", () => answer({ types: [{ type: "CREATE" }] }));

    const { result } = await mounted(gateway, useGenerationTypes);

    expect(result.current.data).toEqual([{ type: "CREATE" }]);
  });

  test("the client, for calls that no hook makes", async () => {
    const gateway = new FakeGateway();

    const { result } = await mounted(gateway, useDarkroom);

    expect(result.current.client).toBe(gateway.client);
  });

  test("a hook without a provider says what is missing", async () => {
    const { renderHook } = await import("@testing-library/react");
    vi.spyOn(console, "error").mockImplementation(() => {});

    expect(() => renderHook(useDarkroom)).toThrow("<DarkroomProvider>");
  });
});
