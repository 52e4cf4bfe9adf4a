import { type Client, createClient, ProblemError } from "@darkroom/client";
import { DarkroomProvider } from "@darkroom/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Announcer } from "../src/components/Announcer.tsx";
import { StudioProvider } from "../src/data/studio.tsx";
import { GenerationPage } from "../src/pages/GenerationPage.tsx";
import { en } from "../src/strings/en.ts";
import { failedSample, runningSample } from "../src/tasks/sample.ts";
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

test("a card says why the last wish was refused, not the one before it", async () => {
  localStorage.clear();
  renderSpeaking(
    <QueryClientProvider client={new QueryClient()}>
      <DarkroomProvider client={busyGateway()}>
        <StudioProvider>
          <Announcer>
            <GenerationPage page="create" offer={null} onOpen={() => undefined} />
          </Announcer>
        </StudioProvider>
      </DarkroomProvider>
    </QueryClientProvider>,
  );
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
