import { type Client, createClient, NetworkError, ProblemError } from "@darkroom/client";
import { DarkroomProvider } from "@darkroom/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Announcer } from "../src/components/Announcer.tsx";
import { StudioProvider } from "../src/data/studio.tsx";
import { GenerationPage } from "../src/pages/GenerationPage.tsx";
import type { GenerationPage as PageName } from "../src/routes.ts";
import { en } from "../src/strings/en.ts";
import { failedSample, runningSample, sample, sampleOffer } from "../src/tasks/sample.ts";
import { renderSpeaking } from "./speaking.tsx";

/** A gateway on which the task has failed by the time that somebody cancels it. */
function busyGateway(): Client {
  const running = runningSample();
  let task = running;
  return {
    ...createClient(),
    list: async () => ({ tasks: [task], next_cursor: null }),
    processing: async () => (task === running ? [task] : []),
    get: async () => task,
    cancel: async () => {
      task = failedSample("timeout", "late", {}, { task_id: running.task_id, sequence: 99 });
      const status = 409;
      throw new ProblemError({ code: "already_finished", status, title: "No", detail: "No." });
    },
    retry: async () => {
      throw new ProblemError({ code: "queue_full", status: 429, title: "No", detail: "No." });
    },
  };
}

function open(client: Client, page: PageName) {
  localStorage.clear();
  const offer = page === "create" ? null : sampleOffer({ min_references: 0, max_references: 1 });
  return renderSpeaking(
    <QueryClientProvider client={new QueryClient()}>
      <DarkroomProvider client={client}>
        <StudioProvider>
          <Announcer>
            <GenerationPage page={page} offer={offer} onOpen={() => undefined} />
          </Announcer>
        </StudioProvider>
      </DarkroomProvider>
    </QueryClientProvider>,
  );
}

test("a card says why the last wish was refused, not the one before it", async () => {
  open(busyGateway(), "create");
  const press = async (name: string) => {
    const button = await screen.findByRole("button", { name });
    await act(async () => button.click());
  };

  await press(en.tasks.cancel);
  await screen.findByText(en.problems.already_finished);
  await press(en.tasks.retry);

  await screen.findByText(en.problems.queue_full);
  expect(screen.queryByText(en.problems.already_finished)).toBeNull();
});

test("a waiting card says why its provider isn't asked, though no stream tells it", async () => {
  const waiting = sample();
  const reason = { code: "provider_busy", provider: "KIE", until: null } as const;
  let asked = 0;
  open(
    {
      ...createClient(),
      list: async () => ({ tasks: [waiting], next_cursor: null }),
      // The first look finds it in line; it is asked again because it waits.
      processing: async () => [{ ...waiting, waiting_for: asked++ === 0 ? null : reason }],
    },
    "create",
  );
  expect(await screen.findByText("KIE takes no more at present")).toBeTruthy();
});

test("a photo goes to its task as soon as that is there, and again when it was cut off", async () => {
  const waiting = sample({
    type: "PHOTO_TO_3D",
    status: "pending",
    stage: "pending",
    prompt: null,
  });
  let task = waiting;
  const put = vi
    .fn<Client["putPhoto"]>()
    .mockRejectedValueOnce(new NetworkError("The upload was cut off."))
    .mockImplementation(async () => {
      task = { ...task, status: "processing", stage: "uploaded", sequence: 9 };
      return task;
    });
  const there = () => (task.metadata.outbox === undefined ? [] : [task]);
  const { container } = open(
    {
      ...createClient(),
      list: async () => ({ tasks: there(), next_cursor: null }),
      processing: async () => there(),
      get: async () => task,
      submit: async ({ metadata = {} }) => {
        task = { ...task, metadata };
        return task;
      },
      putPhoto: put,
    },
    "photo-to-3d",
  );
  const photo = new File(["photo"], "cup.png", { type: "image/png" });
  fireEvent.change(container.querySelector("input[type=file]") as Element, {
    target: { files: [photo] },
  });
  fireEvent.click(screen.getByRole("button", { name: en.composer.submit["photo-to-3d"] }));

  fireEvent.click(await screen.findByRole("button", { name: en.tasks.sendAgain }));

  expect(await screen.findByText(en.tasks.place(1))).toBeTruthy();
  const sent = put.mock.calls.map(([taskId, file]) => [taskId, file]);
  expect(sent).toEqual([
    [waiting.task_id, photo],
    [waiting.task_id, photo],
  ]);
});
