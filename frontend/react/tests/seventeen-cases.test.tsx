import { QueryClient } from "@tanstack/react-query";
import { act } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { answer, problem } from "../../client/tests/builders.ts";
import {
  type ProviderParams,
  queryKeys,
  useCreateGenerationTask,
  useGenerationTasks,
  useUploadFile,
} from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, pass, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();
// Without it the client sends by `fetch`, where the fake gateway is.
beforeEach(() => {
  vi.stubGlobal("XMLHttpRequest", undefined);
});

const PATH = "/api/generation/tasks?promptId=p1";
const image: ProviderParams = {
  service: "KIE",
  model: "IMAGEN4",
  apiModel: "google/imagen4-fast",
  input: { prompt: "A beautiful sunset", aspect_ratio: "16:9", num_images: "4" },
};
const video: ProviderParams = {
  service: "KIE",
  model: "VEO3",
  apiModel: "veo3_fast",
  input: { prompt: "A beautiful sunset", aspect_ratio: "16:9" },
};

function never(): Promise<Response> {
  return new Promise(() => {});
}

/** A task of the prompt, by a model. */
function made(gateway: FakeGateway, { model, service }: ProviderParams) {
  return gateway.add({ prompt_id: "p1", provider_params: { model, service } });
}

async function creating(gateway: FakeGateway, queryClient = new QueryClient()) {
  const { result } = await mounted(gateway, useCreateGenerationTask, { queryClient });
  return result;
}

async function uploading(gateway: FakeGateway, file: File, answering?: () => Response) {
  if (answering !== undefined) gateway.instead.set("POST /uploads", answering);
  const { result } = await mounted(gateway, useUploadFile);
  act(() => result.current.mutate(file));
  await pass(20_000);
  return result.current;
}

function kept(content_type: string) {
  return () =>
    answer(
      {
        upload_id: "u1",
        url: "http://gateway.test/uploads/u1",
        content_type,
        bytes: 5,
        sha256: "0".repeat(64),
        expires_at: "2026-11-24T10:00:00.000Z",
      },
      201,
    );
}

const photo = new File(["12345"], "photo.png", { type: "image/png" });
const film = new File(["12345"], "film.mp4", { type: "video/mp4" });

describe("loading states", () => {
  test("1: the tasks of a prompt are loading until they are there", async () => {
    const gateway = new FakeGateway();
    gateway.instead.set("GET /api/generation/tasks", never);

    const { result } = await mounted(gateway, () => useGenerationTasks("p1"));

    expect(result.current).toMatchObject({ isLoading: true, data: undefined, error: null });
  });

  test("2: a creation is pending until it is answered", async () => {
    const gateway = new FakeGateway();
    gateway.instead.set("POST /tasks", never);
    const result = await creating(gateway);

    act(() => result.current.mutate({ promptId: "p1", providerParams: image }));
    await settle();

    expect(result.current).toMatchObject({ isPending: true, data: undefined, error: null });
  });
});

describe("success", () => {
  test("3: an image is created", async () => {
    const gateway = new FakeGateway();
    const result = await creating(gateway);

    act(() => result.current.mutate({ promptId: "p1", providerParams: image }));
    await settle();

    expect(result.current.data).toMatchObject({ success: true, data: { id: "task-1" } });
    expect(JSON.parse(String(gateway.calls[0]?.body))).toEqual({
      type: "IMAGE",
      prompt: "A beautiful sunset",
      prompt_id: "p1",
      provider_params: image,
    });
  });

  test("4: a video is created", async () => {
    const gateway = new FakeGateway();
    const result = await creating(gateway);

    act(() => result.current.mutate({ promptId: "p1", providerParams: video }));
    await settle();

    expect(result.current.data).toMatchObject({ success: true, data: { id: "task-1" } });
    expect(JSON.parse(String(gateway.calls[0]?.body))).toEqual({
      type: "VIDEO",
      prompt: "A beautiful sunset",
      prompt_id: "p1",
      provider_params: video,
    });
  });
});

describe("errors of the API and of the network", () => {
  test("5: the tasks of a prompt: the API refuses", async () => {
    const gateway = new FakeGateway();
    gateway.instead.set("GET /api/generation/tasks", () => problem("unauthorized", 401));

    const { result } = await mounted(gateway, () => useGenerationTasks("p1"));
    await pass(30_000);

    expect(result.current.error).toMatchObject({ code: "unauthorized", message: "unauthorized!" });
    expect(gateway.asked(PATH)).toBe(1);
  });

  test("6: the tasks of a prompt: the network fails, until it is back", async () => {
    const gateway = new FakeGateway();
    made(gateway, image);
    gateway.isDown = true;

    const { result } = await mounted(gateway, () => useGenerationTasks("p1"));
    expect(result.current.error).toMatchObject({ code: "network" });
    gateway.isDown = false;
    await pass(3000);

    expect(result.current).toMatchObject({ error: null, data: [{ id: "task-1" }] });
  });

  test("7: a creation: the API refuses, which is a result", async () => {
    const gateway = new FakeGateway();
    gateway.instead.set("POST /tasks", () => problem("no_provider", 422));
    const result = await creating(gateway);

    act(() => result.current.mutate({ promptId: "p1", providerParams: image }));
    await settle();

    expect(result.current.data).toMatchObject({
      success: false,
      error: "no_provider!",
      problem: { code: "no_provider" },
    });
    expect(result.current.error).toBeNull();
  });

  test("8: a creation: the network fails, which is an error, after repeats with one key", async () => {
    const gateway = new FakeGateway();
    gateway.isDown = true;
    const result = await creating(gateway);

    act(() => result.current.mutate({ promptId: "p1", providerParams: image }));
    await pass(20_000);

    expect(result.current.error).toMatchObject({ code: "network" });
    const keys = gateway.calls.map((call) => call.headers.get("Idempotency-Key")).filter(Boolean);
    expect([keys.length, new Set(keys).size]).toEqual([4, 1]);
  });

  test("9: an upload: the API refuses, which is a result", async () => {
    const refusing = () => problem("unsupported_media", 422);

    const upload = await uploading(new FakeGateway(), photo, refusing);

    expect(upload.data).toMatchObject({ success: false, error: "unsupported_media!" });
    expect(upload.error).toBeNull();
  });

  test("10: an upload: the network fails, which is an error", async () => {
    const gateway = new FakeGateway();
    gateway.isDown = true;

    const upload = await uploading(gateway, photo);

    expect(upload.error).toMatchObject({ code: "network" });
    expect(upload.data).toBeUndefined();
  });
});

describe("invalidation", () => {
  test("11: a creation invalidates the tasks of its prompt, which are fetched anew", async () => {
    const gateway = new FakeGateway();
    const queryClient = new QueryClient();
    const invalidate = vi.spyOn(queryClient, "invalidateQueries");
    const { result } = await mounted(
      gateway,
      () => ({ tasks: useGenerationTasks("p1"), create: useCreateGenerationTask() }),
      { queryClient },
    );
    expect(gateway.asked(PATH)).toBe(1);

    act(() => result.current.create.mutate({ promptId: "p1", providerParams: image }));
    await settle();

    expect(invalidate).toHaveBeenCalledWith({ queryKey: queryKeys.generationTasks.byPrompt("p1") });
    expect(queryKeys.generationTasks.byPrompt("p1")).toEqual(["generation-tasks", "p1"]);
    expect(gateway.asked(PATH)).toBe(2);
    expect(result.current.tasks.data).toMatchObject([{ id: "task-1", status: "PENDING" }]);
  });
});

describe("fetching anew", () => {
  test("12: every 3 s while a task is PENDING", async () => {
    const gateway = new FakeGateway();
    made(gateway, image);
    await mounted(gateway, () => useGenerationTasks("p1"));

    const counted: number[] = [];
    for (const ms of [2900, 200, 2800, 200]) {
      await pass(ms);
      counted.push(gateway.asked(PATH));
    }

    expect(counted).toEqual([1, 2, 2, 3]);
  });

  test("13: no more when all are SUCCESS or FAILED", async () => {
    const gateway = new FakeGateway();
    const tasks = [made(gateway, image), made(gateway, video)] as const;
    const { result } = await mounted(gateway, () => useGenerationTasks("p1"));

    gateway.complete(tasks[0]);
    await pass(3000);
    gateway.fail(tasks[1], "Too dark.");
    await pass(3000);
    expect(result.current.data?.map((task) => task.status)).toEqual(["SUCCESS", "FAILED"]);
    await pass(60_000);

    expect(gateway.asked(PATH)).toBe(3);
  });
});

describe("callbacks", () => {
  test("14: onSuccess gets the result", async () => {
    const gateway = new FakeGateway();
    const result = await creating(gateway);
    const onSuccess = vi.fn();

    act(() => result.current.mutate({ promptId: "p1", providerParams: image }, { onSuccess }));
    await settle();

    expect(onSuccess.mock.calls[0]?.[0]).toMatchObject({ success: true, data: { id: "task-1" } });
  });

  test("15: onError gets the error", async () => {
    const gateway = new FakeGateway();
    gateway.isDown = true;
    const result = await creating(gateway);
    const onError = vi.fn();

    act(() => result.current.mutate({ promptId: "p1", providerParams: image }, { onError }));
    await pass(20_000);

    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: "network" });
  });
});

describe("uploads", () => {
  test("16: an image", async () => {
    const upload = await uploading(new FakeGateway(), photo, kept("image/png"));

    expect(upload.data).toEqual({
      success: true,
      data: {
        uploadId: "u1",
        downloadUrl: "http://gateway.test/uploads/u1",
        expiresAt: "2026-11-24T10:00:00.000Z",
        contentType: "image/png",
        bytes: 5,
      },
    });
    expect(upload.progress).toEqual({ loaded: 5, total: 5 });
  });

  test("17: a video", async () => {
    const gateway = new FakeGateway();

    const upload = await uploading(gateway, film, kept("video/mp4"));

    expect(upload.data).toMatchObject({ success: true, data: { contentType: "video/mp4" } });
    const form = gateway.calls[0]?.body;
    expect(form instanceof FormData && form.get("file")).toMatchObject({ name: "film.mp4" });
  });
});
