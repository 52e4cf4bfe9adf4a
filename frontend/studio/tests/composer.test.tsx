import { NetworkError, ProblemError, type Upload } from "@darkroom/client";
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, test, vi } from "vitest";
import { Composer, type ComposerProps } from "../src/components/Composer.tsx";
import type { UploadFile } from "../src/components/use-pictures.ts";
import type { GenerationPage } from "../src/routes.ts";
import { sampleOffer } from "../src/tasks/sample.ts";
import { renderSpeaking } from "./speaking.tsx";

const PHOTO = new File(["photo"], "cat.png", { type: "image/png" });
const UPLOAD = { url: "http://127.0.0.1:8400/uploads/1" } as Upload;

type Held = "prompt" | "onPrompt" | "provider" | "onProvider";

function Page(props: Omit<ComposerProps, Held>) {
  const [prompt, setPrompt] = useState("");
  const [provider, setProvider] = useState<string | null>(null);
  const held = { prompt, onPrompt: setPrompt, provider, onProvider: setProvider };
  return <Composer {...props} {...held} />;
}

function open(page: GenerationPage, upload: UploadFile = async () => UPLOAD) {
  const onSubmit = vi.fn<ComposerProps["onSubmit"]>();
  const offer = sampleOffer(
    page === "create"
      ? {}
      : { min_references: 1, max_references: page === "clothing-change" ? 2 : 1 },
  );
  const { container } = renderSpeaking(
    <Page page={page} offer={offer} upload={upload} onSubmit={onSubmit} />,
  );
  const add = (...files: File[]) => {
    const input = container.querySelector("input[type=file]");
    if (input === null) throw new Error("there is no way to choose a file");
    fireEvent.change(input, { target: { files } });
  };
  return { onSubmit, add };
}

const send = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

describe("asking", () => {
  test("sends the prompt, and is ready for the next", () => {
    const { onSubmit } = open("create");
    const prompt = screen.getByLabelText<HTMLTextAreaElement>("Prompt");
    fireEvent.change(prompt, { target: { value: "a fox" } });
    send("Create");
    expect(onSubmit).toHaveBeenCalledWith(expect.objectContaining({ prompt: "a fox" }), null);
    expect(prompt.value).toBe("");
  });

  test("goes by Ctrl+Enter", () => {
    const { onSubmit } = open("create");
    const prompt = screen.getByLabelText("Prompt");
    fireEvent.change(prompt, { target: { value: "a fox" } });
    fireEvent.keyDown(prompt, { key: "Enter", ctrlKey: true });
    expect(onSubmit).toHaveBeenCalledOnce();
  });

  test("says what is missing instead of doing nothing", () => {
    const { onSubmit } = open("create");
    send("Create");
    expect(screen.getByRole("alert").textContent).toBe(
      "Describe what you would like to see first.",
    );
    expect(document.activeElement).toBe(screen.getByLabelText("Prompt"));
    expect(onSubmit).not.toHaveBeenCalled();
  });
});

describe("a photo for a model", () => {
  test("is kept, and handed over with the request", () => {
    const upload = vi.fn<UploadFile>();
    const { onSubmit, add } = open("photo-to-3d", upload);
    add(PHOTO);
    send("Build the model");
    expect(upload).not.toHaveBeenCalled();
    const request = { type: "PHOTO_TO_3D", reference_images: [], provider_params: {} };
    expect(onSubmit).toHaveBeenCalledWith(request, PHOTO);
  });

  test("can be made to fail at any step", () => {
    const { onSubmit, add } = open("photo-to-3d");
    add(PHOTO);
    send("Options");
    fireEvent.change(screen.getByLabelText("Rehearse"), {
      target: { value: "model_saving_failed" },
    });
    send("Build the model");
    expect(onSubmit.mock.calls[0]?.[0].provider_params).toEqual({
      simulate: { fail_at: "model_saving_failed" },
    });
  });
});

describe("a photo", () => {
  test("is uploaded at once and named in the request", async () => {
    const { onSubmit, add } = open("white-background");
    add(PHOTO);
    await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull());
    send("Make it white");
    expect(onSubmit).toHaveBeenCalledWith(
      { type: "WHITE_BACKGROUND", reference_images: [UPLOAD.url], provider_params: {} },
      null,
    );
  });

  test("shows how much of it has been sent", async () => {
    let progress: (told: { loaded: number; total: number }) => void = () => undefined;
    const { add } = open("white-background", (_, { onProgress }) => {
      progress = onProgress ?? progress;
      return new Promise(() => undefined);
    });
    add(PHOTO);
    progress({ loaded: 30, total: 120 });
    const bar = await screen.findByRole("progressbar", { name: "Uploading, 25 %" });
    expect(bar.getAttribute("aria-valuenow")).toBe("25");
    send("Make it white");
    expect(screen.getByRole("alert").textContent).toBe("Wait for the upload to finish.");
  });

  test.each([
    [
      "image_truncated",
      new ProblemError({ code: "image_truncated", status: 422, title: "", detail: "" }),
      "This picture is damaged or incomplete.",
    ],
    ["network", new NetworkError("cut off"), "The server can't be reached."],
  ])("that is refused (%s) says so, and can be removed", async (_, error, text) => {
    const { onSubmit, add } = open("white-background", async () => Promise.reject(error));
    add(PHOTO);
    expect(await screen.findByText(text)).toBeTruthy();
    send("Make it white");
    expect(onSubmit).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole("button", { name: "Remove cat.png" }));
    expect(screen.queryByText(text)).toBeNull();
  });

  test("that did not arrive is sent again", async () => {
    const upload = vi.fn<UploadFile>(async () => UPLOAD);
    upload.mockRejectedValueOnce(new NetworkError("cut off"));
    const { onSubmit, add } = open("white-background", upload);
    add(PHOTO);
    const again = await screen.findByRole("button", { name: "Send again" });
    send("Make it white");
    expect(screen.getByRole("alert").textContent).toBe(
      "A photo has not arrived yet. Send it again, or remove it.",
    );

    fireEvent.click(again);
    await waitFor(() => expect(screen.queryByText("The server can't be reached.")).toBeNull());
    await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull());
    send("Make it white");

    expect(upload.mock.calls.map(([file]) => file)).toEqual([PHOTO, PHOTO]);
    expect(onSubmit).toHaveBeenCalledWith(
      expect.objectContaining({ reference_images: [UPLOAD.url] }),
      null,
    );
  });

  test("dropped beside the form is added as well", async () => {
    const { onSubmit } = open("white-background");
    const dataTransfer = { types: ["Files"], files: [PHOTO] };
    fireEvent.dragEnter(document.body, { dataTransfer });
    expect(screen.getByText("Drop to add")).toBeTruthy();

    const isLeft = fireEvent.drop(document.body, { dataTransfer });

    expect(isLeft).toBe(false);
    expect(screen.queryByText("Drop to add")).toBeNull();
    await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull());
    send("Make it white");
    expect(onSubmit).toHaveBeenCalledOnce();
  });

  test("too many are not taken", async () => {
    const { add } = open("clothing-change");
    add(PHOTO, PHOTO, PHOTO);
    expect(await screen.findByText("At most 2 pictures can be added.")).toBeTruthy();
    expect(screen.getAllByRole("figure")).toHaveLength(2);
  });
});
