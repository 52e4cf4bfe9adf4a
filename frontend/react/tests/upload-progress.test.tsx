import { createClient, type UploadOptions } from "@darkroom/client";
import { act } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { useUploadFile } from "../src/index.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { mounted, settle, withFakeTime } from "./rendering.tsx";

withFakeTime();

const photo = new File(["12345"], "photo.png", { type: "image/png" });

/** A page whose uploads are driven by the test. */
async function uploading() {
  const gateway = new FakeGateway();
  const sent: UploadOptions[] = [];
  const client = {
    ...createClient(),
    upload: (_: Blob, options: UploadOptions = {}) => {
      sent.push(options);
      return new Promise<never>((_resolve, reject) => {
        options.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      });
    },
  };
  const { result } = await mounted(Object.assign(gateway, { client }), useUploadFile);
  const send = async () => {
    act(() => result.current.mutate(photo));
    await settle();
  };
  return { result, send, sent };
}

describe("an upload under way", () => {
  test("shows how much has been sent, from nothing for each file", async () => {
    const { result, send, sent } = await uploading();
    expect(result.current.progress).toBeNull();
    await send();

    act(() => sent[0]?.onProgress?.({ loaded: 2, total: 5 }));
    expect(result.current.progress).toEqual({ loaded: 2, total: 5 });
    await send();

    expect(result.current.progress).toBeNull();
  });

  test("can be stopped", async () => {
    const { result, send } = await uploading();
    await send();

    act(() => result.current.abort());
    await settle();

    expect(result.current).toMatchObject({ isError: true, error: { name: "AbortError" } });
  });

  test("there is nothing to stop before it", async () => {
    const { result } = await uploading();

    act(() => result.current.abort());

    expect(result.current.isIdle).toBe(true);
  });
});
