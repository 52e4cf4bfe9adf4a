import { NetworkError, ProblemError, type SubmitTask, type Task } from "@darkroom/client";
import { describe, expect, test, vi } from "vitest";
import { Outbox, type Shelf, withoutTask } from "../src/data/outbox.ts";
import { sample } from "../src/tasks/sample.ts";

const REQUEST: SubmitTask = { type: "CREATE", prompt: "a fox" };
const MARKED = { ...REQUEST, metadata: { outbox: "k1" } };
const AT = "2026-11-21T10:00:00Z";

function shelf(text: string | null = null): Shelf & { text: string | null } {
  return {
    text,
    read() {
      return this.text;
    },
    write(written) {
      this.text = written;
    },
  };
}

function outboxWith(answers: (() => Promise<Task>)[], kept = shelf()) {
  const submit = vi.fn(
    (_: SubmitTask, __?: { idempotencyKey?: string; signal?: AbortSignal | undefined }) => {
      const answer = answers.shift();
      if (answer === undefined) throw new Error("sent once too often");
      return answer();
    },
  );
  const onSent = vi.fn(async () => undefined);
  return { outbox: new Outbox({ submit }, kept, onSent), submit, onSent, kept };
}

const accepted = async () => sample();
const cutOff = async () => Promise.reject(new NetworkError("cut off"));
const refused = async () =>
  Promise.reject(
    new ProblemError({ code: "queue_full", status: 429, title: "Queue full", detail: "Full." }),
  );

describe("what was submitted", () => {
  test("is there at once, and gone when its task is shown", async () => {
    const { outbox, onSent, kept } = outboxWith([accepted]);
    const sending = outbox.submit(REQUEST, "k1", AT);
    expect(outbox.entries()).toMatchObject([{ key: "k1", state: "sending" }]);
    expect(kept.text).toContain("k1");

    await sending;

    expect(onSent).toHaveBeenCalledWith(sample());
    expect(outbox.entries()).toEqual([]);
    expect(kept.text).toBeNull();
  });

  test("waits for the network, and goes out again with the same key", async () => {
    const { outbox, submit } = outboxWith([cutOff, accepted]);
    await outbox.submit(REQUEST, "k1", AT);
    expect(outbox.entries()).toMatchObject([{ state: "unanswered", problem: { code: "network" } }]);

    await outbox.resume();

    expect(submit.mock.calls.map(([, options]) => options?.idempotencyKey)).toEqual(["k1", "k1"]);
    expect(outbox.entries()).toEqual([]);
  });

  test("survives a reload", async () => {
    const first = outboxWith([cutOff]);
    await first.outbox.submit(REQUEST, "k1", AT);

    const { outbox, submit } = outboxWith([accepted], shelf(first.kept.text));
    expect(outbox.entries()).toMatchObject([{ key: "k1", state: "unanswered" }]);
    await outbox.resume();

    expect(submit).toHaveBeenCalledWith(MARKED, {
      idempotencyKey: "k1",
      signal: expect.any(AbortSignal),
    });
  });

  test("is not sent again by itself once it was refused", async () => {
    const { outbox, submit } = outboxWith([refused, accepted]);
    await outbox.submit(REQUEST, "k1", AT);
    await outbox.resume();
    expect(submit).toHaveBeenCalledTimes(1);
    expect(outbox.entries()).toMatchObject([{ state: "refused", problem: { code: "queue_full" } }]);

    await outbox.resend("k1");

    expect(outbox.entries()).toEqual([]);
  });

  test("is not shown beside its own task, of which the stream told first", async () => {
    const { outbox } = outboxWith([cutOff, cutOff]);
    await outbox.submit(REQUEST, "k1", AT);
    await outbox.submit(REQUEST, "k2", AT);
    const task = sample({ metadata: { outbox: "k1" } });
    expect(withoutTask(outbox.entries(), [task]).map(({ key }) => key)).toEqual(["k2"]);
    expect(withoutTask(outbox.entries(), [sample()])).toHaveLength(2);
  });

  test("can be thrown away", async () => {
    const { outbox, kept } = outboxWith([cutOff]);
    await outbox.submit(REQUEST, "k1", AT);
    outbox.discard("k1");
    expect(outbox.entries()).toEqual([]);
    expect(kept.text).toBeNull();
  });

  test("is sent for nobody while it is closed, and once more when it is open", async () => {
    let answerIt = (_: Task) => {};
    const late = new Promise<Task>((resolve) => (answerIt = resolve));
    const { outbox, submit, onSent } = outboxWith([() => late, accepted]);
    const sending = outbox.submit(REQUEST, "k1", AT);

    outbox.close();
    answerIt(sample());
    await sending;
    await outbox.resume();
    await outbox.submit(REQUEST, "k2", AT);

    expect(submit.mock.calls.map(([, options]) => options?.signal?.aborted)).toEqual([true]);
    expect(onSent).not.toHaveBeenCalled();
    expect(outbox.entries()).toMatchObject([
      { key: "k1", state: "unanswered" },
      { key: "k2", state: "unanswered" },
    ]);

    outbox.open();
    await outbox.resend("k1");
    expect(outbox.entries()).toMatchObject([{ key: "k2" }]);
  });

  test("can all be thrown away", async () => {
    const { outbox, kept } = outboxWith([cutOff, refused]);
    await outbox.submit(REQUEST, "k1", AT);
    await outbox.submit(REQUEST, "k2", AT);

    outbox.clear();

    expect(outbox.entries()).toEqual([]);
    expect(kept.text).toBeNull();
  });

  test("begins empty where somebody else wrote in its place", () => {
    for (const text of ["{", "{}", "[1, null]", '[{"key": "k"}]']) {
      expect(outboxWith([], shelf(text)).outbox.entries()).toEqual([]);
    }
  });
});
