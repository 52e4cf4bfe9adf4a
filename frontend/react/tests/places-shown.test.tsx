import { screen } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { calculateQueuePosition, useQueuePosition, useTaskRecovery } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { pass, settle, shown, withFakeTime } from "./rendering.tsx";

withFakeTime();

/** A card for each task in progress, with its place, counted from all tasks of the line. */
function Line() {
  const { tasks } = useTaskRecovery("CREATE");
  return tasks.map((task) => <li key={task.task_id}>{calculateQueuePosition(task, tasks)}</li>);
}

/** The same, with the places that the server tells. */
function ServerLine() {
  const { tasks } = useTaskRecovery("CREATE");
  return tasks.map((task) => <Place key={task.task_id} taskId={task.task_id} />);
}

function Place({ taskId }: { readonly taskId: string }) {
  const { position, etaSeconds } = useQueuePosition(taskId);
  return (
    <li>
      {position ?? "?"}
      {etaSeconds !== null && ` in ${etaSeconds} s`}
    </li>
  );
}

const places = () => screen.queryAllByRole("listitem").map((each) => each.textContent);

function streaming(): FakeGateway {
  const gateway = new FakeGateway();
  gateway.streams = true;
  return gateway;
}

describe("places on the page", () => {
  test("a single waiting task is at place 1", async () => {
    const gateway = streaming();
    gateway.add();

    await shown(gateway, <Line />, { live: true });

    expect(places()).toEqual(["1"]);
  });

  test("three waiting tasks are at places 1, 2, 3", async () => {
    const gateway = streaming();
    for (const _ of "abc") gateway.add();

    await shown(gateway, <Line />, { live: true });

    expect(places()).toEqual(["1", "2", "3"]);
  });

  test("when the first starts, the others move up", async () => {
    const gateway = streaming();
    const first = gateway.add();
    gateway.add();
    gateway.add();
    await shown(gateway, <Line />, { live: true });

    gateway.start(first);
    await settle();

    expect(places()).toEqual(["0", "1", "2"]);
  });

  test("when a task completes, the others keep moving up", async () => {
    const gateway = streaming();
    const first = gateway.add();
    const second = gateway.add();
    gateway.add();
    await shown(gateway, <Line />, { live: true });

    gateway.start(first);
    gateway.complete(first);
    gateway.start(second);
    await settle();

    expect(places()).toEqual(["0", "1"]);
  });

  test("a new task is at the end", async () => {
    const gateway = streaming();
    gateway.add();
    await shown(gateway, <Line />, { live: true });

    gateway.add();
    await settle();

    expect(places()).toEqual(["1", "2"]);
  });

  test("by polling it is the same, 2 s later", async () => {
    const gateway = new FakeGateway();
    const first = gateway.add();
    gateway.add();
    await shown(gateway, <Line />);

    gateway.start(first);
    await pass(2000);

    expect(places()).toEqual(["0", "1"]);
  });
});

describe("places as the server counts them, over all users", () => {
  test("are shown as they are pushed", async () => {
    const gateway = streaming();
    const task = gateway.add({ queue_position: 7 });
    await shown(gateway, <ServerLine />, { live: true });
    expect(places()).toEqual(["7"]);

    gateway.push("position", { task_id: task.task_id, queue_position: 6, eta_seconds: 30 });
    await settle();
    expect(places()).toEqual(["6 in 30 s"]);
    gateway.start(task);
    await settle();

    expect(places()).toEqual(["0"]);
  });
});
