import { act } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { answer, problem } from "../../client/tests/builders.ts";
import { type ProviderParams, useCreateGenerationTask, useGenerationTasks } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();

const providerParams: ProviderParams = {
  service: "KIE",
  model: "MIDJOURNEY",
  apiModel: "midjourney",
  input: { prompt: "A lighthouse", taskType: "mj_txt2img" },
};

/** A page that shows the tasks of a prompt and can make another. */
async function page(gateway: FakeGateway) {
  const { result } = await mounted(gateway, () => ({
    tasks: useGenerationTasks("p1"),
    create: useCreateGenerationTask(),
  }));
  return {
    create: () => act(() => result.current.create.mutate({ promptId: "p1", providerParams })),
    rows: () => result.current.tasks.data?.map((task) => [task.id, task.status, task.model]),
  };
}

describe("the row that stands for a task that is being created", () => {
  test("is there at once, and becomes the task", async () => {
    const gateway = new FakeGateway();
    let accept = (_: Response) => {};
    gateway.instead.set("POST /tasks", () => new Promise((resolve) => (accept = resolve)));
    const { create, rows } = await page(gateway);

    create();
    await settle();
    expect(rows()).toEqual([[expect.stringMatching(/^optimistic-/), "PENDING", "MIDJOURNEY"]]);
    const params = { prompt_id: "p1", provider_params: { ...providerParams } };
    accept(answer(gateway.add(params), 202));
    await settle();

    expect(rows()).toEqual([["task-1", "PENDING", "MIDJOURNEY"]]);
  });

  test("goes when the API refuses, and the others stay", async () => {
    const gateway = new FakeGateway();
    const other = gateway.add({ prompt_id: "p1" });
    gateway.instead.set("POST /tasks", () => problem("queue_full", 429));
    const { create, rows } = await page(gateway);

    create();
    await settle();

    expect(rows()).toEqual([[other.task_id, "PENDING", null]]);
  });

  test("goes when the network fails", async () => {
    const gateway = new FakeGateway();
    const { create, rows } = await page(gateway);
    gateway.isDown = true;

    create();
    await pass(1);
    expect(rows()).toHaveLength(1);
    await pass(20_000);

    expect(rows()).toEqual([]);
  });

  test("two creations have two rows, and the failure of one leaves the other's", async () => {
    const gateway = new FakeGateway();
    const answers = [() => problem("queue_full", 429), () => new Promise<Response>(() => {})];
    gateway.instead.set("POST /tasks", () => (answers.shift() as () => Response)());
    const { create, rows } = await page(gateway);

    create();
    create();
    await pass(10_000);

    expect(rows()).toEqual([[expect.stringMatching(/^optimistic-/), "PENDING", "MIDJOURNEY"]]);
  });
});
