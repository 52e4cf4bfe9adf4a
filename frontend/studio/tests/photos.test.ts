import { NetworkError, ProblemError, type Task, type UploadOptions } from "@darkroom/client";
import { describe, expect, test, vi } from "vitest";
import { Photos, photoOf } from "../src/data/photos.ts";
import { sample } from "../src/tasks/sample.ts";

const FILE = new File(["photo"], "cup.png", { type: "image/png" });
const TASK = sample({
  type: "PHOTO_TO_3D",
  status: "pending",
  stage: "pending",
  metadata: { outbox: "k1" },
});
const UPLOADED = { ...TASK, status: "processing", stage: "uploaded" } as const;

/** Photos whose sending is in the test's hands. */
function photos() {
  const settled: (Task | null)[] = [];
  const sent: { options: UploadOptions; resolve(task: Task): void; reject(error: Error): void }[] =
    [];
  const putPhoto = vi.fn(
    (_id: string, _file: Blob, options: UploadOptions = {}) =>
      new Promise<Task>((resolve, reject) => {
        sent.push({ options, resolve, reject });
        options.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      }),
  );
  const made = new Photos({ putPhoto }, async (task) => void settled.push(task));
  return { made, putPhoto, sent, settled };
}

const problem = (code: "photo_unusable" | "photo_not_awaited" | "upload_too_large") =>
  new ProblemError({ code, status: 422 as never, title: "No", detail: "No." });

describe("a photo", () => {
  test("waits for its task, and goes when that is there", async () => {
    const { made, putPhoto, sent, settled } = photos();
    made.keep("k1", FILE);
    expect(photoOf(made.all(), TASK)?.file).toBe(FILE);
    expect(putPhoto).not.toHaveBeenCalled();

    const sending = made.sendKept(TASK);
    sent[0]?.options.onProgress?.({ loaded: 1, total: 4 });
    expect(photoOf(made.all(), TASK)).toMatchObject({ percent: 25, problem: null });
    sent[0]?.resolve(UPLOADED);
    await sending;

    expect(putPhoto.mock.calls.map(([id, file]) => [id, file])).toEqual([[TASK.task_id, FILE]]);
    expect(settled).toEqual([UPLOADED]);
    expect(made.all().size).toBe(0);
  });

  test("is not sent for a task of which none was kept", async () => {
    const { made, putPhoto } = photos();
    await made.sendKept(sample({ metadata: {} }));
    await made.sendKept(TASK);
    expect(putPhoto).not.toHaveBeenCalled();
  });

  test("that was cut off stays, and goes again when it is asked for", async () => {
    const { made, sent, settled } = photos();
    const first = made.send(TASK.task_id, FILE);
    sent[0]?.reject(new NetworkError("The upload was cut off."));
    await first;
    expect(photoOf(made.all(), TASK)?.problem).toMatchObject({ code: "network" });
    // It may have arrived all the same.
    expect(settled).toEqual([null]);

    const second = made.again(TASK.task_id);
    expect(photoOf(made.all(), TASK)).toMatchObject({ percent: 0, problem: null });
    sent[1]?.resolve(UPLOADED);
    await second;
    expect(made.all().size).toBe(0);
  });

  test.each(["photo_unusable", "photo_not_awaited"] as const)(
    "is let go when the task awaits none any more: %s",
    async (code) => {
      const { made, sent, settled } = photos();
      const sending = made.send(TASK.task_id, FILE);
      sent[0]?.reject(problem(code));
      await sending;
      expect([made.all().size, settled]).toEqual([0, [null]]);
    },
  );

  test("that is too large can be exchanged for another", async () => {
    const { made, sent } = photos();
    const sending = made.send(TASK.task_id, FILE);
    sent[0]?.reject(problem("upload_too_large"));
    await sending;
    expect(photoOf(made.all(), TASK)?.problem).toMatchObject({ code: "upload_too_large" });
  });

  test("of a task that was given up is sent no further", async () => {
    const { made, sent, settled } = photos();
    const told = vi.fn();
    made.subscribe(told);
    const sending = made.send(TASK.task_id, FILE);
    made.clear();
    await sending;
    expect(sent[0]?.options.signal?.aborted).toBe(true);
    expect([made.all().size, settled]).toEqual([0, []]);
    expect(told).toHaveBeenCalled();
  });
});
