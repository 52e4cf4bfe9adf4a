import { describe, expect, test, vi } from "vitest";
import { createClient, type UploadProgress } from "../src/index.ts";
import { answer, problem, taskOf } from "./builders.ts";
import { fakeFetch, unreachable } from "./fake-fetch.ts";

const photo = new File(["12345"], "photo.png", { type: "image/png" });
const kept = {
  upload_id: "u1",
  url: "http://gateway.test/uploads/u1",
  content_type: "image/png",
  bytes: 5,
  sha256: "0".repeat(64),
  expires_at: "2026-11-24T10:00:00.000Z",
};

/** As much of XMLHttpRequest as an upload needs, driven by the test. */
class FakeXhr {
  static last: FakeXhr;
  readonly upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  readonly sent: unknown[] = [];
  status = 0;
  responseText = "";
  timeout = 0;
  onload = () => {};
  onerror = () => {};
  ontimeout = () => {};
  onabort = () => {};
  onloadend = () => {};

  constructor() {
    FakeXhr.last = this;
  }
  open(...told: string[]) {
    this.sent.push(told);
  }
  setRequestHeader(...told: string[]) {
    this.sent.push(told);
  }
  getResponseHeader() {
    return null;
  }
  send(form: FormData) {
    this.sent.push((form.get("file") as File).name);
  }
  abort() {
    this.onabort();
    this.onloadend();
  }
  async answers(response: Response) {
    this.status = response.status;
    this.responseText = await response.text();
    this.onload();
    this.onloadend();
  }
}

/** An upload by XMLHttpRequest that has been sent. */
async function sending(signal?: AbortSignal) {
  vi.stubGlobal("XMLHttpRequest", FakeXhr);
  const progress: UploadProgress[] = [];
  const client = createClient({
    baseUrl: "http://gateway.test",
    apiKey: "k",
  });
  const onProgress = (told: UploadProgress) => progress.push(told);
  const uploaded = client.upload(photo, { onProgress, ...(signal ? { signal } : {}) });
  await vi.waitFor(() => expect(FakeXhr.last?.sent.at(-1)).toBe("photo.png"));
  return { xhr: FakeXhr.last, progress, uploaded };
}

describe("uploading without a wish for progress, or where there is only fetch", () => {
  test("sends a form with the file, under its own name or a given one", async () => {
    const { fetch, calls } = fakeFetch(() => answer(kept, 201));
    const client = createClient({ fetch });

    expect(await client.upload(photo)).toEqual(kept);
    await client.upload(new Blob(["1"]), { filename: "blob.png" });

    expect(
      calls.map(({ method, path, body }) => [
        method,
        path,
        ((body as FormData).get("file") as File).name,
      ]),
    ).toEqual([
      ["POST", "/uploads", "photo.png"],
      ["POST", "/uploads", "blob.png"],
    ]);
    expect(calls[0]?.headers.has("Content-Type")).toBe(false);
  });

  test("progress is told once, when all is there", async () => {
    const { fetch } = fakeFetch(() => answer(kept, 201));
    const onProgress = vi.fn();

    await createClient({ fetch }).upload(photo, { onProgress });

    expect(onProgress.mock.calls).toEqual([[{ loaded: 5, total: 5 }]]);
  });

  test("a refused file and a lost network are told apart, and nothing is sent twice", async () => {
    const refusing = fakeFetch(() => problem("unsupported_media", 422));
    const failing = fakeFetch(unreachable);

    await expect(createClient({ fetch: refusing.fetch }).upload(photo)).rejects.toMatchObject({
      code: "unsupported_media",
    });
    await expect(createClient({ fetch: failing.fetch }).upload(photo)).rejects.toMatchObject({
      code: "network",
    });
    expect([refusing.calls.length, failing.calls.length]).toEqual([1, 1]);
  });

  test("can be aborted", async () => {
    const controller = new AbortController();
    const { fetch } = fakeFetch(() => new Promise<Response>(() => {}));
    const uploaded = createClient({ fetch }).upload(photo, { signal: controller.signal });

    controller.abort(new Error("another photo"));

    await expect(uploaded).rejects.toThrow("another photo");
  });
});

describe("the photo of a task", () => {
  const waiting = taskOf({ type: "PHOTO_TO_3D", status: "pending", stage: "pending" });

  test("is put where the task is, and the answer is the task", async () => {
    const uploaded = taskOf({ ...waiting, status: "processing", stage: "uploaded" });
    const { fetch, calls } = fakeFetch(() => answer(uploaded, 202));

    expect(await createClient({ fetch }).putPhoto(waiting.task_id, photo)).toEqual(uploaded);

    expect(
      calls.map(({ method, path, body }) => [method, path, (body as FormData).get("file")]),
    ).toEqual([["PUT", `/tasks/${waiting.task_id}/photo`, photo]]);
  });

  test("is sent by XMLHttpRequest where its progress is wanted", async () => {
    vi.stubGlobal("XMLHttpRequest", FakeXhr);
    const onProgress = vi.fn();
    const sent = createClient({ baseUrl: "http://gateway.test" }).putPhoto("t1", photo, {
      onProgress,
    });
    await vi.waitFor(() => expect(FakeXhr.last?.sent.at(-1)).toBe("photo.png"));
    FakeXhr.last.upload.onprogress?.({ loaded: 2, total: 5 });
    await FakeXhr.last.answers(answer(waiting, 202));

    expect(await sent).toEqual(waiting);
    expect(FakeXhr.last.sent[0]).toEqual(["PUT", "http://gateway.test/tasks/t1/photo"]);
    expect(onProgress.mock.calls).toEqual([[{ loaded: 2, total: 5 }]]);
  });

  test("is not sent twice by itself", async () => {
    const { fetch, calls } = fakeFetch(unreachable);

    await expect(createClient({ fetch }).putPhoto("t1", photo)).rejects.toMatchObject({
      code: "network",
    });

    expect(calls.length).toBe(1);
  });
});

describe("uploading in a browser, with progress", () => {
  test("tells each progress, then the file", async () => {
    const { xhr, progress, uploaded } = await sending();

    xhr.upload.onprogress?.({ loaded: 2, total: 5 });
    xhr.upload.onprogress?.({ loaded: 5, total: 5 });
    await xhr.answers(answer(kept, 201));

    expect(await uploaded).toEqual(kept);
    expect(progress).toEqual([
      { loaded: 2, total: 5 },
      { loaded: 5, total: 5 },
    ]);
    expect(xhr.sent).toEqual([
      ["POST", "http://gateway.test/uploads"],
      ["Authorization", "Bearer k"],
      "photo.png",
    ]);
  });

  test("a refusal is a problem", async () => {
    const { xhr, uploaded } = await sending();
    const rejected = expect(uploaded).rejects.toMatchObject({
      code: "upload_too_large",
      status: 413,
    });

    await xhr.answers(problem("upload_too_large", 413));

    await rejected;
  });

  test.each(["onerror", "ontimeout"] as const)("%s is a failure of the network", async (event) => {
    const { xhr, uploaded } = await sending();
    const rejected = expect(uploaded).rejects.toMatchObject({ code: "network" });

    xhr[event]();

    await rejected;
  });

  test("an abort ends it with its reason, and lets go of the signal", async () => {
    const controller = new AbortController();
    const { uploaded } = await sending(controller.signal);
    const rejected = expect(uploaded).rejects.toThrow("another photo");

    controller.abort(new Error("another photo"));

    await rejected;
  });

  test("what is aborted before it begins is not sent", async () => {
    vi.stubGlobal("XMLHttpRequest", FakeXhr);
    const uploaded = createClient().upload(photo, {
      onProgress: () => {},
      signal: AbortSignal.abort(new Error("gone")),
    });

    await expect(uploaded).rejects.toThrow("gone");
  });
});
