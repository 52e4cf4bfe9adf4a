import { screen, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { TaskCard } from "../src/components/TaskCard.tsx";
import { completedSample, failedSample, runningSample, sample } from "../src/tasks/sample.ts";
import type { Task } from "../src/tasks/task.ts";
import { renderSpeaking } from "./speaking.tsx";

const NOW = Date.parse("2026-11-21T10:10:00Z");

function Line({ tasks }: { tasks: readonly Task[] }) {
  return tasks.map((task) => <TaskCard key={task.task_id} task={task} now={NOW} />);
}

const queued = (id: string, place: number) =>
  sample({ task_id: id, prompt: `task ${id}`, queue_position: place });

const places = () =>
  screen.getAllByRole("article").map((card) => /Number (\d+)/.exec(card.textContent ?? "")?.[1]);

describe("the place in the line", () => {
  test("of a single task is 1", () => {
    renderSpeaking(<Line tasks={[queued("a", 1)]} />);
    expect(places()).toEqual(["1"]);
  });

  test("of several is 1, 2, 3", () => {
    renderSpeaking(<Line tasks={[queued("a", 1), queued("b", 2), queued("c", 3)]} />);
    expect(places()).toEqual(["1", "2", "3"]);
  });

  test("moves up when the first starts, and again when it ends", () => {
    const { rerender } = renderSpeaking(
      <Line tasks={[queued("a", 1), queued("b", 2), queued("c", 3)]} />,
    );
    const started = runningSample({ task_id: "a" });
    rerender(<Line tasks={[started, queued("b", 1), queued("c", 2)]} />);
    expect(places()).toEqual([undefined, "1", "2"]);

    const ended = completedSample("/artifacts/a.png", { task_id: "a" });
    rerender(<Line tasks={[ended, runningSample({ task_id: "b" }), queued("c", 1)]} />);
    expect(places()).toEqual([undefined, undefined, "1"]);
  });

  test("is given to a task that comes after", () => {
    const { rerender } = renderSpeaking(<Line tasks={[queued("a", 1)]} />);
    rerender(<Line tasks={[queued("a", 1), queued("b", 2)]} />);
    expect(places()).toEqual(["1", "2"]);
  });

  test("is not guessed while the server has not said it", () => {
    renderSpeaking(<TaskCard task={sample({ queue_position: null })} now={NOW} />);
    expect(screen.getByText("Waiting in line")).toBeTruthy();
    expect(places()).toEqual([undefined]);
  });
});

describe("a card", () => {
  test("of a running task tells how far it is", () => {
    renderSpeaking(<TaskCard task={runningSample()} now={NOW} onCancel={() => undefined} />);
    const bar = screen.getByRole("progressbar");
    expect(bar.getAttribute("aria-valuenow")).toBe("42");
    expect(screen.getByText("about 12 sec")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Cancel" })).toBeTruthy();
    const current = screen
      .getAllByRole("listitem")
      .find((step) => step.getAttribute("aria-current") === "step");
    expect(current?.textContent).toContain("Generating");
  });

  test("of a finished task has its picture and a download with a good name", () => {
    const task = completedSample("http://127.0.0.1:8400/artifacts/x.png");
    renderSpeaking(<TaskCard task={task} now={NOW} />);
    expect(screen.getByRole("img").getAttribute("src")).toBe("/artifacts/x.png");
    expect(screen.getByRole("link", { name: "Download" }).getAttribute("download")).toBe(
      "a-red-bicycle-by-the-sea-at-sunset.png",
    );
    expect(screen.queryByRole("progressbar")).toBeNull();
  });

  test("of a failed task says why in the reader's language, spins no more, and can be retried", async () => {
    const onRetry = vi.fn();
    const task = failedSample("timeout", "Nothing was heard of this task for 300 s.", {
      seconds: 300,
    });
    renderSpeaking(<TaskCard task={task} now={NOW} onRetry={onRetry} />, "tr");
    expect(await screen.findByText("Durduruldu: çok uzun sürdü")).toBeTruthy();
    expect(screen.queryByRole("progressbar")).toBeNull();
    screen.getByRole("button", { name: "Yeniden dene" }).click();
    expect(onRetry).toHaveBeenCalledOnce();
  });

  test("shows the pictures that were given, but loads none from strangers", () => {
    const task = sample({
      reference_images: ["http://127.0.0.1:8400/uploads/1", "https://example.org/cat.png"],
    });
    renderSpeaking(<TaskCard task={task} now={NOW} />);
    const card = within(screen.getByRole("article"));
    expect(card.getByAltText("Reference picture 1").getAttribute("src")).toBe("/uploads/1");
    expect(card.getByRole("link").textContent).toBe("Picture at example.org");
  });
});
