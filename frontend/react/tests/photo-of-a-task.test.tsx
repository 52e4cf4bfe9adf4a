import { createClient, type UploadOptions } from "@darkroom/client";
import { act } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { usePutPhoto, useTaskRecovery } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();
// The gateway in memory answers `fetch` alone.
beforeEach(() => void vi.stubGlobal("XMLHttpRequest", undefined));

const file = new File(["12345"], "photo.png", { type: "image/png" });
const type = "PHOTO_TO_3D";
const page = () => ({ ...useTaskRecovery(type), photo: usePutPhoto() });
const waiting = { type, status: "pending", stage: "pending" } as const;

test("the task goes on at once when its photo is there", async () => {
  const gateway = new FakeGateway();
  const { task_id: taskId } = gateway.add(waiting);
  const { result } = await mounted(gateway, page);
  expect(result.current.tasks.map(({ stage }) => stage)).toEqual(["pending"]);

  act(() => result.current.photo.mutate({ taskId, file }));
  await settle();

  expect(result.current.tasks.map(({ stage }) => stage)).toEqual(["uploaded"]);
  expect(result.current.photo.progress).toEqual({ loaded: 5, total: 5 });
});

test("a refused photo shows what became of the task", async () => {
  const gateway = new FakeGateway();
  const task = gateway.add(waiting);
  const { result } = await mounted(gateway, page, { live: false });
  gateway.fail(task, "This is no picture.");

  act(() => result.current.photo.mutate({ taskId: task.task_id, file }));
  await pass(10);

  expect(result.current.photo.error).toMatchObject({ status: 409 });
  expect(result.current.ended.map(({ error_msg }) => error_msg)).toEqual(["This is no picture."]);
});

test("sending can be stopped, and the task waits on", async () => {
  const gateway = new FakeGateway();
  const { task_id: taskId } = gateway.add(waiting);
  const putPhoto = (_id: string, _file: Blob, { signal }: UploadOptions = {}) =>
    new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  const client = { ...createClient(), ...gateway.client, putPhoto };
  const { result } = await mounted(Object.assign(gateway, { client }), page);
  act(() => result.current.photo.mutate({ taskId, file }));
  await settle();

  act(() => result.current.photo.abort());
  await settle();

  expect(result.current.photo.error).toMatchObject({ name: "AbortError" });
  expect(result.current.tasks.map(({ stage }) => stage)).toEqual(["pending"]);
});
