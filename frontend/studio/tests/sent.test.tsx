import { type Client, createClient, type Task } from "@darkroom/client";
import { DarkroomProvider, queryKeys, useTask, useTaskRecovery } from "@darkroom/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { StudioProvider, useOutbox } from "../src/data/studio.tsx";
import { completedSample, failedSample, sample } from "../src/tasks/sample.ts";
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

const accepted = sample();

/** A gateway whose stream tells of the end of a task before its own answer comes. */
function hurriedGateway(): Client {
  return {
    ...createClient(),
    submit: async () => accepted,
    get: () => new Promise<Task>(() => {}),
  };
}

function Watched() {
  const outbox = useOutbox();
  const { data: task } = useTask(accepted.task_id);
  const ask = () => void outbox.submit({ type: "CREATE", prompt: "a fox" }, "k1", "2026-11-21");
  return (
    <button type="button" onClick={ask}>
      {task?.status}
    </button>
  );
}

test("an answer that comes after the end of its task does not take the end back", async () => {
  localStorage.clear();
  const queryClient = new QueryClient();
  const ended = completedSample("/artifacts/a.png", { task_id: accepted.task_id, sequence: 9 });
  queryClient.setQueryData(queryKeys.tasks.detail(accepted.task_id), ended);
  renderSpeaking(
    <QueryClientProvider client={queryClient}>
      <DarkroomProvider client={hurriedGateway()}>
        <StudioProvider>
          <Watched />
        </StudioProvider>
      </DarkroomProvider>
    </QueryClientProvider>,
  );
  const button = screen.getByRole("button");
  await act(async () => button.click());

  expect(button.textContent).toBe("completed");
  expect({ ...localStorage }).toEqual({});
});
