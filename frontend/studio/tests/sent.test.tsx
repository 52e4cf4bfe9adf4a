import { type Client, createClient, type Task } from "@darkroom/client";
import { DarkroomProvider, useTaskRecovery } from "@darkroom/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { StudioProvider, useOutbox } from "../src/data/studio.tsx";
import { failedSample, sample } from "../src/tasks/sample.ts";
import { renderSpeaking } from "./speaking.tsx";

/** A gateway on which every task has failed before anybody looks. */
function hastyGateway(): Client {
  const tasks = new Map<string, Task>();
  return {
    ...createClient(),
    submit: async () => {
      const task = sample({ queue_position: null });
      tasks.set(task.task_id, failedSample("timeout", "late", {}, { sequence: 2 }));
      return task;
    },
    processing: async () => [],
    get: async (taskId) => tasks.get(taskId) ?? Promise.reject(new Error("no such task")),
  };
}

function Page() {
  const outbox = useOutbox();
  const { ended } = useTaskRecovery("CREATE");
  const ask = () => void outbox.submit({ type: "CREATE", prompt: "a fox" }, "k1", "2026-11-21");
  return (
    <button type="button" onClick={ask}>
      {ended.map(({ status }) => status).join()}
    </button>
  );
}

test("a task that ends before the page looks for it is shown all the same", async () => {
  renderSpeaking(
    <QueryClientProvider client={new QueryClient()}>
      <DarkroomProvider client={hastyGateway()} storage={null}>
        <StudioProvider>
          <Page />
        </StudioProvider>
      </DarkroomProvider>
    </QueryClientProvider>,
  );
  const button = screen.getByRole("button");
  await act(async () => button.click());
  await waitFor(() => expect(button.textContent).toBe("failed"));
});
